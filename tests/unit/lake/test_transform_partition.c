#include <stdio.h>

#include "base/hash.h"
#include "lake/transform.h"
#include "test.h"

static const struct type decimal_4_2 = {TYPE_DECIMAL, 4, 2};

static char *transformed(const char *transform, struct type type, void *value, struct arena *a)
{
    struct error err = {0};
    struct column c = {.type = type, .values = value};
    const char *text = NULL;
    if (!lake_transform_text(lake_transform_parse(transform), &c, 0, a, &text, &err)) {
        fail_msg("%s", err.message);
    }
    return (char *)(uintptr_t)text;
}

static void assert_transformed(const char *transform, struct type type, void *value,
                               const char *expected)
{
    struct arena a = {0};
    assert_string_equal(transformed(transform, type, value, &a), expected);
    arena_release(&a);
}

static void assert_refused(const char *transform, struct type type, void *value)
{
    struct arena a = {0};
    struct error err = {0};
    struct column c = {.type = type, .values = value};
    const char *text = NULL;
    assert_false(lake_transform_text(lake_transform_parse(transform), &c, 0, &a, &text, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_null(text);
    arena_release(&a);
}

#define assert_value(transform, kind_, ctype, value, expected) \
    assert_transformed(transform, (struct type){.kind = (kind_)}, &(ctype){value}, expected)

static void assert_text(const char *transform, const char *value, const char *expected)
{
    struct view view = view_from(value, strlen(value));
    assert_transformed(transform, (struct type){.kind = TYPE_STRING}, &view, expected);
}

/* With as many buckets as there can be, the bucket is the hash without its sign bit. */
static void assert_hash(struct type type, void *value, int32_t hash)
{
    char expected[16];
    (void)snprintf(expected, sizeof(expected), "%d", (hash & INT32_MAX) % INT32_MAX);
    assert_transformed("bucket[2147483647]", type, value, expected);
}

#define assert_hash_of(kind_, ctype, value, hash) \
    assert_hash((struct type){.kind = (kind_)}, &(ctype){value}, hash)

static void hashes_are_those_of_the_specification(void **state)
{
    (void)state;
    assert_hash_of(TYPE_INT16, int16_t, 34, 2017239379);
    assert_hash_of(TYPE_INT32, int32_t, 34, 2017239379);
    assert_hash_of(TYPE_INT64, int64_t, 34, 2017239379);
    assert_hash(decimal_4_2, &(int16_t){1420}, -500754589);
    assert_hash((struct type){TYPE_DECIMAL, 38, 2}, &(__int128){1420}, -500754589);
    assert_hash_of(TYPE_DATE, int32_t, 17486, -653330422);
    assert_hash_of(TYPE_TIME, int64_t, INT64_C(81068000000), -662762989);
    assert_hash_of(TYPE_TIMESTAMP, int64_t, INT64_C(1510871468000000), -2047944441);
    assert_hash_of(TYPE_TIMESTAMPTZ, int64_t, INT64_C(1510871468000000), -2047944441);
    assert_hash_of(TYPE_TIMESTAMPTZ, int64_t, INT64_C(1510871468000001), -1207196810);
    struct view text = view_from("iceberg", 7);
    assert_hash((struct type){.kind = TYPE_STRING}, &text, 1210000089);
    struct view bytes = view_from("\0\1\2\3", 4);
    assert_hash((struct type){.kind = TYPE_BINARY}, &bytes, -188683207);
    struct uuid u = {{0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c,
                      0xb7, 0x85, 0xe7}};
    assert_hash((struct type){.kind = TYPE_UUID}, &u, 1488055340);
}

static void the_hash_takes_every_length_of_tail(void **state)
{
    (void)state;
    /* as the Python package mmh3 says. */
    assert_int_equal(hash_murmur3("", 0), 0);
    assert_int_equal(hash_murmur3("a", 1), 0x3c2569b2);
    assert_int_equal(hash_murmur3("aa", 2), 0x371091a9);
    assert_int_equal(hash_murmur3("aaa", 3), 0xb4d05fb7);
    assert_int_equal(hash_murmur3("aaaa", 4), 0x7eeed987);
    assert_int_equal(hash_murmur3("The quick brown fox jumps over the lazy dog", 43), 0x2e4ff723);
}

static void an_unscaled_value_is_hashed_in_its_shortest_form(void **state)
{
    (void)state;
    struct arena a = {0};
    static const struct {
        int64_t value;
        size_t size;
        const char *bytes;
    } cases[] = {
        {0, 1, "\x00"},          {127, 1, "\x7f"},           {128, 2, "\x00\x80"},
        {-1, 1, "\xff"},         {-128, 1, "\x80"},          {-129, 2, "\xff\x7f"},
        {255, 2, "\x00\xff"},    {256, 2, "\x01\x00"},       {32767, 2, "\x7f\xff"},
        {-32768, 2, "\x80\x00"}, {32768, 3, "\x00\x80\x00"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_hash((struct type){TYPE_DECIMAL, 18, 0}, &(int64_t){cases[i].value},
                    (int32_t)hash_murmur3(cases[i].bytes, cases[i].size));
    }
    __int128 most = -((__int128)1 << 126);
    uint8_t bytes[16] = {0xC0};
    assert_hash((struct type){TYPE_DECIMAL, 38, 0}, &most,
                (int32_t)hash_murmur3(bytes, sizeof(bytes)));
    arena_release(&a);
}

static void buckets_are_counted_from_zero(void **state)
{
    (void)state;
    assert_value("bucket[16]", TYPE_INT64, int64_t, 34, "3"); /* 2017239379 % 16 */
    assert_value("bucket[1]", TYPE_INT32, int32_t, -5, "0");
}

static void truncation_floors_numbers_and_counts_code_points(void **state)
{
    (void)state;
    assert_value("truncate[10]", TYPE_INT32, int32_t, 1, "0");
    assert_value("truncate[10]", TYPE_INT32, int32_t, -1, "-10");
    assert_value("truncate[10]", TYPE_INT16, int16_t, -32768, "-32770");
    assert_value("truncate[10]", TYPE_INT64, int64_t, INT64_MAX, "9223372036854775800");
    assert_transformed("truncate[50]", decimal_4_2, &(int16_t){1065}, "10.50");
    assert_transformed("truncate[10]", decimal_4_2, &(int16_t){-5}, "-0.10");
    assert_text("truncate[3]", "iceberg", "ice");
    assert_text("truncate[2]", "\xc3\xa4\xf0\x9f\x98\x80z", "\xc3\xa4\xf0\x9f\x98\x80");
    assert_text("truncate[9]", "iceberg", "iceberg");
    assert_text("truncate[9]", "", "");
}

static void truncation_never_leaves_the_type(void **state)
{
    (void)state;
    assert_refused("truncate[10]", (struct type){.kind = TYPE_INT32}, &(int32_t){INT32_MIN});
    assert_refused("truncate[10]", (struct type){.kind = TYPE_INT64}, &(int64_t){INT64_MIN});
    assert_refused("truncate[10]", decimal_4_2, &(int16_t){-9999});
    __int128 least = 1 - (__int128)10000000000000000000U * 10000000000000000000U;
    assert_refused("truncate[10]", (struct type){TYPE_DECIMAL, 38, 0}, &least);
}

static void times_floor_towards_the_past(void **state)
{
    (void)state;
    assert_value("year", TYPE_DATE, int32_t, 0, "0");
    assert_value("year", TYPE_DATE, int32_t, -1, "-1");
    assert_value("month", TYPE_DATE, int32_t, -1, "-1");
    assert_value("day", TYPE_DATE, int32_t, -1, "1969-12-31");
    assert_value("year", TYPE_DATE, int32_t, 17486, "47"); /* 2017-11-16 */
    assert_value("month", TYPE_DATE, int32_t, 17486, "574");
    assert_value("month", TYPE_DATE, int32_t, 11015, "361"); /* 2000-02-28 */
    assert_value("month", TYPE_DATE, int32_t, 11016, "361"); /* 2000-02-29 */
    assert_value("month", TYPE_DATE, int32_t, 11017, "362"); /* 2000-03-01 */
    assert_value("year", TYPE_DATE, int32_t, 10957, "30");   /* 2000-01-01 */
    assert_value("year", TYPE_DATE, int32_t, 10956, "29");   /* 1999-12-31 */
    assert_value("year", TYPE_DATE, int32_t, -719162, "-1969");
    assert_value("month", TYPE_DATE, int32_t, 2932896, "96359");
    assert_value("year", TYPE_TIMESTAMP, int64_t, -1, "-1");
    assert_value("month", TYPE_TIMESTAMPTZ, int64_t, -1, "-1");
    assert_value("day", TYPE_TIMESTAMP, int64_t, -1, "1969-12-31");
    assert_value("day", TYPE_TIMESTAMPTZ, int64_t, INT64_C(1510871468000001), "2017-11-16");
    assert_value("hour", TYPE_TIMESTAMP, int64_t, -1, "-1");
    assert_value("hour", TYPE_TIMESTAMP, int64_t, INT64_C(-3600000001), "-2");
    assert_value("hour", TYPE_TIMESTAMPTZ, int64_t, INT64_C(1510871468000001), "419686");
}

static void times_that_no_reader_knows_are_refused(void **state)
{
    (void)state;
    assert_refused("day", (struct type){.kind = TYPE_DATE}, &(int32_t){INT32_MAX}); /* infinity */
    assert_refused("year", (struct type){.kind = TYPE_DATE}, &(int32_t){INT32_MIN});
    assert_refused("hour", (struct type){.kind = TYPE_TIMESTAMP}, &(int64_t){INT64_MAX});
    assert_refused("month", (struct type){.kind = TYPE_TIMESTAMPTZ}, &(int64_t){INT64_MIN});
}

static void types_that_a_transform_does_not_take_are_refused(void **state)
{
    (void)state;
    struct view bytes = view_from("x", 1);
    assert_refused("truncate[1]", (struct type){.kind = TYPE_BINARY}, &bytes);
    assert_refused("identity", (struct type){.kind = TYPE_BINARY}, &bytes);
    assert_refused("bucket[2]", (struct type){.kind = TYPE_BOOL}, &(uint8_t){1});
    assert_refused("bucket[2]", (struct type){.kind = TYPE_FLOAT64}, &(double){1});
    assert_refused("hour", (struct type){.kind = TYPE_DATE}, &(int32_t){1});
    assert_refused("day", (struct type){.kind = TYPE_INT32}, &(int32_t){1});
    assert_refused("zorder", (struct type){.kind = TYPE_INT32}, &(int32_t){1});
    struct view nul = view_from("a\0b", 3);
    assert_refused("truncate[2]", (struct type){.kind = TYPE_STRING}, &nul);
}

static void null_stays_null_and_void_is_null(void **state)
{
    (void)state;
    struct arena a = {0};
    uint64_t valid = 0;
    struct column c = {.type = {.kind = TYPE_DATE}, .valid = &valid, .values = &(int32_t){0}};
    static const char *const transforms[] = {"identity", "bucket[4]", "year", "day", "void"};
    for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
        struct error err = {0};
        const char *text = "";
        struct lake_transform t = lake_transform_parse(transforms[i]);
        assert_true(lake_transform_text(t, &c, 0, &a, &text, &err));
        assert_null(text);
    }
    assert_null(transformed("void", (struct type){.kind = TYPE_INT32}, &(int32_t){7}, &a));
    arena_release(&a);
}

static void texts_of_transforms_read_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"identity",     "bucket[16]", "bucket[2147483647]",
                                        "truncate[10]", "year",       "month",
                                        "day",          "hour",       "void"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct buf out = {0};
        lake_transform_format(lake_transform_parse(texts[i]), &out);
        assert_string_equal(buf_text(&out), texts[i]);
        buf_release(&out);
    }
}

