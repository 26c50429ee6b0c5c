#include "config/scalar.h"
#include "test.h"

static void integers_are_decimal_and_nothing_else(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(scalar_parse_integer("0", &v) && v == 0);
    assert_true(scalar_parse_integer("010", &v) && v == 10);
    assert_true(scalar_parse_integer("-5", &v) && v == -5);
    assert_true(scalar_parse_integer("9223372036854775807", &v) && v == INT64_MAX);
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      "1e3",
                                      "0x1",
                                      "1_000",
                                      "1.0",
                                      " 1",
                                      "1 ",
                                      "--1",
                                      "ten",
                                      "9223372036854775808",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        v = 7;
        assert_false(scalar_parse_integer(bad[i], &v));
        assert_int_equal(v, 7);
    }
}

static void only_true_and_false_are_bools(void **state)
{
    (void)state;
    bool v = false;
    assert_true(scalar_parse_bool("true", &v) && v);
    assert_true(scalar_parse_bool("false", &v) && !v);
    assert_false(scalar_parse_bool("no", &v));
    assert_false(scalar_parse_bool("yes", &v));
    assert_false(scalar_parse_bool("True", &v));
    assert_false(scalar_parse_bool("1", &v));
    assert_false(scalar_parse_bool("", &v));
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(scalar_parse_duration("250ms", &v) && v == 250);
    assert_true(scalar_parse_duration("1s", &v) && v == 1000);
    assert_true(scalar_parse_duration("15m", &v) && v == 900000);
    assert_true(scalar_parse_duration("2h", &v) && v == 7200000);
    assert_true(scalar_parse_duration("1d", &v) && v == 86400000);
    assert_true(scalar_parse_duration("0", &v) && v == 0);
    static const char *const bad[] = {"",
                                      "1",
                                      "s",
                                      "1 s",
                                      "1.5s",
                                      "-1s",
                                      "1S",
                                      "1min",
                                      "1us",
                                      "1h30m",
                                      "9223372036854775807s",
                                      "106751991168d"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(scalar_parse_duration(bad[i], &v));
    }
}

static void sizes_know_both_families_of_units(void **state)
{
    (void)state;
    uint64_t v = 0;
    assert_true(scalar_parse_size("32MiB", &v) && v == 32 << 20);
    assert_true(scalar_parse_size("1GB", &v) && v == 1000000000);
    assert_true(scalar_parse_size("1GiB", &v) && v == 1 << 30);
    assert_true(scalar_parse_size("5kB", &v) && v == 5000);
    assert_true(scalar_parse_size("5KiB", &v) && v == 5120);
    assert_true(scalar_parse_size("7B", &v) && v == 7);
    assert_true(scalar_parse_size("16777215TiB", &v) && v == 18446742974197923840u);
    static const char *const bad[] = {"",      "32",  "32M", "32mb",       "32 MiB",
                                      "1.5GB", "-1B", "MiB", "16777216TiB"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(scalar_parse_size(bad[i], &v));
    }
}

static void values_are_formatted_as_one_would_write_them(void **state)
{
    (void)state;
    static const char *const durations[] = {"0", "1ms", "250ms", "1s", "90s", "15m", "1h", "1d"};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        int64_t ms = -1;
        struct buf text = {0};
        assert_true(scalar_parse_duration(durations[i], &ms));
        scalar_format_duration(ms, &text);
        assert_string_equal(buf_text(&text), durations[i]);
        buf_release(&text);
    }
    static const char *const sizes[] = {"0",     "1B",    "1000001B", "5kB",
                                        "64KiB", "32MiB", "1GB",      "3TiB"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t bytes = 1;
        struct buf text = {0};
        assert_true(scalar_parse_size(sizes[i], &bytes));
        scalar_format_size(bytes, &text);
        assert_string_equal(buf_text(&text), sizes[i]);
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_decimal_and_nothing_else),
        cmocka_unit_test(only_true_and_false_are_bools),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(sizes_know_both_families_of_units),
        cmocka_unit_test(values_are_formatted_as_one_would_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
