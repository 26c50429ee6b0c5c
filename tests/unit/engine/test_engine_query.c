/* What SQL of users over files needs: an engine closed for everything else, results in types of the
 * model. */
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "temporary.h"
#include "test.h"

static char directory[64];
static struct engine *engine;
static struct engine_connection *connection;
static struct error err;

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static int open_engine(void **state)
{
    (void)state;
    err = (struct error){0};
    temporary_make(directory);
    const struct engine_options options = {.kind = ENGINE_FILE,
                                           .memory_bytes = 64 << 20,
                                           .temp_directory = path_of("spill"),
                                           .threads = 2};
    engine = engine_open(&options, &err);
    connection = engine ? engine_connect(engine, &err) : NULL;
    assert_string_equal(err.message, "");
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    engine_disconnect(&connection);
    engine_free(&engine);
    temporary_remove(directory);
    return 0;
}

static void write_file(const char *path)
{
    assert_true(engine_write_parquet(connection, "SELECT 1 AS a UNION ALL SELECT 2",
                                     &(struct engine_parquet){.path = path}, NULL, NULL, &err));
}

/* SELECT ... read_parquet('<path>'). */
static const char *select_from(const char *path)
{
    static char sql[512];
    struct buf text = {0};
    buf_append_text(&text, "SELECT count(*) FROM read_parquet(");
    engine_append_path(path, &text);
    buf_append_text(&text, ")");
    (void)snprintf(sql, sizeof(sql), "%s", buf_text(&text));
    buf_release(&text);
    return sql;
}

static void a_confined_engine_reads_the_files_it_was_given_and_no_other(void **state)
{
    (void)state;
    const char *given = path_of("a [1]*.parquet"); /* characters of patterns */
    const char *other = path_of("other.parquet");
    int64_t count = 0;
    write_file(given);
    write_file(other);
    assert_true(engine_confine(connection, &given, 1, &err));
    assert_true(engine_query_int64(connection, select_from(given), &count, &err));
    assert_int_equal(count, 2);
    struct error refused = {0};
    assert_false(engine_query_int64(connection, select_from(other), &count, &refused));
    assert_non_null(strstr(refused.message, "disabled by configuration"));
}

static void a_view_over_given_files_outlives_the_confinement(void **state)
{
    (void)state;
    const char *given = path_of("x.parquet");
    char sql[600];
    int64_t count = 0;
    write_file(given);
    (void)snprintf(sql, sizeof(sql), "CREATE VIEW v AS %s", select_from(given));
    assert_true(engine_execute(connection, sql, &err));
    assert_true(engine_confine(connection, &given, 1, &err));
    assert_true(engine_query_int64(connection, "FROM v", &count, &err));
    assert_int_equal(count, 2);
}

static void a_confined_engine_stays_so_and_reaches_nothing_outside(void **state)
{
    (void)state;
    const char *given = path_of("x.parquet");
    write_file(given);
    assert_true(engine_confine(connection, &given, 1, &err));
    static const char *const attempts[] = {
        "SET enable_external_access = true",
        "SET GLOBAL allowed_paths = ['/etc/passwd']",
        "SET allowed_directories = ['/etc']",
        "SET lock_configuration = false",
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "FROM read_blob('/proc/self/environ')",
        "FROM glob('/etc/*')",
        "FROM '/etc/passwd.csv'",
        "FROM read_parquet('https://localhost/x.parquet')",
        "COPY (SELECT 1) TO '/tmp/leat-test-copy.csv'",
        "ATTACH '/tmp/leat-test-attach.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "EXPORT DATABASE '/tmp/leat-test-export'",
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        struct error refused = {0};
        if (engine_execute(connection, attempts[i], &refused)) {
            fail_msg("was let through: %s", attempts[i]);
        }
    }
}

static void an_engine_confined_to_nothing_computes(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(engine_confine(connection, NULL, 0, &err));
    assert_true(engine_query_int64(connection, "SELECT 6 * 7", &value, &err));
    assert_int_equal(value, 42);
}

static void a_confined_engine_spills_to_its_own_directory(void **state)
{
    (void)state;
    int64_t count = 0;
    assert_true(engine_confine(connection, NULL, 0, &err));
    bool done = engine_execute(connection,
                               "CREATE TABLE t AS SELECT range AS id, repeat(range::VARCHAR, 20) "
                               "AS text FROM range(2000000)",
                               &err) &&
                engine_query_int64(connection,
                                   "SELECT count(*) FROM t WHERE text = repeat(id::VARCHAR, 20)",
                                   &count, &err);
    assert_string_equal(err.message, "");
    assert_true(done);
    assert_int_equal(count, 2000000);
}

