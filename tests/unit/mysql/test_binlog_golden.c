/* Every event of every captured log file, printed and compared with the text beside the file. */
#include <inttypes.h>

#include "binlog_file.h"
#include "source/mysql/event.h"
#include "source/mysql/table_map.h"

enum { MAPS_MAX = 32 };

struct printer {
    struct binlog_decoder decoder;
    struct binlog_payload *payload;
    struct arena arena;
    struct table_map maps[MAPS_MAX];
    uint32_t map_count;
    struct buf *out;
};

static const struct table_map *map_of(const struct printer *p, uint64_t table_id)
{
    for (uint32_t i = p->map_count; i-- > 0;) {
        if (p->maps[i].table_id == table_id) {
            return &p->maps[i];
        }
    }
    fail_msg("rows of table %" PRIu64 ", which no table map described", table_id);
    return NULL;
}

static size_t decimal_size(unsigned precision, unsigned scale)
{
    static const uint8_t digits[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    unsigned whole = precision - scale;
    return whole / 9 * 4 + digits[whole % 9] + scale / 9 * 4 + digits[scale % 9];
}

/* Moves past one value; false: nothing in the map says how long it is. */
static bool skip_value(const struct table_map_column *c, struct reader *r)
{
    unsigned m = c->metadata;
    size_t size = 0;
    switch (c->type) {
    case MY_TINY:
    case MY_YEAR:
        size = 1;
        break;
    case MY_SHORT:
        size = 2;
        break;
    case MY_INT24:
    case MY_DATE:
        size = 3;
        break;
    case MY_LONG:
        size = 4;
        break;
    case MY_LONGLONG:
        size = 8;
        break;
    case MY_FLOAT:
    case MY_DOUBLE:
    case MY_ENUM:
    case MY_SET:
        size = m;
        break;
    case MY_TIME2:
        size = 3 + (m + 1) / 2;
        break;
    case MY_TIMESTAMP2:
        size = 4 + (m + 1) / 2;
        break;
    case MY_DATETIME2:
        size = 5 + (m + 1) / 2;
        break;
    case MY_BIT:
        size = (m >> 8) + ((m & 0xFF) > 0);
        break;
    case MY_NEWDECIMAL:
        size = decimal_size(m >> 8, m & 0xFF);
        break;
    case MY_VARCHAR:
    case MY_VARCHAR_COMPRESSED:
    case MY_STRING:
        size = m > 255 ? reader_u16_le(r) : reader_u8(r);
        break;
    case MY_BLOB:
    case MY_BLOB_COMPRESSED:
    case MY_JSON:
    case MY_GEOMETRY:
    case MY_VECTOR:
        size = reader_uint_le(r, m);
        break;
    case MY_DECIMAL_OLD:
    case MY_NULL:
    case MY_TIMESTAMP:
    case MY_TIME:
    case MY_DATETIME:
    case MY_NEWDATE:
        return false;
    }
    (void)reader_bytes(r, size);
    return true;
}

static bool bit(const uint8_t *bits, uint32_t i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

static uint32_t count_bits(const uint8_t *bits, uint32_t count)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < count; i++) {
        set += bit(bits, i);
    }
    return set;
}

static bool skip_image(const struct table_map *map, const uint8_t *present, struct reader *r)
{
    const uint8_t *nulls = reader_bytes(r, (count_bits(present, map->column_count) + 7) / 8);
    uint32_t at = 0;
    for (uint32_t i = 0; i < map->column_count && !r->failed; i++) {
        if (bit(present, i) && !bit(nulls, at++) && !skip_value(&map->columns[i], r)) {
            return false;
        }
    }
    return true;
}

static void append_rows(struct printer *p, const struct binlog_event *e)
{
    const struct binlog_rows *rows = &e->rows;
    const struct table_map *map = map_of(p, rows->table_id);
    buf_append_format(p->out, " %.*s.%.*s", str_arg(map->database), str_arg(map->table));
    assert_int_equal(rows->column_count, map->column_count);
    uint32_t before = count_bits(rows->present, rows->column_count);
    struct reader r = reader_from(rows->rows.data, rows->rows.size);
    uint32_t count = 0;
    bool known = true;
    while (known && reader_left(&r) > 0) {
        known = skip_image(map, rows->present, &r) &&
                (!rows->present_after || skip_image(map, rows->present_after, &r));
        count++;
    }
    if (known) {
        assert_true(reader_ok(&r)); /* else the map does not describe the images */
        buf_append_format(p->out, ": %" PRIu32 " rows", count);
    } else {
        buf_append_format(p->out, ": rows of unknown size in %zu bytes", rows->rows.size);
    }
    buf_append_format(p->out, ", %" PRIu32, before);
    if (rows->present_after) {
        buf_append_format(p->out, " -> %" PRIu32,
                          count_bits(rows->present_after, rows->column_count));
    }
    buf_append_format(p->out, " of %" PRIu32 " columns%s", rows->column_count,
                      rows->flags & 1 ? ", end of statement" : "");
}

