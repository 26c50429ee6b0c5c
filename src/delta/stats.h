/* add.stats: counts and bounds as JSON text. [PROTOCOL.md, Per-file Statistics] */
#pragma once

#include "base/arena.h"
#include "lake/lake.h"

/* The text for a new file; `statistics` may be NULL (then only the number of rows). Bounds that
 * this form cannot carry exactly are left out. `is_partition` says per column whether it is a
 * partition column: those have none. */
char *delta_stats_format(const struct schema *schema, const bool *is_partition, uint64_t row_count,
                         const struct lake_statistics *statistics, struct arena *a);

/* numRecords, or false. */
must_check bool delta_stats_row_count(const char *stats, uint64_t *row_count);

/* The statistics of a file from which rows were deleted: as they were, but no longer tight. */
char *delta_stats_loosen(const char *stats, uint64_t row_count, struct arena *a);
