#include "base/clock.h"
#include "catalog/rest.h"
#include "scripted_server.h"
#include "test.h"

/* What a scripted catalog answers, one after the other. */
enum { ANSWERS_MAX = 16, ANSWER_SIZE_MAX = 2048 };

struct script {
    struct scripted_step steps[ANSWERS_MAX];
    char texts[ANSWERS_MAX][ANSWER_SIZE_MAX];
    size_t count;
};

static void answer_with(struct script *s, int status, const char *headers, const char *body)
{
    char *text = s->texts[s->count];
    (void)snprintf(text, ANSWER_SIZE_MAX,
                   "HTTP/1.1 %d Said\r\nContent-Type: application/json\r\n%sContent-Length: "
                   "%zu\r\n\r\n%s",
                   status, headers, strlen(body), body);
    s->steps[s->count++] = (struct scripted_step){.answer = text};
}

static void answer(struct script *s, int status, const char *body)
{
    answer_with(s, status, "", body);
}

/* The connection ends instead. */
static void hang_up(struct script *s)
{
    s->steps[s->count++] = (struct scripted_step){.then = THEN_CLOSE};
}

static const char settings[] = "{\"defaults\":{},\"overrides\":{}}";
#define TABLE                                                                                 \
    "{\"metadata-location\":\"file:///w/m.json\",\"metadata\":{\"format-version\":2,"         \
    "\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\",\"location\":\"file:///w\","     \
    "\"last-sequence-number\":0,\"last-updated-ms\":1,\"last-column-id\":1,\"schemas\":[{"    \
    "\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":" \
    "true,\"type\":\"long\"}]}],\"current-schema-id\":0,\"partition-specs\":[{\"spec-id\":0," \
    "\"fields\":[]}],\"default-spec-id\":0,\"last-partition-id\":999,\"sort-orders\":[{"      \
    "\"order-id\":0,\"fields\":[]}],\"default-sort-order-id\":0,\"properties\":{}}}"
#define FAILURE(type, code) \
    "{\"error\":{\"message\":\"in words\",\"type\":\"" type "\",\"code\":" #code "}}"

static const char *const levels[] = {"shop", "eu west"};
static const struct iceberg_name name = {.namespace = levels, .level_count = 2, .table = "or/ders"};

struct setting {
    struct script script;
    struct scripted_server server;
    struct catalog_config config;
    char uri[64];
    char endpoint[64];
    struct iceberg_catalog *catalog;
    struct iceberg_metadata *metadata;
    struct arena arena;
    const char *location;
    struct error err;
};

static void release(struct setting *s)
{
    iceberg_metadata_free(&s->metadata);
    iceberg_catalog_free(&s->catalog);
    scripted_stop(&s->server);
    arena_release(&s->arena);
}

/* Starts the server with the answers so far; the catalog is still to be opened. */
static void start(struct setting *s)
{
    scripted_start(&s->server, s->script.steps, s->script.count);
    (void)snprintf(s->uri, sizeof(s->uri), "http://127.0.0.1:%d/root/", s->server.port);
    s->config.type = "rest";
    s->config.uri = s->uri;
}

static bool try_open(struct setting *s)
{
    start(s);
    s->catalog = rest_catalog_open(&s->config, &s->err);
    return s->catalog != NULL;
}

/* With a first answer to the question for settings, which is request 0. */
static void open_with(struct setting *s, const char *first)
{
    struct script rest = s->script;
    s->script = (struct script){0};
    answer(&s->script, 200, first);
    for (size_t i = 0; i < rest.count; i++) {
        struct scripted_step *step = &s->script.steps[s->script.count];
        *step = rest.steps[i];
        if (step->answer) {
            memcpy(s->script.texts[s->script.count], rest.texts[i], ANSWER_SIZE_MAX);
            step->answer = s->script.texts[s->script.count];
        }
        s->script.count++;
    }
    if (!try_open(s)) {
        fail_msg("%s", s->err.message);
    }
}

static bool load(struct setting *s)
{
    s->err = (struct error){0};
    iceberg_metadata_free(&s->metadata);
    return s->catalog->type->load(s->catalog, &name, &s->metadata, &s->arena, &s->location,
                                  &s->err);
}

