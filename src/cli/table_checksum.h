/* Checksums of a table at the source and of its copy in a lake, over the same texts. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "cli/database.h"
#include "cli/row_checksum.h"
#include "engine/engine.h"
#include "lake/lake.h"
#include "model/schema.h"

/* The columns that are compared, in the order of the source's table. */
struct compared_columns {
    const char **names;   /* in the arena */
    const char **exports; /* SQL at the source that gives a value's canonical text */
    uint32_t count;
};

must_check bool source_columns(struct database *db, const struct table_name *table, struct arena *a,
                               struct compared_columns *out, struct error *err);

/* Over all rows of the table, as one query gives them. */
must_check bool source_checksum(struct database *db, const struct table_name *table,
                                const struct compared_columns *columns, struct row_checksum *out,
                                struct error *err);

/* Over all live rows: those of the data files that no deletion vector hides. */
must_check bool lake_checksum(struct lake_table *table, struct engine_connection *engine,
                              const struct compared_columns *columns, struct row_checksum *out,
                              struct error *err);
