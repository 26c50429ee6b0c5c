#include <inttypes.h>
#include <stdio.h>

#include "binlog_build.h"
#include "binlog_file.h"

/* Nothing decoded lies outside of what was given. */
static void assert_within(struct str part, const struct decoded *d, size_t size)
{
    if (part.size > 0) {
        assert_true(part.data >= d->copy && part.data + part.size <= d->copy + size);
    }
}

static void cut_off_everywhere(const char *file)
{
    struct arena a = {0};
    struct reader r = binlog_file_read(&a, file);
    struct str e = {0};
    while (binlog_file_next(&r, &e)) {
        char *copy = arena_copy(&a, e.data, e.size);
        for (size_t size = 0; size < e.size; size += size < 300 ? 1 : 97) {
            struct decoded d = decode_bytes(e.data, size, true);
            assert_false(d.ok);
            assert_int_equal(d.err.kind, ERROR_FATAL);
            decoded_release(&d);
            if (size >= 19) { /* the same, with a header that agrees: whatever it says, in bounds */
                const uint8_t header[] = {(uint8_t)size, (uint8_t)(size >> 8),
                                          (uint8_t)(size >> 16), 0};
                memcpy(copy + 9, header, sizeof(header));
                d = decode_bytes(copy, size, false);
                assert_true(d.ok || d.err.kind == ERROR_FATAL);
                assert_within(d.event.body, &d, size);
                decoded_release(&d);
            }
        }
    }
    arena_release(&a);
}

static void an_event_that_is_cut_off_anywhere_is_refused_or_in_bounds(void **state)
{
    (void)state;
    binlog_files(cut_off_everywhere);
}

static void flip_bits(const char *file)
{
    struct arena a = {0};
    struct reader r = binlog_file_read(&a, file);
    struct str e = {0};
    while (!strstr(file, "unchecked") && binlog_file_next(&r, &e)) {
        char *copy = arena_copy(&a, e.data, e.size);
        bool is_format = copy[4] == 15;
        for (size_t i = 0; i < e.size; i += i < 100 ? 1 : 31) {
            char bit = (char)(1 << (i % 8));
            /* The flag of a file that is still written, and the byte that turns checksums off. */
            if (is_format && (i == 17 || i == e.size - 5)) {
                continue;
            }
            copy[i] = (char)(copy[i] ^ bit);
            struct decoded d = decode_bytes(copy, e.size, true);
            assert_false(d.ok);
            assert_int_equal(d.err.kind, ERROR_FATAL);
            decoded_release(&d);
            copy[i] = (char)(copy[i] ^ bit);
        }
        struct decoded d = decode_bytes(copy, e.size, true);
        assert_true(d.ok);
        decoded_release(&d);
    }
    arena_release(&a);
}

static void a_flipped_bit_is_noticed_by_the_checksum(void **state)
{
    (void)state;
    binlog_files(flip_bits);
}

/* What servers sent when a dump began, at the offset 4 of "log.000001", and while nothing went on.
 */
static void events_that_only_a_dump_has(void **state)
{
    (void)state;
    static const char rotate[] = "\0\0\0\0\x04\x07\0\0\0\x29\0\0\0\0\0\0\0\x20\0\x04\0\0\0\0\0\0\0"
                                 "log.000001\x5e\xca\x51\x9e";
    struct decoded d = decode_bytes(rotate, sizeof(rotate) - 1, true);
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_ROTATE);
    assert_int_equal(d.event.header.flags, 0x20);
    assert_int_equal(d.event.header.next, 0);
    assert_int_equal(d.event.header.server_id, 7);
    assert_str(d.event.rotate.file, "log.000001");
    assert_int_equal(d.event.rotate.offset, 4);
    decoded_release(&d);

    static const char beat[] = "\0\0\0\0\x1b\x07\0\0\0\x21\0\0\0\x48\x02\0\0\0\0"
                               "log.000004\x06\x62\x89\x73";
    d = decode_bytes(beat, sizeof(beat) - 1, true);
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_HEARTBEAT);
    assert_int_equal(d.event.header.next, 584);
    decoded_release(&d);

    static const char beat_v2[] = "\0\0\0\0\x29\x07\0\0\0\x29\0\0\0\xd9\x01\0\0\0\0\x01\x0a"
                                  "log.000004\x02\x03\xfc\xd9\x01\0\xd5\x7b\x9c\x43";
    d = decode_bytes(beat_v2, sizeof(beat_v2) - 1, true);
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_HEARTBEAT);
    assert_int_equal(d.event.header.next, 473);
    decoded_release(&d);
}

