#include "cli/time_argument.h"
#include "test.h"

static const int64_t now_us = INT64_C(1704164645123456); /* 2024-01-02T03:04:05.123456Z */

static void is(const char *text, int64_t us)
{
    int64_t found = 0;
    assert_true(time_argument_parse(text, now_us, &found));
    assert_int_equal(found, us);
}

static void is_refused(const char *text)
{
    int64_t found = 0;
    assert_false(time_argument_parse(text, now_us, &found));
}

static void moments_are_iso_8601_in_utc(void **state)
{
    (void)state;
    is("2024-01-02T03:04:05.123456Z", now_us);
    is("2024-01-02T03:04:05.123456", now_us);
    is("2024-01-02 03:04:05.1234569", now_us);
    is("2024-01-02", INT64_C(1704153600000000));
    is("2024-01-02T03:04", INT64_C(1704164640000000));
    is("1970-01-01", 0);
    is("1969-12-31T23:59:59.5", -500000);
    is("2000-02-29", INT64_C(951782400000000));
    is("0001-01-01", INT64_C(-62135596800000000));
    is("9999-12-31T23:59:59", INT64_C(253402300799000000));
}

static void zones_are_taken_off(void **state)
{
    (void)state;
    is("2024-01-02T04:04:05.123456+01:00", now_us);
    is("2024-01-02T04:04:05.123456+01", now_us);
    is("2024-01-01T21:34:05.123456-0530", now_us);
}

static void durations_are_ago(void **state)
{
    (void)state;
    is("2h", now_us - INT64_C(7200000000));
    is("15m", now_us - INT64_C(900000000));
    is("7d", now_us - INT64_C(604800000000));
    is("0", now_us);
}

static void what_is_neither_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "yesterday",
        "2024",
        "2024-1-2",
        "2024-13-01",
        "2023-02-29",
        "1900-02-29",
        "2024-01-02T",
        "2024-01-02T24:00",
        "2024-01-02T03:60",
        "2024-01-02T03:04:05.",
        "2024-01-02T03:04:05x",
        "2024-01-02T03:04+",
        "2024-01-02T03:04+01:",
        "2024-01-02T03:04+1",
        "2024-01-02Z",
        "2h ago",
        "-2h",
        "99999999999999d",
        "9223372036854775807ms",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        is_refused(texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_iso_8601_in_utc),
        cmocka_unit_test(zones_are_taken_off),
        cmocka_unit_test(durations_are_ago),
        cmocka_unit_test(what_is_neither_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
