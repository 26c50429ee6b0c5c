#include "base/reader.h"
#include "test.h"

static void integers_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    const uint8_t data[] = {1,  2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                            15, 1, 2, 3, 4, 1, 2, 3, 4, 5,  6,  7,  8};
    struct reader r = reader_from(data, sizeof(data));
    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u16(&r), 0x0203);
    assert_int_equal(reader_u32(&r), 0x04050607);
    assert_true(reader_u64(&r) == 0x08090A0B0C0D0E0Full);
    assert_int_equal(reader_u32_le(&r), 0x04030201);
    assert_true(reader_u64_le(&r) == 0x0807060504030201ull);
    assert_true(reader_ok(&r));
}

static void reads_past_the_end_stay_failed(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3};
    struct reader r = reader_from(data, sizeof(data));
    assert_int_equal(reader_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_u8(&r), 0); /* a byte is there, but the reader is lost */
    assert_null(reader_bytes(&r, 0));
    assert_int_equal(reader_left(&r), 0);
    assert_false(reader_ok(&r));
}

static void a_claimed_size_near_the_maximum_does_not_wrap_around(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3};
    struct reader r = reader_from(data, sizeof(data));
    (void)reader_u8(&r);
    assert_null(reader_bytes(&r, SIZE_MAX));
    assert_true(r.failed);
}

static void leftovers_are_not_ok(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2};
    struct reader r = reader_from(data, sizeof(data));
    (void)reader_u8(&r);
    assert_false(reader_ok(&r));
    assert_int_equal(reader_left(&r), 1);
    (void)reader_u8(&r);
    assert_true(reader_ok(&r));
}

static void strings_end_at_their_nul(void **state)
{
    (void)state;
    struct reader r = reader_from("ab\0\0cd", 6);
    assert_true(str_equal(reader_cstring(&r), str_from("ab")));
    assert_true(str_equal(reader_cstring(&r), str_from("")));
    assert_false(r.failed);
    assert_int_equal(reader_cstring(&r).size, 0); /* "cd" has no NUL */
    assert_true(r.failed);
    r = reader_from("a", 1);
    (void)reader_u8(&r);
    (void)reader_cstring(&r);
    assert_true(r.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_in_both_byte_orders),
        cmocka_unit_test(reads_past_the_end_stay_failed),
        cmocka_unit_test(a_claimed_size_near_the_maximum_does_not_wrap_around),
        cmocka_unit_test(leftovers_are_not_ok),
        cmocka_unit_test(strings_end_at_their_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
