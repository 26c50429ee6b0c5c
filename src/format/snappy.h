/* Snappy's raw block format, decoding only. [google/snappy, format_description.txt] */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Appends the uncompressed bytes, of which there may be size_max. ERROR_DATA. */
must_check bool snappy_decode(struct str data, size_t size_max, struct buf *out, struct error *err);
