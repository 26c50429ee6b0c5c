#include "transform_fixture.h"

static struct fixture shared;

static int open_shared(void **state)
{
    (void)state;
    fixture_open(&shared);
    return 0;
}

static int close_shared(void **state)
{
    (void)state;
    fixture_close(&shared);
    return 0;
}

static void refused_sql(const char *sql, const char *message)
{
    struct error err = {0};
    struct transform *t = transform_new(sql, shared.connection, &err);
    if (t) {
        struct schema *schema = transform_bind(t, shared.customers, &err);
        assert_null(schema);
    }
    transform_free(&t);
    if (!strstr(err.message, message)) {
        fail_msg("%s: \"%s\" is not in \"%s\"", sql, message, err.message);
    }
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void what_is_not_row_by_row_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT count(*) AS n FROM changes", "the aggregate count(*)"},
        {"SELECT customer_id, sum(lifetime_value) AS s FROM changes", "the aggregate sum"},
        {"SELECT customer_id, first(email) AS f FROM changes", "the aggregate first"},
        {"SELECT DISTINCT customer_id FROM changes", "DISTINCT"},
        {"SELECT customer_id FROM changes GROUP BY customer_id", "GROUP BY"},
        {"SELECT customer_id FROM changes GROUP BY ALL", "GROUP BY"},
        {"SELECT customer_id FROM changes HAVING true", "HAVING"},
        {"SELECT customer_id FROM changes LIMIT 1", "LIMIT"},
        {"SELECT customer_id FROM changes ORDER BY 1", "ORDER BY"},
        {"SELECT customer_id, row_number() OVER () AS n FROM changes", "a window function"},
        {"SELECT customer_id FROM changes QUALIFY row_number() OVER () = 1", "QUALIFY"},
        {"SELECT customer_id FROM changes, changes AS b", "a join"},
        {"SELECT customer_id FROM changes JOIN changes AS b USING (customer_id)", "a join"},
        {"SELECT customer_id, (SELECT 1) AS x FROM changes", "a subquery"},
        {"SELECT customer_id FROM changes WHERE EXISTS (SELECT 1)", "a subquery"},
        {"SELECT customer_id FROM (SELECT * FROM changes) AS changes", "a subquery"},
        {"SELECT customer_id FROM changes UNION ALL SELECT 1", "UNION"},
        {"WITH c AS (SELECT 1) SELECT customer_id FROM changes", "WITH"},
        {"SELECT customer_id FROM changes TABLESAMPLE 10%", "a sample"},
        {"SELECT customer_id FROM changes USING SAMPLE 10%", "a sample"},
        {"SELECT customer_id, unnest([1, 2]) AS x FROM changes", "the table function unnest"},
        {"SELECT customer_id, ? AS x FROM changes", "a parameter"},
        {"SELECT #1 AS x FROM changes", "a column by number"},
        {"SELECT customer_id, upper(COLUMNS('first_.*')) AS x FROM changes", "* inside"},
        {"SELECT customer_id FROM orders", "FROM changes"},
        {"SELECT customer_id FROM read_csv('/etc/passwd')", "FROM changes"},
        {"SELECT 1 AS x", "FROM changes"},
        {"SELECT customer_id FROM changes; SELECT 1", "not 2"},
        {"", "not 0"},
        {"DELETE FROM changes", "Only SELECT"},
        {"SELEC 1", "syntax error"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        refused_sql(cases[i][0], cases[i][1]);
    }
}

static void what_does_not_fit_the_table_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT email FROM changes", "key column \"customer_id\""},
        {"SELECT customer_id + 1 AS customer_id FROM changes", "key column \"customer_id\""},
        {"SELECT * REPLACE (customer_id::BIGINT AS customer_id) FROM changes",
         "key column \"customer_id\""},
        {"SELECT customer_id, nonsense FROM changes", "nonsense"},
        {"SELECT customer_id, upper(email) FROM changes", "needs a name"},
        {"SELECT customer_id, email, lower(email) AS EMAIL FROM changes", "two columns"},
        {"SELECT *, email FROM changes", "two columns the name \"email\""},
        {"SELECT customer_id, hash(email) AS h FROM changes", "column \"h\" has type UBIGINT"},
        {"SELECT customer_id, [email] AS l FROM changes", "column \"l\" has type LIST"},
        {"SELECT * EXCLUDE (nonsense) FROM changes", "column \"nonsense\""},
        {"SELECT other.* FROM changes", "other.*"},
        {"SELECT customer_id FROM changes WHERE nonsense > 1", "nonsense"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        refused_sql(cases[i][0], cases[i][1]);
    }
}

static void gives(const char *sql, const char *columns)
{
    struct schema *schema = NULL;
    struct transform *t = bound(&shared, sql, &schema);
    struct buf names = {0};
    for (uint32_t i = 0; i < schema->column_count; i++) {
        buf_append_format(&names, "%s%s", i > 0 ? " " : "", schema->columns[i].name);
    }
    assert_string_equal(buf_text(&names), columns);
    buf_release(&names);

    struct batch *in = batch_new(shared.customers, 0, 8);
    add_customer(in, ROW_INSERT, 1, "gold");
    struct batch *out = applied(t, in);
    assert_int_equal(out->row_count, 1);
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
}

