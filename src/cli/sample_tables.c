#include "cli/sample_tables.h"

#include <inttypes.h>
#include <string.h>

#include "cli/database.h"

static const struct sample_column customer_columns[] = {
    {"customer_id", "SERIAL PRIMARY KEY"},
    {"email", "VARCHAR(255)"},
    {"first_name", "VARCHAR(100)"},
    {"last_name", "VARCHAR(100)"},
    {"phone", "VARCHAR(20)"},
    {"address_line1", "VARCHAR(255)"},
    {"city", "VARCHAR(100)"},
    {"state", "VARCHAR(50)"},
    {"postal_code", "VARCHAR(20)"},
    {"country", "VARCHAR(50)"},
    {"registration_date", "TIMESTAMP"},
    {"last_updated", "TIMESTAMP"},
    {"is_active", "BOOLEAN"},
    {"customer_tier", "VARCHAR(20)"},
    {"lifetime_value", "NUMERIC(10,2)"},
};
static const uint32_t customer_changes[] = {
    1u << 11 | 1u << 13 | 1u << 14,                   /* tier and value */
    1u << 11 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8, /* a move */
    1u << 11 | 1u << 4,                               /* a new telephone */
    1u << 11 | 1u << 12,                              /* active or not */
};

static const struct sample_column order_columns[] = {
    {"order_id", "SERIAL PRIMARY KEY"},
    {"customer_id", "INTEGER NOT NULL"},
    {"product_id", "INTEGER NOT NULL"},
    {"order_date", "TIMESTAMP NOT NULL"},
    {"status", "VARCHAR(20) NOT NULL"},
    {"quantity", "INTEGER NOT NULL"},
    {"unit_price", "NUMERIC(10,2) NOT NULL"},
    {"total_amount", "NUMERIC(12,2) NOT NULL"},
    {"payment_method", "VARCHAR(50)"},
    {"shipping_address", "VARCHAR(255)"},
    {"notes", "TEXT"},
    {"last_updated", "TIMESTAMP"},
};
static const uint32_t order_changes[] = {
    1u << 11 | 1u << 4,                     /* the next status */
    1u << 11 | 1u << 5 | 1u << 6 | 1u << 7, /* another quantity */
    1u << 11 | 1u << 9 | 1u << 10,          /* another address */
};

static const struct sample_column product_columns[] = {
    {"product_id", "SERIAL PRIMARY KEY"},
    {"name", "VARCHAR(255) NOT NULL"},
    {"sku", "VARCHAR(50) NOT NULL"},
    {"category", "VARCHAR(100)"},
    {"price", "NUMERIC(10,2) NOT NULL"},
    {"description", "TEXT"},
    {"is_active", "BOOLEAN"},
    {"created_at", "TIMESTAMP"},
    {"last_updated", "TIMESTAMP"},
};
static const uint32_t product_changes[] = {
    1u << 8 | 1u << 4, /* a price; the description stays, however long */
    1u << 8 | 1u << 5,
    1u << 8 | 1u << 6,
};

static const struct sample_column inventory_columns[] = {
    {"inventory_id", "SERIAL PRIMARY KEY"},
    {"product_id", "INTEGER NOT NULL"},
    {"warehouse", "VARCHAR(50) NOT NULL"},
    {"quantity", "INTEGER NOT NULL"},
    {"reserved", "INTEGER NOT NULL"},
    {"reorder_level", "INTEGER"},
    {"last_restocked", "DATE"},
    {"last_updated", "TIMESTAMP"},
};
static const uint32_t inventory_changes[] = {
    1u << 7 | 1u << 3 | 1u << 4,
    1u << 7 | 1u << 3 | 1u << 6,
};

