/* From the net of an epoch to what a commit consists of. */
#include <stdlib.h>
#include <string.h>

#include "table/state.h"

void plan_release(struct plan *p)
{
    arena_release(&p->arena);
    *p = (struct plan){0};
}

/* ---- completing ---- */

/* True when the row as the table holds it must be read. */
static bool needs_before(const struct table *t, const struct net_row *r)
{
    if (r->origin == NET_NONE || r->before != NET_NONE ||
        (r->current != NET_NONE && r->image == NET_NONE)) {
        return false;
    }
    return t->lake->snapshot.has_feed || t->load.active ||
           (r->current != NET_NONE && net_image_has_unchanged(&t->net, r->image));
}

/* Old rows come from the source's whole images where it sent them, the others from the table: one
 * read for all of an epoch. What was read stays known when the commit is tried again. */
static bool complete_rows(struct table *t, struct error *err)
{
    struct net *n = &t->net;
    owned(arena_release) struct arena a = {0};
    uint32_t *rows = arena_array(&a, n->row_count, sizeof(*rows));
    uint64_t *places = arena_array(&a, n->row_count, sizeof(*places));
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->row_count; i++) {
        if (needs_before(t, &n->rows[i])) {
            rows[count] = i;
            places[count++] = n->rows[i].place;
        }
    }
    if (count == 0) {
        return true;
    }
    struct batch *b = stored_rows(t, places, count, err);
    if (!b) {
        return false;
    }
    uint32_t number = net_add_batch(n, b);
    for (uint32_t i = 0; i < count; i++) {
        n->rows[rows[i]].before = net_add_image(n, number, i, NET_NONE);
    }
    return true;
}

static bool is_equal_value(const struct column *a, uint32_t x, const struct column *b, uint32_t y)
{
    bool valid = column_is_valid(a, x);
    if (valid != column_is_valid(b, y)) {
        return false;
    }
    if (!valid) {
        return true;
    }
    if (type_is_text_or_binary(a->type)) {
        return str_equal(view_str(&((const struct view *)a->values)[x]),
                         view_str(&((const struct view *)b->values)[y]));
    }
    size_t width = type_width(a->type);
    return memcmp((const char *)a->values + x * width, (const char *)b->values + y * width,
                  width) == 0;
}

/* True when the row is again as the table holds it. */
static bool is_as_before(const struct table *t, const struct net_row *r)
{
    if (r->image == NET_NONE) {
        return true; /* named, and nothing else */
    }
    for (uint32_t i = 0; r->before != NET_NONE && i < t->schema->column_count; i++) {
        uint32_t x = 0;
        uint32_t y = 0;
        const struct column *now = net_value(&t->net, r->image, r->before, i, &x);
        const struct column *old = net_value(&t->net, r->before, NET_NONE, i, &y);
        if (!is_equal_value(now, x, old, y)) {
            return false;
        }
    }
    return r->before != NET_NONE;
}

/* ---- rows ---- */

static void add(struct plan_rows *rows, struct plan_row row)
{
    rows->items[rows->count++] = row;
}

static void add_before(struct plan *p, const struct net_row *r, enum plan_change change)
{
    p->deleted[p->deleted_count++] = r->place;
    add(&p->changes,
        (struct plan_row){
            .image = r->before, .fallback = NET_NONE, .key = NET_NONE, .change = (uint8_t)change});
}

static void add_after(struct plan *p, const struct net_row *r, uint32_t key,
                      enum plan_change change)
{
    struct plan_row row = {
        .image = r->image, .fallback = r->before, .key = key, .change = (uint8_t)change};
    add(&p->data, row);
    add(&p->changes, row);
}

