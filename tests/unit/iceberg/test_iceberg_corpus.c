/* Metadata that we did not write (duckdb-iceberg's test tables: Spark, Flink, PyIceberg, DuckDB,
 * BigQuery). It is beside the repository or at LEAT_CORPORA. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "iceberg/metadata.h"
#include "test.h"

struct fixture {
    char root[512]; /* "": the corpora are absent */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    const char *given = getenv("LEAT_CORPORA");
    (void)snprintf(f->root, sizeof(f->root), "%s/iceberg/duckdb",
                   given ? given : "../../shared/corpora"); /* tests run in the build directory */
    if (!file_exists(f->root)) {
        print_message("skipped: no corpora at %s; set LEAT_CORPORA\n", f->root);
        f->root[0] = '\0';
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static struct iceberg_metadata *read_metadata(const char *path, struct error *err)
{
    struct buf data = {0};
    assert_true(file_read(path, 64 << 20, &data, err));
    struct iceberg_metadata *m = iceberg_metadata_parse(buf_str(&data), err);
    buf_release(&data);
    return m;
}

static bool is_metadata(const char *name)
{
    const char *found = strstr(name, ".metadata.json");
    return found && name[0] != '.' && (found[14] == '\0' || strcmp(found + 14, ".gz") == 0);
}

/* What holds for every table, and what a commit makes of it. */
static void look_at(const char *path, const struct iceberg_metadata *m)
{
    struct error err = {0};
    if (m->schema_count == 0 || m->spec_count == 0 || m->location[0] == '\0') {
        fail_msg("%s: has no schema, spec or location", path);
    }
    struct schema *model = iceberg_schema_model(m->schema, &err);
    if (!model) {
        print_message("%s: %s\n", path, err.message);
        err = (struct error){0};
    }
    schema_release(model);
    if (m->format_version > 1) {
        json_t *none = json_array();
        json_t *dropped = NULL;
        json_t *json = iceberg_metadata_apply(m, none, none, "x", &dropped, &err);
        struct iceberg_metadata *after = json ? iceberg_metadata_from(json, &err) : NULL;
        if (!after || after->snapshot_count != m->snapshot_count) {
            fail_msg("%s: %s", path, err.message);
        }
        json_decref(none);
        json_decref(dropped);
        iceberg_metadata_free(&after);
    }
}

/* BigQuery's placeholder for a table that has no data yet (an object with two keys), and files with
 * a snapshot id of more than 63 bits, which the specification does not have. */
static bool is_no_metadata(const char *path)
{
    return strstr(path, "big_query_error/metadata/v0.metadata.json") ||
           strstr(path, "vfinal.metadata.json");
}

static unsigned walk(const char *directory)
{
    struct file_names names = {0};
    struct error err = {0};
    unsigned count = 0;
    assert_true(file_list(directory, &names, &err));
    for (size_t i = 0; i < names.count; i++) {
        char path[2048];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names.names[i]);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            count += walk(path);
        } else if (is_metadata(names.names[i])) {
            struct iceberg_metadata *m = read_metadata(path, &err);
            if ((m == NULL) != is_no_metadata(path)) {
                fail_msg("%s: %s", path, err.message);
            }
            if (m) {
                look_at(path, m);
                iceberg_metadata_free(&m);
                count++;
            }
            err = (struct error){0};
        }
    }
    file_names_release(&names);
    return count;
}

static void metadata_of_other_writers_is_read(void **state)
{
    const struct fixture *f = *state;
    if (!f->root[0]) {
        skip();
    }
    unsigned count = walk(f->root);
    print_message("%u metadata files\n", count);
    assert_true(count >= 100);
}

static struct iceberg_metadata *open_one(const struct fixture *f, const char *name)
{
    char path[1024];
    struct error err = {0};
    if (!f->root[0]) {
        skip();
    }
    (void)snprintf(path, sizeof(path), "%s/%s", f->root, name);
    struct iceberg_metadata *m = read_metadata(path, &err);
    if (!m) {
        fail_msg("%s", err.message);
    }
    return m;
}

static void what_it_says_is_understood(void **state)
{
    struct iceberg_metadata *m = open_one(*state, "partition_bigint/metadata/v2.metadata.json");
    assert_int_equal(m->format_version, 2);
    assert_int_equal(m->current->id, 1919487672997309926);
    assert_int_equal(m->current->sequence_number, 1);
    assert_string_equal(iceberg_snapshot_summary(m->current, "total-records"), "2");
    assert_int_equal(m->schema->field_count, 3);
    assert_string_equal(m->spec->fields[0].name, "partition_col");
    assert_int_equal(m->spec->fields[0].transform.kind, LAKE_IDENTITY);
    assert_int_equal(m->spec->fields[0].result.kind, TYPE_INT64);
    iceberg_metadata_free(&m);
}

static void compressed_metadata_is_read(void **state)
{
    struct iceberg_metadata *m =
        open_one(*state, "iceberg/lineitem_iceberg_gz/metadata/v2.gz.metadata.json");
    assert_true(m->snapshot_count > 0);
    assert_int_equal(m->schema->field_count, 16);
    iceberg_metadata_free(&m);
}

static void version_1_with_its_singletons_is_read(void **state)
{
    struct iceberg_metadata *m =
        open_one(*state, "iceberg_v1_deprecated/default/legacy_v1/metadata/v2.metadata.json");
    assert_int_equal(m->format_version, 1);
    assert_true(m->schema->field_count > 0);
    assert_string_equal(m->spec->fields[0].name, "category");
    assert_true(m->spec->fields[0].field_id >= 1000);
    assert_non_null(m->current);
    iceberg_metadata_free(&m);
}

static void what_is_no_metadata_is_refused(void **state)
{
    const struct fixture *f = *state;
    char path[1024];
    struct error err = {0};
    if (!f->root[0]) {
        skip();
    }
    (void)snprintf(path, sizeof(path), "%s/bad_data/bad_iceberg_metadata.json", f->root);
    assert_null(read_metadata(path, &err));
    assert_int_equal(err.kind, ERROR_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_of_other_writers_is_read),
        cmocka_unit_test(what_it_says_is_understood),
        cmocka_unit_test(compressed_metadata_is_read),
        cmocka_unit_test(version_1_with_its_singletons_is_read),
        cmocka_unit_test(what_is_no_metadata_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
