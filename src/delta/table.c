#include "delta/table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "delta/at.h"
#include "delta/checkpoint.h"
#include "delta/delta.h"
#include "delta/log.h"
#include "delta/path.h"
#include "delta/protocol.h"
#include "delta/record.h"
#include "delta/schema.h"
#include "delta/stats.h"
#include "delta/vector.h"

enum { CHECKPOINT_INTERVAL = 50, ARENA_SLACK = 1 << 20 };
static const int64_t retention_ms = INT64_C(7) * 86400000;

static struct delta_table *table_of(struct lake_table *t)
{
    return (struct delta_table *)t;
}

/* --- the snapshot --- */

static bool show_metadata(struct delta_table *t, struct error *err)
{
    struct lake_snapshot *snapshot = &t->base.snapshot;
    const struct delta_metadata *m = &t->state.metadata;
    if (!delta_protocol_check_reader(&t->state, err) ||
        (t->domain && !delta_protocol_check_writer(&t->state, err))) {
        return false;
    }
    owned(schema_free) struct schema *schema = delta_schema_parse(m->schema, err);
    struct delta_mapping mapping = {0};
    if (!schema || !delta_mapping_read(m, schema, &mapping, err)) {
        return false;
    }
    uint32_t count = m->partition_columns.count;
    struct lake_partition_field *fields = calloc(count + 1, sizeof(*fields));
    if (!fields) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        int found = schema_find(schema, str_from(m->partition_columns.items[i]));
        if (found < 0) {
            free(fields);
            return error_set(err, ERROR_DATA, "partition column \"%s\" is not in the schema",
                             m->partition_columns.items[i]);
        }
        fields[i] = (struct lake_partition_field){.name = schema->columns[found].name,
                                                  .column = (uint32_t)found};
    }
    schema_release(snapshot->schema);
    free(t->partition);
    free(t->table_id);
    t->partition = fields;
    t->table_id = strdup(m->id);
    if (!t->table_id) {
        abort();
    }
    snapshot->schema = take(schema);
    t->mapping = mapping;
    snapshot->column_names = mapping.names;
    snapshot->column_ids = mapping.ids;
    snapshot->table_id = t->table_id;
    snapshot->partition = fields;
    snapshot->partition_count = count;
    snapshot->has_feed = delta_property_is_true(m, "delta.enableChangeDataFeed");
    t->state.metadata_changed = false;
    return true;
}

static bool show_record(struct delta_table *t, struct error *err)
{
    const struct delta_domain *domain =
        t->domain ? map_get(&t->state.domains, str_from(t->domain)) : NULL;
    struct lake_snapshot *snapshot = &t->base.snapshot;
    snapshot->has_record = domain && !domain->removed;
    return !snapshot->has_record ||
           delta_record_parse(domain->configuration, &snapshot->record, err) ||
           error_wrap(err, "domain \"%s\"", t->domain);
}

/* A writer may leave out the number of rows; the file has it. */
static bool count_rows(struct delta_table *t, const char *key, uint64_t *row_count,
                       struct error *err)
{
    owned(buf_release) struct buf path = {0};
    owned(buf_release) struct buf sql = {0};
    int64_t count = 0;
    if (!t->engine) {
        return error_set(err, ERROR_CONFIG, "file \"%s\" has no row count in the log", key);
    }
    if (!store_fetch(t->base.store, key, &path, err)) {
        return error_recast(err, ERROR_LOST);
    }
    buf_append_text(&sql, "SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata(");
    engine_append_path(buf_text(&path), &sql);
    buf_append_text(&sql, ")");
    if (!engine_query_int64(t->engine, buf_text(&sql), &count, err)) {
        return false;
    }
    *row_count = (uint64_t)count;
    return true;
}

