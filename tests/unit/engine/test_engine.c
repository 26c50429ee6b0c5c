#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "test.h"

struct fixture {
    struct engine *engine;
    struct engine_connection *connection;
    struct error err;
};

static void fixture_open(struct fixture *f, enum engine_kind kind)
{
    *f = (struct fixture){0};
    f->engine = engine_open(&(struct engine_options){.kind = kind}, &f->err);
    assert_string_equal(f->err.message, "");
    f->connection = engine_connect(f->engine, &f->err);
    assert_non_null(f->connection);
}

static void fixture_close(struct fixture *f)
{
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
}

static void slot_sql(struct fixture *f, uint32_t slot, const char *before, const char *after,
                     struct buf *sql)
{
    buf_clear(sql);
    buf_append_text(sql, before);
    engine_append_slot(f->connection, slot, sql);
    buf_append_text(sql, after);
}

enum { ROWS = 5000 };

/* A column of one type whose values differ by row, every third null. */
static struct column make_column(struct arena *a, struct type type)
{
    struct column c = {.type = type};
    size_t width = type_width(type);
    uint8_t *values = arena_zalloc(a, ROWS * width);
    c.values = values;
    size_t words = (ROWS + 63) / 64;
    c.valid = arena_array(a, words, sizeof(uint64_t));
    memset(c.valid, 0xFF, words * sizeof(uint64_t));
    for (uint32_t row = 0; row < ROWS; row++) {
        if (row % 3 == 2) {
            bit_clear(c.valid, row);
            continue;
        }
        uint8_t *value = values + row * width;
        if (type_is_text_or_binary(type)) {
            char *text =
                arena_format(a, "%s%u", row % 2 ? "a value that is not inlined " : "v", row);
            *(struct view *)(void *)value = view_from(text, strlen(text));
        } else if (type.kind == TYPE_BOOL) {
            *value = row % 2;
        } else {
            memcpy(value, &row, width < sizeof(row) ? width : sizeof(row));
        }
    }
    return c;
}

static const struct type all_types[] = {
    {.kind = TYPE_BOOL},        {.kind = TYPE_INT16},   {.kind = TYPE_INT32},
    {.kind = TYPE_INT64},       {.kind = TYPE_FLOAT32}, {.kind = TYPE_FLOAT64},
    {TYPE_DECIMAL, 4, 2},       {TYPE_DECIMAL, 9, 0},   {TYPE_DECIMAL, 18, 5},
    {TYPE_DECIMAL, 38, 10},     {.kind = TYPE_STRING},  {.kind = TYPE_BINARY},
    {.kind = TYPE_DATE},        {.kind = TYPE_TIME},    {.kind = TYPE_TIMESTAMP},
    {.kind = TYPE_TIMESTAMPTZ}, {.kind = TYPE_UUID},
};
enum { ALL_TYPES = sizeof(all_types) / sizeof(all_types[0]) };

static void assert_same_rows(const struct column *a, uint32_t row_a, const struct column *b,
                             uint32_t row_b)
{
    assert_true(type_equal(a->type, b->type));
    assert_int_equal(column_is_valid(a, row_a), column_is_valid(b, row_b));
    size_t width = type_width(a->type);
    const char *x = (const char *)a->values + row_a * width;
    const char *y = (const char *)b->values + row_b * width;
    if (type_is_text_or_binary(a->type)) {
        struct str s = view_str((const struct view *)(const void *)x);
        struct str t = view_str((const struct view *)(const void *)y);
        assert_true(str_equal(s, t));
    } else {
        assert_memory_equal(x, y, width);
    }
}

