#include <stdlib.h>

#include "model/batch.h"
#include "source/postgres/value.h"
#include "test.h"

/* One column, one row, one value. */
struct cell {
    struct batch *batch;
    struct error err;
    bool stored;
};

static struct cell store_as(struct type type, uint32_t type_id, enum value_form form,
                            const void *data, size_t size)
{
    struct schema *s = schema_new(1);
    s->columns[0] = (struct schema_column){.name = "c", .type = type, .source_type = "test"};
    schema_seal(s);
    struct cell cell = {.batch = batch_new(s, 0, 1)};
    schema_release(s);
    uint32_t row = batch_add_row(cell.batch, ROW_INSERT, IMAGE_WHOLE);

    /* An exact copy, so that the sanitizer sees a read past the end. */
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    cell.stored =
        value_store(type_id, form, (struct str){copy, size}, cell.batch, 0, row, &cell.err);
    free(copy);
    struct error err = {0};
    assert_true(batch_check(cell.batch, &err));
    return cell;
}

static struct cell store(uint32_t type_id, int32_t typmod, enum value_form form, const void *data,
                         size_t size)
{
    struct type type = {.kind = TYPE_STRING};
    if (type_id != VALUE_AS_TEXT) {
        assert_true(value_native_type(type_id, typmod, &type));
    }
    return store_as(type, type_id, form, data, size);
}

#define value_of(cell, ctype) (((ctype *)(cell).batch->columns[0].values)[0])

static void assert_data_error(struct cell cell, const char *text)
{
    assert_false(cell.stored);
    assert_int_equal(cell.err.kind, ERROR_DATA);
    if (!strstr(cell.err.message, text)) {
        fail_msg("\"%s\" is not in \"%s\"", text, cell.err.message);
    }
    batch_release(cell.batch);
}

static int32_t numeric_typmod(int precision, int scale)
{
    return (int32_t)(((uint32_t)precision << 16 | ((uint32_t)scale & 0x7FF)) + 4);
}

static __int128 decimal_of(struct cell cell)
{
    switch (type_width(cell.batch->columns[0].type)) {
    case 2:
        return value_of(cell, int16_t);
    case 4:
        return value_of(cell, int32_t);
    case 8:
        return value_of(cell, int64_t);
    default:
        return value_of(cell, __int128);
    }
}

static void assert_numeric_text(int precision, int scale, const char *text, __int128 expected)
{
    struct cell cell =
        store(VALUE_NUMERIC, numeric_typmod(precision, scale), VALUE_FORM_TEXT, text, strlen(text));
    if (!cell.stored) {
        fail_msg("%s: %s", text, cell.err.message);
    }
    assert_true(decimal_of(cell) == expected);
    batch_release(cell.batch);
}

static __int128 ten_to(int n)
{
    __int128 v = 1;
    while (n-- > 0) {
        v *= 10;
    }
    return v;
}

static void numerics_in_text_are_exact_to_38_digits(void **state)
{
    (void)state;
    assert_numeric_text(4, 2, "-99.99", -9999);
    assert_numeric_text(9, 0, "999999999", 999999999);
    assert_numeric_text(18, 18, "0.000000000000000001", 1);
    assert_numeric_text(10, 4, "1.5", 15000);
    assert_numeric_text(10, 2, "1.5000", 150);
    assert_numeric_text(10, 2, "-0.00", 0);
    assert_numeric_text(38, 0, "99999999999999999999999999999999999999", ten_to(38) - 1);
    assert_numeric_text(38, 38, "-0.99999999999999999999999999999999999999", 1 - ten_to(38));
}

/* Base-10000 digits as numeric_send() writes them. */
struct numeric_binary {
    uint8_t bytes[64];
    size_t size;
};

static struct numeric_binary numeric(int weight, int sign, int scale, int count, const int *digits)
{
    struct numeric_binary n = {.size = 8 + 2 * (size_t)count};
    const int header[] = {count, weight, sign, scale};
    for (int i = 0; i < 4 + count; i++) {
        int v = i < 4 ? header[i] : digits[i - 4];
        n.bytes[2 * i] = (uint8_t)((unsigned)v >> 8);
        n.bytes[2 * i + 1] = (uint8_t)v;
    }
    return n;
}

static struct cell store_numeric(int precision, int scale, struct numeric_binary n)
{
    return store(VALUE_NUMERIC, numeric_typmod(precision, scale), VALUE_FORM_BINARY, n.bytes,
                 n.size);
}

static void assert_numeric(int precision, int scale, struct numeric_binary n, __int128 expected)
{
    struct cell cell = store_numeric(precision, scale, n);
    if (!cell.stored) {
        fail_msg("%s", cell.err.message);
    }
    assert_true(decimal_of(cell) == expected);
    batch_release(cell.batch);
}

#define DIGITS(...) ((const int[]){__VA_ARGS__})

