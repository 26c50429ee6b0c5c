#include "lake/history.h"
#include "table_fixture.h"

/* The history of the table as it is now. */
static struct lake_history *open_history(struct fixture *f)
{
    struct error err = {0};
    struct lake_options table = fixture_options(f, NULL);
    struct lake_history *h = iceberg_history.open(
        &(struct lake_history_options){.table = &table, .engine = f->connection, .to = -1}, &err);
    if (!h) {
        fail_msg("%s", err.message);
    }
    return h;
}

/* What the newest snapshot changed, a piece a line: "+ 100" rows came, "- 3" rows went. */
static const char *newest_changes(struct fixture *f)
{
    struct lake_history *h = open_history(f);
    struct lake_pieces pieces;
    struct error err = {0};
    struct buf text = {0};
    assert_true(h->version_count > 0);
    if (!h->type->changes(h, h->version_count - 1, &f->arena, &pieces, &err)) {
        fail_msg("%s", err.message);
    }
    for (uint32_t i = 0; i < pieces.count; i++) {
        const struct lake_piece *p = &pieces.items[i];
        uint64_t rows = p->only ? roaring_bitmap_get_cardinality(p->only) : p->row_count;
        rows -= p->without ? roaring_bitmap_get_cardinality(p->without) : 0;
        buf_append_format(&text, "%s%s %d", i > 0 ? "\n" : "", p->kind == LAKE_INSERTED ? "+" : "-",
                          (int)rows);
    }
    const char *copy = arena_string(&f->arena, buf_text(&text), text.size);
    buf_release(&text);
    lake_history_free(&h);
    return copy;
}

static bool carries_over(struct fixture *f)
{
    struct lake_history *h = open_history(f);
    struct lake_pieces pieces;
    struct error err = {0};
    assert_true(h->type->changes(h, h->version_count - 1, &f->arena, &pieces, &err));
    lake_history_free(&h);
    return pieces.carries_over;
}

static void refresh(struct fixture *f)
{
    struct error err = {0};
    bool changed = false;
    inside(f->table)->accept_foreign = true;
    if (!iceberg_lake.refresh(f->table, &changed, &err)) {
        fail_msg("%s", err.message);
    }
}

/* ---- versions ---- */

static void test_versions_are_told_oldest_first_with_what_leat_says_of_them(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    fixture_delete(f, slot, 3);
    struct lake_history *h = open_history(f);
    assert_int_equal(h->version_count, 2);
    assert_string_equal(h->versions[1].operation, "STREAM");
    assert_string_equal(h->versions[1].position, "20");
    assert_int_equal(h->versions[1].parent_id, h->versions[0].id);
    assert_int_equal(h->versions[0].parent_id, -1);
    assert_int_equal(h->versions[0].files_added, 1);
    assert_int_equal(h->versions[1].files_changed, 1);
    assert_string_equal(h->table_id, f->table->snapshot.table_id);
    lake_history_free(&h);
}

static void test_what_follows_an_expired_snapshot_is_lost(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct lake_pieces pieces;
    (void)fixture_add(f, 0, 100);
    (void)fixture_add(f, 100, 100);
    fixture_expire(f);
    struct lake_history *h = open_history(f);
    assert_int_equal(h->version_count, 1);
    assert_false(h->type->changes(h, 0, &f->arena, &pieces, &err));
    assert_int_equal(err.kind, ERROR_LOST);
    assert_non_null(strstr(err.message, "expired"));
    lake_history_free(&h);
}

/* ---- changes ---- */

static void test_the_first_snapshot_inserts_all_its_rows(void **state)
{
    struct fixture *f = *state;
    (void)fixture_add(f, 0, 100);
    assert_string_equal(newest_changes(f), "+ 100");
}

static void test_rows_deleted_in_place_are_those_that_were_not_before(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    fixture_delete(f, slot, 3);
    assert_string_equal(newest_changes(f), "- 3");
    fixture_delete(f, slot, 10);
    assert_string_equal(newest_changes(f), "- 7");
}