static void every_type_goes_in_and_comes_out_unchanged(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    struct arena a = {0};
    struct column columns[ALL_TYPES];
    const char *names[ALL_TYPES];
    for (uint32_t i = 0; i < ALL_TYPES; i++) {
        columns[i] = make_column(&a, all_types[i]);
        names[i] = arena_format(&a, "c%u", i);
    }
    engine_bind(f.connection, 1, &(struct engine_input){names, columns, ALL_TYPES, ROWS});
    struct buf sql = {0};
    slot_sql(&f, 1, "SELECT * FROM ", "", &sql);
    struct engine_rows *rows = engine_query(f.connection, buf_text(&sql), &f.err);
    assert_string_equal(f.err.message, "");
    assert_int_equal(engine_rows_column_count(rows), ALL_TYPES);
    uint32_t total = 0;
    for (uint32_t count = 1; count > 0; total += count) {
        const struct column *out = NULL;
        assert_true(engine_rows_next(rows, &out, &count, &f.err));
        for (uint32_t i = 0; i < ALL_TYPES; i++) {
            for (uint32_t row = 0; row < count; row++) {
                assert_same_rows(&columns[i], total + row, &out[i], row);
            }
        }
    }
    assert_int_equal(total, ROWS);
    assert_string_equal(engine_rows_name(rows, 3), "c3");
    engine_rows_free(&rows);
    buf_release(&sql);
    arena_release(&a);
    fixture_close(&f);
}

static void values_mean_the_same_inside(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    struct uuid u = {{0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd,
                      0x38, 0x0a, 0x11}};
    __int128 decimal = -123456;
    int64_t ts = 1704164645123456;
    struct view json = view_from("{\"a\": [1, 2]}", 13);
    const struct column columns[] = {
        {.type = {.kind = TYPE_UUID}, .values = &u},
        {.type = {TYPE_DECIMAL, 38, 2}, .values = &decimal},
        {.type = {.kind = TYPE_TIMESTAMPTZ}, .values = &ts},
        {.type = {.kind = TYPE_JSON}, .values = &json},
    };
    const char *const names[] = {"u", "d", "ts", "j"};
    engine_bind(f.connection, 0, &(struct engine_input){names, columns, 4, 1});
    struct buf sql = {0};
    slot_sql(&f, 0, "SELECT concat_ws('|', u, d, ts, j->>'$.a[1]') FROM ", "", &sql);
    struct buf text = {0};
    assert_true(engine_query_text(f.connection, buf_text(&sql), &text, &f.err));
    assert_string_equal(buf_text(&text), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|-1234.56|2024-01-02 "
                                         "03:04:05.123456+00|2");
    buf_release(&text);
    buf_release(&sql);
    fixture_close(&f);
}

static void a_prepared_statement_sees_the_rows_bound_last(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    int64_t values[3] = {1, 2, 3};
    const struct column column = {.type = {.kind = TYPE_INT64}, .values = values};
    const char *const name = "x";
    engine_bind(f.connection, 0, &(struct engine_input){&name, &column, 1, 3});
    struct buf sql = {0};
    slot_sql(&f, 0, "SELECT sum(x)::BIGINT, count(*) FROM ", "", &sql);
    struct engine_statement *s = engine_prepare(f.connection, buf_text(&sql), &f.err);
    assert_non_null(s);
    for (uint32_t i = 3; i > 0; i--) {
        values[0] = 100 * i;
        engine_bind(f.connection, 0, &(struct engine_input){&name, &column, 1, i});
        struct engine_rows *rows = engine_run(s, &f.err);
        assert_non_null(rows);
        const struct column *out = NULL;
        uint32_t count = 0;
        assert_true(engine_rows_next(rows, &out, &count, &f.err));
        assert_int_equal(*(int64_t *)out[0].values, 100 * i + (i > 1 ? 2 : 0) + (i > 2 ? 3 : 0));
        assert_int_equal(*(int64_t *)out[1].values, i);
        engine_rows_free(&rows);
    }

    const struct column other = {.type = {.kind = TYPE_FLOAT64}, .values = values};
    engine_bind(f.connection, 0, &(struct engine_input){&name, &other, 1, 3});
    struct engine_rows *rows = engine_run(s, &f.err);
    assert_null(rows);
    assert_non_null(strstr(f.err.message, "other columns"));
    engine_statement_free(&s);
    buf_release(&sql);
    fixture_close(&f);
}

