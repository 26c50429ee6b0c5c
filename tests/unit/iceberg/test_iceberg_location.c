#include "iceberg/location.h"
#include "test.h"

static void assert_key(const char *location, const char *path, const char *expected)
{
    struct buf key = {0};
    struct error err = {0};
    bool ok = iceberg_location_key(location, path, &key, &err);
    if (expected) {
        assert_true(ok);
        assert_string_equal(buf_text(&key), expected);
    } else {
        assert_false(ok);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, path));
    }
    buf_release(&key);
}

static void test_files_below_the_location_have_a_key(void **state)
{
    (void)state;
    assert_key("file:///lake/t", "file:///lake/t/data/a.parquet", "data/a.parquet");
    assert_key("file:///lake/t/", "file:///lake/t/data/a.parquet", "data/a.parquet");
    assert_key("file:///lake/t", "file:///lake/t//data/a.parquet", "data/a.parquet");
    assert_key("s3://bucket/t", "s3://bucket/t/data/a.parquet", "data/a.parquet");
}

static void test_local_paths_are_the_same_in_all_their_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"file:///lake/t", "file:/lake/t", "/lake/t"};
    for (int i = 0; i < 3; i++) {
        assert_key(forms[i], "file:///lake/t/m/x.avro", "m/x.avro");
        assert_key(forms[i], "file:/lake/t/m/x.avro", "m/x.avro");
        assert_key(forms[i], "/lake/t/m/x.avro", "m/x.avro");
    }
}

static void test_paths_are_never_decoded(void **state)
{
    (void)state;
    assert_key("file:///lake/t", "file:///lake/t/p=a%20b/c.parquet", "p=a%20b/c.parquet");
    assert_key("file:///lake/a%20b", "file:///lake/a b/c.parquet", NULL);
}

static void test_files_outside_the_location_are_refused(void **state)
{
    (void)state;
    assert_key("file:///lake/t", "file:///lake/other/a.parquet", NULL);
    assert_key("file:///lake/t", "file:///lake/tables/a.parquet", NULL);
    assert_key("file:///lake/t", "file:///lake/t", NULL);
    assert_key("s3://bucket/t", "file:///bucket/t/a.parquet", NULL);
}

static void test_a_location_and_a_key_make_a_path(void **state)
{
    (void)state;
    static const char *const locations[] = {"file:///lake/t", "file:///lake/t/",
                                            "file:///lake/t//"};
    for (int i = 0; i < 3; i++) {
        struct buf path = {0};
        iceberg_location_join(locations[i], "data/a.parquet", &path);
        assert_string_equal(buf_text(&path), "file:///lake/t/data/a.parquet");
        buf_release(&path);
    }
}

static void test_only_local_locations_have_a_path(void **state)
{
    (void)state;
    assert_string_equal(iceberg_location_path("file:///lake/t"), "/lake/t");
    assert_string_equal(iceberg_location_path("file:/lake/t"), "/lake/t");
    assert_string_equal(iceberg_location_path("/lake/t"), "/lake/t");
    assert_null(iceberg_location_path("s3://bucket/t"));
    assert_null(iceberg_location_path("hdfs://host/t"));
}

static void test_a_path_out_of_the_location_by_dots_gets_no_key(void **state)
{
    (void)state;
    assert_key("file:///lake/t", "file:///lake/t/../other/a.parquet", NULL);
    assert_key("file:///lake/t", "file:///lake/t/data/../../../etc/passwd", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_below_the_location_have_a_key),
        cmocka_unit_test(test_local_paths_are_the_same_in_all_their_forms),
        cmocka_unit_test(test_paths_are_never_decoded),
        cmocka_unit_test(test_files_outside_the_location_are_refused),
        cmocka_unit_test(test_a_location_and_a_key_make_a_path),
        cmocka_unit_test(test_only_local_locations_have_a_path),
        cmocka_unit_test(test_a_path_out_of_the_location_by_dots_gets_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
