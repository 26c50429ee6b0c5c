#include <stdlib.h>
#include <unistd.h>

#include "catalog/location.h"
#include "catalog/metadata_file.h"
#include "test.h"

static void assert_resolved(const char *location, const char *expected)
{
    struct error err = {0};
    struct buf out = {0};
    if (!location_resolve(location, &out, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
}

static void assert_refused(const char *location)
{
    struct error err = {0};
    struct buf out = {0};
    assert_false(location_resolve(location, &out, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    buf_release(&out);
}

static void paths_become_absolute_uris(void **state)
{
    (void)state;
    assert_resolved("/lake/iceberg", "file:///lake/iceberg");
    assert_resolved("/lake//iceberg///", "file:///lake/iceberg");
    assert_resolved("/lake/./a/../b", "file:///lake/b");
    assert_resolved("/../a", "file:///a");
    assert_resolved("file:///lake/t", "file:///lake/t");
    assert_resolved("file:/lake/t/", "file:///lake/t");
    assert_resolved("file://localhost/lake/t", "file:///lake/t");
    assert_resolved("/lake/with blank", "file:///lake/with blank");
    assert_resolved("s3://bucket/lake/", "s3://bucket/lake");
}

static void relative_paths_begin_at_the_working_directory(void **state)
{
    (void)state;
    char *directory = getcwd(NULL, 0);
    char expected[5000];
    assert_non_null(directory);
    (void)snprintf(expected, sizeof(expected), "file://%s/lake/b", directory);
    assert_resolved("lake/b", expected);
    assert_resolved("./lake/a/../b/", expected);
    free(directory);
}

static void locations_that_are_read_differently_are_refused(void **state)
{
    (void)state;
    static const char *const locations[] = {"",     "/",   "/a%20b",    "/a?b",
                                            "/a#b", "/..", "file:lake", "file://"};
    for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++) {
        assert_refused(locations[i]);
    }
}

static bool append_name(const char *level, const char *table, struct buf *out, struct error *err)
{
    struct iceberg_name name = {.namespace = &level, .level_count = 1, .table = table};
    return location_append_name(&name, out, err);
}

static void names_are_directories(void **state)
{
    (void)state;
    struct error err = {0};
    struct buf out = {0};
    assert_true(append_name("shop", "Orders 1", &out, &err));
    assert_string_equal(buf_text(&out), "/shop/Orders 1");
    buf_release(&out);
    static const char *const wrong[] = {"", ".", "..", "a/b", "a%b", "/", "a?b"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        err = (struct error){0};
        assert_false(append_name(wrong[i], "t", &out, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        err = (struct error){0};
        assert_false(append_name("n", wrong[i], &out, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
    buf_release(&out);
}

static void names_of_metadata_files_say_their_number(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t number;
        bool is_versioned;
    } cases[] = {
        {"v1.metadata.json", 1, true},
        {"v0.metadata.json", 0, true},
        {"v1749025517.gz.metadata.json", 1749025517, true},
        {"v12.metadata.json.gz", 12, true},
        {"00007-8e0437dd-32a4-4e40-bf9d-4f3c28a967fe.metadata.json", 7, false},
        {"00007-8e0437dd-32a4-4e40-bf9d-4f3c28a967fe.gz.metadata.json", 7, false},
        {"00002-legacy-bare-dv.metadata.json", 2, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct metadata_file file;
        assert_true(metadata_file_parse(cases[i].name, &file));
        assert_int_equal(file.number, cases[i].number);
        assert_int_equal(file.is_versioned, cases[i].is_versioned);
    }
    static const char *const others[] = {"",
                                         "v.metadata.json",
                                         "v3.1.metadata.json",
                                         "vfinal.metadata.json",
                                         "v1.json",
                                         ".v1.metadata.json.crc",
                                         "v1.metadata.json.crc",
                                         "v-1.metadata.json",
                                         "7.metadata.json",
                                         "00001.metadata.json",
                                         "snap-1.avro",
                                         "v1metadata.json",
                                         "v9999999999999999999.metadata.json",
                                         "version-hint.text",
                                         "00001-.metadata.jsonx"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct metadata_file file;
        if (metadata_file_parse(others[i], &file)) {
            fail_msg("%s", others[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_absolute_uris),
        cmocka_unit_test(relative_paths_begin_at_the_working_directory),
        cmocka_unit_test(locations_that_are_read_differently_are_refused),
        cmocka_unit_test(names_are_directories),
        cmocka_unit_test(names_of_metadata_files_say_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
