#include "cli/changes_summary.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

enum { CHUNK_ROWS = 1024 };

/* "version" or "snapshot_id": whatever the format numbers. */
static const char *id_name(const struct changes_request *r)
{
    return strcmp(r->table.type->name, "delta") == 0 ? "version" : "snapshot_id";
}

/* The table's columns are of no use here. */
static struct lake_changes *open_changes(struct changes_request *r, struct error *err)
{
    static const char *const none[1] = {""};
    struct lake_changes_options options = r->options;
    options.columns = none;
    options.column_count = 0;
    return lake_changes_open(&options, err);
}

/* --- --stats --- */

enum {
    STATS_ID,
    STATS_TIME,
    STATS_OPERATION,
    STATS_FILES,
    STATS_BYTES,
    STATS_INSERTS,
    STATS_UPDATES,
    STATS_DELETES,
    STATS_COLUMNS
};

struct counts {
    int64_t values[STATS_COLUMNS]; /* those from STATS_FILES on */
};

struct stats {
    const struct changes_request *request;
    size_t current;          /* index of the version whose file was opened last */
    struct counts *versions; /* by index, from the first of the range */
};

static struct schema *stats_schema(const struct changes_request *r)
{
    static const struct schema_column columns[STATS_COLUMNS] = {
        {.name = "version", .type = {.kind = TYPE_INT64}},
        {.name = "time", .type = {.kind = TYPE_TIMESTAMPTZ}},
        {.name = "operation", .type = {.kind = TYPE_STRING}},
        {.name = "files", .type = {.kind = TYPE_INT64}},
        {.name = "bytes", .type = {.kind = TYPE_INT64}},
        {.name = "inserts", .type = {.kind = TYPE_INT64}},
        {.name = "updates", .type = {.kind = TYPE_INT64}},
        {.name = "deletes", .type = {.kind = TYPE_INT64}},
    };
    struct schema *s = schema_new(STATS_COLUMNS);
    memcpy(s->columns, columns, sizeof(columns));
    s->columns[STATS_ID].name = id_name(r);
    schema_seal(s);
    return s;
}

static struct counts *counts_of(struct stats *s, size_t index)
{
    return &s->versions[index - s->request->options.first];
}

static void count_file(void *arg, const struct lake_version *version,
                       const struct lake_piece *piece)
{
    struct stats *s = arg;
    while (s->current < s->request->options.last &&
           changes_request_id(s->request, s->current) != version->id) {
        s->current++;
    }
    struct counts *c = counts_of(s, s->current);
    c->values[STATS_FILES]++;
    c->values[STATS_BYTES] += (int64_t)piece->size;
}

/* An update is counted once, by its new image. */
static void count_rows(struct counts *c, const struct column *types, uint32_t row_count)
{
    for (uint32_t row = 0; row < row_count; row++) {
        struct str type = view_str(&((const struct view *)types->values)[row]);
        c->values[STATS_INSERTS] += str_equal(type, str_from("insert"));
        c->values[STATS_UPDATES] += str_equal(type, str_from("update_postimage"));
        c->values[STATS_DELETES] += str_equal(type, str_from("delete"));
    }
}

static bool count_changes(struct stats *s, struct changes_request *r, struct error *err)
{
    owned(lake_changes_free) struct lake_changes *changes = open_changes(r, err);
    if (!changes) {
        return false;
    }
    lake_changes_watch(changes, count_file, s);
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        size_t version = 0;
        if (!lake_changes_next(changes, &columns, &row_count, &version, err)) {
            return false;
        }
        if (row_count == 0) {
            return true;
        }
        count_rows(counts_of(s, version), columns, row_count);
    }
}

static uint32_t add_counts(struct batch *b, const struct counts *counts)
{
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    for (uint32_t i = STATS_FILES; i < STATS_COLUMNS; i++) {
        ((int64_t *)b->columns[i].values)[row] = counts->values[i];
    }
    return row;
}

static void add_version(struct batch *b, const struct lake_version *v, const struct counts *counts)
{
    uint32_t row = add_counts(b, counts);
    ((int64_t *)b->columns[STATS_ID].values)[row] = v->id;
    ((int64_t *)b->columns[STATS_TIME].values)[row] = v->time_us;
    if (v->operation) {
        batch_set_bytes(b, STATS_OPERATION, row, v->operation, strlen(v->operation));
    } else {
        batch_set_null(b, STATS_OPERATION, row);
    }
}

static void add_total(struct batch *b, const struct counts *total, size_t version_count)
{
    char text[64];
    uint32_t row = add_counts(b, total);
    int size = snprintf(text, sizeof(text), "total of %zu version%s", version_count,
                        version_count == 1 ? "" : "s");
    batch_set_null(b, STATS_ID, row);
    batch_set_null(b, STATS_TIME, row);
    batch_set_bytes(b, STATS_OPERATION, row, text, (size_t)size);
}

