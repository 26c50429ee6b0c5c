#include "source/postgres/copy.h"

#include <stdlib.h>

#include "base/clock.h"
#include "model/batch.h"
#include "source/postgres/connection.h"
#include "source/postgres/value.h"

enum {
    BATCH_ROWS = 8192,
    BATCH_BYTES_MAX = 4 << 20,
};

/* A cast would not do: text forms of some casts differ from the output function's (boolean, inet).
 */
void copy_append_sql(const struct relation *r, struct buf *sql)
{
    buf_append_text(sql, "COPY (SELECT ");
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        owned(buf_release) struct buf name = {0};
        buf_append_identifier(&name, r->schema->columns[i].name);
        if (r->origins[i].value_id == VALUE_AS_TEXT) {
            buf_append_format(
                sql, "%sCASE WHEN %s IS DISTINCT FROM NULL THEN pg_catalog.format('%%s', %s) END",
                i == 0 ? "" : ", ", buf_text(&name), buf_text(&name));
        } else {
            buf_append_format(sql, "%s%s", i == 0 ? "" : ", ", buf_text(&name));
        }
    }
    buf_append_text(sql, " FROM ONLY ");
    catalog_append_name(sql, r->name);
    buf_append_text(sql, ") TO STDOUT (FORMAT binary)");
}

/* "PGCOPY\n\377\r\n\0", flags, an extension of a given size. No flag is defined that matters here.
 */
static bool read_header(struct reader *r, struct error *err)
{
    static const char signature[11] = "PGCOPY\n\377\r\n";
    const uint8_t *bytes = reader_bytes(r, sizeof(signature));
    uint32_t flags = reader_u32(r);
    (void)reader_bytes(r, reader_u32(r));
    if (r->failed || memcmp(bytes, signature, sizeof(signature)) != 0 || flags != 0) {
        return error_set(err, ERROR_FATAL, "COPY: unknown header");
    }
    return true;
}

static bool read_row(struct copy_decoder *d, struct reader *in, struct error *err)
{
    const struct relation *r = d->relation;
    struct batch *b = d->batch;
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    b->sequences[row] = d->row_count++;
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        int32_t size = (int32_t)reader_u32(in);
        if (size == -1) {
            batch_set_null(b, i, row);
            continue;
        }
        struct str data = {.size = (size_t)(size < 0 ? 0 : size)};
        data.data = (const char *)reader_bytes(in, data.size);
        if (size < 0 || in->failed) {
            return error_set(err, ERROR_FATAL, "COPY: a row of table %s.%s is cut off",
                             r->name.schema, r->name.table);
        }
        if (!value_store(r->origins[i].value_id, VALUE_FORM_BINARY, data, b, i, row, err)) {
            return error_wrap(err, "table %s.%s, column \"%s\"", r->name.schema, r->name.table,
                              r->schema->columns[i].name);
        }
    }
    return true;
}

static uint32_t batch_rows(const struct relation *r)
{
    size_t width = 40;
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        width += type_width(r->schema->columns[i].type);
    }
    size_t rows = BATCH_BYTES_MAX / 2 / width;
    return rows > BATCH_ROWS ? BATCH_ROWS : (uint32_t)rows;
}

bool copy_decode(struct copy_decoder *d, const void *data, size_t size, struct error *err)
{
    struct reader in = reader_from(data, size);
    if (!d->has_header) { /* comes in one message with the first row */
        if (!read_header(&in, err)) {
            return false;
        }
        d->has_header = true;
    }
    while (reader_left(&in) > 0) {
        int16_t count = (int16_t)reader_u16(&in);
        if (d->is_done || in.failed ||
            (count != -1 && count != (int32_t)d->relation->schema->column_count)) {
            return error_set(err, ERROR_FATAL, "COPY: malformed row of table %s.%s",
                             d->relation->name.schema, d->relation->name.table);
        }
        if (count == -1) {
            d->is_done = true;
            continue;
        }
        if (!d->batch) {
            d->batch = batch_new(d->relation->schema, d->relation->table, batch_rows(d->relation));
            d->batch->loading = true;
            d->batch->received_us = clock_wall_us();
        }
        if (!read_row(d, &in, err)) {
            return false;
        }
    }
    return true;
}

static void message_free(char **message)
{
    PQfreemem(take(*message));
}

/* Hands over a batch when it is full, or whatever there is. */
static bool hand_over(struct copy_decoder *d, bool all, source_rows_fn *fn, void *arg,
                      struct error *err)
{
    if (!d->batch ||
        (!all && d->batch->row_count < BATCH_ROWS && batch_bytes(d->batch) < BATCH_BYTES_MAX)) {
        return true;
    }
    return fn(arg, take(d->batch), err);
}

static bool copy_messages(PGconn *c, struct copy_decoder *d, source_rows_fn *fn, void *arg,
                          struct error *err)
{
    for (;;) {
        owned(message_free) char *message = NULL;
        int size = PQgetCopyData(c, &message, 0);
        if (size < 0) {
            break;
        }
        if (!copy_decode(d, message, (size_t)size, err) || !hand_over(d, false, fn, arg, err)) {
            return false;
        }
    }
    owned(result_free) PGresult *end = PQgetResult(c);
    if (PQresultStatus(end) != PGRES_COMMAND_OK) {
        return connection_error(c, end, err);
    }
    if (!d->is_done) {
        return error_set(err, ERROR_RETRY, "COPY ended before its last row");
    }
    PQclear(PQgetResult(c)); /* NULL: that ends the command */
    return hand_over(d, true, fn, arg, err);
}

bool copy_table(PGconn *c, const struct relation *r, source_rows_fn *fn, void *arg,
                struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    copy_append_sql(r, &sql);
    owned(result_free) PGresult *start = PQexec(c, buf_text(&sql));
    if (PQresultStatus(start) != PGRES_COPY_OUT) {
        connection_error(c, start, err);
        return error_wrap(err, "cannot read table %s.%s", r->name.schema, r->name.table);
    }
    struct copy_decoder decoder = {.relation = r};
    bool done = copy_messages(c, &decoder, fn, arg, err);
    batch_release(decoder.batch);
    return done || error_wrap(err, "reading table %s.%s", r->name.schema, r->name.table);
}
