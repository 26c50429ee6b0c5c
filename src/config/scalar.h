/* Scalars as people write them: whole numbers, durations, sizes; and back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define SCALAR_DURATION_WANTED "a duration such as 250ms, 1s, 15m, 2h or 1d"
#define SCALAR_SIZE_WANTED "a size such as 4096B, 64KiB, 32MiB or 1GB"

/* Decimal digits with an optional '-', nothing else; no hexadecimal, octal, underscore or exponent.
 */
bool scalar_parse_integer(const char *text, int64_t *out);

/* "true" or "false". */
bool scalar_parse_bool(const char *text, bool *out);

/* A whole number and one of ms, s, m, h, d; in milliseconds. "0" needs no unit. */
bool scalar_parse_duration(const char *text, int64_t *out_ms);

/* A whole number and one of B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of
 * 1024); in bytes. "0" needs no unit. */
bool scalar_parse_size(const char *text, uint64_t *out_bytes);

/* Appends the shortest text that parses back to the same value. */
void scalar_format_duration(int64_t ms, struct buf *out);
void scalar_format_size(uint64_t bytes, struct buf *out);
