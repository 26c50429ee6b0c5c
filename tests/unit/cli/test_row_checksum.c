#include "cli/row_checksum.h"
#include "test.h"

static struct row_checksum checksum_of(const char *const *rows, size_t count)
{
    struct row_checksum c = {0};
    for (size_t i = 0; i < count; i++) {
        row_checksum_add(&c, str_from(rows[i]));
    }
    return c;
}

static void the_order_of_rows_does_not_matter(void **state)
{
    (void)state;
    struct row_checksum a = checksum_of((const char *const[]){"1\ta", "2\tb", "3\tc"}, 3);
    struct row_checksum b = checksum_of((const char *const[]){"3\tc", "1\ta", "2\tb"}, 3);
    assert_true(row_checksum_equal(&a, &b));
}

static void each_row_matters_also_a_second_one_like_it(void **state)
{
    (void)state;
    struct row_checksum none = {0};
    struct row_checksum one = checksum_of((const char *const[]){"1\ta"}, 1);
    struct row_checksum two = checksum_of((const char *const[]){"1\ta", "1\ta"}, 2);
    struct row_checksum other = checksum_of((const char *const[]){"1\ta", "1\tb"}, 2);
    assert_false(row_checksum_equal(&none, &one));
    assert_false(row_checksum_equal(&one, &two));
    assert_false(row_checksum_equal(&two, &other));
    two.row_count = 0; /* not by the number of rows alone */
    assert_false(row_checksum_equal(&none, &two));
}

static void sums_carry_into_the_upper_half(void **state)
{
    (void)state;
    struct row_checksum c = {.sum = {.low = UINT64_MAX, .high = 1}};
    struct hash128 hash = hash_key("x", 1, 0);
    assert_true(hash.low > 0);
    row_checksum_add(&c, str_from("x"));
    assert_true(c.sum.low == hash.low - 1);
    assert_true(c.sum.high == hash.high + 2);
}

static void values_are_written_as_copy_writes_them(void **state)
{
    (void)state;
    struct buf row = {0};
    row_append_value(&row, true, str_from("a\\b\tc\nd\re\bf\vg\fh\x01"));
    row_append_null(&row, false);
    row_append_value(&row, false, str_from(""));
    assert_string_equal(buf_text(&row), "a\\\\b\\tc\\nd\\re\\bf\\vg\\fh\x01\t\\N\t");
    buf_clear(&row);
    row_append_null(&row, true);
    row_append_value(&row, false, str_from("\\N"));
    assert_string_equal(buf_text(&row), "\\N\t\\\\N");
    buf_release(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_rows_does_not_matter),
        cmocka_unit_test(each_row_matters_also_a_second_one_like_it),
        cmocka_unit_test(sums_carry_into_the_upper_half),
        cmocka_unit_test(values_are_written_as_copy_writes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