static void stars_stand_for_the_tables_columns_alone(void **state)
{
    (void)state;
    gives("FROM changes", "customer_id email first_name last_name city state country "
                          "registration_date is_active customer_tier lifetime_value bio");
    gives("SELECT c.* EXCLUDE (bio, city, state, country, is_active, Customer_Tier), 1 AS one "
          "FROM changes AS c",
          "customer_id email first_name last_name registration_date lifetime_value one");
    gives("SELECT * EXCLUDE (bio, city, state, country, is_active, customer_tier) "
          "REPLACE (upper(email) AS email, _position AS last_name) "
          "RENAME (first_name AS given_name) FROM changes",
          "customer_id email given_name last_name registration_date lifetime_value");
    gives("SELECT customer_id, COLUMNS('.*_name') FROM changes",
          "customer_id first_name last_name");
    gives("SELECT customer_id, COLUMNS('(.*)_name') AS '\\1' FROM changes",
          "customer_id first last");
    gives("SELECT customer_id, COLUMNS(c -> c LIKE 'c%' AND c NOT LIKE 'customer_id') FROM changes",
          "customer_id city country customer_tier");
}

static void expressions_mean_what_they_say(void **state)
{
    (void)state;
    struct schema *schema = NULL;
    struct transform *t = bound(
        &shared,
        "SELECT customer_id AS \"Kunden \"\"Nr\"\"\", 'it''s' AS quoted, "
        "CASE WHEN is_active THEN 'yes' ELSE 'no' END AS active, "
        "extract(year FROM registration_date)::INTEGER AS year, "
        "registration_date + INTERVAL 1 DAY AS next_day, "
        "lifetime_value * 2 AS twice, bio->'$.likes' AS likes, bio->>'likes' AS likes_text, "
        "email LIKE '%@example.com' AS example, email SIMILAR TO '.*@.*' AS mail, "
        "coalesce(state, city) AS place, nullif(city, 'Springfield') AS nowhere, "
        "list_transform([1, 2], lambda x: x + customer_id)::VARCHAR AS list, "
        "lifetime_value BETWEEN 1 AND 1000 AS between_them, city IN ('A', 'Springfield') AS listed, "
        "NOT is_active AS inactive, -lifetime_value AS negative, email[1:4] AS head, "
        "18446744073709551615::DECIMAL(20,0) AS large, 1e300 AS huge, DATE '2024-02-29' AS leap, "
        "try_cast(email AS INTEGER) AS number, state IS NULL AS no_state, "
        "city || ', ' || country AS location, length(location) AS location_size "
        "FROM changes -- the end",
        &schema);
    struct batch *in = batch_new(shared.customers, 0, 8);
    add_customer(in, ROW_INSERT, 1, "gold");
    struct batch *out = applied(t, in);
    static const char *const expected[][2] = {
        {"Kunden \"Nr\"", "1"},
        {"quoted", "it's"},
        {"active", "yes"},
        {"year", "2024"},
        {"next_day", "2024-01-03T03:04:05"},
        {"twice", "246.90"},
        {"likes", "[\"tea\"]"},
        {"likes_text", "[\"tea\"]"},
        {"example", "true"},
        {"mail", "true"},
        {"place", "Springfield"},
        {"nowhere", "null"},
        {"list", "[2, 3]"},
        {"between_them", "true"},
        {"listed", "true"},
        {"inactive", "false"},
        {"negative", "-123.45"},
        {"head", "john"},
        {"large", "18446744073709551615"},
        {"huge", "1e+300"},
        {"leap", "2024-02-29"},
        {"number", "null"},
        {"no_state", "true"},
        {"location", "Springfield, US"},
        {"location_size", "15"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_value(out, 0, expected[i][0], expected[i][1]);
    }
    int likes = schema_find(schema, str_from("likes"));
    assert_int_equal(schema->columns[likes].type.kind, TYPE_JSON);
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
}

static void a_table_that_sql_cannot_name_is_refused(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"a", "A"}, {"a", "_operation"}, {"a", "_leat_row"}};
    struct error err = {0};
    struct transform *t = transform_new("SELECT * FROM changes", shared.connection, &err);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct schema *s = schema_new(2);
        s->columns[0] = (struct schema_column){.name = names[i][0], .type = {.kind = TYPE_INT32}};
        s->columns[1] = (struct schema_column){.name = names[i][1], .type = {.kind = TYPE_INT32}};
        schema_seal(s);
        err = (struct error){0};
        struct schema *output = transform_bind(t, s, &err);
        assert_null(output);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, names[i][1]));
        schema_free(&s);
    }
    transform_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_row_by_row_is_refused_by_name),
        cmocka_unit_test(what_does_not_fit_the_table_is_refused_by_name),
        cmocka_unit_test(stars_stand_for_the_tables_columns_alone),
        cmocka_unit_test(expressions_mean_what_they_say),
        cmocka_unit_test(a_table_that_sql_cannot_name_is_refused),
    };
    return cmocka_run_group_tests(tests, open_shared, close_shared);
}
