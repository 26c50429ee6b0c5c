#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "test.h"

static void the_first_failure_wins(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(error_set(&err, ERROR_RETRY, "first %d", 1));
    assert_false(error_set(&err, ERROR_FATAL, "second"));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_string_equal(err.message, "first 1");
}

static void errno_is_appended_as_words(void **state)
{
    (void)state;
    struct error err = {0};
    errno = ENOSPC;
    assert_false(error_errno(&err, ERROR_RETRY, "cannot write \"%s\"", "a"));
    assert_string_equal(err.message, "cannot write \"a\": No space left on device");
}

static void context_goes_in_front_and_keeps_the_kind(void **state)
{
    (void)state;
    struct error err = {0};
    (void)error_set(&err, ERROR_LOST, "slot is gone");
    assert_false(error_wrap(&err, "pipeline \"%s\"", "shop"));
    assert_string_equal(err.message, "pipeline \"shop\": slot is gone");
    assert_int_equal(err.kind, ERROR_LOST);
}

static void a_kind_can_be_recast(void **state)
{
    (void)state;
    struct error err = {0};
    (void)error_set(&err, ERROR_FATAL, "x");
    assert_false(error_recast(&err, ERROR_UNKNOWN));
    assert_int_equal(err.kind, ERROR_UNKNOWN);
    assert_string_equal(err.message, "x");
}

static void long_messages_are_cut_and_terminated(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct error err = {0};
    (void)error_set(&err, ERROR_DATA, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    for (int i = 0; i < 4; i++) {
        (void)error_wrap(&err, "%s", text);
        assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    }
    errno = EIO;
    err = (struct error){0};
    (void)error_errno(&err, ERROR_DATA, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void every_kind_has_a_word(void **state)
{
    (void)state;
    for (int kind = ERROR_NONE; kind <= ERROR_CANCELLED; kind++) {
        assert_non_null(error_kind_name((enum error_kind)kind));
    }
    assert_string_equal(error_kind_name(ERROR_LOST), "lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_wins),
        cmocka_unit_test(errno_is_appended_as_words),
        cmocka_unit_test(context_goes_in_front_and_keeps_the_kind),
        cmocka_unit_test(a_kind_can_be_recast),
        cmocka_unit_test(long_messages_are_cut_and_terminated),
        cmocka_unit_test(every_kind_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
