#include <inttypes.h>

#include "base/clock.h"
#include "fake_catalog.h"
#include "golden.h"
#include "model/batch.h"
#include "source/postgres/stream.h"
#include "test.h"

/* A stream over captured messages: each table that they describe is captured, as first described.
 */
enum { TABLES_MAX = 4 };
struct fixture {
    struct golden golden;
    struct relation relations[TABLES_MAX];
    uint32_t relation_count;
    struct config_strings as_text;
    struct relation_options options;
    struct stream *stream;
    struct error err;
};

static const char *const as_text_types[] = {"other"};

static bool is_known(const struct fixture *f, const struct pgoutput_message *m)
{
    for (uint32_t i = 0; i < f->relation_count; i++) {
        if (f->relations[i].id == m->relation_id) {
            return true;
        }
    }
    return false;
}

static struct fixture *setup(const char *name)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct pgoutput_message *m = calloc(1, sizeof(*m));
    assert_non_null(f);
    assert_non_null(m);
    f->golden = golden_read(name, ".hex");
    f->as_text =
        (struct config_strings){.items = (const char **)(uintptr_t)as_text_types, .count = 1};
    f->options = (struct relation_options){.as_text = &f->as_text, .pipeline = "shop"};
    for (size_t i = 0; i < f->golden.count; i++) {
        assert_true(
            pgoutput_decode(f->golden.messages[i].data, f->golden.messages[i].size, m, &f->err));
        if (m->kind == PGOUTPUT_RELATION && !is_known(f, m)) {
            assert_true(f->relation_count < TABLES_MAX);
            struct catalog_table table = fake_table(m, &f->golden.arena);
            assert_true(relation_init(&f->relations[f->relation_count], &table, f->relation_count,
                                      &f->options, &f->err));
            f->relation_count++;
        }
    }
    free(m);
    f->stream = stream_new(&(struct stream_options){.relations = f->relations,
                                                    .relation_count = f->relation_count,
                                                    .relation_options = f->options,
                                                    .lookup = fake_lookup,
                                                    .position = 1});
    return f;
}

static void teardown(struct fixture *f)
{
    stream_free(&f->stream);
    for (uint32_t i = 0; i < f->relation_count; i++) {
        relation_release(&f->relations[i]);
    }
    arena_release(&f->golden.arena);
    free(f);
}

static void apply(struct fixture *f, size_t message)
{
    if (!stream_apply(f->stream, f->golden.messages[message].data, f->golden.messages[message].size,
                      &f->err)) {
        fail_msg("message %zu: %s", message, f->err.message);
    }
}

static void append_view(struct buf *out, const struct view *v)
{
    struct str s = view_str(v);
    if (s.size > 24) {
        buf_append_format(out, "%zu bytes", s.size);
    } else {
        buf_append_format(out, "'%.*s'", str_arg(s));
    }
}

static void append_value(struct buf *out, const struct column *c, uint32_t row)
{
    if (column_is_unchanged(c, row)) {
        buf_append_char(out, '~');
    } else if (!column_is_valid(c, row)) {
        buf_append_text(out, "null");
    } else if (c->type.kind == TYPE_INT32) {
        buf_append_format(out, "%" PRId32, ((const int32_t *)c->values)[row]);
    } else if (c->type.kind == TYPE_INT64) {
        buf_append_format(out, "%" PRId64, ((const int64_t *)c->values)[row]);
    } else {
        append_view(out, &((const struct view *)c->values)[row]);
    }
}

static void append_row(struct buf *out, const struct batch *b, uint32_t row)
{
    static const char *const kinds[] = {"insert", "before", "after", "delete"};
    buf_append_format(out, "  %s%s", kinds[b->kinds[row]],
                      b->images[row] == IMAGE_KEY ? " key" : "");
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        buf_append_char(out, ' ');
        append_value(out, &b->columns[i], row);
    }
    buf_append_char(out, '\n');
}

static void append_schema(struct buf *out, const struct schema *s)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        buf_append_format(out, " %s%s ", s->columns[i].name, s->columns[i].is_key ? " key" : "");
        type_format(s->columns[i].type, out);
    }
    buf_append_char(out, '\n');
}

static void append_event(struct buf *out, const struct fixture *f, struct event *e)
{
    const char *table = e->kind == EVENT_IDLE ? "" : f->relations[e->table].name.table;
    if (e->kind == EVENT_BATCH) {
        struct error err = {0};
        if (!batch_check(e->batch, &err)) {
            fail_msg("%s", err.message);
        }
        buf_append_format(out, "batch %s\n", table);
        for (uint32_t row = 0; row < e->batch->row_count; row++) {
            append_row(out, e->batch, row);
        }
    } else if (e->kind == EVENT_SCHEMA) {
        buf_append_format(out, "schema %s", table);
        append_schema(out, e->schema);
    } else if (e->kind == EVENT_TRUNCATE) {
        buf_append_format(out, "truncate %s\n", table);
    } else {
        assert_int_equal(e->kind, EVENT_IDLE);
        buf_append_text(out, "idle\n");
    }
    event_release(e);
}

