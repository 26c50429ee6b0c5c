/* `leat history`: what each version of a table did, and in which files two of them differ. */
#include "lake/history.h"

#include <inttypes.h>
#include <string.h>

#include "cli/output.h"
#include "cli/table_argument.h"
#include "config/scalar.h"
#include "model/batch.h"

enum { CHUNK_ROWS = 1024 };

/* A table that is open. */
struct source {
    struct table_argument table;
    struct engine *engine;
    struct engine_connection *connection;
    struct lake_history *history;
};

/* The newest `limit` versions; 0: all. */
static bool source_open(struct source *s, struct arguments *a, const char *word, size_t limit,
                        struct error *err)
{
    struct engine_options engine_options = {.kind = ENGINE_FILE};
    if (!table_argument_open(a, word, &s->table, err)) {
        return false;
    }
    s->engine = engine_open(&engine_options, err);
    s->connection = s->engine ? engine_connect(s->engine, err) : NULL;
    if (!s->connection) {
        return false;
    }
    s->table.lake.engine = s->connection;
    struct lake_history_options options = {.table = &s->table.lake,
                                           .engine = s->connection,
                                           .to = -1,
                                           .versions_only = true,
                                           .limit = limit};
    s->history = s->table.type->open(&options, err);
    return s->history != NULL;
}

static void source_release(struct source *s)
{
    lake_history_free(&s->history);
    engine_disconnect(&s->connection);
    engine_free(&s->engine);
    table_argument_release(&s->table);
}

static bool is_delta(const struct source *s)
{
    return strcmp(s->table.type->name, "delta") == 0;
}

static struct schema *make_schema(const struct schema_column *columns, uint32_t count)
{
    struct schema *s = schema_new(count);
    memcpy(s->columns, columns, count * sizeof(*columns));
    return s;
}

/* -1 is null. */
static void set_number(struct batch *b, uint32_t column, uint32_t row, int64_t value)
{
    ((int64_t *)b->columns[column].values)[row] = value;
    if (value < 0) {
        batch_set_null(b, column, row);
    }
}

static void set_text(struct batch *b, uint32_t column, uint32_t row, const char *text)
{
    if (text) {
        batch_set_bytes(b, column, row, text, strlen(text));
    } else {
        batch_set_null(b, column, row);
    }
}

/* --- versions --- */

static const struct schema_column version_columns[] = {
    {.name = "version", .type = {.kind = TYPE_INT64}},
    {.name = "time", .type = {.kind = TYPE_TIMESTAMPTZ}},
    {.name = "operation", .type = {.kind = TYPE_STRING}},
    {.name = "rows_inserted", .type = {.kind = TYPE_INT64}},
    {.name = "rows_updated", .type = {.kind = TYPE_INT64}},
    {.name = "rows_deleted", .type = {.kind = TYPE_INT64}},
    {.name = "files_added", .type = {.kind = TYPE_INT64}},
    {.name = "files_changed", .type = {.kind = TYPE_INT64}},
    {.name = "files_removed", .type = {.kind = TYPE_INT64}},
    {.name = "position", .type = {.kind = TYPE_STRING}},
    {.name = "engine", .type = {.kind = TYPE_STRING}},
};

static void add_version(struct batch *b, const struct lake_version *v)
{
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    ((int64_t *)b->columns[0].values)[row] = v->id;
    ((int64_t *)b->columns[1].values)[row] = v->time_us;
    set_text(b, 2, row, v->operation);
    set_number(b, 3, row, v->rows_inserted);
    set_number(b, 4, row, v->rows_updated);
    set_number(b, 5, row, v->rows_deleted);
    set_number(b, 6, row, v->files_added);
    set_number(b, 7, row, v->files_changed);
    set_number(b, 8, row, v->files_removed);
    set_text(b, 9, row, v->position);
    set_text(b, 10, row, v->engine);
}

static bool print_versions(struct source *s, struct arguments *a, size_t limit, struct error *err)
{
    const struct lake_history *h = s->history;
    owned(schema_free) struct schema *schema =
        make_schema(version_columns, sizeof(version_columns) / sizeof(version_columns[0]));
    owned(output_release) struct output output = {0};
    schema->columns[0].name = is_delta(s) ? "version" : "snapshot_id";
    schema_seal(schema);
    if (!output_open(&output, a, schema, err)) {
        return false;
    }
    owned(batch_free) struct batch *b = batch_new(schema, 0, CHUNK_ROWS);
    size_t oldest = limit > 0 && limit < h->version_count ? h->version_count - limit : 0;
    for (size_t i = h->version_count; i > oldest; i--) {
        add_version(b, &h->versions[i - 1]);
    }
    (void)output_rows(&output, b->columns, b->row_count);
    return output_close(&output, err);
}

/* --- two versions --- */

static const struct schema_column file_columns[] = {
    {.name = "change", .type = {.kind = TYPE_STRING}},
    {.name = "file", .type = {.kind = TYPE_STRING}},
    {.name = "partition", .type = {.kind = TYPE_STRING}},
    {.name = "rows", .type = {.kind = TYPE_INT64}},
    {.name = "deleted_before", .type = {.kind = TYPE_INT64}},
    {.name = "deleted_after", .type = {.kind = TYPE_INT64}},
    {.name = "bytes", .type = {.kind = TYPE_INT64}},
};

enum { KINDS = 3 };
static const char *const kinds[KINDS] = {
    [LAKE_FILE_ADDED] = "added", [LAKE_FILE_REMOVED] = "removed", [LAKE_FILE_CHANGED] = "changed"};

