#include "lake/lake.h"
#include "test.h"

static void assert_partition(struct type type, void *values, const char *expected)
{
    struct arena a = {0};
    struct error err = {0};
    struct column c = {.type = type, .values = values};
    const char *text = NULL;
    assert_true(lake_partition_text(&c, 0, &a, &text, &err));
    assert_string_equal(text, expected);
    arena_release(&a);
}

#define assert_text(kind_, ctype, value, expected) \
    assert_partition((struct type){.kind = (kind_)}, &(ctype){value}, expected)

static void values_have_the_texts_of_the_protocol(void **state)
{
    (void)state;
    assert_text(TYPE_BOOL, uint8_t, 1, "true");
    assert_text(TYPE_INT16, int16_t, -7, "-7");
    assert_text(TYPE_INT32, int32_t, INT32_MIN, "-2147483648");
    assert_text(TYPE_INT64, int64_t, INT64_MAX, "9223372036854775807");
    assert_text(TYPE_DATE, int32_t, 0, "1970-01-01");
    assert_text(TYPE_DATE, int32_t, 11016, "2000-02-29");
    assert_text(TYPE_DATE, int32_t, -719162, "0001-01-01");
    assert_text(TYPE_DATE, int32_t, 2932896, "9999-12-31");
    assert_text(TYPE_TIMESTAMPTZ, int64_t, -1, "1969-12-31T23:59:59.999999Z");
    assert_text(TYPE_TIMESTAMP, int64_t, 123456, "1970-01-01T00:00:00.123456");
    struct view view = view_from("a/b =%", 6);
    assert_partition((struct type){.kind = TYPE_STRING}, &view, "a/b =%");
    struct uuid u = {{0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c,
                      0xb7, 0x85, 0xe7}};
    assert_partition((struct type){.kind = TYPE_UUID}, &u, "f79c3e09-677c-4bbd-a479-3f349cb785e7");
}

static void decimals_keep_all_digits(void **state)
{
    (void)state;
    assert_partition((struct type){TYPE_DECIMAL, 4, 2}, &(int16_t){-5}, "-0.05");
    assert_partition((struct type){TYPE_DECIMAL, 9, 0}, &(int32_t){0}, "0");
    assert_partition((struct type){TYPE_DECIMAL, 18, 18}, &(int64_t){1}, "0.000000000000000001");
    __int128 most = (__int128)9999999999999999999u * 10000000000000000000u + 9999999999999999999u;
    assert_partition((struct type){TYPE_DECIMAL, 38, 10}, &most,
                     "9999999999999999999999999999.9999999999");
    most = -most;
    assert_partition((struct type){TYPE_DECIMAL, 38, 38}, &most,
                     "-0.99999999999999999999999999999999999999");
}

static void null_has_no_text(void **state)
{
    (void)state;
    struct arena a = {0};
    struct error err = {0};
    uint64_t valid = 0;
    struct column c = {.type = {.kind = TYPE_INT32}, .valid = &valid, .values = &(int32_t){0}};
    const char *text = "";
    assert_true(lake_partition_text(&c, 0, &a, &text, &err));
    assert_null(text);
    arena_release(&a);
}

static void assert_refused(enum type_kind kind, void *values)
{
    struct arena a = {0};
    struct error err = {0};
    struct column c = {.type = {.kind = kind}, .values = values};
    const char *text = NULL;
    assert_false(lake_partition_text(&c, 0, &a, &text, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    arena_release(&a);
}

static void what_would_come_back_as_something_else_is_refused(void **state)
{
    (void)state;
    assert_refused(TYPE_STRING, &(struct view){0}); /* "" is read as null */
    assert_refused(TYPE_FLOAT64, &(double){1});
    assert_refused(TYPE_FLOAT32, &(float){1});
    assert_refused(TYPE_BINARY, &(struct view){0});
    assert_refused(TYPE_DATE, &(int32_t){2932897});
    assert_refused(TYPE_DATE, &(int32_t){INT32_MIN});
    assert_refused(TYPE_TIMESTAMPTZ, &(int64_t){INT64_MAX});
    assert_refused(TYPE_TIMESTAMP, &(int64_t){INT64_MIN});
}

static void paths_are_hive_style_unique_and_need_no_encoding(void **state)
{
    (void)state;
    struct arena a = {0};
    static const struct lake_partition_field fields[] = {{.name = "a b"}, {.name = "day"}};
    static const char *const values[] = {"x/y", NULL};
    char *one = lake_data_path(&a, "data/", fields, 2, values);
    char *two = lake_data_path(&a, "data/", fields, 2, values);
    static const char expected[] = "data/a_b=x_y/day=__HIVE_DEFAULT_PARTITION__/part-";
    assert_memory_equal(one, expected, sizeof(expected) - 1);
    assert_string_not_equal(one, two);

    char *change = lake_change_path(&a, fields, 0, NULL);
    assert_memory_equal(change, "_change_data/cdc-", 17);
    arena_release(&a);
}

static void long_values_do_not_make_long_names(void **state)
{
    (void)state;
    struct arena a = {0};
    char value[2000];
    memset(value, 0xC3, sizeof(value));
    value[sizeof(value) - 1] = '\0';
    const char *values = value;
    char *path = lake_data_path(&a, "", &(struct lake_partition_field){.name = "k"}, 1, &values);
    assert_true(strchr(path, '/') - path < 200);
    arena_release(&a);
}

static void assert_parsed(const char *text, enum lake_transform_kind kind, uint32_t parameter,
                          const char *name)
{
    struct arena a = {0};
    struct error err = {0};
    struct lake_transform transform;
    const char *column = NULL;
    assert_true(lake_partition_parse(text, &a, &transform, &column, &err));
    assert_int_equal(transform.kind, kind);
    assert_int_equal(transform.parameter, parameter);
    assert_string_equal(lake_partition_name(transform, column, &a), name);
    arena_release(&a);
}

static void partitions_are_columns_or_transforms_of_them(void **state)
{
    (void)state;
    assert_parsed("country", LAKE_IDENTITY, 0, "country");
    assert_parsed("identity(country)", LAKE_IDENTITY, 0, "country");
    assert_parsed("day(created_at)", LAKE_DAY, 0, "created_at_day");
    assert_parsed("bucket(16, id)", LAKE_BUCKET, 16, "id_bucket");
    assert_parsed(" truncate ( 4 ,code ) ", LAKE_IDENTITY, 0, " truncate ( 4 ,code ) ");
    assert_parsed("truncate( 4 ,code )", LAKE_TRUNCATE, 4, "code_trunc");
}

static void partitions_that_say_nothing_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"bucket(id)",    "bucket(0, id)", "bucket(16 id)",
                                        "bucket(1x, i)", "day()",         "week(created_at)"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arena a = {0};
        struct error err = {0};
        struct lake_transform transform;
        const char *column = NULL;
        assert_false(lake_partition_parse(texts[i], &a, &transform, &column, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_the_texts_of_the_protocol),
        cmocka_unit_test(decimals_keep_all_digits),
        cmocka_unit_test(null_has_no_text),
        cmocka_unit_test(what_would_come_back_as_something_else_is_refused),
        cmocka_unit_test(paths_are_hive_style_unique_and_need_no_encoding),
        cmocka_unit_test(long_values_do_not_make_long_names),
        cmocka_unit_test(partitions_are_columns_or_transforms_of_them),
        cmocka_unit_test(partitions_that_say_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
