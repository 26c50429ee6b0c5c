#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gtids.h"
#include "sink/types.h"
#include "test.h"

/* While a sink writes, standard output is a file of its own. */
struct capture {
    int saved;
    FILE *file;
};

static void capture_begin(struct capture *c)
{
    (void)fflush(stdout);
    c->saved = dup(STDOUT_FILENO);
    c->file = tmpfile();
    assert_true(c->saved >= 0 && c->file);
    assert_true(dup2(fileno(c->file), STDOUT_FILENO) >= 0);
}

static void capture_end(struct capture *c, struct buf *out)
{
    assert_true(dup2(c->saved, STDOUT_FILENO) >= 0);
    (void)close(c->saved);
    rewind(c->file);
    char piece[4096];
    for (size_t n = 1; n > 0;) {
        n = fread(piece, 1, sizeof(piece), c->file);
        buf_append(out, piece, n);
    }
    (void)fclose(c->file);
}

static struct schema *make_schema(void)
{
    struct schema *s = schema_new(3);
    s->columns[0] =
        (struct schema_column){.name = "id", .type = {.kind = TYPE_INT32}, .is_key = true};
    s->columns[1] =
        (struct schema_column){.name = "name", .type = {.kind = TYPE_STRING}, .nullable = true};
    s->columns[2] =
        (struct schema_column){.name = "bio", .type = {.kind = TYPE_STRING}, .nullable = true};
    schema_seal(s);
    return s;
}

static struct sink *open_sink(struct schema *s)
{
    struct error err = {0};
    const struct sink_table table = {.name = {"public", "t"}, .schema = s};
    const struct sink_config config = {.type = "stdout"};
    const struct sink_type *type = sink_type_find("stdout");
    assert_ptr_equal(type, &stdout_sink);
    assert_false(type->keeps_position);
    struct sink *sink = type->open(
        &(struct sink_open){.config = &config, .pipeline = "p", .tables = &table, .table_count = 1},
        &err);
    assert_non_null(sink);
    return sink;
}

static uint32_t add_row(struct batch *b, enum row_kind kind, enum row_image image, int32_t id,
                        const char *name)
{
    uint32_t row = batch_add_row(b, kind, image);
    ((int32_t *)b->columns[0].values)[row] = id;
    b->positions[row] = 100 + row;
    b->commit_times_us[row] = 1704164645000000;
    b->transactions[row] = 7;
    if (image == IMAGE_KEY) {
        batch_set_unchanged(b, 1, row);
        batch_set_unchanged(b, 2, row);
    } else {
        batch_set_bytes(b, 1, row, name, strlen(name));
        batch_set_null(b, 2, row);
    }
    return row;
}

static void write_batch(struct sink *sink, struct batch *b)
{
    struct error err = {0};
    assert_true(sink_write(sink, &(struct event){.kind = EVENT_BATCH, .batch = b}, &err));
    batch_release(b);
}

static void changes_are_printed_when_they_are_committed(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct sink *sink = open_sink(s);
    struct batch *b = batch_new(s, 0, 8);
    add_row(b, ROW_INSERT, IMAGE_WHOLE, 1, "a");
    add_row(b, ROW_UPDATE_AFTER, IMAGE_WHOLE, 1, "b");
    batch_set_unchanged(b, 2, 1);
    add_row(b, ROW_UPDATE_BEFORE, IMAGE_KEY, 1, "");
    add_row(b, ROW_UPDATE_AFTER, IMAGE_WHOLE, 2, "c");
    add_row(b, ROW_UPDATE_BEFORE, IMAGE_WHOLE, 3, "old");
    add_row(b, ROW_UPDATE_AFTER, IMAGE_WHOLE, 3, "new");
    add_row(b, ROW_DELETE, IMAGE_KEY, 2, "");
    add_row(b, ROW_DELETE, IMAGE_WHOLE, 3, "new");
    struct error err = {0};

    struct capture c;
    capture_begin(&c);
    write_batch(sink, b);
    bool truncated = sink_write(sink,
                                &(struct event){.kind = EVENT_TRUNCATE,
                                                .position = position_integer(200),
                                                .log_position = 200},
                                &err);
    off_t printed_early = lseek(STDOUT_FILENO, 0, SEEK_END);
    enum sink_result result = SINK_CONFLICT;
    bool committed = sink_commit(sink, &(struct barrier){.epoch = 1}, false, &result, &err);
    bool again = sink_commit(sink, &(struct barrier){.epoch = 1}, false, &result, &err);
    struct buf out = {0};
    capture_end(&c, &out);

    assert_int_equal(printed_early, 0);
    assert_true(truncated && committed && again);
    assert_int_equal(result, SINK_DONE);
#define SOURCE(position) \
    ",\"position\":" position ",\"commit_time\":\"2024-01-02T03:04:05Z\",\"transaction\":7}\n"
    assert_string_equal(
        buf_text(&out),
        "{\"table\":\"public.t\",\"op\":\"insert\",\"after\":{\"id\":1,\"name\":\"a\",\"bio\":null}" SOURCE(
            "100") "{\"table\":\"public.t\",\"op\":\"update\",\"key\":{\"id\":1},\"after\":{\"id\":1,\"name\":"
                   "\"b\"},\"unchanged\":[\"bio\"]" SOURCE(
                       "101") "{\"table\":\"public.t\",\"op\":\"update\",\"key\":{\"id\":1},\"after\":{\"id\":2,\"name\":"
                              "\"c\",\"bio\":null}" SOURCE(
                                  "103") "{\"table\":\"public.t\",\"op\":\"update\",\"key\":{\"id\":3},\"before\":{\"id\":3,\"name\":"
                                         "\"old\",\"bio\":null},\"after\":{\"id\":3,\"name\":\"new\",\"bio\":null}" SOURCE("105") "{\"table\":\"public.t\",\"op\":\"delete\",\"key\":{\"id\":2}" SOURCE(
                                             "106") "{\"table\":\"public.t\",\"op\":\"delete\",\"key\":{\"id\":3},\"before\":{\"id\":3,\"name\":"
                                                    "\"new\",\"bio\":null}" SOURCE(
                                                        "107") "{\"table\":\"public.t\",\"op\":\"truncate\",\"position\":200}\n");
    buf_release(&out);
    sink_free(&sink);
    schema_free(&s);
}

