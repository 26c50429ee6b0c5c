/* The types that values have in a change stream, and how their values lie in memory.
 *
 * Widths and layouts are DuckDB's, so that the engine reads columns in place. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum type_kind {
    TYPE_BOOL,        /* uint8_t, 0 or 1 */
    TYPE_INT16,       /* int16_t */
    TYPE_INT32,       /* int32_t */
    TYPE_INT64,       /* int64_t */
    TYPE_FLOAT32,     /* float */
    TYPE_FLOAT64,     /* double */
    TYPE_DECIMAL,     /* unscaled integer: int16_t (p<=4), int32_t (<=9), int64_t (<=18), __int128
                         (<=38) */
    TYPE_STRING,      /* struct view, UTF-8 */
    TYPE_BINARY,      /* struct view */
    TYPE_DATE,        /* int32_t, days since 1970-01-01 */
    TYPE_TIME,        /* int64_t, microseconds since midnight */
    TYPE_TIMESTAMP,   /* int64_t, microseconds of wall time since 1970-01-01T00:00:00, no zone */
    TYPE_TIMESTAMPTZ, /* int64_t, microseconds since 1970-01-01T00:00:00Z */
    TYPE_UUID,        /* struct uuid: 16 bytes in text order */
    TYPE_JSON,        /* struct view, UTF-8 JSON text as the source wrote it */
};

enum { DECIMAL_PRECISION_MAX = 38 };

struct type {
    enum type_kind kind;
    uint8_t precision; /* decimals only: 1..38 */
    uint8_t scale;     /* decimals only: 0..precision */
};

struct uuid {
    uint8_t bytes[16];
};

/* A string value: bit-equal to duckdb_string_t. 12 bytes or fewer are inlined, and unused inlined
 * bytes are zero: DuckDB compares them. Longer ones keep a prefix and a pointer that the batch's
 * arena owns. */
struct view {
    uint32_t size;
    char inlined[4]; /* the first four bytes; all twelve of a short one go on into `rest` */
    union {
        char rest[8];
        const char *data;
    };
};
_Static_assert(sizeof(struct view) == 16, "duckdb_string_t is 16 bytes");

enum { VIEW_INLINE_MAX = 12 };

static inline uint32_t view_word(const char *data)
{
    uint32_t v = 0;
    __builtin_memcpy(&v, data, sizeof(v));
    return v;
}

/* Up to twelve bytes and the zeroes behind them, by words that overlap: what was copied byte by
 * byte and is then read as a whole has to wait until it is in the cache. */
static inline void view_inline(struct view *v, const char *data, size_t size)
{
    uint32_t head = 0;
    uint64_t rest = 0;
    if (size >= 8) {
        head = view_word(data);
        rest = view_word(data + 4) | (uint64_t)view_word(data + size - 4) << (8 * (size - 8));
    } else if (size >= 4) {
        head = view_word(data);
        rest = (uint64_t)view_word(data + size - 4) >> (8 * (8 - size));
    } else if (size > 0) {
        head = (uint32_t)(uint8_t)data[0] | (uint32_t)(uint8_t)data[size / 2] << (8 * (size / 2)) |
               (uint32_t)(uint8_t)data[size - 1] << (8 * (size - 1));
    }
    __builtin_memcpy(v->inlined, &head, sizeof(head));
    __builtin_memcpy(v->rest, &rest, sizeof(rest));
}

/* Makes a view of bytes that outlive it. */
static inline struct view view_from(const char *data, size_t size)
{
    struct view v = {.size = (uint32_t)size};
    if (size <= VIEW_INLINE_MAX) {
        view_inline(&v, data, size);
    } else {
        __builtin_memcpy(v.inlined, data, 4);
        v.data = data;
    }
    return v;
}

/* The bytes of a view; inlined ones live as long as `v` itself. */
static inline struct str view_str(const struct view *v)
{
    return (struct str){.data = v->size <= VIEW_INLINE_MAX
                                    ? (const char *)v + offsetof(struct view, inlined)
                                    : v->data,
                        .size = v->size};
}

/* Bytes of one value in a column: 1, 2, 4, 8 or 16. */
size_t type_width(struct type t);

bool type_equal(struct type a, struct type b);

/* True for the kinds whose values are struct view. */
bool type_is_text_or_binary(struct type t);

/* True when every value of `from` is a value of `to` (int32 -> int64, decimal(10,2) -> (12,2) ...):
 * the changes of a column's type that a table can follow. Equal types widen. */
bool type_widens(struct type from, struct type to);

/* "int64", "decimal(10,2)" ...; for messages and for the position record. */
void type_format(struct type t, struct buf *out);

/* Reverses type_format(). */
must_check bool type_parse(struct str text, struct type *out, struct error *err);
