/* The delta sink from open to restart, over real tables in a directory. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "sink/types.h"
#include "test.h"

enum { TABLES = 2 };

struct world {
    char directory[64];
    char location[128];
    char state_dir[128];
    char progress_path[160];
    struct sink_config config;
    struct sink_table tables[TABLES];
    struct sink *sink;
    uint64_t epoch;
    enum sink_result results[TABLES];
};

static struct schema *two_columns(void)
{
    struct schema *s = schema_new(2);
    s->columns[0] =
        (struct schema_column){.name = "id", .type = {.kind = TYPE_INT64}, .is_key = true};
    s->columns[1] =
        (struct schema_column){.name = "v", .type = {.kind = TYPE_INT64}, .nullable = true};
    schema_seal(s);
    return s;
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    strcpy(w->directory, "/tmp/leat-sink-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    (void)snprintf(w->location, sizeof(w->location), "%s/lake/{schema}/{table}", w->directory);
    (void)snprintf(w->state_dir, sizeof(w->state_dir), "%s/state", w->directory);
    (void)snprintf(w->progress_path, sizeof(w->progress_path), "%s/shop.0.progress.json",
                   w->state_dir);
    w->config = (struct sink_config){.type = "delta", .location = w->location, .change_feed = true};
    w->tables[0] = (struct sink_table){.name = {"public", "a"}, .schema = two_columns()};
    w->tables[1] = (struct sink_table){.name = {"public", "b"}, .schema = two_columns()};
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    sink_free(&w->sink);
    schema_release(w->tables[0].schema);
    schema_release(w->tables[1].schema);
    assert_true(file_remove_tree(w->directory, &err));
    free(w);
    return 0;
}

static struct sink *try_open(struct world *w, struct error *err)
{
    return delta_sink.open(&(struct sink_open){.config = &w->config,
                                               .pipeline = "shop",
                                               .state_dir = w->state_dir,
                                               .memory_bytes = 128 << 20,
                                               .source_identity = "server",
                                               .tables = w->tables,
                                               .table_count = TABLES},
                           err);
}

static void assert_done(bool done, const struct error *err)
{
    if (!done) {
        fail_msg("%s: %s", error_kind_name(err->kind), err->message);
    }
}

/* A new process. */
static void start(struct world *w)
{
    struct error err = {0};
    sink_free(&w->sink);
    w->sink = try_open(w, &err);
    assert_done(w->sink != NULL, &err);
}

static bool try_resume(struct world *w, bool *proof_missing, struct error *err)
{
    return w->sink->type->resume(w->sink, proof_missing, err);
}

static void write_row(struct world *w, uint32_t table, enum row_kind kind, int64_t id, int64_t v,
                      uint64_t position)
{
    struct error err = {0};
    owned(batch_free) struct batch *b = batch_new(w->tables[table].schema, table, 1);
    uint32_t row = batch_add_row(b, kind, IMAGE_WHOLE);
    ((int64_t *)b->columns[0].values)[row] = id;
    ((int64_t *)b->columns[1].values)[row] = v;
    b->positions[row] = position;
    b->loading = position == 0;
    struct event event = {.kind = EVENT_BATCH, .table = table, .batch = b};
    assert_done(sink_write(w->sink, &event, &err), &err);
}

static bool try_commit(struct world *w, uint64_t position, bool heartbeat, struct error *err)
{
    struct barrier barrier = {
        .epoch = ++w->epoch, .position = position_integer(position), .phase = PHASE_STREAMING};
    return sink_commit(w->sink, &barrier, heartbeat, w->results, err);
}

static void commit(struct world *w, uint64_t position)
{
    struct error err = {0};
    assert_done(try_commit(w, position, false, &err), &err);
}

static struct lake_snapshot last(struct world *w, uint32_t table, bool *known)
{
    struct error err = {0};
    struct lake_snapshot snapshot;
    assert_true(w->sink->type->last(w->sink, table, &snapshot, known, &err));
    return snapshot;
}

static struct lake_record record(struct world *w, uint32_t table)
{
    bool known = false;
    return last(w, table, &known).record;
}

