/* Borrowed string views and growable buffers.
 *
 * struct str is the string parameter type of the engine: not NUL-terminated, embedded NULs allowed.
 * struct buf grows to a maximum and fails stickily: fill it, then look once at `failed`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct str {
    const char *data; /* borrowed */
    size_t size;
};

/* For printf: "%.*s" with str_arg(s). */
#define str_arg(s) (int)(s).size, (s).data

static inline struct str str_from(const char *text)
{
    return (struct str){.data = text, .size = strlen(text)};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong). */
bool utf8_valid(const char *data, size_t size);

/* Number of bytes of the longest prefix of at most `characters_max` code points. `data` is UTF-8.
 */
size_t utf8_prefix(const char *data, size_t size, size_t characters_max);

struct buf {
    char *data; /* owned; always NUL-terminated when not NULL */
    size_t size;
    size_t capacity;
    size_t size_max; /* 0: 1 GiB */
    bool failed;     /* something did not fit under size_max; the content is then incomplete */
};

/* A zeroed struct buf is a valid empty one. */
void buf_append(struct buf *b, const void *data, size_t size);
void buf_append_text(struct buf *b, const char *text);
void buf_append_char(struct buf *b, char c);
void buf_append_format(struct buf *b, const char *format, ...) printf_like(2);

/* Appends an SQL identifier or literal with quoting ("a""b", 'it''s'). */
void buf_append_identifier(struct buf *b, const char *name);
void buf_append_literal(struct buf *b, const char *text);

/* Empties, keeping the memory; release frees it. */
void buf_clear(struct buf *b);
void buf_release(struct buf *b);

/* The text so far, "" when empty. Borrowed until the next append. */
const char *buf_text(const struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){.data = buf_text(b), .size = b->size};
}
