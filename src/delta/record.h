/* The position record as the configuration of a domain: JSON text. */
#pragma once

#include "lake/lake.h"

/* "leat.<pipeline>": the domain of the record, and the appId of its transactions. Owned by the
 * caller. */
char *delta_record_name(const char *pipeline);

void delta_record_format(const struct lake_record *record, struct buf *out);

/* ERROR_CONFIG: written by a newer leat. ERROR_DATA: not a record. */
must_check bool delta_record_parse(const char *text, struct lake_record *out, struct error *err);