static void connections_do_not_see_each_others_slots(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    struct engine_connection *second = engine_connect(f.engine, &f.err);
    int64_t one = 1;
    int64_t two = 2;
    const struct column a = {.type = {.kind = TYPE_INT64}, .values = &one};
    const struct column b = {.type = {.kind = TYPE_INT64}, .values = &two};
    const char *const name = "x";
    engine_bind(f.connection, 0, &(struct engine_input){&name, &a, 1, 1});
    engine_bind(second, 0, &(struct engine_input){&name, &b, 1, 1});
    struct buf sql = {0};
    buf_append_text(&sql, "SELECT x FROM ");
    engine_append_slot(second, 0, &sql);
    int64_t value = 0;
    assert_true(engine_query_int64(second, buf_text(&sql), &value, &f.err));
    assert_int_equal(value, 2);
    engine_disconnect(&second);
    assert_false(engine_query_int64(f.connection, buf_text(&sql), &value, &f.err));
    assert_int_equal(f.err.kind, ERROR_DATA);
    buf_release(&sql);
    fixture_close(&f);
}

static void refused(struct fixture *f, const char *sql, const char *message)
{
    struct error err = {0};
    struct engine_rows *rows = engine_query(f->connection, sql, &err);
    assert_null(rows);
    assert_int_equal(err.kind, ERROR_DATA);
    assert_non_null(strstr(err.message, message));
}

static void types_without_a_counterpart_are_refused_by_name(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    refused(&f, "SELECT sum(1::BIGINT) AS total",
            "column \"total\" has type HUGEINT: cast it to decimal(38,0) or bigint");
    refused(&f, "SELECT 1::UBIGINT AS u", "column \"u\" has type UBIGINT");
    refused(&f, "SELECT interval 1 day AS i", "INTERVAL");
    refused(&f, "SELECT [1] AS l", "LIST");
    refused(&f, "SELECT {'a': 1} AS s", "STRUCT");
    refused(&f, "SELECT 'a'::ENUM('a') AS e", "ENUM");
    refused(&f, "SELECT '2024-01-01'::TIMESTAMP_NS AS t", "TIMESTAMP_NS");
    fixture_close(&f);
}

