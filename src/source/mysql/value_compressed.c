/* Values of MariaDB's compressed columns: sql/field_comp.cc.
 *
 * A header byte: the method in its high half (0: stored, 8: zlib), bit 3: without zlib's own
 * header, the rest: bytes of the plain size, which follows big-endian. */
#include <stdlib.h>
#include <zlib.h>

#include "source/mysql/value_parts.h"

enum { METHOD_STORED = 0, METHOD_ZLIB = 8 };

/* No byte of deflate gives more than this many (zlib.net, "Maximum Compression Factor"). */
enum { DEFLATE_FACTOR_MAX = 1032 };

static bool inflate_all(struct str bytes, int window_bits, char *out, size_t size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes.data,
                       .avail_in = (uInt)bytes.size,
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)size};
    if (inflateInit2(&stream, window_bits) != Z_OK) {
        return false;
    }
    int result = inflate(&stream, Z_FINISH);
    bool whole = result == Z_STREAM_END && stream.total_out == size;
    return inflateEnd(&stream) == Z_OK && whole;
}

bool my_value_uncompress(struct str bytes, struct str *out, char **to_free, struct error *err)
{
    *to_free = NULL;
    if (bytes.size == 0) {
        *out = bytes; /* the empty value has no header */
        return true;
    }
    uint8_t header = (uint8_t)bytes.data[0];
    size_t size_bytes = header & 7;
    if (header >> 4 == METHOD_STORED) {
        *out = (struct str){bytes.data + 1, bytes.size - 1};
        return true;
    }
    if (header >> 4 != METHOD_ZLIB) {
        return error_set(err, ERROR_DATA, "a compressed value has the unknown method %d",
                         header >> 4);
    }
    if (size_bytes > 4 || bytes.size < 1 + size_bytes) {
        return error_set(err, ERROR_FATAL, "a compressed value has a malformed header");
    }
    uint64_t size = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        size = size << 8 | (uint8_t)bytes.data[1 + i];
    }
    struct str packed = {bytes.data + 1 + size_bytes, bytes.size - 1 - size_bytes};
    if (size > MY_VALUE_SIZE_MAX) {
        return error_set(err, ERROR_DATA, "a value of %llu bytes is larger than %d MiB",
                         (unsigned long long)size, MY_VALUE_SIZE_MAX >> 20);
    }
    if (size > ((uint64_t)packed.size + 1) * DEFLATE_FACTOR_MAX) {
        return error_set(err, ERROR_FATAL, "%zu compressed bytes claim to be %llu", packed.size,
                         (unsigned long long)size);
    }
    char *plain = malloc(size > 0 ? size : 1);
    if (!plain) {
        abort();
    }
    *to_free = plain;
    if (!inflate_all(packed, header & 8 ? -MAX_WBITS : MAX_WBITS, plain, size)) {
        return error_set(err, ERROR_FATAL, "a compressed value of %zu bytes cannot be inflated",
                         bytes.size);
    }
    *out = (struct str){plain, size};
    return true;
}
