/* Events made by hand, and what tests ask of them. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/str.h"
#include "source/mysql/event.h"
#include "test.h"

/* Bytes of a literal, embedded zeros too. */
#define bytes(literal) ((struct str){.data = (literal), .size = sizeof(literal) - 1})

static inline void append_le(struct buf *out, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        buf_append_char(out, (char)(v >> (8 * i)));
    }
}

static inline void append_str(struct buf *out, struct str s)
{
    buf_append(out, s.data, s.size);
}

static inline void append_header(struct buf *out, unsigned type, unsigned flags, size_t size)
{
    append_le(out, 1700000000, 4);
    append_le(out, type, 1);
    append_le(out, 7, 4); /* server */
    append_le(out, size, 4);
    append_le(out, 4321, 4); /* where the next one is */
    append_le(out, flags, 2);
}

/* An event without checksum. */
static inline void append_event(struct buf *out, unsigned type, unsigned flags, struct str body)
{
    append_header(out, type, flags, 19 + body.size);
    append_str(out, body);
}

static inline void append_checked_event(struct buf *out, unsigned type, unsigned flags,
                                        struct str body)
{
    size_t start = out->size;
    append_header(out, type, flags, 19 + body.size + 4);
    append_str(out, body);
    append_le(out, crc32(0, (const Bytef *)out->data + start, (uInt)(out->size - start)), 4);
}

struct decoded {
    struct binlog_decoder decoder;
    struct binlog_event event;
    char *copy; /* exact, so that the sanitizer sees a read past the end */
    struct error err;
    bool ok;
};

static inline struct decoded decode_bytes(const void *data, size_t size, bool has_checksum)
{
    struct decoded d = {.decoder = {.has_checksum = has_checksum}};
    d.copy = malloc(size ? size : 1);
    assert_non_null(d.copy);
    memcpy(d.copy, data, size);
    d.ok = binlog_decode(&d.decoder, d.copy, size, &d.event, &d.err);
    return d;
}

static inline struct decoded decode_event(unsigned type, unsigned flags, struct str body)
{
    struct buf b = {0};
    append_event(&b, type, flags, body);
    struct decoded d = decode_bytes(b.data, b.size, false);
    buf_release(&b);
    return d;
}

static inline void decoded_release(struct decoded *d)
{
    binlog_decoder_release(&d->decoder);
    free(d->copy);
}

static inline void assert_str(struct str actual, const char *expected)
{
    assert_int_equal(actual.size, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.size);
}

static inline void assert_refused(unsigned type, struct str body, enum error_kind kind,
                                  const char *text)
{
    struct decoded d = decode_event(type, 0, body);
    assert_false(d.ok);
    assert_int_equal(d.err.kind, kind);
    if (!strstr(d.err.message, text)) {
        fail_msg("\"%s\" does not say \"%s\"", d.err.message, text);
    }
    decoded_release(&d);
}

static inline void assert_kind(unsigned type, unsigned flags, struct str body,
                               enum binlog_event_kind kind, const char *what)
{
    struct decoded d = decode_event(type, flags, body);
    assert_true(d.ok);
    assert_int_equal(d.event.kind, kind);
    assert_string_equal(d.event.what, what);
    decoded_release(&d);
}
