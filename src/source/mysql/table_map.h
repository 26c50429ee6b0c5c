/* Table map events: the columns of the rows that follow, as the server stores them, and what its
 * optional metadata says of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Field types of the binlog (enum_field_types), after ENUM and SET were unwrapped from STRING. */
enum my_type {
    MY_DECIMAL_OLD = 0, /* refused */
    MY_TINY = 1,
    MY_SHORT = 2,
    MY_LONG = 3,
    MY_FLOAT = 4,
    MY_DOUBLE = 5,
    MY_NULL = 6,
    MY_TIMESTAMP = 7, /* seconds; before MySQL 5.6 */
    MY_LONGLONG = 8,
    MY_INT24 = 9,
    MY_DATE = 10,
    MY_TIME = 11,     /* before 5.6, MariaDB with mysql56_temporal_format=OFF */
    MY_DATETIME = 12, /* likewise */
    MY_YEAR = 13,
    MY_NEWDATE = 14,
    MY_VARCHAR = 15,
    MY_BIT = 16,
    MY_TIMESTAMP2 = 17,
    MY_DATETIME2 = 18,
    MY_TIME2 = 19,
    MY_BLOB_COMPRESSED = 140,    /* MariaDB */
    MY_VARCHAR_COMPRESSED = 141, /* MariaDB */
    MY_VECTOR = 242,             /* MySQL 9 */
    MY_JSON = 245,
    MY_NEWDECIMAL = 246,
    MY_ENUM = 247,
    MY_SET = 248,
    MY_BLOB = 252,
    MY_STRING = 254,
    MY_GEOMETRY = 255,
};

struct table_map_column {
    enum my_type type;
    uint16_t metadata; /* by type, else 0:
                          float, double: bytes of the value
                          decimal: precision << 8 | scale
                          bit: whole bytes << 8 | bits of the first, partial one
                          timestamp2, datetime2, time2: fraction digits
                          varchar, string: bytes at most (varchar, string: above 255 two of length)
                          enum, set: bytes of the value
                          blob, json, geometry, vector: bytes of the length */
    bool nullable;
    bool has_sign; /* of numbers: signedness was sent */
    bool is_unsigned;
    uint32_t collation;       /* of text, enum and set; 0: not sent */
    struct str name;          /* size 0: not sent */
    const struct str *labels; /* of enum and set, in the column's character set; NULL: not sent */
    uint32_t label_count;
    bool is_invisible;
};

struct table_map {
    uint64_t table_id;
    struct str database;
    struct str table;
    uint32_t column_count;
    struct table_map_column *columns;
    bool has_names; /* binlog_row_metadata FULL */
    bool has_key;   /* the primary key was sent, or FULL says that there is none */
    uint32_t key_count;
    const uint32_t *key; /* column numbers */
};

/* Decodes the bytes of a table map event; everything lies in the arena (nothing borrows `bytes`).
 * ERROR_FATAL: malformed; ERROR_DATA: a type that this version does not know, named. */
must_check bool table_map_decode(struct str bytes, struct arena *arena, struct table_map *out,
                                 struct error *err);

/* The name of a type for messages: "datetime(6)", "enum". */
void table_map_format_type(const struct table_map_column *c, struct buf *out);
