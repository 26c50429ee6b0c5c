#include <float.h>
#include <math.h>

#include "format/value.h"
#include "test.h"

static void expect(struct type type, const void *value, const char *text)
{
    struct column c = {.type = type, .values = (void *)(uintptr_t)value};
    struct buf out = {0};
    value_format(&c, 0, &out);
    assert_string_equal(buf_text(&out), text);
    buf_release(&out);
}

static void expect_int64(enum type_kind kind, int64_t value, const char *text)
{
    expect((struct type){.kind = kind}, &value, text);
}

static void integers_are_exact(void **state)
{
    (void)state;
    expect_int64(TYPE_INT64, INT64_MIN, "-9223372036854775808");
    expect_int64(TYPE_INT64, INT64_MAX, "9223372036854775807");
    expect_int64(TYPE_INT64, 0, "0");
    expect((struct type){.kind = TYPE_INT16}, &(int16_t){INT16_MIN}, "-32768");
    expect((struct type){.kind = TYPE_INT32}, &(int32_t){INT32_MIN}, "-2147483648");
    expect((struct type){.kind = TYPE_BOOL}, &(uint8_t){1}, "true");
    expect((struct type){.kind = TYPE_BOOL}, &(uint8_t){0}, "false");
}

static void decimals_show_all_digits_of_their_scale(void **state)
{
    (void)state;
    expect((struct type){TYPE_DECIMAL, 4, 2}, &(int16_t){-5}, "-0.05");
    expect((struct type){TYPE_DECIMAL, 4, 4}, &(int16_t){9999}, "0.9999");
    expect((struct type){TYPE_DECIMAL, 9, 0}, &(int32_t){123456789}, "123456789");
    expect((struct type){TYPE_DECIMAL, 10, 2}, &(int64_t){123456}, "1234.56");
    expect((struct type){TYPE_DECIMAL, 10, 2}, &(int64_t){0}, "0.00");
    __int128 nines = 1;
    for (int i = 0; i < 38; i++) {
        nines *= 10;
    }
    nines -= 1;
    expect((struct type){TYPE_DECIMAL, 38, 38}, &(__int128){-nines},
           "-0.99999999999999999999999999999999999999");
    expect((struct type){TYPE_DECIMAL, 38, 0}, &nines, "99999999999999999999999999999999999999");
}

static void floats_read_back_the_same(void **state)
{
    (void)state;
    const struct type type = {.kind = TYPE_FLOAT64};
    expect(type, &(double){0.1}, "0.1");
    expect(type, &(double){1.0 / 3}, "0.3333333333333333");
    expect(type, &(double){DBL_MAX}, "1.7976931348623157e+308");
    expect(type, &(double){-0.0}, "-0");
    expect(type, &(double){NAN}, "NaN");
    expect(type, &(double){-INFINITY}, "-Infinity");
    expect((struct type){.kind = TYPE_FLOAT32}, &(float){0.1f}, "0.1");
    expect((struct type){.kind = TYPE_FLOAT32}, &(float){16777216.0f}, "16777216");
}

static void dates_follow_the_proleptic_gregorian_calendar(void **state)
{
    (void)state;
    const struct type type = {.kind = TYPE_DATE};
    expect(type, &(int32_t){0}, "1970-01-01");
    expect(type, &(int32_t){-1}, "1969-12-31");
    expect(type, &(int32_t){11016}, "2000-02-29");
    expect(type, &(int32_t){19724}, "2024-01-02");
    expect(type, &(int32_t){-719528}, "0000-01-01");
    expect(type, &(int32_t){-719529}, "-0001-12-31");
    expect(type, &(int32_t){2932897}, "+10000-01-01");
    expect(type, &(int32_t){INT32_MAX}, "infinity");
    expect(type, &(int32_t){-INT32_MAX}, "-infinity");
}

static void times_drop_trailing_zeros_as_postgresql_does(void **state)
{
    (void)state;
    expect_int64(TYPE_TIME, 0, "00:00:00");
    expect_int64(TYPE_TIME, 11045500000, "03:04:05.5");
    expect_int64(TYPE_TIME, 86399999999, "23:59:59.999999");
    expect_int64(TYPE_TIME, 86400000000, "24:00:00");
}

static void timestamps_are_iso_8601(void **state)
{
    (void)state;
    expect_int64(TYPE_TIMESTAMP, 0, "1970-01-01T00:00:00");
    expect_int64(TYPE_TIMESTAMP, -1, "1969-12-31T23:59:59.999999");
    expect_int64(TYPE_TIMESTAMPTZ, 1704164645123456, "2024-01-02T03:04:05.123456Z");
    expect_int64(TYPE_TIMESTAMP, INT64_MAX, "infinity");
    expect_int64(TYPE_TIMESTAMPTZ, -INT64_MAX, "-infinity");
    expect_int64(TYPE_TIMESTAMPTZ, INT64_MIN, "-290308-12-21T19:59:05.224192Z");
}

static void uuids_and_bytes_are_lower_case_hex(void **state)
{
    (void)state;
    struct uuid u = {{0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd,
                      0x38, 0x0a, 0x11}};
    expect((struct type){.kind = TYPE_UUID}, &u, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    struct view v = view_from("\x00\xff\x10", 3);
    expect((struct type){.kind = TYPE_BINARY}, &v, "\\x00ff10");
    v = view_from("ein langer Text", 15);
    expect((struct type){.kind = TYPE_STRING}, &v, "ein langer Text");
}

static void base64_is_padded(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf out = {0};
        value_append_base64(str_from(pairs[i][0]), &out);
        assert_string_equal(buf_text(&out), pairs[i][1]);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(decimals_show_all_digits_of_their_scale),
        cmocka_unit_test(floats_read_back_the_same),
        cmocka_unit_test(dates_follow_the_proleptic_gregorian_calendar),
        cmocka_unit_test(times_drop_trailing_zeros_as_postgresql_does),
        cmocka_unit_test(timestamps_are_iso_8601),
        cmocka_unit_test(uuids_and_bytes_are_lower_case_hex),
        cmocka_unit_test(base64_is_padded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
