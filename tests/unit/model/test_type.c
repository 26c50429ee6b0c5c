#include <string.h>

#include "model/type.h"
#include "test.h"

static const struct type all[] = {
    {.kind = TYPE_BOOL},        {.kind = TYPE_INT16},   {.kind = TYPE_INT32},
    {.kind = TYPE_INT64},       {.kind = TYPE_FLOAT32}, {.kind = TYPE_FLOAT64},
    {TYPE_DECIMAL, 4, 2},       {TYPE_DECIMAL, 9, 0},   {TYPE_DECIMAL, 18, 18},
    {TYPE_DECIMAL, 38, 10},     {.kind = TYPE_STRING},  {.kind = TYPE_BINARY},
    {.kind = TYPE_DATE},        {.kind = TYPE_TIME},    {.kind = TYPE_TIMESTAMP},
    {.kind = TYPE_TIMESTAMPTZ}, {.kind = TYPE_UUID},    {.kind = TYPE_JSON},
};
enum { ALL = sizeof(all) / sizeof(all[0]) };

static void the_text_of_every_type_parses_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        struct error err = {0};
        struct buf text = {0};
        struct type back = {0};
        type_format(all[i], &text);
        assert_true(type_parse(buf_str(&text), &back, &err));
        assert_true(type_equal(all[i], back));
        buf_release(&text);
    }
}

static void unknown_and_impossible_types_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "int",
        "INT32",
        "int32 ",
        " int32",
        "decimal",
        "decimal(0,0)",
        "decimal(39,0)",
        "decimal(5,6)",
        "decimal(10,2",
        "decimal(10)",
        "decimal(10,2)x",
        "decimal(-1,0)",
        "decimal(100,2)",
        "a name that is much longer than any type has",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err = {0};
        struct type out = {.kind = TYPE_JSON};
        assert_false(type_parse(str_from(bad[i]), &out, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        assert_non_null(strstr(err.message, bad[i]));
        assert_int_equal(out.kind, TYPE_JSON);
    }
}

static void widths_are_the_engine_s(void **state)
{
    (void)state;
    const size_t widths[ALL] = {1, 2, 4, 8, 4, 8, 2, 4, 8, 16, 16, 16, 4, 8, 8, 8, 16, 16};
    for (size_t i = 0; i < ALL; i++) {
        assert_int_equal(type_width(all[i]), widths[i]);
    }
}

static bool widens(const char *from, const char *to)
{
    struct error err = {0};
    struct type a = {0};
    struct type b = {0};
    assert_true(type_parse(str_from(from), &a, &err));
    assert_true(type_parse(str_from(to), &b, &err));
    return type_widens(a, b);
}

static void only_types_that_hold_every_value_are_wider(void **state)
{
    (void)state;
    assert_true(widens("int16", "int32"));
    assert_true(widens("int16", "int64"));
    assert_true(widens("int32", "int64"));
    assert_true(widens("float32", "float64"));
    assert_true(widens("decimal(10,2)", "decimal(12,2)"));
    assert_true(widens("decimal(10,2)", "decimal(12,4)"));
    assert_true(widens("string", "string"));

    assert_false(widens("int64", "int32"));
    assert_false(widens("int32", "float64"));
    assert_false(widens("float64", "float32"));
    assert_false(widens("decimal(10,2)", "decimal(10,4)")); /* fewer digits before the point */
    assert_false(widens("decimal(10,2)", "decimal(12,1)")); /* fewer after it */
    assert_false(widens("decimal(10,2)", "decimal(9,2)"));
    assert_false(widens("timestamp", "timestamptz"));
    assert_false(widens("json", "string"));
}

static void short_views_are_inlined_with_zeroes_behind(void **state)
{
    (void)state;
    char text[] = "abcdefghijklmnop";
    for (size_t size = 0; size <= 16; size++) {
        struct view v = view_from(text, size);
        assert_int_equal(v.size, size);
        assert_true(str_equal(view_str(&v), (struct str){text, size}));
        if (size <= VIEW_INLINE_MAX) {
            char expected[12] = {0};
            memcpy(expected, text, size);
            assert_memory_equal((const char *)&v + 4, expected, 12);
        } else {
            assert_ptr_equal(v.data, text);
            assert_memory_equal(v.inlined, text, 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_of_every_type_parses_back),
        cmocka_unit_test(unknown_and_impossible_types_are_refused_by_name),
        cmocka_unit_test(widths_are_the_engine_s),
        cmocka_unit_test(only_types_that_hold_every_value_are_wider),
        cmocka_unit_test(short_views_are_inlined_with_zeroes_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
