/* A table over the fake lake, rows as text, and a source that makes batches. */
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "delta/delta.h"
#include "fake_lake.h"
#include "gtids.h"
#include "table/table.h"

struct fixture {
    char directory[64];
    struct fake_lake *lake;  /* also remembers what commits to Delta did */
    struct lake_table *held; /* the lake in use: the fake one, or Delta */
    struct engine *engine;
    struct engine_connection *connection;
    struct table *table;
    struct table_options options;
    struct schema *schema; /* the source's */
    struct batch *batch;   /* being filled */
    uint64_t epoch;
    uint64_t position;
    const struct position_source *source; /* positions are the set of what was committed */
    struct position gtids;
};

static inline void assert_done(bool done, const struct error *err)
{
    if (!done) {
        fail_msg("%s: %s", error_kind_name(err->kind), err->message);
    }
}

/* ---- schemas ---- */

struct column_spec {
    const char *name;
    struct type type;
    bool is_key;
};

fake_unused static struct schema *schema_of(const struct column_spec *specs, uint32_t count)
{
    struct schema *s = schema_new(count);
    for (uint32_t i = 0; i < count; i++) {
        s->columns[i] = (struct schema_column){.name = schema_name(s, str_from(specs[i].name)),
                                               .type = specs[i].type,
                                               .nullable = !specs[i].is_key,
                                               .is_key = specs[i].is_key};
    }
    schema_seal(s);
    return s;
}

/* ---- life ---- */

fake_unused static void fixture_open(struct fixture *f, enum table_mode mode)
{
    struct error err = {0};
    *f = (struct fixture){.directory = "/tmp/leat-table-XXXXXX"};
    assert_non_null(mkdtemp(f->directory));
    f->lake = fake_open(f->directory);
    f->held = &f->lake->base;
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(f->engine);
    f->connection = engine_connect(f->engine, &err);
    assert_non_null(f->connection);
    f->options = (struct table_options){.name = "public.t",
                                        .mode = mode,
                                        .lake = &f->lake->base,
                                        .engine = f->connection,
                                        .feed = true};
    f->position = 100;
}

fake_unused static void fixture_close(struct fixture *f)
{
    struct error err = {0};
    table_free(&f->table);
    recorder = NULL;
    fake_free(f->lake);
    schema_release(f->schema);
    batch_release(f->batch);
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    assert_true(file_remove_tree(f->directory, &err));
}

/* Takes a schema: the source's from here on. */
fake_unused static void set_schema(struct fixture *f, struct schema *schema)
{
    struct error err = {0};
    schema_release(f->schema);
    f->schema = schema;
    assert_done(table_set_schema(f->table, schema, &err), &err);
}

/* Real tables instead of the fake: each new_table() opens the location again. */
fake_unused static void use_delta(struct fixture *f)
{
    recorder = f->lake;
    f->held = NULL;
}

fake_unused static void new_table(struct fixture *f)
{
    struct error err = {0};
    table_free(&f->table);
    if (recorder == f->lake) {
        f->held = delta_lake.open(&(struct lake_options){.location = f->directory,
                                                         .pipeline = "shop",
                                                         .engine = f->connection},
                                  &err);
        if (!f->held) {
            fail_msg("%s", err.message);
            return;
        }
        f->held->type = &recorded_delta;
        f->options.lake = f->held;
    }
    f->table = table_new(&f->options);
}

fake_unused static void begin_load(struct fixture *f)
{
    struct error err = {0};
    struct lake_record record = {.phase = PHASE_LOADING, .source = "test"};
    random_uuid(record.load_id);
    assert_done(table_begin_load(f->table, &record, &err), &err);
}

/* A new process: nothing but the lake remains. */
fake_unused static void restart(struct fixture *f)
{
    struct error err = {0};
    new_table(f);
    assert_done(table_set_schema(f->table, f->schema, &err), &err);
    assert_done(table_resume(f->table, &err), &err);
}

/* ---- rows ---- */

static inline struct batch *rows(struct fixture *f)
{
    if (!f->batch) {
        f->batch = batch_new(f->schema, 0, 64);
    }
    return f->batch;
}

