/* The position record as JSON text: what tables hold under the pipeline's name. */
#pragma once

#include "lake/lake.h"

/* "leat.<pipeline>": the domain of the record and the appId of its transactions (Delta), the key in
 * summary and properties (Iceberg). Owned by the caller. */
char *lake_record_name(const char *pipeline);

void lake_record_format(const struct lake_record *record, struct buf *out);

/* ERROR_CONFIG: written by a newer leat. ERROR_DATA: not a record. */
must_check bool lake_record_parse(const char *text, struct lake_record *out, struct error *err);
