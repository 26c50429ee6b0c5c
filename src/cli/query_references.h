/* The tables that a query reads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/query_text.h"
#include "engine/engine.h"
#include "lake/lake.h"

/* A table in one version, however often the query names it. */
struct query_table {
    const char *word; /* a location, or a name: "orders", "analytics.orders" */
    struct lake_at at;
};

/* A place in the query where a table is named. */
struct query_reference {
    size_t start, size; /* of the table's name, in bytes of the text */
    uint32_t table;
};

/* Everything lies in the arena. */
struct query_references {
    struct query_reference *items; /* by place */
    size_t count;
    struct query_table *tables;
    uint32_t table_count;
};

/* Finds the tables of a query, which must be one SELECT (also DESCRIBE or SUMMARIZE of one). Names
 * of WITH are not tables; functions that give rows are not either, and only those that compute them
 * are let through. ERROR_CONFIG says what the query must not be. */
must_check bool query_references_find(struct query_text *text, struct engine_connection *engine,
                                      struct arena *a, struct query_references *out,
                                      struct error *err);

/* Appends the query with `names[table]` (SQL) in the place of each table. */
void query_references_append(const struct query_references *r, const struct query_text *text,
                             const char *const *names, struct buf *sql);
