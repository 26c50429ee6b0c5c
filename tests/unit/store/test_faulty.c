#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "store/faulty.h"
#include "temporary.h"
#include "test.h"

/* Runs fn in a child that then loses its power; paths are relative to `root`. */
static void crash_after(const char *root, void (*fn)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(root) != 0 || setenv("LEAT_FAULTY_ROOTS", "table:not/yet/there", 1) != 0 ||
            setenv("LEAT_FAILPOINT", "power", 1) != 0) {
            _exit(1);
        }
        faulty_install_from_environment();
        fn();
        failpoint("power");
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void write_text(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0) {
        _exit(3);
    }
}

static void must(bool ok)
{
    if (!ok) {
        _exit(4);
    }
}

static int set_up(void **state)
{
    char *root = calloc(1, 64);
    assert_non_null(root);
    temporary_make(root);
    char path[96];
    struct error err = {0};
    (void)snprintf(path, sizeof(path), "%s/table", root);
    assert_true(file_make_directories(path, &err));
    (void)snprintf(path, sizeof(path), "%s/table/old", root);
    assert_true(file_write(path, "before", 6, &err));
    *state = root;
    return 0;
}

static int tear_down(void **state)
{
    temporary_remove(*state);
    free(*state);
    return 0;
}

/* The content of a file below the root, or NULL when it is not there. */
static const char *content(const char *root, const char *name, struct buf *out)
{
    char path[128];
    struct error err = {0};
    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    buf_clear(out);
    return file_exists(path) && file_read(path, 1000, out, &err) ? buf_text(out) : NULL;
}

static void write_everything(void)
{
    struct error err = {0};
    must(file_make_directories("table/made/here", &err));
    must(file_write("table/made/here/kept", "kept", 4, &err));
    must(file_create("table/made/log", "log", 3, &err));
    write_text("table/made/here/name-only", "x", 0);
    must(file_sync_directory("table/made/here", &err));
    write_text("table/made/here/appended", "synced", 0);
    must(file_sync("table/made/here/appended", &err));
    must(file_sync_directory("table/made/here", &err));
    write_text("table/made/here/appended", " and not", O_APPEND);

    must(mkdir("table/lost-directory", 0755) == 0);
    write_text("table/lost-directory/file", "x", 0);
    must(file_sync("table/lost-directory/file", &err));
    must(file_sync_directory("table/lost-directory", &err));
    write_text("table/nothing-synced", "x", 0);
    write_text("table/name-lost", "x", 0);
    must(file_sync("table/name-lost", &err));
}

static void a_power_cut_drops_what_was_not_synced(void **state)
{
    struct buf out = {0};
    crash_after(*state, write_everything);
    assert_null(content(*state, "table/nothing-synced", &out));
    assert_null(content(*state, "table/name-lost", &out));
    assert_null(content(*state, "table/lost-directory/file", &out));
    assert_null(content(*state, "table/lost-directory", &out));
    assert_string_equal(content(*state, "table/made/here/name-only", &out), "");
    assert_string_equal(content(*state, "table/made/here/appended", &out), "synced");
    assert_string_equal(content(*state, "table/made/here/kept", &out), "kept");
    assert_string_equal(content(*state, "table/made/log", &out), "log");
    assert_string_equal(content(*state, "table/old", &out), "before");
    buf_release(&out);
}

static void overwrite_in_place(void)
{
    write_text("table/old", "AFTER!", 0);
}

static void content_overwritten_without_a_sync_is_lost(void **state)
{
    struct buf out = {0};
    crash_after(*state, overwrite_in_place);
    assert_string_equal(content(*state, "table/old", &out), "");
    buf_release(&out);
}

static void make_the_missing_root(void)
{
    struct error err = {0};
    must(file_make_directories("not/yet/there", &err));
    must(file_write("not/yet/there/kept", "kept", 4, &err));
    write_text("not/yet/there/lost", "x", 0);
    must(mkdir("not/yet/beside", 0755) == 0);
    write_text("outside", "x", 0);
}

static void a_root_that_was_made_later_is_watched_too(void **state)
{
    struct buf out = {0};
    crash_after(*state, make_the_missing_root);
    assert_string_equal(content(*state, "not/yet/there/kept", &out), "kept");
    assert_null(content(*state, "not/yet/there/lost", &out));
    assert_string_equal(content(*state, "outside", &out), "x");
    buf_release(&out);
}

#define test_with_root(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_root(a_power_cut_drops_what_was_not_synced),
        test_with_root(content_overwritten_without_a_sync_is_lost),
        test_with_root(a_root_that_was_made_later_is_watched_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
