#include "delta/changes.h"

#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>

#include "delta/log.h"
#include "delta/path.h"
#include "delta/protocol.h"
#include "delta/schema.h"
#include "delta/vector.h"

enum { META_COLUMNS = 3, ENGINE_SLOT = ENGINE_SLOTS - 1 };

/* One file to read for a version, and which of its rows. */
struct step {
    const struct delta_file *file;
    const char *type;                   /* of all rows; NULL: the file says (a change file) */
    const struct delta_vector *without; /* rows that do not count */
    const struct delta_vector *only;    /* rows that count, less those of `without`; NULL: all */
};

struct delta_changes {
    struct delta_changes_options options;
    struct store *store;
    struct schema *schema; /* with the feed's columns */
    struct delta_strings partition_columns;
    struct arena arena; /* of the whole feed */
    struct delta_log_entry *log;
    size_t log_count;
    size_t log_next; /* the version that is read next */

    struct arena commit_arena; /* of the version being read */
    struct step *steps;
    size_t step_count;
    size_t step_next;
    int64_t version;
    int64_t time_us;

    struct engine_rows *rows; /* of the step being read */
    int64_t *row_numbers;     /* bound to the engine; owned */
};

static bool no_feed(int64_t version, struct error *err)
{
    return error_set(err, ERROR_CONFIG,
                     "there is no change feed in version %" PRId64
                     " (delta.enableChangeDataFeed is not true); see the later ones with --from",
                     version);
}

/* --- opening --- */

/* The table's columns at the last version, and the feed's. */
static struct schema *make_schema(const char *text, bool counts_only, struct error *err)
{
    static const struct schema_column feed[META_COLUMNS] = {
        {.name = "_change_type", .type = {.kind = TYPE_STRING}},
        {.name = "_commit_version", .type = {.kind = TYPE_INT64}},
        {.name = "_commit_timestamp", .type = {.kind = TYPE_TIMESTAMPTZ}},
    };
    owned(schema_free) struct schema *table = delta_schema_parse(text, err);
    if (!table) {
        return NULL;
    }
    uint32_t count = counts_only ? 0 : table->column_count;
    struct schema *s = schema_new(count + META_COLUMNS);
    for (uint32_t i = 0; i < count; i++) {
        s->columns[i] = table->columns[i];
        s->columns[i].name = schema_name(s, str_from(table->columns[i].name));
        s->columns[i].source_type = NULL;
    }
    memcpy(s->columns + count, feed, sizeof(feed));
    schema_seal(s);
    return s;
}

/* The state at one version, which must have a feed. */
static bool read_state(struct delta_changes *c, int64_t version, struct delta_state *s,
                       struct error *err)
{
    int64_t checkpoint = -1;
    delta_state_init(s);
    return delta_log_replay(c->store, c->options.engine, version, s, &checkpoint, err) &&
           (s->version >= 0 || error_set(err, ERROR_CONFIG, "there is no Delta table")) &&
           delta_protocol_check_reader(s, err) &&
           (delta_property_is_true(&s->metadata, "delta.enableChangeDataFeed") ||
            no_feed(s->version, err));
}

static bool open_last(struct delta_changes *c, struct error *err)
{
    struct delta_state s;
    bool ok = read_state(c, c->options.to, &s, err);
    if (ok) {
        struct delta_metadata metadata;
        delta_metadata_copy(&s.metadata, &c->arena, &metadata);
        c->partition_columns = metadata.partition_columns;
        c->options.to = s.version;
        c->schema = make_schema(metadata.schema, c->options.counts_only, err);
        ok = c->schema != NULL;
    }
    delta_state_release(&s);
    return ok;
}

/* Without --from the feed begins with the oldest version whose state can be told. */
static bool open_first(struct delta_changes *c, struct error *err)
{
    struct delta_state s;
    bool given = c->options.from >= 0;
    int64_t first = given ? c->options.from : c->log[0].version;
    struct error reason = {0};
    bool ok = read_state(c, first, &s, &reason);
    delta_state_release(&s);
    for (size_t i = 1; !ok && !given && reason.kind == ERROR_LOST && i < c->log_count; i++) {
        reason = (struct error){0};
        first = c->log[i].version;
        ok = read_state(c, first, &s, &reason);
        delta_state_release(&s);
    }
    c->options.from = first;
    if (!ok) {
        *err = reason;
    }
    return ok;
}