static void what_holds_unreadable_changes_is_named(void **state)
{
    (void)state;
    static const struct {
        unsigned type;
        const char *what;
    } unreadable[] = {
        {6, "Load"},
        {8, "Create_file"},
        {9, "Append_block"},
        {17, "Begin_load_query"},
        {18, "Execute_load_query"},
        {20, "Write_rows_old"},
        {21, "Update_rows_old"},
        {22, "Delete_rows_old"},
        {26, "Incident"},
        {39, "Partial_update_rows"},
        {172, "Partial_row_data"},
    };
    for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
        assert_kind(unreadable[i].type, 0, bytes("anything"), BINLOG_UNSUPPORTED,
                    unreadable[i].what);
    }
    static const uint8_t harmless[] = {3, 5, 13, 14, 28, 29, 35, 36, 37, 160, 161, 163, 164};
    for (size_t i = 0; i < sizeof(harmless); i++) {
        struct decoded d = decode_event(harmless[i], 0, bytes("anything"));
        assert_true(d.ok);
        assert_int_equal(d.event.kind, BINLOG_OTHER);
        decoded_release(&d);
    }
}

static void a_type_of_a_newer_server_is_skipped_only_if_it_says_so(void **state)
{
    (void)state;
    assert_kind(43, 0x80, bytes("x"), BINLOG_OTHER, "event type 43");
    assert_kind(43, 0, bytes("x"), BINLOG_UNSUPPORTED, "event type 43");
    assert_kind(255, 0, bytes(""), BINLOG_UNSUPPORTED, "event type 255");
    assert_kind(39, 0x80, bytes("x"), BINLOG_UNSUPPORTED, "Partial_update_rows");
}

#define UUID "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"

static void append_gtid(struct buf *b, uint64_t number)
{
    buf_clear(b);
    append_str(b, bytes("\0" UUID));
    append_le(b, number, 8);
    append_str(b, bytes("\2"));
    append_le(b, 1, 8);
    append_le(b, 2, 8);
}

static void gtids_of_mysql_5_7_have_no_commit_time_and_newer_ones_the_original_one(void **state)
{
    (void)state;
    struct buf b = {0};
    append_gtid(&b, 5);
    struct decoded d = decode_event(33, 0, buf_str(&b));
    assert_true(d.ok);
    assert_int_equal(d.event.gtid.number, 5);
    assert_memory_equal(d.event.gtid.uuid, UUID, 16);
    assert_int_equal(d.event.gtid.commit_time_us, 0);
    assert_false(d.event.gtid.is_anonymous);
    assert_false(d.event.gtid.is_mariadb);
    decoded_release(&d);

    append_le(&b, 1700000000000001, 7);
    d = decode_event(33, 0, buf_str(&b));
    assert_int_equal(d.event.gtid.commit_time_us, 1700000000000001);
    decoded_release(&d);

    append_gtid(&b, INT64_MAX - 1);
    append_le(&b, UINT64_C(1) << 55 | 1700000000000001, 7);
    append_le(&b, 1600000000000001, 7);
    append_str(&b, bytes("\xfc\0\1 versions and what comes later"));
    d = decode_event(33, 0, buf_str(&b));
    assert_true(d.ok);
    assert_int_equal(d.event.gtid.number, INT64_MAX - 1);
    assert_int_equal(d.event.gtid.commit_time_us, 1600000000000001);
    decoded_release(&d);
    buf_release(&b);
}

