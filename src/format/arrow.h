/* Rows as an Arrow IPC stream: a schema, record batches, an end. [Arrow columnar format, version
 * 1.5, "Encapsulated message format", "IPC Streaming Format"]
 *
 * string utf8, json utf8 as extension type arrow.json, uuid fixed_size_binary(16) as arrow.uuid,
 * decimals decimal128, time time64[us], timestamp timestamp[us], timestamptz timestamp[us, UTC],
 * date date32, the rest by their names. Every field is nullable, because schemas here do not always
 * know. Metadata version 5, nothing compressed, no dictionaries. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/batch.h"
#include "model/schema.h"

/* Appends what a stream begins with. */
void arrow_write_schema(const struct schema *schema, struct buf *out);

/* Appends rows from `*first` on as one record batch, at most up to `row_count` and as many as fit
 * into `bytes_max` bytes (0: 64 MiB; at least one), and moves `*first` behind them. Unchanged
 * values become nulls. ERROR_DATA names a value that Arrow cannot hold: infinite dates and
 * timestamps, 24:00:00, a row of more than 1 GiB. */
must_check bool arrow_write_batch(const struct schema *schema, const struct column *columns,
                                  uint32_t row_count, uint32_t *first, size_t bytes_max,
                                  struct buf *out, struct error *err);

/* Appends what a stream ends with. */
void arrow_write_end(struct buf *out);
