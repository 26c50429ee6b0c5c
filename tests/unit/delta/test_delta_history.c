#include <utime.h>

#include "base/clock.h"
#include "feed_fixture.h"

static struct lake_history *open_history(struct feed_fixture *e, bool versions_only,
                                         struct error *err)
{
    struct lake_options table = {.location = e->f->location};
    return delta_history.open(
        &(struct lake_history_options){
            .table = &table, .engine = e->connection, .to = -1, .versions_only = versions_only},
        err);
}

static void history_tells_what_each_version_did(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t slot = commit_file(e, "SELECT 1::INTEGER AS id UNION ALL SELECT 2");
    assert_true(fixture_delete(e->f, slot, 0, 1, &err));
    fixture_foreign(e->f, 3, "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n");

    struct lake_options table = {.location = e->f->location};
    struct lake_history_options options = {.table = &table, .to = -1, .versions_only = true};
    struct lake_history *h = delta_history.open(&options, &err);
    assert_non_null(h);
    const struct lake_version *v = h->versions;
    assert_int_equal(h->version_count, 4);
    assert_string_equal(v[0].operation, "CREATE TABLE");
    assert_int_equal(v[0].parent_id, -1);
    assert_true(v[0].keeps_rows);
    assert_int_equal(v[1].files_added, 1);
    assert_string_equal(v[1].operation, "STREAM");
    assert_string_equal(v[1].position, "10");
    assert_string_equal(v[1].engine, "leat/" LEAT_VERSION);
    assert_false(v[1].keeps_rows);
    assert_int_equal(v[2].files_changed, 1);
    assert_int_equal(v[2].files_added + v[2].files_removed, 0);
    assert_int_equal(v[3].id, 3);
    assert_int_equal(v[3].parent_id, 2);
    assert_null(v[3].operation);
    assert_int_equal(v[3].rows_inserted, -1);
    assert_true(v[3].keeps_rows);
    lake_history_free(&h);

    options.limit = 2;
    h = delta_history.open(&options, &err);
    assert_non_null(h);
    assert_int_equal(h->version_count, 2);
    assert_int_equal(h->versions[0].id, 2);
    lake_history_free(&h);
}

static void a_history_may_begin_late(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    (void)fixture_add(e->f, 1);
    (void)fixture_add(e->f, 1);
    struct lake_options table = {.location = e->f->location};
    struct lake_history_options options = {
        .table = &table, .engine = e->connection, .to = 1, .since = 1};
    struct lake_history *h = delta_history.open(&options, &err);
    assert_non_null(h);
    assert_int_equal(h->version_count, 2);
    assert_int_equal(h->versions[0].id, 1);
    assert_int_equal(h->versions[0].parent_id, 0);
    assert_string_equal(h->table_id, e->f->table->snapshot.table_id);
    lake_history_free(&h);
    options.since = 3; /* nothing new */
    h = delta_history.open(&options, &err);
    assert_non_null(h);
    assert_int_equal(h->version_count, 0);
    lake_history_free(&h);
}

static void a_table_that_cannot_be_read_has_a_history(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    fixture_foreign(e->f, 1,
                    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,"
                    "\"readerFeatures\":[\"unheardOf\"],\"writerFeatures\":[\"unheardOf\"]}}\n");
    struct lake_history *h = open_history(e, true, &err);
    assert_non_null(h);
    assert_null(h->schema);
    assert_int_equal(h->version_count, 2);
    struct lake_changes_options options = {.history = h, .engine = e->connection, .last = 1};
    assert_null(lake_changes_open(&options, &err));
    lake_history_free(&h);
    err = (struct error){0};
    assert_null(open_history(e, false, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "unheardOf"));
    temporary_remove(e->f->location);
    for (int i = 0; i < 2; i++) {
        err = (struct error){0};
        assert_null(open_history(e, i, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "no Delta table"));
    }
}

/* --- times --- */

static void set_time(struct feed_fixture *e, int64_t version, time_t seconds)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/_delta_log/%020" PRId64 ".json", e->f->location,
                   version);
    assert_int_equal(utime(path, &(struct utimbuf){.actime = seconds, .modtime = seconds}), 0);
}

/* Versions 0 to 3; the clock of the one that wrote version 2 was slow. */
static void make_versions(struct feed_fixture *e)
{
    for (int64_t v = 1; v <= 3; v++) {
        (void)fixture_add(e->f, 1);
    }
    set_time(e, 0, 1000);
    set_time(e, 1, 2000);
    set_time(e, 2, 1500);
    set_time(e, 3, 3000);
}

static void time_does_not_go_back(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    make_versions(e);
    struct lake_history *h = open_history(e, true, &err);
    assert_non_null(h);
    assert_int_equal(h->versions[0].time_us, INT64_C(1000000000));
    assert_int_equal(h->versions[1].time_us, INT64_C(2000000000));
    assert_int_equal(h->versions[2].time_us, INT64_C(2000001000));
    assert_int_equal(h->versions[3].time_us, INT64_C(3000000000));
    lake_history_free(&h);
}

static struct lake_table *open_at(struct feed_fixture *e, struct lake_at at, struct error *err)
{
    struct lake_options options = {.location = e->f->location, .engine = e->connection, .at = at};
    return delta_lake.open(&options, err);
}

static void assert_at(struct feed_fixture *e, struct lake_at at, int64_t version)
{
    struct error err = {0};
    struct lake_table *t = open_at(e, at, &err);
    if (!t) {
        fail_msg("%s", err.message);
        return;
    }
    bool changed = true;
    assert_true(delta_lake.refresh(t, &changed, &err));
    assert_false(changed);
    assert_int_equal(t->snapshot.version, version);
    assert_int_equal(t->snapshot.slot_count, version); /* a file a version */
    delta_lake.free(t);
}

