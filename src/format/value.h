/* One value of a column as text: the canonical form that keys, tables and people see.
 *
 * bool true/false; integers and decimals exact, decimals with all digits of their scale; floats the
 * shortest text that reads back the same, NaN, Infinity, -Infinity; date 2024-01-02; time
 * 03:04:05.5 (as PostgreSQL: fraction without trailing zeros, 24:00:00 possible); timestamp
 * 2024-01-02T03:04:05.5, timestamptz the same and Z; years outside 0000..9999 as ISO 8601 expands
 * them (+12024, -0043); DuckDB's infinite dates and timestamps infinity, -infinity; uuid in lower
 * case with hyphens; binary \x and hex as PostgreSQL; string and JSON as they are. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "model/batch.h"

/* Appends the text of a value, which must be neither null nor unchanged. */
void value_format(const struct column *c, uint32_t row, struct buf *out);

/* Appends bytes as base64 (RFC 4648 section 4, padded). */
void value_append_base64(struct str bytes, struct buf *out);