static void numbers_that_no_transaction_has_are_refused(void **state)
{
    (void)state;
    struct buf b = {0};
    static const uint64_t wrong[] = {0, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        append_gtid(&b, wrong[i]);
        assert_refused(33, buf_str(&b), ERROR_FATAL, "malformed binlog event Gtid");
    }
    append_gtid(&b, 1);
    assert_refused(34, buf_str(&b), ERROR_FATAL, "malformed binlog event Anonymous_gtid");
    buf_release(&b);
    assert_refused(162, bytes("\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0"), ERROR_FATAL, "malformed");
    assert_refused(162, bytes("\1\0\0\0\0\0\0\0\1\0\0\0"), ERROR_FATAL, "malformed");
    assert_refused(162, bytes("\1\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\0\0\0"), ERROR_FATAL, "malformed");
    assert_refused(162, bytes("\1\0\0\0\0\0\0\0\1\0\0\0\100\1\0\0\0\200\200"), ERROR_FATAL,
                   "malformed");
}

static void gtids_of_mariadb_have_parts_by_flags(void **state)
{
    (void)state;
    struct decoded d = decode_event(162, 0, bytes("\x39\x30\0\0\0\0\0\0\3\0\0\0\1\0\0\0\0\0\0"));
    assert_true(d.ok);
    const struct binlog_gtid *g = &d.event.gtid;
    assert_true(g->is_mariadb && g->is_standalone);
    assert_false(g->is_transactional || g->is_xa || g->is_alter_open);
    assert_int_equal(g->number, 12345);
    assert_int_equal(g->domain, 3);
    assert_int_equal(g->server, 7);
    decoded_release(&d);

    /* Group commit, XA name, and an ALTER that was rolled back. */
    d = decode_event(162, 0,
                     bytes("\1\0\0\0\0\0\0\0\0\0\0\0\306"
                           "\1\2\3\4\5\6\7\10"
                           "\1\0\0\0\2\1gtb"
                           "\10\1\2\3\4\5\6\7\10"));
    assert_true(d.ok);
    assert_true(d.event.gtid.is_xa && d.event.gtid.is_transactional);
    assert_true(d.event.gtid.is_alter_open);
    assert_false(d.event.gtid.is_standalone);
    decoded_release(&d);
}

/* Version 1, size, last field that must be known, then numbers and values; each number n below 128
 * is the byte 2n. */
static void tagged_gtids_are_read_by_field_numbers(void **state)
{
    (void)state;
    struct decoded d = decode_event(42, 0,
                                    bytes("\2\x62\0"
                                          "\2\2\4\6\10\12\14\16\20\22\24\26\30\32\34\36\40"
                                          "\4\x14"  /* number 5 */
                                          "\6\6tag" /* tag */
                                          "\14\x64" /* immediate commit 50 */
                                          "\16\x50" /* original commit 40 */
                                          "\x1a"    /* field 13 of a newer server */
                                          "whatever it holds"));
    assert_true(d.ok);
    assert_int_equal(d.event.gtid.number, 5);
    assert_str(d.event.gtid.tag, "tag");
    assert_memory_equal(d.event.gtid.uuid, UUID, 16);
    assert_int_equal(d.event.gtid.commit_time_us, 40);
    decoded_release(&d);

    assert_refused(42, bytes("\2\x0a\x1a\4\x14"), ERROR_FATAL, "does not know all fields");
    assert_refused(42, bytes("\4\x0a\0\4\x14"), ERROR_FATAL, "does not know all fields");
    assert_refused(42, bytes("\2\x0c\0\4\x14"), ERROR_FATAL, "malformed");       /* size */
    assert_refused(42, bytes("\2\x0a\0\4\0"), ERROR_FATAL, "malformed");         /* number 0 */
    assert_refused(42, bytes("\2\x0a\0\4\2"), ERROR_FATAL, "malformed");         /* number -1 */
    assert_refused(42, bytes("\2\x0e\0\4\x14\4\x14"), ERROR_FATAL, "malformed"); /* twice */
    assert_refused(42, bytes("\2\x0e\0\4\x14\0\0"), ERROR_FATAL, "malformed");   /* descending */
    assert_refused(42,
                   bytes("\2\x50\0\4\x14\6\x42"
                         "123456789012345678901234567890123"),
                   ERROR_FATAL, "malformed");                              /* long tag */
    assert_refused(42, bytes("\2\x0a\0\4\xff"), ERROR_FATAL, "malformed"); /* cut off */
}