/* Labels are in the column's character set. */
static void append_label(struct buf *out, struct str label)
{
    for (size_t i = 0; i < label.size; i++) {
        bool valid = utf8_valid(label.data, label.size);
        buf_append_format(out, valid ? "%c" : "<%02x>", (uint8_t)label.data[i]);
    }
}

static void append_column(struct buf *out, const struct table_map_column *c)
{
    buf_append_format(out, "\n    %.*s ", str_arg(c->name));
    table_map_format_type(c, out);
    buf_append_format(out, " type %u metadata %u", c->type, c->metadata);
    buf_append_text(out, c->nullable ? "" : " not null");
    buf_append_text(out, c->has_sign ? "" : " sign unknown");
    buf_append_text(out, c->is_unsigned ? " is unsigned" : "");
    if (c->collation > 0) {
        buf_append_format(out, " collation %" PRIu32, c->collation);
    }
    for (uint32_t i = 0; i < c->label_count; i++) {
        buf_append_text(out, i == 0 ? " labels " : "|");
        append_label(out, c->labels[i]);
    }
    buf_append_text(out, c->is_invisible ? " invisible" : "");
}

static void append_map(struct printer *p, const struct binlog_event *e)
{
    struct error err = {0};
    assert_true(p->map_count < MAPS_MAX);
    struct table_map *m = &p->maps[p->map_count++];
    if (!table_map_decode(e->table_map.bytes, &p->arena, m, &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(str_equal(m->database, e->table_map.database));
    assert_true(str_equal(m->table, e->table_map.table));
    assert_int_equal(m->table_id, e->table_map.table_id);
    buf_append_format(p->out, " %.*s.%.*s%s", str_arg(m->database), str_arg(m->table),
                      m->has_names ? " with names" : "");
    buf_append_text(p->out, m->has_key ? " key" : "");
    for (uint32_t i = 0; i < m->key_count; i++) {
        buf_append_format(p->out, " %" PRIu32, m->key[i]);
    }
    for (uint32_t i = 0; i < m->column_count; i++) {
        append_column(p->out, &m->columns[i]);
    }
}

static void append_gtid(struct buf *out, const struct binlog_gtid *g)
{
    if (g->is_mariadb) {
        buf_append_format(out, " %" PRIu32 "-%" PRIu32 "-%" PRIu64 "%s%s%s%s", g->domain, g->server,
                          g->number, g->is_standalone ? " standalone" : "",
                          g->is_transactional ? " transactional" : "", g->is_xa ? " xa" : "",
                          g->is_alter_open ? " alter open" : "");
        return;
    }
    buf_append_char(out, ' ');
    for (size_t i = 0; i < sizeof(g->uuid); i++) {
        buf_append_format(out, "%02x", g->uuid[i]);
    }
    buf_append_format(out, ":%.*s:%" PRIu64 " committed %" PRId64 "%s", str_arg(g->tag), g->number,
                      g->commit_time_us, g->is_anonymous ? " anonymous" : "");
}

static void append_query(struct buf *out, const struct binlog_query *q)
{
    buf_append_format(out, " in %.*s: %.*s", str_arg(q->database), str_arg(q->text));
    buf_append_format(out, " (sql_mode %" PRIu64 ", collation %u, error %u)", q->sql_mode,
                      q->collation, q->error);
}

static void append_event(struct printer *p, const struct binlog_event *e);

static void append_payload(struct printer *p, const struct binlog_event *e)
{
    buf_append_format(p->out, " compression %" PRIu32 ", %zu of %" PRIu64 " bytes\n",
                      e->payload.compression, e->payload.compressed.size, e->payload.size);
    struct error err = {0};
    assert_true(binlog_payload_begin(p->payload, e, &err));
    uint64_t size = 0;
    for (;;) {
        struct binlog_event inner = {0};
        bool more = false;
        if (!binlog_payload_next(p->payload, &p->decoder, &inner, &more, &err)) {
            fail_msg("%s", err.message);
        }
        if (!more) {
            break;
        }
        size += inner.header.size;
        buf_append_text(p->out, "  inside: ");
        append_event(p, &inner);
    }
    assert_int_equal(size, e->payload.size);
}

static void append_event(struct printer *p, const struct binlog_event *e)
{
    static const char *const kinds[] = {
        [BINLOG_OTHER] = "other",
        [BINLOG_FORMAT] = "format",
        [BINLOG_ROTATE] = "rotate",
        [BINLOG_GTID] = "gtid",
        [BINLOG_QUERY] = "query",
        [BINLOG_XID] = "xid",
        [BINLOG_XA_PREPARE] = "xa prepare",
        [BINLOG_TABLE_MAP] = "table map",
        [BINLOG_WRITE_ROWS] = "write rows",
        [BINLOG_UPDATE_ROWS] = "update rows",
        [BINLOG_DELETE_ROWS] = "delete rows",
        [BINLOG_PAYLOAD] = "payload",
        [BINLOG_HEARTBEAT] = "heartbeat",
        [BINLOG_UNSUPPORTED] = "unsupported",
    };
    buf_append_format(p->out, "%s (%s)", kinds[e->kind], e->what);
    switch (e->kind) {
    case BINLOG_FORMAT:
        buf_append_text(p->out, p->decoder.has_checksum ? " checksums" : " no checksums");
        break;
    case BINLOG_ROTATE:
        buf_append_format(p->out, " %.*s %" PRIu64, str_arg(e->rotate.file), e->rotate.offset);
        break;
    case BINLOG_GTID:
        append_gtid(p->out, &e->gtid);
        break;
    case BINLOG_QUERY:
        append_query(p->out, &e->query);
        break;
    case BINLOG_XID:
        buf_append_format(p->out, " %s", e->xid ? "number" : "one phase");
        break;
    case BINLOG_XA_PREPARE:
        buf_append_format(p->out, " '%.*s' '%.*s' %" PRIu32, str_arg(e->xa.gtrid),
                          str_arg(e->xa.bqual), e->xa.format);
        break;
    case BINLOG_TABLE_MAP:
        append_map(p, e);
        break;
    case BINLOG_WRITE_ROWS:
    case BINLOG_UPDATE_ROWS:
    case BINLOG_DELETE_ROWS:
        append_rows(p, e);
        break;
    case BINLOG_PAYLOAD:
        append_payload(p, e);
        return;
    case BINLOG_OTHER:
    case BINLOG_HEARTBEAT:
    case BINLOG_UNSUPPORTED:
        break;
    }
    buf_append_char(p->out, '\n');
}

static void print_file(const char *file, struct buf *out)
{
    struct arena arena = {0};
    struct reader r = binlog_file_read(&arena, file);
    struct printer p = {.payload = binlog_payload_new(), .out = out};
    struct str bytes = {0};
    while (binlog_file_next(&r, &bytes)) {
        struct binlog_event e = {0};
        struct error err = {0};
        if (!binlog_decode(&p.decoder, bytes.data, bytes.size, &e, &err)) {
            fail_msg("%s: %s", file, err.message);
        }
        append_event(&p, &e);
    }
    binlog_payload_free(&p.payload);
    binlog_decoder_release(&p.decoder);
    arena_release(&p.arena);
    arena_release(&arena);
}

static void compare(const char *file)
{
    struct arena arena = {0};
    struct buf out = {0};
    struct buf expected = {0};
    struct error err = {0};
    print_file(file, &out);
    char *path = binlog_path(&arena, file);
    memcpy(strstr(path, ".binlog"), ".txt", sizeof(".txt"));
    if (getenv("GOLDEN_WRITE")) {
        assert_true(file_write(path, out.data, out.size, &err));
    }
    if (!file_read(path, 1 << 20, &expected, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(buf_text(&out), buf_text(&expected));
    buf_release(&expected);
    buf_release(&out);
    arena_release(&arena);
}

static void captured_events_decode_to_the_text_beside_them(void **state)
{
    (void)state;
    binlog_files(compare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_events_decode_to_the_text_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
