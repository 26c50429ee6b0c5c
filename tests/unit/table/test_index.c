#include <stdlib.h>

#include "base/clock.h"
#include "table/index.h"
#include "test.h"

static struct hash128 hash_of(uint64_t key)
{
    return hash_key(&key, sizeof(key), 42);
}

static void put(struct index *ix, uint64_t key, uint64_t place)
{
    struct error err = {0};
    assert_true(index_put(ix, hash_of(key), place, NULL, &err));
}

static void a_key_has_one_place(void **state)
{
    (void)state;
    owned(index_free) struct index *ix = index_new(0);
    struct error err = {0};
    uint64_t old = 0;
    assert_int_equal(index_get(ix, hash_of(1)), PLACE_NONE);
    assert_true(index_put(ix, hash_of(1), place_make(0, 0), &old, &err));
    assert_int_equal(old, PLACE_NONE);
    assert_int_equal(index_get(ix, hash_of(1)), place_make(0, 0));
    assert_true(index_put(ix, hash_of(1), place_make(5, UINT32_MAX), &old, &err));
    assert_int_equal(old, place_make(0, 0));
    assert_int_equal(index_get(ix, hash_of(1)), place_make(5, UINT32_MAX));
    assert_int_equal(index_count(ix), 1);
    assert_true(index_remove(ix, hash_of(1)));
    assert_false(index_remove(ix, hash_of(1)));
    assert_int_equal(index_get(ix, hash_of(1)), PLACE_NONE);
    assert_int_equal(index_count(ix), 0);
}

static void the_last_file_number_fits_and_the_next_is_refused(void **state)
{
    (void)state;
    owned(index_free) struct index *ix = index_new(0);
    struct error err = {0};
    assert_true(index_put(ix, hash_of(1), place_make(INDEX_SLOT_LIMIT - 1, 3), NULL, &err));
    assert_int_equal(index_get(ix, hash_of(1)), place_make(INDEX_SLOT_LIMIT - 1, 3));
    assert_false(index_put(ix, hash_of(2), place_make(INDEX_SLOT_LIMIT, 3), NULL, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_int_equal(index_count(ix), 1);
}

static void it_agrees_with_a_plain_array(void **state)
{
    (void)state;
    enum { KEYS = 30000, STEPS = 600000 };
    owned(index_free) struct index *ix = index_new(0);
    uint64_t *model = malloc(KEYS * sizeof(*model));
    assert_non_null(model);
    uint64_t count = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        model[i] = PLACE_NONE;
    }
    uint64_t random = 7;
    for (uint32_t step = 0; step < STEPS; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t key = (random >> 33) % KEYS;
        assert_int_equal(index_get(ix, hash_of(key)), model[key]);
        /* Grows first, then is mostly removals, then grows again. */
        bool removes = (random >> 20) % 10 < (step / 150000 % 2 == 0 ? 2u : 7u);
        if (removes) {
            assert_int_equal(index_remove(ix, hash_of(key)), model[key] != PLACE_NONE);
            count -= model[key] != PLACE_NONE;
            model[key] = PLACE_NONE;
        } else {
            count += model[key] == PLACE_NONE;
            model[key] = place_make(step % 1000, step);
            put(ix, key, model[key]);
        }
        assert_int_equal(index_count(ix), count);
    }
    for (uint64_t i = 0; i < KEYS; i++) {
        assert_int_equal(index_get(ix, hash_of(i)), model[i]);
    }
    free(model);
}

static void many_lookups_at_once_find_what_single_ones_do(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    owned(index_free) struct index *ix = index_new(KEYS);
    struct hash128 *hashes = malloc(KEYS * sizeof(*hashes));
    uint64_t *places = malloc(KEYS * sizeof(*places));
    assert_non_null(hashes);
    assert_non_null(places);
    for (uint64_t i = 0; i < KEYS; i++) {
        hashes[i] = hash_of(i);
        if (i % 3 == 0) {
            put(ix, i, place_make(1, (uint32_t)i));
        }
    }
    index_get_many(ix, hashes, KEYS, places);
    for (uint64_t i = 0; i < KEYS; i++) {
        assert_int_equal(places[i], i % 3 == 0 ? place_make(1, (uint32_t)i) : PLACE_NONE);
    }
    free(hashes);
    free(places);
}

static void churn_does_not_make_it_grow(void **state)
{
    (void)state;
    owned(index_free) struct index *ix = index_new(1000);
    for (uint64_t i = 0; i < 1000; i++) {
        put(ix, i, place_make(1, 1));
    }
    uint64_t bytes = index_bytes(ix);
    for (uint64_t i = 1000; i < 300000; i++) {
        assert_true(index_remove(ix, hash_of(i - 1000)));
        put(ix, i, place_make(1, 1));
    }
    assert_true(index_bytes(ix) < bytes * 3);
    assert_int_equal(index_count(ix), 1000);
}

static void a_key_costs_about_its_16_bytes(void **state)
{
    (void)state;
    enum { KEYS = 400000 };
    owned(index_free) struct index *grown = index_new(0);
    owned(index_free) struct index *sized = index_new(KEYS);
    for (uint64_t i = 0; i < KEYS; i++) {
        put(grown, i, place_make(1, 1));
        put(sized, i, place_make(1, 1));
    }
    assert_true(index_bytes(grown) < KEYS * 29);
    assert_true(index_bytes(sized) < KEYS * 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_has_one_place),
        cmocka_unit_test(the_last_file_number_fits_and_the_next_is_refused),
        cmocka_unit_test(it_agrees_with_a_plain_array),
        cmocka_unit_test(many_lookups_at_once_find_what_single_ones_do),
        cmocka_unit_test(churn_does_not_make_it_grow),
        cmocka_unit_test(a_key_costs_about_its_16_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