static bool show_vector(struct delta_table *t, struct delta_live *live, struct error *err)
{
    const struct delta_vector *v = live->file.vector;
    if (v && !live->bitmap) {
        live->bitmap = delta_vector_read(t->base.store, v, live->lake.row_count, err);
        if (!live->bitmap) {
            /* Unreadable deletes are never no deletes. */
            return err->kind == ERROR_CONFLICT ? error_recast(err, ERROR_LOST) : false;
        }
    }
    live->lake.deleted = live->bitmap;
    live->lake.deleted_count = v ? (uint64_t)v->cardinality : 0;
    return true;
}

static bool show_file(struct delta_table *t, struct delta_live *live, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    const struct delta_strings *columns = &t->state.metadata.partition_columns;
    if (!delta_path_key(live->file.path, &key, err)) {
        return false;
    }
    const char **partition = arena_array(&t->arena, columns->count, sizeof(*partition));
    for (uint32_t i = 0; i < columns->count; i++) {
        const char *name = t->mapping.names[t->partition[i].column];
        const char *value = pairs_get(&live->file.partition, name);
        partition[i] = value && value[0] ? arena_string(&t->arena, value, strlen(value)) : NULL;
    }
    struct lake_file *f = &live->lake;
    f->path = arena_string(&t->arena, key.data, key.size);
    f->partition = partition;
    f->size = (uint64_t)live->file.size;
    if (!delta_stats_row_count(live->file.stats, &f->row_count) &&
        !count_rows(t, f->path, &f->row_count, err)) {
        return false;
    }
    if (!show_vector(t, live, err)) {
        return error_wrap(err, "file \"%s\"", f->path);
    }
    live->complete = true;
    if (delta_live_is_spent(live)) {
        t->state.slots[f->slot] = NULL;
        t->state.files_changed = true;
        t->spent_count++;
    }
    return true;
}

bool delta_live_is_spent(const struct delta_live *live)
{
    return live->complete && live->lake.deleted_count > 0 &&
           live->lake.deleted_count >= live->lake.row_count;
}

bool delta_table_show(struct delta_table *t, struct error *err)
{
    struct lake_snapshot *snapshot = &t->base.snapshot;
    snapshot->version = t->state.version;
    snapshot->exists = t->state.version >= 0;
    if (!snapshot->exists) {
        return true;
    }
    bool rewrite = t->arena.bytes > 2 * t->arena_live + ARENA_SLACK;
    struct arena old = rewrite ? t->arena : (struct arena){0};
    t->arena = rewrite ? (struct arena){0} : t->arena;
    bool ok = (!t->state.metadata_changed || show_metadata(t, err)) && show_record(t, err);
    for (uint32_t i = 0; ok && i < t->state.slot_count; i++) {
        struct lake_file *file = t->state.slots[i];
        if (file && (rewrite || !delta_live_of(file)->complete)) {
            ok = show_file(t, delta_live_of(file), err);
        }
    }
    arena_release(&old);
    if (rewrite) {
        t->arena_live = t->arena.bytes;
    }
    t->base.files = t->state.slots;
    snapshot->slot_count = t->state.slot_count;
    return ok;
}

/* --- open, refresh --- */

static void delta_free(struct lake_table *base)
{
    struct delta_table *t = table_of(base);
    schema_release(t->base.snapshot.schema);
    delta_state_release(&t->state);
    arena_release(&t->arena);
    store_free(&t->base.store);
    free(t->location);
    free(t->domain);
    free(t->table_id);
    free(t->partition);
    free(t);
}

static void free_table(struct delta_table **t)
{
    if (*t) {
        delta_free(&take(*t)->base);
    }
}

static bool load(struct delta_table *t, struct error *err)
{
    return delta_log_replay(t->base.store, t->engine, t->until, &t->state, &t->last_checkpoint,
                            err) &&
           delta_table_show(t, err);
}

static bool open_at(struct delta_table *t, const struct lake_options *options, struct error *err)
{
    t->base.store = store_open(options->location, err);
    if (!t->base.store) {
        return false;
    }
    if (options->at.kind != LAKE_NEWEST && options->pipeline) {
        return error_set(err, ERROR_CONFIG, "an older version can only be read");
    }
    return delta_at_version(t->base.store, &options->at, &t->until, err) && load(t, err);
}

