/* Iceberg position delete files: Parquet with exactly two REQUIRED columns, file_path (id
 * 2147483546) and pos (id 2147483545), written by hand because the engine writes every column
 * OPTIONAL. [Iceberg spec, Position Delete Files; Parquet format, thrift compact footer] */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct roaring_bitmap_s;

/* Appends a whole Parquet file (zstd, one row group, dictionary for the path, plain data pages v1
 * of bounded size) with the rows of one data file, in ascending order. Footer metadata has
 * delete-type=position. `path` is written byte for byte. There must be a position. out->failed: a
 * path of more than 1 MiB, or a file of more than out may hold. */
void posdelete_encode(struct str path, const struct roaring_bitmap_s *positions, struct buf *out);
