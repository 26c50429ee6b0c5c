#include <stdio.h>
#include <zstd.h>

#include "binlog_build.h"

/* size, compression, expanded size (packed as eight bytes), then the bytes. */
static void append_payload(struct buf *out, unsigned compression, uint64_t expanded,
                           struct str data)
{
    append_str(out, bytes("\2"));
    append_str(out, compression < 251 ? bytes("\1") : bytes("\3\xfc"));
    append_le(out, compression, compression < 251 ? 1 : 2);
    append_str(out, bytes("\3\x09\xfe"));
    append_le(out, expanded, 8);
    append_str(out, bytes("\1\x09\xfe"));
    append_le(out, data.size, 8);
    append_str(out, bytes("\0"));
    append_str(out, data);
}

static void compress_into(struct buf *out, const struct buf *in)
{
    size_t room = ZSTD_compressBound(in->size);
    char *data = malloc(room);
    assert_non_null(data);
    size_t size = ZSTD_compress(data, room, in->data, in->size, 3);
    assert_false(ZSTD_isError(size));
    buf_append(out, data, size);
    free(data);
}

struct reading {
    struct binlog_payload *payload;
    struct decoded outer;
};

static struct reading reading_of(unsigned compression, struct str data)
{
    struct buf b = {0};
    append_payload(&b, compression, 12345, data);
    struct reading r = {.outer = decode_event(40, 0, buf_str(&b)), .payload = binlog_payload_new()};
    buf_release(&b);
    assert_true(r.outer.ok);
    assert_int_equal(r.outer.event.kind, BINLOG_PAYLOAD);
    assert_int_equal(r.outer.event.payload.compression, compression);
    assert_int_equal(r.outer.event.payload.size, 12345);
    struct error err = {0};
    assert_true(binlog_payload_begin(r.payload, &r.outer.event, &err));
    return r;
}

static void reading_release(struct reading *r)
{
    binlog_payload_free(&r->payload);
    decoded_release(&r->outer);
}

/* Inner events are never checked, whatever the log does. */
static bool next(struct reading *r, struct binlog_event *e, bool *more, struct error *err)
{
    r->outer.decoder.has_checksum = true;
    bool done = binlog_payload_next(r->payload, &r->outer.decoder, e, more, err);
    assert_true(r->outer.decoder.has_checksum);
    return done;
}

static void assert_xid(struct reading *r, uint64_t xid)
{
    struct binlog_event e = {0};
    struct error err = {0};
    bool more = false;
    assert_true(next(r, &e, &more, &err));
    assert_true(more);
    assert_int_equal(e.kind, BINLOG_XID);
    assert_int_equal(e.xid, xid);
}

static void assert_end(struct reading *r)
{
    struct binlog_event e = {0};
    struct error err = {0};
    for (int i = 0; i < 2; i++) {
        bool more = true;
        assert_true(next(r, &e, &more, &err));
        assert_false(more);
    }
}

static void append_xid(struct buf *b, char xid)
{
    const char body[8] = {xid};
    append_event(b, 16, 0, (struct str){.data = body, .size = 8});
}

static void a_payload_without_compression_is_read_in_place(void **state)
{
    (void)state;
    struct buf inner = {0};
    append_xid(&inner, 1);
    append_xid(&inner, 2);
    struct reading r = reading_of(255, buf_str(&inner));
    assert_xid(&r, 1);
    assert_xid(&r, 2);
    assert_end(&r);
    reading_release(&r);
    buf_release(&inner);
}

/* Larger than any piece that zstd hands out, and small events around it; in two frames. */
static void events_of_any_size_come_out_of_a_compressed_payload(void **state)
{
    (void)state;
    enum { LARGE = 700000 };
    struct buf text = {0};
    for (unsigned i = 0; text.size < LARGE; i++) {
        buf_append_format(&text, "%u ", i * 2654435761U);
    }
    struct buf inner = {0};
    append_xid(&inner, 1);
    append_event(&inner, 29, 0, buf_str(&text));
    append_xid(&inner, 2);
    struct buf data = {0};
    compress_into(&data, &inner);
    buf_clear(&inner);
    append_xid(&inner, 3);
    compress_into(&data, &inner);

    struct reading r = reading_of(0, buf_str(&data));
    struct error err = {0};
    for (int again = 0; again < 2; again++) { /* one reader, several payloads */
        assert_xid(&r, 1);
        struct binlog_event e = {0};
        bool more = false;
        assert_true(next(&r, &e, &more, &err));
        assert_string_equal(e.what, "Rows_query");
        assert_true(str_equal(e.body, buf_str(&text)));
        assert_xid(&r, 2);
        assert_xid(&r, 3);
        assert_end(&r);
        assert_true(binlog_payload_begin(r.payload, &r.outer.event, &err));
    }
    assert_xid(&r, 1); /* and left in the middle */
    assert_true(binlog_payload_begin(r.payload, &r.outer.event, &err));
    assert_xid(&r, 1);
    reading_release(&r);
    buf_release(&data);
    buf_release(&inner);
    buf_release(&text);
}

