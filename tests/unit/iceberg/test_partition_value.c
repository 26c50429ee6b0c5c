/* Partition values: what Avro has, what Appendix D has, and their order. */
#include <math.h>
#include <stdlib.h>

#include "iceberg/partition_value.h"
#include "test.h"

static const struct partition_type int32_type = {.type = {TYPE_INT32, 0, 0}};
static const struct partition_type int64_type = {.type = {TYPE_INT64, 0, 0}};
static const struct partition_type float64_type = {.type = {TYPE_FLOAT64, 0, 0}};
static const struct partition_type decimal_type = {.type = {TYPE_DECIMAL, 9, 2}};
static const struct partition_type uuid_type = {.type = {TYPE_UUID, 0, 0}};
static const struct partition_type text_type = {.type = {TYPE_STRING, 0, 0}};

#define BYTES(text) ((struct str){text, sizeof(text) - 1})

static void decodes(struct partition_type t, struct avro_value v, struct str expected)
{
    struct arena a = {0};
    struct error err = {0};
    struct str out = {0};
    bool ok = partition_value_decode(t, &v, &a, &out, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.data, expected.data, out.size);
    arena_release(&a);
}

static void does_not_decode(struct partition_type t, struct avro_value v)
{
    struct arena a = {0};
    struct error err = {0};
    struct str out = {0};
    assert_false(partition_value_decode(t, &v, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    arena_release(&a);
}

static struct avro_value integer(int64_t v)
{
    return (struct avro_value){.kind = AVRO_LONG, .integer = v};
}

static struct avro_value bytes(struct str v)
{
    return (struct avro_value){.kind = AVRO_BYTES, .bytes = v};
}

static void integers_get_the_width_of_the_type_of_today(void **state)
{
    (void)state;
    decodes(int32_type, integer(-2), BYTES("\xfe\xff\xff\xff"));
    decodes(int64_type, integer(-2), BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff"));
    decodes(int32_type, integer(INT32_MIN), BYTES("\x00\x00\x00\x80"));
    does_not_decode(int32_type, integer((int64_t)INT32_MAX + 1));
    does_not_decode(int32_type, integer(INT64_MIN));
    does_not_decode(int32_type, bytes(BYTES("1")));
    does_not_decode(text_type, integer(1));
}

static void floats_widen_and_doubles_do_not_narrow(void **state)
{
    (void)state;
    struct avro_value single = {.kind = AVRO_FLOAT, .number32 = 1.5F};
    struct avro_value number = {.kind = AVRO_DOUBLE, .number = 1.5};
    decodes(float64_type, single, BYTES("\x00\x00\x00\x00\x00\x00\xf8\x3f"));
    decodes(float64_type, number, BYTES("\x00\x00\x00\x00\x00\x00\xf8\x3f"));
    does_not_decode((struct partition_type){.type = {TYPE_FLOAT32, 0, 0}}, number);
}

static void decimals_are_as_short_as_they_can_be(void **state)
{
    (void)state;
    decodes(decimal_type, bytes(BYTES("\x00\x00\x05\x8c")), BYTES("\x05\x8c"));
    decodes(decimal_type, bytes(BYTES("\x00\x00\x00\x8c")), BYTES("\x00\x8c"));
    decodes(decimal_type, bytes(BYTES("\xff\xff\xff\x8c")), BYTES("\x8c"));
    decodes(decimal_type, bytes(BYTES("\xff\xff\xff\x7c")), BYTES("\xff\x7c"));
    decodes(decimal_type, bytes(BYTES("\x00\x00\x00\x00")), BYTES("\x00"));
    decodes(decimal_type, bytes(BYTES("\xff\xff\xff\xff")), BYTES("\xff"));
    does_not_decode(decimal_type, bytes(BYTES("")));
}

static void uuids_have_sixteen_bytes(void **state)
{
    (void)state;
    decodes(uuid_type, bytes(BYTES("0123456789abcdef")), BYTES("0123456789abcdef"));
    does_not_decode(uuid_type, bytes(BYTES("0123456789abcde")));
}

static void unknown_transforms_have_the_values_that_avro_says(void **state)
{
    (void)state;
    struct partition_type t = {.type = {TYPE_BOOL, 0, 0}, .is_unknown = true};
    decodes(t, integer(1), BYTES("\x01\x00\x00\x00\x00\x00\x00\x00"));
    decodes(t, bytes(BYTES("x")), BYTES("x"));
    decodes(t, (struct avro_value){.kind = AVRO_BOOLEAN, .boolean = true}, BYTES("\x01"));
    does_not_decode(t, (struct avro_value){.kind = AVRO_ARRAY});
}

static void encodes(struct partition_type t, struct str value, struct str expected)
{
    struct error err = {0};
    struct buf out = {0};
    bool ok = partition_value_encode(t, value, &out, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.data, expected.data, out.size);
    buf_release(&out);
}

static void does_not_encode(struct partition_type t, struct str value)
{
    struct error err = {0};
    struct buf out = {0};
    assert_false(partition_value_encode(t, value, &out, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    buf_release(&out);
}

static void values_are_written_as_the_schema_says(void **state)
{
    (void)state;
    encodes(int64_type, BYTES("\x01\x00\x00\x00"), BYTES("\x02")); /* an int of earlier */
    encodes(int64_type, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), BYTES("\x01"));
    encodes(float64_type, BYTES("\x00\x00\xc0\x3f"), BYTES("\x00\x00\x00\x00\x00\x00\xf8\x3f"));
    encodes(decimal_type, BYTES("\x05\x8c"), BYTES("\x00\x00\x05\x8c"));
    encodes(decimal_type, BYTES("\x8c"), BYTES("\xff\xff\xff\x8c"));
    encodes(text_type, BYTES(""), BYTES("\x00"));
    encodes((struct partition_type){.type = {TYPE_BINARY, 0, 0}, .fixed_size = 2}, BYTES("ab"),
            BYTES("ab"));
}

static void impossible_lengths_are_not_written(void **state)
{
    (void)state;
    does_not_encode(int32_type, BYTES("\x01\x00\x00\x00\x00\x00\x00\x00"));
    does_not_encode(int64_type, BYTES("\x01"));
    does_not_encode(decimal_type, BYTES(""));
    does_not_encode(decimal_type, BYTES("\x01\x02\x03\x04\x05"));
    does_not_encode(uuid_type, BYTES("0123456789abcde"));
    does_not_encode((struct partition_type){.type = {TYPE_BOOL, 0, 0}}, BYTES(""));
    does_not_encode((struct partition_type){.type = {TYPE_TIMESTAMP, 0, 0}}, BYTES("1234"));
    does_not_encode((struct partition_type){.type = {TYPE_BINARY, 0, 0}, .fixed_size = 2},
                    BYTES("a"));
}

static void decimals_have_the_least_bytes_for_their_precision(void **state)
{
    (void)state;
    /* the largest value of p digits must fit into the size, and not into one byte less */
    for (int precision = 1; precision <= DECIMAL_PRECISION_MAX; precision++) {
        struct buf text = {0};
        struct partition_type t = {.type = {TYPE_DECIMAL, (uint8_t)precision, 0}};
        partition_type_append(t, 1000, &text);
        const char *at = strstr(buf_text(&text), "\"size\":");
        assert_non_null(at);
        long size = strtol(at + 7, NULL, 10);
        __int128 most = 1;
        for (int i = 0; i < precision; i++) {
            most *= 10;
        }
        most -= 1;
        assert_true(size >= 1 && size <= 16);
        assert_true(most >> (8 * size - 1) == 0);
        assert_true(size == 1 || most >> (8 * (size - 1) - 1) != 0);
        buf_release(&text);
    }
}

static void ascending(struct partition_type t, const struct str *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            int order = partition_value_compare(t, values[i], values[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

static void values_order_as_what_they_mean(void **state)
{
    (void)state;
    const struct str integers[] = {BYTES("\x00\x00\x00\x80"), BYTES("\xff\xff\xff\xff"),
                                   BYTES("\x00\x00\x00\x00"), BYTES("\x00\x01\x00\x00"),
                                   BYTES("\x00\x00\x00\x00\x01\x00\x00\x00")};
    ascending(int64_type, integers, 5);
    const double numbers[] = {-INFINITY, -1.5, -0.0, 0.0, 1e-300, INFINITY};
    struct str doubles[6];
    for (size_t i = 0; i < 6; i++) {
        doubles[i] = (struct str){(const char *)&numbers[i], 8};
    }
    ascending(float64_type, doubles, 6);
    const struct str decimals[] = {BYTES("\x80\x00"), BYTES("\xff\x00"), BYTES("\x80"),
                                   BYTES("\xff"),     BYTES("\x00"),     BYTES("\x7f"),
                                   BYTES("\x00\x80"), BYTES("\x05\x8c")};
    ascending(decimal_type, decimals, 8);
    const struct str texts[] = {BYTES(""), BYTES("a"), BYTES("ab"), BYTES("b"), BYTES("\xc3\xa9")};
    ascending(text_type, texts, 5);
}

static void not_a_number_is_seen_in_both_widths(void **state)
{
    (void)state;
    struct partition_type single = {.type = {TYPE_FLOAT32, 0, 0}};
    assert_true(partition_value_is_nan(single, BYTES("\x00\x00\xc0\x7f")));
    assert_false(partition_value_is_nan(single, BYTES("\x00\x00\x80\x7f")));
    assert_true(partition_value_is_nan(float64_type, BYTES("\x00\x00\x00\x00\x00\x00\xf8\xff")));
    assert_false(partition_value_is_nan(int32_type, BYTES("\x00\x00\xc0\x7f")));
}

static void names_become_what_avro_allows(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a_B9", "a_B9"},
        {"9a", "_9a"},
        {"a b", "a_x20b"},
        {"a-b.c", "a_x2Db_x2Ec"},
        {"\xc3\xa9", "_xE9"},
        {"\xf0\x9f\x98\x8e", "_xD83D_xDE0E"}, /* a pair of UTF-16 */
        {"", "_"},
        {"\xff", "_"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        partition_name_append(cases[i][0], &out);
        assert_string_equal(buf_text(&out), cases[i][1]);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_get_the_width_of_the_type_of_today),
        cmocka_unit_test(floats_widen_and_doubles_do_not_narrow),
        cmocka_unit_test(decimals_are_as_short_as_they_can_be),
        cmocka_unit_test(uuids_have_sixteen_bytes),
        cmocka_unit_test(unknown_transforms_have_the_values_that_avro_says),
        cmocka_unit_test(values_are_written_as_the_schema_says),
        cmocka_unit_test(impossible_lengths_are_not_written),
        cmocka_unit_test(decimals_have_the_least_bytes_for_their_precision),
        cmocka_unit_test(values_order_as_what_they_mean),
        cmocka_unit_test(not_a_number_is_seen_in_both_widths),
        cmocka_unit_test(names_become_what_avro_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