static void loaded_rows_are_reads(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct sink *sink = open_sink(s);
    struct batch *b = batch_new(s, 0, 8);
    b->loading = true;
    uint32_t row = add_row(b, ROW_INSERT, IMAGE_WHOLE, 1, "a");
    b->positions[row] = 0;
    b->commit_times_us[row] = 0;
    b->transactions[row] = 0;
    struct error err = {0};
    struct capture c;
    capture_begin(&c);
    write_batch(sink, b);
    enum sink_result result = SINK_CONFLICT;
    bool committed = sink_commit(sink, &(struct barrier){.epoch = 1}, false, &result, &err);
    struct buf out = {0};
    capture_end(&c, &out);
    assert_true(committed);
    assert_string_equal(buf_text(&out), "{\"table\":\"public.t\",\"op\":\"read\",\"after\":"
                                        "{\"id\":1,\"name\":\"a\",\"bio\":null}}\n");
    buf_release(&out);
    sink_free(&sink);
    schema_free(&s);
}

static void what_was_not_committed_is_not_printed(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct sink *sink = open_sink(s);
    struct batch *b = batch_new(s, 0, 8);
    add_row(b, ROW_INSERT, IMAGE_WHOLE, 1, "a");
    struct capture c;
    capture_begin(&c);
    write_batch(sink, b);
    sink_free(&sink);
    struct buf out = {0};
    capture_end(&c, &out);
    assert_int_equal(out.size, 0);
    buf_release(&out);
    schema_free(&s);
}

static void a_reader_that_went_away_ends_the_run(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    struct schema *s = make_schema();
    struct sink *sink = open_sink(s);
    struct batch *b = batch_new(s, 0, 8);
    add_row(b, ROW_INSERT, IMAGE_WHOLE, 1, "a");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    (void)dup2(ends[1], STDOUT_FILENO);
    struct error err = {0};
    write_batch(sink, b);
    enum sink_result result = SINK_CONFLICT;
    bool committed = sink_commit(sink, &(struct barrier){.epoch = 1}, false, &result, &err);
    (void)dup2(saved, STDOUT_FILENO);
    (void)close(saved);
    (void)close(ends[1]);
    assert_false(committed);
    assert_int_equal(err.kind, ERROR_CANCELLED);
    sink_free(&sink);
    schema_free(&s);
}

static void transactions_are_printed_with_who_numbered_them(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct sink *sink = open_sink(s);
    struct batch *b = batch_new(s, 0, 8);
    b->source = gtid_source(SERVER_A ":nightly");
    add_row(b, ROW_INSERT, IMAGE_WHOLE, 1, "a");
    struct error err = {0};
    struct capture c;
    capture_begin(&c);
    write_batch(sink, b);
    bool truncated =
        sink_write(sink,
                   &(struct event){.kind = EVENT_TRUNCATE,
                                   .position = position_transaction(position_source_mariadb(3), 9),
                                   .log_position = 200},
                   &err);
    enum sink_result result = SINK_CONFLICT;
    bool committed = sink_commit(sink, &(struct barrier){.epoch = 1}, false, &result, &err);
    struct buf out = {0};
    capture_end(&c, &out);
    assert_true(truncated && committed);
    assert_string_equal(buf_text(&out),
                        "{\"table\":\"public.t\",\"op\":\"insert\",\"after\":"
                        "{\"id\":1,\"name\":\"a\",\"bio\":null},\"position\":100,"
                        "\"commit_time\":\"2024-01-02T03:04:05Z\",\"transaction\":7,"
                        "\"transaction_source\":\"" SERVER_A ":nightly\"}\n"
                        "{\"table\":\"public.t\",\"op\":\"truncate\",\"position\":200,"
                        "\"transaction\":9,\"transaction_source\":\"3\"}\n");
    buf_release(&out);
    sink_free(&sink);
    schema_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_printed_when_they_are_committed),
        cmocka_unit_test(loaded_rows_are_reads),
        cmocka_unit_test(what_was_not_committed_is_not_printed),
        cmocka_unit_test(a_reader_that_went_away_ends_the_run),
        cmocka_unit_test(transactions_are_printed_with_who_numbered_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
