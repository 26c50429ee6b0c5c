/* Values and rows as JSON text (RFC 8259), on one line.
 *
 * Integers and decimals are numbers with all their digits; NaN and infinities are strings; date,
 * time, timestamps and uuid are strings as value_format() writes them; binary is base64; a JSON
 * value goes in as it is, line breaks in it (only ever between its tokens) replaced by spaces. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/batch.h"
#include "model/schema.h"

/* Appends UTF-8 text as a JSON string. */
void json_write_string(struct str text, struct buf *out);

/* Appends a value or null; it must not be unchanged. */
void json_write_value(const struct column *c, uint32_t row, struct buf *out);

/* Appends an object with the row's values, those of the key or all; unchanged values are left out.
 */
void json_write_row(const struct schema *schema, const struct column *columns, uint32_t row,
                    bool key_only, struct buf *out);
