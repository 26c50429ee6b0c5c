/* `leat query`: SQL over lake tables. Each table that the query names becomes a view over its data
 * files; then the engine is closed for everything but these files, and the query runs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/output.h"
#include "cli/query_references.h"
#include "cli/query_text.h"
#include "cli/table_argument.h"
#include "engine/engine.h"
#include "lake/view.h"

static const uint64_t memory_bytes = UINT64_C(1) << 30;

/* A table that the query names. */
struct source {
    struct table_argument argument;
    struct lake_table *table;
    const char *name; /* SQL of the view over it */
};

struct query {
    struct arguments *arguments;
    struct arena arena;
    char *temp_directory; /* NULL: not made */
    struct engine *engine;
    struct engine_connection *connection;
    struct query_text text;
    struct query_references references;
    struct source *sources; /* one per table of `references` */
    uint32_t source_count;
};

static void source_release(struct source *s)
{
    if (s->table) {
        s->table->type->free(take(s->table));
    }
    table_argument_release(&s->argument);
}

static void query_release(struct query *q)
{
    struct error err = {0};
    engine_disconnect(&q->connection);
    engine_free(&q->engine);
    for (uint32_t i = 0; i < q->source_count; i++) {
        source_release(&q->sources[i]);
    }
    if (q->temp_directory && !file_remove_tree(q->temp_directory, &err)) {
        (void)fprintf(stderr, "leat: %s\n", err.message);
    }
    arena_release(&q->arena);
}

static bool make_temp_directory(struct query *q, struct error *err)
{
    const char *parent = getenv("TMPDIR");
    char *path =
        arena_format(&q->arena, "%s/leat-query-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(path)) {
        return error_errno(err, ERROR_FATAL, "cannot make the directory \"%s\"", path);
    }
    q->temp_directory = path;
    return true;
}

static bool open_engine(struct query *q, struct error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!make_temp_directory(q, err)) {
        return false;
    }
    const struct engine_options options = {
        .kind = ENGINE_FILE,
        .memory_bytes = memory_bytes,
        .temp_directory = q->temp_directory,
        .threads = cores > 0 ? (uint32_t)cores : 1,
    };
    q->engine = engine_open(&options, err);
    q->connection = q->engine ? engine_connect(q->engine, err) : NULL;
    return q->connection != NULL;
}

/* --- tables --- */

static bool open_table(struct query *q, const struct query_table *t, struct source *s,
                       struct error *err)
{
    if (!table_argument_open(q->arguments, t->word, &s->argument, err)) {
        return false;
    }
    struct lake_options options = s->argument.lake;
    options.at = t->at;
    options.engine = q->connection;
    s->table = s->argument.lake_type->open(&options, err);
    return s->table && (s->table->snapshot.exists ||
                        error_set(err, ERROR_CONFIG, "there is no table \"%s\"", t->word));
}

/* Opens a table and makes its view, in a schema of its own: the last part of its name is what the
 * query calls it by, and may be that of another table too. */
static bool add_source(struct query *q, uint32_t index, struct error *err)
{
    const struct query_table *t = &q->references.tables[index];
    struct source *s = &q->sources[index];
    const char *schema = arena_format(&q->arena, "leat_%u", index + 1);
    owned(buf_release) struct buf sql = {0};
    if (!open_table(q, t, s, err)) {
        return false;
    }
    buf_append_identifier(&sql, schema);
    buf_append_char(&sql, '.');
    buf_append_identifier(&sql, s->argument.name);
    s->name = arena_string(&q->arena, buf_text(&sql), sql.size);
    return lake_view_create(s->table, q->connection, schema, s->argument.name, err) ||
           error_wrap(err, "table \"%s\"", t->word);
}

static bool add_sources(struct query *q, struct error *err)
{
    q->source_count = q->references.table_count;
    q->sources = arena_zalloc(&q->arena, ((size_t)q->source_count + 1) * sizeof(*q->sources));
    for (uint32_t i = 0; i < q->source_count; i++) {
        if (!add_source(q, i, err)) {
            return false;
        }
    }
    return true;
}

/* --- what users write reads the tables that they name, and nothing else --- */