static struct lake_table *delta_open(const struct lake_options *options, struct error *err)
{
    owned(free_table) struct delta_table *t = calloc(1, sizeof(*t));
    if (!t) {
        abort();
    }
    t->base.type = &delta_lake;
    t->base.snapshot.version = -1;
    t->engine = options->engine;
    t->last_checkpoint = -1;
    delta_state_init(&t->state);
    t->location = strdup(options->location);
    t->domain = options->pipeline ? delta_record_name(options->pipeline) : NULL;
    if (!open_at(t, options, err)) {
        (void)error_wrap(err, "table \"%s\"", options->location);
        return NULL;
    }
    return &take(t)->base;
}

static bool refuse_foreign(const struct delta_table *t, int64_t version, const char *operation,
                           struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table \"%s\": another writer changed rows in version %" PRId64
                     " (%s); reload the table, or restore it to version %" PRId64,
                     t->location, version, operation, t->base.snapshot.record.version);
}

/* Applies the next version if there is one. */
static bool refresh_one(struct delta_table *t, bool *found, struct error *err)
{
    struct arena arena = {0};
    struct delta_actions actions = {.arena = &arena};
    int64_t version = t->state.version + 1;
    enum delta_foreign kind = DELTA_FOREIGN_NONE;
    struct lake_record record;
    const char *operation = NULL;
    bool ok = delta_log_read(t->base.store, version, &actions, found, err);
    if (ok && *found) {
        ok = delta_commit_classify(t, &actions, &kind, &record, &operation, err);
        bool foreign_rows = kind == DELTA_FOREIGN_ROWS && t->base.snapshot.has_record;
        bool foreign_record = kind == DELTA_FOREIGN_OURS && t->base.snapshot.has_record &&
                              strcmp(record.txn_id, t->unresolved) != 0;
        ok = ok &&
             (!(foreign_rows || foreign_record) || refuse_foreign(t, version, operation, err)) &&
             delta_state_apply(&t->state, version, actions.items, actions.count, err);
    }
    arena_release(&arena);
    return ok;
}

static bool delta_refresh(struct lake_table *base, bool *files_changed, struct error *err)
{
    struct delta_table *t = table_of(base);
    t->state.files_changed = false;
    if (t->until >= 0) { /* what an older version is does not change */
        *files_changed = false;
        return true;
    }
    if (!t->base.snapshot.exists) {
        if (!load(t, err)) {
            return error_wrap(err, "table \"%s\"", t->location);
        }
    } else {
        bool found = true;
        while (found) {
            if (!refresh_one(t, &found, err)) {
                return false;
            }
        }
        if (!delta_table_show(t, err)) {
            return error_wrap(err, "table \"%s\"", t->location);
        }
    }
    t->unresolved[0] = '\0';
    *files_changed = t->state.files_changed;
    t->state.files_changed = false;
    return true;
}

/* --- check --- */

static const char way_back[] = "; reload the table, or compare it with the source first";

static bool lost(const struct delta_table *t, struct error *err, const char *what)
{
    return error_set(err, ERROR_LOST, "table \"%s\" %s%s", t->location, what, way_back);
}