static void drain(struct fixture *f, struct buf *out)
{
    struct event e = {0};
    while (stream_take(f->stream, &e)) {
        append_event(out, f, &e);
    }
}

/* Everything that the captured changes do, with a boundary after each transaction. */
static char *events_of(const char *name)
{
    struct fixture *f = setup(name);
    struct buf out = {0};
    for (size_t i = 0; i < f->golden.count; i++) {
        apply(f, i);
        if (stream_can_rest(f->stream)) {
            stream_rest(f->stream);
        }
        drain(f, &out);
    }
    teardown(f);
    return out.data;
}

static const char expected_changes[] =
    "batch orders\n"
    "  insert 1 'first' 3000 bytes 'happy' '{a,\"b c\",NULL}'\n"
    "idle\n"
    "batch orders\n"
    "  after 1 'big stays' ~ 'happy' '{a,\"b c\",NULL}'\n"
    "idle\n"
    "batch orders\n"
    "  before key 1 ~ ~ ~ ~\n"
    "  after 2 'big stays' ~ 'happy' '{a,\"b c\",NULL}'\n"
    "idle\n"
    "batch orders\n"
    "  after 2 null 'small now' 'happy' '{a,\"b c\",NULL}'\n"
    "idle\n"
    "batch orders\n"
    "  delete key 2 ~ ~ ~ ~\n"
    "idle\n"
    "batch whole\n"
    "  insert 1 'first' 3000 bytes\n"
    "idle\n"
    "batch whole\n"
    "  before 1 'first' 3000 bytes\n"
    "  after 1 'second' 3000 bytes\n"
    "idle\n"
    "batch whole\n"
    "  before 1 'second' 3000 bytes\n"
    "  after 2 'second' 3000 bytes\n"
    "idle\n"
    "batch whole\n"
    "  delete 2 'second' 3000 bytes\n"
    "idle\n"
    "batch by_index\n"
    "  insert 1 'one' 10\n"
    "idle\n"
    "batch by_index\n"
    "  after 1 'one' 11\n"
    "idle\n"
    "batch by_index\n"
    "  before key ~ 'one' ~\n"
    "  after 1 'two' 11\n"
    "idle\n"
    "batch by_index\n"
    "  delete key ~ 'two' ~\n"
    "idle\n"
    "batch orders\n"
    "  insert 3 null null null null\n"
    "  insert 5 null null null null\n"
    "batch whole\n"
    "  insert 3 null null\n"
    "idle\n"
    "schema orders id key int32 note string big string feeling string tags string added int32\n"
    "batch orders\n"
    "  insert 6 null null null null 60\n"
    "idle\n"
    "schema orders id key int32 big string feeling string tags string added int32\n"
    "batch orders\n"
    "  after 6 null null null 61\n"
    "idle\n"
    "schema orders id key int32 big string feeling string tags string added int64\n"
    "batch orders\n"
    "  insert 7 null null null 70000000000\n"
    "idle\n"
    "truncate orders\n"
    "truncate whole\n"
    "idle\n"
    "batch whole\n"
    "  insert 8 null null\n"
    "idle\n";

static void captured_changes_become_these_events(void **state)
{
    (void)state;
    char *events = events_of("changes_text");
    assert_string_equal(events, expected_changes);
    free(events);
}

/* All rows of a capture as one batch: the clock stands, so that nothing cuts it. */
static struct batch *rows_of(const char *name)
{
    static const int64_t now_us = 1000000;
    clock_fake(&now_us);
    struct fixture *f = setup(name);
    for (size_t i = 0; i < f->golden.count; i++) {
        apply(f, i);
    }
    stream_rest(f->stream);
    struct batch *rows = NULL;
    struct event e = {0};
    while (stream_take(f->stream, &e)) {
        if (e.batch) {
            assert_null(rows);
            rows = batch_reference(e.batch);
        }
        event_release(&e);
    }
    teardown(f);
    clock_fake(NULL);
    assert_non_null(rows);
    return rows;
}

