/* The tables of a log file, as the catalog would describe them: from their table maps. */
#pragma once

#include "base/map.h"
#include "binlog_file.h"
#include "my_tables.h"
#include "source/mysql/charset.h"
#include "source/mysql/event.h"
#include "source/mysql/value.h"

enum { LOG_TABLES_MAX = 32 };

struct log_tables {
    struct arena *arena;
    bool is_mariadb;
    struct my_catalog_table first[LOG_TABLES_MAX]; /* by their first maps */
    struct my_catalog_table last[LOG_TABLES_MAX];
    uint32_t count;
};

static inline const char *collation_charset(uint32_t collation, bool is_mariadb)
{
    enum my_charset c = my_charset_of_collation(collation, is_mariadb);
    return c == MY_CHARSET_UTF8 ? "utf8mb4" : my_charset_name(c);
}

/* The catalog's name of the type that has such values. */
static inline const char *catalog_type(const struct table_map_column *c, bool is_binary)
{
    switch (c->type) {
    case MY_TINY:
        return "tinyint";
    case MY_SHORT:
        return "smallint";
    case MY_INT24:
        return "mediumint";
    case MY_LONG:
        return "int";
    case MY_LONGLONG:
        return "bigint";
    case MY_YEAR:
        return "year";
    case MY_FLOAT:
        return "float";
    case MY_DOUBLE:
        return "double";
    case MY_NEWDECIMAL:
        return "decimal";
    case MY_BIT:
        return "bit";
    case MY_DATE:
    case MY_NEWDATE:
        return "date";
    case MY_TIME:
    case MY_TIME2:
        return "time";
    case MY_DATETIME:
    case MY_DATETIME2:
        return "datetime";
    case MY_TIMESTAMP:
    case MY_TIMESTAMP2:
        return "timestamp";
    case MY_JSON:
        return "json";
    case MY_ENUM:
        return "enum";
    case MY_SET:
        return "set";
    case MY_STRING:
        return is_binary ? "binary" : "char";
    case MY_VARCHAR:
    case MY_VARCHAR_COMPRESSED:
        return is_binary ? "varbinary" : "varchar";
    case MY_BLOB:
    case MY_BLOB_COMPRESSED:
        return is_binary ? "longblob" : "longtext";
    case MY_GEOMETRY:
        return "geometry";
    case MY_VECTOR:
        return "vector";
    case MY_DECIMAL_OLD:
    case MY_NULL:
    default:
        return "unknown";
    }
}

static inline const char **labels_of(struct arena *a, const struct table_map_column *c,
                                     bool is_mariadb)
{
    const char *why = NULL;
    struct my_value_rule rule =
        my_value_rule_of_map(c, is_mariadb, false, UNREPRESENTABLE_NULL, a, &why);
    const char **labels = arena_array(a, c->label_count + 1, sizeof(*labels));
    for (uint32_t i = 0; i < rule.label_count; i++) {
        labels[i] = rule.labels[i];
    }
    return labels;
}

static inline struct my_catalog_column catalog_column(struct log_tables *t,
                                                      const struct table_map_column *c, uint32_t i)
{
    enum { BINARY_COLLATION = 63 };
    bool is_binary = c->collation == BINARY_COLLATION || c->collation == 0;
    const char *name = c->name.size ? arena_string(t->arena, c->name.data, c->name.size)
                                    : arena_format(t->arena, "c%u", i);
    struct my_catalog_column column = {
        .name = name,
        .data_type = catalog_type(c, is_binary),
        .charset = is_binary ? NULL : collation_charset(c->collation, t->is_mariadb),
        .is_unsigned = c->is_unsigned,
        .nullable = c->nullable,
        .has_default = true, /* maps do not say which: null, or a zero */
        .default_text = c->nullable ? NULL : "0",
        .length = c->type == MY_BIT ? 8U * (c->metadata >> 8) + (c->metadata & 0xFF) : c->metadata,
        .labels = labels_of(t->arena, c, t->is_mariadb),
        .label_count = c->label_count,
    };
    column.type =
        arena_format(t->arena, "%s%s", column.data_type, c->is_unsigned ? " unsigned" : "");
    if (c->type == MY_NEWDECIMAL) {
        column.precision = (uint8_t)(c->metadata >> 8);
        column.scale = (uint8_t)(c->metadata & 0xFF);
        column.type = arena_format(t->arena, "decimal(%u,%u)", column.precision, column.scale);
    } else if (c->type == MY_TIMESTAMP2 || c->type == MY_DATETIME2 || c->type == MY_TIME2) {
        column.fraction = (uint8_t)c->metadata;
    }
    return column;
}

static inline struct my_catalog_table catalog_table(struct log_tables *t, const struct table_map *m)
{
    struct my_catalog_table table = {
        .name = {.schema = arena_string(t->arena, m->database.data, m->database.size),
                 .table = arena_string(t->arena, m->table.data, m->table.size)},
        .engine = "InnoDB",
        .is_transactional = true,
        .columns = arena_array(t->arena, m->column_count, sizeof(*table.columns)),
        .column_count = m->column_count,
        .key_count = m->key_count,
    };
    for (uint32_t i = 0; i < m->column_count; i++) {
        table.columns[i] = catalog_column(t, &m->columns[i], i);
    }
    for (uint32_t i = 0; i < m->key_count; i++) {
        table.columns[m->key[i]].is_key = true;
        table.columns[m->key[i]].nullable = false;
    }
    return table;
}

static inline uint32_t log_table_number(const struct log_tables *t, struct table_name name)
{
    uint32_t i = 0;
    while (i < t->count && (strcmp(t->first[i].name.schema, name.schema) != 0 ||
                            strcmp(t->first[i].name.table, name.table) != 0)) {
        i++;
    }
    return i;
}

static inline void add_log_table(struct log_tables *t, struct str bytes)
{
    struct table_map *map = arena_zalloc(t->arena, sizeof(*map));
    struct error err = {0};
    assert_true(table_map_decode(bytes, t->arena, map, &err));
    struct my_catalog_table table = catalog_table(t, map);
    uint32_t i = log_table_number(t, table.name);
    assert_true(i < LOG_TABLES_MAX);
    if (i == t->count) {
        t->first[t->count++] = table;
    }
    t->last[i] = table;
}

/* All table maps of a file, those within payloads too. */
static inline void read_log_tables(const char *file, struct log_tables *t)
{
    struct binlog_decoder decoder = {.is_mariadb = t->is_mariadb, .has_checksum = true};
    struct binlog_payload *payload = binlog_payload_new();
    struct reader r = binlog_file_read(t->arena, file);
    struct str bytes = {0};
    struct error err = {0};
    while (binlog_file_next(&r, &bytes)) {
        struct binlog_event e = {0};
        assert_true(binlog_decode(&decoder, bytes.data, bytes.size, &e, &err));
        if (e.kind == BINLOG_TABLE_MAP) {
            add_log_table(t, e.table_map.bytes);
        }
        bool more = e.kind == BINLOG_PAYLOAD;
        struct binlog_event outer = e;
        assert_true(!more || binlog_payload_begin(payload, &outer, &err));
        while (more) {
            assert_true(binlog_payload_next(payload, &decoder, &e, &more, &err));
            if (more && e.kind == BINLOG_TABLE_MAP) {
                add_log_table(t, e.table_map.bytes);
            }
        }
    }
    binlog_payload_free(&payload);
    binlog_decoder_release(&decoder);
}