static void numerics_in_binary_are_exact_whatever_their_weight(void **state)
{
    (void)state;
    assert_numeric(10, 2, numeric(0, 0, 2, 0, NULL), 0);
    assert_numeric(10, 2, numeric(0, 0x4000, 2, 2, DIGITS(1, 5000)), -150);
    assert_numeric(10, 2, numeric(1, 0, 0, 1, DIGITS(1)), 1000000); /* 10000: digits left out */
    assert_numeric(12, 10, numeric(-2, 0, 8, 1, DIGITS(1)), 100);   /* 0.00000001 */
    assert_numeric(10, 1, numeric(0, 0, 1, 2, DIGITS(7, 5000)), 75);
    assert_numeric(10, 0, numeric(0, 0, 4, 2, DIGITS(7, 0)), 7); /* zeroes behind the scale */
    assert_numeric(
        38, 0,
        numeric(9, 0, 0, 10, DIGITS(99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999)),
        ten_to(38) - 1);
    assert_numeric(38, 2,
                   numeric(8, 0x4000, 2, 10,
                           DIGITS(9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900)),
                   1 - ten_to(38));
    assert_numeric(10, 2, numeric(32767, 0, 0, 1, DIGITS(0)), 0); /* a zero may have any weight */
}

static void a_numeric_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    assert_data_error(store_numeric(4, 2, numeric(0, 0, 0, 1, DIGITS(100))), "before the point");
    assert_data_error(store_numeric(4, 2, numeric(32767, 0, 0, 1, DIGITS(1))), "before the point");
    assert_data_error(store_numeric(38, 0, numeric(9, 0, 0, 1, DIGITS(100))), "before the point");
    assert_data_error(store_numeric(10, 2, numeric(0, 0, 3, 2, DIGITS(1, 10))), "after the point");
    assert_data_error(store_numeric(10, 2, numeric(-32768, 0, 0, 1, DIGITS(1))), "after the point");
    assert_data_error(store_numeric(10, 2, numeric(0, 0xC000, 0, 0, NULL)), "\"NaN\"");
    assert_data_error(store_numeric(10, 2, numeric(0, 0xD000, 0, 0, NULL)), "\"Infinity\"");
    assert_data_error(store_numeric(10, 2, numeric(0, 0xF000, 0, 0, NULL)), "\"-Infinity\"");
    assert_data_error(store_numeric(10, 2, numeric(0, 0x1234, 0, 0, NULL)), "not a value");
    assert_data_error(store_numeric(10, 2, numeric(0, 0, 0, 1, DIGITS(10000))), "not a value");
    struct numeric_binary cut = numeric(0, 0, 0, 2, DIGITS(1, 2));
    cut.size--;
    assert_data_error(store_numeric(10, 2, cut), "not a value");
    static const char *const texts[] = {"",    "-",     ".",           "1.2.3", "1e3",
                                        "NaN", "1.005", "12345678901", " 1"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_data_error(store(VALUE_NUMERIC, numeric_typmod(10, 2), VALUE_FORM_TEXT, texts[i],
                                strlen(texts[i])),
                          "");
    }
}

static void numerics_without_a_decimal_form_have_no_native_type(void **state)
{
    (void)state;
    struct type t = {0};
    assert_false(value_native_type(VALUE_NUMERIC, -1, &t));
    assert_false(value_native_type(VALUE_NUMERIC, numeric_typmod(39, 0), &t));
    assert_false(value_native_type(VALUE_NUMERIC, numeric_typmod(30, -10), &t));
    assert_false(value_native_type(2281, -1, &t));
    assert_true(value_native_type(VALUE_NUMERIC, numeric_typmod(3, -2), &t));
    assert_true(type_equal(t, (struct type){TYPE_DECIMAL, 5, 0}));
    assert_true(value_native_type(VALUE_NUMERIC, numeric_typmod(2, 4), &t));
    assert_true(type_equal(t, (struct type){TYPE_DECIMAL, 4, 4}));
}

static void assert_time(uint32_t type_id, const char *text, int64_t expected)
{
    struct cell cell = store(type_id, -1, VALUE_FORM_TEXT, text, strlen(text));
    if (!cell.stored) {
        fail_msg("%s: %s", text, cell.err.message);
    }
    int64_t v = type_id == VALUE_DATE ? value_of(cell, int32_t) : value_of(cell, int64_t);
    assert_int_equal(v, expected);
    batch_release(cell.batch);
}

