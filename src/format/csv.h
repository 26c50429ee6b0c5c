/* Rows as CSV (RFC 4180): comma, quotes where needed, CRLF. Values as value_format() writes them. A
 * null (or unchanged) value is nothing between the commas; an empty string is "". */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "model/batch.h"

/* Appends the line of names. */
void csv_write_header(const char *const *names, uint32_t count, struct buf *out);

/* Appends the line of one row. */
void csv_write_row(const struct column *columns, uint32_t count, uint32_t row, struct buf *out);
