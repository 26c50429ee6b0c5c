/* Results as columns of the model, a chunk at a time, in place. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/duckdb_internal.h"

struct engine_rows {
    duckdb_prepared_statement prepared; /* of engine_query(); NULL when a statement owns it */
    duckdb_result result;
    duckdb_data_chunk chunk;
    uint32_t column_count;
    struct column *columns;
    struct uuid *
        *uuids; /* by column: where the chunk's UUIDs are put into text order; NULL: no UUIDs */
};

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p) {
        abort();
    }
    return p;
}

static bool prepare(struct engine_connection *c, const char *sql, duckdb_prepared_statement *out,
                    struct error *err)
{
    if (duckdb_prepare(c->connection, sql, out) == DuckDBSuccess) {
        return true;
    }
    /* A failed prepare has no error type of its own: the message begins with it. */
    const char *message = duckdb_prepare_error(*out);
    bool fatal =
        message && (strncmp(message, "FATAL", 5) == 0 || strncmp(message, "INTERNAL", 8) == 0);
    duckdb_failed(fatal ? DUCKDB_ERROR_FATAL : DUCKDB_ERROR_INVALID, message, err);
    duckdb_destroy_prepare(out);
    return false;
}

static bool describe(struct engine_rows *r, struct error *err)
{
    r->column_count = (uint32_t)duckdb_column_count(&r->result);
    r->columns = allocate(r->column_count, sizeof(*r->columns));
    r->uuids = allocate(r->column_count, sizeof(struct uuid *));
    for (uint32_t i = 0; i < r->column_count; i++) {
        duckdb_logical_type type = duckdb_column_logical_type(&r->result, i);
        bool known =
            type_from_duckdb(type, duckdb_column_name(&r->result, i), &r->columns[i].type, err);
        duckdb_destroy_logical_type(&type);
        if (!known) {
            return false;
        }
        if (r->columns[i].type.kind == TYPE_UUID) {
            r->uuids[i] = allocate(duckdb_vector_size(), sizeof(struct uuid));
        }
    }
    return true;
}

/* Streaming: no more than a few chunks are held, however long the result is. */
static struct engine_rows *start(struct engine_rows *rows, duckdb_prepared_statement prepared,
                                 struct error *err)
{
    owned(engine_rows_free) struct engine_rows *r = rows;
    if (duckdb_execute_prepared_streaming(prepared, &r->result) != DuckDBSuccess) {
        duckdb_result_failed(&r->result, err);
        return NULL;
    }
    return describe(r, err) ? take(r) : NULL;
}

struct engine_rows *engine_query(struct engine_connection *c, const char *sql, struct error *err)
{
    owned(engine_rows_free) struct engine_rows *r = allocate(1, sizeof(*r));
    if (!prepare(c, sql, &r->prepared, err)) {
        return NULL;
    }
    duckdb_prepared_statement prepared = r->prepared;
    return start(take(r), prepared, err);
}

struct engine_statement *engine_prepare(struct engine_connection *c, const char *sql,
                                        struct error *err)
{
    struct engine_statement *s = allocate(1, sizeof(*s));
    if (!prepare(c, sql, &s->prepared, err)) {
        free(s);
        return NULL;
    }
    return s;
}

bool statement_check_types(const struct engine_statement *s, struct error *err)
{
    idx_t count = duckdb_prepared_statement_column_count(s->prepared);
    for (idx_t i = 0; i < count; i++) {
        duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(s->prepared, i);
        const char *name = duckdb_prepared_statement_column_name(s->prepared, i);
        struct type known;
        bool done = type_from_duckdb(type, name ? name : "", &known, err);
        duckdb_free((void *)(uintptr_t)name);
        duckdb_destroy_logical_type(&type);
        if (!done) {
            return false;
        }
    }
    return true;
}

struct engine_rows *engine_run(struct engine_statement *s, struct error *err)
{
    return start(allocate(1, sizeof(struct engine_rows)), s->prepared, err);
}

void engine_statement_free(struct engine_statement **s)
{
    struct engine_statement *statement = take(*s);
    if (statement) {
        duckdb_destroy_prepare(&statement->prepared);
        free(statement);
    }
}

uint32_t engine_rows_column_count(const struct engine_rows *r)
{
    return r->column_count;
}

const char *engine_rows_name(const struct engine_rows *r, uint32_t column)
{
    duckdb_result result = r->result; /* the function only reads, but asks for a writable one */
    return duckdb_column_name(&result, column);
}

struct type engine_rows_type(const struct engine_rows *r, uint32_t column)
{
    return r->columns[column].type;
}

static void uuids_to_text_order(struct uuid *to, const duckdb_hugeint *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t halves[2] = {
            __builtin_bswap64((uint64_t)from[i].upper ^ (UINT64_C(1) << 63)),
            __builtin_bswap64(from[i].lower),
        };
        memcpy(&to[i], halves, sizeof(halves));
    }
}

