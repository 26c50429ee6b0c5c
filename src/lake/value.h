/* Values of columns as the texts that table metadata has. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "model/batch.h"

/* The unscaled value of a decimal column's row. */
__int128 lake_decimal_at(const struct column *c, uint32_t row);

/* "-12.30"; at most 41 characters. */
void lake_append_decimal(__int128 unscaled, uint8_t scale, struct buf *out);

/* "2020-02-29"; false for years outside 1 to 9999, which have no common text form. */
must_check bool lake_append_date(int64_t days, struct buf *out);

/* "2020-02-29", `separator`, "23:59:59." and the fraction in `digits` (3 or 6) digits, cut off. False as
 * above. */
must_check bool lake_append_timestamp(int64_t us, char separator, int digits, struct buf *out);