static bool create(struct setting *s)
{
    json_t *schema = json_pack("{s:s, s:i, s:[]}", "type", "struct", "schema-id", 0, "fields");
    json_t *properties = json_pack("{s:s}", "owner", "leat");
    struct iceberg_create create = {.schema = schema, .properties = properties};
    s->err = (struct error){0};
    iceberg_metadata_free(&s->metadata);
    bool done = s->catalog->type->create(s->catalog, &name, &create, &s->metadata, &s->err);
    json_decref(schema);
    json_decref(properties);
    return done;
}

static bool commit(struct setting *s)
{
    json_t *requirements = json_pack("[{s:s, s:s}]", "type", "assert-table-uuid", "uuid", "u");
    json_t *updates =
        json_pack("[{s:s, s:{s:s}}]", "action", "set-properties", "updates", "a", "b");
    s->err = (struct error){0};
    iceberg_metadata_free(&s->metadata);
    struct iceberg_move move = {.requirements = requirements, .updates = updates};
    struct iceberg_state to = {0};
    bool done = s->catalog->type->commit(s->catalog, &name, &move, &to, &s->err);
    s->metadata = to.metadata;
    free(to.location);
    json_decref(requirements);
    json_decref(updates);
    return done;
}

static void assert_failed(const struct setting *s, enum error_kind kind, const char *words)
{
    assert_string_equal(error_kind_name(s->err.kind), error_kind_name(kind));
    if (!strstr(s->err.message, words)) {
        fail_msg("\"%s\" does not say \"%s\"", s->err.message, words);
    }
    assert_null(strstr(s->err.message, "s3cret"));
    assert_null(s->metadata);
}

static void assert_line(struct setting *s, size_t n, const char *line)
{
    const char *request = scripted_request(&s->server, n);
    if (strncmp(request, line, strlen(line)) != 0) {
        fail_msg("request %zu is not \"%s\" but %s", n, line, request);
    }
}

static void assert_says(struct setting *s, size_t n, const char *words)
{
    const char *request = scripted_request(&s->server, n);
    if (!strstr(request, words)) {
        fail_msg("request %zu does not say \"%s\": %s", n, words, request);
    }
}

/* ---- settings ---- */

static void the_server_is_asked_for_its_settings_first(void **state)
{
    (void)state;
    owned(release) struct setting s = {.config.warehouse = "s3://a b/"};
    answer(&s.script, 200, settings);
    assert_true(try_open(&s));
    assert_line(&s, 0, "GET /root/v1/config?warehouse=s3%3A%2F%2Fa%20b%2F HTTP/1.1\r\n");
    assert_null(strstr(scripted_request(&s.server, 0), "Authorization"));
}

static void overrides_win_over_ours_and_ours_over_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *ours;
        const char *answer;
        const char *line;
    } cases[] = {
        {NULL, "{}", "GET /root/v1/namespaces/shop%1Feu%20west/tables/or%2Fders?snapshots=all "},
        {NULL, "{\"defaults\":{\"prefix\":\"d\"}}", "GET /root/v1/d/namespaces/"},
        {"o", "{\"defaults\":{\"prefix\":\"d\"}}", "GET /root/v1/o/namespaces/"},
        {"o", "{\"overrides\":{\"prefix\":\"/x/arn%3Aaws/\"}}",
         "GET /root/v1/x/arn%3Aaws/namespaces/"},
        {NULL, "{\"overrides\":{\"namespace-separator\":\"%2E\"}}",
         "GET /root/v1/namespaces/shop%2Eeu%20west/tables/"},
        {NULL, "{\"overrides\":{\"uri\":\"http://elsewhere.test/other\"}}",
         "GET /root/v1/namespaces/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {.config.prefix = cases[i].ours};
        answer(&s.script, 200, TABLE);
        open_with(&s, cases[i].answer);
        assert_true(load(&s));
        assert_line(&s, 1, cases[i].line);
    }
}

