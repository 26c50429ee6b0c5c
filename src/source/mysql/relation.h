/* One captured table: its schema, and how the columns of the rows in the log map onto it. Pure: no
 * connection. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/schema.h"
#include "source/mysql/catalog.h"
#include "source/mysql/ddl.h"
#include "source/mysql/table_map.h"
#include "source/mysql/value.h"

/* A column of the rows that a table map describes. */
struct my_relation_column {
    int32_t target; /* column of the schema; -1: not captured */
    struct my_value_rule rule;
};

struct my_relation {
    struct table_name name;      /* borrowed, lives as long as the source */
    uint32_t table;              /* the source's number of it */
    struct schema *schema;       /* one reference */
    struct my_value_rule *rules; /* one per column of the schema: how a load reads it */
    struct arena schema_arena;

    struct my_catalog_table known; /* the catalog when it last agreed with the stream */
    struct arena known_arena;      /* of a later `known`; the first one is borrowed */

    /* How rows of the newest table map are read: */
    struct arena map_arena;
    struct table_map map;
    struct my_relation_column *columns; /* map.column_count */
    uint32_t absent_count;
    uint32_t *absent; /* columns of the schema that the map does not have: null */
};

struct my_relation_options {
    const struct config_strings *as_text;
    enum unrepresentable_mode unrepresentable;
    bool is_mariadb;
    const char *pipeline; /* named in messages */
};

/* Makes the schema from the catalog, which it borrows. ERROR_CONFIG: a column's type is refused. */
must_check bool my_relation_init(struct my_relation *r, const struct my_catalog_table *known,
                                 uint32_t table, const struct my_relation_options *options,
                                 struct error *err);
void my_relation_release(struct my_relation *r);