static void a_table_is_opened_as_it_was(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    make_versions(e);
    for (int64_t v = 0; v <= 3; v++) {
        assert_at(e, (struct lake_at){.kind = LAKE_AT_VERSION, .version = v}, v);
    }
    static const int64_t times[][2] = {{1000000000, 0}, {1999999999, 0}, {2000000000, 1},
                                       {2000001000, 2}, {2999999999, 2}, {INT64_MAX, 3}};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_at(e, (struct lake_at){.kind = LAKE_AT_TIME, .time_us = times[i][0]}, times[i][1]);
    }
    assert_null(open_at(e, (struct lake_at){.kind = LAKE_AT_TIME, .time_us = 999999999}, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "1970-01-01T00:16:39.999999Z"));
    err = (struct error){0};
    assert_null(open_at(e, (struct lake_at){.kind = LAKE_AT_VERSION, .version = 4}, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "the newest is 3"));
    err = (struct error){0};
    assert_null(open_at(e, (struct lake_at){.kind = LAKE_AT_VERSION, .version = -1}, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void an_older_version_is_not_opened_for_writing(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    struct lake_options options = {.location = e->f->location,
                                   .pipeline = "shop",
                                   .at = {.kind = LAKE_AT_VERSION, .version = 0}};
    assert_null(delta_lake.open(&options, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void commits_that_tell_their_time_are_believed(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    set_time(e, 0, 1000);
    for (int64_t v = 1; v <= 2; v++) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "{\"commitInfo\":{\"timestamp\":1,\"inCommitTimestamp\":%" PRId64
                       "}}\n{\"txn\":{\"appId\":\"x\",\"version\":1}}\n",
                       5000000 * v);
        fixture_foreign(e->f, v, text);
        set_time(e, v, 900);
    }
    struct lake_history *h = open_history(e, true, &err);
    assert_non_null(h);
    assert_int_equal(h->versions[0].time_us, INT64_C(1000000000));
    assert_int_equal(h->versions[1].time_us, INT64_C(5000000000));
    assert_int_equal(h->versions[2].time_us, INT64_C(10000000000));
    lake_history_free(&h);
    struct lake_table *t =
        open_at(e, (struct lake_at){.kind = LAKE_AT_TIME, .time_us = INT64_C(9999999999)}, &err);
    assert_non_null(t);
    assert_int_equal(t->snapshot.version, 1);
    delta_lake.free(t);
    t = open_at(e, (struct lake_at){.kind = LAKE_AT_TIME, .time_us = INT64_C(1000000000)}, &err);
    assert_non_null(t);
    assert_int_equal(t->snapshot.version, 0);
    delta_lake.free(t);
}

/* --- comparing --- */

static void two_versions_are_compared_file_by_file(void **state)
{
    struct feed_fixture *e = *state;
    struct error err = {0};
    uint32_t kept = fixture_add(e->f, 10);
    uint32_t changed = fixture_add(e->f, 20);
    uint32_t gone = fixture_add(e->f, 30);
    assert_true(fixture_delete(e->f, gone, 0, 7, &err));
    struct lake_commit commit = fixture_commit(e->f);
    const char *gone_path =
        arena_format(&e->f->arena, "%s", lake_table_file(e->f->table, gone)->path);
    commit.removed = &gone;
    commit.removed_count = 1;
    assert_true(delta_lake.commit(e->f->table, &commit, NULL, &err));
    assert_true(fixture_delete(e->f, changed, 0, 5, &err));
    uint32_t added = fixture_add(e->f, 40);

    struct arena a = {0};
    struct lake_file_difference *d = NULL;
    uint32_t count = 0;
    struct lake_history *h = open_history(e, true, &err);
    assert_non_null(h);
    assert_true(delta_history.compare(h, 4, 7, &a, &d, &count, &err));
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(d[i - 1].path, d[i].path) < 0);
        assert_string_equal(d[i].partition, "p=a b%/");
        if (strcmp(d[i].path, gone_path) == 0) {
            assert_int_equal(d[i].kind, LAKE_FILE_REMOVED);
            assert_int_equal(d[i].row_count, 30);
            assert_int_equal(d[i].deleted_before, 7);
        } else if (strcmp(d[i].path, lake_table_file(e->f->table, added)->path) == 0) {
            assert_int_equal(d[i].kind, LAKE_FILE_ADDED);
            assert_int_equal(d[i].row_count, 40);
            assert_int_equal(d[i].size, 400);
            assert_int_equal(d[i].deleted_after, 0);
        } else {
            assert_string_equal(d[i].path, lake_table_file(e->f->table, changed)->path);
            assert_int_equal(d[i].kind, LAKE_FILE_CHANGED);
            assert_int_equal(d[i].deleted_before, 0);
            assert_int_equal(d[i].deleted_after, 5);
        }
    }
    assert_true(delta_history.compare(h, 7, 4, &a, &d, &count, &err)); /* backwards, too */
    assert_int_equal(count, 3);
    assert_true(delta_history.compare(h, 7, 7, &a, &d, &count, &err));
    assert_int_equal(count, 0);
    assert_non_null(lake_table_file(e->f->table, kept));
    fixture_remove_commit(e->f, 1);
    assert_false(delta_history.compare(h, 4, 7, &a, &d, &count, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    lake_history_free(&h);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_feed(history_tells_what_each_version_did),
        test_with_feed(a_history_may_begin_late),
        test_with_feed(a_table_that_cannot_be_read_has_a_history),
        test_with_feed(time_does_not_go_back),
        test_with_feed(a_table_is_opened_as_it_was),
        test_with_feed(an_older_version_is_not_opened_for_writing),
        test_with_feed(commits_that_tell_their_time_are_believed),
        test_with_feed(two_versions_are_compared_file_by_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