/* Clears the bytes of null values, which DuckDB leaves as they were. Returns whether there are any.
 */
static bool clear_nulls(struct column *c, size_t count)
{
    size_t width = type_width(c->type);
    bool any = false;
    for (size_t row = 0; row < count; row++) {
        if ((row & 63) == 0 && c->valid[row >> 6] == UINT64_MAX) {
            row += 63;
            continue;
        }
        if (!bit_get(c->valid, row)) {
            memset((char *)c->values + row * width, 0, width);
            any = true;
        }
    }
    return any;
}

static void point_at(struct engine_rows *r, uint32_t index, size_t count)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(r->chunk, index);
    struct column *c = &r->columns[index];
    c->values = duckdb_vector_get_data(vector);
    c->valid = duckdb_vector_get_validity(vector);
    if (r->uuids[index]) {
        uuids_to_text_order(r->uuids[index], c->values, count);
        c->values = r->uuids[index];
    }
    if (c->valid && !clear_nulls(c, count)) {
        c->valid = NULL;
    }
}

bool engine_rows_next(struct engine_rows *r, const struct column **columns, uint32_t *row_count,
                      struct error *err)
{
    size_t count = 0;
    while (count == 0) {
        duckdb_destroy_data_chunk(&r->chunk);
        r->chunk = duckdb_fetch_chunk(r->result);
        if (!r->chunk) {
            if (duckdb_result_error(&r->result)) {
                return duckdb_result_failed(&r->result, err);
            }
            break;
        }
        count = duckdb_data_chunk_get_size(r->chunk);
    }
    for (uint32_t i = 0; i < r->column_count && count > 0; i++) {
        point_at(r, i, count);
    }
    *columns = r->columns;
    *row_count = (uint32_t)count;
    return true;
}

void engine_rows_free(struct engine_rows **r)
{
    struct engine_rows *rows = take(*r);
    if (rows) {
        duckdb_destroy_data_chunk(&rows->chunk);
        duckdb_destroy_result(&rows->result);
        duckdb_destroy_prepare(&rows->prepared);
        for (uint32_t i = 0; rows->uuids && i < rows->column_count; i++) {
            free(rows->uuids[i]);
        }
        free(rows->uuids);
        free(rows->columns);
        free(rows);
    }
}

/* Reads the only value of a result into `out`, whose views live as long as `r`. */
static bool single_value(struct engine_rows *r, struct column *out, struct error *err)
{
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    if (!engine_rows_next(r, &columns, &row_count, err)) {
        return false;
    }
    if (r->column_count != 1 || row_count != 1 || !column_is_valid(&columns[0], 0)) {
        return error_set(err, ERROR_DATA,
                         "a query for one value gave %" PRIu32 " columns and %" PRIu32
                         " rows, or null",
                         r->column_count, row_count);
    }
    *out = columns[0];
    return true;
}

/* After the value has been taken: a second row may be in the next chunk. */
static bool no_more(struct engine_rows *r, struct error *err)
{
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    return engine_rows_next(r, &columns, &row_count, err) &&
           (row_count == 0 ||
            error_set(err, ERROR_DATA, "a query for one value gave more than one row"));
}

bool engine_query_int64(struct engine_connection *c, const char *sql, int64_t *out,
                        struct error *err)
{
    owned(engine_rows_free) struct engine_rows *r = engine_query(c, sql, err);
    struct column value = {0};
    if (!r || !single_value(r, &value, err)) {
        return false;
    }
    int64_t number = 0;
    if (value.type.kind == TYPE_INT64) {
        number = *(const int64_t *)value.values;
    } else if (value.type.kind == TYPE_INT32) {
        number = *(const int32_t *)value.values;
    } else if (value.type.kind == TYPE_INT16) {
        number = *(const int16_t *)value.values;
    } else {
        return error_set(err, ERROR_DATA, "column \"%s\" is not an integer",
                         engine_rows_name(r, 0));
    }
    if (!no_more(r, err)) {
        return false;
    }
    *out = number;
    return true;
}

bool engine_query_text(struct engine_connection *c, const char *sql, struct buf *out,
                       struct error *err)
{
    owned(engine_rows_free) struct engine_rows *r = engine_query(c, sql, err);
    struct column value = {0};
    if (!r || !single_value(r, &value, err)) {
        return false;
    }
    if (value.type.kind != TYPE_STRING && value.type.kind != TYPE_JSON) {
        return error_set(err, ERROR_DATA, "column \"%s\" is not text", engine_rows_name(r, 0));
    }
    struct str text = view_str(value.values);
    size_t size = out->size;
    buf_append(out, text.data, text.size);
    if (out->failed) {
        return error_set(err, ERROR_DATA, "column \"%s\": %zu bytes of text are too many",
                         engine_rows_name(r, 0), text.size);
    }
    if (!no_more(r, err)) {
        out->size = size;
        return false;
    }
    return true;
}
