/* A Delta table with real files, and its changes as text. */
#pragma once

#include "delta/path.h"
#include "lake/changes.h"
#include "table_fixture.h"

struct feed_fixture {
    struct fixture *f;
    struct engine *engine;
    struct engine_connection *connection;
};

static inline int feed_set_up(void **state)
{
    struct feed_fixture *e = calloc(1, sizeof(*e));
    struct error err = {0};
    assert_non_null(e);
    void *inner = NULL;
    assert_int_equal(fixture_set_up_created(&inner), 0);
    e->f = inner;
    e->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(e->engine);
    e->connection = engine_connect(e->engine, &err);
    assert_non_null(e->connection);
    *state = e;
    return 0;
}

static inline int feed_tear_down(void **state)
{
    struct feed_fixture *e = *state;
    void *inner = e->f;
    assert_int_equal(fixture_tear_down(&inner), 0);
    engine_disconnect(&e->connection);
    engine_free(&e->engine);
    free(e);
    return 0;
}

/* Writes a file: the rows of `select`, which has all columns but the partition's. */
static inline struct lake_new_file write_file(struct feed_fixture *e, const char *select,
                                              bool is_change)
{
    struct lake_new_file file = fixture_file(e->f, 0);
    struct error err = {0};
    struct buf path = {0};
    if (is_change) {
        file.path =
            lake_change_path(&e->f->arena, &(struct lake_partition_field){.name = "p", .column = 1},
                             1, file.partition);
    }
    assert_true(store_stage(e->f->table->store, file.path, &path, &err));
    struct engine_parquet parquet = {.path = buf_text(&path)};
    assert_true(
        engine_write_parquet(e->connection, select, &parquet, &file.row_count, &file.size, &err));
    assert_true(store_publish(e->f->table->store, &file.path, 1, &err));
    buf_release(&path);
    return file;
}

static inline uint32_t commit_file(struct feed_fixture *e, const char *select)
{
    struct lake_new_file file = write_file(e, select, false);
    struct lake_commit commit = fixture_commit(e->f);
    struct error err = {0};
    uint32_t slot = 0;
    commit.files = &file;
    commit.file_count = 1;
    assert_true(delta_lake.commit(e->f->table, &commit, &slot, &err));
    return slot;
}

/* Which changes a test asks for; versions, not indexes. -1: the oldest, the newest. */
struct asked {
    int64_t from;
    int64_t to;
    struct lake_changes_options options;
};

static const struct asked everything = {
    .from = -1, .to = -1, .options = {.inserts = true, .updates = true, .deletes = true}};

/* A reader and the history it is over. */
struct feed {
    struct lake_history *history;
    struct lake_changes *changes;
};

static inline bool open_feed(struct feed_fixture *e, struct asked asked, struct feed *out,
                             struct error *err)
{
    struct lake_options table = {.location = e->f->location};
    *out = (struct feed){0};
    out->history = delta_history.open(
        &(struct lake_history_options){.table = &table, .engine = e->connection, .to = asked.to},
        err);
    if (!out->history) {
        return false;
    }
    asked.options.history = out->history;
    asked.options.engine = e->connection;
    asked.options.last = out->history->version_count - 1;
    if ((asked.from < 0 ||
         lake_history_find(out->history, asked.from, &asked.options.first, err)) &&
        (asked.to < 0 || lake_history_find(out->history, asked.to, &asked.options.last, err))) {
        out->changes = lake_changes_open(&asked.options, err);
    }
    return out->changes != NULL;
}

static inline void close_feed(struct feed *feed)
{
    lake_changes_free(&feed->changes);
    lake_history_free(&feed->history);
}

/* The feed as text: "version type id partition" a line, in the order of versions. */
static inline void assert_feed(struct feed_fixture *e, struct asked asked, const char *expected)
{
    struct error err = {0};
    struct buf out = {0};
    struct feed feed;
    if (!open_feed(e, asked, &feed, &err)) {
        fail_msg("%s", err.message);
    }
    for (;;) {
        const struct column *columns = NULL;
        uint32_t count = 0;
        size_t version = 0;
        if (!lake_changes_next(feed.changes, &columns, &count, &version, &err)) {
            fail_msg("%s", err.message);
        }
        if (count == 0) {
            break;
        }
        for (uint32_t i = 0; i < count; i++) {
            struct str type = view_str(&((const struct view *)columns[2].values)[i]);
            struct str partition = view_str(&((const struct view *)columns[1].values)[i]);
            int64_t id = ((const int64_t *)columns[3].values)[i];
            assert_int_equal(feed.history->versions[version].id, id);
            buf_append_format(&out, "%" PRId64 " %.*s %d %.*s\n", id, str_arg(type),
                              ((const int32_t *)columns[0].values)[i], str_arg(partition));
        }
    }
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
    close_feed(&feed);
}

static inline void assert_counts(struct feed_fixture *e, uint64_t inserts, uint64_t updates,
                                 uint64_t deletes)
{
    struct lake_changes_stats counts;
    struct lake_changes_options options = everything.options;
    struct lake_options table = {.location = e->f->location};
    struct error err = {0};
    options.engine = e->connection;
    options.history = delta_history.open(
        &(struct lake_history_options){.table = &table, .engine = e->connection, .to = -1}, &err);
    assert_non_null(options.history);
    options.last = options.history->version_count - 1;
    assert_true(lake_changes_count(&options, &counts, &err));
    assert_int_equal(counts.inserts, inserts);
    assert_int_equal(counts.updates, updates);
    assert_int_equal(counts.deletes, deletes);
    lake_history_free(&options.history);
}

/* The log's text of an action of another writer about a file; `more` is what the action says
 * besides: ",\"dataChange\":true". */
static inline void append_action(const char *kind, const struct lake_new_file *file,
                                 const char *more, struct buf *out)
{
    buf_append_format(out, "{\"%s\":{\"path\":\"", kind);
    delta_path_encode(file->path, out);
    buf_append_format(out, "\",\"size\":%" PRIu64 ",\"modificationTime\":1%s}}\n", file->size,
                      more);
}

static const char whole[] = ",\"partitionValues\":{\"p\":\"a b%/\"},\"dataChange\":true";

/* Metadata of the same table as another writer leaves it, with these properties. */
static inline void append_metadata(const struct feed_fixture *e, const char *configuration,
                                   struct buf *out)
{
    buf_append_format(
        out,
        "{\"metaData\":{\"id\":\"%s\",\"format\":{\"provider\":\"parquet\"},\"schemaString\":\""
        "{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":"
        "\\\"integer\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},{\\\"name\\\":\\\"p\\\","
        "\\\"type\\\":\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
        "\"partitionColumns\":[\"p\"],\"configuration\":{%s}}}\n",
        e->f->table->snapshot.table_id, configuration);
}

static inline void commit_foreign(const struct feed_fixture *e, int64_t version, struct buf *text)
{
    fixture_foreign(e->f, version, buf_text(text));
    buf_clear(text);
}

#define test_with_feed(name) cmocka_unit_test_setup_teardown(name, feed_set_up, feed_tear_down)
