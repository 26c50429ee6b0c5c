/* Batches into the epoch of an upsert table. */
#include <inttypes.h>

#include "table/state.h"

/* One batch on its way in. */
struct apply {
    struct table *t;
    struct batch *b;
    struct hash128 *hashes;
    uint64_t *places;
    uint32_t number; /* of the batch in the net */
    bool lenient;
    bool is_complete; /* the source has every column of the table */
};

/* The source does not send values of columns that it dropped. */
static bool source_is_complete(const struct table *t)
{
    for (uint32_t i = 0; i < t->schema->column_count; i++) {
        if (schema_find(t->source, str_from(t->schema->columns[i].name)) < 0) {
            return false;
        }
    }
    return true;
}

static struct net_at at(const struct apply *a, uint32_t row)
{
    return (struct net_at){.hash = a->hashes[row], .place = a->places[row]};
}

/* The row as an image of what the table holds, if that is all of it. */
static uint32_t whole_before(struct apply *a, uint32_t row)
{
    if (!a->is_complete || a->b->images[row] != IMAGE_WHOLE) {
        return NET_NONE;
    }
    uint32_t image = net_add_image(&a->t->net, a->number, row, NET_NONE);
    if (net_image_has_unchanged(&a->t->net, image)) {
        a->t->net.image_count--;
        return NET_NONE;
    }
    return image;
}

/* "position 120", "transaction 7 of 3e11fa47-..." */
static void append_place(const struct batch *b, uint32_t row, struct buf *out)
{
    if (!b->source) {
        buf_append_format(out, "position %" PRIu64, b->positions[row]);
        return;
    }
    buf_append_format(out, "transaction %" PRIu64 " of ", b->transactions[row]);
    position_source_format(b->source, out);
}

static bool diverged(struct apply *a, uint32_t row, enum net_result result, struct error *err)
{
    struct table *t = a->t;
    owned(buf_release) struct buf key = {0};
    owned(buf_release) struct buf place = {0};
    enum row_kind kind = a->b->kinds[row];
    const char *what = "an insert of a key that is there already";
    if (kind == ROW_DELETE) {
        what = "a delete of a key that is not there";
        t->counts.unexpected_deletes++;
    } else if (kind == ROW_INSERT) {
        t->counts.unexpected_inserts++;
    } else if (result == NET_ABSENT) {
        what = "an update of a key that is not there";
        t->counts.unexpected_updates++;
        row -= row > 0 && a->b->kinds[row - 1] == ROW_UPDATE_BEFORE;
    } else {
        what = "an update to a key that is there already";
        t->counts.unexpected_updates++;
    }
    key_describe(&t->key, a->b->columns, row, &key);
    append_place(a->b, row, &place);
    return error_set(err, ERROR_LOST,
                     "table %s: %s: %s at %s; the table and its source have diverged: run \"leat "
                     "reload\"",
                     t->name, what, buf_text(&key), buf_text(&place));
}

/* Applies the change whose last row is `row`. */
static bool apply_change(struct apply *a, uint32_t row, struct error *err)
{
    struct net *n = &a->t->net;
    struct net_change c = {
        .from = at(a, row), .to = at(a, row), .before = NET_NONE, .after = NET_NONE};
    enum net_result result = NET_DONE;
    if (a->b->kinds[row] == ROW_DELETE) {
        c.before = whole_before(a, row);
        result = net_delete(n, &c, a->lenient);
    } else if (a->b->kinds[row] == ROW_INSERT) {
        c.after = net_add_image(n, a->number, row, NET_NONE);
        result = net_insert(n, &c, a->lenient);
    } else {
        if (row > 0 && a->b->kinds[row - 1] == ROW_UPDATE_BEFORE) {
            c.from = at(a, row - 1);
            c.before = whole_before(a, row - 1);
        }
        c.after = net_add_image(n, a->number, row, NET_NONE);
        result = net_update(n, &c, a->lenient);
    }
    return result == NET_DONE || diverged(a, row, result, err);
}

bool apply_upsert(struct table *t, struct batch *converted, struct position skip, struct error *err)
{
    owned(arena_release) struct arena arena = {0};
    struct apply a = {
        .t = t,
        .b = converted,
        .hashes = arena_array(&arena, converted->row_count, sizeof(struct hash128)),
        .places = arena_array(&arena, converted->row_count, sizeof(uint64_t)),
        .lenient = t->filtered || t->load.active || converted->loading,
        .is_complete = source_is_complete(t),
    };
    if (!key_hash_rows(&t->key, converted->columns, converted->kinds, converted->row_count,
                       a.hashes, err)) {
        batch_release(converted);
        return error_wrap(err, "table %s", t->name);
    }
    index_get_many(t->index, a.hashes, converted->row_count, a.places);
    load_name_rows(t, a.places, converted->row_count);
    a.number = net_add_batch(&t->net, converted);
    for (uint32_t row = 0; row < converted->row_count; row++) {
        if (converted->kinds[row] == ROW_UPDATE_BEFORE ||
            (!converted->loading && batch_row_is_covered(converted, row, &skip))) {
            continue;
        }
        if (!apply_change(&a, row, err)) {
            return false;
        }
    }
    return true;
}