static void settings_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum error_kind kind;
        const char *words;
    } cases[] = {
        {200, "{\"overrides\":{\"prefix\":7}}", ERROR_CONFIG, "\"prefix\" is not text"},
        {200, "{\"overrides\":{\"prefix\":\"a?b\"}}", ERROR_CONFIG, "cannot stand in a path: a?b"},
        {200, "{\"overrides\":{\"namespace-separator\":\"%0\"}}", ERROR_CONFIG, "\"%0\""},
        {200, "<html>", ERROR_CONFIG, "not an Iceberg REST catalog"},
        {200, "[1]", ERROR_CONFIG, "not an Iceberg REST catalog"},
        {302, "", ERROR_CONFIG, "302 (a redirect, which is not followed)"},
        {404, FAILURE("NoSuchWarehouseException", 404), ERROR_CONFIG,
         "the catalog answered 404 NoSuchWarehouseException: in words"},
        {401, FAILURE("NotAuthorizedException", 401), ERROR_CONFIG, "401 NotAuthorizedException"},
        {500, "", ERROR_RETRY, "the catalog answered 500"},
        {503, FAILURE("SlowDown", 503), ERROR_RETRY, "503 SlowDown: in words"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {0};
        answer(&s.script, cases[i].status, cases[i].body);
        assert_false(try_open(&s));
        assert_failed(&s, cases[i].kind, cases[i].words);
    }
}

