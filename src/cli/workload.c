#include "cli/workload.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { DELETED_MAX = 64 };

struct table_keys {
    uint64_t *live; /* owned; in no order */
    uint64_t live_count;
    uint64_t live_capacity;
    uint64_t key_max;              /* the largest ever used */
    uint64_t deleted[DELETED_MAX]; /* some that may come back */
    uint32_t deleted_count;
    uint64_t last; /* index in `live` of the row changed last, which likely changes again; or
                      live_count */
};

struct workload {
    struct workload_options options;
    struct sample_random random;
    struct table_keys *tables; /* owned; options.table_count */
    struct sample_row row;
    struct buf sql;
    uint64_t revision;
    uint64_t counts[WORKLOAD_KIND_COUNT];
};

struct workload *workload_new(const struct workload_options *options)
{
    assert(options->table_count > 0);
    struct workload *w = calloc(1, sizeof(*w));
    struct table_keys *tables = calloc(options->table_count, sizeof(*tables));
    if (!w || !tables) {
        abort();
    }
    w->options = *options;
    w->tables = tables;
    w->random.state = options->sample.seed ^ 0x776F726B6C6F6164u; /* not the rows' own numbers */
    if (options->insert_percent == 0 && options->update_percent == 0) {
        w->options.insert_percent = 60;
        w->options.update_percent = 30;
    }
    return w;
}

void workload_free(struct workload **w)
{
    if (*w) {
        for (uint32_t i = 0; i < (*w)->options.table_count; i++) {
            free((*w)->tables[i].live);
        }
        free((*w)->tables);
        sample_row_release(&(*w)->row);
        buf_release(&(*w)->sql);
        free(*w);
        *w = NULL;
    }
}

static void keys_add(struct table_keys *t, uint64_t key)
{
    if (t->live_count == t->live_capacity) {
        t->live_capacity = t->live_capacity ? t->live_capacity * 2 : 1024;
        t->live = realloc(t->live, t->live_capacity * sizeof(*t->live));
        if (!t->live) {
            abort();
        }
    }
    t->live[t->live_count] = key;
    t->last = t->live_count++;
    t->key_max = key > t->key_max ? key : t->key_max;
}

void workload_add_key(struct workload *w, uint32_t table, uint64_t key)
{
    assert(table < w->options.table_count);
    keys_add(&w->tables[table], key);
}

/* The place of the row that changes next: now and then the one that changed last. */
static uint64_t pick_row(struct workload *w, const struct table_keys *t)
{
    if (t->last < t->live_count && sample_random_chance(&w->random, 8)) {
        return t->last;
    }
    return sample_random_below(&w->random, t->live_count);
}

static void next_insert(struct workload *w, struct table_keys *t, struct workload_change *out)
{
    out->kind = WORKLOAD_INSERT;
    if (t->deleted_count > 0 && sample_random_chance(&w->random, 5)) {
        out->key = t->deleted[--t->deleted_count];
    } else {
        out->key = t->key_max + 1;
    }
    keys_add(t, out->key);
}

static void next_update(struct workload *w, struct table_keys *t, struct workload_change *out)
{
    const struct sample_table *table = w->options.tables[out->table];
    uint64_t at = pick_row(w, t);
    out->key = t->live[at];
    t->last = at;
    if (sample_random_chance(&w->random, 2)) {
        out->kind = WORKLOAD_KEY_CHANGE;
        out->new_key = ++t->key_max;
        t->live[at] = out->new_key;
        return;
    }
    out->kind = WORKLOAD_UPDATE;
    out->columns = table->changes[sample_random_below(&w->random, table->change_count)];
}

static void next_delete(struct workload *w, struct table_keys *t, struct workload_change *out)
{
    uint64_t at = pick_row(w, t);
    out->kind = WORKLOAD_DELETE;
    out->key = t->live[at];
    t->live[at] = t->live[--t->live_count];
    t->last = t->live_count;
    if (t->deleted_count < DELETED_MAX) {
        t->deleted[t->deleted_count++] = out->key;
    }
}

void workload_next(struct workload *w, struct workload_change *out)
{
    *out = (struct workload_change){.revision = ++w->revision};
    out->table = (uint32_t)sample_random_below(&w->random, w->options.table_count);
    struct table_keys *t = &w->tables[out->table];
    uint64_t n = sample_random_below(&w->random, 100);
    if (n < w->options.insert_percent || t->live_count == 0) {
        next_insert(w, t, out);
    } else if (n < w->options.insert_percent + w->options.update_percent) {
        next_update(w, t, out);
    } else {
        next_delete(w, t, out);
    }
    w->counts[out->kind]++;
}

