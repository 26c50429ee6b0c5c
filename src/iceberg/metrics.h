/* Statistics of a file as manifests keep them. [Iceberg spec, Manifests: data_file; Appendix D] */
#pragma once

#include "iceberg/manifest.h"
#include "lake/lake.h"

/* One entry for each of the first 100 columns, in the arena: counts, and bounds cut to 16 code
 * points, left out rather than wrong. `statistics` may be NULL: none. */
void iceberg_metrics_make(const struct schema *schema, const int32_t *ids,
                          const struct lake_statistics *statistics, uint64_t row_count,
                          struct arena *a, struct iceberg_file *out);