/* By key, what readers see: an old row, a new one, or both. */
static void plan_key(const struct table *t, struct plan *p, uint32_t key)
{
    const struct net *n = &t->net;
    const struct net_key *k = &n->keys[key];
    const struct net_row *old = k->origin == NET_NONE ? NULL : &n->rows[k->origin];
    const struct net_row *now = k->live == NET_NONE ? NULL : &n->rows[k->live];
    if (old && old == now && is_as_before(t, now)) {
        return;
    }
    if (old && now) {
        p->rows_updated++;
        add_before(p, old, CHANGE_UPDATE_BEFORE);
        add_after(p, now, key, CHANGE_UPDATE_AFTER);
    } else if (old) {
        p->rows_deleted++;
        add_before(p, old, CHANGE_DELETE);
    } else if (now) {
        p->rows_inserted++;
        add_after(p, now, key, CHANGE_INSERT);
    }
}

static void plan_append(const struct table *t, struct plan *p)
{
    for (uint32_t i = 0; i < t->net.image_count; i++) {
        add(&p->data, (struct plan_row){.image = i, .fallback = NET_NONE, .key = NET_NONE});
    }
    p->rows_inserted = t->net.image_count;
}

bool plan_rows(struct table *t, struct plan *p, struct error *err)
{
    struct net *n = &t->net;
    if (t->mode == TABLE_UPSERT && !complete_rows(t, err)) {
        return false;
    }
    size_t row_max = t->mode == TABLE_APPEND ? n->image_count : n->key_count;
    p->data.items = arena_array(&p->arena, row_max, sizeof(struct plan_row));
    p->places = arena_array(&p->arena, row_max, sizeof(*p->places));
    if (t->mode == TABLE_APPEND) {
        plan_append(t, p);
        return true;
    }
    p->changes.items =
        arena_array(&p->arena, row_max * 2 + n->stray_count, sizeof(struct plan_row));
    p->deleted = arena_array(&p->arena, row_max + n->stray_count, sizeof(*p->deleted));
    for (uint32_t i = 0; i < n->key_count; i++) {
        plan_key(t, p, i);
    }
    for (uint32_t i = 0; i < n->stray_count; i++) {
        p->rows_deleted++;
        add_before(p, &(struct net_row){.place = n->strays[i].place, .before = n->strays[i].before},
                   CHANGE_DELETE);
    }
    p->truncate = n->truncated && index_count(t->index) > 0;
    if (!t->lake->snapshot.has_feed || p->truncate || p->rows_updated + p->rows_deleted == 0) {
        p->changes.count = 0; /* readers derive the changes from the files */
    }
    if (p->truncate) {
        p->rows_deleted = index_count(t->index);
    }
    return true;
}

/* ---- vectors ---- */

static int compare_places(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void free_bitmap(void *bitmap)
{
    roaring_bitmap_free(bitmap);
}

static void plan_file(struct plan *p, const struct lake_file *f, const uint64_t *places,
                      uint32_t count)
{
    roaring_bitmap_t *rows = f->deleted ? roaring_bitmap_copy(f->deleted) : roaring_bitmap_create();
    arena_defer(&p->arena, free_bitmap, rows);
    for (uint32_t i = 0; i < count; i++) {
        roaring_bitmap_add(rows, place_row(places[i]));
    }
    uint64_t deleted = roaring_bitmap_get_cardinality(rows);
    if (deleted == f->row_count) {
        p->removed[p->removed_count++] = f->slot;
    } else {
        p->vectors[p->vector_count++] =
            (struct lake_new_vector){.slot = f->slot, .deleted = rows, .deleted_count = deleted};
    }
}

void plan_vectors(struct table *t, struct plan *p)
{
    if (p->deleted_count == 0) {
        return;
    }
    qsort(p->deleted, p->deleted_count, sizeof(*p->deleted), compare_places);
    p->vectors = arena_array(&p->arena, p->deleted_count, sizeof(*p->vectors));
    p->removed = arena_array(&p->arena, p->deleted_count, sizeof(*p->removed));
    for (uint32_t i = 0; i < p->deleted_count;) {
        uint32_t end = i;
        uint32_t slot = place_slot(p->deleted[i]);
        while (end < p->deleted_count && place_slot(p->deleted[end]) == slot) {
            end++;
        }
        plan_file(p, lake_table_file(t->lake, slot), p->deleted + i, end - i);
        i = end;
    }
}
