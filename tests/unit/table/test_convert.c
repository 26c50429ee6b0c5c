#include "table/convert.h"
#include "test.h"

static struct type kind(enum type_kind k)
{
    return (struct type){.kind = k};
}

static struct type decimal(uint8_t precision, uint8_t scale)
{
    return (struct type){.kind = TYPE_DECIMAL, .precision = precision, .scale = scale};
}

static struct schema *schema_with(const char *name, struct type type)
{
    struct schema *s = schema_new(1);
    s->columns[0] = (struct schema_column){.name = name, .type = type, .nullable = true};
    schema_seal(s);
    return s;
}

/* Two rows, the second null, of one column "c". */
static struct batch *two_rows(struct type type, const void *value)
{
    struct schema *s = schema_with("c", type);
    struct batch *b = batch_new(s, 3, 2);
    schema_release(s);
    (void)batch_add_row(b, ROW_UPDATE_AFTER, IMAGE_WHOLE);
    (void)batch_add_row(b, ROW_DELETE, IMAGE_KEY);
    memcpy(b->columns[0].values, value, type_width(type));
    batch_set_unchanged(b, 0, 1);
    b->positions[0] = 77;
    return b;
}

/* Converts and drops the source, which the result keeps alive. */
static struct batch *convert(struct batch *source, const char *name, struct type type)
{
    struct error err = {0};
    struct schema *s = schema_with(name, type);
    struct batch *b = convert_batch(source, s, &err);
    schema_release(s);
    batch_release(source);
    assert_non_null(b);
    assert_int_equal(b->row_count, 2);
    return b;
}

static void equal_layouts_are_shared(void **state)
{
    (void)state;
    int64_t v = 12;
    struct batch *source = two_rows(kind(TYPE_TIMESTAMP), &v);
    const void *values = source->columns[0].values;
    owned(batch_free) struct batch *b = convert(source, "c", kind(TYPE_TIMESTAMPTZ));
    assert_ptr_equal(b->columns[0].values, values);
    assert_true(column_is_unchanged(&b->columns[0], 1));
    assert_int_equal(b->positions[0], 77);
    assert_int_equal(b->kinds[1], ROW_DELETE);
    assert_int_equal(b->images[1], IMAGE_KEY);
    assert_int_equal(b->table, 3);
}

static void integers_widen_with_their_sign(void **state)
{
    (void)state;
    int16_t v = -300;
    owned(batch_free) struct batch *b =
        convert(two_rows(kind(TYPE_INT16), &v), "c", kind(TYPE_INT64));
    assert_true(((const int64_t *)b->columns[0].values)[0] == -300);
    assert_false(column_is_valid(&b->columns[0], 1));
    assert_true(((const int64_t *)b->columns[0].values)[1] == 0);
}

static void floats_widen(void **state)
{
    (void)state;
    float v = 0.1F;
    owned(batch_free) struct batch *b =
        convert(two_rows(kind(TYPE_FLOAT32), &v), "c", kind(TYPE_FLOAT64));
    assert_true(((const double *)b->columns[0].values)[0] == (double)0.1F);
}

static void decimals_take_the_wider_scale(void **state)
{
    (void)state;
    int32_t v = -12345;
    owned(batch_free) struct batch *b = convert(two_rows(decimal(9, 2), &v), "c", decimal(38, 31));
    __int128 expected = -12345;
    for (int i = 0; i < 29; i++) {
        expected *= 10;
    }
    assert_true(((const __int128 *)b->columns[0].values)[0] == expected);
}

static void times_and_uuids_become_text(void **state)
{
    (void)state;
    int64_t time_us = INT64_C(86399999999);
    owned(batch_free) struct batch *a =
        convert(two_rows(kind(TYPE_TIME), &time_us), "c", kind(TYPE_STRING));
    struct view v = ((const struct view *)a->columns[0].values)[0];
    assert_true(str_equal(view_str(&v), str_from("23:59:59.999999")));

    struct uuid id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    owned(batch_free) struct batch *b =
        convert(two_rows(kind(TYPE_UUID), &id), "c", kind(TYPE_STRING));
    v = ((const struct view *)b->columns[0].values)[0];
    assert_true(str_equal(view_str(&v), str_from("01020304-0506-0708-090a-0b0c0d0e0f10")));
    struct error err = {0};
    assert_true(batch_check(b, &err));
}

static void a_column_that_the_source_has_not_is_null(void **state)
{
    (void)state;
    int64_t v = 5;
    owned(batch_free) struct batch *b =
        convert(two_rows(kind(TYPE_INT64), &v), "other", kind(TYPE_STRING));
    assert_false(column_is_valid(&b->columns[0], 0));
    assert_false(column_is_unchanged(&b->columns[0], 1));
}

static void what_would_lose_values_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t v = 5;
    struct batch *source = two_rows(kind(TYPE_INT64), &v);
    struct schema *s = schema_with("c", kind(TYPE_INT32));
    assert_null(convert_batch(source, s, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_string_equal(err.message, "column \"c\": cannot store int64 as int32");
    schema_release(s);
    batch_release(source);
    assert_false(convert_can(decimal(10, 2), decimal(10, 1)));
    assert_false(convert_can(decimal(10, 2), decimal(10, 3)));
    assert_false(convert_can(kind(TYPE_INT64), kind(TYPE_FLOAT64)));
    assert_false(convert_can(kind(TYPE_INT64), kind(TYPE_STRING)));
    assert_false(convert_can(kind(TYPE_BINARY), kind(TYPE_STRING)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_layouts_are_shared),
        cmocka_unit_test(integers_widen_with_their_sign),
        cmocka_unit_test(floats_widen),
        cmocka_unit_test(decimals_take_the_wider_scale),
        cmocka_unit_test(times_and_uuids_become_text),
        cmocka_unit_test(a_column_that_the_source_has_not_is_null),
        cmocka_unit_test(what_would_lose_values_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