static void append_where(const struct sample_table *table, uint64_t key, struct buf *out)
{
    buf_append_format(out, " WHERE %s = %" PRIu64, table->columns[0].name, key);
}

static void append_values(const struct workload *w, const struct sample_table *table,
                          struct buf *out)
{
    buf_append_text(out, " VALUES (");
    for (uint32_t i = 0; i < table->column_count; i++) {
        buf_append_text(out, i > 0 ? ", " : "");
        sample_row_append_literal(&w->row, i, w->options.is_mysql, out);
    }
    buf_append_char(out, ')');
}

static void append_set(const struct workload *w, const struct sample_table *table, uint32_t columns,
                       struct buf *out)
{
    const char *separator = " SET ";
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (columns >> i & 1) {
            buf_append_format(out, "%s%s = ", separator, table->columns[i].name);
            sample_row_append_literal(&w->row, i, w->options.is_mysql, out);
            separator = ", ";
        }
    }
}

void workload_append_sql(struct workload *w, const struct workload_change *change, struct buf *out)
{
    static const char *const verbs[WORKLOAD_KIND_COUNT] = {"INSERT INTO ", "UPDATE ", "UPDATE ",
                                                           "DELETE FROM "};
    const struct sample_table *table = w->options.tables[change->table];
    buf_append_text(out, verbs[change->kind]);
    sample_table_append_name(table, w->options.schema, out);
    switch (change->kind) {
    case WORKLOAD_INSERT:
        table->fill(&w->options.sample, change->key, change->revision, &w->row);
        append_values(w, table, out);
        break;
    case WORKLOAD_UPDATE:
        table->fill(&w->options.sample, change->key, change->revision, &w->row);
        append_set(w, table, change->columns, out);
        append_where(table, change->key, out);
        break;
    case WORKLOAD_KEY_CHANGE:
        buf_append_format(out, " SET %s = %" PRIu64, table->columns[0].name, change->new_key);
        append_where(table, change->key, out);
        break;
    case WORKLOAD_DELETE:
        append_where(table, change->key, out);
        break;
    }
    buf_append_text(out, ";\n");
}

bool workload_transaction(struct workload *w, struct database *db, uint64_t change_count,
                          struct error *err)
{
    /* Servers bound the size of a query. */
    enum { QUERY_BYTES = 256 << 10 };
    buf_clear(&w->sql);
    buf_append_text(&w->sql, "BEGIN;\n");
    for (uint64_t i = 0; i < change_count; i++) {
        struct workload_change change;
        workload_next(w, &change);
        workload_append_sql(w, &change, &w->sql);
        if (w->sql.size >= QUERY_BYTES) {
            if (!database_execute(db, buf_text(&w->sql), err)) {
                return error_wrap(err, "the workload's transaction");
            }
            buf_clear(&w->sql);
        }
    }
    buf_append_text(&w->sql, "COMMIT");
    return database_execute(db, buf_text(&w->sql), err) ||
           error_wrap(err, "the workload's transaction");
}

bool workload_read_keys(struct workload *w, struct database *db, struct error *err)
{
    for (uint32_t i = 0; i < w->options.table_count; i++) {
        const struct sample_table *table = w->options.tables[i];
        buf_clear(&w->sql);
        buf_append_format(&w->sql, "SELECT %s FROM ", table->columns[0].name);
        sample_table_append_name(table, w->options.schema, &w->sql);
        buf_append_text(&w->sql, " ORDER BY 1");
        owned(database_rows_free) struct database_rows *rows =
            database_query(db, buf_text(&w->sql), err);
        if (!rows) {
            return error_wrap(err, "cannot read the keys of %s.%s", w->options.schema, table->name);
        }
        for (uint32_t row = 0; row < rows->row_count; row++) {
            workload_add_key(w, i, strtoull(database_value(rows, row, 0), NULL, 10));
        }
    }
    return true;
}

bool workload_set_sequences(struct workload *w, struct database *db, struct error *err)
{
    for (uint32_t i = 0; i < w->options.table_count; i++) {
        if (!sample_table_set_sequence(db, w->options.tables[i], w->options.schema,
                                       w->tables[i].key_max, err)) {
            return false;
        }
    }
    return true;
}

const uint64_t *workload_counts(const struct workload *w)
{
    return w->counts;
}
