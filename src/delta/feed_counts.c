#include "delta/feed_counts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "delta/log.h"
#include "delta/path.h"

struct count {
    struct store *store;
    struct engine_connection *engine;
    struct delta_feed_counts *out;
};

static void free_buf(struct buf *b)
{
    buf_release(b);
}

static void free_arena(struct arena *a)
{
    arena_release(a);
}

static void free_entries(struct delta_log_entry **entries)
{
    free(*entries);
}

/* Counts the rows of one Parquet file for which a condition holds. */
static bool count_rows(const struct count *c, const struct delta_file *file, const char *condition,
                       uint64_t *out, struct error *err)
{
    owned(free_buf) struct buf key = {0};
    owned(free_buf) struct buf path = {0};
    owned(free_buf) struct buf sql = {0};
    if (!delta_path_key(file->path, &key, err) ||
        !store_fetch(c->store, buf_text(&key), &path, err)) {
        return false;
    }
    buf_append_text(&sql, "SELECT count(*) FROM read_parquet(");
    buf_append_literal(&sql, buf_text(&path));
    buf_append_format(&sql, ", hive_partitioning = false) WHERE %s", condition);
    int64_t rows = 0;
    if (!engine_query_int64(c->engine, buf_text(&sql), &rows, err)) {
        return false;
    }
    *out += (uint64_t)rows;
    return true;
}

static bool count_change_file(const struct count *c, const struct delta_file *file,
                              struct error *err)
{
    return count_rows(c, file, "_change_type = 'insert'", &c->out->inserts, err) &&
           count_rows(c, file, "_change_type = 'update_postimage'", &c->out->updates, err) &&
           count_rows(c, file, "_change_type = 'delete'", &c->out->deletes, err);
}

static bool count_data_file(const struct count *c, const struct delta_action *action,
                            struct error *err)
{
    const struct delta_file *file = &action->file;
    uint64_t rows = 0;
    if (!count_rows(c, file, "true", &rows, err)) {
        return false;
    }
    rows -= file->vector ? (uint64_t)file->vector->cardinality : 0;
    *(action->kind == DELTA_ADD ? &c->out->inserts : &c->out->deletes) += rows;
    return true;
}

static bool count_version(const struct count *c, int64_t version, struct error *err)
{
    owned(free_arena) struct arena a = {0};
    struct delta_actions actions = {.arena = &a};
    bool found = false;
    bool has_change_files = false;
    if (!delta_log_read(c->store, version, &actions, &found, err)) {
        return false;
    }
    for (size_t i = 0; i < actions.count; i++) {
        has_change_files = has_change_files || actions.items[i].kind == DELTA_CDC;
    }
    for (size_t i = 0; i < actions.count; i++) {
        const struct delta_action *action = &actions.items[i];
        bool is_data = action->kind == DELTA_ADD || action->kind == DELTA_REMOVE;
        if (action->kind == DELTA_CDC ? !count_change_file(c, &action->file, err)
                                      : is_data && !has_change_files && action->file.data_change &&
                                            !count_data_file(c, action, err)) {
            return error_wrap(err, "change feed of version %" PRId64, version);
        }
    }
    return true;
}

bool delta_feed_count(struct store *store, struct engine_connection *engine,
                      struct delta_feed_counts *out, struct error *err)
{
    struct count count = {.store = store, .engine = engine, .out = out};
    owned(free_entries) struct delta_log_entry *entries = NULL;
    size_t entry_count = 0;
    if (!delta_log_list(store, 0, &entries, &entry_count, err)) {
        return false;
    }
    for (size_t i = 0; i < entry_count; i++) {
        if (!count_version(&count, entries[i].version, err)) {
            return false;
        }
    }
    return true;
}