static void a_query_has_database_text_and_the_mode_it_was_written_in(void **state)
{
    (void)state;
    struct decoded d = decode_event(2, 0,
                                    bytes("\1\0\0\0\0\0\0\0\4\x28\4\x1f\0"
                                          "\0\1\2\3\4"           /* flags */
                                          "\1\4\0\0\0\0\0\0\0"   /* sql_mode */
                                          "\6\3std"              /* catalog */
                                          "\4\x2d\0\x2d\0\x2d\0" /* collations */
                                          "\x7f\7\7\7\7"         /* unknown */
                                          "shop\0DROP TABLE \"t\""));
    assert_true(d.ok);
    assert_str(d.event.query.database, "shop");
    assert_str(d.event.query.text, "DROP TABLE \"t\"");
    assert_int_equal(d.event.query.error, 0x428);
    assert_int_equal(d.event.query.sql_mode, 4);
    assert_int_equal(d.event.query.collation, 45);
    decoded_release(&d);

    /* Variables that end in the middle of one, or come in an order that we do not know. */
    d = decode_event(2, 0, bytes("\1\0\0\0\0\0\0\0\0\0\0\3\0\1\4\0\0x"));
    assert_true(d.ok);
    assert_str(d.event.query.text, "x");
    assert_int_equal(d.event.query.sql_mode, 0);
    decoded_release(&d);

    assert_refused(2, bytes("\1\0\0\0\0\0\0\0\0\0\0\3\0\1\4"), ERROR_FATAL, "malformed");
    assert_refused(2, bytes("\1\0\0\0\0\0\0\0\4\0\0\0\0shopDROP"), ERROR_FATAL, "malformed");
    assert_refused(2, bytes("\1\0\0\0\0\0\0\0\377\0\0\0\0shop\0"), ERROR_FATAL, "malformed");
}

static void xa_prepare_names_the_transaction_and_one_phase_is_a_commit(void **state)
{
    (void)state;
    struct decoded d = decode_event(38, 0, bytes("\0\3\0\0\0\2\0\0\0\1\0\0\0gtb"));
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_XA_PREPARE);
    assert_int_equal(d.event.xa.format, 3);
    assert_str(d.event.xa.gtrid, "gt");
    assert_str(d.event.xa.bqual, "b");
    decoded_release(&d);

    d = decode_event(38, 0, bytes("\1\3\0\0\0\2\0\0\0\1\0\0\0gtb"));
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_XID);
    assert_int_equal(d.event.xid, 0);
    decoded_release(&d);

    assert_refused(38, bytes("\0\3\0\0\0\2\0\0\0\2\0\0\0gtb"), ERROR_FATAL, "malformed");
    assert_refused(38, bytes("\0\3\0\0\0\377\377\377\377\1\0\0\0gtb"), ERROR_FATAL, "malformed");
    assert_refused(16, bytes("\1\2\3\4\5\6\7"), ERROR_FATAL, "malformed binlog event Xid");
    assert_refused(16, bytes("\1\2\3\4\5\6\7\1\1"), ERROR_FATAL, "malformed binlog event Xid");
    assert_refused(4, bytes("\4\0\0\0\0\0\0\0"), ERROR_FATAL, "malformed binlog event Rotate");
}

