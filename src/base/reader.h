/* Bounds-checked cursor with a sticky failure; big-endian unless the name says _le.
 *
 * Reads past the end return zero and set `failed`; every later read also fails.
 * A decoder therefore reads a whole message and checks reader_ok() once. Loops bounded by a value
 * that came from the input check `failed` or reader_left() first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct reader {
    const uint8_t *data; /* borrowed */
    size_t size;
    size_t offset;
    bool failed;
};

static inline struct reader reader_from(const void *data, size_t size)
{
    return (struct reader){.data = data, .size = size};
}

static inline size_t reader_left(const struct reader *r)
{
    return r->failed ? 0 : r->size - r->offset;
}

/* Borrows `size` bytes from the input, or NULL on failure. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t size)
{
    if (r->failed || size > r->size - r->offset) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data + r->offset;
    r->offset += size;
    return p;
}

static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    uint16_t v = 0;
    const uint8_t *p = reader_bytes(r, 2);
    if (p) {
        __builtin_memcpy(&v, p, 2);
    }
    return __builtin_bswap16(v);
}

static inline uint32_t reader_u32(struct reader *r)
{
    uint32_t v = 0;
    const uint8_t *p = reader_bytes(r, 4);
    if (p) {
        __builtin_memcpy(&v, p, 4);
    }
    return __builtin_bswap32(v);
}

static inline uint64_t reader_u64(struct reader *r)
{
    uint64_t v = 0;
    const uint8_t *p = reader_bytes(r, 8);
    if (p) {
        __builtin_memcpy(&v, p, 8);
    }
    return __builtin_bswap64(v);
}

/* An integer of up to 8 bytes, least significant first. */
static inline uint64_t reader_uint_le(struct reader *r, size_t size)
{
    uint64_t v = 0;
    const uint8_t *p = size <= 8 ? reader_bytes(r, size) : NULL;
    r->failed |= p == NULL;
    for (size_t i = 0; p && i < size; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

static inline uint16_t reader_u16_le(struct reader *r)
{
    return __builtin_bswap16(reader_u16(r));
}

static inline uint32_t reader_u24_le(struct reader *r)
{
    return (uint32_t)reader_uint_le(r, 3);
}

static inline uint32_t reader_u32_le(struct reader *r)
{
    return __builtin_bswap32(reader_u32(r));
}

static inline uint64_t reader_u64_le(struct reader *r)
{
    return __builtin_bswap64(reader_u64(r));
}

static inline uint64_t reader_u48_le(struct reader *r)
{
    return reader_uint_le(r, 6);
}

static inline uint64_t reader_u56_le(struct reader *r)
{
    return reader_uint_le(r, 7);
}

/* `size` bytes as a string, borrowed; empty on failure. */
static inline struct str reader_str(struct reader *r, size_t size)
{
    const uint8_t *p = reader_bytes(r, size);
    return (struct str){.data = (const char *)p, .size = p ? size : 0};
}

/* A NUL-terminated string, borrowed, without its NUL; fails when no NUL is left. */
struct str reader_cstring(struct reader *r);

/* True when nothing failed and all input was consumed. */
static inline bool reader_ok(const struct reader *r)
{
    return !r->failed && r->offset == r->size;
}