/* Both tables loaded with one row and streaming from 100. */
static void load(struct world *w)
{
    struct error err = {0};
    start(w);
    assert_done(w->sink->type->begin_load(w->sink, "11111111-2222-3333-4444-555555555555", &err),
                &err);
    write_row(w, 0, ROW_INSERT, 1, 10, 0);
    write_row(w, 1, ROW_INSERT, 1, 10, 0);
    commit(w, 100);
}

static void what_was_written_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    bool known = true;
    start(w);
    assert_false(last(w, 0, &known).exists);
    assert_false(known);
    load(w);
    write_row(w, 0, ROW_UPDATE_AFTER, 1, 11, 105);
    commit(w, 110);

    start(w);
    struct lake_snapshot snapshot = last(w, 0, &known);
    assert_true(known);
    assert_true(snapshot.exists);
    assert_int_equal(snapshot.record.phase, PHASE_STREAMING);
    assert_int_equal(snapshot.record.position.integer, 110);
    assert_string_equal(snapshot.record.source, "server");
    assert_string_equal(snapshot.record.load_id, "11111111-2222-3333-4444-555555555555");
    assert_int_equal(record(w, 1).position.integer, 100);
    bool proof_missing = true;
    assert_done(try_resume(w, &proof_missing, &err), &err);
    assert_false(proof_missing);

    write_row(w, 0, ROW_UPDATE_AFTER, 1, 11, 105); /* is in */
    write_row(w, 0, ROW_DELETE, 1, 0, 115);
    commit(w, 120);
    assert_int_equal(record(w, 0).position.integer, 120);
}

static void a_lost_progress_file_is_reported(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    assert_true(file_remove(w->progress_path, &err));
    start(w);
    bool known = true;
    (void)last(w, 0, &known);
    assert_false(known);
    bool proof_missing = false;
    assert_done(try_resume(w, &proof_missing, &err), &err);
    assert_true(proof_missing);
}

static void a_damaged_progress_file_is_named(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    sink_free(&w->sink);
    static const char *const texts[] = {"", "{", "{\"formatVersion\": 2, \"tables\": {}}",
                                        "{\"formatVersion\": 1, \"tables\": {\"a\": {}}}", "[]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err = (struct error){0};
        assert_true(file_write(w->progress_path, texts[i], strlen(texts[i]), &err));
        assert_null(try_open(w, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "shop.0.progress.json"));
        assert_non_null(strstr(err.message, "remove it"));
    }
}

static void shell(const char *directory, const char *what)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "cd %s && %s", directory, what);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own directory */
}

static void a_table_that_was_rolled_back_is_lost(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    shell(w->directory, "cp -r lake copy");
    write_row(w, 0, ROW_INSERT, 2, 20, 105);
    commit(w, 110);
    sink_free(&w->sink);
    shell(w->directory, "rm -r lake && mv copy lake");
    bool proof_missing = false;
    start(w);
    assert_false(try_resume(w, &proof_missing, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "table public.a"));
}

static void the_last_table_of_an_epoch_completes_the_sink(void **state)
{
    struct world *w = *state;
    load(w);
    write_row(w, 0, ROW_INSERT, 2, 20, 105);
    commit(w, 110);
    assert_int_equal(record(w, 0).complete.integer, 110);
    commit(w, 120); /* nothing changed, and the sink is complete all the same */
    write_row(w, 0, ROW_INSERT, 3, 30, 124);
    write_row(w, 1, ROW_INSERT, 2, 20, 125);
    commit(w, 130);
    assert_int_equal(record(w, 0).position.integer, 130);
    assert_int_equal(record(w, 0).complete.integer, 120);
    assert_int_equal(record(w, 1).position.integer, 130);
    assert_int_equal(record(w, 1).complete.integer, 130);
}

static void complete_survives_a_restart(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    write_row(w, 0, ROW_INSERT, 2, 20, 105);
    commit(w, 110);
    start(w);
    bool proof_missing = false;
    assert_done(try_resume(w, &proof_missing, &err), &err);
    write_row(w, 0, ROW_INSERT, 3, 30, 124);
    write_row(w, 1, ROW_INSERT, 2, 20, 125);
    commit(w, 130);
    assert_int_equal(record(w, 0).complete.integer, 110);
}

