#include "lake/scan.h"

#include <inttypes.h>

enum { PATHS_MAX = 4096 };

static const struct lake_file_column *file_column(const struct lake_scan *s, uint32_t column)
{
    return &s->file_columns[column];
}

static void append_text(const char *text, struct buf *sql)
{
    if (text) {
        buf_append_literal(sql, text);
    } else {
        buf_append_text(sql, "NULL");
    }
}

/* Column `column` of the schema as c<column>: from the files, or one value for all of them. */
static void append_output(const struct lake_scan *s, uint32_t column, struct buf *sql)
{
    const struct lake_file_column *from = file_column(s, column);
    if (from->from != LAKE_CONSTANT) {
        buf_append_format(sql, "c%u", column);
        return;
    }
    buf_append_text(sql, "CAST(");
    append_text(from->text, sql);
    buf_append_text(sql, " AS ");
    engine_append_type(s->schema->columns[column].type, sql);
    buf_append_format(sql, ") AS c%u", column);
}

static void append_file_column(const struct lake_scan *s, uint32_t column, struct buf *sql)
{
    const struct lake_file_column *from = file_column(s, column);
    if (from->from == LAKE_BY_ID) {
        buf_append_format(sql, "%" PRId32, from->id);
    } else {
        buf_append_literal(sql, from->name);
    }
    buf_append_format(sql, ": {name: 'c%u', type: '", column);
    engine_append_type(s->schema->columns[column].type, sql);
    buf_append_text(sql, "', default_value: ");
    append_text(from->text, sql);
    buf_append_text(sql, "}, ");
}

/* The engine reads no file for no column: one that can be read without being wanted. */
static bool first_file_column(const struct lake_scan *s, uint32_t *column, struct error *err)
{
    for (uint32_t i = 0; i < s->schema->column_count; i++) {
        if (file_column(s, i)->from != LAKE_CONSTANT) {
            *column = i;
            return true;
        }
    }
    return error_set(err, ERROR_DATA, "the table has no column besides those that partition it");
}

static bool append_columns(const struct lake_scan *s, struct buf *sql, struct error *err)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (file_column(s, s->columns[i])->from != LAKE_CONSTANT) {
            append_file_column(s, s->columns[i], sql);
            used++;
        }
    }
    if (s->extra) {
        buf_append_literal(sql, s->extra);
        buf_append_text(sql, ": {name: 'extra', type: 'VARCHAR', default_value: NULL}, ");
        used++;
    }
    uint32_t first = 0;
    if (used == 0) {
        if (!first_file_column(s, &first, err)) {
            return false;
        }
        append_file_column(s, first, sql);
    }
    sql->size -= 2; /* the last comma */
    return true;
}

static bool append_paths(const struct lake_scan *s, struct buf *sql, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    buf_append_text(sql, "[");
    for (uint32_t i = 0; i < s->path_count; i++) {
        buf_clear(&path);
        if (!store_fetch(s->store, s->paths[i], &path, err)) {
            return false;
        }
        buf_append_text(sql, i > 0 ? ", " : "");
        engine_append_path(buf_text(&path), sql);
    }
    buf_append_text(sql, "]");
    return true;
}

static bool has_ids(const struct lake_scan *s)
{
    for (uint32_t i = 0; i < s->schema->column_count; i++) {
        if (file_column(s, i)->from == LAKE_BY_ID) {
            return true;
        }
    }
    return false;
}

/* A column that is asked for by id and has none in the file would be read as missing. */
static bool check_ids(const struct lake_scan *s, const char *paths, struct error *err)
{
    if (!has_ids(s)) {
        return true;
    }
    if (s->extra) {
        return error_set(err, ERROR_FATAL, "a scan of columns by id and of \"%s\" by name",
                         s->extra);
    }
    if (s->trusted) {
        return true;
    }
    owned(buf_release) struct buf sql = {0};
    int64_t count = 0;
    /* Lists and maps of older writers have inner levels without ids; a file of a writer without ids
     * has none at all. */
    buf_append_format(&sql,
                      "SELECT count(*) FROM (SELECT file_name FROM parquet_schema(%s) GROUP BY "
                      "file_name HAVING count(field_id) = 0)",
                      paths);
    if (!engine_query_int64(s->engine, buf_text(&sql), &count, err)) {
        return false;
    }
    return count == 0 || error_set(err, ERROR_DATA,
                                   "%" PRId64 " of the data files, \"%s\" or others, have no field "
                                   "ids, and the table does not say how their names map to them",
                                   count, s->paths[0]);
}

bool lake_scan_append(const struct lake_scan *s, struct buf *sql, struct error *err)
{
    owned(buf_release) struct buf paths = {0};
    if (s->path_count == 0 || s->path_count > PATHS_MAX) {
        return error_set(err, ERROR_FATAL, "a scan of %u files", s->path_count);
    }
    if (!append_paths(s, &paths, err) || !check_ids(s, buf_text(&paths), err)) {
        return false;
    }
    buf_append_text(sql, "SELECT ");
    if (s->first) {
        buf_append_text(sql, s->first);
    }
    for (uint32_t i = 0; i < s->column_count; i++) {
        buf_append_text(sql, i > 0 || s->first ? ", " : "");
        append_output(s, s->columns[i], sql);
    }
    if (s->extra) {
        buf_append_text(sql, s->column_count > 0 || s->first ? ", extra" : "extra");
    }
    buf_append_format(sql, " FROM read_parquet(%s", buf_text(&paths));
    /* With schema= the engine believes that a file has one row, and would keep the file's rows in
     * memory instead of the wanted ones. */
    buf_append_format(sql, ", hive_partitioning = false, explicit_cardinality = %" PRIu64,
                      s->row_count > 0 ? s->row_count : 1);
    buf_append_text(sql, ", schema = MAP {");
    if (!append_columns(s, sql, err)) {
        return false;
    }
    buf_append_text(sql, "})");
    return true;
}

/* What the table says of the file's values, be they in the file or not: their scan opens no file
 * that a condition on them leaves out. */
static void set_values(const struct lake_snapshot *s, const struct lake_file *f,
                       struct lake_file_column *columns)
{
    for (uint32_t i = 0; s->column_ids && i < s->schema->column_count; i++) {
        for (uint32_t v = 0; v < f->value_count; v++) {
            if (f->values[v].column_id == s->column_ids[i]) {
                columns[i] =
                    (struct lake_file_column){.from = LAKE_CONSTANT, .text = f->values[v].text};
            }
        }
    }
}

struct lake_file_column *lake_scan_columns(const struct lake_table *t, const struct lake_file *f,
                                           struct arena *a)
{
    const struct lake_snapshot *s = &t->snapshot;
    struct lake_file_column *columns =
        arena_zalloc(a, ((size_t)s->schema->column_count + 1) * sizeof(*columns));
    for (uint32_t i = 0; i < s->schema->column_count; i++) {
        columns[i] = (struct lake_file_column){
            .from = s->column_ids ? LAKE_BY_ID : LAKE_BY_NAME,
            .name = s->column_names ? s->column_names[i] : s->schema->columns[i].name,
            .id = s->column_ids ? s->column_ids[i] : 0,
            .text = s->column_defaults ? s->column_defaults[i] : NULL,
        };
    }
    for (uint32_t i = 0; !t->type->files_hold_partition && i < s->partition_count; i++) {
        columns[s->partition[i].column] =
            (struct lake_file_column){.from = LAKE_CONSTANT, .text = f->partition[i]};
    }
    set_values(s, f, columns);
    return columns;
}