static void binary_and_text_form_give_the_same_values(void **state)
{
    (void)state;
    struct batch *binary = rows_of("types_binary");
    struct batch *text = rows_of("types_text");
    assert_int_equal(binary->row_count, 5);
    assert_int_equal(text->row_count, 5);
    for (uint32_t i = 0; i < binary->schema->column_count; i++) {
        const struct column *x = &binary->columns[i];
        const struct column *y = &text->columns[i];
        assert_true(type_equal(x->type, y->type));
        for (uint32_t row = 0; row < 5; row++) {
            assert_int_equal(column_is_valid(x, row), column_is_valid(y, row));
            if (type_is_text_or_binary(x->type)) {
                assert_true(str_equal(view_str(&((const struct view *)x->values)[row]),
                                      view_str(&((const struct view *)y->values)[row])));
                continue;
            }
            size_t width = type_width(x->type);
            if (memcmp((const char *)x->values + row * width, (const char *)y->values + row * width,
                       width) != 0) {
                fail_msg("column %s, row %u differs", binary->schema->columns[i].name, row);
            }
        }
    }
    batch_release(binary);
    batch_release(text);
}

static void put_u64(struct buf *out, uint64_t v)
{
    v = __builtin_bswap64(v);
    buf_append(out, &v, sizeof(v));
}

static void apply_begin(struct fixture *f, uint64_t lsn)
{
    owned(buf_release) struct buf m = {0};
    buf_append_char(&m, 'B');
    put_u64(&m, lsn);
    put_u64(&m, 0);
    buf_append(&m, "\0\0\0\7", 4);
    assert_true(stream_apply(f->stream, m.data, m.size, &f->err));
}

static void apply_commit(struct fixture *f, uint64_t lsn, uint64_t end_lsn)
{
    owned(buf_release) struct buf m = {0};
    buf_append(&m, "C", 2);
    put_u64(&m, lsn);
    put_u64(&m, end_lsn);
    put_u64(&m, 0);
    assert_true(stream_apply(f->stream, m.data, m.size, &f->err));
}

/* The message with that first byte, the n-th of them. */
static size_t find(const struct fixture *f, char letter, size_t n)
{
    for (size_t i = 0; i < f->golden.count; i++) {
        if (f->golden.messages[i].data[0] == letter && n-- == 0) {
            return i;
        }
    }
    fail_msg("no message %c", letter);
    return 0;
}

/* Moves out the next event, which has to be of that kind. */
static struct event take_event(struct fixture *f, enum event_kind kind)
{
    struct event e = {0};
    assert_true(stream_take(f->stream, &e));
    assert_int_equal(e.kind, kind);
    return e;
}

/* One commit record may begin where the one before ends: the boundary there covers the first
 * transaction and not the second. */
static void a_boundary_covers_exactly_the_transactions_before_it(void **state)
{
    (void)state;
    struct fixture *f = setup("changes_text");
    const uint64_t places[] = {100, 148, 196};
    for (int i = 0; i < 2; i++) {
        apply_begin(f, places[i]);
        if (i == 0) {
            apply(f, find(f, 'R', 0));
        }
        apply(f, find(f, 'I', 0));
        assert_false(stream_can_rest(f->stream));
        apply_commit(f, places[i], places[i + 1]);
        assert_true(stream_can_rest(f->stream));
        stream_rest(f->stream);
        struct event rows = take_event(f, EVENT_BATCH);
        struct event idle = take_event(f, EVENT_IDLE);
        struct position row = position_integer(rows.batch->positions[0]);
        assert_int_equal(idle.position.integer, places[i + 1]);
        assert_true(position_covers(idle.position, row));
        assert_false(position_covers(position_integer(places[i]), row));
        event_release(&rows);
    }
    teardown(f);
}

static void a_keepalive_moves_the_boundary_only_between_transactions(void **state)
{
    (void)state;
    struct fixture *f = setup("changes_text");
    stream_keepalive(f->stream, 500);
    assert_true(stream_can_rest(f->stream));
    stream_rest(f->stream);
    assert_int_equal(take_event(f, EVENT_IDLE).position.integer, 500);
    stream_keepalive(f->stream, 400);
    assert_false(stream_can_rest(f->stream));
    apply_begin(f, 600);
    stream_keepalive(f->stream, 700);
    assert_false(stream_can_rest(f->stream));
    apply_commit(f, 600, 648);
    stream_rest(f->stream);
    assert_int_equal(take_event(f, EVENT_IDLE).position.integer, 648);
    teardown(f);
}