static void other_transforms_are_unknown(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "bucket",
                                        "bucket[]",
                                        "bucket[0]",
                                        "bucket[-1]",
                                        "bucket[1",
                                        "bucket[1]x",
                                        "bucket[ 1]",
                                        "days",
                                        "identity[1]",
                                        "truncate[2147483648]",
                                        "bucket[99999999999999999999999]",
                                        "zorder"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(lake_transform_parse(texts[i]).kind, LAKE_UNKNOWN);
    }
}

static void results_have_the_types_of_the_specification(void **state)
{
    (void)state;
    struct type out;
    struct type source = {.kind = TYPE_TIMESTAMP};
    assert_true(lake_transform_result(lake_transform_parse("day"), source, &out));
    assert_int_equal(out.kind, TYPE_DATE);
    assert_true(lake_transform_result(lake_transform_parse("hour"), source, &out));
    assert_int_equal(out.kind, TYPE_INT32);
    assert_true(lake_transform_result(lake_transform_parse("bucket[3]"), source, &out));
    assert_int_equal(out.kind, TYPE_INT32);
    assert_true(lake_transform_result(lake_transform_parse("truncate[3]"), decimal_4_2, &out));
    assert_true(type_equal(out, decimal_4_2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_specification),
        cmocka_unit_test(the_hash_takes_every_length_of_tail),
        cmocka_unit_test(an_unscaled_value_is_hashed_in_its_shortest_form),
        cmocka_unit_test(buckets_are_counted_from_zero),
        cmocka_unit_test(truncation_floors_numbers_and_counts_code_points),
        cmocka_unit_test(truncation_never_leaves_the_type),
        cmocka_unit_test(times_floor_towards_the_past),
        cmocka_unit_test(times_that_no_reader_knows_are_refused),
        cmocka_unit_test(types_that_a_transform_does_not_take_are_refused),
        cmocka_unit_test(null_stays_null_and_void_is_null),
        cmocka_unit_test(texts_of_transforms_read_back),
        cmocka_unit_test(other_transforms_are_unknown),
        cmocka_unit_test(results_have_the_types_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