static void row_events_have_bitmaps_and_images(void **state)
{
    (void)state;
    struct decoded d = decode_event(24, 0, bytes("\1\2\3\4\5\6\1\0\12\377\3\0\1the images"));
    assert_true(d.ok);
    const struct binlog_rows *rows = &d.event.rows;
    assert_int_equal(d.event.kind, BINLOG_UPDATE_ROWS);
    assert_int_equal(rows->table_id, 0x060504030201);
    assert_int_equal(rows->flags, 1);
    assert_int_equal(rows->column_count, 10);
    assert_memory_equal(rows->present, "\377\3", 2);
    assert_memory_equal(rows->present_after, "\0\1", 2);
    assert_str(rows->rows, "the images");
    decoded_release(&d);

    /* Version 2: four bytes of a partition's number are skipped. */
    d = decode_event(32, 0, bytes("\1\0\0\0\0\0\0\0\6\0\1\1\0\0\3\7images"));
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_DELETE_ROWS);
    assert_int_equal(d.event.rows.column_count, 3);
    assert_null(d.event.rows.present_after);
    assert_str(d.event.rows.rows, "images");
    decoded_release(&d);

    assert_refused(30, bytes("\1\0\0\0\0\0\0\0\1\0\3\7"), ERROR_FATAL, "malformed");
    assert_refused(30, bytes("\1\0\0\0\0\0\0\0\377\377\3\7"), ERROR_FATAL, "malformed");
    assert_refused(23, bytes("\1\0\0\0\0\0\0\0\374\1\20\7"), ERROR_FATAL, "malformed");
    assert_refused(23, bytes("\1\0\0\0\0\0\0\0\376\377\377\377\377\377\377\377\377\7"), ERROR_FATAL,
                   "malformed");
    assert_refused(23, bytes("\1\0\0\0\0\0\0\0\373\7"), ERROR_FATAL, "malformed");
    assert_refused(24, bytes("\1\0\0\0\0\0\0\0\11\1\2\3"), ERROR_FATAL, "malformed");
}

static void deflate_into(struct buf *out, const char *text, size_t size)
{
    uLongf room = compressBound(size);
    Bytef *room_data = malloc(room);
    assert_non_null(room_data);
    assert_int_equal(compress(room_data, &room, (const Bytef *)text, size), Z_OK);
    buf_append(out, room_data, room);
    free(room_data);
}

#define ROWS_V1 "\1\0\0\0\0\0\1\0\3\7"

static void rows_of_mariadb_are_expanded(void **state)
{
    (void)state;
    char text[50000];
    memset(text, 'x', sizeof(text));
    struct buf b = {0};
    append_str(&b, bytes(ROWS_V1 "\x82\xc3\x50")); /* two bytes of size, the higher one first */
    deflate_into(&b, text, sizeof(text));
    struct decoded d = decode_event(166, 0, buf_str(&b));
    assert_true(d.ok);
    assert_int_equal(d.event.rows.rows.size, sizeof(text));
    assert_memory_equal(d.event.rows.rows.data, text, sizeof(text));
    decoded_release(&d);

    /* Version 2 with extra data; a query. */
    buf_clear(&b);
    append_str(&b, bytes("\1\0\0\0\0\0\1\0\2\0\3\7\x81\3"));
    deflate_into(&b, "abc", 3);
    d = decode_event(169, 0, buf_str(&b));
    assert_true(d.ok);
    assert_str(d.event.rows.rows, "abc");
    decoded_release(&d);
    buf_clear(&b);
    append_str(&b, bytes("\1\0\0\0\0\0\0\0\1\0\0\0\0d\0\x81\3"));
    deflate_into(&b, "abc", 3);
    d = decode_event(165, 0, buf_str(&b));
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_QUERY);
    assert_str(d.event.query.database, "d");
    assert_str(d.event.query.text, "abc");
    decoded_release(&d);
    buf_release(&b);
}

