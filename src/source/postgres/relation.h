/* One captured table: its schema, and how the columns that the server describes map onto it.
 *
 * The replication stream describes a table ("Relation") before its first change and again whenever
 * something about the table changed. The description says neither what old rows show in a new
 * column nor whether the table was rewritten, so each is checked against the catalog: what changed
 * rows without a row event is ERROR_LOST. Pure: no connection. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/schema.h"
#include "source/postgres/catalog.h"
#include "source/postgres/pgoutput.h"

/* Where a column of the schema comes from: the type at the server that its values have. */
struct relation_origin {
    uint32_t base_id; /* domains followed; of the element for arrays */
    int32_t base_typmod;
    bool is_array;
    uint32_t value_id; /* for value_store() */
    int32_t number;    /* attnum; 0: the catalog did not have the column any more when it came */
    bool is_ahead;     /* known from the catalog alone: the stream has not come that far yet */
};

/* A column that the server sends. */
struct relation_column {
    int32_t target;    /* column of the schema; -1: not captured */
    uint32_t value_id; /* for value_store() */
};

struct relation {
    struct table_name name;          /* borrowed, lives as long as the source */
    uint32_t table;                  /* the source's number of it */
    uint32_t id;                     /* OID */
    struct schema *schema;           /* one reference */
    struct relation_origin *origins; /* one per column of the schema; in schema_arena */
    struct arena schema_arena;

    struct catalog_table known; /* the catalog when it last agreed with the stream */
    struct arena known_arena;   /* of a later `known`; the first one is borrowed */
    bool is_truncated;          /* in the stream, since `known`: that rewrites the table too */

    bool is_described; /* the columns below are the server's */
    uint32_t column_count;
    struct relation_column *columns; /* in the server's order; in column_arena */
    uint32_t absent_count;
    uint32_t *absent; /* columns of the schema that the server does not send: null */
    struct arena column_arena;
};

/* What the catalog says when a description comes in. */
struct relation_facts {
    struct arena arena;
    struct catalog_table now;   /* id 0: the table does not exist any more */
    struct catalog_type *types; /* one per column of the description */
};
void relation_facts_release(struct relation_facts *facts);

struct relation_options {
    const struct config_strings *as_text;
    const char *pipeline; /* named in messages */
};

/* Makes the schema from the catalog, which it borrows. ERROR_CONFIG: a column's type needs as_text.
 */
must_check bool relation_init(struct relation *r, const struct catalog_table *known, uint32_t table,
                              const struct relation_options *options, struct error *err);
void relation_release(struct relation *r);

/* True when all values have a binary form that value_store() reads. */
bool relation_is_binary(const struct relation *r);

/* Takes a description over; `facts` is used up. `*changed`: the schema is a new one. ERROR_LOST:
 * rows changed without a row event, or the key, or a type in a way that is not followed;
 * ERROR_CONFIG: a new column's type needs as_text. */
must_check bool relation_describe(struct relation *r, const struct pgoutput_message *message,
                                  struct relation_facts *facts,
                                  const struct relation_options *options, bool *changed,
                                  struct error *err);

/* Replaces the schema by one in which the column may be null. */
void relation_loosen(struct relation *r, uint32_t column);
