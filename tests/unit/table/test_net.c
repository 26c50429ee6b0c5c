#include "table/index.h"
#include "table/net.h"
#include "test.h"

/* Rows are (key, value) of one batch; keys that the table holds are named by `held`. */
struct world {
    struct net net;
    struct schema *schema;
    struct batch *batch;
    uint32_t number;
    uint64_t held; /* bit k: the table holds key k */
};

static struct world open_world(uint64_t held)
{
    struct world opened = {.held = held};
    struct world *w = &opened;
    w->schema = schema_new(1);
    w->schema->columns[0] = (struct schema_column){.name = "v", .type = {.kind = TYPE_INT64}};
    schema_seal(w->schema);
    w->batch = batch_new(w->schema, 0, 64);
    w->number = net_add_batch(&w->net, batch_reference(w->batch));
    return opened;
}

static void close_world(struct world *w)
{
    net_release(&w->net);
    batch_release(w->batch);
    schema_release(w->schema);
}

static struct net_at at(const struct world *w, unsigned key)
{
    bool held = w->held >> key & 1;
    return (struct net_at){{key, key}, held ? place_make(1, key) : PLACE_NONE};
}

enum { NOT_SENT = -1 };

static uint32_t image(struct world *w, int value)
{
    uint32_t row = batch_add_row(w->batch, ROW_INSERT, IMAGE_WHOLE);
    if (value == NOT_SENT) {
        batch_set_unchanged(w->batch, 0, row);
    } else {
        ((int64_t *)w->batch->columns[0].values)[row] = value;
    }
    return net_add_image(&w->net, w->number, row, NET_NONE);
}

static enum net_result insert(struct world *w, unsigned key, int value)
{
    struct net_change c = {.to = at(w, key), .before = NET_NONE, .after = image(w, value)};
    return net_insert(&w->net, &c, false);
}

static enum net_result update(struct world *w, unsigned from, unsigned to, int value)
{
    struct net_change c = {
        .from = at(w, from), .to = at(w, to), .before = NET_NONE, .after = image(w, value)};
    return net_update(&w->net, &c, false);
}

static enum net_result update_whole(struct world *w, unsigned from, unsigned to, int before,
                                    int value)
{
    struct net_change c = {
        .from = at(w, from), .to = at(w, to), .before = image(w, before), .after = image(w, value)};
    return net_update(&w->net, &c, false);
}

static enum net_result delete (struct world *w, unsigned key) {
    struct net_change c = {.from = at(w, key), .before = NET_NONE, .after = NET_NONE};
    return net_delete(&w->net, &c, false);
}

/* "k: old->new" by key: old is the place of the key's old row, new the value of the row there now.
 */
static void assert_net(const struct world *w, const char *expected)
{
    owned(buf_release) struct buf text = {0};
    for (unsigned key = 0; key < 64; key++) {
        for (uint32_t i = 0; i < w->net.key_count; i++) {
            const struct net_key *k = &w->net.keys[i];
            if (k->hash.low != key || (k->origin == NET_NONE && k->live == NET_NONE)) {
                continue;
            }
            buf_append_format(&text, "%s%u:", text.size ? " " : "", key);
            if (k->origin != NET_NONE) {
                assert_int_equal(place_row(w->net.rows[k->origin].place), key);
                buf_append_text(&text, k->origin == k->live ? "same" : "old");
            }
            buf_append_text(&text, "->");
            if (k->live != NET_NONE && w->net.rows[k->live].image != NET_NONE) {
                const struct net_row *r = &w->net.rows[k->live];
                uint32_t row = 0;
                const struct column *c = net_value(&w->net, r->image, r->before, 0, &row);
                if (c) {
                    buf_append_format(&text, "%lld", (long long)((const int64_t *)c->values)[row]);
                } else {
                    buf_append_format(&text, "stored%u", place_row(r->place));
                }
            }
        }
    }
    assert_string_equal(buf_text(&text), expected);
}

static void an_insert_has_no_origin(void **state)
{
    (void)state;
    struct world w = open_world(0);
    assert_int_equal(insert(&w, 1, 10), NET_DONE);
    assert_net(&w, "1:->10");
    close_world(&w);
}

static void a_row_inserted_and_deleted_is_nothing(void **state)
{
    (void)state;
    struct world w = open_world(0);
    assert_int_equal(insert(&w, 1, 10), NET_DONE);
    assert_int_equal(update(&w, 1, 1, 11), NET_DONE);
    assert_int_equal(delete (&w, 1), NET_DONE);
    assert_net(&w, "");
    close_world(&w);
}

static void a_row_inserted_deleted_and_inserted_is_an_insert(void **state)
{
    (void)state;
    struct world w = open_world(0);
    assert_int_equal(insert(&w, 1, 10), NET_DONE);
    assert_int_equal(delete (&w, 1), NET_DONE);
    assert_int_equal(insert(&w, 1, 12), NET_DONE);
    assert_net(&w, "1:->12");
    close_world(&w);
}

