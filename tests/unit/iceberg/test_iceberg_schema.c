#include <stdlib.h>
#include <string.h>

#include "iceberg/schema.h"
#include "iceberg/type.h"
#include "test.h"

struct parsed {
    struct arena arena;
    json_t *json;
    struct iceberg_schema schema;
    struct error err;
    bool ok;
};

static struct parsed parse(const char *text)
{
    struct parsed p = {0};
    p.json = json_loads(text, 0, NULL);
    assert_non_null(p.json);
    p.ok = iceberg_schema_parse(p.json, &p.arena, &p.schema, &p.err);
    return p;
}

static void release(struct parsed *p)
{
    json_decref(p->json);
    arena_release(&p->arena);
}

static void assert_refused(const char *text, const char *named)
{
    struct parsed p = parse(text);
    assert_false(p.ok);
    assert_int_equal(p.err.kind, ERROR_DATA);
    if (!strstr(p.err.message, named)) {
        fail_msg("%s", p.err.message);
    }
    release(&p);
}

static void types_have_the_names_of_the_specification(void **state)
{
    (void)state;
    static const struct {
        struct type type;
        const char *text;
    } cases[] = {
        {{.kind = TYPE_BOOL}, "boolean"},
        {{.kind = TYPE_INT16}, "int"},
        {{.kind = TYPE_INT32}, "int"},
        {{.kind = TYPE_INT64}, "long"},
        {{.kind = TYPE_FLOAT32}, "float"},
        {{.kind = TYPE_FLOAT64}, "double"},
        {{TYPE_DECIMAL, 10, 2}, "decimal(10, 2)"},
        {{.kind = TYPE_STRING}, "string"},
        {{.kind = TYPE_JSON}, "string"},
        {{.kind = TYPE_BINARY}, "binary"},
        {{.kind = TYPE_DATE}, "date"},
        {{.kind = TYPE_TIME}, "time"},
        {{.kind = TYPE_TIMESTAMP}, "timestamp"},
        {{.kind = TYPE_TIMESTAMPTZ}, "timestamptz"},
        {{.kind = TYPE_UUID}, "uuid"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a = {0};
        struct type again;
        assert_string_equal(iceberg_type_text(cases[i].type, &a), cases[i].text);
        assert_true(iceberg_type_parse(cases[i].text, &again));
        assert_true(type_equal(again, iceberg_stored_type(cases[i].type)));
        arena_release(&a);
    }
}

static void types_of_others_are_read_where_the_model_has_them(void **state)
{
    (void)state;
    struct type t;
    assert_true(iceberg_type_parse("decimal(9,0)", &t));
    assert_true(type_equal(t, (struct type){TYPE_DECIMAL, 9, 0}));
    assert_true(iceberg_type_parse("fixed[16]", &t));
    assert_int_equal(t.kind, TYPE_BINARY);
    assert_true(iceberg_type_parse("timestamp_ns", &t));
    assert_int_equal(t.kind, TYPE_TIMESTAMP);
    assert_true(iceberg_type_parse("timestamptz_ns", &t));
    assert_int_equal(t.kind, TYPE_TIMESTAMPTZ);
    static const char *const others[] = {"",
                                         "variant",
                                         "geometry(srid:4326)",
                                         "unknown",
                                         "decimal",
                                         "fixed",
                                         "fixed[]",
                                         "fixed[1",
                                         "decimal(39,0)",
                                         "decimal(0,0)",
                                         "Int",
                                         "decimal(3,4)",
                                         "decimal(3,2)x",
                                         "decimal(3)",
                                         "decimal(99999999999999999999,2)",
                                         "int "};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(iceberg_type_parse(others[i], &t));
    }
}

static const char nested[] =
    "{\"type\":\"struct\",\"schema-id\":3,\"identifier-field-ids\":[2],\"fields\":["
    "{\"id\":1,\"name\":\"tags\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":5,"
    "\"element-required\":true,\"element\":\"string\"}},"
    "{\"id\":2,\"name\":\"id\",\"required\":true,\"type\":\"long\",\"doc\":\"the key\","
    "\"initial-default\":7},"
    "{\"id\":3,\"name\":\"place\",\"required\":true,\"type\":{\"type\":\"struct\",\"fields\":["
    "{\"id\":6,\"name\":\"lat\",\"required\":true,\"type\":\"int\"},"
    "{\"id\":7,\"name\":\"map\",\"required\":false,\"type\":{\"type\":\"map\",\"key-id\":9,"
    "\"key\":\"string\",\"value-id\":8,\"value-required\":false,\"value\":\"timestamp\"}}]}}]}";

