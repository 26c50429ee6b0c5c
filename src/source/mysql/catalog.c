#include "source/mysql/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source/mysql/catalog_parts.h"
#include "source/mysql/connection.h"

static const char *text_at(struct arena *arena, const char *text)
{
    return text ? arena_string(arena, text, strlen(text)) : NULL;
}

static uint64_t number_at(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

static bool equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Names of schema and table in a WHERE clause. Servers whose names have no case compare so; others
 * compare names in information_schema without case all the same, and without accents. */
static void append_name_condition(struct buf *sql, const struct my_server *server,
                                  const char *column, const char *name)
{
    owned(buf_release) struct buf literal = {0};
    my_append_literal(&literal, name);
    if (server->names_lower_case) {
        buf_append_format(sql, "LOWER(CONVERT(%s USING utf8mb4)) COLLATE utf8mb4_bin = LOWER(%s)",
                          column, buf_text(&literal));
        return;
    }
    /* The first comparison is the one by which MariaDB opens a single table. */
    buf_append_format(sql, "%s = %s AND CONVERT(%s USING utf8mb4) COLLATE utf8mb4_bin = %s", column,
                      buf_text(&literal), column, buf_text(&literal));
}

static void append_table_condition(struct buf *sql, const struct my_server *server,
                                   const char *schema_column, struct table_name name)
{
    append_name_condition(sql, server, schema_column, name.schema);
    buf_append_text(sql, " AND ");
    append_name_condition(sql, server, "TABLE_NAME", name.table);
}

enum column_field {
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_DATA_TYPE,
    COLUMN_CHARSET,
    COLUMN_NULLABLE,
    COLUMN_EXTRA,
    COLUMN_DEFAULT,
    COLUMN_LENGTH,
    COLUMN_PRECISION,
    COLUMN_SCALE,
    COLUMN_FRACTION,
};
static const char columns_sql[] =
    "SELECT COLUMN_NAME, COLUMN_TYPE, LOWER(DATA_TYPE), CHARACTER_SET_NAME, IS_NULLABLE, EXTRA,"
    " COLUMN_DEFAULT, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, "
    "DATETIME_PRECISION"
    " FROM information_schema.COLUMNS WHERE ";

static uint32_t length_of(const struct my_catalog_column *c, MYSQL_ROW row)
{
    uint64_t length = number_at(row[equal(c->data_type, "bit") ? COLUMN_PRECISION : COLUMN_LENGTH]);
    return length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
}

static bool column_at(MYSQL_ROW row, bool is_mariadb, struct arena *arena,
                      struct my_catalog_column *out, struct error *err)
{
    if (!row[COLUMN_NAME] || !row[COLUMN_TYPE] || !row[COLUMN_DATA_TYPE]) {
        return error_set(err, ERROR_FATAL, "the catalog has a column without name or type");
    }
    const char *extra = row[COLUMN_EXTRA] ? row[COLUMN_EXTRA] : "";
    *out = (struct my_catalog_column){
        .name = text_at(arena, row[COLUMN_NAME]),
        .type = text_at(arena, row[COLUMN_TYPE]),
        .data_type = text_at(arena, row[COLUMN_DATA_TYPE]),
        .charset = text_at(arena, row[COLUMN_CHARSET]),
        .nullable = !row[COLUMN_NULLABLE] || !equal(row[COLUMN_NULLABLE], "NO"),
        .is_generated = strstr(extra, "STORED GENERATED") || strstr(extra, "VIRTUAL GENERATED"),
        .is_json = equal(row[COLUMN_DATA_TYPE], "json"),
        .precision = (uint8_t)number_at(row[COLUMN_PRECISION]),
        .scale = (uint8_t)number_at(row[COLUMN_SCALE]),
        .fraction = (uint8_t)number_at(row[COLUMN_FRACTION]),
    };
    out->length = length_of(out, row);
    bool has_labels = equal(out->data_type, "enum") || equal(out->data_type, "set");
    out->is_unsigned = !has_labels && strstr(out->type, " unsigned");
    my_catalog_read_default(out, is_mariadb, arena, row[COLUMN_DEFAULT], extra);
    return !has_labels || my_catalog_labels(out->type, arena, out, err) ||
           error_wrap(err, "column \"%s\"", out->name);
}

static struct my_catalog_column *find(const struct my_catalog_table *t, struct str name)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (str_equal(str_from(t->columns[i].name), name)) {
            return &t->columns[i];
        }
    }
    for (uint32_t i = 0; i < t->column_count; i++) {
        const char *own = t->columns[i].name;
        if (strlen(own) == name.size && strncasecmp(own, name.data, name.size) == 0) {
            return &t->columns[i];
        }
    }
    return NULL;
}

