/* Tables that we did not write (delta-rs' test tables). They are beside the repository or at
 * LEAT_CORPORA; row counts are those that deltalake 1.6.6 reads. */
#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "delta/delta.h"
#include "engine/engine.h"
#include "test.h"

struct fixture {
    char root[512]; /* "": the corpora are absent */
    struct engine *engine;
    struct engine_connection *connection;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    assert_non_null(f);
    const char *given = getenv("LEAT_CORPORA");
    (void)snprintf(f->root, sizeof(f->root), "%s/delta/delta-rs",
                   given ? given : "../../shared/corpora"); /* tests run in the build directory */
    if (!file_exists(f->root)) {
        print_message("skipped: no corpora at %s; set LEAT_CORPORA\n", f->root);
        f->root[0] = '\0';
    }
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(f->engine);
    f->connection = engine_connect(f->engine, &err);
    assert_non_null(f->connection);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    free(f);
    return 0;
}

static struct lake_table *open_table(struct fixture *f, const char *name, struct error *err)
{
    if (!f->root[0]) {
        skip();
    }
    char location[600];
    (void)snprintf(location, sizeof(location), "%s/%s", f->root, name);
    struct lake_options options = {.location = location, .engine = f->connection};
    return delta_lake.open(&options, err);
}

static const struct {
    const char *name;
    int64_t version;
    uint64_t rows; /* that are not deleted */
    uint64_t deleted;
} readable[] = {
    {"COVID-19_NYT", 0, 1111930, 0},
    {"cdc_ict_table", 3, 2, 0},
    {"cdf-table", 3, 9, 0},
    {"cdf-table-non-partitioned", 4, 11, 0},
    {"cdf-table-with-cdc-and-dvs", 25, 5, 6},
    {"checkpoint-cdf-table", 5, 13, 0},
    {"checkpoint-v2-table", 9, 44, 0}, /* its commits are all there */
    {"delta-0.8.0-null-partition", 0, 2, 0},
    {"delta-0.8.0-partitioned", 0, 7, 0},
    {"delta-0.8.0-special-partition", 0, 2, 0},
    {"http_requests", 1, 1581, 0},
    {"latest_not_checkpointed", 3, 5, 0},
    {"partition-type-primitives", 0, 16, 0},
    {"python-0.25.5-checkpoint", 1, 6, 0},
    {"simple_table", 4, 3, 0},
    {"simple_table_with_cdc", 2, 1, 0},
    {"simple_table_with_checkpoint", 10, 11, 0},
    {"table-with-domain-metadata", 108, 436, 0},
    {"table-with-dv-small", 1, 8, 2},
    {"table-without-dv-small", 0, 10, 0},
    {"table_failed_last_checkpoint_update", 3, 20, 0},
    {"table_with_column_mapping", 0, 5, 0},
    {"table_with_deletion_logs", 20, 98, 2},
    {"table_with_partitioning_mapping", 4, 2, 0},
    {"with_checkpoint_no_last_checkpoint", 3, 5, 0},
};

static void tables_of_other_writers_are_read(void **state)
{
    for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++) {
        struct error err = {0};
        struct lake_table *t = open_table(*state, readable[i].name, &err);
        if (!t) {
            fail_msg("%s", err.message);
            return;
        }
        uint64_t rows = 0;
        uint64_t deleted = 0;
        for (uint32_t slot = 0; slot < t->snapshot.slot_count; slot++) {
            const struct lake_file *file = lake_table_file(t, slot);
            if (file) {
                rows += file->row_count - file->deleted_count;
                deleted += file->deleted ? roaring_bitmap_get_cardinality(file->deleted) : 0;
            }
        }
        if (t->snapshot.version != readable[i].version || rows != readable[i].rows ||
            deleted != readable[i].deleted) {
            fail_msg("%s: version %" PRId64 ", %" PRIu64 " rows, %" PRIu64 " deleted",
                     readable[i].name, t->snapshot.version, rows, deleted);
        }
        delta_lake.free(t);
    }
}

static const struct {
    const char *name;
    enum error_kind kind;
    const char *named;
} refused[] = {
    {"simple_table_features", ERROR_CONFIG, "reader version 5"},
    {"spark-variant-checkpoint", ERROR_CONFIG, "variantType-preview"},
    {"checkpoints", ERROR_CONFIG, "\"some_struct\""},
    {"delta-live-table", ERROR_DATA, "schemaString"},
};

static void tables_that_need_more_are_refused_by_name(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct error err = {0};
        assert_null(open_table(*state, refused[i].name, &err));
        assert_int_equal(err.kind, refused[i].kind);
        if (!strstr(err.message, refused[i].named)) {
            fail_msg("%s: %s", refused[i].name, err.message);
        }
    }
}

static void partition_values_come_from_the_log_and_paths_are_decoded_once(void **state)
{
    struct error err = {0};
    struct lake_table *t = open_table(*state, "delta-0.8.0-special-partition", &err);
    assert_non_null(t);
    for (uint32_t slot = 0; slot < 2; slot++) {
        const struct lake_file *file = lake_table_file(t, slot);
        struct buf path = {0};
        assert_non_null(file);
        assert_true(strcmp(file->partition[0], "A/A") == 0 ||
                    strcmp(file->partition[0], "B B") == 0);
        assert_true(store_fetch(t->store, file->path, &path, &err));
        buf_release(&path);
    }
    delta_lake.free(t);

    t = open_table(*state, "delta-0.8.0-null-partition", &err);
    assert_non_null(t);
    assert_true(!lake_table_file(t, 0)->partition[0] != !lake_table_file(t, 1)->partition[0]);
    delta_lake.free(t);
}

static void a_writer_refuses_what_it_does_not_keep_up(void **state)
{
    struct fixture *f = *state;
    if (!f->root[0]) {
        skip();
    }
    char location[600];
    struct error err = {0};
    (void)snprintf(location, sizeof(location), "%s/cdc_ict_table", f->root);
    struct lake_options options = {
        .location = location, .pipeline = "shop", .engine = f->connection};
    assert_null(delta_lake.open(&options, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "inCommitTimestamp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_other_writers_are_read),
        cmocka_unit_test(tables_that_need_more_are_refused_by_name),
        cmocka_unit_test(partition_values_come_from_the_log_and_paths_are_decoded_once),
        cmocka_unit_test(a_writer_refuses_what_it_does_not_keep_up),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
