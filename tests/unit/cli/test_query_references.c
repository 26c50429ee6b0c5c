#include <stdio.h>
#include <string.h>

#include "cli/query_references.h"
#include "test.h"

static struct engine *engine;
static struct engine_connection *connection;

static int open_engine(void **state)
{
    (void)state;
    struct error err = {0};
    engine = engine_open(&(struct engine_options){.kind = ENGINE_USER}, &err);
    connection = engine_connect(engine, &err);
    return connection ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    engine_disconnect(&connection);
    engine_free(&engine);
    return 0;
}

/* The query with <word> or <word@version> in the place of each table. */
static void find(const char *sql, struct buf *out, struct error *err)
{
    struct arena a = {0};
    struct query_text text;
    struct query_references r;
    buf_clear(out);
    if (query_text_read(sql, 0, &a, &text, err) &&
        query_references_find(&text, connection, &a, &r, err)) {
        const char **names = arena_array(&a, (size_t)r.table_count + 1, sizeof(*names));
        for (uint32_t i = 0; i < r.table_count; i++) {
            const struct query_table *t = &r.tables[i];
            names[i] =
                t->at.kind == LAKE_NEWEST
                    ? arena_format(&a, "<%s>", t->word)
                    : arena_format(&a, "<%s@%lld>", t->word,
                                   (long long)(t->at.kind == LAKE_AT_VERSION ? t->at.version
                                                                             : t->at.time_us));
        }
        query_references_append(&r, &text, names, out);
    }
    arena_release(&a);
}

static void expect(const char *const (*cases)[2], size_t count)
{
    struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        struct error err = {0};
        find(cases[i][0], &out, &err);
        assert_string_equal(err.message, "");
        assert_string_equal(buf_text(&out), cases[i][1]);
    }
    buf_release(&out);
}

#define EXPECT(cases) expect(cases, sizeof(cases) / sizeof((cases)[0]))

static void tables_are_found_wherever_they_stand(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT 1", "SELECT 1"},
        {"SELECT * FROM orders", "SELECT * FROM <orders>"},
        {"FROM orders", "FROM <orders>"},
        {"TABLE orders", "TABLE <orders>"},
        {"SELECT * FROM a, b JOIN c ON true", "SELECT * FROM <a>, <b> JOIN <c> ON true"},
        {"SELECT * FROM a JOIN (b JOIN c USING (x)) USING (y)",
         "SELECT * FROM <a> JOIN (<b> JOIN <c> USING (x)) USING (y)"},
        {"SELECT * FROM a ASOF JOIN b USING (t)", "SELECT * FROM <a> ASOF JOIN <b> USING (t)"},
        {"SELECT (SELECT max(x) FROM a) FROM b WHERE EXISTS (FROM c) AND x IN (SELECT y FROM d)",
         "SELECT (SELECT max(x) FROM <a>) FROM <b> WHERE EXISTS (FROM <c>) AND x IN (SELECT y "
         "FROM <d>)"},
        {"SELECT 1 UNION ALL SELECT x FROM a EXCEPT (FROM b)",
         "SELECT 1 UNION ALL SELECT x FROM <a> EXCEPT (FROM <b>)"},
        {"FROM (SELECT * FROM a) x, LATERAL (SELECT x.y FROM b)",
         "FROM (SELECT * FROM <a>) x, LATERAL (SELECT x.y FROM <b>)"},
        {"PIVOT a ON x IN (1) USING sum(y)", "PIVOT <a> ON x IN (1) USING sum(y)"},
        {"UNPIVOT a ON x, y INTO NAME n VALUE v", "UNPIVOT <a> ON x, y INTO NAME n VALUE v"},
        {"DESCRIBE a", "DESCRIBE <a>"},
        {"SUMMARIZE SELECT * FROM a", "SUMMARIZE SELECT * FROM <a>"},
        {"FROM a SELECT x ORDER BY (SELECT max(y) FROM b) LIMIT 1",
         "FROM <a> SELECT x ORDER BY (SELECT max(y) FROM <b>) LIMIT 1"},
        {"SELECT sum(x) OVER (ORDER BY y) FROM a TABLESAMPLE 10%",
         "SELECT sum(x) OVER (ORDER BY y) FROM <a> TABLESAMPLE 10%"},
        {"SELECT from_date, join_id FROM a", "SELECT from_date, join_id FROM <a>"},
        {"SELECT extract(day FROM x), trim(BOTH FROM y), substring(z FROM 2) FROM a",
         "SELECT extract(day FROM x), trim(BOTH FROM y), substring(z FROM 2) FROM <a>"},
        {"SELECT x IS DISTINCT FROM y FROM a", "SELECT x IS DISTINCT FROM y FROM <a>"},
    };
    EXPECT(cases);
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"FROM analytics.orders", "FROM <analytics.orders>"},
        {"FROM a . b /* x */ . c", "FROM <a.b.c>"},
        {"FROM \"Odd \"\"name\"\"\"", "FROM <Odd \"name\">"},
        {"FROM \"a.b\".\"c d\"", "FROM <a.b.c d>"},
        {"FROM './lake/it''s'", "FROM <./lake/it's>"},
        {"FROM \"./lake/x\"", "FROM <./lake/x>"},
        {"FROM $$./lake/x$$", "FROM <./lake/x>"},
        {"FROM E'./lake/\\'x'", "FROM <./lake/'x>"},
        {"SELECT 'ä€' FROM größe", "SELECT 'ä€' FROM <größe>"},
        {"SELECT 'FROM b', \"FROM c\" FROM a -- FROM d",
         "SELECT 'FROM b', \"FROM c\" FROM <a> -- FROM d"},
        {"SELECT\xC2\xA0x FROM\xE3\x80\x80"
         "a",
         "SELECT  x FROM   <a>"},
    };
    EXPECT(cases);
}

