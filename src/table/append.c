/* Mode append: every change is a row, in order, with what it was. */
#include <jansson.h>
#include <stdlib.h>

#include "table/state.h"

/* The columns of a batch that the mode adds, found once for all its rows. */
struct extras {
    struct column *columns[APPEND_COLUMN_COUNT];
    bool has_unchanged; /* some value of some row was not sent */
};

static struct extras extras_of(const struct table *t, const struct batch *b)
{
    struct extras x = {0};
    for (unsigned i = 0; i < APPEND_COLUMN_COUNT; i++) {
        int at = schema_find(t->schema, str_from(append_column_names[i]));
        x.columns[i] = &b->columns[at];
    }
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        x.has_unchanged |= b->columns[i].unchanged != NULL;
    }
    return x;
}

static const char *operation(const struct batch *b, uint32_t row)
{
    if (b->loading) {
        return "read";
    }
    switch ((enum row_kind)b->kinds[row]) {
    case ROW_INSERT:
        return "insert";
    case ROW_UPDATE_BEFORE:
    case ROW_UPDATE_AFTER:
        return "update";
    case ROW_DELETE:
        break;
    }
    return "delete";
}

/* The names of the values that the source did not send, as a JSON array in the batch's arena. */
static struct view unchanged_names(struct batch *b, uint32_t row)
{
    json_t *names = json_array();
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        if (column_is_unchanged(&b->columns[i], row) &&
            json_array_append_new(names, json_string(b->schema->columns[i].name)) != 0) {
            abort();
        }
    }
    char *text = json_dumps(names, JSON_COMPACT);
    if (!text) {
        abort();
    }
    size_t size = strlen(text);
    const char *kept = arena_string(&b->arena, text, size);
    free(text);
    json_decref(names);
    return view_from(kept, size);
}

static void set_valid(struct column *c, uint32_t row)
{
    if (c->valid) {
        bit_set(c->valid, row);
    }
}

static bool has_unchanged(const struct batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        if (column_is_unchanged(&b->columns[i], row)) {
            return true;
        }
    }
    return false;
}

/* The converted batch has these columns as nulls, made for it alone. */
static void fill_row(const struct extras *x, struct batch *b, uint32_t row)
{
    const char *op = operation(b, row);
    struct column *c = x->columns[APPEND_OPERATION];
    ((struct view *)c->values)[row] = view_from(op, strlen(op));
    set_valid(c, row);
    c = x->columns[APPEND_POSITION];
    ((int64_t *)c->values)[row] = (int64_t)b->positions[row];
    set_valid(c, row);
    c = x->columns[APPEND_SEQUENCE];
    ((int64_t *)c->values)[row] = (int64_t)b->sequences[row];
    set_valid(c, row);
    if (b->commit_times_us[row] != 0) {
        c = x->columns[APPEND_COMMIT_TIME];
        ((int64_t *)c->values)[row] = b->commit_times_us[row];
        set_valid(c, row);
    }
    if (x->has_unchanged && has_unchanged(b, row)) {
        c = x->columns[APPEND_UNCHANGED];
        ((struct view *)c->values)[row] = unchanged_names(b, row);
        set_valid(c, row);
    }
}

void append_rows(struct table *t, struct batch *converted, struct position skip)
{
    struct batch *b = converted;
    const struct extras extras = extras_of(t, b);
    uint32_t number = net_add_batch(&t->net, b);
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (b->kinds[row] == ROW_UPDATE_BEFORE ||
            (!b->loading && batch_row_is_covered(b, row, &skip))) {
            continue;
        }
        fill_row(&extras, b, row);
        (void)net_add_image(&t->net, number, row, NET_NONE);
        t->append_position = b->positions[row];
        t->append_sequence = b->sequences[row];
    }
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        b->columns[i].unchanged = NULL; /* null from here on; _unchanged says what it means */
    }
}

void append_truncate(struct table *t, uint64_t log_position)
{
    /* The event has no number of its own; it comes after what was seen of its transaction. */
    bool same = t->append_position == log_position;
    struct batch *b = batch_new(t->schema, 0, 1);
    uint32_t row = batch_add_row(b, ROW_DELETE, IMAGE_KEY);
    for (uint32_t i = 0; i < t->schema->column_count; i++) {
        batch_set_null(b, i, row);
    }
    b->positions[row] = log_position;
    b->sequences[row] = same ? t->append_sequence + 1 : 0;
    const struct extras extras = extras_of(t, b);
    fill_row(&extras, b, row);
    ((struct view *)extras.columns[APPEND_OPERATION]->values)[row] = view_from("truncate", 8);
    uint32_t number = net_add_batch(&t->net, b);
    (void)net_add_image(&t->net, number, row, NET_NONE);
}

bool append_holds_only_reads(struct table *t, bool *only, struct error *err)
{
    *only = true;
    for (uint32_t slot = 0; *only && slot < t->lake->snapshot.slot_count; slot++) {
        const struct lake_file *f = lake_table_file(t->lake, slot);
        owned(buf_release) struct buf path = {0};
        owned(buf_release) struct buf sql = {0};
        int64_t others = 0;
        if (!f) {
            continue;
        }
        if (!store_fetch(t->lake->store, f->path, &path, err)) {
            return false;
        }
        buf_append_text(&sql, "SELECT count(*) FROM ");
        stored_append_file(buf_text(&path), &sql);
        buf_append_text(&sql, " WHERE \"_op\" <> 'read'");
        if (!engine_query_int64(t->engine, buf_text(&sql), &others, err)) {
            return false;
        }
        *only = others == 0;
    }
    return true;
}
