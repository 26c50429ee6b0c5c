/* Loads into tables that hold rows already: a row that the load names is compared and
 * left alone if it is equal; at the end, rows that nobody named are deleted. Files that were
 * written since the load began hold named rows only. */
#include <stdlib.h>

#include "table/state.h"

void load_begin(struct table *t)
{
    load_end(t);
    t->load.active = true;
    t->load.slot_limit = t->lake->snapshot.slot_count;
    t->load.named = calloc((size_t)t->load.slot_limit + 1, sizeof(roaring_bitmap_t *));
    if (!t->load.named) {
        abort();
    }
}

void load_end(struct table *t)
{
    for (uint32_t i = 0; t->load.named && i < t->load.slot_limit; i++) {
        if (t->load.named[i]) {
            roaring_bitmap_free(t->load.named[i]);
        }
    }
    free(t->load.named);
    t->load = (struct table_load){0};
}

static void name_row(struct table *t, uint64_t place)
{
    uint32_t slot = place_slot(place);
    if (!t->load.named[slot]) {
        t->load.named[slot] = roaring_bitmap_create();
    }
    roaring_bitmap_add(t->load.named[slot], place_row(place));
}

void load_name_rows(struct table *t, const uint64_t *places, uint32_t count)
{
    for (uint32_t i = 0; t->load.active && i < count; i++) {
        if (places[i] != PLACE_NONE && place_slot(places[i]) < t->load.slot_limit) {
            name_row(t, places[i]);
        }
    }
}

/* The rows of a file that are live and were not named. */
static roaring_bitmap_t *unnamed_rows(const struct table *t, const struct lake_file *f)
{
    roaring_bitmap_t *rows = roaring_bitmap_from_range(0, f->row_count, 1);
    if (f->deleted) {
        roaring_bitmap_andnot_inplace(rows, f->deleted);
    }
    if (t->load.named[f->slot]) {
        roaring_bitmap_andnot_inplace(rows, t->load.named[f->slot]);
    }
    return rows;
}

/* Deletes rows whose places are known; each is read once, for its key and for the change feed. */
static bool delete_places(struct table *t, const uint64_t *places, uint32_t count,
                          struct error *err)
{
    owned(batch_free) struct batch *b = stored_rows(t, places, count, err);
    owned(arena_release) struct arena a = {0};
    struct hash128 *hashes = arena_array(&a, count, sizeof(*hashes));
    if (!b || !key_hash_rows(&t->key, b->columns, NULL, count, hashes, err)) {
        return false;
    }
    uint32_t number = net_add_batch(&t->net, take(b));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t image = net_add_image(&t->net, number, i, NET_NONE);
        if (index_get(t->index, hashes[i]) == places[i]) {
            (void)!net_delete(&t->net,
                              &(struct net_change){.from = {hashes[i], places[i]}, .before = image},
                              true);
        } else {
            net_add_stray(&t->net, places[i], image);
        }
    }
    return true;
}

bool load_sweep(struct table *t, struct error *err)
{
    enum { ROWS_PER_READ = 1 << 16 };
    owned(arena_release) struct arena a = {0};
    uint64_t *places = arena_array(&a, ROWS_PER_READ, sizeof(*places));
    uint32_t *rows = arena_array(&a, ROWS_PER_READ, sizeof(*rows));
    for (uint32_t slot = 0; !t->net.truncated && slot < t->load.slot_limit; slot++) {
        const struct lake_file *f = lake_table_file(t->lake, slot);
        if (!f) {
            continue;
        }
        roaring_bitmap_t *unnamed = unnamed_rows(t, f);
        roaring_uint32_iterator_t *it = roaring_create_iterator(unnamed);
        bool done = true;
        for (uint32_t count;
             done && (count = roaring_read_uint32_iterator(it, rows, ROWS_PER_READ));) {
            for (uint32_t i = 0; i < count; i++) {
                places[i] = place_make(slot, rows[i]);
            }
            done = delete_places(t, places, count, err);
            load_name_rows(t, places, done ? count : 0);
        }
        roaring_free_uint32_iterator(it);
        roaring_bitmap_free(unnamed);
        if (!done) {
            return false;
        }
    }
    return true;
}
