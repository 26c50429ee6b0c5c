/* The power is cut at every failpoint of a commit, a widening and a checkpoint: what was not synced
 * is gone, and the table must be a whole number of commits, each with all its files. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/faulty.h"
#include "table_fixture.h"

static void must(bool ok, const struct error *err)
{
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err->message);
        _exit(3);
    }
}

/* One file of rows 0..99, written and published as the table module does it. */
static struct lake_new_file write_rows(struct fixture *f, struct engine_connection *c)
{
    struct error err = {0};
    struct buf path = {0};
    struct lake_new_file file = fixture_file(f, 0);
    must(store_stage(f->table->store, file.path, &path, &err), &err);
    struct engine_parquet parquet = {.path = buf_text(&path)};
    must(engine_write_parquet(c, "SELECT range::INTEGER AS id FROM range(100)", &parquet,
                              &file.row_count, &file.size, &err),
         &err);
    must(store_publish(f->table->store, &file.path, 1, &err), &err);
    buf_release(&path);
    return file;
}

static uint32_t commit_rows(struct fixture *f, struct engine_connection *c)
{
    struct error err = {0};
    struct lake_new_file file = write_rows(f, c);
    struct lake_commit commit = fixture_commit(f);
    uint32_t slot = 0;
    commit.files = &file;
    commit.file_count = 1;
    must(delta_lake.commit(f->table, &commit, &slot, &err), &err);
    return slot;
}

/* Runs until the failpoint; a workload that never comes there ends with 0. */
static void work(struct fixture *f)
{
    struct error err = {0};
    struct engine *engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    must(engine != NULL, &err);
    struct engine_connection *c = engine_connect(engine, &err);
    must(c != NULL, &err);
    struct lake_options options = {.location = f->location, .pipeline = "shop", .engine = c};
    f->table = delta_lake.open(&options, &err);
    must(f->table != NULL, &err);
    must(fixture_create(f, f->table, true, &err), &err);
    uint32_t slot = commit_rows(f, c);
    (void)commit_rows(f, c);
    must(fixture_delete(f, slot, 0, 10, &err), &err);

    struct schema *wider = schema_new(2);
    wider->columns[0] = f->schema->columns[0];
    wider->columns[1] = f->schema->columns[1];
    wider->columns[0].type.kind = TYPE_INT64;
    schema_seal(wider);
    struct lake_commit commit = fixture_commit(f);
    commit.schema = wider;
    must(delta_lake.commit(f->table, &commit, NULL, &err), &err);
    for (uint32_t i = 0; i < 50; i++) {
        must(fixture_delete(f, slot, 0, 11 + i, &err), &err);
        must(delta_lake.maintain(f->table, &err), &err);
    }
    commit = fixture_commit(f);
    commit.truncate = true;
    must(delta_lake.commit(f->table, &commit, NULL, &err), &err);
    _exit(0);
}

/* A failpoint, and the pass at which it crashes. False: the workload has fewer passes. */
static bool crash_at(struct fixture *f, const char *failpoint)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const char *root = f->root;
        if (setenv("LEAT_FAILPOINT", failpoint, 1) != 0) {
            _exit(4);
        }
        faulty_install(&root, 1);
        work(f);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
    }
    assert_int_equal(WTERMSIG(status), SIGKILL);
    return true;
}

static void assert_whole(struct fixture *f, const char *failpoint)
{
    struct error err = {0};
    struct engine *engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(engine);
    struct engine_connection *c = engine_connect(engine, &err);
    assert_non_null(c);
    struct lake_options options = {.location = f->location, .pipeline = "shop", .engine = c};
    struct lake_table *t = delta_lake.open(&options, &err);
    if (!t) {
        fail_msg("%s: %s", failpoint, err.message);
        return;
    }
    for (uint32_t i = 0; i < t->snapshot.slot_count; i++) {
        const struct lake_file *file = lake_table_file(t, i);
        struct buf path = {0};
        uint64_t size = 0;
        int64_t modified_ms = 0;
        if (file) {
            assert_true(store_fetch(t->store, file->path, &path, &err));
            assert_true(file_stat(buf_text(&path), &size, &modified_ms, &err));
            assert_int_equal(size, file->size);
        }
        buf_release(&path);
    }
    if (t->snapshot.exists) {
        assert_true(t->snapshot.has_record);
        assert_int_equal(t->snapshot.record.version, t->snapshot.version);
        struct lake_commit commit = {.operation = "STREAM",
                                     .record = fixture_record(1000000),
                                     .from = t->snapshot.record.position};
        if (!delta_lake.commit(t, &commit, NULL, &err)) {
            fail_msg("%s: %s", failpoint, err.message);
        }
    }
    delta_lake.free(t);
    engine_disconnect(&c);
    engine_free(&engine);
}

static void a_power_cut_at_any_failpoint_leaves_whole_commits(void **state)
{
    static const char *const names[] = {
        "delta_before_create:1",
        "delta_after_create:1",
        "delta_before_publish:1",
        "delta_before_publish:4",
        "delta_after_publish_before_log:1",
        "delta_after_publish_before_log:3",
        "delta_after_log:1",
        "delta_after_log:3",
        "delta_before_widen:1",
        "delta_after_log:4",
        "delta_in_checkpoint:1",
        "delta_after_checkpoint:1",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        temporary_remove(f->location);
        if (!crash_at(f, names[i])) {
            fail_msg("%s was never passed", names[i]);
        }
        assert_whole(f, names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_location(a_power_cut_at_any_failpoint_leaves_whole_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
