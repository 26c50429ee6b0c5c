#include <string.h>

#include "iceberg/constant.h"
#include "test.h"

static bool read_default(struct type type, const char *json, struct arena *a, const char **out,
                         struct error *err)
{
    struct iceberg_field field = {.name = "c", .type = type, .initial_default = json};
    return iceberg_default_text(&field, a, out, err);
}

static void assert_default(enum type_kind kind, const char *json, const char *expected)
{
    struct arena a = {0};
    struct error err = {0};
    const char *text = NULL;
    bool ok = read_default((struct type){.kind = kind}, json, &a, &text, &err);
    if (expected) {
        assert_true(ok);
        assert_string_equal(text, expected);
    } else {
        assert_false(ok);
        assert_int_equal(err.kind, ERROR_DATA);
        assert_non_null(strstr(err.message, "\"c\""));
    }
    arena_release(&a);
}

static void test_defaults_are_read_in_the_form_of_their_type(void **state)
{
    (void)state;
    assert_default(TYPE_BOOL, "true", "true");
    assert_default(TYPE_INT32, "-7", "-7");
    assert_default(TYPE_INT64, "-9223372036854775808", "-9223372036854775808");
    assert_default(TYPE_FLOAT64, "0.5", "0.5");
    assert_default(TYPE_FLOAT32, "2", "2");
    assert_default(TYPE_STRING, "\"a 'b' \\u00fc\"", "a 'b' ü");
    assert_default(TYPE_DATE, "\"2017-11-16\"", "2017-11-16");
    assert_default(TYPE_BINARY, "\"00ff\"", "\\x00\\xff");
    assert_default(TYPE_BINARY, "\"\"", "");
}

static void test_a_default_of_another_type_is_refused(void **state)
{
    (void)state;
    assert_default(TYPE_BOOL, "1", NULL);
    assert_default(TYPE_INT32, "\"7\"", NULL);
    assert_default(TYPE_INT32, "7.5", NULL);
    assert_default(TYPE_STRING, "7", NULL);
    assert_default(TYPE_DATE, "17000", NULL);
    assert_default(TYPE_BINARY, "\"0\"", NULL);
    assert_default(TYPE_BINARY, "\"zz\"", NULL);
    assert_default(TYPE_STRING, "{}", NULL);
}

static void test_no_default_is_null(void **state)
{
    (void)state;
    struct arena a = {0};
    struct error err = {0};
    const char *text = "";
    assert_true(read_default((struct type){.kind = TYPE_INT32}, NULL, &a, &text, &err));
    assert_null(text);
    arena_release(&a);
}

static void test_defaults_of_nested_types_are_refused_by_name(void **state)
{
    (void)state;
    struct arena a = {0};
    struct error err = {0};
    const char *text = NULL;
    struct iceberg_field field = {
        .name = "c", .type = {.kind = TYPE_JSON}, .is_nested = true, .initial_default = "{}"};
    assert_false(iceberg_default_text(&field, &a, &text, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "\"c\""));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_read_in_the_form_of_their_type),
        cmocka_unit_test(test_a_default_of_another_type_is_refused),
        cmocka_unit_test(test_no_default_is_null),
        cmocka_unit_test(test_defaults_of_nested_types_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
