#include "catalog/rest_auth.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/clock.h"
#include "catalog/rest_answer.h"

enum {
    MARGIN_MS_MAX = 60 * 1000, /* a token is renewed this long before its end, */
    MARGIN_PART = 5,           /* but at most this part of its lifetime before */
    LIFETIME_S_MAX = 366 * 24 * 3600,
    TOKEN_SIZE_MAX = 64 << 10,
};

struct rest_auth {
    struct arena arena;
    const char *id; /* of the OAuth2 client; NULL: there is none */
    const char *secret;
    const char *endpoint;
    const char *scope;
    char *token;         /* NULL: none yet, or none at all */
    int64_t renew_at_ms; /* monotonic; INT64_MAX: when it is refused */
    struct buf header;
};

static const char *copy(struct rest_auth *a, const char *text)
{
    return text ? arena_string(&a->arena, text, strlen(text)) : NULL;
}

static bool read_credential(struct rest_auth *a, const struct catalog_config *config,
                            struct error *err)
{
    const char *colon = strchr(config->credential, ':');
    if (!colon || colon == config->credential || !colon[1]) {
        return error_set(err, ERROR_CONFIG, "the catalog's credential is not ID:SECRET");
    }
    if (config->token) {
        return error_set(err, ERROR_CONFIG, "the catalog has both a token and a credential");
    }
    a->id = arena_string(&a->arena, config->credential, (size_t)(colon - config->credential));
    a->secret = copy(a, colon + 1);
    a->scope = copy(a, config->scope ? config->scope : "catalog");
    size_t size = strlen(config->uri);
    while (size > 0 && config->uri[size - 1] == '/') {
        size--;
    }
    a->endpoint = config->oauth2_uri
                      ? copy(a, config->oauth2_uri)
                      : arena_format(&a->arena, "%.*s/v1/oauth/tokens", (int)size, config->uri);
    return true;
}

struct rest_auth *rest_auth_new(const struct catalog_config *config, struct error *err)
{
    struct rest_auth *a = calloc(1, sizeof(*a));
    if (!a) {
        abort();
    }
    a->renew_at_ms = INT64_MAX;
    if (config->credential && !read_credential(a, config, err)) {
        rest_auth_free(&a);
        return NULL;
    }
    if (config->token) {
        a->token = strdup(config->token);
        if (!a->token) {
            abort();
        }
    }
    return a;
}

void rest_auth_free(struct rest_auth **a)
{
    if (*a) {
        struct rest_auth *taken = take(*a);
        buf_release(&taken->header);
        free(taken->token);
        arena_release(&taken->arena);
        free(taken);
    }
}

bool rest_auth_renew(struct rest_auth *a)
{
    if (!a->id) {
        return false;
    }
    free(take(a->token));
    return true;
}

bool rest_auth_is_quoted(const struct rest_auth *a, const char *text)
{
    return (a->secret && strstr(text, a->secret)) || (a->token && strstr(text, a->token));
}

/* ---- the token endpoint ---- */

static bool token_from(const json_t *answer, struct rest_token *out, struct error *err)
{
    const json_t *token = json_object_get(answer, "access_token");
    const json_t *type = json_object_get(answer, "token_type");
    const json_t *lifetime = json_object_get(answer, "expires_in");
    size_t size = json_string_length(token);
    if (size == 0 || size > TOKEN_SIZE_MAX) {
        return error_set(err, ERROR_CONFIG, "no access_token in it");
    }
    if (json_is_string(type) && strcasecmp(json_string_value(type), "bearer") != 0) {
        return error_set(err, ERROR_CONFIG, "its token is not of type Bearer");
    }
    out->lifetime_ms = -1;
    if (json_is_integer(lifetime)) {
        json_int_t seconds = json_integer_value(lifetime);
        seconds = seconds < 0 ? 0 : seconds;
        out->lifetime_ms = 1000 * (int64_t)(seconds < LIFETIME_S_MAX ? seconds : LIFETIME_S_MAX);
    }
    out->text = strdup(json_string_value(token));
    if (!out->text) {
        abort();
    }
    return true;
}

bool rest_token_read(struct str body, struct rest_token *out, struct error *err)
{
    json_t *answer = rest_answer_parse(body);
    bool done = token_from(answer, out, err);
    json_decref(answer);
    return done;
}

static void append_field(struct buf *form, const char *name, const char *value)
{
    buf_append_format(form, "%s%s=", form->size > 0 ? "&" : "", name);
    http_append_encoded(str_from(value), form);
}

/* Asking for a token changes nothing that matters, so whatever may pass can be repeated. */
static bool read_answer(struct rest_auth *a, const struct http_answer *answer, struct error *err)
{
    if (answer->status != 200) {
        json_t *json = rest_answer_parse(buf_str(&answer->body));
        char words[REST_WORDS_SIZE];
        rest_answer_words(json, words);
        json_decref(json);
        if (rest_auth_is_quoted(a, words)) {
            words[0] = '\0';
        }
        return error_set(err, rest_answer_kind(answer->status, false), "it answered %d%s%s",
                         answer->status, words[0] ? " " : "", words);
    }
    struct rest_token token = {0};
    if (!rest_token_read(buf_str(&answer->body), &token, err)) {
        return false;
    }
    a->token = token.text;
    a->renew_at_ms = INT64_MAX;
    if (token.lifetime_ms >= 0) {
        int64_t margin_ms = token.lifetime_ms / MARGIN_PART;
        margin_ms = margin_ms < MARGIN_MS_MAX ? margin_ms : MARGIN_MS_MAX;
        a->renew_at_ms = clock_monotonic_ms() + token.lifetime_ms - margin_ms;
    }
    return true;
}

static bool fetch_token(struct rest_auth *a, struct http_client *http, struct error *err)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json", NULL};
    struct buf form = {0};
    append_field(&form, "grant_type", "client_credentials");
    append_field(&form, "client_id", a->id);
    append_field(&form, "client_secret", a->secret);
    append_field(&form, "scope", a->scope);
    struct http_request request = {
        .method = "POST", .url = a->endpoint, .headers = headers, .body = buf_str(&form)};
    struct http_answer answer;
    bool done = http_send(http, &request, &answer, err);
    if (done) {
        done = read_answer(a, &answer, err);
    } else if (err->kind == ERROR_UNKNOWN) {
        (void)error_recast(err, ERROR_RETRY);
    }
    http_answer_release(&answer);
    buf_release(&form);
    return done || error_wrap(err, "token endpoint of the catalog");
}

bool rest_auth_header(struct rest_auth *a, struct http_client *http, const char **header,
                      struct error *err)
{
    *header = NULL;
    if (a->id && (!a->token || clock_monotonic_ms() >= a->renew_at_ms)) {
        free(take(a->token));
        if (!fetch_token(a, http, err)) {
            return false;
        }
    }
    if (a->token) {
        buf_clear(&a->header);
        buf_append_format(&a->header, "Authorization: Bearer %s", a->token);
        *header = buf_text(&a->header);
    }
    return true;
}
