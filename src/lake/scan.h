/* The rows of data files as one SQL table expression: columns by name or field id, constants for
 * what lies in the metadata only, values of the table's types. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "engine/engine.h"
#include "lake/history.h"
#include "lake/lake.h"
#include "model/schema.h"

/* Appends "SELECT <first>, c0, c1 ... FROM read_parquet(...)" over local copies of the files, where
 * c<i> is column i of the schema in its type for each i of `columns`. `first` may use file_index
 * (place in `paths`) and file_row_number; NULL: none. All files show their columns in the same way.
 * `row_count` is that of all files together. Columns read by id: ERROR_DATA when a file has no ids
 * (unless `trusted`: we wrote it). */
struct lake_scan {
    struct store *store;
    struct engine_connection *engine;
    const struct schema *schema;
    const struct lake_file_column *file_columns; /* one per column of the schema */
    const uint32_t *columns;                     /* wanted; indexes into the schema */
    uint32_t column_count;
    const char *const *paths; /* store keys */
    uint32_t path_count;
    uint64_t row_count;
    const char *first;
    const char *extra; /* one more column of the files, by its name and as text, shown as "extra";
                          null where a file lacks it. Not beside columns by id. NULL: none */
    bool trusted;
};
must_check bool lake_scan_append(const struct lake_scan *scan, struct buf *sql, struct error *err);

/* How a live file of an open table shows the columns of its snapshot. In the arena. */
struct lake_file_column *lake_scan_columns(const struct lake_table *t, const struct lake_file *f,
                                           struct arena *a);