static void aliases_stay_where_they_are(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT o.id FROM orders AS o", "SELECT o.id FROM <orders> AS o"},
        {"SELECT o.id FROM 'x' o(id)", "SELECT o.id FROM <x> o(id)"},
        {"FROM o: orders", "FROM o: <orders>"},
        {"FROM orders o, o.items", "FROM <orders> o, <o.items>"},
        {"SELECT orders.id FROM analytics.orders", "SELECT orders.id FROM <analytics.orders>"},
    };
    EXPECT(cases);
}

static void versions_belong_to_the_table_before_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"FROM a VERSION AS OF 3", "FROM <a@3>                "},
        {"FROM n.a VERSION AS OF 3 AS x", "FROM <n.a@3>                 AS x"},
        {"FROM a VERSION AS OF 1, a VERSION AS OF 2 b, a c",
         "FROM <a@1>                , <a@2>                 b, <a> c"},
        {"FROM 'x' TIMESTAMP AS OF '1970-01-01 00:00:01' y",
         "FROM <x@1000000>                                       y"},
        {"FROM a/* c */VERSION AS OF 1", "FROM <a@1>/* c */               "},
        {"DESCRIBE a VERSION AS OF 1", "DESCRIBE <a@1>                "},
        {"SELECT version AS of FROM a", "SELECT version AS of FROM <a>"},
    };
    EXPECT(cases);
}

static void names_of_with_hide_tables_where_they_are_seen(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"WITH a AS (SELECT 1) FROM a", "WITH a AS (SELECT 1) FROM a"},
        {"WITH a AS (SELECT 1) FROM A", "WITH a AS (SELECT 1) FROM A"},
        {"WITH a AS (SELECT 1) FROM n.a", "WITH a AS (SELECT 1) FROM <n.a>"},
        {"WITH a AS (FROM b), b AS (FROM a) FROM a, b, c",
         "WITH a AS (FROM <b>), b AS (FROM a) FROM a, b, <c>"},
        {"WITH a AS (FROM a) FROM a", "WITH a AS (FROM <a>) FROM a"},
        {"WITH a AS MATERIALIZED (FROM a), b AS MATERIALIZED (FROM a) FROM a, b",
         "WITH a AS MATERIALIZED (FROM <a>), b AS MATERIALIZED (FROM a) FROM a, b"},
        {"WITH a AS (SELECT 1) FROM a UNION ALL (FROM a)",
         "WITH a AS (SELECT 1) FROM a UNION ALL (FROM a)"},
        {"FROM a, (WITH a AS (SELECT 1) FROM a) x", "FROM <a>, (WITH a AS (SELECT 1) FROM a) x"},
        {"WITH x AS (WITH a AS (SELECT 1) FROM a) FROM x, a",
         "WITH x AS (WITH a AS (SELECT 1) FROM a) FROM x, <a>"},
        {"WITH a AS (SELECT 1) SELECT (SELECT count(*) FROM a)",
         "WITH a AS (SELECT 1) SELECT (SELECT count(*) FROM a)"},
        {"WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a, b WHERE x < 3) FROM a",
         "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a, <b> WHERE x < 3) FROM "
         "a"},
    };
    EXPECT(cases);
}

