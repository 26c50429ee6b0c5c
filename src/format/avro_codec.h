/* The codecs of Avro's blocks. [Avro 1.11, Object Container Files, Required and Optional Codecs] */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum avro_codec { AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE, AVRO_CODEC_SNAPPY, AVRO_CODEC_ZSTANDARD };

/* By the name of avro.codec; "" is null. ERROR_DATA names an unknown one. */
must_check bool avro_codec_find(struct str name, enum avro_codec *out, struct error *err);

/* Appends the uncompressed bytes of a block that is not of the null codec. More than 256 MiB, or
 * than a block of this size can honestly hold, are ERROR_DATA. */
must_check bool avro_block_uncompress(enum avro_codec codec, struct str data, struct buf *out,
                                      struct error *err);

/* Appends raw deflate data (RFC 1951, without zlib's header). */
void avro_block_deflate(struct str data, struct buf *out);
