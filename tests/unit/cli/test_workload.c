#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/workload.h"
#include "test.h"

enum { KEYS = 500, CHANGES = 20000 };

static struct workload *new_workload(uint64_t seed)
{
    static const struct sample_table *tables[2];
    tables[0] = sample_table_find("customers");
    tables[1] = sample_table_find("orders");
    struct workload_options options = {
        .sample = {.seed = seed, .locale = sample_locale_find("en_US"), .row_count = KEYS},
        .tables = tables,
        .table_count = 2,
        .schema = "public",
    };
    struct workload *w = workload_new(&options);
    for (uint32_t t = 0; t < 2; t++) {
        for (uint64_t key = 1; key <= KEYS; key++) {
            workload_add_key(w, t, key);
        }
    }
    return w;
}

static uint64_t sql_hash(uint64_t seed)
{
    struct workload *w = new_workload(seed);
    struct buf sql = {0};
    for (int i = 0; i < 2000; i++) {
        struct workload_change change;
        workload_next(w, &change);
        workload_append_sql(w, &change, &sql);
    }
    uint64_t hash = hash_bytes(sql.data, sql.size);
    buf_release(&sql);
    workload_free(&w);
    return hash;
}

static void the_same_seed_gives_the_same_statements_for_ever(void **state)
{
    (void)state;
    assert_int_equal(sql_hash(42), 0x6e76e0cb68d66d8eu);
    assert_int_not_equal(sql_hash(43), sql_hash(42));
}

/* What the source would say: each insert finds no row, everything else finds one. */
static void each_change_is_possible_where_it_stands(void **state)
{
    (void)state;
    struct workload *w = new_workload(3);
    bool *alive[2] = {calloc(KEYS + CHANGES + 1, 1), calloc(KEYS + CHANGES + 1, 1)};
    assert_true(alive[0] && alive[1]);
    memset(alive[0] + 1, 1, KEYS);
    memset(alive[1] + 1, 1, KEYS);
    uint64_t again = 0;
    for (int i = 0; i < CHANGES; i++) {
        struct workload_change c;
        workload_next(w, &c);
        bool *rows = alive[c.table];
        assert_in_range(c.key, 1, KEYS + CHANGES);
        assert_int_equal(rows[c.key], c.kind != WORKLOAD_INSERT);
        if (c.kind == WORKLOAD_INSERT) {
            rows[c.key] = true;
        } else if (c.kind == WORKLOAD_UPDATE) {
            assert_int_not_equal(c.columns, 0);
            assert_int_equal(c.columns & 1, 0); /* never the key */
        } else {
            rows[c.key] = false;
        }
        if (c.kind == WORKLOAD_KEY_CHANGE) {
            assert_false(rows[c.new_key]);
            rows[c.new_key] = true;
        }
        again += c.kind == WORKLOAD_INSERT && c.key <= KEYS;
    }
    assert_true(again > 0); /* deleted keys come back */
    free(alive[0]);
    free(alive[1]);
    workload_free(&w);
}

static void shares_are_60_30_10(void **state)
{
    (void)state;
    struct workload *w = new_workload(9);
    for (int i = 0; i < CHANGES; i++) {
        struct workload_change c;
        workload_next(w, &c);
    }
    const uint64_t *counts = workload_counts(w);
    assert_in_range(counts[WORKLOAD_INSERT], CHANGES * 58 / 100, CHANGES * 62 / 100);
    assert_in_range(counts[WORKLOAD_UPDATE] + counts[WORKLOAD_KEY_CHANGE], CHANGES * 28 / 100,
                    CHANGES * 32 / 100);
    assert_in_range(counts[WORKLOAD_DELETE], CHANGES * 9 / 100, CHANGES * 11 / 100);
    assert_true(counts[WORKLOAD_KEY_CHANGE] > 0);
    workload_free(&w);
}

static void an_empty_table_gets_inserts_first(void **state)
{
    (void)state;
    const struct sample_table *tables[] = {sample_table_find("users")};
    struct workload_options options = {
        .sample = {.seed = 1, .locale = sample_locale_find("en_US"), .row_count = 1},
        .tables = tables,
        .table_count = 1,
        .schema = "public",
        .update_percent = 100,
    };
    struct workload *w = workload_new(&options);
    struct workload_change change;
    workload_next(w, &change);
    assert_int_equal(change.kind, WORKLOAD_INSERT);
    assert_int_equal(change.key, 1);
    workload_next(w, &change);
    assert_int_not_equal(change.kind, WORKLOAD_INSERT);
    workload_free(&w);
}

static void statements_name_schema_table_and_key(void **state)
{
    (void)state;
    struct workload *w = new_workload(1);
    struct buf sql = {0};
    struct workload_change change = {
        .kind = WORKLOAD_KEY_CHANGE, .table = 1, .key = 3, .new_key = 9};
    workload_append_sql(w, &change, &sql);
    assert_string_equal(buf_text(&sql),
                        "UPDATE \"public\".\"orders\" SET order_id = 9 WHERE order_id = 3;\n");
    buf_clear(&sql);
    change = (struct workload_change){.kind = WORKLOAD_DELETE, .key = 3};
    workload_append_sql(w, &change, &sql);
    assert_string_equal(buf_text(&sql),
                        "DELETE FROM \"public\".\"customers\" WHERE customer_id = 3;\n");
    buf_release(&sql);
    workload_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_statements_for_ever),
        cmocka_unit_test(each_change_is_possible_where_it_stands),
        cmocka_unit_test(shares_are_60_30_10),
        cmocka_unit_test(an_empty_table_gets_inserts_first),
        cmocka_unit_test(statements_name_schema_table_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
