/* The identity of a row: its key columns as canonical bytes, hashed to 128 bits with the table's
 * seed.
 *
 * Canonical means that equal keys have equal bytes whatever the width of the column: integers as 8
 * bytes, decimals without trailing zeros, -0.0 as 0.0. A column that widens keeps its keys. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/batch.h"

/* Which columns make the key, in the order of the table's schema. */
struct key {
    const struct schema *schema; /* borrowed */
    const uint32_t *columns;
    uint32_t column_count;
    uint64_t seed;
};

/* Appends the canonical bytes of one row: per column a tag, and for text its size. A value that is
 * null gives false. `columns` are those of the whole schema. */
must_check bool key_append(const struct key *k, const struct column *columns, uint32_t row,
                           struct buf *out);

/* Hashes the keys of all rows. A key value that an update did not send is that of its before image.
 * `kinds` may be NULL. A null key value is ERROR_DATA naming column and row. */
must_check bool key_hash_rows(const struct key *k, const struct column *columns,
                              const uint8_t *kinds, uint32_t row_count, struct hash128 *out,
                              struct error *err);

/* Appends the key of a row for messages: "(id)=(5)", cut to a bearable size. */
void key_describe(const struct key *k, const struct column *columns, uint32_t row, struct buf *out);