const struct my_catalog_column *my_catalog_find(const struct my_catalog_table *t, struct str name)
{
    return find(t, name);
}

/* COLUMNS.COLUMN_KEY would also call a unique index PRI, where there is no primary key. Other
 * indexes matter where they have a hidden column: those of MariaDB that are called HASH, unless all
 * of the engine's may be. */
static bool read_key(MYSQL *c, const struct my_server *server, struct my_catalog_table *t,
                     struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT COLUMN_NAME, INDEX_NAME FROM information_schema.STATISTICS"
                          " WHERE (INDEX_NAME = 'PRIMARY' OR (INDEX_TYPE = 'HASH' AND"
                          " SEQ_IN_INDEX = 1)) AND ");
    append_table_condition(&sql, server, "TABLE_SCHEMA", t->name);
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), err);
    if (!r) {
        return false;
    }
    for (MYSQL_ROW row = mysql_fetch_row(r); row; row = mysql_fetch_row(r)) {
        struct my_catalog_column *column = row[0] ? find(t, str_from(row[0])) : NULL;
        if (row[1] && strcasecmp(row[1], "PRIMARY") != 0) {
            t->hidden_count += server->is_mariadb && !equal(t->engine, "MEMORY");
            continue;
        }
        if (!column) {
            return error_set(err, ERROR_RETRY,
                             "the primary key has a column that the table has not");
        }
        t->key_count += !column->is_key;
        column->is_key = true;
    }
    return true;
}

/* MariaDB's type json is a longtext whose check is json_valid(`column`). */
static bool read_json_checks(MYSQL *c, const struct my_server *server, struct my_catalog_table *t,
                             struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS WHERE ");
    append_table_condition(&sql, server, "CONSTRAINT_SCHEMA", t->name);
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), err);
    if (!r) {
        return false;
    }
    for (MYSQL_ROW row = mysql_fetch_row(r); row; row = mysql_fetch_row(r)) {
        for (uint32_t i = 0; row[0] && i < t->column_count; i++) {
            struct my_catalog_column *column = &t->columns[i];
            owned(buf_release) struct buf check = {0};
            buf_append_text(&check, "json_valid(");
            my_append_identifier(&check, column->name);
            buf_append_char(&check, ')');
            column->is_json = column->is_json || (equal(column->data_type, "longtext") &&
                                                  strcasecmp(row[0], buf_text(&check)) == 0);
        }
    }
    return true;
}

static bool read_columns(MYSQL *c, const struct my_server *server, struct arena *arena,
                         struct my_catalog_table *t, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, columns_sql);
    append_table_condition(&sql, server, "TABLE_SCHEMA", t->name);
    buf_append_text(&sql, " ORDER BY ORDINAL_POSITION");
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), err);
    if (!r) {
        return false;
    }
    t->columns = arena_array(arena, (size_t)mysql_num_rows(r), sizeof(*t->columns));
    for (MYSQL_ROW row = mysql_fetch_row(r); row; row = mysql_fetch_row(r)) {
        if (!column_at(row, server->is_mariadb, arena, &t->columns[t->column_count], err)) {
            return false;
        }
        t->column_count++;
    }
    return read_key(c, server, t, err) &&
           (!server->is_mariadb || read_json_checks(c, server, t, err));
}

static bool read_table(MYSQL *c, const struct my_server *server, struct arena *arena,
                       struct my_catalog_table *t, struct error *err)
{
    return read_columns(c, server, arena, t, err) ||
           error_wrap(err, "cannot read the columns of table %s.%s", t->name.schema, t->name.table);
}

