#include "gtids.h"
#include "pipeline/position_field.h"
#include "test.h"

static void a_number_is_logged_as_one_and_a_set_as_its_text(void **state)
{
    (void)state;
    struct buf text = {0};
    struct log_field f = position_field("position", position_integer(12), &text);
    assert_string_equal(f.key, "position");
    assert_int_equal(f.type, LOG_UINT);
    assert_int_equal(f.uint, 12);
    f = position_field("position", gtids("0-1-5"), &text);
    assert_int_equal(f.type, LOG_STRING);
    assert_string_equal(f.string, "0-1-5");
    f = position_field("position", gtids("0-1-6,1-1-1"), &text);
    assert_string_equal(f.string, "0-1-6,1-1-1");
    f = position_field("position", (struct position){0}, &text);
    assert_int_equal(f.type, LOG_UINT);
    assert_int_equal(f.uint, 0);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_logged_as_one_and_a_set_as_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
