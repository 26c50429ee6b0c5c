/* Views over made-up tables: the same few data files under many names. */
#include <roaring/roaring.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "lake/view.h"
#include "temporary.h"
#include "test.h"

enum { ID, DAY, NAME, COLUMN_COUNT };

struct fixture {
    char directory[64];
    struct engine *engine;
    struct engine_connection *connection;
    struct arena arena;
    struct lake_type type;
    struct lake_table table;
    struct lake_partition_field partition;
    uint32_t capacity;
    struct error err;
};

static struct schema *make_schema(void)
{
    struct schema *s = schema_new(COLUMN_COUNT);
    s->columns[ID] = (struct schema_column){.name = "id", .type = {.kind = TYPE_INT64}};
    s->columns[DAY] = (struct schema_column){.name = "a \"day\"", .type = {.kind = TYPE_DATE}};
    s->columns[NAME] = (struct schema_column){.name = "name", .type = {.kind = TYPE_STRING}};
    schema_seal(s);
    return s;
}

static int open_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    temporary_make(f->directory);
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE, .threads = 2}, &f->err);
    f->connection = engine_connect(f->engine, &f->err);
    f->table.type = &f->type;
    f->table.store = store_open(f->directory, &f->err);
    f->table.snapshot.exists = true;
    f->table.snapshot.schema = make_schema();
    f->partition = (struct lake_partition_field){.name = "a \"day\"", .column = DAY};
    f->table.snapshot.partition = &f->partition;
    f->table.snapshot.partition_count = 1;
    f->capacity = 8000;
    f->table.files = arena_zalloc(&f->arena, f->capacity * sizeof(struct lake_file *));
    assert_string_equal(f->err.message, "");
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < f->table.snapshot.slot_count; i++) {
        if (f->table.files[i] && f->table.files[i]->deleted) {
            roaring_bitmap_free(f->table.files[i]->deleted);
        }
    }
    schema_release(f->table.snapshot.schema);
    store_free(&f->table.store);
    arena_release(&f->arena);
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    temporary_remove(f->directory);
    free(f);
    return 0;
}

/* Ten rows: id 0..9 and a name. */
static void write_data(struct fixture *f, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", f->directory, name);
    assert_true(engine_write_parquet(f->connection,
                                     "SELECT range AS id, 'n' || range AS name FROM range(10)",
                                     &(struct engine_parquet){.path = path}, NULL, NULL, &f->err));
}

static struct lake_file *add_file(struct fixture *f, const char *path, const char *day)
{
    struct lake_file *file = arena_zalloc(&f->arena, sizeof(*file));
    const char **values = arena_array(&f->arena, 1, sizeof(*values));
    assert_true(f->table.snapshot.slot_count < f->capacity);
    values[0] = day;
    *file = (struct lake_file){
        .slot = f->table.snapshot.slot_count, .path = path, .partition = values, .row_count = 10};
    f->table.files[f->table.snapshot.slot_count++] = file;
    return file;
}

static void delete_rows(struct lake_file *file, uint32_t first, uint32_t count)
{
    roaring_bitmap_t *rows = roaring_bitmap_create();
    roaring_bitmap_add_range(rows, first, first + count);
    file->deleted = rows;
    file->deleted_count = count;
}

static void make_view(struct fixture *f)
{
    bool done = lake_view_create(&f->table, f->connection, "s \"1\"", "it's", &f->err);
    assert_string_equal(f->err.message, "");
    assert_true(done);
}

/* A number that SQL finds; T stands for the view. */
static int64_t ask(struct fixture *f, const char *sql)
{
    struct buf text = {0};
    int64_t number = -1;
    for (const char *p = sql; *p; p++) {
        if (*p == 'T') {
            buf_append_text(&text, "\"s \"\"1\"\"\".\"it's\"");
        } else {
            buf_append_char(&text, *p);
        }
    }
    bool done = engine_query_int64(f->connection, buf_text(&text), &number, &f->err);
    buf_release(&text);
    assert_string_equal(f->err.message, "");
    assert_true(done);
    return number;
}

