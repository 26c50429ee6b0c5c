#include "cli/table_checksum.h"

#include <inttypes.h>
#include <roaring/roaring.h>
#include <string.h>

#include "format/value.h"

static void free_buf(struct buf *b)
{
    buf_release(b);
}

/* The source. */

/* How a value's canonical text (format/value.h) is had from a server, by its information_schema's
 * data_type: what stands before and behind the column. Times with a zone are compared as wall time
 * in UTC, because a lake's type may be either. */
struct export
{
    const char *type;
    const char *before;
    const char *after;
};
static const struct export postgres_exports[] = {
    {"timestamp without time zone", "replace(", "::text, ' ', 'T')"},
    {"timestamp with time zone", "replace((", " AT TIME ZONE 'UTC')::text, ' ', 'T')"},
    {NULL, "", "::text"},
};
/* MySQL prints the fraction of a second with its zeros, and sends everything as text anyway. */
#define WITHOUT_ZEROS "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM DATE_FORMAT("
#define AS_ISO_8601 ", '%Y-%m-%dT%H:%i:%s.%f')))"
static const struct export mysql_exports[] = {
    {"datetime", WITHOUT_ZEROS, AS_ISO_8601},
    {"timestamp", WITHOUT_ZEROS, AS_ISO_8601},
    {NULL, "", ""},
};

static char *export_of(struct arena *a, const struct database *db, const char *name,
                       const char *type)
{
    const struct export *e = database_is_mysql(db) ? mysql_exports : postgres_exports;
    while (e->type && strcmp(e->type, type) != 0) {
        e++;
    }
    owned(free_buf) struct buf sql = {0};
    buf_append_text(&sql, e->before);
    buf_append_identifier(&sql, name);
    buf_append_text(&sql, e->after);
    return arena_string(a, sql.data, sql.size);
}

static void append_table(struct buf *sql, const struct table_name *table)
{
    buf_append_identifier(sql, table->schema);
    buf_append_char(sql, '.');
    buf_append_identifier(sql, table->table);
}

bool source_columns(struct database *db, const struct table_name *table, struct arena *a,
                    struct compared_columns *out, struct error *err)
{
    owned(free_buf) struct buf sql = {0};
    buf_append_text(&sql, "SELECT column_name, data_type FROM information_schema.columns"
                          " WHERE table_schema = ");
    buf_append_literal(&sql, table->schema);
    buf_append_text(&sql, " AND table_name = ");
    buf_append_literal(&sql, table->table);
    buf_append_text(&sql, " ORDER BY ordinal_position");
    owned(database_rows_free) struct database_rows *rows = database_query(db, buf_text(&sql), err);
    if (!rows) {
        return error_wrap(err, "cannot read the columns of %s.%s", table->schema, table->table);
    }
    out->count = rows->row_count;
    out->names = arena_array(a, rows->row_count, sizeof(*out->names));
    out->exports = arena_array(a, rows->row_count, sizeof(*out->exports));
    for (uint32_t i = 0; i < rows->row_count; i++) {
        out->names[i] = arena_format(a, "%s", database_value(rows, i, 0));
        out->exports[i] = export_of(a, db, out->names[i], database_value(rows, i, 1));
    }
    return true;
}

static void add_row(void *arg, struct str row)
{
    row_checksum_add(arg, row);
}

bool source_checksum(struct database *db, const struct table_name *table,
                     const struct compared_columns *columns, struct row_checksum *out,
                     struct error *err)
{
    owned(free_buf) struct buf sql = {0};
    for (uint32_t i = 0; i < columns->count; i++) {
        buf_append_text(&sql, i == 0 ? "SELECT " : ", ");
        buf_append_text(&sql, columns->exports[i]);
    }
    buf_append_text(&sql, " FROM ");
    append_table(&sql, table);
    return database_export(db, buf_text(&sql), add_row, out, err) ||
           error_wrap(err, "cannot read %s.%s", table->schema, table->table);
}

/* The lake. */

static bool add_rows(const struct lake_file *file, struct engine_rows *rows, uint32_t column_count,
                     struct row_checksum *out, struct error *err)
{
    owned(free_buf) struct buf text = {0};
    owned(free_buf) struct buf value = {0};
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!engine_rows_next(rows, &columns, &row_count, err)) {
            return false;
        }
        if (row_count == 0) {
            return true;
        }
        const int64_t *numbers = columns[column_count].values; /* of the rows in their file */
        for (uint32_t row = 0; row < row_count; row++) {
            if (file->deleted && roaring_bitmap_contains(file->deleted, (uint32_t)numbers[row])) {
                continue;
            }
            buf_clear(&text);
            for (uint32_t i = 0; i < column_count; i++) {
                struct column column = columns[i];
                if (!column_is_valid(&column, row)) {
                    row_append_null(&text, i == 0);
                    continue;
                }
                if (column.type.kind == TYPE_TIMESTAMPTZ) {
                    column.type.kind = TYPE_TIMESTAMP; /* the same number, printed without Z */
                }
                buf_clear(&value);
                value_format(&column, row, &value);
                row_append_value(&text, i == 0, buf_str(&value));
            }
            row_checksum_add(out, buf_str(&text));
        }
    }
}

static bool add_file(struct lake_table *table, const struct lake_file *file,
                     struct engine_connection *engine, const struct compared_columns *columns,
                     struct row_checksum *out, struct error *err)
{
    owned(free_buf) struct buf path = {0};
    owned(free_buf) struct buf sql = {0};
    if (!store_fetch(table->store, file->path, &path, err)) {
        return false;
    }
    buf_append_text(&sql, "SELECT ");
    for (uint32_t i = 0; i < columns->count; i++) {
        buf_append_identifier(&sql, columns->names[i]);
        buf_append_text(&sql, ", ");
    }
    buf_append_text(&sql, "file_row_number FROM read_parquet(");
    buf_append_literal(&sql, buf_text(&path));
    buf_append_text(&sql, ", file_row_number = true, hive_partitioning = false)");
    owned(engine_rows_free) struct engine_rows *rows = engine_query(engine, buf_text(&sql), err);
    return rows && add_rows(file, rows, columns->count, out, err);
}

bool lake_checksum(struct lake_table *table, struct engine_connection *engine,
                   const struct compared_columns *columns, struct row_checksum *out,
                   struct error *err)
{
    for (uint32_t slot = 0; slot < table->snapshot.slot_count; slot++) {
        const struct lake_file *file = lake_table_file(table, slot);
        if (file && !add_file(table, file, engine, columns, out, err)) {
            return error_wrap(err, "cannot read \"%s\"", file->path);
        }
    }
    return true;
}
