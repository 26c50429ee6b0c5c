/* Deletion vectors as both table formats store them: a count of 32-bit Roaring bitmaps, each with
 * its key, in the portable form; framed by their size and a checksum. [PROTOCOL.md, Deletion Vector
 * Format; Puffin spec, deletion-vector-v1] */
#pragma once

#include <roaring/roaring.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/reader.h"
#include "base/str.h"

enum { BITMAP_MAGIC = 1681511377 };

/* The rows of an unframed vector; NULL (ERROR_DATA) for what is corrupt or has rows above 2^32. */
roaring_bitmap_t *bitmap_decode(struct str bytes, struct error *err);

/* Reads a frame: size, bytes, CRC-32, both numbers big-endian. `out` is borrowed from the reader.
 */
must_check bool bitmap_cut(struct reader *r, struct str *out, struct error *err);
