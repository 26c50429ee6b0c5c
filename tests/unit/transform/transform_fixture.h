/* A customers table and an engine for the transform's tests. */
#pragma once

#include <string.h>

#include "engine/engine.h"
#include "format/value.h"
#include "test.h"
#include "transform/transform.h"

struct fixture {
    struct engine *engine;
    struct engine_connection *connection;
    struct schema *customers;
};

enum customer_column {
    CUSTOMER_ID,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    CITY,
    STATE,
    COUNTRY,
    REGISTRATION_DATE,
    IS_ACTIVE,
    CUSTOMER_TIER,
    LIFETIME_VALUE,
    BIO,
    CUSTOMER_COLUMNS,
};

static inline struct schema *customers_schema(void)
{
    static const struct {
        const char *name;
        struct type type;
        const char *source_type;
    } columns[CUSTOMER_COLUMNS] = {
        [CUSTOMER_ID] = {"customer_id", {.kind = TYPE_INT32}, "integer"},
        [EMAIL] = {"email", {.kind = TYPE_STRING}, "character varying(255)"},
        [FIRST_NAME] = {"first_name", {.kind = TYPE_STRING}, "character varying(100)"},
        [LAST_NAME] = {"last_name", {.kind = TYPE_STRING}, "character varying(100)"},
        [CITY] = {"city", {.kind = TYPE_STRING}, "character varying(100)"},
        [STATE] = {"state", {.kind = TYPE_STRING}, "character varying(50)"},
        [COUNTRY] = {"country", {.kind = TYPE_STRING}, "character varying(50)"},
        [REGISTRATION_DATE] = {"registration_date", {.kind = TYPE_TIMESTAMP}, "timestamp"},
        [IS_ACTIVE] = {"is_active", {.kind = TYPE_BOOL}, "boolean"},
        [CUSTOMER_TIER] = {"customer_tier", {.kind = TYPE_STRING}, "character varying(20)"},
        [LIFETIME_VALUE] = {"lifetime_value", {TYPE_DECIMAL, 10, 2}, "numeric(10,2)"},
        [BIO] = {"bio", {.kind = TYPE_JSON}, "jsonb"},
    };
    struct schema *s = schema_new(CUSTOMER_COLUMNS);
    for (int i = 0; i < CUSTOMER_COLUMNS; i++) {
        s->columns[i] = (struct schema_column){
            .name = schema_name(s, str_from(columns[i].name)),
            .type = columns[i].type,
            .nullable = i != CUSTOMER_ID,
            .is_key = i == CUSTOMER_ID,
            .source_type = columns[i].source_type,
        };
    }
    schema_seal(s);
    return s;
}

static inline void fixture_open(struct fixture *f)
{
    struct error err = {0};
    *f = (struct fixture){.customers = customers_schema()};
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_USER}, &err);
    assert_non_null(f->engine);
    f->connection = engine_connect(f->engine, &err);
    assert_non_null(f->connection);
}

static inline void fixture_close(struct fixture *f)
{
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    schema_free(&f->customers);
}

static inline void set_text(struct batch *b, uint32_t row, enum customer_column column,
                            const char *text)
{
    if (text) {
        batch_set_bytes(b, column, row, text, strlen(text));
    } else {
        batch_set_null(b, column, row);
    }
}

/* Row n of a transaction at position 1000 + n. */
static inline uint32_t add_customer(struct batch *b, enum row_kind kind, int32_t id,
                                    const char *tier)
{
    uint32_t row = batch_add_row(b, kind, IMAGE_WHOLE);
    b->positions[row] = 1000 + row;
    b->commit_times_us[row] = 1704164645123456;
    b->transactions[row] = 77;
    b->sequences[row] = row;
    ((int32_t *)b->columns[CUSTOMER_ID].values)[row] = id;
    set_text(b, row, EMAIL, "john.longer.than.twelve@example.com");
    set_text(b, row, FIRST_NAME, "John");
    set_text(b, row, LAST_NAME, "Doe");
    set_text(b, row, CITY, "Springfield");
    set_text(b, row, STATE, NULL);
    set_text(b, row, COUNTRY, "US");
    ((int64_t *)b->columns[REGISTRATION_DATE].values)[row] = 1704164645000000;
    ((uint8_t *)b->columns[IS_ACTIVE].values)[row] = 1;
    set_text(b, row, CUSTOMER_TIER, tier);
    ((int64_t *)b->columns[LIFETIME_VALUE].values)[row] = 12345 + row;
    set_text(b, row, BIO, "{\"likes\": [\"tea\"]}");
    return row;
}

/* A row of which only the key is known. */
static inline uint32_t add_key(struct batch *b, enum row_kind kind, int32_t id)
{
    uint32_t row = batch_add_row(b, kind, IMAGE_KEY);
    b->positions[row] = 1000 + row;
    b->commit_times_us[row] = 1704164645123456;
    ((int32_t *)b->columns[CUSTOMER_ID].values)[row] = id;
    for (uint32_t i = 0; i < CUSTOMER_COLUMNS; i++) {
        if (i != CUSTOMER_ID) {
            batch_set_unchanged(b, i, row);
        }
    }
    return row;
}

/* Values that add_customer() stored are overwritten: a null value's bytes are zero. */
static inline void leave_unchanged(struct batch *b, uint32_t row, enum customer_column column)
{
    size_t width = type_width(b->columns[column].type);
    memset((char *)b->columns[column].values + row * width, 0, width);
    batch_set_unchanged(b, column, row);
}

/* "value", "null", "unchanged" of a column by name. */
static inline void assert_value(const struct batch *b, uint32_t row, const char *column,
                                const char *expected)
{
    int index = schema_find(b->schema, str_from(column));
    assert_true(index >= 0);
    const struct column *c = &b->columns[index];
    struct buf text = {0};
    if (column_is_unchanged(c, row)) {
        buf_append_text(&text, "unchanged");
    } else if (!column_is_valid(c, row)) {
        buf_append_text(&text, "null");
    } else {
        value_format(c, row, &text);
    }
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static inline struct transform *bound(struct fixture *f, const char *sql, struct schema **schema)
{
    struct error err = {0};
    struct transform *t = transform_new(sql, f->connection, &err);
    assert_string_equal(err.message, "");
    assert_non_null(t);
    *schema = transform_bind(t, f->customers, &err);
    assert_string_equal(err.message, "");
    assert_non_null(*schema);
    return t;
}

static inline struct batch *applied(struct transform *t, struct batch *in)
{
    struct error err = {0};
    assert_true(batch_check(in, &err));
    struct batch *out = transform_apply(t, in, &err);
    assert_string_equal(err.message, "");
    assert_non_null(out);
    assert_true(batch_check(out, &err));
    return out;
}