static void refuse_expanded(struct str head, struct str text, struct str tail, enum error_kind kind,
                            const char *message)
{
    struct buf b = {0};
    append_str(&b, bytes(ROWS_V1));
    append_str(&b, head);
    deflate_into(&b, text.data, text.size);
    append_str(&b, tail);
    assert_refused(166, buf_str(&b), kind, message);
    buf_release(&b);
}

static void what_expands_otherwise_than_it_claims_is_refused(void **state)
{
    (void)state;
    const char *malformed = "malformed binlog event Write_rows_compressed_v1";
    struct str text = bytes("abc");
    struct str none = bytes("");
    refuse_expanded(bytes("\x81\2"), text, none, ERROR_FATAL, malformed);
    refuse_expanded(bytes("\x81\4"), text, none, ERROR_FATAL, malformed);
    refuse_expanded(bytes("\x81\3"), text, bytes("x"), ERROR_FATAL, malformed);
    refuse_expanded(bytes("\x01\3"), text, none, ERROR_FATAL, malformed);
    refuse_expanded(bytes("\x91\3"), text, none, ERROR_FATAL, malformed); /* algorithm 1 */
    refuse_expanded(bytes("\x80"), text, none, ERROR_FATAL, malformed);
    refuse_expanded(bytes("\x85\0\0\0\0\3"), text, none, ERROR_FATAL, malformed);
    refuse_expanded(bytes("\x84\x40\0\0\0"), text, none, ERROR_FATAL, malformed); /* 1 GiB */
    refuse_expanded(bytes("\x84\x40\0\0\1"), text, none, ERROR_DATA, "1073741825 bytes");
    refuse_expanded(bytes("\x84\xff\xff\xff\xff"), text, none, ERROR_DATA, "4294967295 bytes");
    assert_refused(166, bytes(ROWS_V1 "\x81\3\x78\x9c\x4b\x4c"), ERROR_FATAL, malformed);
    assert_refused(166, bytes(ROWS_V1 "\x81\3garbage"), ERROR_FATAL, malformed);
    assert_refused(166, bytes(ROWS_V1 "\x81"), ERROR_FATAL, malformed);
    assert_refused(166, bytes(ROWS_V1), ERROR_FATAL, malformed);
}

/* Of MySQL 8: version, server, time, size of headers, 41 sizes, checksum algorithm. */
static void append_format(struct buf *b, unsigned version, unsigned header, unsigned rows_header,
                          unsigned checksum)
{
    static const char server[50] = "8.0.40";
    buf_clear(b);
    append_le(b, version, 2);
    buf_append(b, server, sizeof(server));
    append_le(b, 0, 4);
    append_le(b, header, 1);
    for (unsigned type = 1; type <= 41; type++) {
        append_le(b, type == 30 ? rows_header : 0, 1);
    }
    append_le(b, checksum, 1);
}

static struct decoded decode_format(const struct buf *body, unsigned flags)
{
    struct buf b = {0};
    append_checked_event(&b, 15, flags, buf_str(body));
    struct decoded d = decode_bytes(b.data, b.size, false);
    buf_release(&b);
    return d;
}

static void a_format_description_says_how_what_follows_is_checked(void **state)
{
    (void)state;
    struct buf b = {0};
    append_format(&b, 4, 19, 10, 1);
    struct decoded d = decode_format(&b, 0);
    assert_true(d.ok);
    assert_int_equal(d.event.kind, BINLOG_FORMAT);
    assert_true(d.decoder.has_checksum);
    decoded_release(&d);

    append_format(&b, 4, 19, 10, 0);
    d = decode_format(&b, 0);
    assert_true(d.ok);
    assert_false(d.decoder.has_checksum);
    decoded_release(&d);

    /* Its own checksum counts where it announces them. */
    struct buf event = {0};
    append_format(&b, 4, 19, 10, 1);
    append_checked_event(&event, 15, 0, buf_str(&b));
    event.data[event.size - 1] = (char)(event.data[event.size - 1] ^ 1);
    d = decode_bytes(event.data, event.size, false);
    assert_false(d.ok);
    assert_non_null(strstr(d.err.message, "checksum"));
    decoded_release(&d);

    /* The flag of a file that is being written is not part of it. */
    event.data[event.size - 1] = (char)(event.data[event.size - 1] ^ 1);
    event.data[17] = 1;
    d = decode_bytes(event.data, event.size, false);
    assert_true(d.ok);
    decoded_release(&d);
    buf_release(&event);
    buf_release(&b);
}

