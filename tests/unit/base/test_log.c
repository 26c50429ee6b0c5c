#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "test.h"

/* What one call writes to standard error. */
static char *captured(void (*write_log)(void))
{
    static char text[4096];
    int pipes[2];
    (void)fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    (void)dup2(pipes[1], STDERR_FILENO);
    write_log();
    (void)fflush(stderr);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    (void)close(pipes[1]);
    ssize_t size = read(pipes[0], text, sizeof(text) - 1);
    (void)close(pipes[0]);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void write_fields(void)
{
    log_info("delta commit", log_str("table", "a \"b\"\n"), log_i64("delta", -5),
             log_u64("rows", INT64_MAX), log_f64("share", 0.25));
}

static void write_bad_text(void)
{
    log_info("server said", log_str("error", "a\xFF\x1B[1m"));
}

static void write_nothing_important(void)
{
    log_debug("detail");
}

static void json_lines_are_json(void **state)
{
    (void)state;
    int64_t now_us = 1700000000123456;
    clock_fake(&now_us);
    log_configure(LOG_LEVEL_INFO, true);
    char *line = captured(write_fields);
    clock_fake(NULL);
    json_t *json = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "ts")), "2023-11-14T22:13:20.123Z");
    assert_string_equal(json_string_value(json_object_get(json, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(json, "event")), "delta commit");
    assert_string_equal(json_string_value(json_object_get(json, "table")), "a \"b\"\n");
    assert_int_equal(json_integer_value(json_object_get(json, "delta")), -5);
    json_decref(json);
    assert_non_null(strstr(line, "\"rows\":9223372036854775807"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void text_lines_quote_what_has_spaces(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_INFO, false);
    const char *line = captured(write_fields);
    assert_non_null(strstr(line, " info  delta commit table=\"a \\\"b\\\"\\u000a\" delta=-5 "));
}

static void bad_bytes_and_control_characters_do_not_get_through(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        log_configure(LOG_LEVEL_INFO, json);
        assert_non_null(strstr(captured(write_bad_text), "\"a\\ufffd\\u001b[1m\""));
    }
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_INFO, false);
    assert_string_equal(captured(write_nothing_important), "");
    log_configure(LOG_LEVEL_DEBUG, false);
    assert_non_null(strstr(captured(write_nothing_important), "detail"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(text_lines_quote_what_has_spaces),
        cmocka_unit_test(bad_bytes_and_control_characters_do_not_get_through),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