static void a_view_has_the_columns_and_types_of_its_table(void **state)
{
    struct fixture *f = *state;
    struct buf text = {0};
    write_data(f, "a.parquet");
    add_file(f, "a.parquet", "2026-11-21");
    make_view(f);
    assert_true(
        engine_query_text(f->connection,
                          "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY "
                          "column_index) FROM duckdb_columns() WHERE table_name = 'it''s'",
                          &text, &f->err));
    assert_string_equal(buf_text(&text), "id BIGINT, a \"day\" DATE, name VARCHAR");
    assert_int_equal(ask(f, "select count(*) from T where \"a \"\"day\"\"\" = '2026-11-21'"), 10);
    assert_int_equal(ask(f, "select id from T where name = 'n7'"), 7);
    buf_release(&text);
}

static void a_table_without_files_is_a_view_without_rows(void **state)
{
    struct fixture *f = *state;
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T"), 0);
    assert_int_equal(ask(f, "select count(id) + count(name) from T"), 0);
}

static void files_that_are_gone_do_not_count(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    add_file(f, "gone.parquet", NULL);
    add_file(f, "a.parquet", NULL);
    f->table.files[0] = NULL;
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T where \"a \"\"day\"\"\" is null"), 10);
}

static void deleted_rows_are_left_out_of_their_own_file_only(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    write_data(f, "b.parquet");
    write_data(f, "c.parquet");
    delete_rows(add_file(f, "a.parquet", "2026-11-20"), 0, 3);
    add_file(f, "b.parquet", "2026-11-20");
    delete_rows(add_file(f, "c.parquet", "2026-11-21"), 9, 1);
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T"), 26);
    assert_int_equal(ask(f, "select count(*) from T where id = 0"), 2);
    assert_int_equal(ask(f, "select count(*) from T where id = 9"), 2);
    assert_int_equal(ask(f, "select count(*) from T where \"a \"\"day\"\"\" = '2026-11-21'"), 9);
    assert_int_equal(ask(f, "select sum(id)::bigint from T"), 3 * 45 - 3 - 9);
}

static void a_file_all_of_whose_rows_are_deleted_shows_none(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    delete_rows(add_file(f, "a.parquet", NULL), 0, 10);
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T"), 0);
}

static void many_deleted_rows_of_one_file(void **state)
{
    struct fixture *f = *state;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", f->directory, "big.parquet");
    assert_true(engine_write_parquet(f->connection,
                                     "SELECT range AS id, NULL::VARCHAR AS name FROM range(200000)",
                                     &(struct engine_parquet){.path = path}, NULL, NULL, &f->err));
    struct lake_file *file = add_file(f, "big.parquet", NULL);
    file->row_count = 200000;
    delete_rows(file, 1000, 150000);
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T"), 50000);
    assert_int_equal(ask(f, "select count(*) from T where id between 1000 and 150999"), 0);
}

/* A partition that a condition leaves out is not opened: its file is no Parquet. */
static void a_condition_on_a_partition_spares_the_files_of_others(void **state)
{
    struct fixture *f = *state;
    struct str rubbish = str_from("not Parquet");
    write_data(f, "a.parquet");
    assert_true(store_put(f->table.store, "b.parquet", rubbish, &f->err));
    add_file(f, "a.parquet", "2026-11-20");
    add_file(f, "b.parquet", "2026-11-21");
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T where \"a \"\"day\"\"\" < '2026-11-21'"), 10);
}

static void add_days(struct fixture *f, uint32_t days, uint32_t files_a_day)
{
    for (uint32_t i = 0; i < days * files_a_day; i++) {
        struct lake_file *file =
            add_file(f, "a.parquet", arena_format(&f->arena, "%04u-02-03", 1000 + i / files_a_day));
        if (i % 7 == 0) {
            delete_rows(file, 4, 2);
        }
    }
}

static void check_days(struct fixture *f, uint32_t days, uint32_t files_a_day)
{
    uint32_t files = days * files_a_day;
    uint32_t holed = (files + 6) / 7;
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T"), files * 10 - holed * 2);
    assert_int_equal(ask(f, "select count(distinct \"a \"\"day\"\"\") from T"), days);
    assert_int_equal(ask(f, "select count(*) from T where id = 4"), files - holed);
    assert_int_equal(
        ask(f, "select count(*) from T where \"a \"\"day\"\"\" = '1001-02-03' and id = 3"),
        files_a_day);
    assert_int_equal(ask(f, "select count(*) from T a join T b using (\"a \"\"day\"\"\", id) where "
                            "\"a \"\"day\"\"\" = '1002-02-03' and id = 9"),
                     files_a_day * files_a_day);
}