static inline uint32_t add(struct fixture *f, enum row_kind kind, enum row_image image)
{
    struct batch *b = rows(f);
    uint32_t row = batch_add_row(b, kind, image);
    b->positions[row] = f->position;
    b->commit_times_us[row] = (int64_t)f->position * 1000;
    b->source = f->source;
    b->transactions[row] = f->source ? f->position : 0;
    b->sequences[row] = row;
    return row;
}

static inline int column_named(const struct fixture *f, const char *name)
{
    return schema_find(f->schema, str_from(name));
}

static inline void set_int(struct fixture *f, const char *name, uint32_t row, int64_t v)
{
    int at = column_named(f, name);
    if (at < 0) {
        return;
    }
    struct column *c = &rows(f)->columns[at];
    if (type_width(c->type) == 4) {
        ((int32_t *)c->values)[row] = (int32_t)v;
    } else {
        ((int64_t *)c->values)[row] = v;
    }
}

static inline void set_text(struct fixture *f, const char *name, uint32_t row, const char *v)
{
    int at = column_named(f, name);
    if (at < 0) {
        return;
    }
    if (v) {
        batch_set_bytes(rows(f), (uint32_t)at, row, v, strlen(v));
    } else {
        batch_set_null(rows(f), (uint32_t)at, row);
    }
}

/* Everything but the key was not sent. */
static inline void only_key(struct fixture *f, uint32_t row)
{
    for (uint32_t i = 0; i < f->schema->column_count; i++) {
        if (!f->schema->columns[i].is_key) {
            batch_set_unchanged(rows(f), i, row);
        }
    }
}

fake_unused static bool flush_rows(struct fixture *f, bool loading, struct error *err)
{
    owned(batch_free) struct batch *b = take(f->batch);
    if (!b) {
        return true;
    }
    struct error bad = {0};
    b->loading = loading;
    if (loading) {
        memset(b->positions, 0, b->row_count * sizeof(*b->positions));
        memset(b->commit_times_us, 0, b->row_count * sizeof(*b->commit_times_us));
        memset(b->transactions, 0, b->row_count * sizeof(*b->transactions));
    }
    assert_done(batch_check(b, &bad), &bad);
    return table_apply(f->table, b, err);
}

/* From here on positions are sets, in which every tenth transaction is. */
fake_unused static void use_gtids(struct fixture *f)
{
    f->source = gtid_source(SERVER_A);
    f->gtids = position_empty_set();
}

static inline struct position position_now(struct fixture *f)
{
    if (!f->source) {
        return position_integer(f->position);
    }
    position_add(&f->gtids, f->source, f->position, 0);
    return f->gtids;
}

fake_unused static void truncate_rows(struct fixture *f)
{
    struct error err = {0};
    struct position position =
        f->source ? position_transaction(f->source, f->position) : position_integer(f->position);
    assert_true(table_truncate(f->table, position, f->position, &err));
}

fake_unused static bool try_commit(struct fixture *f, enum barrier_phase phase, struct error *err)
{
    struct barrier barrier = {.epoch = f->epoch, .position = position_now(f), .phase = phase};
    return table_commit(f->table, &barrier, (struct position){0}, false, err);
}

/* Applies what was added, ends the epoch, and moves to the next position. */
fake_unused static void commit(struct fixture *f, enum barrier_phase phase)
{
    struct error err = {0};
    assert_done(flush_rows(f, phase == PHASE_LOADING, &err), &err);
    f->epoch++;
    assert_done(try_commit(f, phase, &err), &err);
    f->position += 10;
}

/* ---- reading back ---- */

struct texts {
    struct arena arena;
    char **items;
    size_t count;
};

static inline int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void add_text(struct texts *out, struct str s)
{
    char **items = arena_array(&out->arena, out->count + 1, sizeof(*items));
    if (out->count > 0) {
        memcpy(items, out->items, out->count * sizeof(*items));
    }
    items[out->count++] = arena_string(&out->arena, s.data, s.size);
    out->items = items;
}

