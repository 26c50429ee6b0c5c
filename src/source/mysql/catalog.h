/* Tables and columns as information_schema shows them now. */
#pragma once

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "config/config.h"
#include "model/schema.h"
#include "source/mysql/server.h"

struct my_catalog_column {
    const char *name;
    const char *type;      /* COLUMN_TYPE: "decimal(10,2) unsigned", "enum('a','b')" */
    const char *data_type; /* DATA_TYPE, lower case: "decimal", "enum", "uuid" */
    const char *charset;   /* NULL: no text */
    bool is_unsigned;
    bool nullable;
    bool is_key;              /* part of the primary key */
    bool is_generated;        /* stored or virtual: it is in the rows like any other column */
    bool is_json;             /* type json, or MariaDB's longtext with a json_valid() check */
    bool has_default;         /* a constant that an INSERT which does not name the column writes */
    const char *default_text; /* of it, as text; NULL: null */
    bool default_is_expression;
    uint32_t length;           /* of char, binary, bit; characters or bytes or bits */
    uint8_t precision;         /* of decimal */
    uint8_t scale;             /* of decimal */
    uint8_t fraction;          /* digits of seconds */
    const char *const *labels; /* of enum and set, in order */
    uint32_t label_count;
};

struct my_catalog_table {
    struct table_name name; /* schema: the database */
    const char *engine;     /* "InnoDB" */
    bool is_transactional;
    bool is_versioned; /* MariaDB system versioning: refused */
    uint64_t row_estimate;
    struct my_catalog_column *columns; /* in the table's order */
    uint32_t column_count;
    uint32_t key_count;
    uint32_t hidden_count; /* columns behind those, which only the log shows: MariaDB makes one for
                              each unique index over text of any length */
};

struct my_catalog_tables {
    struct my_catalog_table *items;
    uint32_t count;
};

/* Finds the tables that patterns (db.table, db.*) name, in the order of the patterns and by name.
 * ERROR_CONFIG: one is missing, is a view, or may not be read. Everything lies in the arena. */
must_check bool my_catalog_read_tables(MYSQL *c, const struct my_server *server,
                                       const struct config_strings *patterns, struct arena *arena,
                                       struct my_catalog_tables *out, struct error *err);

/* One table; column_count 0: it does not exist. */
must_check bool my_catalog_read_table(MYSQL *c, const struct my_server *server,
                                      struct table_name name, struct arena *arena,
                                      struct my_catalog_table *out, struct error *err);

/* The column with that name (column names have no case), or NULL. */
const struct my_catalog_column *my_catalog_find(const struct my_catalog_table *t, struct str name);

/* Parses the labels of COLUMN_TYPE "enum('a','it''s')" and "set(...)". ERROR_FATAL: not such. */
must_check bool my_catalog_labels(const char *type, struct arena *arena,
                                  struct my_catalog_column *out, struct error *err);
