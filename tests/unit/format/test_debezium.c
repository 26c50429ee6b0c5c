#include <jansson.h>

#include "format/debezium.h"
#include "test.h"

static void writes(struct type type, const void *value, const char *text)
{
    struct column c = {.type = type, .values = (void *)(uintptr_t)value};
    struct buf out = {0};
    debezium_write_value(&c, 0, &out);
    assert_string_equal(buf_text(&out), text);
    buf_release(&out);
}

static void values_are_those_of_debezium(void **state)
{
    (void)state;
    struct view json = view_from("{\"a\": [1, 2]}", 13);
    struct view bytes = view_from("\xff\x00\x01", 3);
    writes((struct type){TYPE_DECIMAL, 18, 4}, &(int64_t){-123456789012345678},
           "\"-12345678901234.5678\"");
    writes((struct type){.kind = TYPE_DATE}, &(int32_t){-1}, "-1");
    writes((struct type){.kind = TYPE_TIME}, &(int64_t){1500000}, "1500000");
    writes((struct type){.kind = TYPE_TIMESTAMP}, &(int64_t){1704164645123456}, "1704164645123456");
    writes((struct type){.kind = TYPE_TIMESTAMPTZ}, &(int64_t){1704164645123456},
           "\"2024-01-02T03:04:05.123456Z\"");
    writes((struct type){.kind = TYPE_JSON}, &json, "\"{\\\"a\\\": [1, 2]}\"");
    writes((struct type){.kind = TYPE_BINARY}, &bytes, "\"/wAB\"");
    writes((struct type){.kind = TYPE_INT64}, &(int64_t){INT64_MIN}, "-9223372036854775808");
    writes((struct type){.kind = TYPE_BOOL}, &(uint8_t){1}, "true");
}

static const struct debezium_source source = {
    .connector = "delta", .name = "shop \"x\"", .table = "orders", .id_name = "version_id"};

static void an_envelope_has_both_images(void **state)
{
    (void)state;
    struct schema *s = schema_new(2);
    s->columns[0] = (struct schema_column){.name = "id", .type = {.kind = TYPE_INT32}};
    s->columns[1] = (struct schema_column){.name = "a \"b\"", .type = {.kind = TYPE_STRING}};
    schema_seal(s);
    struct batch *b = batch_new(s, 0, 2);
    batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    batch_set_bytes(b, 1, 0, "x\ny", 3);
    batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    batch_set_null(b, 1, 1);

    struct buf before = {0};
    struct buf after = {0};
    struct buf out = {0};
    debezium_write_row(s, b->columns, 2, 0, &before);
    debezium_write_row(s, b->columns, 2, 1, &after);
    debezium_write_change(&source,
                          &(struct debezium_change){.op = 'u',
                                                    .before = buf_str(&before),
                                                    .after = buf_str(&after),
                                                    .id = 7,
                                                    .source_time_us = 1999,
                                                    .time_us = -1},
                          &out);
    assert_string_equal(
        buf_text(&out),
        "{\"before\":{\"id\":0,\"a \\\"b\\\"\":\"x\\ny\"},\"after\":{\"id\":0,\"a \\\"b\\\"\":null},"
        "\"source\":{\"version\":\"" LEAT_VERSION
        "\",\"connector\":\"delta\",\"name\":\"shop \\\"x\\\"\",\"table\":\"orders\","
        "\"ts_ms\":1,\"version_id\":7},\"op\":\"u\",\"ts_ms\":-1}\n");
    json_t *parsed = json_loads(buf_text(&out), 0, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
    buf_release(&before);
    buf_release(&after);
    buf_release(&out);
    batch_release(b);
    schema_free(&s);
}

static void a_missing_image_is_null(void **state)
{
    (void)state;
    struct buf out = {0};
    debezium_write_change(&source,
                          &(struct debezium_change){.op = 'd', .before = {"{}", 2}, .id = 1}, &out);
    assert_non_null(strstr(buf_text(&out), "{\"before\":{},\"after\":null,"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_debezium),
        cmocka_unit_test(an_envelope_has_both_images),
        cmocka_unit_test(a_missing_image_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