/* Every row of a file as "<change>|<column>|<column>...", null as ~. Without change for data files.
 */
static inline void file_texts(const struct fixture *f, const struct lake_file *file, bool is_change,
                              struct texts *out)
{
    struct error err = {0};
    const struct lake_snapshot *s = &f->held->snapshot;
    owned(buf_release) struct buf sql = {0};
    owned(buf_release) struct buf path = {0};
    assert_true(store_fetch(f->held->store, file->path, &path, &err));
    buf_append_text(&sql, "SELECT concat_ws('|', ");
    buf_append_text(&sql, is_change ? "k" : "''");
    for (uint32_t i = 0; i < s->schema->column_count; i++) {
        const char *constant = NULL;
        bool is_constant = false;
        for (uint32_t k = 0; k < s->partition_count; k++) {
            if (s->partition[k].column == i) {
                is_constant = true;
                constant = file->partition[k] ? file->partition[k] : "~";
            }
        }
        buf_append_text(&sql, ", ");
        if (is_constant) {
            buf_append_literal(&sql, constant);
        } else {
            buf_append_format(&sql, "coalesce(c%u, '~')", i);
        }
    }
    buf_append_text(&sql, ") FROM read_parquet(");
    buf_append_literal(&sql, buf_text(&path));
    buf_append_text(&sql, ", hive_partitioning = false, schema = MAP {");
    for (uint32_t i = 0; i < s->schema->column_count; i++) {
        buf_append_literal(&sql, s->schema->columns[i].name);
        buf_append_format(&sql, ": {name: 'c%u', type: 'VARCHAR', default_value: NULL}, ", i);
    }
    buf_append_text(&sql, is_change
                              ? "'_change_type': {name: 'k', type: 'VARCHAR', default_value: NULL}"
                              : "'-': {name: 'k', type: 'VARCHAR', default_value: NULL}");
    buf_append_text(&sql, "})");
    static const char *const gone[] = {"gone"};
    uint32_t deleted_count = 0;
    int64_t *deleted = NULL;
    struct column deleted_column = {.type = {.kind = TYPE_INT64}};
    if (file->deleted && !is_change) {
        deleted_count = (uint32_t)roaring_bitmap_get_cardinality(file->deleted);
        uint32_t *numbers = calloc(deleted_count, sizeof(*numbers));
        deleted = calloc(deleted_count, sizeof(*deleted));
        roaring_bitmap_to_uint32_array(file->deleted, numbers);
        for (uint32_t i = 0; i < deleted_count; i++) {
            deleted[i] = numbers[i];
        }
        free(numbers);
        deleted_column.values = deleted;
        engine_bind(f->connection, 1,
                    &(struct engine_input){gone, &deleted_column, 1, deleted_count});
        buf_append_text(&sql, " WHERE file_row_number NOT IN (SELECT gone FROM ");
        engine_append_slot(f->connection, 1, &sql);
        buf_append_text(&sql, ")");
    }
    struct engine_rows *r = engine_query(f->connection, buf_text(&sql), &err);
    assert_done(r != NULL, &err);
    const struct column *columns = NULL;
    uint32_t count = 0;
    do {
        assert_done(engine_rows_next(r, &columns, &count, &err), &err);
        for (uint32_t i = 0; i < count; i++) {
            add_text(out, view_str(&((const struct view *)columns[0].values)[i]));
        }
    } while (count > 0);
    engine_rows_free(&r);
    free(deleted);
}

/* The table's live rows, sorted: "|1|a|~". */
fake_unused static struct texts table_texts(const struct fixture *f)
{
    struct texts out = {0};
    for (uint32_t i = 0; i < f->held->snapshot.slot_count; i++) {
        if (f->held->files[i]) {
            file_texts(f, f->held->files[i], false, &out);
        }
    }
    if (out.count > 0) {
        qsort(out.items, out.count, sizeof(*out.items), compare_texts);
    }
    return out;
}