static void an_empty_payload_has_no_events(void **state)
{
    (void)state;
    struct reading r = reading_of(0, bytes(""));
    assert_end(&r);
    reading_release(&r);
    struct buf nothing = {0};
    struct buf data = {0};
    buf_append(&nothing, "", 0);
    compress_into(&data, &nothing);
    r = reading_of(0, buf_str(&data));
    assert_end(&r);
    reading_release(&r);
    buf_release(&data);
    buf_release(&nothing);
}

static void refuse_inner(unsigned compression, struct str data, enum error_kind kind,
                         const char *text)
{
    struct reading r = reading_of(compression, data);
    struct binlog_event e = {0};
    struct error err = {0};
    bool more = true;
    bool ok = true;
    for (int i = 0; i < 3 && ok && more; i++) {
        ok = next(&r, &e, &more, &err);
    }
    assert_false(ok);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.message, text)) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, text);
    }
    reading_release(&r);
}

static void inner_events_are_checked_in_either_form(void **state)
{
    (void)state;
    static const struct {
        struct str inner;
        enum error_kind kind;
        const char *text;
    } wrong[] = {
        {bytes("\0\0\0\0\x10\7\0\0\0\x1b\0\0\0\0\0\0\0\0"), ERROR_FATAL, "cut off"},
        {bytes("\0\0\0\0\x10\7\0\0\0\x1b\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0"), ERROR_FATAL, "cut off"},
        {bytes("\0\0\0\0\x10\7\0\0\0\x12\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), ERROR_FATAL,
         "cut off"},
        {bytes("\0\0\0\0\x10\7\0\0\0\x1a\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), ERROR_FATAL,
         "malformed binlog event Xid"},
        {bytes("\0\0\0\0\x0f\7\0\0\0\x1b\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), ERROR_FATAL,
         "it holds event type 15"},
        {bytes("\0\0\0\0\x28\7\0\0\0\x1b\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), ERROR_FATAL,
         "it holds event type 40"},
        {bytes("\0\0\0\0\x10\7\0\0\0\1\0\0\x40\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), ERROR_DATA,
         "1073741825 bytes"},
        {bytes("\0\0\0\0\x10\7\0\0\0\0\0\0\x40\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), ERROR_FATAL,
         "cut off"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuse_inner(255, wrong[i].inner, wrong[i].kind, wrong[i].text);
        struct buf inner = {0};
        struct buf data = {0};
        append_str(&inner, wrong[i].inner);
        compress_into(&data, &inner);
        refuse_inner(0, buf_str(&data), wrong[i].kind, wrong[i].text);
        buf_release(&data);
        buf_release(&inner);
    }
}

static void a_damaged_frame_is_refused(void **state)
{
    (void)state;
    struct buf inner = {0};
    struct buf data = {0};
    append_xid(&inner, 1);
    append_xid(&inner, 2);
    compress_into(&data, &inner);
    refuse_inner(0, bytes("not a frame of zstd"), ERROR_FATAL, "malformed transaction payload");
    for (size_t size = 1; size < data.size; size++) {
        refuse_inner(0, (struct str){.data = data.data, .size = size}, ERROR_FATAL,
                     "malformed transaction payload");
    }
    append_str(&data, bytes("x"));
    refuse_inner(0, buf_str(&data), ERROR_FATAL, "malformed transaction payload");
    buf_release(&data);
    buf_release(&inner);
}

static void the_fields_of_a_payload_are_checked(void **state)
{
    (void)state;
    struct decoded d = decode_event(40, 0, bytes("\2\1\0\1\1\2\x09\3xyz\0ab"));
    assert_true(d.ok); /* an unknown field is skipped, and the expanded size need not be there */
    assert_str(d.event.payload.compressed, "ab");
    assert_int_equal(d.event.payload.size, 0);
    decoded_release(&d);

    const char *malformed = "malformed binlog event Transaction_payload";
    assert_refused(40, bytes("\2\1\0\0ab"), ERROR_FATAL, malformed);         /* no size */
    assert_refused(40, bytes("\1\1\2\0ab"), ERROR_FATAL, malformed);         /* no compression */
    assert_refused(40, bytes("\2\1\0\1\1\3\0ab"), ERROR_FATAL, malformed);   /* more than it has */
    assert_refused(40, bytes("\2\1\0\1\1\1\0ab"), ERROR_FATAL, malformed);   /* less than it has */
    assert_refused(40, bytes("\2\1\0\1\1\2"), ERROR_FATAL, malformed);       /* no end */
    assert_refused(40, bytes("\2\1\0\1\1\xfe\0ab"), ERROR_FATAL, malformed); /* longer than said */
    assert_refused(40, bytes("\2\xfe\0\0\0\0\0\0\0\x80\0ab"), ERROR_FATAL, malformed);
    assert_refused(40, bytes("\2\1\1\1\1\2\0ab"), ERROR_FATAL, "unknown compression 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_without_compression_is_read_in_place),
        cmocka_unit_test(events_of_any_size_come_out_of_a_compressed_payload),
        cmocka_unit_test(an_empty_payload_has_no_events),
        cmocka_unit_test(inner_events_are_checked_in_either_form),
        cmocka_unit_test(a_damaged_frame_is_refused),
        cmocka_unit_test(the_fields_of_a_payload_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