static void test_rows_that_are_no_longer_deleted_come_back(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    fixture_delete(f, slot, 10);
    fixture_delete(f, slot, 4);
    assert_string_equal(newest_changes(f), "+ 6");
}

static void test_a_removed_file_deletes_the_rows_that_were_left(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    fixture_delete(f, slot, 10);
    fixture_remove(f, slot);
    assert_string_equal(newest_changes(f), "- 90");
    assert_false(carries_over(f));
}

static void test_a_file_written_anew_carries_rows_over(void **state)
{
    struct fixture *f = *state;
    uint32_t slot = fixture_add(f, 0, 100);
    fixture_delete(f, slot, 10);
    struct lake_new_file file = fixture_file(f, 20, 80, NULL);
    struct lake_commit commit = fixture_commit(f);
    commit.removed = &slot;
    commit.removed_count = 1;
    commit.files = &file;
    commit.file_count = 1;
    uint32_t added = 0;
    fixture_run(f, &commit, &added);
    assert_string_equal(newest_changes(f), "+ 80\n- 90");
    assert_true(carries_over(f));
}

static void test_a_foreign_rewrite_changes_nothing(void **state)
{
    struct fixture *f = *state;
    (void)fixture_add(f, 0, 100);
    (void)fixture_foreign(f, "replace");
    assert_string_equal(newest_changes(f), "");
}

static void test_a_delete_file_may_be_about_many_files(void **state)
{
    struct fixture *f = *state;
    uint32_t first = fixture_add(f, 0, 100);
    uint32_t second = fixture_add(f, 100, 100);
    fixture_delete(f, second, 2);
    struct iceberg_entry entry = fixture_delete_file(
        f, arena_format(&f->arena,
                        "SELECT '%s' AS file_path, i::BIGINT AS pos FROM range(5) t(i) UNION ALL "
                        "SELECT '%s', i::BIGINT FROM range(4) t(i)",
                        uri_of(f, first), uri_of(f, second)));
    (void)fixture_foreign_deletes(f, &entry, 1);
    const char *found = newest_changes(f);
    if (strcmp(found, "- 5\n- 2") != 0) {
        assert_string_equal(found, "- 2\n- 5");
    }
    refresh(f);
    assert_int_equal(lake_table_file(f->table, first)->deleted_count, 5);
    assert_int_equal(lake_table_file(f->table, second)->deleted_count, 4);
}

static void test_deletes_of_many_files_stay_when_one_of_them_is_deleted_from_again(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t first = fixture_add(f, 0, 100);
    uint32_t second = fixture_add(f, 100, 100);
    struct iceberg_entry entry = fixture_delete_file(
        f, arena_format(&f->arena,
                        "SELECT '%s' AS file_path, i::BIGINT AS pos FROM range(5) t(i) UNION ALL "
                        "SELECT '%s', i::BIGINT FROM range(4) t(i)",
                        uri_of(f, first), uri_of(f, second)));
    (void)fixture_foreign_deletes(f, &entry, 1);
    refresh(f);
    fixture_delete(f, first, 8); /* its whole vector: the five, and three more */
    assert_string_equal(newest_changes(f), "- 3");
    struct lake_table *again = fixture_open(f, "shop", &err);
    assert_non_null(again);
    uint64_t deleted = 0;
    for (uint32_t i = 0; i < again->snapshot.slot_count; i++) {
        deleted += lake_table_file(again, i)->deleted_count;
    }
    assert_int_equal(deleted, 12);
    fixture_close(again);
}

static void test_deletes_of_files_that_are_gone_change_nothing(void **state)
{
    struct fixture *f = *state;
    (void)fixture_add(f, 0, 100);
    uint32_t gone = fixture_add(f, 100, 100);
    const char *uri = arena_format(&f->arena, "%s", uri_of(f, gone));
    fixture_remove(f, gone);
    struct iceberg_entry entry = fixture_delete_file(
        f, arena_format(&f->arena, "SELECT '%s' AS file_path, 3::BIGINT AS pos", uri));
    (void)fixture_foreign_deletes(f, &entry, 1);
    assert_string_equal(newest_changes(f), "");
    refresh(f);
    (void)fixture_add(f, 300, 7);
    assert_string_equal(newest_changes(f), "+ 7");
}