static const struct sample_column user_columns[] = {
    {"id", "BIGSERIAL PRIMARY KEY"}, {"external_id", "UUID NOT NULL"}, {"name", "VARCHAR(200)"},
    {"email", "VARCHAR(255)"},       {"preferences", "JSONB"},         {"is_active", "BOOLEAN"},
    {"created_at", "TIMESTAMPTZ"},   {"updated_at", "TIMESTAMPTZ"},
};
static const uint32_t user_changes[] = {
    1u << 7 | 1u << 4,
    1u << 7 | 1u << 5,
    1u << 7 | 1u << 2 | 1u << 3,
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define TABLE(table, noun)                                                                \
    {                                                                                     \
        .name = #table, .columns = noun##_columns, .column_count = COUNT(noun##_columns), \
        .changes = noun##_changes, .change_count = COUNT(noun##_changes),                 \
        .fill = sample_fill_##noun,                                                       \
    }

const struct sample_table sample_tables[SAMPLE_TABLE_COUNT] = {
    TABLE(customers, customer),  TABLE(orders, order), TABLE(products, product),
    TABLE(inventory, inventory), TABLE(users, user),
};

_Static_assert(COUNT(customer_columns) <= SAMPLE_FIELDS_MAX, "a row has room for all fields");

const struct sample_table *sample_table_find(const char *name)
{
    for (uint32_t i = 0; i < SAMPLE_TABLE_COUNT; i++) {
        if (strcmp(sample_tables[i].name, name) == 0) {
            return &sample_tables[i];
        }
    }
    return NULL;
}

void sample_table_append_name(const struct sample_table *t, const char *schema, struct buf *out)
{
    buf_append_identifier(out, schema);
    buf_append_char(out, '.');
    buf_append_identifier(out, t->name);
}

static void free_buf(struct buf *b)
{
    buf_release(b);
}

bool sample_table_create(PGconn *connection, const struct sample_table *t, const char *schema,
                         bool replace, struct error *err)
{
    owned(free_buf) struct buf sql = {0};
    buf_append_text(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    buf_append_identifier(&sql, schema);
    if (replace) {
        buf_append_text(&sql, "; DROP TABLE IF EXISTS ");
        sample_table_append_name(t, schema, &sql);
    }
    buf_append_text(&sql, "; CREATE TABLE ");
    sample_table_append_name(t, schema, &sql);
    for (uint32_t i = 0; i < t->column_count; i++) {
        buf_append_format(&sql, "%s %s %s", i == 0 ? " (" : ",", t->columns[i].name,
                          t->columns[i].definition);
    }
    buf_append_text(&sql, ")");
    return database_execute(connection, buf_text(&sql), err) ||
           error_wrap(err, "cannot make table %s.%s%s", schema, t->name,
                      replace ? "" : " (--drop replaces one that exists)");
}

bool sample_table_set_sequence(PGconn *connection, const struct sample_table *t, const char *schema,
                               uint64_t key_max, struct error *err)
{
    owned(free_buf) struct buf name = {0};
    owned(free_buf) struct buf sql = {0};
    sample_table_append_name(t, schema, &name);
    buf_append_text(&sql, "SELECT setval(pg_get_serial_sequence(");
    buf_append_literal(&sql, buf_text(&name));
    buf_append_format(&sql, ", '%s'), %" PRIu64 ")", t->columns[0].name, key_max);
    return key_max == 0 || database_execute(connection, buf_text(&sql), err);
}

/* Sends rows while COPY is open. */
static bool send_rows(PGconn *connection, const struct sample_table *t, const struct sample *s,
                      uint64_t row_count, struct error *err)
{
    enum { CHUNK_BYTES = 65536 };
    struct sample_row row = {0};
    owned(free_buf) struct buf chunk = {0};
    bool sent = true;
    for (uint64_t key = 1; sent && key <= row_count; key++) {
        t->fill(s, key, 0, &row);
        sample_row_append_copy(&row, &chunk);
        if (chunk.size >= CHUNK_BYTES || key == row_count) {
            sent = PQputCopyData(connection, chunk.data, (int)chunk.size) == 1;
            buf_clear(&chunk);
        }
    }
    sample_row_release(&row);
    return (sent && PQputCopyEnd(connection, NULL) == 1) || database_fail(connection, "COPY", err);
}

bool sample_table_load(PGconn *connection, const struct sample_table *t, const char *schema,
                       const struct sample *s, uint64_t row_count, struct error *err)
{
    owned(free_buf) struct buf sql = {0};
    buf_append_text(&sql, "COPY ");
    sample_table_append_name(t, schema, &sql);
    buf_append_text(&sql, " FROM STDIN");
    owned(database_result_free) PGresult *begun = PQexec(connection, buf_text(&sql));
    if (PQresultStatus(begun) != PGRES_COPY_IN) {
        return database_fail(connection, "COPY", err);
    }
    if (!send_rows(connection, t, s, row_count, err)) {
        return false;
    }
    owned(database_result_free) PGresult *done = PQgetResult(connection);
    if (PQresultStatus(done) != PGRES_COMMAND_OK) {
        (void)database_fail(connection, "COPY", err);
        return error_wrap(err, "cannot fill table %s.%s", schema, t->name);
    }
    while (true) { /* the connection is free when there is no more result */
        owned(database_result_free) PGresult *more = PQgetResult(connection);
        if (!more) {
            break;
        }
    }
    return sample_table_set_sequence(connection, t, schema, row_count, err);
}
