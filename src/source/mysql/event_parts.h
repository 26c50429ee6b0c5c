/* What the files that decode binlog events share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/reader.h"
#include "source/mysql/event.h"

enum {
    BINLOG_HEADER_SIZE = 19,
    BINLOG_CHECKSUM_SIZE = 4,
    BINLOG_COLUMNS_MAX = 4096, /* both servers */
};

/* An event that may become 1 GiB, but not more: what a packet of either server can hold. */
static const uint64_t BINLOG_EVENT_SIZE_MAX = UINT64_C(1) << 30;

/* One event being decoded. A reader that failed, or that has bytes left, is a malformed event. */
struct binlog_reading {
    struct reader body;
    struct binlog_decoder *decoder;
    struct binlog_event *out;
    struct error *err;
};

/* Each fills its part of `out`. False: `err` is set; a malformed body only fails the reader. */
must_check bool binlog_read_gtid(struct binlog_reading *g);
must_check bool binlog_read_gtid_tagged(struct binlog_reading *g);
must_check bool binlog_read_gtid_mariadb(struct binlog_reading *g);
must_check bool binlog_read_table_map(struct binlog_reading *g);
must_check bool binlog_read_rows(struct binlog_reading *g);
must_check bool binlog_read_payload(struct binlog_reading *g);

/* What is left of the body is compressed as MariaDB does it: moves past it and points `out` to the
 * expanded bytes in the decoder. */
must_check bool binlog_expand(struct binlog_reading *g, struct str *out);

/* The size that a header of 19 bytes gives its event. */
static inline uint32_t binlog_event_size(const uint8_t *header)
{
    struct reader r = reader_from(header + 9, 4);
    return reader_u32_le(&r);
}

/* binlog_decode() of an event inside a payload: without checksum. */
must_check bool binlog_decode_inner(struct binlog_decoder *d, const void *data, size_t size,
                                    struct binlog_event *out, struct error *err);

/* The servers' packed integer: one byte below 251, else 252, 253 or 254 before 2, 3 or 8 bytes. */
static inline uint64_t binlog_packed(struct reader *r)
{
    uint8_t first = reader_u8(r);
    switch (first) {
    case 252:
        return reader_u16_le(r);
    case 253:
        return reader_u24_le(r);
    case 254:
        return reader_u64_le(r);
    default:
        r->failed |= first == 251 || first == 255; /* NULL, and an error */
        return first;
    }
}

/* Bytes with their number before them. */
static inline struct str binlog_packed_str(struct reader *r)
{
    return reader_str(r, binlog_packed(r));
}

/* A packed number of columns, and the bytes of a bit for each. */
static inline uint32_t binlog_column_count(struct reader *r)
{
    uint64_t count = binlog_packed(r);
    r->failed |= count > BINLOG_COLUMNS_MAX;
    return r->failed ? 0 : (uint32_t)count;
}