static void what_is_configured_wrongly_is_said_before_anything_is_sent(void **state)
{
    (void)state;
    static const struct {
        struct catalog_config config;
        const char *words;
    } cases[] = {
        {{.uri = NULL}, "needs its uri"},
        {{.uri = "http://me:s3cret@host/"}, "no user, query or fragment"},
        {{.uri = "http://host/?key=s3cret"}, "no user, query or fragment"},
        {{.uri = "ftp://host"}, "neither http:// nor https://"},
        {{.uri = "http://127.0.0.1:1", .credential = "s3cret"}, "is not ID:SECRET"},
        {{.uri = "http://127.0.0.1:1", .credential = "a:s3cret", .token = "s3cret"},
         "both a token and a credential"},
        {{.uri = "http://127.0.0.1:1", .token = "s3cret\nX: y"}, "\"Authorization\" has a line"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {.config = cases[i].config};
        s.catalog = rest_catalog_open(&s.config, &s.err);
        assert_null(s.catalog);
        assert_failed(&s, ERROR_CONFIG, cases[i].words);
    }
}

/* ---- who we are ---- */

static void a_fixed_token_is_sent_and_not_renewed(void **state)
{
    (void)state;
    owned(release) struct setting s = {.config.token = "s3cret-token"};
    answer(&s.script, 401, "{\"error\":{\"message\":\"bad s3cret-token\",\"type\":\"T\"}}");
    open_with(&s, settings);
    assert_says(&s, 0, "\r\nAuthorization: Bearer s3cret-token\r\n");
    assert_false(load(&s));
    assert_failed(&s, ERROR_CONFIG, "load table shop.eu west.or/ders: the catalog answered 401");
    assert_int_equal(scripted_request_count(&s.server), 2);
}

static void a_client_gets_a_token_before_anything_else(void **state)
{
    (void)state;
    owned(release) struct setting s = {
        .config = {.credential = "me:s3cret &=:", .scope = "PRINCIPAL_ROLE:ALL"}};
    answer(&s.script, 200,
           "{\"access_token\":\"t1\",\"token_type\":\"bearer\",\"expires_in\":3600}");
    answer(&s.script, 200, settings);
    answer(&s.script, 200, TABLE);
    assert_true(try_open(&s));
    assert_line(&s, 0, "POST /root/v1/oauth/tokens HTTP/1.1\r\n");
    assert_says(&s, 0, "\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    assert_says(
        &s, 0,
        "\r\n\r\ngrant_type=client_credentials&client_id=me&client_secret=s3cret%20%26%3D%3A"
        "&scope=PRINCIPAL_ROLE%3AALL");
    assert_null(strstr(scripted_request(&s.server, 0), "Authorization"));
    assert_says(&s, 1, "\r\nAuthorization: Bearer t1\r\n");
    assert_true(load(&s));
    assert_says(&s, 2, "\r\nAuthorization: Bearer t1\r\n");
}

static void a_token_is_renewed_before_it_ends(void **state)
{
    (void)state;
    owned(release) struct setting s = {.config.credential = "me:s3cret"};
    answer(&s.script, 200, "{\"access_token\":\"t1\",\"expires_in\":3600}");
    answer(&s.script, 200, settings);
    answer(&s.script, 200, TABLE);
    answer(&s.script, 200, "{\"access_token\":\"t2\",\"expires_in\":3600}");
    answer(&s.script, 200, TABLE);
    int64_t now_us = 1000;
    clock_fake(&now_us);
    assert_true(try_open(&s));
    now_us += 3539 * INT64_C(1000000);
    assert_true(load(&s));
    assert_says(&s, 2, "Bearer t1\r\n");
    now_us += 1 * INT64_C(1000000);
    assert_true(load(&s));
    assert_line(&s, 3, "POST /root/v1/oauth/tokens ");
    assert_says(&s, 4, "Bearer t2\r\n");
    clock_fake(NULL);
}

static void a_refused_token_is_renewed_once_and_the_request_sent_again(void **state)
{
    (void)state;
    owned(release) struct setting s = {.config = {.credential = "me:s3cret"}};
    answer(&s.script, 200, "{\"access_token\":\"t1\"}");
    answer(&s.script, 200, settings);
    answer(&s.script, 401, FAILURE("NotAuthorizedException", 401));
    answer(&s.script, 200, "{\"access_token\":\"t2\"}");
    answer(&s.script, 200, TABLE);
    answer(&s.script, 401, FAILURE("NotAuthorizedException", 401));
    answer(&s.script, 200, "{\"access_token\":\"t3\"}");
    answer(&s.script, 401, FAILURE("NotAuthorizedException", 401));
    assert_true(try_open(&s));
    assert_true(commit(&s));
    assert_says(&s, 2, "Bearer t1\r\n");
    assert_says(&s, 4, "Bearer t2\r\n");
    assert_string_equal(strstr(scripted_request(&s.server, 2), "\r\n\r\n"),
                        strstr(scripted_request(&s.server, 4), "\r\n\r\n"));
    assert_false(commit(&s));
    assert_failed(&s, ERROR_CONFIG, "401 NotAuthorizedException: in words");
    assert_int_equal(scripted_request_count(&s.server), 8);
}

static void a_session_that_timed_out_gets_a_new_token_next_time(void **state)
{
    (void)state;
    owned(release) struct setting s = {.config = {.credential = "me:s3cret"}};
    answer(&s.script, 200, "{\"access_token\":\"t1\"}");
    answer(&s.script, 200, settings);
    answer(&s.script, 419, "{}");
    answer(&s.script, 200, "{\"access_token\":\"t2\"}");
    answer(&s.script, 200, TABLE);
    assert_true(try_open(&s));
    assert_false(commit(&s));
    assert_failed(&s, ERROR_RETRY, "the catalog answered 419");
    assert_true(commit(&s));
    assert_says(&s, 4, "Bearer t2\r\n");
}

static void a_token_endpoint_that_refuses_is_named_without_the_secret(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum error_kind kind;
        const char *words;
    } cases[] = {
        {401, "{\"error\":\"invalid_client\",\"error_description\":\"who?\"}", ERROR_CONFIG,
         "token endpoint of the catalog: it answered 401 invalid_client: who?"},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"s3cret is wrong\"}",
         ERROR_CONFIG, "it answered 400"},
        {503, "busy", ERROR_RETRY, "it answered 503"},
        {200, "{}", ERROR_CONFIG, "no access_token"},
        {200, "{\"access_token\":\"t\",\"token_type\":\"mac\"}", ERROR_CONFIG,
         "not of type Bearer"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {.config.credential = "me:s3cret"};
        answer(&s.script, cases[i].status, cases[i].body);
        assert_false(try_open(&s));
        assert_failed(&s, cases[i].kind, cases[i].words);
    }
    owned(release) struct setting s = {.config.credential = "me:s3cret"};
    hang_up(&s.script);
    assert_false(try_open(&s));
    assert_failed(&s, ERROR_RETRY, "token endpoint of the catalog: POST 127.0.0.1");
}

static void the_token_endpoint_may_be_elsewhere(void **state)
{
    (void)state;
    struct scripted_server tokens;
    struct script script = {0};
    answer(&script, 200, "{\"access_token\":\"t1\"}");
    scripted_start(&tokens, script.steps, script.count);
    owned(release) struct setting s = {.config.credential = "me:s3cret"};
    (void)snprintf(s.endpoint, sizeof(s.endpoint), "http://127.0.0.1:%d/realm/token", tokens.port);
    s.config.oauth2_uri = s.endpoint;
    open_with(&s, settings);
    assert_memory_equal(scripted_request(&tokens, 0), "POST /realm/token HTTP", 22);
    assert_says(&s, 0, "Bearer t1\r\n");
    assert_null(strstr(scripted_request(&s.server, 0), "s3cret"));
    iceberg_catalog_free(&s.catalog); /* its connections */
    scripted_stop(&tokens);
}

