/* Types of the model and of DuckDB. */
#include <assert.h>
#include <string.h>

#include "engine/duckdb_internal.h"

duckdb_logical_type type_to_duckdb(struct type type)
{
    static const duckdb_type ids[] = {
        [TYPE_BOOL] = DUCKDB_TYPE_BOOLEAN,
        [TYPE_INT16] = DUCKDB_TYPE_SMALLINT,
        [TYPE_INT32] = DUCKDB_TYPE_INTEGER,
        [TYPE_INT64] = DUCKDB_TYPE_BIGINT,
        [TYPE_FLOAT32] = DUCKDB_TYPE_FLOAT,
        [TYPE_FLOAT64] = DUCKDB_TYPE_DOUBLE,
        [TYPE_DECIMAL] = DUCKDB_TYPE_DECIMAL,
        [TYPE_STRING] = DUCKDB_TYPE_VARCHAR,
        [TYPE_BINARY] = DUCKDB_TYPE_BLOB,
        [TYPE_DATE] = DUCKDB_TYPE_DATE,
        [TYPE_TIME] = DUCKDB_TYPE_TIME,
        [TYPE_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP,
        [TYPE_TIMESTAMPTZ] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [TYPE_UUID] = DUCKDB_TYPE_UUID,
        [TYPE_JSON] = DUCKDB_TYPE_VARCHAR, /* its alias JSON would be written into Parquet files */
    };
    assert((size_t)type.kind < sizeof(ids) / sizeof(ids[0]));
    if (type.kind == TYPE_DECIMAL) {
        return duckdb_create_decimal_type(type.precision, type.scale);
    }
    return duckdb_create_logical_type(ids[type.kind]);
}

void engine_append_type(struct type type, struct buf *sql)
{
    static const char *const names[] = {
        [TYPE_BOOL] = "BOOLEAN",
        [TYPE_INT16] = "SMALLINT",
        [TYPE_INT32] = "INTEGER",
        [TYPE_INT64] = "BIGINT",
        [TYPE_FLOAT32] = "FLOAT",
        [TYPE_FLOAT64] = "DOUBLE",
        [TYPE_DECIMAL] = "DECIMAL",
        [TYPE_STRING] = "VARCHAR",
        [TYPE_BINARY] = "BLOB",
        [TYPE_DATE] = "DATE",
        [TYPE_TIME] = "TIME",
        [TYPE_TIMESTAMP] = "TIMESTAMP",
        [TYPE_TIMESTAMPTZ] = "TIMESTAMPTZ",
        [TYPE_UUID] = "UUID",
        [TYPE_JSON] = "VARCHAR",
    };
    assert((size_t)type.kind < sizeof(names) / sizeof(names[0]));
    buf_append_text(sql, names[type.kind]);
    if (type.kind == TYPE_DECIMAL) {
        buf_append_format(sql, "(%u,%u)", type.precision, type.scale);
    }
}

/* DuckDB's types without a counterpart, and the ways out: what users are told, and what keeps every
 * value as it is. */
static const struct foreign_type {
    duckdb_type id;
    const char *name;
    const char *cast;
    const char *readable; /* a type; NULL: to_json() */
} foreign_types[] = {
    {DUCKDB_TYPE_TINYINT, "TINYINT", "smallint", "SMALLINT"},
    {DUCKDB_TYPE_UTINYINT, "UTINYINT", "smallint", "SMALLINT"},
    {DUCKDB_TYPE_USMALLINT, "USMALLINT", "integer", "INTEGER"},
    {DUCKDB_TYPE_UINTEGER, "UINTEGER", "bigint", "BIGINT"},
    {DUCKDB_TYPE_UBIGINT, "UBIGINT", "decimal(20,0) or bigint", "DECIMAL(20,0)"},
    {DUCKDB_TYPE_HUGEINT, "HUGEINT", "decimal(38,0) or bigint", "DECIMAL(38,0)"},
    {DUCKDB_TYPE_UHUGEINT, "UHUGEINT", "decimal(38,0) or varchar", "DECIMAL(38,0)"},
    {DUCKDB_TYPE_BIGNUM, "BIGNUM", "decimal(38,0) or varchar", "VARCHAR"},
    {DUCKDB_TYPE_INTERVAL, "INTERVAL", "varchar", "VARCHAR"},
    {DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S", "timestamp", "TIMESTAMP"},
    {DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS", "timestamp", "TIMESTAMP"},
    {DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS", "timestamp", "VARCHAR"},
    {DUCKDB_TYPE_TIME_TZ, "TIME WITH TIME ZONE", "varchar", "VARCHAR"},
    {DUCKDB_TYPE_TIME_NS, "TIME_NS", "time", "VARCHAR"},
    {DUCKDB_TYPE_ENUM, "ENUM", "varchar", "VARCHAR"},
    {DUCKDB_TYPE_BIT, "BIT", "varchar", "VARCHAR"},
    {DUCKDB_TYPE_LIST, "LIST", "json", NULL},
    {DUCKDB_TYPE_ARRAY, "ARRAY", "json", NULL},
    {DUCKDB_TYPE_STRUCT, "STRUCT", "json", NULL},
    {DUCKDB_TYPE_MAP, "MAP", "json", NULL},
    {DUCKDB_TYPE_UNION, "UNION", "json", NULL},
    {DUCKDB_TYPE_SQLNULL, "NULL", "the type it should have", "VARCHAR"},
};

static bool refuse_type(duckdb_type id, const char *column, struct error *err)
{
    for (size_t i = 0; i < sizeof(foreign_types) / sizeof(foreign_types[0]); i++) {
        if (foreign_types[i].id == id) {
            return error_set(err, ERROR_DATA, "column \"%s\" has type %s: cast it to %s", column,
                             foreign_types[i].name, foreign_types[i].cast);
        }
    }
    return error_set(err, ERROR_DATA, "column \"%s\" has an unknown type (%d): cast it to varchar",
                     column, (int)id);
}

void type_append_readable(duckdb_logical_type type, const char *value, struct buf *sql)
{
    struct type known;
    struct error ignored = {0};
    duckdb_type id = duckdb_get_type_id(type);
    if (type_from_duckdb(type, "", &known, &ignored)) {
        buf_append_text(sql, value);
        return;
    }
    const char *readable = "VARCHAR";
    for (size_t i = 0; i < sizeof(foreign_types) / sizeof(foreign_types[0]); i++) {
        readable = foreign_types[i].id == id ? foreign_types[i].readable : readable;
    }
    if (readable) {
        buf_append_format(sql, "CAST(%s AS %s)", value, readable);
    } else {
        buf_append_format(sql, "to_json(%s)", value);
    }
}

static enum type_kind text_kind(duckdb_logical_type type)
{
    char *alias = duckdb_logical_type_get_alias(type);
    enum type_kind kind = alias && strcmp(alias, "JSON") == 0 ? TYPE_JSON : TYPE_STRING;
    duckdb_free(alias);
    return kind;
}

bool type_from_duckdb(duckdb_logical_type type, const char *column, struct type *out,
                      struct error *err)
{
    static const struct {
        duckdb_type id;
        enum type_kind kind;
    } kinds[] = {
        {DUCKDB_TYPE_BOOLEAN, TYPE_BOOL},
        {DUCKDB_TYPE_SMALLINT, TYPE_INT16},
        {DUCKDB_TYPE_INTEGER, TYPE_INT32},
        {DUCKDB_TYPE_BIGINT, TYPE_INT64},
        {DUCKDB_TYPE_FLOAT, TYPE_FLOAT32},
        {DUCKDB_TYPE_DOUBLE, TYPE_FLOAT64},
        {DUCKDB_TYPE_BLOB, TYPE_BINARY},
        {DUCKDB_TYPE_DATE, TYPE_DATE},
        {DUCKDB_TYPE_TIME, TYPE_TIME},
        {DUCKDB_TYPE_TIMESTAMP, TYPE_TIMESTAMP},
        {DUCKDB_TYPE_TIMESTAMP_TZ, TYPE_TIMESTAMPTZ},
        {DUCKDB_TYPE_UUID, TYPE_UUID},
    };
    duckdb_type id = duckdb_get_type_id(type);
    if (id == DUCKDB_TYPE_DECIMAL) {
        *out = (struct type){TYPE_DECIMAL, duckdb_decimal_width(type), duckdb_decimal_scale(type)};
        return true;
    }
    if (id == DUCKDB_TYPE_VARCHAR) {
        *out = (struct type){.kind = text_kind(type)};
        return true;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].id == id) {
            *out = (struct type){.kind = kinds[i].kind};
            return true;
        }
    }
    return refuse_type(id, column, err);
}