struct totals {
    uint64_t files[KINDS];
    uint64_t rows[KINDS]; /* that came or went */
    uint64_t bytes[KINDS];
};

static void add_file(struct batch *b, const struct lake_file_difference *f, struct totals *totals)
{
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    set_text(b, 0, row, kinds[f->kind]);
    set_text(b, 1, row, f->path);
    set_text(b, 2, row, f->partition);
    ((int64_t *)b->columns[3].values)[row] = (int64_t)f->row_count;
    ((int64_t *)b->columns[4].values)[row] = (int64_t)f->deleted_before;
    ((int64_t *)b->columns[5].values)[row] = (int64_t)f->deleted_after;
    ((int64_t *)b->columns[6].values)[row] = (int64_t)f->size;
    totals->files[f->kind]++;
    totals->bytes[f->kind] += f->size;
    totals->rows[f->kind] += f->kind == LAKE_FILE_ADDED     ? f->row_count - f->deleted_after
                             : f->kind == LAKE_FILE_REMOVED ? f->row_count - f->deleted_before
                             : f->deleted_after > f->deleted_before
                                 ? f->deleted_after - f->deleted_before
                                 : f->deleted_before - f->deleted_after;
}

/* Talk, not data. */
static void say_totals(const struct totals *t, int64_t from, int64_t to)
{
    owned(buf_release) struct buf text = {0};
    for (unsigned i = 0; i < KINDS; i++) {
        buf_append_format(&text, "%s %" PRIu64 " file%s %s (%" PRIu64 " row%s", i > 0 ? "," : "",
                          t->files[i], t->files[i] == 1 ? "" : "s", kinds[i], t->rows[i],
                          t->rows[i] == 1 ? "" : "s");
        if (i == LAKE_FILE_CHANGED) {
            buf_append_text(&text, " deleted or restored)");
        } else {
            buf_append_format(&text, ", %" PRIu64 " bytes)", t->bytes[i]);
        }
    }
    (void)fprintf(stderr, "from %" PRId64 " to %" PRId64 ":%s\n", from, to, buf_text(&text));
}

static bool compare(struct source *s, struct arguments *a, int64_t from, int64_t to,
                    struct error *err)
{
    struct lake_history *h = s->history;
    struct lake_file_difference *files = NULL;
    uint32_t count = 0;
    size_t from_index = 0;
    size_t to_index = 0;
    if (!lake_history_find(h, from, &from_index, err) ||
        !lake_history_find(h, to, &to_index, err) ||
        !h->type->compare(h, from_index, to_index, &a->arena, &files, &count, err)) {
        return false;
    }
    struct totals totals = {0};
    owned(schema_free) struct schema *schema =
        make_schema(file_columns, sizeof(file_columns) / sizeof(file_columns[0]));
    owned(output_release) struct output output = {0};
    schema_seal(schema);
    if (!output_open(&output, a, schema, err)) {
        return false;
    }
    owned(batch_free) struct batch *b = batch_new(schema, 0, CHUNK_ROWS);
    for (uint32_t i = 0; i < count; i++) {
        add_file(b, &files[i], &totals);
    }
    (void)output_rows(&output, b->columns, b->row_count);
    if (!output_close(&output, err)) {
        return false;
    }
    say_totals(&totals, from, to);
    return true;
}

/* --- the command --- */

/* TABLE --compare A B: B is a word of its own, wherever the option stands. */
static bool read_comparison(struct arguments *a, const char **table, int64_t *from, int64_t *to,
                            struct error *err)
{
    *table = a->operands[0];
    if (!argument_given(a, "compare")) {
        return a->operand_count == 1 ||
               argument_misuse(a, err, "\"history\": unexpected argument \"%s\"", a->operands[1]);
    }
    if (argument_given(a, "limit")) {
        return argument_misuse(a, err, "--compare and --limit do not go together");
    }
    if (a->operand_count != 2) {
        return argument_misuse(a, err, "--compare needs two versions: --compare A B");
    }
    const char *other = a->operands[1];
    if (!scalar_parse_integer(other, to)) {
        other = a->operands[0];
        *table = a->operands[1];
    }
    return argument_integer(a, "compare", 0, INT64_MAX, from, err) &&
           ((scalar_parse_integer(other, to) && *to >= 0) ||
            argument_misuse(a, err, "--compare: \"%s\" is not a version", other));
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    const char *table = NULL;
    int64_t limit = 0;
    int64_t from = -1;
    int64_t to = -1;
    owned(source_release) struct source s = {0};
    if (!argument_integer(a, "limit", 1, INT64_MAX, &limit, err) ||
        !read_comparison(a, &table, &from, &to, err) ||
        !source_open(&s, a, table, (size_t)limit, err)) {
        return false;
    }
    return from < 0 ? print_versions(&s, a, (size_t)limit, err) : compare(&s, a, from, to, err);
}

static const struct option_spec options[] = {
    OUTPUT_OPTION,
    {.name = "limit", .value = "N", .help = "only the newest N versions", .letter = 'n'},
    {.name = "compare",
     .value = "A B",
     .help = "the files in which two versions or snapshots differ\n"
             "instead; a summary goes to stderr"},
    {0},
};

const struct command command_history = {
    .name = "history",
    .summary = "list the versions of a table and what each did",
    .operands = "TABLE",
    .help = TABLE_ARGUMENT_HELP
    "\n"
    "The newest version (Delta) or snapshot (Iceberg) comes first. Rows and files are\n"
    "what the commit says of itself; empty where it says nothing. A changed file is\n"
    "one of which other rows are deleted. Versions that were cleaned from the log, and\n"
    "snapshots that expired, are not listed. Only metadata is read.",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .run = run,
};