/* ---- load ---- */

static void a_table_is_loaded_with_its_metadata(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 200, TABLE);
    open_with(&s, settings);
    assert_true(load(&s));
    assert_non_null(s.metadata);
    assert_string_equal(s.metadata->uuid, "9c12d441-03fe-4693-9a96-a0705ddf69c1");
    assert_string_equal(s.location, "file:///w/m.json");
}

static void a_missing_table_is_no_error_if_the_catalog_says_so(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 404, FAILURE("NoSuchTableException", 404));
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404));
    answer(&s.script, 404, "<html>default backend</html>");
    open_with(&s, settings);
    assert_true(load(&s));
    assert_null(s.metadata);
    assert_true(load(&s));
    assert_null(s.metadata);
    assert_false(load(&s));
    assert_failed(&s, ERROR_RETRY, "not by a catalog");
}

static void a_load_that_fails_says_whether_it_may_pass(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum error_kind kind;
        const char *words;
    } cases[] = {
        {200, "{\"metadata-location\":", ERROR_RETRY, "200 without metadata"},
        {200, "{\"metadata\":7}", ERROR_RETRY, "200 without metadata"},
        {400, FAILURE("BadRequestException", 400), ERROR_CONFIG, "400 BadRequestException: in"},
        {403, FAILURE("ForbiddenException", 403), ERROR_CONFIG, "403 ForbiddenException: in words"},
        {429, "{}", ERROR_RETRY, "429"},
        {500, FAILURE("RuntimeException", 500), ERROR_RETRY, "500"},
        {501, FAILURE("Unsupported", 501), ERROR_CONFIG, "501"},
        {504, "", ERROR_RETRY, "504"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {0};
        answer(&s.script, cases[i].status, cases[i].body);
        open_with(&s, settings);
        assert_false(load(&s));
        assert_failed(&s, cases[i].kind, cases[i].words);
    }
    owned(release) struct setting s = {0};
    answer_with(&s.script, 503, "Retry-After: 7\r\n", "");
    hang_up(&s.script); /* on a kept connection: goes again */
    hang_up(&s.script);
    open_with(&s, settings);
    assert_false(load(&s));
    assert_failed(&s, ERROR_RETRY, "503 (again after 7 s)");
    assert_false(load(&s));
    assert_failed(&s, ERROR_RETRY, "was sent, but not answered whole");
    assert_int_equal(scripted_request_count(&s.server), 4);
}

/* ---- create ---- */

static void a_table_is_created_in_one_request(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 200, TABLE);
    open_with(&s, settings);
    assert_true(create(&s));
    assert_non_null(s.metadata);
    assert_line(&s, 1, "POST /root/v1/namespaces/shop%1Feu%20west/tables HTTP/1.1\r\n");
    assert_says(&s, 1,
                "\r\n\r\n{\"name\":\"or/ders\",\"schema\":{\"type\":\"struct\",\"schema-id\":0,"
                "\"fields\":[]},\"properties\":{\"owner\":\"leat\",\"format-version\":\"2\"},"
                "\"stage-create\":false}");
}

static void a_missing_namespace_is_made_from_the_level_that_is_missing(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404)); /* 1 */
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404)); /* 2: no parent */
    answer(&s.script, 409, FAILURE("AlreadyExistsException", 409));   /* 3: another made it */
    answer(&s.script, 200, "{\"namespace\":[\"shop\",\"eu west\"]}"); /* 4 */
    answer(&s.script, 200, TABLE);                                    /* 5 */
    open_with(&s, settings);
    assert_true(create(&s));
    assert_line(&s, 2, "POST /root/v1/namespaces HTTP/1.1\r\n");
    assert_says(&s, 2, "{\"namespace\":[\"shop\",\"eu west\"],\"properties\":{}}");
    assert_says(&s, 3, "{\"namespace\":[\"shop\"],\"properties\":{}}");
    assert_says(&s, 4, "{\"namespace\":[\"shop\",\"eu west\"],\"properties\":{}}");
    assert_line(&s, 5, "POST /root/v1/namespaces/shop%1Feu%20west/tables HTTP/1.1\r\n");
}