static void functions_that_only_compute_are_left_alone(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"FROM range(3)", "FROM range(3)"},
        {"FROM a, unnest(a.list) u, generate_series(1, 2)",
         "FROM <a>, unnest(a.list) u, generate_series(1, 2)"},
        {"FROM (VALUES (1)) v", "FROM (VALUES (1)) v"},
        {"FROM json_each('[1]')", "FROM json_each('[1]')"},
    };
    EXPECT(cases);
}

static void a_table_in_one_version_is_found_once(void **state)
{
    (void)state;
    struct arena a = {0};
    struct error err = {0};
    struct query_text text;
    struct query_references r;
    assert_true(query_text_read("FROM a, a b, a VERSION AS OF 1 c, a VERSION AS OF 1 d, "
                                "a TIMESTAMP AS OF '1970-01-01' e, n.a",
                                0, &a, &text, &err));
    assert_true(query_references_find(&text, connection, &a, &r, &err));
    assert_int_equal(r.count, 6);
    assert_int_equal(r.table_count, 4);
    arena_release(&a);
}

static void what_is_more_than_reading_tables_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "not 0 statements"},
        {";", "not 0 statements"},
        {"-- nothing", "not 0 statements"},
        {"SELECT 1; SELECT 2", "not 2 statements"},
        {"COPY (SELECT 1) TO '/tmp/x'", "one SELECT"},
        {"ATTACH '/tmp/x.db'", "one SELECT"},
        {"INSTALL httpfs", "one SELECT"},
        {"CREATE TABLE t AS SELECT 1", "one SELECT"},
        {"INSERT INTO t SELECT 1", "one SELECT"},
        {"SET threads = 1", "one SELECT"},
        {"PRAGMA version", "one SELECT"},
        {"EXPLAIN SELECT 1", "one SELECT"},
        {"WITH x AS (DELETE FROM t RETURNING *) FROM x", "SELECT"},
        {"FROM read_csv('/etc/passwd')", "read_csv"},
        {"SELECT (SELECT count(*) FROM Read_Text('/etc/passwd'))", "ead_"},
        {"FROM glob('/*')", "glob"},
        {"FROM parquet_scan('x')", "parquet_scan"},
        {"FROM query('SELECT 1')", "query"},
        {"FROM query_table('t')", "query_table"},
        {"FROM enable_logging(storage = 'file', storage_path = '/tmp/x')", "enable_logging"},
        {"FROM json_execute_serialized_sql('x')", "json_execute_serialized_sql"},
        {"SHOW TABLES", "SHOW"},
        {"FROM (SHOW TABLES)", "SHOW"},
        {"DESCRIBE", "SHOW"},
        {"SELECT $1", "parameter"},
        {"SELECT ?", "parameter"},
        {"FROM a AT (VERSION => 3)", "VERSION AS OF"},
        {"WITH a AS (SELECT 1) FROM a VERSION AS OF 1", "does not follow the name of a table"},
        {"FROM a x VERSION AS OF 1", "does not follow the name of a table"},
        {"FROM range(3) VERSION AS OF 1", "does not follow the name of a table"},
        {"SELECT * FROM", "syntax error"},
        {"SELECT 'x", "unterminated"},
        {"FROM a.b.c.d", ""},
        {"SELEC 1", "syntax error"},
    };
    struct buf out = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {0};
        find(cases[i][0], &out, &err);
        if (err.kind != ERROR_CONFIG || !strstr(err.message, cases[i][1])) {
            fail_msg("%s: %s, %s", cases[i][0], error_kind_name(err.kind), err.message);
        }
    }
    buf_release(&out);
}

static void a_deep_query_is_read_or_refused(void **state)
{
    (void)state;
    struct buf sql = {0};
    struct buf out = {0};
    for (int depth = 100; depth <= 100000; depth *= 10) {
        struct error err = {0};
        buf_clear(&sql);
        for (int i = 0; i < depth; i++) {
            buf_append_text(&sql, "(SELECT * FROM ");
        }
        buf_append_text(&sql, "t");
        for (int i = 0; i < depth; i++) {
            buf_append_char(&sql, ')');
        }
        find(buf_text(&sql), &out, &err);
        assert_true(err.kind == ERROR_NONE || err.kind == ERROR_CONFIG);
        assert_true(depth > 100 || err.kind == ERROR_NONE);
    }
    buf_release(&sql);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_found_wherever_they_stand),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(aliases_stay_where_they_are),
        cmocka_unit_test(versions_belong_to_the_table_before_them),
        cmocka_unit_test(names_of_with_hide_tables_where_they_are_seen),
        cmocka_unit_test(functions_that_only_compute_are_left_alone),
        cmocka_unit_test(a_table_in_one_version_is_found_once),
        cmocka_unit_test(what_is_more_than_reading_tables_is_refused),
        cmocka_unit_test(a_deep_query_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