static void a_binlog_of_another_layout_is_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        unsigned header;
        unsigned rows;
        unsigned checksum;
        const char *text;
    } other[] = {
        {3, 19, 10, 1, "binlog of version 3"},
        {4, 27, 10, 1, "headers of 27 bytes"},
        {4, 19, 12, 1, "type 30 have a header of 12 bytes, and this version reads 10"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        append_format(&b, other[i].version, other[i].header, other[i].rows, other[i].checksum);
        struct decoded d = decode_format(&b, 0);
        assert_false(d.ok);
        assert_int_equal(d.err.kind, ERROR_FATAL);
        assert_non_null(strstr(d.err.message, other[i].text));
        decoded_release(&d);
    }
    append_format(&b, 4, 19, 10, 2);
    struct decoded d = decode_format(&b, 0);
    assert_false(d.ok);
    assert_non_null(strstr(d.err.message, "unknown checksum algorithm 2"));
    decoded_release(&d);
    buf_release(&b);
}

static void a_table_map_names_its_table_before_it_is_decoded(void **state)
{
    (void)state;
    struct decoded d = decode_event(19, 0, bytes("\1\0\0\0\0\0\1\0\4shop\0\1t\0\1\3\0\0"));
    assert_true(d.ok);
    assert_int_equal(d.event.table_map.table_id, 1);
    assert_str(d.event.table_map.database, "shop");
    assert_str(d.event.table_map.table, "t");
    assert_int_equal(d.event.table_map.bytes.size, 21);
    decoded_release(&d);
    assert_refused(19, bytes("\1\0\0\0\0\0\1\0\5shop\0\1t\0"), ERROR_FATAL, "malformed");
    assert_refused(19, bytes("\1\0\0\0\0\0\1\0\4shop\0\1"), ERROR_FATAL, "malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_that_is_cut_off_anywhere_is_refused_or_in_bounds),
        cmocka_unit_test(a_flipped_bit_is_noticed_by_the_checksum),
        cmocka_unit_test(events_that_only_a_dump_has),
        cmocka_unit_test(what_holds_unreadable_changes_is_named),
        cmocka_unit_test(a_type_of_a_newer_server_is_skipped_only_if_it_says_so),
        cmocka_unit_test(gtids_of_mysql_5_7_have_no_commit_time_and_newer_ones_the_original_one),
        cmocka_unit_test(numbers_that_no_transaction_has_are_refused),
        cmocka_unit_test(gtids_of_mariadb_have_parts_by_flags),
        cmocka_unit_test(tagged_gtids_are_read_by_field_numbers),
        cmocka_unit_test(a_query_has_database_text_and_the_mode_it_was_written_in),
        cmocka_unit_test(xa_prepare_names_the_transaction_and_one_phase_is_a_commit),
        cmocka_unit_test(row_events_have_bitmaps_and_images),
        cmocka_unit_test(rows_of_mariadb_are_expanded),
        cmocka_unit_test(what_expands_otherwise_than_it_claims_is_refused),
        cmocka_unit_test(a_format_description_says_how_what_follows_is_checked),
        cmocka_unit_test(a_binlog_of_another_layout_is_refused),
        cmocka_unit_test(a_table_map_names_its_table_before_it_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
