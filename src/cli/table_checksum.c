#include "cli/table_checksum.h"

#include <inttypes.h>
#include <roaring/roaring.h>
#include <string.h>

#include "cli/database.h"
#include "format/value.h"

static void free_buf(struct buf *b)
{
    buf_release(b);
}

/* The source. */

/* What the canonical text of format/value.h is in the server's words. Times with a zone are
 * compared as wall time in UTC, because a lake's type may be either. */
static char *export_of(struct arena *a, const char *name, const char *type)
{
    owned(free_buf) struct buf sql = {0};
    owned(free_buf) struct buf column = {0};
    buf_append_identifier(&column, name);
    if (strcmp(type, "timestamp") == 0) {
        buf_append_format(&sql, "replace(%s::text, ' ', 'T')", buf_text(&column));
    } else if (strcmp(type, "timestamptz") == 0) {
        buf_append_format(&sql, "replace((%s AT TIME ZONE 'UTC')::text, ' ', 'T')",
                          buf_text(&column));
    } else {
        buf_append_format(&sql, "%s::text", buf_text(&column));
    }
    return arena_string(a, sql.data, sql.size);
}

static void append_table(struct buf *sql, const struct table_name *table)
{
    buf_append_identifier(sql, table->schema);
    buf_append_char(sql, '.');
    buf_append_identifier(sql, table->table);
}

bool source_columns(PGconn *connection, const struct table_name *table, struct arena *a,
                    struct compared_columns *out, struct error *err)
{
    owned(free_buf) struct buf sql = {0};
    owned(free_buf) struct buf name = {0};
    append_table(&name, table);
    buf_append_text(&sql,
                    "SELECT attname, typname FROM pg_attribute JOIN pg_type t ON t.oid = atttypid"
                    " WHERE attnum > 0 AND NOT attisdropped AND attrelid = ");
    buf_append_literal(&sql, buf_text(&name));
    buf_append_text(&sql, "::regclass ORDER BY attnum");
    owned(database_result_free) PGresult *rows = database_query(connection, buf_text(&sql), err);
    if (!rows) {
        return error_wrap(err, "cannot read the columns of %s.%s", table->schema, table->table);
    }
    size_t count = (size_t)PQntuples(rows);
    out->count = (uint32_t)count;
    out->names = arena_array(a, count, sizeof(*out->names));
    out->exports = arena_array(a, count, sizeof(*out->exports));
    for (int i = 0; i < (int)count; i++) {
        out->names[i] = arena_format(a, "%s", PQgetvalue(rows, i, 0));
        out->exports[i] = export_of(a, out->names[i], PQgetvalue(rows, i, 1));
    }
    return true;
}

static bool begin_copy(PGconn *connection, const struct table_name *table,
                       const struct compared_columns *columns, struct error *err)
{
    if (!database_execute(connection,
                          "SET datestyle = 'ISO, YMD'; SET bytea_output = 'hex';"
                          " SET extra_float_digits = 1; SET client_encoding = 'UTF8'",
                          err)) {
        return false;
    }
    owned(free_buf) struct buf sql = {0};
    for (uint32_t i = 0; i < columns->count; i++) {
        buf_append_text(&sql, i == 0 ? "COPY (SELECT " : ", ");
        buf_append_text(&sql, columns->exports[i]);
    }
    buf_append_text(&sql, " FROM ");
    append_table(&sql, table);
    buf_append_text(&sql, ") TO STDOUT");
    owned(database_result_free) PGresult *begun = PQexec(connection, buf_text(&sql));
    return PQresultStatus(begun) == PGRES_COPY_OUT || database_fail(connection, "COPY", err);
}

bool source_checksum(PGconn *connection, const struct table_name *table,
                     const struct compared_columns *columns, struct row_checksum *out,
                     struct error *err)
{
    if (!begin_copy(connection, table, columns, err)) {
        return error_wrap(err, "cannot read %s.%s", table->schema, table->table);
    }
    int size = 0;
    char *row = NULL;
    while ((size = PQgetCopyData(connection, &row, 0)) > 0) {
        /* One line a message, with its line break. */
        row_checksum_add(out, (struct str){.data = row, .size = (size_t)size - 1});
        PQfreemem(row);
    }
    bool done = size == -1;
    for (PGresult *end = PQgetResult(connection); end; end = PQgetResult(connection)) {
        done = done && PQresultStatus(end) == PGRES_COMMAND_OK;
        PQclear(end);
    }
    return done || database_fail(connection, "COPY", err);
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