enum table_field {
    TABLE_SCHEMA,
    TABLE_NAME,
    TABLE_TYPE,
    TABLE_ENGINE,
    TABLE_TRANSACTIONS,
    TABLE_ROWS
};
static const char tables_sql[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, t.ENGINE, e.TRANSACTIONS, TABLE_ROWS"
    " FROM information_schema.TABLES t"
    " LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE ";

static bool table_at(MYSQL_ROW row, struct arena *arena, struct my_catalog_table *out,
                     struct error *err)
{
    if (!row[TABLE_SCHEMA] || !row[TABLE_NAME] || !row[TABLE_TYPE]) {
        (void)error_set(err, ERROR_FATAL, "the catalog has a table without name or type");
        return false;
    }
    *out = (struct my_catalog_table){
        .name = {.schema = text_at(arena, row[TABLE_SCHEMA]),
                 .table = text_at(arena, row[TABLE_NAME])},
        .engine = row[TABLE_ENGINE] ? text_at(arena, row[TABLE_ENGINE]) : "",
        .is_transactional = row[TABLE_TRANSACTIONS] && equal(row[TABLE_TRANSACTIONS], "YES"),
        .is_versioned = equal(row[TABLE_TYPE], "SYSTEM VERSIONED"),
        .row_estimate = number_at(row[TABLE_ROWS]),
    };
    return true;
}

/* The text of TABLE_TYPE that stands for a table with rows of its own. */
static bool is_table(const char *type)
{
    return equal(type, "BASE TABLE") || equal(type, "SYSTEM VERSIONED");
}

/* True when the table is there after all. An ALTER of an engine without atomic DDL (MyISAM on
 * MySQL) takes it away for a moment; a statement on the table itself waits until that is over. */
static bool is_back(MYSQL *c, struct table_name name)
{
    struct error ignored = {0};
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT 1 FROM ");
    my_append_identifier(&sql, name.schema);
    buf_append_char(&sql, '.');
    my_append_identifier(&sql, name.table);
    buf_append_text(&sql, " LIMIT 0");
    if (!my_connection_execute(c, "SET SESSION lock_wait_timeout = 10", &ignored)) {
        return false;
    }
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), &ignored);
    return r != NULL;
}

/* Runs the query that finds one table, again if it was away. */
static MYSQL_RES *find_table(MYSQL *c, struct table_name name, const char *sql, struct error *err)
{
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, sql, err);
    if (r && mysql_num_rows(r) == 0 && is_back(c, name)) {
        return my_connection_query(c, sql, err);
    }
    return take(r);
}

bool my_catalog_read_table(MYSQL *c, const struct my_server *server, struct table_name name,
                           struct arena *arena, struct my_catalog_table *out, struct error *err)
{
    *out = (struct my_catalog_table){.name = name};
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, tables_sql);
    append_table_condition(&sql, server, "TABLE_SCHEMA", name);
    owned(my_result_free) MYSQL_RES *r = find_table(c, name, buf_text(&sql), err);
    if (!r) {
        return error_wrap(err, "cannot look for table %s.%s", name.schema, name.table);
    }
    MYSQL_ROW row = mysql_fetch_row(r);
    if (!row || !row[TABLE_TYPE] || !is_table(row[TABLE_TYPE])) {
        return true;
    }
    return table_at(row, arena, out, err) && read_table(c, server, arena, out, err);
}

/* Tables of these hold other tables' rows, or rows that are elsewhere: their changes are logged
 * under another name or not at all. */
static bool engine_is_foreign(const char *engine)
{
    static const char *const foreign[] = {"MRG_MYISAM", "FEDERATED", "CONNECT",           "SPIDER",
                                          "BLACKHOLE",  "S3",        "PERFORMANCE_SCHEMA"};
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (strcasecmp(engine, foreign[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_table(const struct my_catalog_table *t, const char *type, struct error *err)
{
    if (!is_table(type)) {
        return error_set(err, ERROR_CONFIG, "%s.%s is a %s: only tables have changes in the log",
                         t->name.schema, t->name.table,
                         strstr(type, "VIEW") ? "view" : "sequence or temporary table");
    }
    if (t->is_versioned) {
        return error_set(err, ERROR_CONFIG,
                         "table %s.%s is system-versioned: its history is rows of the table itself",
                         t->name.schema, t->name.table);
    }
    if (engine_is_foreign(t->engine)) {
        return error_set(err, ERROR_CONFIG, "table %s.%s has the engine %s: its rows are elsewhere",
                         t->name.schema, t->name.table, t->engine);
    }
    return true;
}

static void append_name(struct buf *sql, struct table_name name)
{
    my_append_identifier(sql, name.schema);
    buf_append_char(sql, '.');
    my_append_identifier(sql, name.table);
}

/* information_schema shows a table to whoever has any right on it, and only columns that they have
 * a right on. */
static bool check_right(MYSQL *c, const struct my_server *server, struct table_name name,
                        struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT * FROM ");
    append_name(&sql, name);
    buf_append_text(&sql, " LIMIT 0");
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), err);
    if (r) {
        return true;
    }
    if (err->kind != ERROR_CONFIG) {
        return error_wrap(err, "cannot read table %s.%s", name.schema, name.table);
    }
    owned(buf_release) struct buf grant = {0};
    append_name(&grant, name);
    return error_wrap(err, "no right to read table %s.%s: GRANT SELECT ON %s TO %s", name.schema,
                      name.table, buf_text(&grant), server->user);
}

static bool is_known(const struct my_catalog_tables *tables, struct table_name name)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        if (equal(tables->items[i].name.schema, name.schema) &&
            equal(tables->items[i].name.table, name.table)) {
            return true;
        }
    }
    return false;
}

