#include "pipeline/retry.h"
#include "test.h"

static const struct retry_config config = {.attempts = 5, .delay_ms = 100, .delay_max_ms = 400};

static void delays_double_up_to_the_maximum_with_jitter(void **state)
{
    (void)state;
    static const int64_t expected[] = {100, 200, 400, 400, 400};
    struct retry r = {.config = &config};
    for (size_t i = 0; i < 5; i++) {
        int64_t delay = retry_next_ms(&r);
        assert_in_range(delay, expected[i] / 2, expected[i]);
    }
}

static void attempts_are_bounded(void **state)
{
    (void)state;
    struct retry r = {.config = &config};
    for (size_t i = 0; i < 5; i++) {
        assert_true(retry_next_ms(&r) >= 0);
    }
    assert_int_equal(retry_next_ms(&r), -1);
    retry_reset(&r);
    assert_true(retry_next_ms(&r) >= 0);
}

static void only_kinds_that_repeating_mends_are_repeated(void **state)
{
    (void)state;
    assert_true(retry_is_for(ERROR_RETRY));
    assert_true(retry_is_for(ERROR_CONFLICT));
    assert_true(retry_is_for(ERROR_UNKNOWN));
    assert_false(retry_is_for(ERROR_LOST));
    assert_false(retry_is_for(ERROR_DATA));
    assert_false(retry_is_for(ERROR_CONFIG));
    assert_false(retry_is_for(ERROR_FATAL));
    assert_false(retry_is_for(ERROR_CANCELLED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_maximum_with_jitter),
        cmocka_unit_test(attempts_are_bounded),
        cmocka_unit_test(only_kinds_that_repeating_mends_are_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