static void failures_say_what_to_do_next(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    struct error err = {0};
    assert_false(engine_execute(f.connection, "SELEC 1", &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_null(strchr(err.message, '\n'));
    assert_null(strstr(err.message, "LINE 1"));

    err = (struct error){0};
    int64_t value = 0;
    assert_false(engine_query_int64(f.connection, "SELECT 'x'::BIGINT", &value, &err));
    assert_int_equal(err.kind, ERROR_DATA);

    err = (struct error){0};
    assert_true(engine_execute(f.connection, "SET memory_limit = '20MB'", &err));
    assert_false(engine_execute(f.connection,
                                "CREATE TABLE t AS SELECT repeat('x', 1000) || i AS v "
                                "FROM range(1000000) r(i)",
                                &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    fixture_close(&f);
}

static void a_failure_in_the_middle_of_a_result_is_reported(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    struct engine_rows *rows =
        engine_query(f.connection,
                     "SELECT CASE WHEN i = 4000000 THEN 'x' ELSE i::VARCHAR END::BIGINT AS v "
                     "FROM range(5000000) t(i)",
                     &f.err);
    assert_non_null(rows);
    const struct column *columns = NULL;
    uint32_t count = 1;
    int64_t total = 0;
    bool done = true;
    while (done && count > 0) {
        done = engine_rows_next(rows, &columns, &count, &f.err);
        total += done ? count : 0;
    }
    assert_false(done);
    assert_int_equal(f.err.kind, ERROR_DATA);
    assert_true(total > 0 && total <= 4000000);
    engine_rows_free(&rows);
    int64_t value = 0;
    f.err = (struct error){0};
    assert_true(engine_query_int64(f.connection, "SELECT 1", &value, &f.err));
    fixture_close(&f);
}

/* Text is checked where it comes in, because this is what happens otherwise. */
static void an_invalidated_instance_is_fatal(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    struct view bad = view_from("\xff\xfe and more than twelve bytes", 31);
    const struct column column = {.type = {.kind = TYPE_STRING}, .values = &bad};
    const char *const name = "x";
    engine_bind(f.connection, 0, &(struct engine_input){&name, &column, 1, 1});
    struct buf sql = {0};
    slot_sql(&f, 0, "SELECT upper(x) FROM ", "", &sql);
    struct buf text = {0};
    assert_false(engine_query_text(f.connection, buf_text(&sql), &text, &f.err));
    assert_int_equal(f.err.kind, ERROR_FATAL);
    int64_t value = 0;
    f.err = (struct error){0};
    assert_false(engine_query_int64(f.connection, "SELECT 1", &value, &f.err));
    assert_int_equal(f.err.kind, ERROR_FATAL);
    buf_release(&text);
    buf_release(&sql);
    fixture_close(&f);
}

static void one_value_is_one_row_and_column(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_FILE);
    int64_t value = 0;
    struct error err = {0};
    assert_true(engine_query_int64(f.connection, "SELECT 7::SMALLINT", &value, &err));
    assert_int_equal(value, 7);
    static const char *const wrong[] = {"SELECT 1 WHERE false",      "SELECT 1, 2",
                                        "SELECT NULL::BIGINT",       "SELECT * FROM range(2)",
                                        "SELECT * FROM range(2049)", "SELECT 'x'"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        err = (struct error){0};
        assert_false(engine_query_int64(f.connection, wrong[i], &value, &err));
        assert_int_equal(err.kind, ERROR_DATA);
    }
    fixture_close(&f);
}

static void the_time_zone_is_utc_whatever_the_environment_says(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    struct fixture f;
    fixture_open(&f, ENGINE_USER);
    struct buf text = {0};
    assert_true(engine_query_text(f.connection, "SELECT '2024-01-01'::TIMESTAMPTZ::VARCHAR", &text,
                                  &f.err));
    assert_string_equal(buf_text(&text), "2024-01-01 00:00:00+00");
    buf_release(&text);
    fixture_close(&f);
    assert_int_equal(unsetenv("TZ"), 0);
}

static void user_sql_reaches_nothing_outside(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, ENGINE_USER);
    static const char *const attempts[] = {
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/leat-user-copy.csv'",
        "ATTACH '/tmp/leat-user.db'",
        "SET enable_external_access = true",
        "SET TimeZone = 'Asia/Tokyo'",
        "INSTALL httpfs",
        "LOAD httpfs",
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        struct error err = {0};
        assert_false(engine_execute(f.connection, attempts[i], &err));
        assert_int_equal(err.kind, ERROR_DATA);
    }
    struct buf text = {0};
    assert_true(
        engine_query_text(f.connection, "SELECT json_serialize_sql('SELECT 1')", &text, &f.err));
    buf_release(&text);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_goes_in_and_comes_out_unchanged),
        cmocka_unit_test(values_mean_the_same_inside),
        cmocka_unit_test(a_prepared_statement_sees_the_rows_bound_last),
        cmocka_unit_test(connections_do_not_see_each_others_slots),
        cmocka_unit_test(types_without_a_counterpart_are_refused_by_name),
        cmocka_unit_test(failures_say_what_to_do_next),
        cmocka_unit_test(a_failure_in_the_middle_of_a_result_is_reported),
        cmocka_unit_test(an_invalidated_instance_is_fatal),
        cmocka_unit_test(one_value_is_one_row_and_column),
        cmocka_unit_test(the_time_zone_is_utc_whatever_the_environment_says),
        cmocka_unit_test(user_sql_reaches_nothing_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