static bool is_system_database(const char *name)
{
    static const char *const names[] = {"mysql", "information_schema", "performance_schema", "sys"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool query_pattern(MYSQL *c, const struct my_server *server, const char *pattern,
                          struct arena *arena, MYSQL_RES **out, struct error *err)
{
    const char *dot = strchr(pattern, '.');
    if (!dot || dot == pattern || dot[1] == '\0') {
        return error_set(err, ERROR_CONFIG,
                         "table \"%s\" is not written as database.table or database.*", pattern);
    }
    struct table_name name = {.schema = arena_string(arena, pattern, (size_t)(dot - pattern)),
                              .table = dot + 1};
    if (is_system_database(name.schema)) {
        return error_set(err, ERROR_CONFIG, "\"%s\": %s is a database of the server itself",
                         pattern, name.schema);
    }
    bool all = equal(name.table, "*");
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, tables_sql);
    if (all) {
        append_name_condition(&sql, server, "TABLE_SCHEMA", name.schema);
        buf_append_text(&sql, " AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')");
    } else {
        append_table_condition(&sql, server, "TABLE_SCHEMA", name);
    }
    buf_append_text(&sql, " ORDER BY CONVERT(TABLE_NAME USING utf8mb4) COLLATE utf8mb4_bin");
    *out = all ? my_connection_query(c, buf_text(&sql), err)
               : find_table(c, name, buf_text(&sql), err);
    if (!*out) {
        return error_wrap(err, "cannot look for table %s", pattern);
    }
    if (mysql_num_rows(*out) == 0) {
        owned(buf_release) struct buf grant = {0};
        my_append_identifier(&grant, name.schema);
        buf_append_char(&grant, '.');
        if (all) {
            buf_append_char(&grant, '*');
        } else {
            my_append_identifier(&grant, name.table);
        }
        return error_set(err, ERROR_CONFIG,
                         "%s %s, or the user has no right on it: GRANT SELECT ON %s TO %s", pattern,
                         all ? "has no table" : "does not exist", buf_text(&grant), server->user);
    }
    return true;
}

static bool read_pattern(MYSQL *c, const struct my_server *server, const char *pattern,
                         struct arena *arena, struct my_catalog_tables *tables, uint32_t *capacity,
                         struct error *err)
{
    owned(my_result_free) MYSQL_RES *r = NULL;
    if (!query_pattern(c, server, pattern, arena, &r, err)) {
        return false;
    }
    for (MYSQL_ROW row = mysql_fetch_row(r); row; row = mysql_fetch_row(r)) {
        struct my_catalog_table t;
        if (!table_at(row, arena, &t, err)) {
            return false;
        }
        if (is_known(tables, t.name)) {
            continue;
        }
        if (!check_table(&t, row[TABLE_TYPE], err) || !check_right(c, server, t.name, err) ||
            !read_table(c, server, arena, &t, err)) {
            return false;
        }
        tables->items =
            my_catalog_grow(arena, tables->items, tables->count, capacity, sizeof(*tables->items));
        tables->items[tables->count++] = t;
    }
    return true;
}

bool my_catalog_read_tables(MYSQL *c, const struct my_server *server,
                            const struct config_strings *patterns, struct arena *arena,
                            struct my_catalog_tables *out, struct error *err)
{
    *out = (struct my_catalog_tables){0};
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < patterns->count; i++) {
        if (!read_pattern(c, server, patterns->items[i], arena, out, &capacity, err)) {
            return false;
        }
    }
    return true;
}