/* Skips the versions before the first, and makes sure that none is missing. */
static bool check_versions(struct delta_changes *c, struct error *err)
{
    while (c->log_next < c->log_count && c->log[c->log_next].version < c->options.from) {
        c->log_next++;
    }
    int64_t next = c->options.from;
    for (size_t i = c->log_next; i < c->log_count && next <= c->options.to; i++) {
        if (c->log[i].version != next) {
            break;
        }
        next++;
    }
    return next > c->options.to ||
           error_set(err, ERROR_LOST,
                     "commit %" PRId64
                     " was cleaned from the log; the oldest that is left is %" PRId64,
                     next, c->log[0].version);
}

static bool open_feed(struct delta_changes *c, struct error *err)
{
    c->store = store_open(c->options.location, err);
    if (!c->store || !open_last(c, err) ||
        !delta_log_list(c->store, 0, &c->log, &c->log_count, err)) {
        return false;
    }
    if (c->options.from > c->options.to) {
        return error_set(err, ERROR_CONFIG,
                         "there is no version from %" PRId64 " on; the last one is %" PRId64,
                         c->options.from, c->options.to);
    }
    if (c->log_count == 0) {
        return error_set(err, ERROR_LOST, "every commit was cleaned from the log");
    }
    return open_first(c, err) && check_versions(c, err);
}

struct delta_changes *delta_changes_open(const struct delta_changes_options *options,
                                         struct error *err)
{
    owned(delta_changes_free) struct delta_changes *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->options = *options;
    if (!open_feed(c, err)) {
        (void)error_wrap(err, "table \"%s\"", options->location);
        return NULL;
    }
    return take(c);
}

void delta_changes_free(struct delta_changes **c)
{
    if (!*c) {
        return;
    }
    engine_rows_free(&(*c)->rows);
    free((*c)->row_numbers);
    free((*c)->log);
    schema_release((*c)->schema);
    arena_release(&(*c)->commit_arena);
    arena_release(&(*c)->arena);
    store_free(&(*c)->store);
    free(take(*c));
}

const struct schema *delta_changes_schema(const struct delta_changes *c)
{
    return c->schema;
}

/* --- what a commit means --- */

static void add_step(struct delta_changes *c, const struct step *step)
{
    bool wanted = !step->type || (step->type[0] == 'i' ? c->options.inserts : c->options.deletes);
    if (wanted) {
        c->steps[c->step_count++] = *step;
    }
}

/* Change files stand for everything that a version did. */
static bool has_change_files(const struct delta_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == DELTA_CDC) {
            return true;
        }
    }
    return false;
}

/* A file that is removed and added has another vector: rows that are new in it were deleted, rows
 * that are no longer in it came back. */
static void add_derived_steps(struct delta_changes *c, const struct delta_actions *actions)
{
    struct map removed = {0};
    for (size_t i = 0; i < actions->count; i++) {
        struct delta_file *file = &actions->items[i].file;
        if (actions->items[i].kind == DELTA_REMOVE && file->data_change) {
            (void)map_put(&removed, str_from(file->path), file);
        }
    }
    for (size_t i = 0; i < actions->count; i++) {
        const struct delta_file *file = &actions->items[i].file;
        if (actions->items[i].kind != DELTA_ADD || !file->data_change) {
            continue;
        }
        const struct delta_file *before = map_remove(&removed, str_from(file->path));
        if (!before) {
            add_step(c, &(struct step){.file = file, .type = "insert", .without = file->vector});
            continue;
        }
        if (file->vector) {
            add_step(c, &(struct step){.file = file,
                                       .type = "delete",
                                       .only = file->vector,
                                       .without = before->vector});
        }
        if (before->vector) {
            add_step(c, &(struct step){.file = file,
                                       .type = "insert",
                                       .only = before->vector,
                                       .without = file->vector});
        }
    }
    for (size_t i = 0; i < actions->count; i++) {
        const struct delta_file *file = &actions->items[i].file;
        if (actions->items[i].kind == DELTA_REMOVE && map_remove(&removed, str_from(file->path))) {
            add_step(c, &(struct step){.file = file, .type = "delete", .without = file->vector});
        }
    }
    map_release(&removed, NULL);
}

static bool check_actions(const struct delta_changes *c, const struct delta_actions *actions,
                          struct error *err)
{
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == DELTA_METADATA &&
            !delta_property_is_true(&actions->items[i].metadata, "delta.enableChangeDataFeed")) {
            return no_feed(c->version, err);
        }
    }
    return true;
}

