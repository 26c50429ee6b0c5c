#include <inttypes.h>
#include <stdio.h>

#include "base/reader.h"
#include "golden.h"
#include "source/postgres/pgoutput.h"
#include "test.h"

static void append_bytes(struct buf *out, struct str data, char kind)
{
    for (size_t i = 0; i < data.size && i < 40; i++) {
        if (kind == 'b') {
            buf_append_format(out, "%02x", (uint8_t)data.data[i]);
        } else {
            buf_append_char(out, data.data[i]);
        }
    }
    if (data.size > 40) {
        buf_append_format(out, "... %zu bytes", data.size);
    }
}

static void append_tuple(struct buf *out, const char *what, const struct pgoutput_tuple *t)
{
    buf_append_format(out, " %s (", what);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct pgoutput_value *v = &t->values[i];
        buf_append_text(out, i == 0 ? "" : ", ");
        if (v->kind == 'n') {
            buf_append_text(out, "null");
        } else if (v->kind == 'u') {
            buf_append_text(out, "unchanged");
        } else {
            buf_append_text(out, v->kind == 'b' ? "x'" : "'");
            append_bytes(out, v->data, v->kind);
            buf_append_char(out, '\'');
        }
    }
    buf_append_char(out, ')');
}

static void append_relation(struct buf *out, const struct pgoutput_message *m)
{
    const struct pgoutput_relation *r = &m->relation;
    buf_append_format(out, "relation %" PRIu32 " %.*s.%.*s identity %c", m->relation_id,
                      str_arg(r->schema), str_arg(r->table), r->replica_identity);
    for (uint32_t i = 0; i < r->column_count; i++) {
        const struct pgoutput_column *c = &r->columns[i];
        buf_append_format(out, "%s%.*s%s type %" PRIu32 " typmod %" PRId32, i == 0 ? ": " : ", ",
                          str_arg(c->name), c->is_key ? " key" : "", c->type_id, c->typmod);
    }
}

static void append_change(struct buf *out, const struct pgoutput_message *m)
{
    buf_append_format(out, "%s %" PRIu32,
                      m->kind == PGOUTPUT_INSERT   ? "insert"
                      : m->kind == PGOUTPUT_UPDATE ? "update"
                                                   : "delete",
                      m->relation_id);
    if (m->kind != PGOUTPUT_INSERT && m->old != PGOUTPUT_OLD_NONE) {
        append_tuple(out, m->old == PGOUTPUT_OLD_KEY ? "key" : "old", &m->before);
    }
    if (m->kind != PGOUTPUT_DELETE) {
        append_tuple(out, "new", &m->after);
    }
}

static void append_message(struct buf *out, const struct pgoutput_message *m)
{
    struct reader ids = m->truncate_ids;
    switch (m->kind) {
    case PGOUTPUT_BEGIN:
        buf_append_format(out, "begin %" PRIu64 " time %" PRId64 " transaction %" PRIu32,
                          m->commit_lsn, m->commit_time_us, m->transaction);
        break;
    case PGOUTPUT_COMMIT:
        buf_append_format(out, "commit %" PRIu64 " end %" PRIu64 " time %" PRId64, m->commit_lsn,
                          m->end_lsn, m->commit_time_us);
        break;
    case PGOUTPUT_RELATION:
        append_relation(out, m);
        break;
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        append_change(out, m);
        break;
    case PGOUTPUT_TRUNCATE:
        buf_append_text(out, "truncate");
        for (uint32_t i = 0; i < m->truncate_count; i++) {
            buf_append_format(out, " %" PRIu32, reader_u32(&ids));
        }
        break;
    case PGOUTPUT_OTHER:
        buf_append_text(out, "other");
        break;
    }
    buf_append_char(out, '\n');
}

static struct pgoutput_message *message_new(void)
{
    struct pgoutput_message *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    return m;
}

static void compare(const char *name)
{
    struct golden g = golden_read(name, ".hex");
    struct pgoutput_message *m = message_new();
    struct buf out = {0};
    for (size_t i = 0; i < g.count; i++) {
        struct error err = {0};
        if (!pgoutput_decode(g.messages[i].data, g.messages[i].size, m, &err)) {
            fail_msg("message %zu: %s", i, err.message);
        }
        append_message(&out, m);
    }
    struct error err = {0};
    struct buf expected = {0};
    char *path = golden_path(&g.arena, name, ".txt");
    if (getenv("GOLDEN_WRITE")) {
        assert_true(file_write(path, out.data, out.size, &err));
    }
    assert_true(file_read(path, 1 << 20, &expected, &err));
    assert_string_equal(buf_text(&out), buf_text(&expected));
    buf_release(&expected);
    buf_release(&out);
    free(m);
    arena_release(&g.arena);
}

static void captured_messages_decode_to_the_text_beside_them(void **state)
{
    (void)state;
    compare("types_binary");
    compare("types_text");
    compare("changes_binary");
    compare("changes_text");
}

static void a_message_that_is_cut_off_anywhere_is_an_error(void **state)
{
    (void)state;
    struct golden g = golden_read("changes_binary", ".hex");
    struct pgoutput_message *m = message_new();
    for (size_t i = 0; i < g.count; i++) {
        for (size_t size = 0; size < g.messages[i].size; size += size < 300 ? 1 : 97) {
            /* An exact copy, so that the sanitizer sees a read past the end. */
            char *copy = malloc(size ? size : 1);
            assert_non_null(copy);
            memcpy(copy, g.messages[i].data, size);
            struct error err = {0};
            assert_false(pgoutput_decode(copy, size, m, &err));
            assert_int_equal(err.kind, ERROR_FATAL);
            free(copy);
        }
    }
    free(m);
    arena_release(&g.arena);
}

static void assert_refused(const void *data, size_t size, const char *text)
{
    struct pgoutput_message *m = message_new();
    struct error err = {0};
    assert_false(pgoutput_decode(data, size, m, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_non_null(strstr(err.message, text));
    free(m);
}

static void what_is_left_over_or_unknown_is_an_error(void **state)
{
    (void)state;
    struct golden g = golden_read("changes_text", ".hex");
    char *longer = arena_alloc(&g.arena, g.messages[0].size + 1);
    memcpy(longer, g.messages[0].data, g.messages[0].size);
    longer[g.messages[0].size] = 0;
    assert_refused(longer, g.messages[0].size + 1, "malformed");
    assert_refused("S", 1, "unknown replication message");
    assert_refused("I\0\0\0\1N\0\1x", 9, "malformed");     /* no such kind of value */
    assert_refused("I\0\0\0\1K\0\1n", 9, "malformed");     /* an insert has no old row */
    assert_refused("D\0\0\0\1N\0\1n", 9, "malformed");     /* a delete has no new row */
    assert_refused("I\0\0\0\1N\xff\xffn", 9, "malformed"); /* more columns than a table can have */
    assert_refused("T\x7f\xff\xff\xff\0\0\0\0\1", 10, "malformed"); /* claims more than it has */
    assert_refused("I\0\0\0\1N\0\1t\xff\xff\xff\xff", 13, "malformed");
    /* A commit time that does not fit microseconds since 1970. */
    assert_refused("B\0\0\0\0\0\0\0\1\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\1", 21, "malformed");
    arena_release(&g.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_messages_decode_to_the_text_beside_them),
        cmocka_unit_test(a_message_that_is_cut_off_anywhere_is_an_error),
        cmocka_unit_test(what_is_left_over_or_unknown_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
