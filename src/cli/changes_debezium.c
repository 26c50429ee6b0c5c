#include "cli/changes_debezium.h"

#include <string.h>

#include "base/clock.h"

enum { META_COLUMNS = 3 }; /* _change_type, _commit_..., _commit_timestamp */

static bool add_key_column(struct changes_debezium *d, uint32_t *key, const char *name,
                           struct error *err)
{
    int column = schema_find(d->schema, str_from(name));
    if (column < 0) {
        return error_set(err, ERROR_CONFIG,
                         "--format debezium needs the key's column \"%s\" among --columns", name);
    }
    key[d->key_count++] = (uint32_t)column;
    return true;
}

static bool find_key(struct changes_debezium *d, const struct changes_request *r, struct error *err)
{
    const struct schema *table = r->history->schema;
    const struct lake_changes_options *o = &r->options;
    uint32_t *key = arena_array(&r->arguments->arena,
                                (size_t)table->column_count + o->key_count + 1, sizeof(*key));
    d->key = key;
    for (uint32_t i = 0; i < o->key_count; i++) {
        if (!add_key_column(d, key, o->key[i], err)) {
            return false;
        }
    }
    for (uint32_t i = 0; !o->key && i < table->column_count; i++) {
        if (table->columns[i].is_key && !add_key_column(d, key, table->columns[i].name, err)) {
            return false;
        }
    }
    return true;
}

bool changes_debezium_open(struct changes_debezium *d, const struct changes_request *r,
                           const struct schema *schema, struct error *err)
{
    bool is_delta = strcmp(r->table.type->name, "delta") == 0;
    *d = (struct changes_debezium){.source = {.connector = r->table.type->name,
                                              .name = r->table.word,
                                              .table = r->table.name,
                                              .id_name = is_delta ? "version_id" : "snapshot_id"},
                                   .schema = schema,
                                   .column_count = schema->column_count - META_COLUMNS,
                                   .left = r->limit};
    return find_key(d, r, err);
}

static void write_change(struct changes_debezium *d, struct debezium_change change, struct buf *out)
{
    if (d->left > 0) {
        change.time_us = clock_wall_us();
        debezium_write_change(&d->source, &change, out);
        d->left--;
    }
}

/* The old image that waits has no new one. */
static void write_waiting(struct changes_debezium *d, struct buf *out)
{
    if (d->holds_before) {
        d->waiting.op = 'd';
        d->waiting.before = buf_str(&d->before);
        write_change(d, d->waiting, out);
        d->holds_before = false;
    }
}

static void append_key(const struct changes_debezium *d, const struct column *columns, uint32_t row,
                       struct buf *out)
{
    for (uint32_t i = 0; i < d->key_count; i++) {
        debezium_write_value(&columns[d->key[i]], row, out);
        buf_append_char(out, ',');
    }
}

static void hold_before(struct changes_debezium *d, const struct column *columns, uint32_t row,
                        struct debezium_change change)
{
    buf_clear(&d->before);
    buf_clear(&d->before_key);
    debezium_write_row(d->schema, columns, d->column_count, row, &d->before);
    append_key(d, columns, row, &d->before_key);
    d->waiting = change;
    d->holds_before = true;
}

static void write_after(struct changes_debezium *d, const struct column *columns, uint32_t row,
                        struct debezium_change change, struct buf *out)
{
    owned(buf_release) struct buf after = {0};
    owned(buf_release) struct buf key = {0};
    debezium_write_row(d->schema, columns, d->column_count, row, &after);
    append_key(d, columns, row, &key);
    change.after = buf_str(&after);
    change.op = 'c';
    if (d->holds_before && d->key_count > 0 && d->waiting.id == change.id &&
        str_equal(buf_str(&key), buf_str(&d->before_key))) {
        change.op = 'u';
        change.before = buf_str(&d->before);
        d->holds_before = false;
    }
    write_waiting(d, out);
    write_change(d, change, out);
}

static void write_row(struct changes_debezium *d, const struct column *columns, uint32_t row,
                      struct buf *out)
{
    owned(buf_release) struct buf image = {0};
    const struct column *meta = &columns[d->column_count];
    struct str type = view_str(&((const struct view *)meta[0].values)[row]);
    struct debezium_change change = {.id = ((const int64_t *)meta[1].values)[row],
                                     .source_time_us = ((const int64_t *)meta[2].values)[row]};
    if (str_equal(type, str_from("update_postimage"))) {
        write_after(d, columns, row, change, out);
        return;
    }
    write_waiting(d, out);
    if (str_equal(type, str_from("update_preimage"))) {
        hold_before(d, columns, row, change);
        return;
    }
    debezium_write_row(d->schema, columns, d->column_count, row, &image);
    bool is_delete = str_equal(type, str_from("delete"));
    change.op = is_delete ? 'd' : 'c';
    *(is_delete ? &change.before : &change.after) = buf_str(&image);
    write_change(d, change, out);
}

bool changes_debezium_rows(struct changes_debezium *d, const struct column *columns, uint32_t first,
                           uint32_t end, struct buf *out)
{
    for (uint32_t row = first; row < end && d->left > 0; row++) {
        write_row(d, columns, row, out);
    }
    return d->left > 0;
}

void changes_debezium_end(struct changes_debezium *d, struct buf *out)
{
    write_waiting(d, out);
}

void changes_debezium_release(struct changes_debezium *d)
{
    buf_release(&d->before);
    buf_release(&d->before_key);
}