/* Reads the next version and plans its steps. */
static bool next_version(struct delta_changes *c, struct error *err)
{
    const struct delta_log_entry *entry = &c->log[c->log_next++];
    bool found = false;
    arena_release(&c->commit_arena);
    struct delta_actions actions = {.arena = &c->commit_arena};
    c->version = entry->version;
    c->time_us = entry->modified_ms * 1000;
    c->step_count = c->step_next = 0;
    if (!delta_log_read(c->store, entry->version, &actions, &found, err) ||
        !check_actions(c, &actions, err)) {
        return false;
    }
    if (!found) {
        return error_set(err, ERROR_LOST, "commit %" PRId64 " was cleaned from the log",
                         c->version);
    }
    c->steps = arena_array(&c->commit_arena, actions.count * 2, sizeof(*c->steps));
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.items[i].kind == DELTA_INFO && actions.items[i].info.has_in_commit) {
            c->time_us = actions.items[i].info.in_commit_ms * 1000;
        }
        if (actions.items[i].kind == DELTA_CDC) {
            add_step(c, &(struct step){.file = &actions.items[i].file});
        }
    }
    if (!has_change_files(&actions)) {
        add_derived_steps(c, &actions);
    }
    return true;
}

/* --- reading a step --- */

static roaring_bitmap_t *read_vector(struct delta_changes *c, const struct delta_vector *v,
                                     struct error *err)
{
    roaring_bitmap_t *bitmap =
        v ? delta_vector_read(c->store, v, UINT64_MAX, err) : roaring_bitmap_create();
    if (!bitmap && err->kind == ERROR_CONFLICT) {
        (void)error_recast(err, ERROR_LOST);
    }
    return bitmap;
}

/* Hands the rows of a step's vectors to the engine. */
static bool bind_rows(struct delta_changes *c, const struct step *step, struct error *err)
{
    static const char *const name = "row";
    roaring_bitmap_t *rows = read_vector(c, step->only ? step->only : step->without, err);
    roaring_bitmap_t *without = rows && step->only ? read_vector(c, step->without, err) : NULL;
    bool ok = rows && (!step->only || without);
    if (ok && without) {
        roaring_bitmap_andnot_inplace(rows, without);
    }
    if (ok) {
        uint64_t count = roaring_bitmap_get_cardinality(rows);
        uint32_t *narrow = calloc(count + 1, sizeof(*narrow));
        free(c->row_numbers);
        c->row_numbers = calloc(count + 1, sizeof(*c->row_numbers));
        if (!narrow || !c->row_numbers) {
            abort();
        }
        roaring_bitmap_to_uint32_array(rows, narrow);
        for (uint64_t i = 0; i < count; i++) {
            c->row_numbers[i] = narrow[i];
        }
        free(narrow);
        struct column column = {.type = {.kind = TYPE_INT64}, .values = c->row_numbers};
        struct column *kept = arena_copy(&c->commit_arena, &column, sizeof(column));
        engine_bind(
            c->options.engine, ENGINE_SLOT,
            &(struct engine_input){
                .names = &name, .columns = kept, .column_count = 1, .row_count = (uint32_t)count});
    }
    if (rows) {
        roaring_bitmap_free(rows);
    }
    if (without) {
        roaring_bitmap_free(without);
    }
    return ok;
}