/* Our last commit must still be the one that we made: numbers alone come back after a restore. */
static bool check_last_commit(struct delta_table *t, const struct lake_expectation *expected,
                              struct error *err)
{
    const struct lake_record *record = &t->base.snapshot.record;
    if (record->version < expected->version) {
        return error_set(err, ERROR_LOST,
                         "table \"%s\" was rolled back: we left it at version %" PRId64
                         ", its record is of version %" PRId64 "%s",
                         t->location, expected->version, record->version, way_back);
    }
    struct arena arena = {0};
    struct delta_actions actions = {.arena = &arena};
    struct lake_record found_record = *record;
    enum delta_foreign kind = DELTA_FOREIGN_NONE;
    const char *operation = NULL;
    bool found = record->version == expected->version;
    bool ok = true;
    if (!found) { /* we committed once more without remembering it */
        ok = delta_log_read(t->base.store, expected->version, &actions, &found, err) &&
             delta_commit_classify(t, &actions, &kind, &found_record, &operation, err);
        found = found && ok && kind == DELTA_FOREIGN_OURS;
    }
    bool same = found && strcmp(found_record.txn_id, expected->txn_id) == 0;
    arena_release(&arena);
    if (ok && !same) {
        return error_set(err, ERROR_LOST,
                         "table \"%s\": version %" PRId64 " is not the commit we made (%s)%s",
                         t->location, expected->version, expected->txn_id, way_back);
    }
    return ok;
}

/* No commit since ours may have changed rows; one that can no longer be read may have. */
static bool check_since(struct delta_table *t, struct error *err)
{
    for (int64_t v = t->base.snapshot.record.version + 1; v <= t->base.snapshot.version; v++) {
        struct arena arena = {0};
        struct delta_actions actions = {.arena = &arena};
        struct lake_record record;
        enum delta_foreign kind = DELTA_FOREIGN_NONE;
        const char *operation = NULL;
        bool found = false;
        bool ok = delta_log_read(t->base.store, v, &actions, &found, err) &&
                  delta_commit_classify(t, &actions, &kind, &record, &operation, err);
        if (ok && !found) {
            ok = error_set(err, ERROR_LOST,
                           "table \"%s\": commit %" PRId64
                           " was cleaned from the log, so what others changed since our version "
                           "%" PRId64 " is not known%s",
                           t->location, v, t->base.snapshot.record.version, way_back);
        }
        ok = ok && (kind != DELTA_FOREIGN_ROWS || refuse_foreign(t, v, operation, err));
        arena_release(&arena);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool delta_check(struct lake_table *base, const struct lake_expectation *expected,
                        struct error *err)
{
    struct delta_table *t = table_of(base);
    const struct lake_snapshot *snapshot = &base->snapshot;
    if (expected->table_id) {
        if (!snapshot->exists) {
            return lost(t, err, "is gone");
        }
        if (strcmp(snapshot->table_id, expected->table_id) != 0) {
            return lost(t, err, "is another table than we left: it was dropped and made anew");
        }
        if (!snapshot->has_record) {
            return lost(t, err, "has lost the record of its position");
        }
        if (!check_last_commit(t, expected, err)) {
            return false;
        }
    }
    return !snapshot->has_record || check_since(t, err);
}

/* --- maintenance --- */

static int64_t checkpoint_interval(const struct delta_metadata *m)
{
    const char *text = pairs_get(&m->configuration, "delta.checkpointInterval");
    long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 ? n : CHECKPOINT_INTERVAL;
}

static bool delta_maintain(struct lake_table *base, struct error *err)
{
    struct delta_table *t = table_of(base);
    const struct delta_metadata *m = &t->state.metadata;
    if (!base->snapshot.exists || !t->engine ||
        t->state.version - t->last_checkpoint < checkpoint_interval(m)) {
        return true;
    }
    int64_t keep_ms =
        delta_property_interval_ms(m, "delta.deletedFileRetentionDuration", retention_ms);
    delta_state_expire(&t->state, clock_wall_us() / 1000 - keep_ms);
    if (!delta_checkpoint_write(base->store, t->engine, &t->state, err)) {
        return error_wrap(err, "table \"%s\"", t->location);
    }
    t->last_checkpoint = t->state.version;
    return true;
}

const struct lake_type delta_lake = {
    .name = "delta",
    .data_directory = "",
    .stored_type = delta_stored_type,
    .open = delta_open,
    .create = delta_create,
    .refresh = delta_refresh,
    .check = delta_check,
    .commit = delta_commit,
    .maintain = delta_maintain,
    .free = delta_free,
};
