#include "store/store.h"
#include "temporary.h"
#include "test.h"

struct fixture {
    char path[64];
    char root[96]; /* below path; not there yet */
    struct store *store;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    assert_non_null(f);
    temporary_make(f->path);
    (void)snprintf(f->root, sizeof(f->root), "%s/lake/table", f->path);
    f->store = store_open(f->root, &err);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_free(&f->store);
    temporary_remove(f->path);
    free(f);
    return 0;
}

static void assert_content(struct store *s, const char *key, const char *expected)
{
    struct buf out = {0};
    struct error err = {0};
    assert_true(store_get(s, key, 1000, &out, &err));
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
}

static void an_object_is_created_once(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_true(store_put_if_absent(f->store, "_log/1.json", str_from("one"), &err));
    assert_false(store_put_if_absent(f->store, "_log/1.json", str_from("two"), &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_content(f->store, "_log/1.json", "one");
}

static void put_replaces(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_true(store_put(f->store, "a/hint", str_from("one"), &err));
    assert_true(store_put(f->store, "a/hint", str_from("two"), &err));
    assert_content(f->store, "a/hint", "two");
}

static void an_absent_object_is_a_conflict_to_read_and_fine_to_remove(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    struct error err = {0};
    assert_false(store_get(f->store, "nothing", 10, &out, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    err = (struct error){0};
    assert_false(store_fetch(f->store, "nothing", &out, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    err = (struct error){0};
    assert_true(store_remove(f->store, "nothing", &err));
    buf_release(&out);
}

static void an_object_larger_than_asked_for_is_not_read(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    struct error err = {0};
    assert_true(store_put(f->store, "x", str_from("12345"), &err));
    assert_false(store_get(f->store, "x", 4, &out, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    buf_release(&out);
}

static void a_list_is_sorted_starts_where_asked_and_has_files_only(void **state)
{
    struct fixture *f = *state;
    struct store_entries e = {0};
    struct error err = {0};
    assert_true(store_list(f->store, "log", "", &e, &err));
    assert_int_equal(e.count, 0);
    store_entries_release(&e);

    static const char *const keys[] = {"log/3", "log/1", "log/2", "log/below/4", "log/.tmp-x"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(store_put(f->store, keys[i], str_from("abc"), &err));
    }
    assert_true(store_list(f->store, "log", "2", &e, &err));
    assert_int_equal(e.count, 2);
    assert_string_equal(e.items[0].name, "2");
    assert_string_equal(e.items[1].name, "3");
    assert_int_equal(e.items[0].size, 3);
    assert_true(e.items[0].modified_ms > 1500000000000);
    store_entries_release(&e);
}

static void a_staged_file_is_published_under_its_key(void **state)
{
    struct fixture *f = *state;
    struct buf path = {0};
    struct error err = {0};
    const char *key = "day=1/hour=2/part";
    assert_true(store_stage(f->store, key, &path, &err));
    FILE *file = fopen(buf_text(&path), "w");
    assert_non_null(file);
    assert_true(fputs("rows", file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_true(store_publish(f->store, &key, 1, &err));
    assert_content(f->store, key, "rows");

    buf_clear(&path);
    assert_true(store_fetch(f->store, key, &path, &err));
    assert_true(file_exists(buf_text(&path)));
    buf_release(&path);
}

static void publishing_what_was_not_staged_fails(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    const char *key = "nothing";
    assert_false(store_publish(f->store, &key, 1, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
}

static void keys_do_not_lead_out_of_the_root(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"",     "/etc/passwd", "../x", "a/../../x",
                                       "a//b", "./a",         "a/",   ".."};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct error err = {0};
        assert_false(store_put(f->store, keys[i], str_from("x"), &err));
        assert_int_equal(err.kind, ERROR_DATA);
    }
    struct error err = {0};
    assert_true(store_put(f->store, "a/..b/...", str_from("x"), &err));
}

static void locations_are_paths_or_file_urls(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_true(store_put(f->store, "x", str_from("content"), &err));
    static const char *const forms[] = {"%s/", "file://%s", "file://localhost%s/"};
    for (size_t i = 0; i < 3; i++) {
        struct buf url = {0};
        for (const char *p = forms[i]; *p; p++) {
            if (p[0] == '%') {
                buf_append_text(&url, f->root);
                p++;
            } else {
                buf_append_char(&url, *p);
            }
        }
        struct store *s = store_open(buf_text(&url), &err);
        assert_non_null(s);
        assert_content(s, "x", "content");
        store_free(&s);
        buf_release(&url);
    }
}

static void other_locations_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"s3://bucket/x", "file://host/x", "", "file:///a%zz"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err = {0};
        assert_null(store_open(bad[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

static size_t synced_directories;

static void count_file(const char *path)
{
    (void)path;
}

static void count_directory(const char *path)
{
    (void)path;
    synced_directories++;
}

static void publish_syncs_each_directory_once(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    static const char *const keys[] = {"a/1", "a/2", "a/b/3", "4"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(store_put(f->store, keys[i], str_from("x"), &err));
    }
    static const struct file_observer observer = {count_file, count_directory};
    synced_directories = 0;
    file_observe(&observer);
    bool ok = store_publish(f->store, keys, 4, &err);
    file_observe(NULL);
    assert_true(ok);
    assert_int_equal(synced_directories, 3); /* the root, a, a/b */
}

#define test_with_store(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_store(an_object_is_created_once),
        test_with_store(put_replaces),
        test_with_store(an_absent_object_is_a_conflict_to_read_and_fine_to_remove),
        test_with_store(an_object_larger_than_asked_for_is_not_read),
        test_with_store(a_list_is_sorted_starts_where_asked_and_has_files_only),
        test_with_store(a_staged_file_is_published_under_its_key),
        test_with_store(publishing_what_was_not_staged_fails),
        test_with_store(keys_do_not_lead_out_of_the_root),
        test_with_store(locations_are_paths_or_file_urls),
        cmocka_unit_test(other_locations_are_refused_by_name),
        test_with_store(publish_syncs_each_directory_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
