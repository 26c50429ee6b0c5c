/* A log file: its events decoded, as they are and again with checksums made right, with their table
 * maps, and with what is inside of their payloads. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/reader.h"
#include "source/mysql/event.h"
#include "source/mysql/table_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
    struct binlog_decoder decoder;
    struct binlog_payload *payload;
    uint64_t
        inner_left; /* expanded events that an input may have: a small one can hold very many */
};

static volatile uint8_t sink;

/* Reads every byte, so that the sanitizer sees what lies outside. */
static void touch(const void *p, size_t size)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < size; i++) {
        sink ^= b[i];
    }
}

static void touch_str(struct str s)
{
    touch(s.data, s.size);
}

static void touch_map(struct str bytes)
{
    struct arena arena = {0};
    struct table_map map = {0};
    struct error err = {0};
    if (table_map_decode(bytes, &arena, &map, &err)) {
        touch_str(map.database);
        touch_str(map.table);
        touch(map.key, map.key_count * sizeof(*map.key));
        for (uint32_t i = 0; i < map.column_count; i++) {
            struct buf text = {0};
            table_map_format_type(&map.columns[i], &text);
            buf_release(&text);
            touch_str(map.columns[i].name);
            for (uint32_t j = 0; j < map.columns[i].label_count; j++) {
                touch_str(map.columns[i].labels[j]);
            }
        }
    } else if (err.kind == ERROR_NONE) {
        abort();
    }
    arena_release(&arena);
}

static void touch_event(struct state *s, const struct binlog_event *e);

static void touch_payload(struct state *s, const struct binlog_event *e)
{
    struct error err = {0};
    bool more = binlog_payload_begin(s->payload, e, &err);
    while (more && s->inner_left > 0) {
        struct binlog_event inner = {0};
        if (!binlog_payload_next(s->payload, &s->decoder, &inner, &more, &err)) {
            if (err.kind == ERROR_NONE) {
                abort();
            }
            return;
        }
        if (more) {
            if (inner.kind == BINLOG_PAYLOAD || inner.kind == BINLOG_FORMAT) {
                abort();
            }
            s->inner_left--;
            touch_event(s, &inner);
        }
    }
}

static void touch_rows(const struct binlog_rows *rows)
{
    size_t size = (rows->column_count + 7) / 8;
    touch(rows->present, size);
    touch(rows->present_after, rows->present_after ? size : 0);
    touch_str(rows->rows);
}

static void touch_event(struct state *s, const struct binlog_event *e)
{
    touch_str(e->body);
    touch_str(str_from(e->what));
    switch (e->kind) {
    case BINLOG_ROTATE:
        touch_str(e->rotate.file);
        break;
    case BINLOG_GTID:
        touch_str(e->gtid.tag);
        break;
    case BINLOG_QUERY:
        touch_str(e->query.database);
        touch_str(e->query.text);
        break;
    case BINLOG_XA_PREPARE:
        touch_str(e->xa.gtrid);
        touch_str(e->xa.bqual);
        break;
    case BINLOG_TABLE_MAP:
        touch_str(e->table_map.database);
        touch_str(e->table_map.table);
        touch_map(e->table_map.bytes);
        break;
    case BINLOG_WRITE_ROWS:
    case BINLOG_UPDATE_ROWS:
    case BINLOG_DELETE_ROWS:
        touch_rows(&e->rows);
        break;
    case BINLOG_PAYLOAD:
        touch_payload(s, e);
        break;
    case BINLOG_OTHER:
    case BINLOG_FORMAT:
    case BINLOG_XID:
    case BINLOG_HEARTBEAT:
    case BINLOG_UNSUPPORTED:
        break;
    }
}

static void decode(struct state *s, const uint8_t *data, size_t size)
{
    struct binlog_event e = {0};
    struct error err = {0};
    if (binlog_decode(&s->decoder, data, size, &e, &err)) {
        touch_event(s, &e);
    } else if (err.kind != ERROR_FATAL && err.kind != ERROR_DATA) {
        abort();
    }
}

/* The last four bytes of an event of at least that many, unless they are none. */
static void repair(struct state *s, uint8_t *event, size_t size)
{
    bool is_format = size > 24 && event[4] == 15;
    if (size < 23 || (!is_format && !s->decoder.has_checksum)) {
        return;
    }
    if (is_format) {
        event[17] &= 0xFE;
    }
    uLong crc = crc32(0, event, (uInt)(size - 4));
    for (int i = 0; i < 4; i++) {
        event[size - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
    }
}

static void decode_file(const uint8_t *data, size_t size, bool is_repaired, bool has_checksum)
{
    struct state s = {.decoder = {.has_checksum = has_checksum},
                      .payload = binlog_payload_new(),
                      .inner_left = 10000};
    struct reader r = reader_from(data, size);
    (void)reader_u32(&r); /* the mark of a log file */
    while (reader_left(&r) >= 19) {
        struct reader header = r;
        (void)reader_bytes(&header, 9);
        size_t event_size = reader_u32_le(&header);
        if (event_size > reader_left(&r) || event_size == 0) {
            event_size = reader_left(&r);
        }
        /* An exact copy on the heap, so that the sanitizer sees a read past the end. */
        uint8_t *copy = malloc(event_size);
        if (!copy) {
            abort();
        }
        memcpy(copy, reader_bytes(&r, event_size), event_size);
        if (is_repaired) {
            repair(&s, copy, event_size);
        }
        decode(&s, copy, event_size);
        free(copy);
    }
    binlog_payload_free(&s.payload);
    binlog_decoder_release(&s.decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_file(data, size, false, true);
    decode_file(data, size, true, true);
    decode_file(data, size, true, false);
    return 0;
}
