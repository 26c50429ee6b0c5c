/* A checksum of a table's rows that does not depend on their order: the sum of the rows' hashes.
 * Rows are texts of values, so that two places can be compared whatever their types are called. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/str.h"

/* A zeroed one is that of no rows. */
struct row_checksum {
    uint64_t row_count;
    struct hash128 sum; /* modulo 2^128 */
};

/* Appends a value to the text of a row as COPY's text format has it: after a tabulator unless it is
 * the first, control characters and backslashes escaped; NULL is \N. */
void row_append_value(struct buf *row, bool first, struct str value);
void row_append_null(struct buf *row, bool first);

/* Counts a row in. */
void row_checksum_add(struct row_checksum *c, struct str row);

bool row_checksum_equal(const struct row_checksum *a, const struct row_checksum *b);
