#include "cli/bookmark.h"
#include "temporary.h"
#include "test.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    temporary_make(directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    temporary_remove(directory);
    return 0;
}

static const struct lake_history_type type = {.name = "delta"};

/* Versions 4, 5, 6 of table "one". */
static const struct lake_version versions[] = {
    {.id = 4, .parent_id = 3}, {.id = 5, .parent_id = 4}, {.id = 6, .parent_id = 5}};
static const struct lake_history history = {
    .type = &type, .table_id = "one", .versions = versions, .version_count = 3};

static void write_at(int64_t version)
{
    struct error err = {0};
    struct bookmark b;
    assert_true(bookmark_open(&b, directory, "mine", BOOKMARK_HOLD, &err));
    assert_true(bookmark_write(&b, &history, "lake/one", version, &err));
    bookmark_release(&b);
}

static bool find_in(const struct lake_history *h, size_t *next, struct error *err)
{
    struct bookmark b;
    assert_true(bookmark_open(&b, directory, "mine", BOOKMARK_LOOK, err));
    assert_true(b.exists);
    bool found = bookmark_find(&b, h, next, err);
    bookmark_release(&b);
    return found;
}

static void a_new_bookmark_holds_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    struct bookmark b;
    assert_true(bookmark_open(&b, directory, "mine", BOOKMARK_HOLD, &err));
    assert_false(b.exists);
    bookmark_release(&b);
}

static void the_next_version_is_the_one_behind_it(void **state)
{
    (void)state;
    struct error err = {0};
    size_t next = 99;
    write_at(4);
    assert_true(find_in(&history, &next, &err));
    assert_int_equal(next, 1);
    write_at(6);
    assert_true(find_in(&history, &next, &err));
    assert_int_equal(next, 3);
}

static void the_version_itself_may_be_gone(void **state)
{
    (void)state;
    struct error err = {0};
    size_t next = 99;
    write_at(3);
    assert_true(find_in(&history, &next, &err));
    assert_int_equal(next, 0);

    static const struct lake_history_type iceberg = {.name = "iceberg"};
    static const struct lake_version orphan = {.id = 4, .parent_id = -1};
    struct lake_history left = {
        .type = &type, .table_id = "one", .versions = &orphan, .version_count = 1};
    next = 99;
    assert_true(find_in(&left, &next, &err));
    assert_int_equal(next, 0);
    left.type = &iceberg; /* its numbers say nothing */
    assert_false(find_in(&left, &next, &err));
    assert_int_equal(err.kind, ERROR_LOST);
}

static void a_gap_is_lost(void **state)
{
    (void)state;
    for (int64_t version = 2; version <= 7; version += 5) {
        struct error err = {0};
        size_t next = 99;
        write_at(version);
        assert_false(find_in(&history, &next, &err));
        assert_int_equal(err.kind, ERROR_LOST);
        assert_non_null(strstr(err.message, "--reset"));
    }
}

static void another_table_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    size_t next = 99;
    struct lake_history other = history;
    other.table_id = "two";
    write_at(5);
    assert_false(find_in(&other, &next, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "belongs to another table (\"lake/one\", id one)"));
    assert_non_null(strstr(err.message, "--reset"));
}

static void one_process_holds_it(void **state)
{
    (void)state;
    struct error err = {0};
    struct bookmark first;
    struct bookmark second;
    assert_true(bookmark_open(&first, directory, "mine", BOOKMARK_HOLD, &err));
    assert_false(bookmark_open(&second, directory, "mine", BOOKMARK_HOLD, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    bookmark_release(&second);
    err = (struct error){0};
    assert_true(bookmark_open(&second, directory, "mine", BOOKMARK_LOOK, &err));
    bookmark_release(&second);
    assert_true(bookmark_open(&second, directory, "other", BOOKMARK_HOLD, &err));
    bookmark_release(&second);
    bookmark_release(&first);
    assert_true(bookmark_open(&second, directory, "mine", BOOKMARK_HOLD, &err));
    bookmark_release(&second);
}

static void write_file(const char *text)
{
    struct error err = {0};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/bookmarks/mine.json", directory);
    assert_true(file_write(path, text, strlen(text), &err));
}

static void damage_is_named_and_can_be_reset(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{\"formatVersion\": 2}",
        "{\"formatVersion\": 1, \"tableId\": \"one\", \"location\": \"x\"}",
        "{\"formatVersion\": 1, \"tableId\": 1, \"location\": \"x\", \"version\": 4}",
        "{\"formatVersion\": 1, \"tableId\": \"one\", \"location\": \"x\", \"version\": 4",
    };
    write_at(4);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = {0};
        struct bookmark b;
        write_file(texts[i]);
        assert_false(bookmark_open(&b, directory, "mine", BOOKMARK_HOLD, &err));
        bookmark_release(&b);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "--reset"));
        err = (struct error){0};
        assert_true(bookmark_open(&b, directory, "mine", BOOKMARK_RESET, &err));
        assert_false(b.exists);
        bookmark_release(&b);
    }
}

static void names_cannot_leave_the_directory(void **state)
{
    (void)state;
    assert_true(bookmark_name_is_good("nightly-1_a.B"));
    static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "a b", "ä", "a\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(bookmark_name_is_good(bad[i]));
    }
}

int main(void)
{
#define test(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        test(a_new_bookmark_holds_nothing),     test(the_next_version_is_the_one_behind_it),
        test(the_version_itself_may_be_gone),   test(a_gap_is_lost),
        test(another_table_is_refused),         test(one_process_holds_it),
        test(damage_is_named_and_can_be_reset), cmocka_unit_test(names_cannot_leave_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
