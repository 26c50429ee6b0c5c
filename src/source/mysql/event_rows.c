/* Table map and row events (libs/mysql/binlog/event/rows_event.h), and how MariaDB compresses
 * (binlog_buf_compress in sql/log_event.cc). */
#include <inttypes.h>
#include <zlib.h>

#include "source/mysql/event_parts.h"

enum {
    TYPE_WRITE_V2 = 30, /* extra data in front of the columns */
    TYPE_DELETE_V2 = 32,
    TYPE_WRITE_COMPRESSED_V1 = 166, /* the images are compressed */
    TYPE_WRITE_COMPRESSED_V2 = 169,
    TYPE_DELETE_COMPRESSED_V2 = 171,

    EXPANDED_KEPT_MAX = 16 << 20, /* memory above it is given back */
};

static struct str read_name(struct reader *r)
{
    struct str name = reader_str(r, reader_u8(r));
    r->failed |= reader_u8(r) != 0;
    return name;
}

bool binlog_read_table_map(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    __auto_type out = &g->out->table_map;
    out->bytes = g->out->body;
    out->table_id = reader_u48_le(r);
    (void)reader_u16_le(r); /* flags */
    out->database = read_name(r);
    out->table = read_name(r);
    (void)reader_bytes(r, reader_left(r));
    return true;
}

static bool has_extra_data(uint8_t type)
{
    return (type >= TYPE_WRITE_V2 && type <= TYPE_DELETE_V2) ||
           (type >= TYPE_WRITE_COMPRESSED_V2 && type <= TYPE_DELETE_COMPRESSED_V2);
}

bool binlog_read_rows(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    struct binlog_rows *out = &g->out->rows;
    uint8_t type = g->out->header.type;
    *out = (struct binlog_rows){.table_id = reader_u48_le(r), .flags = reader_u16_le(r)};
    if (has_extra_data(type)) {
        uint16_t size = reader_u16_le(r); /* with its own two bytes */
        r->failed |= size < 2;
        (void)reader_bytes(r, r->failed ? 0 : size - 2U);
    }
    out->column_count = binlog_column_count(r);
    size_t bitmap_size = (out->column_count + 7U) / 8;
    out->present = reader_bytes(r, bitmap_size);
    if (g->out->kind == BINLOG_UPDATE_ROWS) {
        out->present_after = reader_bytes(r, bitmap_size);
    }
    if (!r->failed && type >= TYPE_WRITE_COMPRESSED_V1) {
        return binlog_expand(g, &out->rows);
    }
    out->rows = reader_str(r, reader_left(r));
    return true;
}

static void inflate_release(z_stream *z)
{
    (void)inflateEnd(z);
}

/* Piece by piece, so that memory grows with what comes out and not with what was claimed. True:
 * exactly `size` bytes came out of all that went in. */
static bool inflate_into(struct str in, size_t size, struct buf *out)
{
    owned(inflate_release)
        z_stream z = {.next_in = (Bytef *)(uintptr_t)in.data, .avail_in = (uInt)in.size};
    if (inflateInit(&z) != Z_OK) {
        return false;
    }
    uint8_t piece[16384];
    int status = Z_OK;
    while (status == Z_OK && out->size <= size) {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        status = inflate(&z, Z_NO_FLUSH);
        buf_append(out, piece, sizeof(piece) - z.avail_out);
    }
    return status == Z_STREAM_END && z.avail_in == 0 && out->size == size && !out->failed;
}

bool binlog_expand(struct binlog_reading *g, struct str *out)
{
    struct reader *r = &g->body;
    struct buf *expanded = &g->decoder->expanded;
    uint8_t first = reader_u8(r); /* 1, algorithm (3 bits), 0, bytes of the size (3 bits) */
    unsigned size_bytes = first & 7;
    r->failed |= (first & 0xF8) != 0x80 || size_bytes < 1 || size_bytes > 4;
    uint64_t size = 0;
    for (unsigned i = 0; i < size_bytes && !r->failed; i++) {
        size = size << 8 | reader_u8(r); /* most significant first */
    }
    struct str compressed = reader_str(r, reader_left(r));
    if (r->failed) {
        return true;
    }
    if (size > BINLOG_EVENT_SIZE_MAX) {
        return error_set(g->err, ERROR_DATA,
                         "%s event of %" PRIu64 " bytes when expanded, more than %" PRIu64,
                         g->out->what, size, BINLOG_EVENT_SIZE_MAX);
    }
    if (expanded->capacity > EXPANDED_KEPT_MAX) {
        buf_release(expanded);
    }
    buf_clear(expanded);
    r->failed |= !inflate_into(compressed, size, expanded);
    *out = buf_str(expanded);
    return true;
}
