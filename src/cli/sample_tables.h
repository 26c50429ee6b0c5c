/* The sample tables: customers, orders, products, inventory, users; their definitions and how they
 * are made and filled in a PostgreSQL database. They refer to each other without foreign keys, so
 * that any row may be deleted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/database.h"
#include "cli/sample_rows.h"

struct sample_column {
    const char *name;
    const char *definition; /* the type and constraints in CREATE TABLE of PostgreSQL */
};

struct sample_table {
    const char *name;
    const struct sample_column *columns; /* the first is the key: an integer with a sequence */
    uint32_t column_count;
    const uint32_t *changes; /* sets of columns (bit i: column i) that an update changes together */
    uint32_t change_count;
    sample_fill_fn *fill;
};

enum { SAMPLE_TABLE_COUNT = 5 };
extern const struct sample_table sample_tables[SAMPLE_TABLE_COUNT];

/* The table of that name, or NULL. */
const struct sample_table *sample_table_find(const char *name);

/* Appends "schema"."table". */
void sample_table_append_name(const struct sample_table *t, const char *schema, struct buf *out);

/* Makes the schema, if it is missing, and the table. One of that name is ERROR_CONFIG unless
 * `replace` drops it first. */
must_check bool sample_table_create(struct database *db, const struct sample_table *t,
                                    const char *schema, bool replace, struct error *err);

/* Fills the empty table with rows 1..row_count, in bulk, and sets its sequence behind them. */
must_check bool sample_table_load(struct database *db, const struct sample_table *t,
                                  const char *schema, const struct sample *s, uint64_t row_count,
                                  struct error *err);

/* Sets the table's sequence behind the largest key in use; 0: leaves it. */
must_check bool sample_table_set_sequence(struct database *db, const struct sample_table *t,
                                          const char *schema, uint64_t key_max, struct error *err);