static void many_updates_are_one(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update(&w, 1, 1, 10), NET_DONE);
    assert_int_equal(update(&w, 1, 1, 11), NET_DONE);
    assert_net(&w, "1:same->11");
    close_world(&w);
}

static void a_delete_and_an_insert_of_a_key_are_an_update(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(delete (&w, 1), NET_DONE);
    assert_net(&w, "1:old->");
    assert_int_equal(insert(&w, 1, 10), NET_DONE);
    assert_net(&w, "1:same->10");
    close_world(&w);
}

static void a_changed_key_is_a_delete_and_an_insert(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update(&w, 1, 2, 10), NET_DONE);
    assert_net(&w, "1:old-> 2:->10");
    close_world(&w);
}

static void a_chain_of_keys_starts_at_the_origin(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update(&w, 1, 2, NOT_SENT), NET_DONE);
    assert_int_equal(update(&w, 2, 3, NOT_SENT), NET_DONE);
    assert_net(&w, "1:old-> 3:->stored1");
    close_world(&w);
}

static void a_key_that_changes_and_changes_back_is_an_update(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update(&w, 1, 2, 10), NET_DONE);
    assert_int_equal(update(&w, 2, 1, 11), NET_DONE);
    assert_net(&w, "1:same->11");
    close_world(&w);
}

static void rows_swap_their_keys_through_a_third(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1 | 1 << 2);
    assert_int_equal(update(&w, 1, 9, NOT_SENT), NET_DONE);
    assert_int_equal(update(&w, 2, 1, NOT_SENT), NET_DONE);
    assert_int_equal(update(&w, 9, 2, NOT_SENT), NET_DONE);
    assert_net(&w, "1:old->stored2 2:old->stored1");
    close_world(&w);
}

static void an_unchanged_value_is_that_of_the_change_before(void **state)
{
    (void)state;
    struct world w = open_world(0);
    assert_int_equal(insert(&w, 1, 10), NET_DONE);
    assert_int_equal(update(&w, 1, 2, NOT_SENT), NET_DONE);
    assert_int_equal(update(&w, 2, 2, NOT_SENT), NET_DONE);
    assert_net(&w, "2:->10");
    close_world(&w);
}

static void an_unchanged_value_comes_from_a_whole_before_image(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update_whole(&w, 1, 1, 7, NOT_SENT), NET_DONE);
    assert_net(&w, "1:same->7");
    close_world(&w);
}

static void only_the_first_before_image_is_the_tables_row(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update_whole(&w, 1, 1, 7, 8), NET_DONE);
    assert_int_equal(update_whole(&w, 1, 1, 8, 9), NET_DONE);
    uint32_t row = 0;
    const struct column *c = net_value(&w.net, w.net.rows[0].before, NET_NONE, 0, &row);
    assert_int_equal(((const int64_t *)c->values)[row], 7);

    assert_int_equal(update(&w, 1, 1, 10), NET_DONE);
    assert_net(&w, "1:same->10");
    close_world(&w);
}

static void a_before_image_after_a_change_without_one_is_not_the_tables_row(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update(&w, 1, 1, 8), NET_DONE);
    assert_int_equal(update_whole(&w, 1, 1, 8, 9), NET_DONE);
    assert_int_equal(w.net.rows[0].before, NET_NONE);
    close_world(&w);
}

static void a_key_left_behind_can_be_taken_by_a_new_row(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    assert_int_equal(update(&w, 1, 2, 10), NET_DONE);
    assert_int_equal(insert(&w, 1, 20), NET_DONE);
    assert_net(&w, "1:old->20 2:->10");
    close_world(&w);
}

static void a_deleted_rows_key_can_be_taken_by_another_row(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1 | 1 << 2);
    assert_int_equal(delete (&w, 2), NET_DONE);
    assert_int_equal(update(&w, 1, 2, 10), NET_DONE);
    assert_net(&w, "1:old-> 2:old->10");
    assert_int_equal(delete (&w, 2), NET_DONE);
    assert_net(&w, "1:old-> 2:old->");
    assert_int_equal(insert(&w, 2, 30), NET_DONE);
    assert_net(&w, "1:old-> 2:same->30");
    close_world(&w);
}

static void after_a_truncate_nothing_has_an_origin(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1 | 1 << 2);
    assert_int_equal(update(&w, 1, 1, 10), NET_DONE);
    net_truncate(&w.net);
    w.number = net_add_batch(&w.net, batch_reference(w.batch));
    assert_int_equal(insert(&w, 1, 11), NET_DONE);
    assert_int_equal(update(&w, 2, 2, 12), NET_ABSENT);
    assert_net(&w, "1:->11");
    close_world(&w);
}

