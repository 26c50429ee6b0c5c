#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "engine/engine.h"
#include "temporary.h"
#include "test.h"

static char directory[64];
static struct engine *engine;
static struct engine_connection *connection;

static int open_engine(void **state)
{
    (void)state;
    struct error err = {0};
    temporary_make(directory);
    engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE, .temp_directory = directory},
                         &err);
    connection = engine ? engine_connect(engine, &err) : NULL;
    return connection ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    engine_disconnect(&connection);
    engine_free(&engine);
    temporary_remove(directory);
    return 0;
}

static char *path_of(char *path, size_t size, const char *name)
{
    assert_true(snprintf(path, size, "%s/%s", directory, name) < (int)size);
    return path;
}

static void write_file(const char *path, const char *select)
{
    struct error err = {0};
    bool done = engine_write_parquet(connection, select, &(struct engine_parquet){.path = path},
                                     NULL, NULL, &err);
    assert_string_equal(err.message, "");
    assert_true(done);
}

static void query_is(const char *sql, const char *expected)
{
    struct error err = {0};
    struct buf text = {0};
    bool done = engine_query_text(connection, sql, &text, &err);
    assert_string_equal(err.message, "");
    assert_true(done);
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static void a_file_is_written_and_counted(void **state)
{
    (void)state;
    char path[256];
    path_of(path, sizeof(path), "it's \"one\".parquet");
    struct error err = {0};
    uint64_t row_count = 0;
    uint64_t size = 0;
    assert_true(engine_write_parquet(
        connection, "SELECT i AS id, 'v' || i AS v FROM range(100000) t(i) -- all",
        &(struct engine_parquet){.path = path, .row_group_size = 20480}, &row_count, &size, &err));
    assert_int_equal(row_count, 100000);
    uint64_t size_on_disk = 0;
    int64_t modified_ms = 0;
    assert_true(file_stat(path, &size_on_disk, &modified_ms, &err));
    assert_int_equal(size, size_on_disk);

    struct buf sql = {0};
    buf_append_text(&sql, "SELECT concat_ws(' ', any_value(compression), "
                          "count(DISTINCT row_group_id)) FROM parquet_metadata(");
    buf_append_literal(&sql, path);
    buf_append_text(&sql, ")");
    query_is(buf_text(&sql), "ZSTD 5");
    buf_release(&sql);
}

static void an_existing_file_is_not_touched(void **state)
{
    (void)state;
    char path[256];
    path_of(path, sizeof(path), "existing.parquet");
    struct error err = {0};
    assert_true(file_write(path, "x", 1, &err));
    assert_false(engine_write_parquet(connection, "SELECT 1 AS a",
                                      &(struct engine_parquet){.path = path}, NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    err = (struct error){0};
    struct buf content = {0};
    assert_true(file_read(path, 10, &content, &err));
    assert_string_equal(buf_text(&content), "x");
    buf_release(&content);
}

static void a_failure_leaves_no_file(void **state)
{
    (void)state;
    struct error err = {0};
    struct file_names before = {0};
    struct file_names after = {0};
    assert_true(file_list(directory, &before, &err));
    char path[256];
    path_of(path, sizeof(path), "failing.parquet");
    /* fails after several row groups have been written */
    assert_false(engine_write_parquet(
        connection,
        "SELECT CASE WHEN i = 400000 THEN 'x' ELSE i::VARCHAR END::BIGINT AS v FROM range(500000) t(i)",
        &(struct engine_parquet){.path = path, .row_group_size = 2048}, NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    err = (struct error){0};
    assert_true(file_list(directory, &after, &err));
    assert_int_equal(before.count, after.count);
    file_names_release(&before);
    file_names_release(&after);
}

static void a_hugeint_is_refused_and_not_written_as_a_double(void **state)
{
    (void)state;
    char path[256];
    path_of(path, sizeof(path), "hugeint.parquet");
    struct error err = {0};
    assert_false(engine_write_parquet(connection, "SELECT sum(i) AS total FROM range(3) t(i)",
                                      &(struct engine_parquet){.path = path}, NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_non_null(strstr(err.message, "column \"total\" has type HUGEINT"));
    assert_false(file_exists(path));
}

static void a_disk_that_takes_no_more_is_worth_another_try(void **state)
{
    (void)state;
    char path[256];
    path_of(path, sizeof(path), "full.parquet");
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit tight = {.rlim_cur = 1 << 16, .rlim_max = limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    struct error err = {0};
    const char *select = "SELECT hash(i)::VARCHAR AS v FROM range(100000) t(i)";
    bool done = engine_write_parquet(connection, select, &(struct engine_parquet){.path = path},
                                     NULL, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(done);
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_false(file_exists(path));
    write_file(path, select);
}

static void no_rows_make_an_empty_file(void **state)
{
    (void)state;
    char path[256];
    path_of(path, sizeof(path), "empty.parquet");
    struct error err = {0};
    uint64_t row_count = 1;
    assert_true(engine_write_parquet(connection, "SELECT 1 AS a WHERE false",
                                     &(struct engine_parquet){.path = path}, &row_count, NULL,
                                     &err));
    assert_int_equal(row_count, 0);
    assert_true(file_exists(path));
}

/* How rows are read back by position from files of different ages. schema=MAP{'name': ...} selects
 * by name, gives NULL for columns that a file lacks and casts the others; it fails together with
 * the option file_row_number=true, but file_row_number and file_index (0-based, in the order of the
 * list) are there without it, as virtual columns. The join's smallest and largest row number prune
 * row groups. Rows come in no particular order: carry a number. Paths are patterns: '*', '?' and
 * '[' in them would be expanded. */
static void rows_by_position_are_read_back_with_missing_columns_as_null(void **state)
{
    (void)state;
    char old[256];
    char new[256];
    path_of(old, sizeof(old), "old.parquet");
    path_of(new, sizeof(new), "new.parquet");
    write_file(old, "SELECT i::INTEGER AS id, i::DECIMAL(10,2) AS amount, 'a' || i AS name "
                    "FROM range(200000) t(i)");
    write_file(new, "SELECT 'b' || i AS name, i::BIGINT AS id, (i / 2)::DECIMAL(12,2) AS amount, "
                    "i % 2 = 0 AS even FROM range(1000) t(i)");

    int64_t files[] = {1, 0, 0, 1};
    int64_t rows[] = {999, 0, 199999, 7};
    int64_t numbers[] = {0, 1, 2, 3};
    const struct column columns[] = {{.type = {.kind = TYPE_INT64}, .values = files},
                                     {.type = {.kind = TYPE_INT64}, .values = rows},
                                     {.type = {.kind = TYPE_INT64}, .values = numbers}};
    const char *const names[] = {"file", "row", "n"};
    engine_bind(connection, 0, &(struct engine_input){names, columns, 3, 4});

    struct buf sql = {0};
    buf_append_text(&sql, "SELECT string_agg(concat_ws(' ', n, id, amount, name, "
                          "coalesce(even::VARCHAR, 'null'), typeof(id), typeof(amount)), ', ' "
                          "ORDER BY n) FROM read_parquet([");
    buf_append_literal(&sql, old);
    buf_append_text(&sql, ", ");
    buf_append_literal(&sql, new);
    buf_append_text(&sql, "], schema = MAP {"
                          "'id': {name: 'id', type: 'BIGINT', default_value: NULL},"
                          "'name': {name: 'name', type: 'VARCHAR', default_value: NULL},"
                          "'amount': {name: 'amount', type: 'DECIMAL(12,2)', default_value: NULL},"
                          "'even': {name: 'even', type: 'BOOLEAN', default_value: NULL}}) JOIN ");
    engine_append_slot(connection, 0, &sql);
    buf_append_text(&sql, " ON file_index = file AND file_row_number = row");
    query_is(buf_text(&sql), "0 999 499.50 b999 false BIGINT DECIMAL(12,2), "
                             "1 0 0.00 a0 null BIGINT DECIMAL(12,2), "
                             "2 199999 199999.00 a199999 null BIGINT DECIMAL(12,2), "
                             "3 7 3.50 b7 false BIGINT DECIMAL(12,2)");
    buf_release(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_written_and_counted),
        cmocka_unit_test(an_existing_file_is_not_touched),
        cmocka_unit_test(a_failure_leaves_no_file),
        cmocka_unit_test(a_hugeint_is_refused_and_not_written_as_a_double),
        cmocka_unit_test(a_disk_that_takes_no_more_is_worth_another_try),
        cmocka_unit_test(no_rows_make_an_empty_file),
        cmocka_unit_test(rows_by_position_are_read_back_with_missing_columns_as_null),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
