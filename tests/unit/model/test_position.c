#include <string.h>

#include "model/position.h"
#include "test.h"

static const struct position none = {0};

static void every_position_covers_none_and_itself(void **state)
{
    (void)state;
    assert_true(position_covers(none, none));
    assert_true(position_covers(position_integer(0), none));
    assert_true(position_covers(position_integer(5), position_integer(5)));
    assert_false(position_covers(none, position_integer(0)));
    assert_false(position_covers(position_integer(4), position_integer(5)));
}

static void meet_is_covered_by_both_and_join_covers_both(void **state)
{
    (void)state;
    const struct position all[] = {none, position_integer(0), position_integer(7),
                                   position_integer(UINT64_MAX)};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            struct position meet = position_meet(all[i], all[j]);
            struct position join = position_join(all[i], all[j]);
            assert_true(position_equal(meet, all[i < j ? i : j]));
            assert_true(position_equal(join, all[i < j ? j : i]));
        }
    }
}

static void equal_means_both_cover_each_other(void **state)
{
    (void)state;
    assert_true(position_equal(none, none));
    assert_false(position_equal(none, position_integer(0)));
    assert_false(position_equal(position_integer(1), position_integer(2)));
}

static void the_text_of_a_position_parses_back(void **state)
{
    (void)state;
    const struct position all[] = {none, position_integer(0), position_integer(23456789),
                                   position_integer(UINT64_MAX)};
    const char *const texts[] = {"", "0", "23456789", "18446744073709551615"};
    for (size_t i = 0; i < 4; i++) {
        struct error err = {0};
        struct buf text = {0};
        struct position back = position_integer(1);
        position_format(all[i], &text);
        assert_string_equal(buf_text(&text), texts[i]);
        assert_true(position_parse(buf_str(&text), &back, &err));
        assert_true(position_equal(back, all[i]));
        buf_release(&text);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "-1",       "+1", " 1", "1 ", "0x10", "1.0", "18446744073709551616", "99999999999999999999",
        "0/16B3748"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err = {0};
        struct position out = position_integer(3);
        assert_false(position_parse(str_from(bad[i]), &out, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        assert_int_equal(out.integer, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_position_covers_none_and_itself),
        cmocka_unit_test(meet_is_covered_by_both_and_join_covers_both),
        cmocka_unit_test(equal_means_both_cover_each_other),
        cmocka_unit_test(the_text_of_a_position_parses_back),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
