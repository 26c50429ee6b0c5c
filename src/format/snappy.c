#include "format/snappy.h"

#include "base/reader.h"

/* The length of the whole: a little-endian base-128 number of at most 32 bits. */
static uint64_t read_length(struct reader *r)
{
    uint64_t v = 0;
    for (uint32_t shift = 0; shift < 35; shift += 7) {
        uint8_t b = reader_u8(r);
        v |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80)) {
            return v;
        }
    }
    r->failed = true;
    return 0;
}

static uint32_t read_le(struct reader *r, uint32_t bytes)
{
    uint32_t v = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        v |= (uint32_t)reader_u8(r) << (8 * i);
    }
    return v;
}

/* A literal's length less one is in the tag, or, from 60 on, in the 1 to 4 bytes behind it. */
static bool append_literal(struct reader *r, uint8_t tag, struct buf *out)
{
    size_t size = tag >> 2;
    if (size >= 60) {
        size = read_le(r, (uint32_t)size - 59);
    }
    const uint8_t *bytes = reader_bytes(r, size + 1);
    if (bytes) {
        buf_append(out, bytes, size + 1);
    }
    return bytes != NULL;
}

/* Repeats what was written `offset` bytes ago; source and target may overlap. */
static bool append_copy(struct reader *r, uint8_t tag, size_t start, struct buf *out)
{
    bool is_short = (tag & 3) == 1;
    size_t size = is_short ? ((tag >> 2) & 7) + 4u : (tag >> 2) + 1u;
    size_t offset =
        is_short ? (size_t)(tag >> 5) << 8 | reader_u8(r) : read_le(r, (tag & 3) == 2 ? 2 : 4);
    if (r->failed || offset == 0 || offset > out->size - start) {
        return false;
    }
    char bytes[64];
    for (size_t i = 0; i < size; i++) {
        const char *from = i < offset ? out->data + out->size + i : bytes + i;
        bytes[i] = *(from - offset);
    }
    buf_append(out, bytes, size);
    return true;
}

bool snappy_decode(struct str data, size_t size_max, struct buf *out, struct error *err)
{
    struct reader r = reader_from(data.data, data.size);
    size_t start = out->size;
    uint64_t size = read_length(&r);
    if (r.failed || size > size_max) {
        return error_set(err, ERROR_DATA, "snappy data claims %llu bytes, at most %zu are taken",
                         (unsigned long long)size, size_max);
    }
    bool ok = true;
    while (ok && reader_left(&r) > 0 && out->size - start <= size) {
        uint8_t tag = reader_u8(&r);
        ok = (tag & 3) == 0 ? append_literal(&r, tag, out) : append_copy(&r, tag, start, out);
    }
    if (!ok || !reader_ok(&r) || out->failed || out->size - start != size) {
        return error_set(err, ERROR_DATA, "snappy data is corrupt at byte %zu of %zu", r.offset,
                         r.size);
    }
    return true;
}
