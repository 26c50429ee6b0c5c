/* Tables as the catalog describes them, and table maps of their rows, made by hand. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "source/mysql/catalog.h"
#include "source/mysql/table_map.h"
#include "test.h"

static inline const char *word_until(struct arena *a, const char **text, char end)
{
    const char *stop = strchr(*text, end);
    size_t size = stop ? (size_t)(stop - *text) : strlen(*text);
    const char *word = arena_string(a, *text, size);
    *text += size + (stop != NULL);
    return word;
}

static inline bool is_text_type(const char *data_type)
{
    return strstr(data_type, "char") || strstr(data_type, "text") ||
           strcmp(data_type, "enum") == 0 || strcmp(data_type, "set") == 0;
}

/* A column from its name, its type as the servers print it, and words: key, null, default=5,
 * expression, generated, latin1. */
static inline struct my_catalog_column column_of(struct arena *a, const char *name,
                                                 const char *type, const char *words)
{
    const char *rest = type;
    struct my_catalog_column c = {
        .name = name, .type = type, .nullable = strstr(words, "null") != NULL};
    c.data_type = arena_string(a, type, strcspn(type, "( "));
    c.is_key = strstr(words, "key") != NULL;
    c.is_generated = strstr(words, "generated") != NULL;
    c.is_unsigned = strstr(type, "unsigned") != NULL;
    c.default_is_expression = strstr(words, "expression") != NULL;
    c.has_default = c.nullable;
    const char *text = strstr(words, "default=");
    if (text) {
        text += strlen("default=");
        c.has_default = true;
        c.default_text = word_until(a, &text, ' ');
    }
    if (is_text_type(c.data_type)) {
        c.charset = strstr(words, "latin1") ? "latin1" : "utf8mb4";
        c.length = 65535;
    }
    if (strcmp(c.data_type, "enum") == 0 || strcmp(c.data_type, "set") == 0) {
        struct error err = {0};
        assert_true(my_catalog_labels(type, a, &c, &err));
        return c;
    }
    if (strchr(rest, '(')) {
        char *end = NULL;
        unsigned long first = strtoul(strchr(rest, '(') + 1, &end, 10);
        unsigned long second = *end == ',' ? strtoul(end + 1, NULL, 10) : 0;
        c.length = (uint32_t)first;
        bool is_decimal = strcmp(c.data_type, "decimal") == 0;
        c.precision = (uint8_t)(is_decimal ? first : 0);
        c.scale = (uint8_t)second;
        c.fraction = (uint8_t)(is_decimal ? 0 : first);
    }
    return c;
}

/* A table of shop from "id int key; name varchar(50) null; ...", a type without spaces written
 * with '_' for them: bigint_unsigned. */
static inline struct my_catalog_table table_of(struct arena *a, const char *name,
                                               const char *columns)
{
    struct my_catalog_table t = {.name = {.schema = "shop", .table = name},
                                 .engine = "InnoDB",
                                 .is_transactional = true,
                                 .columns = arena_array(a, 64, sizeof(*t.columns))};
    while (*columns) {
        const char *text = word_until(a, &columns, ';');
        text += strspn(text, " ");
        const char *column = word_until(a, &text, ' ');
        char *type = arena_string(a, text, strcspn(text, " "));
        text += strlen(type);
        for (char *p = type; *p; p++) {
            *p = (char)(*p == '_' ? ' ' : *p);
        }
        t.columns[t.column_count] = column_of(a, column, type, text);
        t.key_count += t.columns[t.column_count].is_key;
        t.column_count++;
    }
    return t;
}

static inline void append_number(struct buf *out, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        buf_append_char(out, (char)(v >> (8 * i)));
    }
}

/* One column of a table map: the server's number of its type, its metadata. */
struct mapped_column {
    const char *name;
    uint8_t type;
    uint16_t metadata;
    uint8_t metadata_size;
    bool nullable;
};

static inline struct mapped_column int_mapped(const char *name)
{
    return (struct mapped_column){name, MY_LONG, 0, 0, true};
}

static inline struct mapped_column bigint_mapped(const char *name)
{
    return (struct mapped_column){name, MY_LONGLONG, 0, 0, true};
}

static inline struct mapped_column varchar_mapped(const char *name)
{
    return (struct mapped_column){name, MY_VARCHAR, 200, 2, true};
}

static inline struct mapped_column not_null(struct mapped_column c)
{
    c.nullable = false;
    return c;
}

/* Appends the body of a table map event of shop.`table`; with names as binlog_row_metadata FULL. */
static inline void append_map(struct buf *out, uint64_t table_id, const char *table,
                              const struct mapped_column *columns, uint32_t count, bool has_names)
{
    append_number(out, table_id, 6);
    append_number(out, 1, 2);
    buf_append(out,
               "\4"
               "shop",
               6);
    append_number(out, strlen(table), 1);
    buf_append(out, table, strlen(table) + 1);
    append_number(out, count, 1);
    struct buf metadata = {0};
    struct buf names = {0};
    for (uint32_t i = 0; i < count; i++) {
        append_number(out, columns[i].type, 1);
        append_number(&metadata, columns[i].metadata, columns[i].metadata_size);
        append_number(&names, strlen(columns[i].name), 1);
        buf_append_text(&names, columns[i].name);
    }
    append_number(out, metadata.size, 1);
    buf_append(out, metadata.data, metadata.size);
    for (uint32_t i = 0; i < count; i += 8) {
        uint8_t nulls = 0;
        for (uint32_t k = i; k < count && k < i + 8; k++) {
            nulls |= (uint8_t)(columns[k].nullable << (k - i));
        }
        append_number(out, nulls, 1);
    }
    if (has_names) {
        enum { COLUMN_NAMES = 4 };
        append_number(out, COLUMN_NAMES, 1);
        append_number(out, names.size, 1);
        buf_append(out, names.data, names.size);
    }
    buf_release(&metadata);
    buf_release(&names);
}
