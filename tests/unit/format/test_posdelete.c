/* Position delete files, read back by the engine, whose Parquet reader is not ours. */
#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "engine/engine.h"
#include "format/posdelete.h"
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

/* Writes positions.parquet and returns its size. */
static size_t write_file(struct str path, const roaring_bitmap_t *positions)
{
    struct error err = {0};
    struct buf out = {0};
    char name[128];
    (void)snprintf(name, sizeof(name), "%s/positions.parquet", directory);
    posdelete_encode(path, positions, &out);
    assert_false(out.failed);
    assert_true(file_write(name, out.data, out.size, &err));
    size_t size = out.size;
    buf_release(&out);
    return size;
}

/* `sql` has one %s: the file as a literal. */
static void query_is(const char *sql, const char *expected)
{
    struct error err = {0};
    struct buf text = {0};
    struct buf query = {0};
    const char *at = strstr(sql, "%s");
    assert_non_null(at);
    buf_append(&query, sql, (size_t)(at - sql));
    buf_append_format(&query, "'%s/positions.parquet'", directory);
    buf_append_text(&query, at + 2);
    bool done = engine_query_text(connection, buf_text(&query), &text, &err);
    assert_string_equal(err.message, "");
    assert_true(done);
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
    buf_release(&query);
}

static const char path[] = "s3://bucket/a table/data/é=1/00000-0-x.parquet";

static void both_columns_are_required_and_have_their_ids(void **state)
{
    (void)state;
    roaring_bitmap_t *positions = roaring_bitmap_of(3, 0, 7, 4000000000u);
    write_file(str_from(path), positions);
    query_is("SELECT string_agg(concat_ws(' ', name, type, repetition_type, converted_type, "
             "logical_type, field_id, num_children), ', ') FROM parquet_schema(%s)",
             "table 2, " /* the root has no repetition */
             "file_path BYTE_ARRAY REQUIRED UTF8 StringType() 2147483546, "
             "pos INT64 REQUIRED 2147483545");
    query_is("SELECT created_by || ' ' || num_rows || ' ' || num_row_groups "
             "FROM parquet_file_metadata(%s)",
             "leat version " LEAT_VERSION " 3 1");
    query_is(
        "SELECT string_agg(key::VARCHAR || '=' || left(value::VARCHAR, 24), ', ' ORDER BY key) "
        "FROM parquet_kv_metadata(%s)",
        "delete-type=position, iceberg.schema={\\x22type\\x22:\\x22struct");
    roaring_bitmap_free(positions);
}

static void rows_are_the_path_and_the_positions_in_order(void **state)
{
    (void)state;
    roaring_bitmap_t *positions = roaring_bitmap_of(3, 4000000000u, 7, 0);
    write_file(str_from(path), positions);
    query_is("SELECT string_agg(file_path || ' ' || pos, ', ') FROM read_parquet(%s)",
             "s3://bucket/a table/data/é=1/00000-0-x.parquet 0, "
             "s3://bucket/a table/data/é=1/00000-0-x.parquet 7, "
             "s3://bucket/a table/data/é=1/00000-0-x.parquet 4000000000");
    roaring_bitmap_free(positions);
}

static void statistics_are_exact_however_long_the_path(void **state)
{
    (void)state;
    roaring_bitmap_t *positions = roaring_bitmap_of(2, 5, 300);
    char name[1000];
    memset(name, 'x', sizeof(name));
    write_file((struct str){name, sizeof(name)}, positions);
    query_is("SELECT string_agg(concat_ws(' ', path_in_schema, length(stats_min_value), "
             "stats_min_value = stats_max_value, stats_null_count, stats_min_value[1:3], "
             "num_values, compression, encodings), '; ') FROM parquet_metadata(%s)",
             "file_path 1000 true 0 xxx 2 ZSTD PLAIN, RLE, RLE_DICTIONARY; "
             "pos 1 false 0 5 2 ZSTD PLAIN, RLE");
    roaring_bitmap_free(positions);
}

static void filters_that_use_the_statistics_find_the_rows(void **state)
{
    (void)state;
    roaring_bitmap_t *positions = roaring_bitmap_from_range(10, 30, 1);
    write_file(str_from(path), positions);
    query_is("SELECT count(*)::VARCHAR FROM read_parquet(%s) WHERE pos BETWEEN 20 AND 22 AND "
             "file_path = 's3://bucket/a table/data/é=1/00000-0-x.parquet'",
             "3");
    query_is("SELECT count(*)::VARCHAR FROM read_parquet(%s) WHERE pos >= 30", "0");
    query_is("SELECT count(*)::VARCHAR FROM read_parquet(%s) WHERE file_path = 's3'", "0");
    roaring_bitmap_free(positions);
}

/* Where pages end, and far beyond. */
static void every_number_of_rows_is_written_and_read(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 63, 64, 65, 19999, 20000, 20001, 40000, 250000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        roaring_bitmap_t *positions = roaring_bitmap_from_range(3, 3 + (uint64_t)counts[i] * 5, 5);
        write_file(str_from(path), positions);
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "%u %u 3 %u true", counts[i], counts[i],
                       3 + (counts[i] - 1) * 5);
        query_is("SELECT concat_ws(' ', count(*), count(DISTINCT pos), min(pos), max(pos), "
                 "bool_and(file_path = 's3://bucket/a table/data/é=1/00000-0-x.parquet')) "
                 "FROM read_parquet(%s)",
                 expected);
        roaring_bitmap_free(positions);
    }
}

static void the_path_costs_nothing_for_each_row(void **state)
{
    (void)state;
    roaring_bitmap_t *one = roaring_bitmap_of(1, 1);
    roaring_bitmap_t *many = roaring_bitmap_from_range(0, 1000000, 10);
    assert_true(write_file(str_from(path), one) < 1200);
    assert_true(write_file(str_from(path), many) < 100000 * 3);
    query_is("SELECT (total_compressed_size < 400)::VARCHAR FROM parquet_metadata(%s) "
             "WHERE path_in_schema = 'file_path'",
             "true");
    roaring_bitmap_free(one);
    roaring_bitmap_free(many);
}

static void a_path_out_of_proportion_fails(void **state)
{
    (void)state;
    struct buf out = {0};
    size_t size = ((size_t)1 << 20) + 1;
    char *name = calloc(1, size);
    roaring_bitmap_t *positions = roaring_bitmap_of(1, 1);
    assert_non_null(name);
    posdelete_encode((struct str){name, size}, positions, &out);
    assert_true(out.failed);
    roaring_bitmap_free(positions);
    free(name);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_columns_are_required_and_have_their_ids),
        cmocka_unit_test(rows_are_the_path_and_the_positions_in_order),
        cmocka_unit_test(statistics_are_exact_however_long_the_path),
        cmocka_unit_test(filters_that_use_the_statistics_find_the_rows),
        cmocka_unit_test(every_number_of_rows_is_written_and_read),
        cmocka_unit_test(the_path_costs_nothing_for_each_row),
        cmocka_unit_test(a_path_out_of_proportion_fails),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
