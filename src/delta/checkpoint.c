#include "delta/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/failpoint.h"
#include "base/file.h"

/* --- reading --- */

static bool decode_rows(struct engine_rows *rows, const char *action, struct delta_actions *out,
                        struct error *err)
{
    owned(buf_release) struct buf line = {0};
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!engine_rows_next(rows, &columns, &row_count, err)) {
            return false;
        }
        if (row_count == 0) {
            return true;
        }
        for (uint32_t i = 0; i < row_count; i++) {
            struct str text = view_str(&((const struct view *)columns[0].values)[i]);
            buf_clear(&line);
            buf_append_format(&line, "{\"%s\":", action);
            buf_append(&line, text.data, text.size);
            buf_append_char(&line, '}');
            if (!delta_actions_decode(buf_str(&line), out, err)) {
                return false;
            }
        }
    }
}

static bool read_actions(struct engine_connection *engine, const char *path, const char *action,
                         struct delta_actions *out, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT to_json(");
    buf_append_identifier(&sql, action);
    buf_append_text(&sql, ")::VARCHAR FROM read_parquet(");
    engine_append_path(path, &sql);
    buf_append_text(&sql, ") WHERE ");
    buf_append_identifier(&sql, action);
    buf_append_text(&sql, " IS NOT NULL");
    owned(engine_rows_free) struct engine_rows *rows = engine_query(engine, buf_text(&sql), err);
    return rows && decode_rows(rows, action, out, err);
}

/* The names of the columns that the file has, of those that we read. */
static bool read_columns(struct engine_connection *engine, const char *path, struct buf *out,
                         struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT coalesce(string_agg(column_name, ','), '') FROM "
                          "(DESCRIBE SELECT * FROM read_parquet(");
    engine_append_path(path, &sql);
    buf_append_text(&sql, "))");
    return engine_query_text(engine, buf_text(&sql), out, err);
}

static bool has_name(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, ",");
        if (n == size && memcmp(p, name, n) == 0) {
            return true;
        }
        p += n + (p[n] == ',');
    }
    return false;
}

bool delta_checkpoint_read(struct store *store, struct engine_connection *engine, const char *key,
                           struct delta_actions *out, struct error *err)
{
    static const char *const kinds[] = {"sidecar",        "protocol", "metaData", "txn",
                                        "domainMetadata", "remove",   "add"};
    if (!engine) {
        return error_set(err, ERROR_CONFIG, "\"%s\": a checkpoint needs the engine to be read",
                         key);
    }
    owned(buf_release) struct buf path = {0};
    owned(buf_release) struct buf names = {0};
    if (!store_fetch(store, key, &path, err) ||
        !read_columns(engine, buf_text(&path), &names, err)) {
        return error_wrap(err, "checkpoint \"%s\"", key);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t before = out->count;
        if (!has_name(buf_text(&names), kinds[i])) {
            continue;
        }
        if (!read_actions(engine, buf_text(&path), kinds[i], out, err)) {
            return error_wrap(err, "checkpoint \"%s\"", key);
        }
        if (i == 0 && out->count > before) {
            return error_set(err, ERROR_CONFIG,
                             "\"%s\" is a V2 checkpoint, which is not read; write a classic one: "
                             "delta.checkpointPolicy = classic",
                             key);
        }
    }
    return true;
}

/* --- writing --- */

/* The columns as the protocol names them. The engine makes maps of objects only if it is told. */
#define MAP_TYPE "\"MAP(VARCHAR, VARCHAR)\""
#define VECTOR_TYPE                                                                       \
    "{\"storageType\":\"VARCHAR\",\"pathOrInlineDv\":\"VARCHAR\",\"offset\":\"INTEGER\"," \
    "\"sizeInBytes\":\"INTEGER\",\"cardinality\":\"BIGINT\"}"
static const char structure[] =
    "{\"txn\":{\"appId\":\"VARCHAR\",\"version\":\"BIGINT\",\"lastUpdated\":\"BIGINT\"},"
    "\"add\":{\"path\":\"VARCHAR\",\"partitionValues\":" MAP_TYPE ",\"size\":\"BIGINT\","
    "\"modificationTime\":\"BIGINT\",\"dataChange\":\"BOOLEAN\",\"tags\":" MAP_TYPE ","
    "\"deletionVector\":" VECTOR_TYPE ",\"baseRowId\":\"BIGINT\","
    "\"defaultRowCommitVersion\":\"BIGINT\",\"clusteringProvider\":\"VARCHAR\","
    "\"stats\":\"VARCHAR\"},"
    "\"remove\":{\"path\":\"VARCHAR\",\"deletionTimestamp\":\"BIGINT\",\"dataChange\":\"BOOLEAN\","
    "\"extendedFileMetadata\":\"BOOLEAN\",\"partitionValues\":" MAP_TYPE ",\"size\":\"BIGINT\","
    "\"deletionVector\":" VECTOR_TYPE ",\"baseRowId\":\"BIGINT\","
    "\"defaultRowCommitVersion\":\"BIGINT\"},"
    "\"metaData\":{\"id\":\"VARCHAR\",\"name\":\"VARCHAR\",\"description\":\"VARCHAR\","
    "\"format\":{\"provider\":\"VARCHAR\",\"options\":" MAP_TYPE "},\"schemaString\":\"VARCHAR\","
    "\"partitionColumns\":[\"VARCHAR\"],\"configuration\":" MAP_TYPE ","
    "\"createdTime\":\"BIGINT\"},"
    "\"protocol\":{\"minReaderVersion\":\"INTEGER\",\"minWriterVersion\":\"INTEGER\","
    "\"readerFeatures\":[\"VARCHAR\"],\"writerFeatures\":[\"VARCHAR\"]},"
    "\"domainMetadata\":{\"domain\":\"VARCHAR\",\"configuration\":\"VARCHAR\","
    "\"removed\":\"BOOLEAN\"}}";