static size_t slots_of(const struct query *q)
{
    size_t count = 0;
    for (uint32_t i = 0; i < q->source_count; i++) {
        count += q->sources[i].table->snapshot.slot_count;
    }
    return count;
}

static bool confine(struct query *q, struct error *err)
{
    const char **paths = arena_array(&q->arena, slots_of(q) + 1, sizeof(*paths));
    size_t count = 0;
    owned(buf_release) struct buf path = {0};
    for (uint32_t i = 0; i < q->source_count; i++) {
        struct lake_table *t = q->sources[i].table;
        for (uint32_t slot = 0; slot < t->snapshot.slot_count; slot++) {
            const struct lake_file *file = lake_table_file(t, slot);
            buf_clear(&path);
            if (file && !store_fetch(t->store, file->path, &path, err)) {
                return false;
            }
            if (file) {
                paths[count++] = arena_string(&q->arena, buf_text(&path), path.size);
            }
        }
    }
    return engine_confine(q->connection, paths, count, err);
}

/* --- rows --- */

static struct engine_rows *start(struct query *q, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    owned(buf_release) struct buf readable = {0};
    const char **names = arena_array(&q->arena, (size_t)q->source_count + 1, sizeof(*names));
    for (uint32_t i = 0; i < q->source_count; i++) {
        names[i] = q->sources[i].name;
    }
    query_references_append(&q->references, &q->text, names, &sql);
    if (!engine_append_readable(q->connection, buf_text(&sql), &readable, err)) {
        if (err->kind == ERROR_DATA) {
            error_recast(err, ERROR_CONFIG); /* the SQL is what the user wrote */
        }
        return NULL;
    }
    return engine_query(q->connection, buf_text(&readable), err);
}

static struct schema *schema_of(const struct engine_rows *rows)
{
    uint32_t count = engine_rows_column_count(rows);
    struct schema *s = schema_new(count);
    for (uint32_t i = 0; i < count; i++) {
        s->columns[i] =
            (struct schema_column){.name = schema_name(s, str_from(engine_rows_name(rows, i))),
                                   .type = engine_rows_type(rows, i),
                                   .nullable = true};
    }
    schema_seal(s);
    return s;
}

static bool print_rows(struct query *q, int64_t limit, struct error *err)
{
    owned(engine_rows_free) struct engine_rows *rows = start(q, err);
    if (!rows) {
        return false;
    }
    owned(schema_free) struct schema *schema = schema_of(rows);
    owned(output_release) struct output output = {0};
    if (!output_open(&output, q->arguments, schema, err)) {
        return false;
    }
    for (int64_t left = limit; left > 0;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!engine_rows_next(rows, &columns, &row_count, err)) {
            return false;
        }
        if (row_count == 0) {
            break;
        }
        row_count = row_count < left ? row_count : (uint32_t)left;
        left -= row_count;
        if (!output_rows(&output, columns, row_count)) {
            break;
        }
    }
    return output_close(&output, err);
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    int64_t limit = INT64_MAX;
    owned(query_release) struct query q = {.arguments = a};
    return argument_integer(a, "limit", 1, INT64_MAX, &limit, err) &&
           query_text_read(a->operands[0], clock_wall_us(), &q.arena, &q.text, err) &&
           open_engine(&q, err) &&
           query_references_find(&q.text, q.connection, &q.arena, &q.references, err) &&
           add_sources(&q, err) && confine(&q, err) && print_rows(&q, limit, err);
}

static const struct option_spec option_specs[] = {
    OUTPUT_OPTION,
    {.name = "limit", .value = "N", .help = "stop after N rows", .letter = 'n'},
    {0},
};

const struct command command_query = {
    .name = "query",
    .summary = "run SQL over tables",
    .operands = "SQL",
    .help = "SQL is one SELECT (or WITH ... SELECT, DESCRIBE, SUMMARIZE) in DuckDB's dialect.\n"
            "After FROM and JOIN stand tables: a location in quotes ('./lake/public/orders'),\n"
            "or the name of a table. Behind it VERSION AS OF 3 or TIMESTAMP AS OF '2026-11-21\n"
            "14:05' reads an older version; for Iceberg the number is a snapshot's id.\n\n"
            "The query reads the tables that it names and no other file.",
    .operands_min = 1,
    .operands_max = 1,
    .options = option_specs,
    .run = run,
};