static void a_namespace_that_stays_missing_ends_the_attempt(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404));
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404));
    answer(&s.script, 200, "{}");
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404));
    open_with(&s, settings);
    assert_false(create(&s));
    assert_failed(&s, ERROR_CONFIG,
                  "create table shop.eu west.or/ders: create namespace level \"eu west\": the "
                  "catalog answered 404 NoSuchNamespaceException: in words");
    assert_int_equal(scripted_request_count(&s.server), 5);
}

static void a_namespace_with_an_unknown_outcome_can_be_made_again(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 404, FAILURE("NoSuchNamespaceException", 404));
    answer(&s.script, 500, "");
    open_with(&s, settings);
    assert_false(create(&s));
    assert_failed(&s, ERROR_RETRY, "the catalog answered 500");
}

static void a_create_that_fails_says_whether_the_table_may_be_there(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum error_kind kind;
    } cases[] = {
        {409, FAILURE("AlreadyExistsException", 409), ERROR_CONFLICT},
        {400, FAILURE("BadRequestException", 400), ERROR_CONFIG},
        {403, FAILURE("ForbiddenException", 403), ERROR_CONFIG},
        {406, FAILURE("UnsupportedOperationException", 406), ERROR_CONFIG},
        {429, "{}", ERROR_RETRY},
        {500, FAILURE("RuntimeException", 500), ERROR_UNKNOWN},
        {502, "", ERROR_UNKNOWN},
        {503, "", ERROR_UNKNOWN},
        {504, "", ERROR_UNKNOWN},
        {200, "{\"meta", ERROR_UNKNOWN},
        {204, "", ERROR_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {0};
        answer(&s.script, cases[i].status, cases[i].body);
        open_with(&s, settings);
        assert_false(create(&s));
        assert_failed(&s, cases[i].kind, "create table shop.eu west.or/ders: the catalog answered");
        assert_int_equal(scripted_request_count(&s.server), 2);
    }
}

/* ---- commit ---- */

static void a_commit_sends_requirements_and_updates_and_gives_the_new_metadata(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    answer(&s.script, 200, TABLE);
    open_with(&s, settings);
    assert_true(commit(&s));
    assert_non_null(s.metadata);
    assert_line(&s, 1, "POST /root/v1/namespaces/shop%1Feu%20west/tables/or%2Fders HTTP/1.1\r\n");
    assert_says(&s, 1, "\r\nContent-Type: application/json\r\n");
    assert_says(&s, 1,
                "\r\n\r\n{\"requirements\":[{\"type\":\"assert-table-uuid\",\"uuid\":\"u\"}],"
                "\"updates\":[{\"action\":\"set-properties\",\"updates\":{\"a\":\"b\"}}]}");
}

static void a_commit_that_fails_says_whether_it_may_be_in(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum error_kind kind;
    } cases[] = {
        {409, FAILURE("CommitFailedException", 409), ERROR_CONFLICT},
        {409, "", ERROR_CONFLICT},
        {404, FAILURE("NoSuchTableException", 404), ERROR_CONFLICT},
        {404, "<html>", ERROR_UNKNOWN},
        {400, FAILURE("BadRequestException", 400), ERROR_CONFIG},
        {403, FAILURE("ForbiddenException", 403), ERROR_CONFIG},
        {307, "", ERROR_CONFIG},
        {429, "{}", ERROR_RETRY},
        {408, "", ERROR_UNKNOWN},
        {500, FAILURE("CommitStateUnknownException", 500), ERROR_UNKNOWN},
        {502, "", ERROR_UNKNOWN},
        {503, "", ERROR_UNKNOWN},
        {504, "", ERROR_UNKNOWN},
        {520, "", ERROR_UNKNOWN},
        {200, "", ERROR_UNKNOWN},
        {200, "{\"metadata\":{}}", ERROR_UNKNOWN},
        {202, "{}", ERROR_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        owned(release) struct setting s = {0};
        answer(&s.script, cases[i].status, cases[i].body);
        open_with(&s, settings);
        assert_false(commit(&s));
        assert_failed(&s, cases[i].kind, "commit to table shop.eu west.or/ders: ");
        assert_int_equal(scripted_request_count(&s.server), 2); /* and never sent again */
    }
}

