/* Transaction payload events: a transaction's events as one compressed piece
 * (libs/mysql/binlog/event/codecs/binary.cpp). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "source/mysql/event_parts.h"

enum payload_field {
    FIELD_END = 0,
    FIELD_SIZE = 1,
    FIELD_COMPRESSION = 2,
    FIELD_SIZE_EXPANDED = 3,
};

enum payload_compression { COMPRESSION_ZSTD = 0, COMPRESSION_NONE = 255 };

/* Fields in any order, each with its size; unknown ones are skipped. */
static void read_fields(struct reader *r, uint64_t *size, struct binlog_event *out, bool *has_both)
{
    bool has_size = false;
    bool has_compression = false;
    for (;;) {
        uint64_t field = binlog_packed(r);
        if (r->failed || field == FIELD_END) {
            break;
        }
        struct str bytes = binlog_packed_str(r);
        struct reader value = reader_from(bytes.data, bytes.size);
        if (field == FIELD_SIZE) {
            *size = binlog_packed(&value);
            has_size = true;
        } else if (field == FIELD_COMPRESSION) {
            uint64_t compression = binlog_packed(&value);
            out->payload.compression = (uint32_t)compression;
            value.failed |= compression > UINT32_MAX;
            has_compression = true;
        } else if (field == FIELD_SIZE_EXPANDED) {
            out->payload.size = binlog_packed(&value);
        }
        r->failed |= value.failed;
    }
    *has_both = has_size && has_compression;
}

bool binlog_read_payload(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    struct binlog_event *out = g->out;
    uint64_t size = 0;
    bool has_both = false;
    read_fields(r, &size, out, &has_both);
    r->failed |= !has_both;
    out->payload.compressed = reader_str(r, size);
    if (!r->failed && out->payload.compression != COMPRESSION_ZSTD &&
        out->payload.compression != COMPRESSION_NONE) {
        return error_set(g->err, ERROR_FATAL,
                         "transaction payload with unknown compression %" PRIu32,
                         out->payload.compression);
    }
    return true;
}

enum {
    PIECE_SIZE = 128 << 10,       /* what zstd hands out at once */
    CAPACITY_KEPT_MAX = 16 << 20, /* memory above it is given back with the next payload */
};

struct binlog_payload {
    ZSTD_DCtx *context; /* making one costs more than a small payload */
    ZSTD_inBuffer in;
    bool is_plain;      /* not compressed */
    bool is_frame_open; /* zstd wants more */

    /* Expanded bytes: begin..end are not yet given out. A plain payload needs no memory. */
    uint8_t *data;
    size_t capacity;
    size_t begin;
    size_t end;
};

struct binlog_payload *binlog_payload_new(void)
{
    struct binlog_payload *p = calloc(1, sizeof(*p));
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!p || !context) {
        (void)fprintf(stderr, "leat: out of memory for a payload reader\n");
        abort();
    }
    p->context = context;
    return p;
}

void binlog_payload_free(struct binlog_payload **p)
{
    if (*p) {
        (void)ZSTD_freeDCtx((*p)->context);
        free((*p)->data);
        free(*p);
        *p = NULL;
    }
}

bool binlog_payload_begin(struct binlog_payload *p, const struct binlog_event *payload,
                          struct error *err)
{
    if (p->capacity > CAPACITY_KEPT_MAX) {
        free(p->data);
        p->data = NULL;
        p->capacity = 0;
    }
    p->in = (ZSTD_inBuffer){.src = payload->payload.compressed.data,
                            .size = payload->payload.compressed.size};
    p->is_plain = payload->payload.compression == COMPRESSION_NONE;
    p->is_frame_open = false;
    p->begin = 0;
    p->end = 0;
    size_t status = ZSTD_DCtx_reset(p->context, ZSTD_reset_session_only);
    if (ZSTD_isError(status)) {
        return error_set(err, ERROR_FATAL, "transaction payload: %s", ZSTD_getErrorName(status));
    }
    return true;
}

/* Room for another piece. Grows with what has come out, never to what an event claims. */
static void make_room(struct binlog_payload *p)
{
    if (p->begin > 0) {
        memmove(p->data, p->data + p->begin, p->end - p->begin);
        p->end -= p->begin;
        p->begin = 0;
    }
    if (p->capacity - p->end >= PIECE_SIZE) {
        return;
    }
    p->capacity = p->capacity ? 2 * p->capacity : 2 * (size_t)PIECE_SIZE;
    p->data = realloc(p->data, p->capacity);
    if (!p->data) {
        (void)fprintf(stderr, "leat: out of memory allocating %zu bytes\n", p->capacity);
        abort();
    }
}

static bool expand_piece(struct binlog_payload *p, struct error *err)
{
    make_room(p);
    ZSTD_outBuffer out = {.dst = p->data + p->end, .size = p->capacity - p->end};
    size_t status = ZSTD_decompressStream(p->context, &out, &p->in);
    if (ZSTD_isError(status)) {
        return error_set(err, ERROR_FATAL, "malformed transaction payload: %s",
                         ZSTD_getErrorName(status));
    }
    p->is_frame_open = status != 0;
    p->end += out.pos;
    if (out.pos == 0 && p->in.pos == p->in.size && p->is_frame_open) {
        return error_set(err, ERROR_FATAL, "malformed transaction payload: it is cut off");
    }
    return true;
}

/* Tries to have `size` bytes ready; `*have` is less only at the payload's end. */
static bool fill(struct binlog_payload *p, size_t size, size_t *have, struct error *err)
{
    while (p->end - p->begin < size && (p->in.pos < p->in.size || p->is_frame_open)) {
        if (!expand_piece(p, err)) {
            return false;
        }
    }
    *have = p->end - p->begin;
    return true;
}

/* The next `size` bytes at `*out`; `*have` is less where there are no more. */
static bool next_bytes(struct binlog_payload *p, size_t size, const uint8_t **out, size_t *have,
                       struct error *err)
{
    if (p->is_plain) {
        *have = p->in.size - p->in.pos;
        *out = (const uint8_t *)p->in.src + p->in.pos;
        return true;
    }
    if (!fill(p, size, have, err)) {
        return false;
    }
    *out = *have > 0 ? p->data + p->begin : NULL;
    return true;
}

static void skip_bytes(struct binlog_payload *p, size_t size)
{
    if (p->is_plain) {
        p->in.pos += size;
    } else {
        p->begin += size;
    }
}

bool binlog_payload_next(struct binlog_payload *p, struct binlog_decoder *d,
                         struct binlog_event *out, bool *more, struct error *err)
{
    const uint8_t *data = NULL;
    size_t have = 0;
    if (!next_bytes(p, BINLOG_HEADER_SIZE, &data, &have, err)) {
        return false;
    }
    *more = have > 0;
    if (have == 0) {
        return true;
    }
    uint32_t size = have < BINLOG_HEADER_SIZE ? 0 : binlog_event_size(data);
    if (size < BINLOG_HEADER_SIZE) {
        return error_set(err, ERROR_FATAL, "malformed transaction payload: an event is cut off");
    }
    if (size > BINLOG_EVENT_SIZE_MAX) {
        return error_set(err, ERROR_DATA,
                         "an event of a transaction payload has %" PRIu32
                         " bytes when expanded, more than %" PRIu64,
                         size, BINLOG_EVENT_SIZE_MAX);
    }
    if (!next_bytes(p, size, &data, &have, err)) {
        return false;
    }
    if (have < size) {
        return error_set(err, ERROR_FATAL, "malformed transaction payload: an event is cut off");
    }
    skip_bytes(p, size);
    return binlog_decode_inner(d, data, size, out, err);
}