static void divergence_is_reported(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1 | 1 << 2);
    assert_int_equal(insert(&w, 1, 10), NET_PRESENT);
    assert_int_equal(update(&w, 3, 3, 10), NET_ABSENT);
    assert_int_equal(delete (&w, 3), NET_ABSENT);
    assert_int_equal(update(&w, 1, 2, 10), NET_PRESENT);
    assert_int_equal(delete (&w, 1), NET_DONE);
    assert_int_equal(delete (&w, 1), NET_ABSENT);
    assert_int_equal(update(&w, 1, 1, 10), NET_ABSENT);
    assert_int_equal(insert(&w, 3, 10), NET_DONE);
    assert_int_equal(insert(&w, 3, 11), NET_PRESENT);
    close_world(&w);
}

static void a_lenient_insert_of_a_present_key_is_an_update(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1);
    struct net_change c = {.to = at(&w, 1), .before = NET_NONE, .after = image(&w, 10)};
    assert_int_equal(net_insert(&w.net, &c, true), NET_DONE);
    assert_net(&w, "1:same->10");
    close_world(&w);
}

static void a_lenient_update_of_an_absent_key_is_an_insert(void **state)
{
    (void)state;
    struct world w = open_world(0);
    struct net_change c = {
        .from = at(&w, 1), .to = at(&w, 2), .before = image(&w, 5), .after = image(&w, NOT_SENT)};
    assert_int_equal(net_update(&w.net, &c, true), NET_DONE);
    assert_net(&w, "2:->5");
    close_world(&w);
}

static void a_lenient_delete_of_an_absent_key_is_nothing(void **state)
{
    (void)state;
    struct world w = open_world(0);
    struct net_change c = {.from = at(&w, 1), .before = NET_NONE, .after = NET_NONE};
    assert_int_equal(net_delete(&w.net, &c, true), NET_DONE);
    assert_net(&w, "");
    close_world(&w);
}

static void a_row_that_moves_to_a_present_key_replaces_it_where_that_is_ordinary(void **state)
{
    (void)state;
    struct world w = open_world(1 << 1 | 1 << 2);
    struct net_change c = {
        .from = at(&w, 1), .to = at(&w, 2), .before = NET_NONE, .after = image(&w, 10)};
    assert_int_equal(net_update(&w.net, &c, true), NET_DONE);
    assert_net(&w, "1:old-> 2:old->10");
    close_world(&w);
}

static void many_keys_keep_their_rows(void **state)
{
    (void)state;
    struct world w = open_world(0);
    enum { COUNT = 20000 };
    for (uint64_t i = 0; i < COUNT; i++) {
        struct net_change c = {
            .to = {{i * 7, i}, PLACE_NONE}, .before = NET_NONE, .after = image(&w, (int)i)};
        assert_int_equal(net_insert(&w.net, &c, false), NET_DONE);
    }
    assert_int_equal(w.net.key_count, COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct net_change c = {.to = {{i * 7, i}, PLACE_NONE}, .before = NET_NONE, .after = 0};
        assert_int_equal(net_insert(&w.net, &c, false), NET_PRESENT);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_insert_has_no_origin),
        cmocka_unit_test(a_row_inserted_and_deleted_is_nothing),
        cmocka_unit_test(a_row_inserted_deleted_and_inserted_is_an_insert),
        cmocka_unit_test(many_updates_are_one),
        cmocka_unit_test(a_delete_and_an_insert_of_a_key_are_an_update),
        cmocka_unit_test(a_changed_key_is_a_delete_and_an_insert),
        cmocka_unit_test(a_chain_of_keys_starts_at_the_origin),
        cmocka_unit_test(a_key_that_changes_and_changes_back_is_an_update),
        cmocka_unit_test(rows_swap_their_keys_through_a_third),
        cmocka_unit_test(an_unchanged_value_is_that_of_the_change_before),
        cmocka_unit_test(an_unchanged_value_comes_from_a_whole_before_image),
        cmocka_unit_test(only_the_first_before_image_is_the_tables_row),
        cmocka_unit_test(a_before_image_after_a_change_without_one_is_not_the_tables_row),
        cmocka_unit_test(a_key_left_behind_can_be_taken_by_a_new_row),
        cmocka_unit_test(a_deleted_rows_key_can_be_taken_by_another_row),
        cmocka_unit_test(after_a_truncate_nothing_has_an_origin),
        cmocka_unit_test(divergence_is_reported),
        cmocka_unit_test(a_lenient_insert_of_a_present_key_is_an_update),
        cmocka_unit_test(a_lenient_update_of_an_absent_key_is_an_insert),
        cmocka_unit_test(a_lenient_delete_of_an_absent_key_is_nothing),
        cmocka_unit_test(a_row_that_moves_to_a_present_key_replaces_it_where_that_is_ordinary),
        cmocka_unit_test(many_keys_keep_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
