#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "test.h"

/* By the definition, bit after bit. */
static uint32_t slow(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        }
    }
    return ~crc;
}

static void fill(uint8_t *data, size_t size)
{
    unsigned seed = 20240917;
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)rand_r(&seed);
    }
}

static void the_check_value_of_the_standard_comes_out(void **state)
{
    (void)state;
    assert_int_equal(hash_crc32("123456789", 9), 0xCBF43926);
    assert_int_equal(hash_crc32("", 0), 0);
}

static void every_size_and_alignment_is_as_defined(void **state)
{
    (void)state;
    uint8_t data[400];
    fill(data, sizeof(data));
    for (size_t offset = 0; offset < 17; offset++) {
        for (size_t size = 0; size <= sizeof(data) - offset; size++) {
            assert_int_equal(hash_crc32(data + offset, size), slow(0, data + offset, size));
        }
    }
}

static void bits_that_are_all_alike_are_as_defined(void **state)
{
    (void)state;
    uint8_t data[300];
    for (int value = 0; value < 256; value += 255) {
        memset(data, value, sizeof(data));
        for (size_t size = 0; size <= sizeof(data); size++) {
            assert_int_equal(hash_crc32(data, size), slow(0, data, size));
        }
    }
}

static void pieces_give_what_the_whole_gives(void **state)
{
    (void)state;
    size_t size = 100000;
    uint8_t *data = malloc(size);
    assert_non_null(data);
    fill(data, size);
    uint32_t whole = slow(0, data, size);
    assert_int_equal(hash_crc32(data, size), whole);
    for (size_t cut = 0; cut <= 200; cut++) {
        uint32_t first = hash_crc32(data, cut);
        assert_int_equal(first, slow(0, data, cut));
        assert_int_equal(hash_crc32_more(first, data + cut, size - cut), whole);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value_of_the_standard_comes_out),
        cmocka_unit_test(every_size_and_alignment_is_as_defined),
        cmocka_unit_test(bits_that_are_all_alike_are_as_defined),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
