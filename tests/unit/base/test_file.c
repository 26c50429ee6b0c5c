#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "test.h"

static char directory[] = "/tmp/leat-file-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    struct error err = {0};
    return file_remove_tree(directory, &err) && !file_exists(directory) ? 0 : 1;
}

static void assert_content(const char *path, const char *expected)
{
    struct error err = {0};
    struct buf content = {0};
    assert_true(file_read(path, 1000, &content, &err));
    assert_string_equal(buf_text(&content), expected);
    buf_release(&content);
}

static size_t count_files(void)
{
    struct error err = {0};
    struct file_names names = {0};
    assert_true(file_list(directory, &names, &err));
    size_t count = names.count;
    file_names_release(&names);
    return count;
}

static void writing_replaces_and_leaves_nothing_else(void **state)
{
    (void)state;
    struct error err = {0};
    const char *path = path_of("written");
    size_t before = count_files();
    assert_true(file_write(path, "one", 3, &err));
    assert_content(path, "one");
    assert_true(file_write(path, "", 0, &err));
    assert_content(path, "");
    assert_int_equal(count_files(), before + 1);
}

static void creating_never_overwrites(void **state)
{
    (void)state;
    struct error err = {0};
    const char *path = path_of("created");
    size_t before = count_files();
    assert_true(file_create(path, "one", 3, &err));
    assert_false(file_create(path, "two", 3, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(err.message, path));
    assert_content(path, "one");
    assert_int_equal(count_files(), before + 1);
}

static void creating_where_there_is_no_directory_fails_without_traces(void **state)
{
    (void)state;
    struct error err = {0};
    assert_false(file_create(path_of("absent/x"), "one", 3, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_false(file_exists(path_of("absent")));
}

static void reading_is_bounded(void **state)
{
    (void)state;
    struct error err = {0};
    struct buf content = {0};
    const char *path = path_of("bounded");
    assert_true(file_write(path, "12345", 5, &err));
    assert_true(file_read(path, 5, &content, &err));
    assert_false(file_read(path, 4, &content, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    buf_release(&content);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    struct buf content = {0};
    assert_false(file_read(path_of("missing"), 5, &content, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "missing\": No such file"));
    err = (struct error){0};
    assert_true(file_remove(path_of("missing"), &err));
    assert_true(file_remove_tree(path_of("missing"), &err));
}

static void directories_are_made_with_parents_and_listed_sorted(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(file_make_directories(path_of("d/e/f"), &err));
    assert_true(file_make_directories(path_of("d/e/f"), &err));
    assert_true(file_write(path_of("d/b"), "", 0, &err));
    assert_true(file_write(path_of("d/a"), "", 0, &err));
    struct file_names names = {0};
    assert_true(file_list(path_of("d"), &names, &err));
    assert_int_equal(names.count, 3);
    assert_string_equal(names.names[0], "a");
    assert_string_equal(names.names[1], "b");
    assert_string_equal(names.names[2], "e");
    file_names_release(&names);
    assert_true(file_list(path_of("nowhere"), &names, &err));
    assert_int_equal(names.count, 0);
    assert_true(file_remove_tree(path_of("d"), &err));
    assert_false(file_exists(path_of("d")));
}

static void removing_a_tree_does_not_follow_links(void **state)
{
    (void)state;
    struct error err = {0};
    assert_true(file_make_directories(path_of("kept"), &err));
    assert_true(file_write(path_of("kept/x"), "", 0, &err));
    assert_true(file_make_directories(path_of("tree"), &err));
    char target[256];
    (void)snprintf(target, sizeof(target), "%s", path_of("kept"));
    assert_int_equal(symlink(target, path_of("tree/link")), 0);
    assert_true(file_remove_tree(path_of("tree"), &err));
    assert_true(file_exists(path_of("kept/x")));
}

static void size_and_time_are_those_of_the_file(void **state)
{
    (void)state;
    struct error err = {0};
    uint64_t size = 0;
    int64_t modified_ms = 0;
    assert_true(file_write(path_of("sized"), "12345", 5, &err));
    assert_true(file_stat(path_of("sized"), &size, &modified_ms, &err));
    assert_int_equal(size, 5);
    struct stat st;
    assert_int_equal(stat(path_of("sized"), &st), 0);
    assert_int_equal(modified_ms / 1000, st.st_mtim.tv_sec);
}

static char events[8][64];
static size_t event_count;

static void note(const char *what, const char *path)
{
    const char *slash = strrchr(path, '/');
    assert_true(event_count < 8);
    (void)snprintf(events[event_count++], 64, "%s %.5s", what, slash + 1);
}

static void note_file(const char *path)
{
    note("file", path);
}

static void note_directory(const char *path)
{
    note("directory", path);
}

static void a_write_is_synced_content_first_then_name(void **state)
{
    (void)state;
    static const struct file_observer observer = {note_file, note_directory};
    struct error err = {0};
    file_observe(&observer);
    event_count = 0;
    bool done = file_write(path_of("synced"), "x", 1, &err);
    size_t written = event_count;
    done = done && file_create(path_of("fresh"), "x", 1, &err);
    file_observe(NULL);
    assert_true(done);
    assert_int_equal(written, 3);
    assert_int_equal(event_count, 6);
    for (size_t i = 0; i < 6; i += 3) {
        assert_string_equal(events[i], "file .tmp-");
        assert_string_equal(events[i + 1], i == 0 ? "file synce" : "file fresh");
        assert_string_equal(events[i + 2], "directory leat-");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_replaces_and_leaves_nothing_else),
        cmocka_unit_test(creating_never_overwrites),
        cmocka_unit_test(creating_where_there_is_no_directory_fails_without_traces),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(directories_are_made_with_parents_and_listed_sorted),
        cmocka_unit_test(removing_a_tree_does_not_follow_links),
        cmocka_unit_test(size_and_time_are_those_of_the_file),
        cmocka_unit_test(a_write_is_synced_content_first_then_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