static bool print_counts(struct stats *s, struct changes_request *r, size_t version_count,
                         struct error *err)
{
    struct counts total = {0};
    owned(schema_free) struct schema *schema = stats_schema(r);
    owned(batch_free) struct batch *b = batch_new(schema, 0, CHUNK_ROWS);
    owned(output_release) struct output output = {0};
    if (!output_open(&output, r->arguments, schema, err)) {
        return false;
    }
    for (size_t i = 0; i < version_count; i++) {
        add_version(b, &r->history->versions[r->options.first + i], &s->versions[i]);
        for (uint32_t c = STATS_FILES; c < STATS_COLUMNS; c++) {
            total.values[c] += s->versions[i].values[c];
        }
    }
    add_total(b, &total, version_count);
    (void)output_rows(&output, b->columns, b->row_count);
    return output_close(&output, err);
}

bool changes_print_stats(struct changes_request *r, struct error *err)
{
    size_t count = r->is_empty ? 0 : r->options.last - r->options.first + 1;
    struct stats s = {.request = r, .current = r->options.first};
    s.versions = arena_zalloc(&r->arguments->arena, (count + 1) * sizeof(*s.versions));
    return (count == 0 || count_changes(&s, r, err)) && print_counts(&s, r, count, err);
}

/* --- --explain --- */

enum { FILE_ID, FILE_KIND, FILE_PATH, FILE_ROWS, FILE_BYTES, FILE_COLUMNS };

struct files {
    struct output output;
    struct batch *batch;
    bool failed;
};

static struct schema *files_schema(const struct changes_request *r)
{
    static const struct schema_column columns[FILE_COLUMNS] = {
        {.name = "version", .type = {.kind = TYPE_INT64}},
        {.name = "kind", .type = {.kind = TYPE_STRING}},
        {.name = "file", .type = {.kind = TYPE_STRING}},
        {.name = "rows", .type = {.kind = TYPE_INT64}},
        {.name = "bytes", .type = {.kind = TYPE_INT64}},
    };
    struct schema *s = schema_new(FILE_COLUMNS);
    memcpy(s->columns, columns, sizeof(columns));
    s->columns[FILE_ID].name = id_name(r);
    schema_seal(s);
    return s;
}

static void flush_files(struct files *f)
{
    f->failed = !output_rows(&f->output, f->batch->columns, f->batch->row_count);
    batch_free(&f->batch);
    f->batch = batch_new(f->output.schema, 0, CHUNK_ROWS);
}

static void add_file(void *arg, const struct lake_version *version, const struct lake_piece *piece)
{
    static const char *const kinds[] = {
        [LAKE_INSERTED] = "added", [LAKE_DELETED] = "removed", [LAKE_FEED] = "feed"};
    struct files *f = arg;
    struct batch *b = f->batch;
    const char *kind = kinds[piece->kind];
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    ((int64_t *)b->columns[FILE_ID].values)[row] = version->id;
    batch_set_bytes(b, FILE_KIND, row, kind, strlen(kind));
    batch_set_bytes(b, FILE_PATH, row, piece->path, strlen(piece->path));
    ((int64_t *)b->columns[FILE_ROWS].values)[row] = (int64_t)piece->row_count;
    ((int64_t *)b->columns[FILE_BYTES].values)[row] = (int64_t)piece->size;
    if (piece->row_count == 0) {
        batch_set_null(b, FILE_ROWS, row);
    }
}

static bool list_files(struct files *f, struct changes_request *r, struct error *err)
{
    owned(lake_changes_free) struct lake_changes *changes = open_changes(r, err);
    if (!changes) {
        return false;
    }
    lake_changes_watch(changes, add_file, f);
    for (uint32_t row_count = 1; row_count > 0 && !f->failed;) {
        const struct column *columns = NULL;
        if (!lake_changes_next(changes, &columns, &row_count, NULL, err)) {
            return false;
        }
        if (f->batch->row_count >= CHUNK_ROWS) {
            flush_files(f);
        }
    }
    return true;
}

bool changes_print_files(struct changes_request *r, struct error *err)
{
    owned(schema_free) struct schema *schema = files_schema(r);
    struct files f = {.batch = batch_new(schema, 0, CHUNK_ROWS)};
    bool done = output_open(&f.output, r->arguments, schema, err) &&
                (r->is_empty || list_files(&f, r, err));
    if (done) {
        flush_files(&f);
        done = output_close(&f.output, err);
    }
    output_release(&f.output);
    batch_free(&f.batch);
    return done;
}