/* The first row of a query made readable: "name type value, ..." */
static void read_first(const char *sql, struct buf *out)
{
    struct buf readable = {0};
    const struct column *columns = NULL;
    uint32_t count = 0;
    buf_clear(out);
    assert_true(engine_append_readable(connection, sql, &readable, &err));
    struct engine_rows *rows = engine_query(connection, buf_text(&readable), &err);
    assert_string_equal(err.message, "");
    assert_true(engine_rows_next(rows, &columns, &count, &err));
    for (uint32_t i = 0; i < engine_rows_column_count(rows); i++) {
        buf_append_format(out, "%s%s ", i > 0 ? ", " : "", engine_rows_name(rows, i));
        engine_append_type(engine_rows_type(rows, i), out);
        if (type_is_text_or_binary(columns[i].type) && column_is_valid(&columns[i], 0)) {
            struct str text = view_str(columns[i].values);
            buf_append_format(out, " %.*s", str_arg(text));
        }
    }
    engine_rows_free(&rows);
    buf_release(&readable);
}

static void results_come_in_types_of_the_model(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT 1 AS a", "a INTEGER"},
        {"SELECT {'x': 1, 'y': [true]} AS s", "s VARCHAR {\"x\":1,\"y\":[true]}"},
        {"SELECT [1, NULL] AS l, map {'k': 2} AS m", "l VARCHAR [1,null], m VARCHAR {\"k\":2}"},
        {"SELECT [1, 2]::INTEGER[2] AS a", "a VARCHAR [1,2]"},
        {"SELECT sum(x) AS s FROM (VALUES (1), (2)) t(x)", "s DECIMAL(38,0)"},
        {"SELECT 1::TINYINT AS a, 1::UTINYINT AS b", "a SMALLINT, b SMALLINT"},
        {"SELECT 1::USMALLINT AS a, 1::UINTEGER AS b", "a INTEGER, b BIGINT"},
        {"SELECT 1::UBIGINT AS a, 1::UHUGEINT AS b", "a DECIMAL(20,0), b DECIMAL(38,0)"},
        {"SELECT INTERVAL 3 DAYS AS i, NULL AS n", "i VARCHAR 3 days, n INTEGER"},
        {"SELECT TIMESTAMP_NS '2026-11-21 01:02:03.123456789' AS t",
         "t VARCHAR 2026-11-21 01:02:03.123456789"},
        {"SELECT TIMESTAMP_S '2026-11-21 01:02:03' AS t", "t TIMESTAMP"},
        {"SELECT 'a'::ENUM('a', 'b') AS e, '101'::BIT AS b", "e VARCHAR a, b VARCHAR 101"},
        {"SELECT 1 AS id, 2 AS id, 3 AS \"ID\", 4 AS id_1",
         "id INTEGER, id_1 INTEGER, ID_2 INTEGER, id_1_1 INTEGER"},
        {"SELECT [1] AS \"a \"\"b\"\"\" -- a comment", "a \"b\" VARCHAR [1]"},
        {"DESCRIBE SELECT 1 AS a", NULL},
        {"WITH t AS (SELECT [1] AS a) FROM t ORDER BY a LIMIT 1", "a VARCHAR [1]"},
    };
    struct buf text = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_first(cases[i][0], &text);
        if (cases[i][1]) {
            assert_string_equal(buf_text(&text), cases[i][1]);
        }
    }
    buf_release(&text);
}

static void a_readable_query_keeps_its_order(void **state)
{
    (void)state;
    enum { ROWS = 300000 };
    struct buf sql = {0};
    const struct column *columns = NULL;
    uint32_t count = 1;
    int64_t next = ROWS;
    assert_true(engine_append_readable(
        connection, "SELECT range AS r, [range] AS l FROM range(300000) ORDER BY -range", &sql,
        &err));
    struct engine_rows *rows = engine_query(connection, buf_text(&sql), &err);
    assert_non_null(rows);
    while (count > 0) {
        assert_true(engine_rows_next(rows, &columns, &count, &err));
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(((const int64_t *)columns[0].values)[i], --next);
        }
    }
    assert_int_equal(next, 0);
    engine_rows_free(&rows);
    buf_release(&sql);
}

static void a_value_that_does_not_fit_is_an_error_naming_its_column(void **state)
{
    (void)state;
    struct buf sql = {0};
    assert_true(engine_append_readable(
        connection,
        "SELECT x AS total FROM (VALUES (100000000000000000000000000000000000000)) t(x)", &sql,
        &err));
    struct engine_rows *rows = engine_query(connection, buf_text(&sql), &err);
    const struct column *columns = NULL;
    uint32_t count = 0;
    assert_false(rows && engine_rows_next(rows, &columns, &count, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_non_null(strstr(err.message, "column total"));
    engine_rows_free(&rows);
    buf_release(&sql);
}

static void a_wrong_query_cannot_be_made_readable(void **state)
{
    (void)state;
    struct buf sql = {0};
    assert_false(engine_append_readable(connection, "SELECT nothing", &sql, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_int_equal(sql.size, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_engine, close_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_confined_engine_reads_the_files_it_was_given_and_no_other),
        TEST(a_view_over_given_files_outlives_the_confinement),
        TEST(a_confined_engine_stays_so_and_reaches_nothing_outside),
        TEST(an_engine_confined_to_nothing_computes),
        TEST(a_confined_engine_spills_to_its_own_directory),
        TEST(results_come_in_types_of_the_model),
        TEST(a_readable_query_keeps_its_order),
        TEST(a_value_that_does_not_fit_is_an_error_naming_its_column),
        TEST(a_wrong_query_cannot_be_made_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
