/* The position record as JSON text: what tables hold under the pipeline's name. */
#pragma once

#include "lake/lake.h"

/* "leat.<pipeline>": the domain of the record and the appId of its transactions (Delta), the key in
 * summary and properties (Iceberg). Owned by the caller. */
char *lake_record_name(const char *pipeline);

void lake_record_format(const struct lake_record *record, struct buf *out);

/* ERROR_CONFIG: written by a newer leat. ERROR_DATA: not a record. */
must_check bool lake_record_parse(const char *text, struct lake_record *out, struct error *err);

/* ERROR_LOST unless a commit starts where the table stands (law 7: this is the fence), ERROR_CONFIG
 * for a table that was opened for reading. `label` names it. */
must_check bool lake_commit_check(const struct lake_snapshot *snapshot,
                                  const struct lake_commit *commit, const char *label,
                                  bool is_writable, struct error *err);