static void an_epoch_without_changes_writes_nothing(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    int64_t version = record(w, 0).version;
    assert_true(file_remove(w->progress_path, &err));
    commit(w, 110);
    assert_int_equal(record(w, 0).version, version);
    assert_false(file_exists(w->progress_path));
}

static void a_heartbeat_commits_the_first_table_alone(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    assert_done(try_commit(w, 500, true, &err), &err);
    assert_int_equal(record(w, 0).position.integer, 500);
    assert_int_equal(record(w, 1).position.integer, 100);
}

static void one_table_that_cannot_commit_does_not_hold_up_the_other(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    w->tables[0].filtered = true;
    load(w);
    /* An update of an absent row that lacks a value. */
    owned(batch_free) struct batch *b = batch_new(w->tables[0].schema, 0, 1);
    uint32_t row = batch_add_row(b, ROW_UPDATE_AFTER, IMAGE_WHOLE);
    ((int64_t *)b->columns[0].values)[row] = 99;
    batch_set_unchanged(b, 1, row);
    b->positions[row] = 105;
    struct event event = {.kind = EVENT_BATCH, .table = 0, .batch = b};
    assert_done(sink_write(w->sink, &event, &err), &err);
    write_row(w, 1, ROW_INSERT, 2, 20, 105);

    assert_false(try_commit(w, 110, false, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_non_null(strstr(err.message, "REPLICA IDENTITY FULL"));
    assert_int_equal(w->results[0], SINK_SUSPENDED);
    assert_int_equal(w->results[1], SINK_DONE);
    assert_int_equal(record(w, 0).position.integer, 100);
    assert_int_equal(record(w, 1).position.integer, 110);
}

static void truncates_and_schemas_reach_their_table(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    load(w);
    struct event event = {.kind = EVENT_TRUNCATE, .table = 1, .position = position_integer(105)};
    assert_done(sink_write(w->sink, &event, &err), &err);
    struct schema *more = schema_new(3);
    memcpy(more->columns, w->tables[0].schema->columns, 2 * sizeof(*more->columns));
    more->columns[2] = (struct schema_column){.name = "w", .type = {.kind = TYPE_STRING}};
    schema_seal(more);
    event = (struct event){.kind = EVENT_SCHEMA, .table = 0, .schema = more};
    assert_done(sink_write(w->sink, &event, &err), &err);
    schema_release(more);
    commit(w, 110);
    bool known = false;
    assert_int_equal(last(w, 0, &known).schema->column_count, 3);
    assert_int_equal(last(w, 1, &known).schema->column_count, 2);
    assert_int_equal(record(w, 1).position.integer, 110);
}

static void assert_open_fails(struct world *w, const char *message)
{
    struct error err = {0};
    assert_null(try_open(w, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    if (!strstr(err.message, message)) {
        fail_msg("%s", err.message);
    }
}

static void wrong_settings_are_refused(void **state)
{
    struct world *w = *state;
    char same[128];
    (void)snprintf(same, sizeof(same), "%s/lake/{pipeline}", w->directory);
    w->config.location = same;
    assert_open_fails(w, "tables public.a and public.b would both be at");
    w->config.location = w->location;
    w->tables[1].name.table = "..";
    assert_open_fails(w, "table public...: the name cannot be a directory of its location");
    w->tables[1].name.table = "x/y";
    assert_open_fails(w, "table public.x/y: the name cannot be a directory of its location");
    w->tables[1].name.table = "b";
    struct sink_table_config overrides[] = {{.table = "public.other"}};
    w->config.tables = overrides;
    w->config.table_count = 1;
    assert_open_fails(w, "settings for table \"public.other\", which the source does not capture");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_there_after_a_restart),
        TEST(a_lost_progress_file_is_reported),
        TEST(a_damaged_progress_file_is_named),
        TEST(a_table_that_was_rolled_back_is_lost),
        TEST(the_last_table_of_an_epoch_completes_the_sink),
        TEST(complete_survives_a_restart),
        TEST(an_epoch_without_changes_writes_nothing),
        TEST(a_heartbeat_commits_the_first_table_alone),
        TEST(one_table_that_cannot_commit_does_not_hold_up_the_other),
        TEST(truncates_and_schemas_reach_their_table),
        TEST(wrong_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
