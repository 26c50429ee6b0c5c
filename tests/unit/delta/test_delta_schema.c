#include "delta/schema.h"
#include "test.h"

static struct schema *make(uint32_t count, const struct schema_column *columns)
{
    struct schema *s = schema_new(count);
    memcpy(s->columns, columns, count * sizeof(*columns));
    schema_seal(s);
    return s;
}

#define column(name_, kind_)                                         \
    {                                                                \
        .name = (name_), .type = {.kind = (kind_)}, .nullable = true \
    }

static void a_schema_written_reads_back_the_same(void **state)
{
    (void)state;
    static const struct schema_column columns[] = {
        column("bool", TYPE_BOOL),
        column("int16", TYPE_INT16),
        column("int32", TYPE_INT32),
        column("int64", TYPE_INT64),
        column("float32", TYPE_FLOAT32),
        column("float64", TYPE_FLOAT64),
        column("string", TYPE_STRING),
        column("binary", TYPE_BINARY),
        column("date", TYPE_DATE),
        column("timestamptz", TYPE_TIMESTAMPTZ),
        column("timestamp", TYPE_TIMESTAMP),
        {.name = "\"d\" \xC3\xA9", .type = {TYPE_DECIMAL, 38, 7}, .source_type = "numeric(38,7)"},
    };
    struct schema *s = make(12, columns);
    struct buf text = {0};
    struct error err = {0};
    assert_true(delta_schema_format(s, NULL, &text, &err));
    struct schema *back = delta_schema_parse(buf_text(&text), &err);
    assert_non_null(back);
    assert_true(schema_equal(s, back));
    assert_string_equal(back->columns[11].source_type, "numeric(38,7)");
    assert_null(back->columns[0].source_type);
    schema_release(s);
    schema_release(back);
    buf_release(&text);
}

static void kinds_without_a_delta_type_have_a_stored_type(void **state)
{
    (void)state;
    assert_int_equal(delta_stored_type((struct type){.kind = TYPE_TIMESTAMP}).kind,
                     TYPE_TIMESTAMPTZ);
    assert_int_equal(delta_stored_type((struct type){.kind = TYPE_UUID}).kind, TYPE_STRING);
    assert_int_equal(delta_stored_type((struct type){.kind = TYPE_TIME}).kind, TYPE_STRING);
    assert_int_equal(delta_stored_type((struct type){.kind = TYPE_JSON}).kind, TYPE_STRING);
    assert_int_equal(delta_stored_type((struct type){.kind = TYPE_INT16}).kind, TYPE_INT16);
}

static void types_that_are_not_supported_are_named(void **state)
{
    (void)state;
    static const char *const types[] = {
        "{\"type\":\"array\",\"elementType\":\"long\",\"containsNull\":true}",
        "\"variant\"",
        "\"decimal(39,0)\"",
        "\"uuid\"",
        "7",
        "null"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct buf text = {0};
        struct error err = {0};
        buf_append_format(&text,
                          "{\"type\":\"struct\",\"fields\":[{\"name\":\"odd\",\"type\":%s,"
                          "\"nullable\":true,\"metadata\":{}}]}",
                          types[i]);
        assert_null(delta_schema_parse(buf_text(&text), &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "\"odd\""));
        buf_release(&text);
    }
}

static void texts_that_are_no_schema_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "{\"fields\":7}",
                                        "{\"fields\":[7]}",
                                        "{\"fields\":[{}]}",
                                        "{\"fields\":[{\"name\":1}]}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = {0};
        assert_null(delta_schema_parse(texts[i], &err));
        assert_int_equal(err.kind, ERROR_DATA);
    }
}

static void metadata_of_others_stays_on_a_field(void **state)
{
    (void)state;
    static const char old[] = "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"byte\","
                              "\"nullable\":true,\"metadata\":{\"comment\":\"hello\"}}]}";
    static const struct schema_column columns[] = {column("a", TYPE_INT16), column("b", TYPE_BOOL)};
    struct schema *s = make(2, columns);
    struct buf text = {0};
    struct error err = {0};
    assert_true(delta_schema_format(s, old, &text, &err));
    assert_non_null(strstr(buf_text(&text), "{\"name\":\"a\",\"type\":\"byte\",\"nullable\":true,"
                                            "\"metadata\":{\"comment\":\"hello\"}}"));
    schema_release(s);
    buf_release(&text);
}

static void assert_refused_names(const char *a, const char *b)
{
    const struct schema_column columns[] = {column(a, TYPE_BOOL), column(b, TYPE_BOOL)};
    struct schema *s = make(2, columns);
    struct error err = {0};
    assert_false(delta_schema_check(s, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    schema_release(s);
}

static void names_that_readers_cannot_take_are_refused(void **state)
{
    (void)state;
    assert_refused_names("name", "NAME");
    assert_refused_names("id", "_change_type");
    assert_refused_names("id", "_Commit_Version");
    assert_refused_names("a b", "id");
    assert_refused_names("", "id");
}

static bool changes(const struct schema_column *from, uint32_t from_count,
                    const struct schema_column *to, uint32_t to_count)
{
    struct schema *a = make(from_count, from);
    struct schema *b = make(to_count, to);
    struct error err = {0};
    bool ok = delta_schema_check_change(a, b, &err);
    assert_int_equal(err.kind, ok ? ERROR_NONE : ERROR_CONFIG);
    schema_release(a);
    schema_release(b);
    return ok;
}

static void columns_are_added_and_widened_but_nothing_else(void **state)
{
    (void)state;
    static const struct schema_column one[] = {column("a", TYPE_INT32)};
    static const struct schema_column two[] = {column("a", TYPE_INT32), column("b", TYPE_BOOL)};
    static const struct schema_column wide[] = {column("a", TYPE_INT64)};
    static const struct schema_column other[] = {column("a", TYPE_STRING)};
    assert_true(changes(one, 1, two, 2));
    assert_false(changes(two, 2, one, 1));
    assert_true(changes(one, 1, wide, 1));
    assert_false(changes(wide, 1, one, 1));
    assert_false(changes(one, 1, other, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_written_reads_back_the_same),
        cmocka_unit_test(kinds_without_a_delta_type_have_a_stored_type),
        cmocka_unit_test(types_that_are_not_supported_are_named),
        cmocka_unit_test(texts_that_are_no_schema_are_refused),
        cmocka_unit_test(metadata_of_others_stays_on_a_field),
        cmocka_unit_test(names_that_readers_cannot_take_are_refused),
        cmocka_unit_test(columns_are_added_and_widened_but_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