static void more_partitions_than_one_union_takes(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    add_days(f, 150, 2);
    check_days(f, 150, 2);
}

static void more_partitions_than_are_read_one_by_one(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    add_days(f, 1001, 1);
    check_days(f, 1001, 1);
}

static void more_files_than_one_scan_takes(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    for (uint32_t i = 0; i < 4100; i++) {
        add_file(f, "a.parquet", NULL);
    }
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T where id = 1"), 4100);
}

/* As of writers that adopt directories of Hive: the file holds id and name only. */
static void a_value_that_the_table_knows_need_not_be_in_the_file(void **state)
{
    struct fixture *f = *state;
    static const int32_t ids[COLUMN_COUNT] = {[ID] = 7, [DAY] = 8, [NAME] = 9};
    static const struct lake_file_value first[] = {{5, "of no column"}, {8, "2026-11-20"}};
    static const struct lake_file_value second[] = {{8, NULL}};
    const char *const names[] = {"id", "name"};
    const int32_t file_ids[] = {7, 9};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/a.parquet", f->directory);
    const struct engine_parquet options = {
        .path = path, .field_ids = file_ids, .names = names, .column_count = 2};
    assert_true(engine_write_parquet(f->connection,
                                     "SELECT range AS id, 'n' || range AS name FROM range(10)",
                                     &options, NULL, NULL, &f->err));
    f->type.files_hold_partition = true;
    f->table.snapshot.column_ids = ids;
    struct lake_file *file = add_file(f, "a.parquet", NULL);
    file->values = first;
    file->value_count = 2;
    file = add_file(f, "a.parquet", NULL);
    file->values = second;
    file->value_count = 1;
    add_file(f, "a.parquet", NULL);
    make_view(f);
    assert_int_equal(ask(f, "select count(*) from T where \"a \"\"day\"\"\" = '2026-11-20'"), 10);
    assert_int_equal(ask(f, "select count(*) from T where \"a \"\"day\"\"\" is null"), 20);
    assert_int_equal(ask(f, "select count(*) from T where name = 'n' || id"), 30);
}

static void a_missing_file_is_named(void **state)
{
    struct fixture *f = *state;
    add_file(f, "missing.parquet", NULL);
    assert_false(lake_view_create(&f->table, f->connection, "s", "t", &f->err));
    assert_non_null(strstr(f->err.message, "missing.parquet"));
}

static void the_function_of_deleted_rows_takes_any_numbers(void **state)
{
    struct fixture *f = *state;
    write_data(f, "a.parquet");
    delete_rows(add_file(f, "a.parquet", NULL), 3, 1);
    make_view(f);
    assert_int_equal(ask(f, "select \"s \"\"1\"\"_is_deleted\"(0, 3)::int"), 1);
    assert_int_equal(
        ask(f, "select sum(\"s \"\"1\"\"_is_deleted\"(a, b)::int)::int from (values (0, -1), (-1, "
               "3), (1, 3), (9223372036854775807, 3), (0, 4294967299)) v(a, b)"),
        0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_view_has_the_columns_and_types_of_its_table),
        TEST(a_table_without_files_is_a_view_without_rows),
        TEST(files_that_are_gone_do_not_count),
        TEST(deleted_rows_are_left_out_of_their_own_file_only),
        TEST(a_file_all_of_whose_rows_are_deleted_shows_none),
        TEST(many_deleted_rows_of_one_file),
        TEST(a_condition_on_a_partition_spares_the_files_of_others),
        TEST(more_partitions_than_one_union_takes),
        TEST(more_partitions_than_are_read_one_by_one),
        TEST(more_files_than_one_scan_takes),
        TEST(a_value_that_the_table_knows_need_not_be_in_the_file),
        TEST(a_missing_file_is_named),
        TEST(the_function_of_deleted_rows_takes_any_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
