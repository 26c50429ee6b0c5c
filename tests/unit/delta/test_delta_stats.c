#include "delta/field.h"
#include "delta/stats.h"
#include "test.h"

static void assert_stats(struct type type, struct lake_statistics s, const char *expected)
{
    struct arena a = {0};
    struct schema *schema = schema_new(1);
    schema->columns[0] = (struct schema_column){.name = "c", .type = type};
    schema_seal(schema);
    const bool is_partition = false;
    struct buf text = {0};
    buf_append_format(&text, "{\"numRecords\":3,%s,\"nullCount\":{\"c\":0}}", expected);
    assert_string_equal(delta_stats_format(schema, &is_partition, 3, &s, &a), buf_text(&text));
    buf_release(&text);
    schema_release(schema);
    arena_release(&a);
}

#define both(field_, low, high)                                                     \
    (struct lake_statistics)                                                        \
    {                                                                               \
        .has_min = true, .has_max = true, .min.field_ = (low), .max.field_ = (high) \
    }
#define NONE "\"minValues\":{},\"maxValues\":{}"
#define BOUNDS(low, high) "\"minValues\":{\"c\":" low "},\"maxValues\":{\"c\":" high "}"

static void bounds_have_the_form_of_their_type(void **state)
{
    (void)state;
    assert_stats((struct type){.kind = TYPE_INT64}, both(integer, INT64_MIN, INT64_MAX),
                 BOUNDS("-9223372036854775808", "9223372036854775807"));
    assert_stats((struct type){.kind = TYPE_DATE}, both(integer, -1, 0),
                 BOUNDS("\"1969-12-31\"", "\"1970-01-01\""));
    assert_stats((struct type){.kind = TYPE_FLOAT64}, both(number, -0.0, 1.5),
                 BOUNDS("-0.0", "1.5"));
    assert_stats((struct type){TYPE_DECIMAL, 10, 2}, both(decimal, -5, 1234),
                 BOUNDS("-0.05", "12.34"));
    assert_stats((struct type){TYPE_DECIMAL, 38, 20}, both(decimal, 0, 1),
                 BOUNDS("0.00000000000000000000", "0.00000000000000000001"));
    assert_stats((struct type){.kind = TYPE_STRING},
                 both(text, ((struct str){"a\"\n", 3}), ((struct str){"\xC3\xA9", 2})),
                 BOUNDS("\"a\\\"\\n\"", "\"\xC3\xA9\""));
}

static void timestamps_are_rounded_away_from_the_values(void **state)
{
    (void)state;
    assert_stats((struct type){.kind = TYPE_TIMESTAMPTZ}, both(integer, 1999, 2001),
                 BOUNDS("\"1970-01-01T00:00:00.001Z\"", "\"1970-01-01T00:00:00.003Z\""));
    assert_stats((struct type){.kind = TYPE_TIMESTAMPTZ}, both(integer, -1, 86399999000),
                 BOUNDS("\"1969-12-31T23:59:59.999Z\"", "\"1970-01-01T23:59:59.999Z\""));
    assert_stats((struct type){.kind = TYPE_TIMESTAMP}, both(integer, -1, 86399999001),
                 BOUNDS("\"1969-12-31T23:59:59.999\"", "\"1970-01-02T00:00:00.000\""));
}

static void bounds_that_the_form_cannot_carry_are_left_out(void **state)
{
    (void)state;
    assert_stats((struct type){.kind = TYPE_TIMESTAMPTZ}, both(integer, INT64_MIN, INT64_MAX),
                 NONE);
    assert_stats((struct type){.kind = TYPE_DATE}, both(integer, INT32_MIN, INT32_MAX), NONE);
    assert_stats((struct type){.kind = TYPE_FLOAT64},
                 both(number, -__builtin_inf(), __builtin_inf()), NONE);
    assert_stats((struct type){TYPE_DECIMAL, 38, 0},
                 both(decimal, -1000000000000000, 1000000000000000),
                 NONE); /* 16 digits: more than a double has */
    assert_stats((struct type){.kind = TYPE_BOOL}, both(integer, 0, 1), NONE);
    assert_stats((struct type){.kind = TYPE_INT32}, (struct lake_statistics){0}, NONE);
}

static void partition_columns_and_those_after_the_first_32_have_none(void **state)
{
    (void)state;
    struct arena a = {0};
    struct schema *schema = schema_new(40);
    struct lake_statistics s[40] = {0};
    bool is_partition[40] = {true};
    for (uint32_t i = 0; i < 40; i++) {
        schema->columns[i] = (struct schema_column){.name = arena_format(&schema->arena, "c%u", i),
                                                    .type = {.kind = TYPE_INT32}};
        s[i].has_min = s[i].has_max = true;
    }
    schema_seal(schema);
    const char *text = delta_stats_format(schema, is_partition, 1, s, &a);
    assert_null(strstr(text, "\"c0\""));
    assert_non_null(strstr(text, "\"c31\""));
    assert_null(strstr(text, "\"c32\""));
    schema_release(schema);
    arena_release(&a);
}

static void the_row_count_is_read_beside_numbers_of_any_size(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_true(delta_stats_row_count("{\"numRecords\":7,\"minValues\":{\"d\":"
                                      "99999999999999999999999999999999999999}}",
                                      &n));
    assert_int_equal(n, 7);
    assert_false(delta_stats_row_count(NULL, &n));
    assert_false(delta_stats_row_count("{}", &n));
    assert_false(delta_stats_row_count("{\"numRecords\":-1}", &n));
    assert_false(delta_stats_row_count("{\"numRecords\":1.5}", &n));
    assert_false(delta_stats_row_count("{\"numRecords\":\"1\"}", &n));
    assert_false(delta_stats_row_count("nonsense", &n));
}

static void statistics_of_a_file_with_deleted_rows_are_not_tight(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_string_equal(delta_stats_loosen("{\"numRecords\":1,\"minValues\":{\"d\":1.10}}", 1, &a),
                        "{\"tightBounds\":false,\"numRecords\":1,\"minValues\":{\"d\":1.10}}");
    assert_string_equal(delta_stats_loosen("{\"numRecords\":1,\"tightBounds\":false}", 1, &a),
                        "{\"numRecords\":1,\"tightBounds\":false}");
    assert_string_equal(delta_stats_loosen("{\"numRecords\":1,\"tightBounds\":true}", 1, &a),
                        "{\"tightBounds\":false,\"numRecords\":1}");
    assert_string_equal(delta_stats_loosen(NULL, 5, &a),
                        "{\"tightBounds\":false,\"numRecords\":5}");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_have_the_form_of_their_type),
        cmocka_unit_test(timestamps_are_rounded_away_from_the_values),
        cmocka_unit_test(bounds_that_the_form_cannot_carry_are_left_out),
        cmocka_unit_test(partition_columns_and_those_after_the_first_32_have_none),
        cmocka_unit_test(the_row_count_is_read_beside_numbers_of_any_size),
        cmocka_unit_test(statistics_of_a_file_with_deleted_rows_are_not_tight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