/* One JSON text a row, in the arena. */
static struct column encode_rows(const struct delta_actions *actions, struct arena *a)
{
    struct view *views = arena_array(a, actions->count, sizeof(*views));
    owned(buf_release) struct buf line = {0};
    for (size_t i = 0; i < actions->count; i++) {
        buf_clear(&line);
        delta_action_encode(&actions->items[i], &line);
        size_t size = line.size - 1; /* without the newline */
        views[i] = view_from(arena_copy(a, line.data, size), size);
    }
    return (struct column){.type = {.kind = TYPE_STRING}, .values = views};
}

static bool write_rows(struct engine_connection *engine, const struct delta_actions *actions,
                       const char *path, uint64_t *size, struct error *err)
{
    static const char *const name = "line";
    struct column column = encode_rows(actions, actions->arena);
    struct engine_input input = {.names = &name,
                                 .columns = &column,
                                 .column_count = 1,
                                 .row_count = (uint32_t)actions->count};
    engine_bind(engine, ENGINE_SLOTS - 1, &input);

    /* engine_write_parquet() writes tables, which have no nested columns. */
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "COPY (SELECT unnest(json_transform(line, ");
    buf_append_literal(&sql, structure);
    buf_append_text(&sql, ")) FROM ");
    engine_append_slot(engine, ENGINE_SLOTS - 1, &sql);
    buf_append_text(&sql, ") TO ");
    buf_append_literal(&sql, path);
    buf_append_text(&sql, " (FORMAT parquet, COMPRESSION zstd)");
    int64_t modified_ms = 0;
    return engine_execute(engine, buf_text(&sql), err) && file_stat(path, size, &modified_ms, err);
}

/* The engine cannot replace a file atomically, and a half written checkpoint under its name would
 * stop every reader: it writes beside, and the store puts the bytes under the name. */
static bool publish(struct store *store, const char *path, const char *key, uint64_t size,
                    struct error *err)
{
    owned(buf_release) struct buf bytes = {.size_max = size + 1};
    return file_read(path, size, &bytes, err) && store_put(store, key, buf_str(&bytes), err);
}

static bool write_hint(struct store *store, int64_t version, size_t count, uint64_t size,
                       uint64_t file_count, struct error *err)
{
    char hint[256];
    int n = snprintf(hint, sizeof(hint),
                     "{\"version\":%" PRId64 ",\"size\":%zu,\"sizeInBytes\":%" PRIu64
                     ",\"numOfAddFiles\":%" PRIu64 "}",
                     version, count, size, file_count);
    return store_put(store, "_delta_log/_last_checkpoint", (struct str){hint, (size_t)n}, err);
}

static bool write_staged(struct store *store, struct engine_connection *engine,
                         const struct delta_state *s, struct arena *a, const char *staged,
                         struct error *err)
{
    owned(buf_release) struct buf path = {0};
    struct delta_actions actions = {.arena = a};
    delta_state_list(s, &actions);
    if (actions.count > UINT32_MAX) {
        return error_set(err, ERROR_DATA, "a checkpoint of %zu actions is too large",
                         actions.count);
    }
    uint64_t size = 0;
    const char *key = arena_format(a, "_delta_log/%020" PRId64 ".checkpoint.parquet", s->version);
    if (!store_stage(store, staged, &path, err) ||
        !write_rows(engine, &actions, buf_text(&path), &size, err)) {
        return false;
    }
    failpoint("delta_in_checkpoint");
    if (!publish(store, buf_text(&path), key, size, err)) {
        return false;
    }
    failpoint("delta_after_checkpoint");
    return write_hint(store, s->version, actions.count, size, s->files.count, err);
}

bool delta_checkpoint_write(struct store *store, struct engine_connection *engine,
                            const struct delta_state *s, struct error *err)
{
    struct arena arena = {0};
    char id[UUID_TEXT_SIZE];
    random_uuid(id);
    const char *staged = arena_format(&arena, "_delta_log/.tmp-%s.parquet", id);
    bool ok = write_staged(store, engine, s, &arena, staged, err);
    struct error ignored = {0};
    (void)!store_remove(store, staged, &ignored);
    arena_release(&arena);
    return ok || error_wrap(err, "checkpoint of version %" PRId64, s->version);
}
