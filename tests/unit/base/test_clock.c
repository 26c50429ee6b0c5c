#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "test.h"

static void a_fake_time_moves_all_clocks(void **state)
{
    (void)state;
    int64_t now_us = 1700000000123456;
    clock_fake(&now_us);
    assert_true(clock_wall_us() == now_us);
    assert_true(clock_monotonic_us() == now_us);
    assert_true(clock_monotonic_ms() == now_us / 1000);
    now_us += 5000;
    assert_true(clock_wall_us() == 1700000000128456);
    clock_fake(NULL);
    assert_true(clock_wall_us() > now_us);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t last = clock_monotonic_us();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_us();
        assert_true(now >= last);
        last = now;
    }
}

static void random_numbers_stay_below_their_bound_and_reach_all_values(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t v = random_below(7);
        assert_true(v < 7);
        seen |= 1u << v;
    }
    assert_int_equal(seen, 0x7F);
    assert_int_equal(random_below(1), 0);
}

static void uuids_are_of_version_4_and_differ(void **state)
{
    (void)state;
    char a[UUID_TEXT_SIZE];
    char b[UUID_TEXT_SIZE];
    random_uuid(a);
    random_uuid(b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
}

/* The values are those of the algorithms' own test suites. */
static void hashes_are_the_published_ones(void **state)
{
    (void)state;
    assert_int_equal(hash_crc32("123456789", 9), 0xCBF43926);
    assert_true(hash_bytes("", 0) == 0x2D06800538D394C2ull); /* XXH3_64bits of nothing */
    struct hash128 empty = hash_key("", 0, 0);               /* XXH3_128bits of nothing */
    assert_true(empty.high == 0x99AA06D3014798D8ull && empty.low == 0x6001C324468D497Full);
    struct hash128 seeded = hash_key("a", 1, 1);
    struct hash128 other = hash_key("a", 1, 2);
    assert_true(seeded.low != other.low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fake_time_moves_all_clocks),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(random_numbers_stay_below_their_bound_and_reach_all_values),
        cmocka_unit_test(uuids_are_of_version_4_and_differ),
        cmocka_unit_test(hashes_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