static inline void join_texts(struct texts *t, struct buf *out)
{
    for (size_t i = 0; i < t->count; i++) {
        buf_append_text(out, i > 0 ? " " : "");
        buf_append_text(out, t->items[i]);
    }
    arena_release(&t->arena);
}

/* Compares the table's rows, joined by spaces. */
fake_unused static void assert_rows(const struct fixture *f, const char *expected)
{
    struct texts t = table_texts(f);
    owned(buf_release) struct buf all = {0};
    join_texts(&t, &all);
    assert_string_equal(buf_text(&all), expected);
}

/* Compares the changes that the newest version shows. */
fake_unused static void assert_changes(const struct fixture *f, const char *expected)
{
    const struct fake_version *v = &f->lake->versions[f->lake->version_count - 1];
    struct texts t = {0};
    for (uint32_t i = 0; i < v->change_count; i++) {
        file_texts(f, &v->changes[i], true, &t);
    }
    if (t.count > 0) {
        qsort(t.items, t.count, sizeof(*t.items), compare_texts);
    }
    owned(buf_release) struct buf all = {0};
    join_texts(&t, &all);
    assert_string_equal(buf_text(&all), expected);
}

/* ---- replaying the feed ---- */

static inline void replay_remove(struct map *held, const char *row)
{
    if (!map_remove(held, str_from(row))) {
        fail_msg("the feed removes %s, which is not there", row);
    }
}

static inline void replay_add(struct map *held, const char *row)
{
    if (map_put(held, str_from(row), held)) {
        fail_msg("the feed adds %s, which is there already", row);
    }
}

static inline bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Each key may change once in a version: "|<first column>" is the key. */
static inline void count_change(struct map *keys, const char *row, const char *what)
{
    owned(buf_release) struct buf key = {0};
    const char *end = strchr(row + 1, '|');
    buf_append_text(&key, what);
    buf_append(&key, row, end ? (size_t)(end - row) : strlen(row));
    if (map_put(keys, buf_str(&key), keys)) {
        fail_msg("the feed names %s twice in a version", buf_text(&key));
    }
}

static inline void replay_version(const struct fixture *f, const struct fake_version *v,
                                  struct map *held)
{
    struct texts changes = {0};
    struct map keys = {0};
    if (v->truncate) {
        map_release(held, NULL);
    }
    for (uint32_t i = 0; i < v->change_count; i++) {
        file_texts(f, &v->changes[i], true, &changes);
    }
    if (v->change_count == 0) {
        assert_false(v->has_vectors); /* deletes need a change file */
        for (uint32_t i = 0; i < v->file_count; i++) {
            struct lake_file plain = v->files[i];
            plain.deleted = NULL;
            file_texts(f, &plain, false, &changes);
        }
        for (size_t i = 0; i < changes.count; i++) {
            count_change(&keys, changes.items[i], "+");
            replay_add(held, changes.items[i]);
        }
    } else {
        for (size_t i = 0; i < changes.count; i++) {
            const char *row = strchr(changes.items[i], '|');
            if (starts_with(changes.items[i], "delete|") ||
                starts_with(changes.items[i], "update_preimage|")) {
                count_change(&keys, row, "-");
                replay_remove(held, row);
            }
        }
        for (size_t i = 0; i < changes.count; i++) {
            const char *row = strchr(changes.items[i], '|');
            if (starts_with(changes.items[i], "insert|") ||
                starts_with(changes.items[i], "update_postimage|")) {
                count_change(&keys, row, "+");
                replay_add(held, row);
            }
        }
    }
    arena_release(&changes.arena);
    map_release(&keys, NULL);
}

/* The feed of all versions makes exactly the table. */
fake_unused static void assert_feed_makes_table(const struct fixture *f)
{
    struct map held = {0};
    for (uint32_t i = 0; i < f->lake->version_count; i++) {
        replay_version(f, &f->lake->versions[i], &held);
    }
    struct texts t = table_texts(f);
    for (size_t i = 0; i < t.count; i++) {
        replay_remove(&held, t.items[i]);
    }
    assert_int_equal(held.count, 0);
    arena_release(&t.arena);
    map_release(&held, NULL);
}