static void a_commit_whose_connection_ends_is_unknown_and_never_sent_again(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    hang_up(&s.script); /* a kept connection */
    hang_up(&s.script); /* a new one */
    open_with(&s, settings);
    assert_false(commit(&s));
    assert_failed(&s, ERROR_UNKNOWN, "commit to table shop.eu west.or/ders: POST 127.0.0.1");
    assert_int_equal(scripted_request_count(&s.server), 2);
    assert_false(commit(&s));
    assert_failed(&s, ERROR_UNKNOWN, "was sent, but not answered whole");
    assert_int_equal(scripted_request_count(&s.server), 3);
}

static void a_commit_to_a_server_that_is_gone_can_be_repeated(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    open_with(&s, settings);
    scripted_stop(&s.server);
    assert_false(commit(&s));
    assert_failed(&s, ERROR_RETRY, "could not be sent: Connection refused");
    assert_false(create(&s));
    assert_failed(&s, ERROR_RETRY, "could not be sent: Connection refused");
    assert_false(load(&s));
    assert_failed(&s, ERROR_RETRY, "could not be sent: Connection refused");
}

/* ---- names ---- */

static void names_that_cannot_stand_in_a_path_are_refused(void **state)
{
    (void)state;
    static const char *const empty[] = {""};
    static const char *const up[] = {".."};
    static const char *const split[] = {"a\x1F"
                                        "b"};
    static const char *const plain[] = {"a"};
    static const struct iceberg_name names[] = {
        {.namespace = empty, .level_count = 1, .table = "t"},
        {.namespace = up, .level_count = 1, .table = "t"},
        {.namespace = split, .level_count = 1, .table = "t"},
        {.namespace = plain, .level_count = 1, .table = ""},
        {.namespace = plain, .level_count = 1, .table = "."},
        {.namespace = plain, .level_count = 0, .table = "t"},
    };
    owned(release) struct setting s = {0};
    open_with(&s, settings);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        s.err = (struct error){0};
        assert_false(s.catalog->type->load(s.catalog, &names[i], &s.metadata, &s.arena, &s.location,
                                           &s.err));
        assert_failed(&s, ERROR_CONFIG, "load table ");
    }
    assert_int_equal(scripted_request_count(&s.server), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_is_asked_for_its_settings_first),
        cmocka_unit_test(overrides_win_over_ours_and_ours_over_defaults),
        cmocka_unit_test(settings_that_cannot_be_used_are_refused),
        cmocka_unit_test(what_is_configured_wrongly_is_said_before_anything_is_sent),
        cmocka_unit_test(a_fixed_token_is_sent_and_not_renewed),
        cmocka_unit_test(a_client_gets_a_token_before_anything_else),
        cmocka_unit_test(a_token_is_renewed_before_it_ends),
        cmocka_unit_test(a_refused_token_is_renewed_once_and_the_request_sent_again),
        cmocka_unit_test(a_session_that_timed_out_gets_a_new_token_next_time),
        cmocka_unit_test(a_token_endpoint_that_refuses_is_named_without_the_secret),
        cmocka_unit_test(the_token_endpoint_may_be_elsewhere),
        cmocka_unit_test(a_table_is_loaded_with_its_metadata),
        cmocka_unit_test(a_missing_table_is_no_error_if_the_catalog_says_so),
        cmocka_unit_test(a_load_that_fails_says_whether_it_may_pass),
        cmocka_unit_test(a_table_is_created_in_one_request),
        cmocka_unit_test(a_missing_namespace_is_made_from_the_level_that_is_missing),
        cmocka_unit_test(a_namespace_that_stays_missing_ends_the_attempt),
        cmocka_unit_test(a_namespace_with_an_unknown_outcome_can_be_made_again),
        cmocka_unit_test(a_create_that_fails_says_whether_the_table_may_be_there),
        cmocka_unit_test(a_commit_sends_requirements_and_updates_and_gives_the_new_metadata),
        cmocka_unit_test(a_commit_that_fails_says_whether_it_may_be_in),
        cmocka_unit_test(a_commit_whose_connection_ends_is_unknown_and_never_sent_again),
        cmocka_unit_test(a_commit_to_a_server_that_is_gone_can_be_repeated),
        cmocka_unit_test(names_that_cannot_stand_in_a_path_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
