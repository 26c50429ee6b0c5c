#include "format/avro_codec.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/reader.h"
#include "format/snappy.h"

enum {
    BLOCK_SIZE_MAX = 1 << 28,
    PIECE_SIZE = 1 << 16,
    RATIO_MAX = 1100,    /* deflate reaches 1032; what needs more is made to be a bomb */
    WINDOW_LOG_MAX = 25, /* zstandard's memory: 32 MiB */
    RAW_DEFLATE_BITS = -15,
};

static const char *const names[] = {
    [AVRO_CODEC_NULL] = "null",
    [AVRO_CODEC_DEFLATE] = "deflate",
    [AVRO_CODEC_SNAPPY] = "snappy",
    [AVRO_CODEC_ZSTANDARD] = "zstandard",
};

bool avro_codec_find(struct str name, enum avro_codec *out, struct error *err)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (name.size == 0 || str_equal(name, str_from(names[i]))) {
            *out = (enum avro_codec)i;
            return true;
        }
    }
    return error_set(err, ERROR_DATA, "Avro codec \"%.*s\" is not known",
                     (int)(name.size < 100 ? name.size : 100), name.data);
}

static size_t size_max(struct str data)
{
    size_t honest = data.size < BLOCK_SIZE_MAX / RATIO_MAX ? data.size * RATIO_MAX + PIECE_SIZE
                                                           : BLOCK_SIZE_MAX;
    return honest < BLOCK_SIZE_MAX ? honest : BLOCK_SIZE_MAX;
}

/* Bytes behind the end of the data are ignored: one writer leaves zlib's checksum there. */
static bool inflate_block(struct str data, struct buf *out, struct error *err)
{
    unsigned char piece[PIECE_SIZE];
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)data.data, .avail_in = (uInt)data.size};
    if (inflateInit2(&z, RAW_DEFLATE_BITS) != Z_OK) {
        abort();
    }
    size_t limit = size_max(data);
    int code = Z_OK;
    while (code == Z_OK && z.total_out <= limit) {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        code = inflate(&z, Z_NO_FLUSH);
        buf_append(out, piece, sizeof(piece) - z.avail_out);
    }
    size_t at = z.total_in;
    (void)inflateEnd(&z);
    return code == Z_STREAM_END ||
           error_set(err, ERROR_DATA, "deflate data is corrupt or too large at byte %zu of %zu", at,
                     data.size);
}

/* The block ends with the CRC-32 of what is uncompressed, big-endian. */
static bool unsnap_block(struct str data, struct buf *out, struct error *err)
{
    if (data.size < 4) {
        return error_set(err, ERROR_DATA, "snappy block of %zu bytes", data.size);
    }
    struct reader tail = reader_from(data.data + data.size - 4, 4);
    size_t start = out->size;
    data.size -= 4;
    if (!snappy_decode(data, size_max(data), out, err)) {
        return false;
    }
    return hash_crc32(out->data ? out->data + start : "", out->size - start) == reader_u32(&tail) ||
           error_set(err, ERROR_DATA, "the checksum of a snappy block is wrong");
}

static bool unzstd_block(struct str data, struct buf *out, struct error *err)
{
    char piece[PIECE_SIZE];
    ZSTD_DStream *z = ZSTD_createDStream();
    if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        abort();
    }
    ZSTD_inBuffer in = {.src = data.data, .size = data.size};
    size_t limit = size_max(data);
    size_t start = out->size;
    size_t code = 1;  /* 0: a frame is complete */
    bool full = true; /* the last piece: there may be more of it */
    while (!ZSTD_isError(code) && (in.pos < in.size || full) && out->size - start <= limit) {
        ZSTD_outBuffer to = {.dst = piece, .size = sizeof(piece)};
        code = ZSTD_decompressStream(z, &to, &in);
        full = !ZSTD_isError(code) && to.pos == to.size;
        if (!ZSTD_isError(code)) {
            buf_append(out, piece, to.pos);
        }
    }
    (void)ZSTD_freeDStream(z);
    return (code == 0 && out->size - start <= limit) ||
           error_set(err, ERROR_DATA, "zstandard data is corrupt or too large at byte %zu of %zu",
                     in.pos, data.size);
}

bool avro_block_uncompress(enum avro_codec codec, struct str data, struct buf *out,
                           struct error *err)
{
    if (data.size > BLOCK_SIZE_MAX) {
        return error_set(err, ERROR_DATA, "Avro block of %zu bytes", data.size);
    }
    switch (codec) {
    case AVRO_CODEC_DEFLATE:
        return inflate_block(data, out, err);
    case AVRO_CODEC_SNAPPY:
        return unsnap_block(data, out, err);
    case AVRO_CODEC_ZSTANDARD:
        return unzstd_block(data, out, err);
    case AVRO_CODEC_NULL:
        break;
    }
    buf_append(out, data.data, data.size);
    return true;
}

void avro_block_deflate(struct str data, struct buf *out)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)data.data, .avail_in = (uInt)data.size};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE_BITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    unsigned char piece[PIECE_SIZE];
    do {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        (void)deflate(&z, Z_FINISH);
        buf_append(out, piece, sizeof(piece) - z.avail_out);
    } while (z.avail_out == 0);
    (void)deflateEnd(&z);
}