static void times_in_text_are_exact_to_the_microsecond(void **state)
{
    (void)state;
    assert_time(VALUE_DATE, "1970-01-01", 0);
    assert_time(VALUE_DATE, "0001-01-01", -719162);
    assert_time(VALUE_DATE, "9999-12-31", 2932896);
    assert_time(VALUE_DATE, "2000-02-29", 11016);
    assert_time(VALUE_TIME, "24:00:00", 86400000000);
    assert_time(VALUE_TIME, "00:00:00.000001", 1);
    assert_time(VALUE_TIME, "12:34:56.5", 45296500000);
    assert_time(VALUE_TIMESTAMP, "1969-12-31 23:59:59.999999", -1);
    assert_time(VALUE_TIMESTAMP, "9999-12-31 23:59:59.999999", 253402300799999999);
    assert_time(VALUE_TIMESTAMPTZ, "1970-01-01 00:00:00+00", 0);
    assert_time(VALUE_TIMESTAMPTZ, "1970-01-01 05:30:00+05:30", 0);
    assert_time(VALUE_TIMESTAMPTZ, "1969-12-31 20:30:00-03:30", 0);
    assert_time(VALUE_TIMESTAMPTZ, "0001-01-01 00:00:00+00", -62135596800000000);
}

static void times_that_no_table_can_hold_are_errors(void **state)
{
    (void)state;
    static const struct {
        uint32_t type_id;
        const char *text;
        const char *message;
    } cases[] = {
        {VALUE_DATE, "infinity", "\"infinity\""},
        {VALUE_DATE, "-infinity", "\"-infinity\""},
        {VALUE_DATE, "0001-01-01 BC", "\"year 1 BC\""},
        {VALUE_DATE, "4713-01-01 BC", "\"year 4713 BC\""},
        {VALUE_DATE, "10000-01-01", "\"year 10000\""},
        {VALUE_DATE, "5874897-12-31", "\"year 5874897\""},
        {VALUE_DATE, "2023-13-01", "not a value"},
        {VALUE_DATE, "2023-1-01", "not a value"},
        {VALUE_DATE, "", "not a value"},
        {VALUE_DATE, "2023-01-01x", "not a value"},
        {VALUE_TIME, "infinity", "not a value"},
        {VALUE_TIME, "24:00:01", "not within a day"},
        {VALUE_TIME, "12:34", "not a value"},
        {VALUE_TIMESTAMP, "294276-12-31 23:59:59.999999", "\"year 294276\""},
        {VALUE_TIMESTAMP, "2023-01-01", "not a value"},
        {VALUE_TIMESTAMP, "0001-12-31 23:59:59 BC", "\"year 1 BC\""},
        {VALUE_TIMESTAMPTZ, "10000-01-01 00:00:00+00", "\"year 10000\""},
        {VALUE_TIMESTAMPTZ, "2023-01-01 00:00:00", "not a value"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_data_error(
            store(cases[i].type_id, -1, VALUE_FORM_TEXT, cases[i].text, strlen(cases[i].text)),
            cases[i].message);
    }
}

static struct cell store_u64(uint32_t type_id, uint64_t v)
{
    v = __builtin_bswap64(v);
    return store(type_id, -1, VALUE_FORM_BINARY, &v, sizeof(v));
}

static void binary_times_have_the_same_bounds(void **state)
{
    (void)state;
    const int64_t first = -62135596800000000 - 946684800000000;
    const int64_t last = 253402300799999999 - 946684800000000;
    struct cell cell = store_u64(VALUE_TIMESTAMP, (uint64_t)first);
    assert_true(cell.stored);
    assert_int_equal(value_of(cell, int64_t), -62135596800000000);
    batch_release(cell.batch);
    cell = store_u64(VALUE_TIMESTAMPTZ, (uint64_t)last);
    assert_true(cell.stored);
    assert_int_equal(value_of(cell, int64_t), 253402300799999999);
    batch_release(cell.batch);
    assert_data_error(store_u64(VALUE_TIMESTAMP, (uint64_t)(first - 1)), "\"year 1 BC\"");
    assert_data_error(store_u64(VALUE_TIMESTAMP, (uint64_t)(last + 1)), "\"year 10000\"");
    assert_data_error(store_u64(VALUE_TIMESTAMPTZ, INT64_MAX), "\"infinity\"");
    assert_data_error(store_u64(VALUE_TIMESTAMPTZ, (uint64_t)INT64_MIN), "\"-infinity\"");
    assert_data_error(store_u64(VALUE_TIMESTAMPTZ, INT64_MAX - 1), "years");
    assert_data_error(store_u64(VALUE_TIMESTAMPTZ, (uint64_t)INT64_MIN + 1), "years");
    assert_data_error(store_u64(VALUE_TIME, (uint64_t)-1), "not within a day");
    assert_data_error(store(VALUE_DATE, -1, VALUE_FORM_BINARY, "\x7f\xff\xff\xff", 4),
                      "\"infinity\"");
    assert_data_error(store(VALUE_DATE, -1, VALUE_FORM_BINARY, "\x80\0\0\0", 4), "\"-infinity\"");
    assert_data_error(store(VALUE_DATE, -1, VALUE_FORM_BINARY, "\0\0\0", 3), "not a value");
}

static void narrow_values_go_into_wider_columns(void **state)
{
    (void)state;
    struct cell cell =
        store_as((struct type){.kind = TYPE_INT64}, VALUE_INT2, VALUE_FORM_BINARY, "\x80\0", 2);
    assert_true(cell.stored);
    assert_int_equal(value_of(cell, int64_t), -32768);
    batch_release(cell.batch);
    cell = store_as((struct type){.kind = TYPE_FLOAT64}, VALUE_FLOAT4, VALUE_FORM_TEXT, "0.1", 3);
    assert_true(cell.stored);
    assert_true(value_of(cell, double) == (double)0.1f);
    batch_release(cell.batch);
    cell = store_as((struct type){TYPE_DECIMAL, 20, 5}, VALUE_NUMERIC, VALUE_FORM_TEXT, "1.25", 4);
    assert_true(cell.stored);
    assert_true(value_of(cell, __int128) == 125000);
    batch_release(cell.batch);
}

static void malformed_values_are_errors(void **state)
{
    (void)state;
    static const struct {
        uint32_t type_id;
        enum value_form form;
        const char *data;
        size_t size;
    } cases[] = {
        {VALUE_BOOL, VALUE_FORM_TEXT, "true", 4},
        {VALUE_BOOL, VALUE_FORM_BINARY, "\2", 1},
        {VALUE_BOOL, VALUE_FORM_BINARY, "", 0},
        {VALUE_INT2, VALUE_FORM_TEXT, "32768", 5},
        {VALUE_INT2, VALUE_FORM_BINARY, "\0\0\0\1", 4},
        {VALUE_INT4, VALUE_FORM_TEXT, "-2147483649", 11},
        {VALUE_INT8, VALUE_FORM_TEXT, "9223372036854775808", 19},
        {VALUE_INT8, VALUE_FORM_TEXT, "-", 1},
        {VALUE_INT8, VALUE_FORM_TEXT, "", 0},
        {VALUE_FLOAT8, VALUE_FORM_TEXT, "0x10", 4},
        {VALUE_FLOAT8, VALUE_FORM_TEXT, "nan", 3},
        {VALUE_FLOAT8, VALUE_FORM_TEXT, "1e", 2},
        {VALUE_FLOAT4, VALUE_FORM_BINARY, "\0\0\0\0\0\0\0\0", 8},
        {VALUE_BYTEA, VALUE_FORM_TEXT, "abc", 3},
        {VALUE_BYTEA, VALUE_FORM_TEXT, "\\xabc", 5},
        {VALUE_BYTEA, VALUE_FORM_TEXT, "\\xzz", 4},
        {VALUE_UUID, VALUE_FORM_BINARY, "123456789012345", 15},
        {VALUE_UUID, VALUE_FORM_TEXT, "123e4567-e89b-12d3-a456-42661417400g", 36},
        {VALUE_UUID, VALUE_FORM_TEXT, "123e4567e89b-12d3-a456-426614174000-", 36},
        {VALUE_JSONB, VALUE_FORM_BINARY, "\2{}", 3},
        {VALUE_JSONB, VALUE_FORM_BINARY, "", 0},
        {VALUE_TEXT, VALUE_FORM_BINARY, "\xff", 1},
        {VALUE_JSON, VALUE_FORM_TEXT, "\"\xed\xa0\x80\"", 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_data_error(store(cases[i].type_id, -1, cases[i].form, cases[i].data, cases[i].size),
                          "");
    }
}

static void values_beyond_the_limit_are_refused_before_they_are_read(void **state)
{
    (void)state;
    struct cell cell = store(VALUE_AS_TEXT, -1, VALUE_FORM_TEXT, "", 0);
    struct str huge = {.data = "", .size = (size_t)VALUE_SIZE_MAX + 1};
    assert_false(value_store(VALUE_TEXT, VALUE_FORM_TEXT, huge, cell.batch, 0, 0, &cell.err));
    assert_int_equal(cell.err.kind, ERROR_DATA);
    batch_release(cell.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numerics_in_text_are_exact_to_38_digits),
        cmocka_unit_test(numerics_in_binary_are_exact_whatever_their_weight),
        cmocka_unit_test(a_numeric_that_does_not_fit_is_an_error),
        cmocka_unit_test(numerics_without_a_decimal_form_have_no_native_type),
        cmocka_unit_test(times_in_text_are_exact_to_the_microsecond),
        cmocka_unit_test(times_that_no_table_can_hold_are_errors),
        cmocka_unit_test(binary_times_have_the_same_bounds),
        cmocka_unit_test(narrow_values_go_into_wider_columns),
        cmocka_unit_test(malformed_values_are_errors),
        cmocka_unit_test(values_beyond_the_limit_are_refused_before_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