static void schemas_are_read_with_their_nested_fields_as_text(void **state)
{
    (void)state;
    struct parsed p = parse(nested);
    assert_true(p.ok);
    assert_int_equal(p.schema.id, 3);
    assert_int_equal(p.schema.field_count, 3);
    const struct iceberg_field *f = p.schema.fields;
    assert_true(f[0].is_nested);
    assert_false(f[0].required);
    assert_int_equal(f[0].type.kind, TYPE_JSON);
    assert_string_equal(f[0].text, "{\"type\":\"list\",\"element-id\":5,\"element-required\":true,"
                                   "\"element\":\"string\"}");
    assert_true(f[1].is_identifier);
    assert_int_equal(f[1].id, 2);
    assert_string_equal(f[1].text, "long");
    assert_string_equal(f[1].doc, "the key");
    assert_string_equal(f[1].initial_default, "7");
    assert_int_equal(iceberg_schema_highest_id(p.json), 9);
    assert_string_equal(json_string_value(iceberg_schema_find(p.json, 8)), "timestamp");
    assert_string_equal(json_string_value(iceberg_schema_find(p.json, 6)), "int");
    assert_string_equal(json_string_value(iceberg_schema_find(p.json, 2)), "long");
    assert_null(iceberg_schema_find(p.json, 10));

    assert_null(iceberg_schema_model(&p.schema, &p.err)); /* parsed, but not read */
    assert_int_equal(p.err.kind, ERROR_DATA);
    assert_non_null(strstr(p.err.message, "\"tags\" has the nested type"));
    release(&p);
}

static void the_model_has_the_key_and_no_doc_of_others(void **state)
{
    (void)state;
    struct parsed p = parse("{\"schema-id\":3,\"identifier-field-ids\":[2],\"fields\":["
                            "{\"id\":1,\"name\":\"v\",\"required\":false,\"type\":\"string\"},"
                            "{\"id\":2,\"name\":\"id\",\"required\":true,\"type\":\"long\","
                            "\"doc\":\"the key\"}]}");
    assert_true(p.ok);
    struct schema *model = iceberg_schema_model(&p.schema, &p.err);
    assert_non_null(model);
    assert_int_equal(model->key_count, 1);
    assert_true(model->columns[1].is_key);
    assert_false(model->columns[1].nullable);
    assert_null(model->columns[1].source_type); /* somebody else's doc */
    schema_release(model);
    release(&p);
}

static void a_column_that_the_model_cannot_hold_is_named(void **state)
{
    (void)state;
    struct parsed p = parse("{\"fields\":[{\"id\":1,\"name\":\"shape\",\"type\":\"variant\"}]}");
    assert_true(p.ok);
    assert_true(p.schema.fields[0].is_unsupported);
    assert_null(iceberg_schema_model(&p.schema, &p.err));
    assert_int_equal(p.err.kind, ERROR_DATA);
    assert_non_null(strstr(p.err.message, "\"shape\" has the type variant"));
    release(&p);
}

static void schemas_with_mistakes_are_refused(void **state)
{
    (void)state;
    assert_refused("[]", "not an object");
    assert_refused("{}", "\"fields\" is missing");
    assert_refused("{\"fields\":{}}", "\"fields\" is not a list");
    assert_refused("{\"fields\":[1]}", "not an object");
    assert_refused("{\"fields\":[{\"id\":1,\"type\":\"int\"}]}", "\"name\" is missing");
    assert_refused("{\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}", "\"a\": \"id\" is missing");
    assert_refused("{\"fields\":[{\"id\":1,\"name\":\"a\"}]}", "\"a\": \"type\" is missing");
    assert_refused("{\"fields\":[{\"id\":1.5,\"name\":\"a\",\"type\":\"int\"}]}", "not an integer");
    assert_refused("{\"fields\":[{\"id\":4294967297,\"name\":\"a\",\"type\":\"int\"}]}", "32 bits");
    assert_refused("{\"fields\":[{\"id\":1,\"name\":\"a\",\"type\":\"int\"},"
                   "{\"id\":1,\"name\":\"b\",\"type\":\"int\"}]}",
                   "column \"b\" has the id 1 of another");
}

#define IDENTIFIED "{\"identifier-field-ids\":[1],\"fields\":["