static bool is_partition_column(const struct delta_changes *c, const char *name)
{
    for (uint32_t i = 0; i < c->partition_columns.count; i++) {
        if (strcmp(c->partition_columns.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* One column in the type of the last version; what the file lacks is null. */
static void append_column(const struct delta_changes *c, const struct schema_column *column,
                          const struct step *step, struct buf *sql)
{
    buf_append_text(sql, "CAST(");
    if (is_partition_column(c, column->name)) {
        const char *value = pairs_get(&step->file->partition, column->name);
        if (value && value[0]) {
            buf_append_literal(sql, value);
        } else {
            buf_append_text(sql, "NULL");
        }
    } else {
        buf_append_identifier(sql, column->name);
    }
    buf_append_text(sql, " AS ");
    engine_append_type(column->type, sql);
    buf_append_text(sql, ") AS ");
    buf_append_identifier(sql, column->name);
    buf_append_text(sql, ", ");
}

/* The file's rows beside an empty relation that has all columns, so that none is missing. */
static void append_source(const struct delta_changes *c, const struct step *step, const char *path,
                          struct buf *sql)
{
    buf_append_text(sql, " FROM (SELECT NULL::VARCHAR AS _change_type");
    for (uint32_t i = 0; i + META_COLUMNS < c->schema->column_count; i++) {
        const struct schema_column *column = &c->schema->columns[i];
        buf_append_text(sql, ", NULL::");
        engine_append_type(column->type, sql);
        buf_append_text(sql, " AS ");
        buf_append_identifier(sql, column->name);
    }
    buf_append_text(sql, " WHERE false UNION ALL BY NAME SELECT * FROM read_parquet(");
    engine_append_path(path, sql);
    buf_append_text(sql, ", hive_partitioning = false, file_row_number = true)");
    if (step->only || step->without) {
        buf_append_text(sql, step->only ? " WHERE file_row_number IN (SELECT row FROM "
                                        : " WHERE file_row_number NOT IN (SELECT row FROM ");
        engine_append_slot(c->options.engine, ENGINE_SLOT, sql);
        buf_append_text(sql, ")");
    }
    buf_append_text(sql, ")");
}

static void append_filter(const struct delta_changes *c, const struct step *step, struct buf *sql)
{
    if (step->type || (c->options.inserts && c->options.updates && c->options.deletes)) {
        return;
    }
    buf_append_text(sql, " WHERE _change_type IN (''");
    buf_append_text(sql, c->options.inserts ? ", 'insert'" : "");
    buf_append_text(sql, c->options.updates ? ", 'update_preimage', 'update_postimage'" : "");
    buf_append_text(sql, c->options.deletes ? ", 'delete'" : "");
    buf_append_text(sql, ")");
}

static bool begin_step(struct delta_changes *c, const struct step *step, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    owned(buf_release) struct buf path = {0};
    owned(buf_release) struct buf sql = {0};
    if (!delta_path_key(step->file->path, &key, err)) {
        return false;
    }
    if (!store_fetch(c->store, buf_text(&key), &path, err)) {
        (void)error_recast(err, ERROR_LOST);
        return error_wrap(err, "a file of the feed was removed (vacuum?)");
    }
    if ((step->only || step->without) && !bind_rows(c, step, err)) {
        return false;
    }
    buf_append_text(&sql, "SELECT ");
    for (uint32_t i = 0; i + META_COLUMNS < c->schema->column_count; i++) {
        append_column(c, &c->schema->columns[i], step, &sql);
    }
    if (step->type) {
        buf_append_literal(&sql, step->type);
    } else {
        buf_append_text(&sql, "_change_type");
    }
    buf_append_format(&sql,
                      " AS _change_type, %" PRId64 "::BIGINT AS _commit_version, "
                      "make_timestamptz(%" PRId64 "::BIGINT) AS _commit_timestamp",
                      c->version, c->time_us);
    append_source(c, step, buf_text(&path), &sql);
    append_filter(c, step, &sql);
    c->rows = engine_query(c->options.engine, buf_text(&sql), err);
    return c->rows != NULL;
}

bool delta_changes_next(struct delta_changes *c, const struct column **columns, uint32_t *row_count,
                        struct error *err)
{
    *row_count = 0;
    for (;;) {
        if (c->rows) {
            if (!engine_rows_next(c->rows, columns, row_count, err)) {
                return error_wrap(err, "version %" PRId64, c->version);
            }
            if (*row_count > 0) {
                return true;
            }
            engine_rows_free(&c->rows);
        }
        if (c->step_next < c->step_count) {
            if (!begin_step(c, &c->steps[c->step_next++], err)) {
                return error_wrap(err, "version %" PRId64, c->version);
            }
            continue;
        }
        if (c->log_next == c->log_count || c->log[c->log_next].version > c->options.to) {
            return true;
        }
        if (!next_version(c, err)) {
            return error_wrap(err, "version %" PRId64, c->version);
        }
    }
}

/* --- counting --- */

bool delta_feed_count(const char *location, struct engine_connection *engine,
                      struct delta_feed_counts *out, struct error *err)
{
    struct delta_changes_options options = {.location = location,
                                            .engine = engine,
                                            .from = -1,
                                            .to = -1,
                                            .inserts = true,
                                            .updates = true,
                                            .deletes = true,
                                            .counts_only = true};
    owned(delta_changes_free) struct delta_changes *c = delta_changes_open(&options, err);
    *out = (struct delta_feed_counts){0};
    while (c) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!delta_changes_next(c, &columns, &row_count, err)) {
            return false;
        }
        if (row_count == 0) {
            return true;
        }
        for (uint32_t i = 0; i < row_count; i++) {
            struct str type = view_str(&((const struct view *)columns[0].values)[i]);
            out->inserts += str_equal(type, str_from("insert"));
            out->updates += str_equal(type, str_from("update_postimage"));
            out->deletes += str_equal(type, str_from("delete"));
        }
    }
    return false;
}