/* Full batches go out while their transaction is still open: memory does not grow with it. */
static void a_large_transaction_is_handed_out_in_batches(void **state)
{
    (void)state;
    struct fixture *f = setup("changes_text");
    apply_begin(f, 100);
    apply(f, find(f, 'R', 0));
    uint32_t handed_out = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        apply(f, find(f, 'I', 3)); /* a small row of the same table */
        struct event e = {0};
        while (stream_take(f->stream, &e)) {
            assert_int_equal(e.kind, EVENT_BATCH);
            assert_int_equal(e.batch->sequences[0], handed_out);
            assert_int_equal(e.batch->transactions[0], 7);
            handed_out += e.batch->row_count;
            event_release(&e);
        }
    }
    assert_true(handed_out >= 16384);
    apply_commit(f, 100, 148); /* more than enough rows for a boundary at once */
    struct event rest = take_event(f, EVENT_BATCH);
    assert_int_equal(handed_out + rest.batch->row_count, 20000);
    event_release(&rest);
    assert_int_equal(take_event(f, EVENT_IDLE).position.integer, 148);
    teardown(f);
}

static void a_boundary_follows_at_a_commit_when_the_last_one_is_old(void **state)
{
    (void)state;
    static int64_t now_us = 1000000;
    clock_fake(&now_us);
    struct fixture *f = setup("changes_text");
    apply_begin(f, 100);
    apply_commit(f, 100, 148);
    struct event e = {0};
    assert_false(stream_take(f->stream, &e));
    apply_begin(f, 200);
    now_us += 20000;
    assert_false(stream_take(f->stream, &e));
    apply_commit(f, 200, 248);
    assert_int_equal(take_event(f, EVENT_IDLE).position.integer, 248);
    teardown(f);
    clock_fake(NULL);
}

static void assert_fatal(struct fixture *f, size_t message, const char *text)
{
    const struct str *m = &f->golden.messages[message];
    assert_false(stream_apply(f->stream, m->data, m->size, &f->err));
    assert_int_equal(f->err.kind, ERROR_FATAL);
    assert_non_null(strstr(f->err.message, text));
    f->err = (struct error){0};
}

static void messages_out_of_order_are_errors(void **state)
{
    (void)state;
    struct fixture *f = setup("changes_text");
    assert_fatal(f, find(f, 'C', 0), "does not belong");
    assert_fatal(f, find(f, 'I', 0), "before its description");
    apply(f, find(f, 'R', 0));
    assert_fatal(f, find(f, 'I', 0), "outside a transaction");
    apply(f, find(f, 'B', 0));
    assert_fatal(f, find(f, 'B', 1), "within another");
    assert_fatal(f, find(f, 'C', 1), "does not belong");
    apply(f, find(f, 'R', 3)); /* one more column */
    assert_fatal(f, find(f, 'I', 0), "a row of 5 columns where 6 are described");
    teardown(f);
}

/* SET NOT NULL came later than the row: the stream is behind the catalog. */
static void a_null_where_none_is_allowed_loosens_the_schema_first(void **state)
{
    (void)state;
    struct fixture *f = setup("changes_text");
    apply_begin(f, 100);
    apply(f, find(f, 'R', 0));
    apply(f, find(f, 'I', 0));
    struct schema *strict = f->relations[0].schema;
    assert_string_equal(strict->columns[1].name, "note");
    strict->columns[1].nullable = false;
    apply(f, find(f, 'I', 3));
    struct event rows = take_event(f, EVENT_BATCH);
    struct event schema = take_event(f, EVENT_SCHEMA);
    assert_int_equal(rows.batch->row_count, 1);
    assert_true(schema.schema->columns[1].nullable);
    assert_int_equal(schema.schema->version, rows.batch->schema->version + 1);
    event_release(&rows);
    event_release(&schema);
    teardown(f);
}

static void a_table_that_is_not_captured_is_passed_over(void **state)
{
    (void)state;
    struct fixture *f = setup("changes_text");
    stream_free(&f->stream);
    f->stream = stream_new(&(struct stream_options){.relations = f->relations,
                                                    .relation_count = 1,
                                                    .relation_options = f->options,
                                                    .lookup = fake_lookup,
                                                    .position = 1});
    for (size_t i = 0; i < f->golden.count; i++) {
        apply(f, i);
    }
    stream_rest(f->stream);
    struct event e = {0};
    size_t count = 0;
    while (stream_take(f->stream, &e)) {
        assert_int_equal(e.table, 0);
        count++;
        event_release(&e);
    }
    assert_true(count > 0);
    teardown(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_changes_become_these_events),
        cmocka_unit_test(binary_and_text_form_give_the_same_values),
        cmocka_unit_test(a_boundary_covers_exactly_the_transactions_before_it),
        cmocka_unit_test(a_keepalive_moves_the_boundary_only_between_transactions),
        cmocka_unit_test(a_large_transaction_is_handed_out_in_batches),
        cmocka_unit_test(a_boundary_follows_at_a_commit_when_the_last_one_is_old),
        cmocka_unit_test(messages_out_of_order_are_errors),
        cmocka_unit_test(a_null_where_none_is_allowed_loosens_the_schema_first),
        cmocka_unit_test(a_table_that_is_not_captured_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
