#include "catalog/rest_answer.h"
#include "catalog/rest_auth.h"
#include "catalog/rest_settings.h"
#include "test.h"

static const char *words_of(const char *body)
{
    static char words[REST_WORDS_SIZE];
    json_t *answer = rest_answer_parse(str_from(body));
    rest_answer_words(answer, words);
    json_decref(answer);
    return words;
}

static void errors_are_shown_on_one_line(void **state)
{
    (void)state;
    assert_string_equal(words_of("{\"error\":{\"type\":\"T\",\"message\":\"m\",\"code\":4}}"),
                        "T: m");
    assert_string_equal(words_of("{\"error\":{\"message\":\"a\\nb\\u0007c\\u007F\"}}"), "a b c ");
    assert_string_equal(words_of("{\"error\":{\"type\":\"T\"}}"), "T");
    assert_string_equal(words_of("{\"error\":\"invalid_client\",\"error_description\":\"d\"}"),
                        "invalid_client: d");
    static const char *const without[] = {"",
                                          "{}",
                                          "[]",
                                          "{\"error\":7}",
                                          "{\"error\":{}}",
                                          "<html>",
                                          "{\"error\":{\"type\":7,\"message\":[]}}"};
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        assert_string_equal(words_of(without[i]), "");
    }
}

static void long_errors_are_cut_between_characters(void **state)
{
    (void)state;
    struct buf body = {0};
    buf_append_text(&body, "{\"error\":{\"message\":\"x");
    for (size_t i = 0; i < 200; i++) {
        buf_append_text(&body, "\xC3\xA9"); /* two bytes: one of them would be the 256th */
    }
    buf_append_text(&body, "\"}}");
    const char *words = words_of(buf_text(&body));
    buf_release(&body);
    assert_int_equal(strlen(words), 255 + 3);
    assert_true(utf8_valid(words, strlen(words)));
    assert_string_equal(words + 255, "...");
}

static bool settings_from(const char *text, const char *uri, struct arena *a,
                          struct rest_settings *out)
{
    struct catalog_config config = {.uri = uri};
    struct error err = {0};
    json_t *answer = rest_answer_parse(str_from(text));
    assert_true(rest_settings_initial(&config, a, out, &err));
    bool done = rest_settings_read(answer, &config, a, out, &err);
    json_decref(answer);
    return done;
}

static void only_the_same_server_may_name_another_address(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *uri;
    } cases[] = {
        {"{\"overrides\":{\"uri\":\"http://Host:81/x/\"}}", "http://Host:81/x"},
        {"{\"overrides\":{\"uri\":\"http://Host:81\"}}", "http://Host:81"},
        {"{\"defaults\":{\"uri\":\"http://host:81/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"https://host:81/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"http://host:82/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"http://host:8/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"http://host:81.evil.test/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"http://host:81@evil.test/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"/x\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":\"http://host:81/x?y\"}}", "http://host:81/catalog"},
        {"{\"overrides\":{\"uri\":null}}", "http://host:81/catalog"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct rest_settings settings;
        assert_true(settings_from(cases[i].answer, "http://host:81/catalog//", &arena, &settings));
        assert_string_equal(settings.uri, cases[i].uri);
        arena_release(&arena);
    }
}

static void separators_are_known_encoded_and_decoded(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct rest_settings settings;
    assert_true(settings_from("{}", "http://h", &arena, &settings));
    assert_string_equal(settings.separator, "%1F");
    assert_string_equal(settings.separator_text, "\x1F");
    assert_true(settings_from("{\"defaults\":{\"namespace-separator\":\"%2e\"}}", "http://h",
                              &arena, &settings));
    assert_string_equal(settings.separator, "%2e");
    assert_string_equal(settings.separator_text, ".");
    static const char *const wrong[] = {"", "%", "%0", "%00", "%zz", "a b", "/", "\\u00e9"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[96];
        (void)snprintf(text, sizeof(text), "{\"overrides\":{\"namespace-separator\":\"%s\"}}",
                       wrong[i]);
        assert_false(settings_from(text, "http://h", &arena, &settings));
    }
    arena_release(&arena);
}

static void tokens_have_a_lifetime_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t lifetime_ms;
    } cases[] = {
        {"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":60}", 60000},
        {"{\"access_token\":\"t\"}", -1},
        {"{\"access_token\":\"t\",\"expires_in\":null}", -1},
        {"{\"access_token\":\"t\",\"expires_in\":\"60\"}", -1},
        {"{\"access_token\":\"t\",\"expires_in\":-5}", 0},
        {"{\"access_token\":\"t\",\"expires_in\":9223372036854775807}", 31622400000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rest_token token = {0};
        struct error err = {0};
        assert_true(rest_token_read(str_from(cases[i].body), &token, &err));
        assert_string_equal(token.text, "t");
        assert_int_equal(token.lifetime_ms, cases[i].lifetime_ms);
        free(token.text);
    }
    static const char *const wrong[] = {"",
                                        "{}",
                                        "[]",
                                        "{\"access_token\":\"\"}",
                                        "{\"access_token\":7}",
                                        "{\"access_token\":\"t\",\"token_type\":\"mac\"}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rest_token token = {0};
        struct error err = {0};
        assert_false(rest_token_read(str_from(wrong[i]), &token, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_null(token.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_shown_on_one_line),
        cmocka_unit_test(long_errors_are_cut_between_characters),
        cmocka_unit_test(only_the_same_server_may_name_another_address),
        cmocka_unit_test(separators_are_known_encoded_and_decoded),
        cmocka_unit_test(tokens_have_a_lifetime_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
