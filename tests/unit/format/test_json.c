#include <jansson.h>
#include <math.h>

#include "format/json.h"
#include "test.h"

static void writes(struct type type, const void *value, const char *text)
{
    struct column c = {.type = type, .values = (void *)(uintptr_t)value};
    struct buf out = {0};
    json_write_value(&c, 0, &out);
    assert_string_equal(buf_text(&out), text);
    json_t *parsed = json_loads(buf_text(&out),
                                JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
    buf_release(&out);
}

static void writes_text(enum type_kind kind, const char *data, size_t size, const char *text)
{
    struct view v = view_from(data, size);
    writes((struct type){.kind = kind}, &v, text);
}

static void numbers_keep_all_their_digits(void **state)
{
    (void)state;
    writes((struct type){.kind = TYPE_INT64}, &(int64_t){INT64_MAX}, "9223372036854775807");
    writes((struct type){TYPE_DECIMAL, 18, 4}, &(int64_t){-123456789012345678},
           "-12345678901234.5678");
    writes((struct type){TYPE_DECIMAL, 4, 4}, &(int16_t){5}, "0.0005");
    writes((struct type){.kind = TYPE_FLOAT64}, &(double){1e300}, "1e+300");
    writes((struct type){.kind = TYPE_BOOL}, &(uint8_t){1}, "true");
}

static void numbers_that_json_does_not_have_are_strings(void **state)
{
    (void)state;
    writes((struct type){.kind = TYPE_FLOAT64}, &(double){NAN}, "\"NaN\"");
    writes((struct type){.kind = TYPE_FLOAT32}, &(float){-INFINITY}, "\"-Infinity\"");
}

static void text_is_escaped(void **state)
{
    (void)state;
    writes_text(TYPE_STRING, "a\"b\\c\n\t\r\b\f\x01/\x7fü", 15,
                "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001/\x7fü\"");
    writes_text(TYPE_STRING, "a\0b", 3, "\"a\\u0000b\"");
    writes_text(TYPE_STRING, "", 0, "\"\"");
    writes_text(TYPE_BINARY, "\xff\x00\x01", 3, "\"/wAB\"");
}

static void json_goes_in_on_one_line(void **state)
{
    (void)state;
    writes_text(TYPE_JSON, "{\"a\":\r\n\t[1.10, \"x\\n\"]}", 22, "{\"a\":   [1.10, \"x\\n\"]}");
}

static void times_are_strings(void **state)
{
    (void)state;
    writes((struct type){.kind = TYPE_TIMESTAMPTZ}, &(int64_t){1704164645123456},
           "\"2024-01-02T03:04:05.123456Z\"");
    writes((struct type){.kind = TYPE_TIMESTAMP}, &(int64_t){1704164645000000},
           "\"2024-01-02T03:04:05\"");
    writes((struct type){.kind = TYPE_TIME}, &(int64_t){1500000}, "\"00:00:01.5\"");
    writes((struct type){.kind = TYPE_DATE}, &(int32_t){0}, "\"1970-01-01\"");
}

static void a_row_leaves_out_what_is_unchanged(void **state)
{
    (void)state;
    struct schema *s = schema_new(3);
    s->columns[0] =
        (struct schema_column){.name = "id", .type = {.kind = TYPE_INT32}, .is_key = true};
    s->columns[1] = (struct schema_column){.name = "a \"b\"", .type = {.kind = TYPE_STRING}};
    s->columns[2] = (struct schema_column){.name = "c", .type = {.kind = TYPE_STRING}};
    schema_seal(s);
    struct batch *b = batch_new(s, 0, 2);
    batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    batch_set_null(b, 1, 0);
    batch_set_bytes(b, 2, 0, "x", 1);
    batch_add_row(b, ROW_UPDATE_AFTER, IMAGE_WHOLE);
    batch_set_unchanged(b, 1, 1);
    batch_set_unchanged(b, 2, 1);

    struct buf out = {0};
    json_write_row(s, b->columns, 0, false, &out);
    assert_string_equal(buf_text(&out), "{\"id\":0,\"a \\\"b\\\"\":null,\"c\":\"x\"}");
    buf_clear(&out);
    json_write_row(s, b->columns, 1, false, &out);
    assert_string_equal(buf_text(&out), "{\"id\":0}");
    buf_clear(&out);
    json_write_row(s, b->columns, 0, true, &out);
    assert_string_equal(buf_text(&out), "{\"id\":0}");
    batch_set_unchanged(b, 0, 1);
    buf_clear(&out);
    json_write_row(s, b->columns, 1, false, &out);
    assert_string_equal(buf_text(&out), "{}");
    buf_release(&out);
    batch_release(b);
    schema_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_all_their_digits),
        cmocka_unit_test(numbers_that_json_does_not_have_are_strings),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(json_goes_in_on_one_line),
        cmocka_unit_test(times_are_strings),
        cmocka_unit_test(a_row_leaves_out_what_is_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