static void identifiers_are_required_and_primitive_and_no_floats(void **state)
{
    (void)state;
    assert_refused(IDENTIFIED "{\"id\":1,\"name\":\"a\",\"required\":false,\"type\":\"int\"}]}",
                   "\"a\" is not required");
    assert_refused(IDENTIFIED "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"double\"}]}",
                   "\"a\" is a float");
    assert_refused(IDENTIFIED "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":"
                              "{\"type\":\"struct\",\"fields\":[]}}]}",
                   "\"a\" is not of a primitive type");
    assert_refused(IDENTIFIED "{\"id\":2,\"name\":\"a\",\"required\":true,\"type\":\"int\"}]}",
                   "identifier field 1 is not in the schema");
    assert_refused("{\"identifier-field-ids\":[\"1\"],\"fields\":[]}", "no field id");
}

static void a_key_that_lies_inside_a_struct_marks_no_column(void **state)
{
    (void)state;
    struct parsed p = parse(
        "{\"identifier-field-ids\":[1,3],\"fields\":["
        "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"int\"},"
        "{\"id\":2,\"name\":\"b\",\"required\":true,\"type\":{\"type\":\"struct\",\"fields\":["
        "{\"id\":3,\"name\":\"c\",\"required\":true,\"type\":\"int\"}]}}]}");
    assert_true(p.ok);
    assert_false(p.schema.fields[0].is_identifier);
    release(&p);
}

static struct schema *sample(enum type_kind key_kind)
{
    struct schema *s = schema_new(4);
    s->columns[0] = (struct schema_column){.name = "id", .is_key = true, .source_number = 3};
    s->columns[0].type.kind = key_kind;
    s->columns[0].source_type = "numeric(10,2)";
    s->columns[1] = (struct schema_column){.name = "line", .is_key = true, .nullable = false};
    s->columns[1].type = (struct type){.kind = TYPE_INT16};
    s->columns[2] = (struct schema_column){.name = "note \"x\"", .nullable = true};
    s->columns[2].type = (struct type){.kind = TYPE_JSON};
    s->columns[3] = (struct schema_column){.name = "price", .nullable = false};
    s->columns[3].type = (struct type){TYPE_DECIMAL, 12, 2};
    schema_seal(s);
    return s;
}

static char *made(enum type_kind key_kind)
{
    static const int32_t ids[] = {1, 2, 5, 4};
    struct schema *s = sample(key_kind);
    json_t *object = iceberg_schema_make(s, ids, 2);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    schema_release(s);
    return text;
}

static void schemas_are_written_as_the_specification_says(void **state)
{
    (void)state;
    char *text = made(TYPE_INT64);
    assert_string_equal(
        text, "{\"type\":\"struct\",\"schema-id\":2,\"identifier-field-ids\":[1,2],\"fields\":["
              "{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"long\","
              "\"doc\":\"{\\\"source_type\\\":\\\"numeric(10,2)\\\",\\\"source_number\\\":3}\"},"
              "{\"id\":2,\"name\":\"line\",\"required\":true,\"type\":\"int\"},"
              "{\"id\":5,\"name\":\"note \\\"x\\\"\",\"required\":false,\"type\":\"string\"},"
              "{\"id\":4,\"name\":\"price\",\"required\":true,\"type\":\"decimal(12, 2)\"}]}");
    struct parsed p = parse(text);
    assert_true(p.ok);
    struct schema *model = iceberg_schema_model(&p.schema, &p.err);
    assert_non_null(model);
    assert_string_equal(model->columns[0].source_type, "numeric(10,2)");
    assert_int_equal(model->columns[0].source_number, 3);
    assert_int_equal(model->key_count, 2);
    assert_true(model->columns[2].nullable);
    assert_false(model->columns[3].nullable);
    schema_release(model);
    release(&p);
    free(text);
}

static void a_key_with_a_float_has_no_identifiers_at_all(void **state)
{
    (void)state;
    char *text = made(TYPE_FLOAT64);
    assert_null(strstr(text, "identifier-field-ids"));
    assert_non_null(strstr(text, "\"name\":\"id\",\"required\":true"));
    struct parsed p = parse(text);
    assert_true(p.ok);
    release(&p);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_the_names_of_the_specification),
        cmocka_unit_test(types_of_others_are_read_where_the_model_has_them),
        cmocka_unit_test(schemas_are_read_with_their_nested_fields_as_text),
        cmocka_unit_test(the_model_has_the_key_and_no_doc_of_others),
        cmocka_unit_test(a_column_that_the_model_cannot_hold_is_named),
        cmocka_unit_test(schemas_with_mistakes_are_refused),
        cmocka_unit_test(identifiers_are_required_and_primitive_and_no_floats),
        cmocka_unit_test(a_key_that_lies_inside_a_struct_marks_no_column),
        cmocka_unit_test(schemas_are_written_as_the_specification_says),
        cmocka_unit_test(a_key_with_a_float_has_no_identifiers_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
