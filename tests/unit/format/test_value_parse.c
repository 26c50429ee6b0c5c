#include <math.h>
#include <string.h>

#include "format/value.h"
#include "format/value_parse.h"
#include "test.h"

union memory {
    int64_t integer;
    __int128 wide;
    double number;
    struct view view;
    struct uuid uuid;
};

/* Reads a text and writes it again. */
static void expect(struct type type, const char *text, const char *again)
{
    struct arena a = {0};
    struct error err = {0};
    union memory value = {0};
    struct buf out = {0};
    if (!value_parse(type, str_from(text), &a, &value, &err)) {
        fail_msg("%s", err.message);
    }
    value_format(&(struct column){.type = type, .values = &value}, 0, &out);
    assert_string_equal(buf_text(&out), again);
    buf_release(&out);
    arena_release(&a);
}

static void refuse(struct type type, const char *text)
{
    struct arena a = {0};
    struct error err = {0};
    union memory value = {0};
    if (value_parse(type, str_from(text), &a, &value, &err)) {
        fail_msg("\"%s\" was read", text);
    }
    assert_int_equal(err.kind, ERROR_DATA);
    arena_release(&a);
}

static const struct {
    struct type type;
    const char *texts[12];
} written[] = {
    {{.kind = TYPE_BOOL}, {"true", "false"}},
    {{.kind = TYPE_INT16}, {"0", "-32768", "32767"}},
    {{.kind = TYPE_INT32}, {"7", "-2147483648", "2147483647"}},
    {{.kind = TYPE_INT64}, {"-1", "-9223372036854775808", "9223372036854775807"}},
    {{.kind = TYPE_FLOAT32},
     {"1.5", "-0", "3.40282e+38", "1.4013e-45", "NaN", "Infinity", "-Infinity"}},
    {{.kind = TYPE_FLOAT64}, {"0.1", "-1.7976931348623157e+308", "NaN", "Infinity", "-Infinity"}},
    {{TYPE_DECIMAL, 4, 2}, {"0.00", "-99.99", "0.05"}},
    {{TYPE_DECIMAL, 4, 4}, {"0.9999", "-0.0001"}},
    {{TYPE_DECIMAL, 9, 0}, {"999999999", "-999999999"}},
    {{TYPE_DECIMAL, 18, 3}, {"999999999999999.999"}},
    {{TYPE_DECIMAL, 38, 0},
     {"99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"}},
    {{TYPE_DECIMAL, 38, 38}, {"0.00000000000000000000000000000000000001"}},
    {{.kind = TYPE_DATE},
     {"1970-01-01", "2000-02-29", "1900-02-28", "0000-02-29", "-0001-12-31", "+10000-01-01",
      "infinity", "-infinity", "+5881580-07-10", "-5877641-06-23"}},
    {{.kind = TYPE_TIME}, {"00:00:00", "23:59:59.999999", "24:00:00", "01:02:03.04"}},
    {{.kind = TYPE_TIMESTAMP},
     {"1970-01-01T00:00:00", "1969-12-31T23:59:59.999999", "+294247-01-10T04:00:54.775806",
      "-290308-12-21T19:59:05.224192", "infinity", "-infinity"}},
    {{.kind = TYPE_TIMESTAMPTZ}, {"2024-01-02T03:04:05.5Z", "0001-01-01T00:00:00Z"}},
    {{.kind = TYPE_UUID}, {"f79c3e09-677c-4bbd-a479-3f349cb785e7"}},
    {{.kind = TYPE_STRING}, {"", "short", "longer than what is inlined: \xc3\xa4"}},
    {{.kind = TYPE_JSON}, {"{\"a\": 1}"}},
    {{.kind = TYPE_BINARY}, {"\\x", "\\x00ff10", "\\x000102030405060708090a0b0c0d0e0f"}},
};

static void what_was_written_reads_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        for (const char *const *text = written[i].texts; *text; text++) {
            expect(written[i].type, *text, *text);
        }
    }
}

static void decimals_may_lack_digits_of_their_scale(void **state)
{
    (void)state;
    expect((struct type){TYPE_DECIMAL, 6, 3}, "12", "12.000");
    expect((struct type){TYPE_DECIMAL, 6, 3}, "-12.5", "-12.500");
    expect((struct type){TYPE_DECIMAL, 6, 3}, "0012.5", "12.500");
}

static const struct {
    struct type type;
    const char *texts[20];
} refused[] = {
    {{.kind = TYPE_BOOL}, {"", "t", "TRUE", "1"}},
    {{.kind = TYPE_INT16}, {"32768", "-32769"}},
    {{.kind = TYPE_INT32}, {"2147483648", "", "-", "+1", " 1", "1 ", "1.0", "0x1", "a"}},
    {{.kind = TYPE_INT64}, {"9223372036854775808", "99999999999999999999999999999999999999999"}},
    {{.kind = TYPE_FLOAT64},
     {"", "1e999", "nan", "inf", "0x10", " 1", "1 ", "infinity", "1,5", "e"}},
    {{TYPE_DECIMAL, 4, 2}, {"", "100", "100.00", "0.005", "1.", ".5", "1..2", "-", "1e2", "1.2x"}},
    {{TYPE_DECIMAL, 4, 0}, {"1.0", "10000"}},
    {{TYPE_DECIMAL, 38, 0},
     {"100000000000000000000000000000000000000", "999999999999999999999999999999999999999999"}},
    {{.kind = TYPE_DATE},
     {"", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1-1", "20240101",
      "12024-01-01", "2024-01-01T00:00:00", "+5881580-07-12", "-5877641-06-22", "2024-01-32"}},
    {{.kind = TYPE_TIME},
     {"24:00:00.000001", "1:00:00", "00:60:00", "00:00:60", "00:00:00.", "00:00:00.1234567",
      "25:00:00", "00:00"}},
    {{.kind = TYPE_TIMESTAMP},
     {"2024-01-02", "2024-01-02 03:04:05", "2024-01-02T03:04:05Z", "2024-01-02T24:00:00",
      "+294247-01-10T04:00:54.775808", "+999999-01-01T00:00:00"}},
    {{.kind = TYPE_TIMESTAMPTZ}, {"2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00"}},
    {{.kind = TYPE_UUID},
     {"", "f79c3e09677c4bbda4793f349cb785e7", "f79c3e09-677c-4bbd-a479-3f349cb785e7a",
      "g79c3e09-677c-4bbd-a479-3f349cb785e7"}},
    {{.kind = TYPE_STRING}, {"\xff", "\xc3"}},
    {{.kind = TYPE_BINARY}, {"", "x00", "\\x0", "\\x0g", "\\y00"}},
};

static void what_is_no_value_of_the_type_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        for (const char *const *text = refused[i].texts; *text; text++) {
            refuse(refused[i].type, *text);
        }
    }
}

static void every_day_reads_back(void **state)
{
    (void)state;
    struct type type = {.kind = TYPE_DATE};
    for (int32_t day = -800000; day < 3000000; day += 61) {
        struct arena a = {0};
        struct error err = {0};
        struct buf text = {0};
        int32_t again = 0;
        value_format(&(struct column){.type = type, .values = &day}, 0, &text);
        assert_true(value_parse(type, buf_str(&text), &a, &again, &err));
        assert_int_equal(again, day);
        buf_release(&text);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_reads_back),
        cmocka_unit_test(decimals_may_lack_digits_of_their_scale),
        cmocka_unit_test(what_is_no_value_of_the_type_is_refused),
        cmocka_unit_test(every_day_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