static void test_deletes_by_value_are_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    bool changed = false;
    (void)fixture_add(f, 0, 100);
    struct iceberg_entry entry =
        fixture_delete_file(f, "SELECT 'x' AS file_path, 3::BIGINT AS pos");
    entry.file.content = ICEBERG_EQUALITY_DELETES;
    entry.file.equality_ids = (int32_t[]){1};
    entry.file.equality_id_count = 1;
    (void)fixture_foreign_deletes(f, &entry, 1);
    inside(f->table)->accept_foreign = true;
    assert_false(iceberg_lake.refresh(f->table, &changed, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "equality deletes"));
    struct lake_history *h = open_history(f);
    struct lake_pieces pieces;
    assert_false(h->type->changes(h, h->version_count - 1, &f->arena, &pieces, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    lake_history_free(&h);
}

/* ---- compare ---- */

static void test_two_snapshots_are_compared_by_their_files(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    uint32_t kept = fixture_add_to(f, 0, 100, "a");
    uint32_t gone = fixture_add_to(f, 100, 50, "b");
    uint32_t same = fixture_add_to(f, 150, 10, "c");
    fixture_delete(f, kept, 2);
    struct lake_history *before = open_history(f);
    int64_t from_id = before->versions[before->version_count - 1].id;
    lake_history_free(&before);
    const char *kept_uri = arena_format(&f->arena, "%s", uri_of(f, kept));
    const char *gone_uri = arena_format(&f->arena, "%s", uri_of(f, gone));
    const char *same_uri = arena_format(&f->arena, "%s", uri_of(f, same));
    fixture_delete(f, kept, 9);
    fixture_remove(f, gone);
    (void)fixture_add_to(f, 200, 20, NULL);
    struct lake_history *h = open_history(f);
    struct lake_file_difference *found = NULL;
    uint32_t count = 0;
    size_t from = 0;
    assert_true(lake_history_find(h, from_id, &from, &err));
    if (!h->type->compare(h, from, h->version_count - 1, &f->arena, &found, &count, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_not_equal(found[i].path, same_uri);
        switch (found[i].kind) {
        case LAKE_FILE_ADDED:
            assert_int_equal(found[i].row_count, 20);
            assert_string_equal(found[i].partition, "p=null");
            break;
        case LAKE_FILE_REMOVED:
            assert_string_equal(found[i].path, gone_uri);
            assert_string_equal(found[i].partition, "p=b");
            break;
        case LAKE_FILE_CHANGED:
            assert_string_equal(found[i].path, kept_uri);
            assert_string_equal(found[i].partition, "p=a");
            assert_int_equal(found[i].deleted_before, 2);
            assert_int_equal(found[i].deleted_after, 9);
            break;
        }
    }
    lake_history_free(&h);
}

static int set_up_partitioned(void **state)
{
    return fixture_set_up_by(state, "p");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_versions_are_told_oldest_first_with_what_leat_says_of_them),
        TEST(test_what_follows_an_expired_snapshot_is_lost),
        TEST(test_the_first_snapshot_inserts_all_its_rows),
        TEST(test_rows_deleted_in_place_are_those_that_were_not_before),
        TEST(test_rows_that_are_no_longer_deleted_come_back),
        TEST(test_a_removed_file_deletes_the_rows_that_were_left),
        TEST(test_a_file_written_anew_carries_rows_over),
        TEST(test_a_foreign_rewrite_changes_nothing),
        TEST(test_a_delete_file_may_be_about_many_files),
        TEST(test_deletes_of_many_files_stay_when_one_of_them_is_deleted_from_again),
        TEST(test_deletes_of_files_that_are_gone_change_nothing),
        TEST(test_deletes_by_value_are_refused_by_name),
        cmocka_unit_test_setup_teardown(test_two_snapshots_are_compared_by_their_files,
                                        set_up_partitioned, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
