#include "cli/sample_tables.h"

#include <inttypes.h>
#include <string.h>

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

/* Types that have other names in MySQL; they are the first word of a definition. */
static void append_definition(const char *definition, bool is_mysql, struct buf *sql)
{
    static const struct {
        const char *postgres;
        const char *mysql;
    } types[] = {
        {"SERIAL", "INT AUTO_INCREMENT"},
        {"BIGSERIAL", "BIGINT AUTO_INCREMENT"},
        {"TIMESTAMP", "DATETIME(3)"},
        {"TIMESTAMPTZ", "TIMESTAMP(3) NULL"},
        {"UUID", "CHAR(36)"},
        {"JSONB", "JSON"},
    };
    size_t size = strcspn(definition, " ");
    for (size_t i = 0; is_mysql && i < COUNT(types); i++) {
        if (strlen(types[i].postgres) == size &&
            strncmp(definition, types[i].postgres, size) == 0) {
            buf_append_text(sql, types[i].mysql);
            definition += size;
            break;
        }
    }
    buf_append_text(sql, definition);
}

bool sample_table_create(struct database *db, const struct sample_table *t, const char *schema,
                         bool replace, struct error *err)
{
    bool is_mysql = database_is_mysql(db);
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
        buf_append_format(&sql, "%s %s ", i == 0 ? " (" : ",", t->columns[i].name);
        append_definition(t->columns[i].definition, is_mysql, &sql);
    }
    buf_append_text(&sql, is_mysql ? ") DEFAULT CHARACTER SET utf8mb4" : ")");
    return database_execute(db, buf_text(&sql), err) ||
           error_wrap(err, "cannot make table %s.%s%s", schema, t->name,
                      replace ? "" : " (--drop replaces one that exists)");
}

bool sample_table_set_sequence(struct database *db, const struct sample_table *t,
                               const char *schema, uint64_t key_max, struct error *err)
{
    /* InnoDB's counter follows the keys that are inserted, and since MySQL 8 also updated ones. */
    if (key_max == 0 || database_is_mysql(db)) {
        return true;
    }
    owned(free_buf) struct buf name = {0};
    owned(free_buf) struct buf sql = {0};
    sample_table_append_name(t, schema, &name);
    buf_append_text(&sql, "SELECT setval(pg_get_serial_sequence(");
    buf_append_literal(&sql, buf_text(&name));
    buf_append_format(&sql, ", '%s'), %" PRIu64 ")", t->columns[0].name, key_max);
    return database_execute(db, buf_text(&sql), err);
}

static bool load_rows(struct database *db, const struct sample_table *t, const struct sample *s,
                      uint64_t row_count, struct error *err)
{
    struct sample_row row = {0};
    bool loaded = true;
    for (uint64_t key = 1; loaded && key <= row_count; key++) {
        t->fill(s, key, 0, &row);
        loaded = database_load_row(db, &row, err);
    }
    sample_row_release(&row);
    return loaded && database_load_end(db, err);
}

bool sample_table_load(struct database *db, const struct sample_table *t, const char *schema,
                       const struct sample *s, uint64_t row_count, struct error *err)
{
    owned(free_buf) struct buf name = {0};
    sample_table_append_name(t, schema, &name);
    if (!database_load_begin(db, buf_text(&name), err) || !load_rows(db, t, s, row_count, err)) {
        return error_wrap(err, "cannot fill table %s.%s", schema, t->name);
    }
    return sample_table_set_sequence(db, t, schema, row_count, err);
}
