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
    struct schema *schema;       /* one reference; its columns are those of `known` */
    struct my_value_rule *rules; /* one per column of the schema: how a load reads it */
    struct arena schema_arena;

    struct my_catalog_table known; /* the table as it stands in the log, in today's types */
    struct arena known_arena;      /* of a later `known`; the first one is borrowed */

    /* How rows of the newest table map are read: */
    struct buf map_bytes; /* empty: none came since `known` changed */
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

/* Takes the bytes of a table map over, if they are not the ones that are known already. ERROR_LOST:
 * the rows cannot be what the catalog says. */
must_check bool my_relation_map(struct my_relation *r, struct str bytes,
                                const struct my_relation_options *options, struct error *err);

/* What the catalog says when the log alters the table. */
struct my_relation_facts {
    struct arena arena;
    struct my_catalog_table now; /* column_count 0: the table does not exist any more */
};
void my_relation_facts_release(struct my_relation_facts *facts);

/* An ALTER TABLE that stands in the log. */
struct my_relation_statement {
    const struct ddl *ddl;
    bool is_past;   /* done before the source was opened: the catalog has known it all along */
    bool is_strict; /* the server refused to change values to fit */
};

/* Follows it; `facts` is used up. `*changed`: the schema is a new one, or an equal one that
 * is worth a commit: without names in the log nobody may come back to before it. ERROR_LOST: rows
 * changed without a row event, or a column was renamed, or the key changed; ERROR_CONFIG: a new
 * column's type is refused. */
must_check bool my_relation_alter(struct my_relation *r,
                                  const struct my_relation_statement *statement,
                                  struct my_relation_facts *facts,
                                  const struct my_relation_options *options, bool *changed,
                                  struct error *err);

/* Makes schema and rules anew from r->known. Of relation_alter.c. */
must_check bool my_relation_adopt(struct my_relation *r, const struct my_relation_options *options,
                                  struct error *err);

/* True when an ALTER TABLE may change which columns the rows have, or their order. */
bool my_relation_is_reshaped(const struct ddl *ddl);

/* Replaces the schema by one in which the column may be null. */
void my_relation_loosen(struct my_relation *r, uint32_t column);

/* Fills an ERROR_LOST about the table that names the way back. Returns false. */
bool my_relation_lose(const struct my_relation *r, const char *what, const char *pipeline,
                      struct error *err);
