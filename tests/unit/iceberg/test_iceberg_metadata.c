#include <zlib.h>

#include "metadata_fixture.h"

static struct iceberg_metadata *parse(const char *text, struct error *err)
{
    json_t *value = json_of(text);
    char *plain = json_dumps(value, 0);
    json_decref(value);
    struct iceberg_metadata *m = iceberg_metadata_parse(str_from(plain), err);
    free(plain);
    return m;
}

static struct iceberg_metadata *parsed(const char *text)
{
    struct error err = {0};
    struct iceberg_metadata *m = parse(text, &err);
    if (!m) {
        fail_msg("%s", err.message);
    }
    return m;
}

#define HEAD                                                                                \
    "'format-version':2,'table-uuid':'9c12d441-03fe-4693-9a96-a0705ddf69c1',"               \
    "'location':'s3://bucket/t','last-sequence-number':34,'last-updated-ms':1602638573590," \
    "'last-column-id':3,"
#define SCHEMA                                                               \
    "{'type':'struct','schema-id':1,'identifier-field-ids':[1],'fields':["   \
    "{'id':1,'name':'x','required':true,'type':'long'},"                     \
    "{'id':2,'name':'at','required':false,'type':'timestamptz'},"            \
    "{'id':3,'name':'s','required':false,'type':{'type':'struct','fields':[" \
    "{'id':4,'name':'price','required':false,'type':'decimal(9, 2)'}]}}]}"
#define SCHEMAS                                                                  \
    "'current-schema-id':1,'schemas':[{'type':'struct','schema-id':0,'fields':[" \
    "{'id':1,'name':'x','required':true,'type':'int'},"                          \
    "{'id':5,'name':'gone','required':true,'type':'date'}]}," SCHEMA "],"
#define SPECS                                                                                    \
    "'default-spec-id':1,'last-partition-id':1003,'partition-specs':[{'spec-id':0,'fields':[]}," \
    "{'spec-id':1,'fields':["                                                                    \
    "{'name':'at_day','transform':'day','source-id':2,'field-id':1000},"                         \
    "{'name':'price','transform':'identity','source-id':4,'field-id':1001},"                     \
    "{'name':'gone','transform':'void','source-id':5,'field-id':1002},"                          \
    "{'name':'z','transform':'zorder','source-ids':[1,2],'field-id':1003}]}],"
#define ORDERS "'default-sort-order-id':0,'sort-orders':[{'order-id':0,'fields':[]}],"
#define SNAPSHOTS                                                                          \
    "'current-snapshot-id':3055729675574597004,"                                           \
    "'refs':{'main':{'snapshot-id':3055729675574597004,'type':'branch'}},'snapshots':["    \
    "{'snapshot-id':3051729675574597004,'timestamp-ms':1515100955770,'sequence-number':0," \
    "'summary':{'operation':'append'},'manifest-list':'s3://a/1.avro'},"                   \
    "{'snapshot-id':3055729675574597004,'parent-snapshot-id':3051729675574597004,"         \
    "'timestamp-ms':1555100955770,'sequence-number':1,'summary':{'operation':'overwrite'," \
    "'total-records':'7'},'manifest-list':'s3://a/2.avro','schema-id':1}]"

static void a_table_of_version_2_is_read_to_the_last_digit(void **state)
{
    (void)state;
    struct iceberg_metadata *m = parsed("{" HEAD SCHEMAS SPECS ORDERS
                                        "'properties':{'a':'b'},'odd':{'k':[1.5]}," SNAPSHOTS "}");
    assert_int_equal(m->format_version, 2);
    assert_string_equal(m->uuid, "9c12d441-03fe-4693-9a96-a0705ddf69c1");
    assert_string_equal(m->location, "s3://bucket/t");
    assert_int_equal(m->last_sequence_number, 34);
    assert_int_equal(m->last_updated_ms, 1602638573590);
    assert_int_equal(m->last_column_id, 3);
    assert_int_equal(m->last_partition_id, 1003);
    assert_int_equal(m->schema->id, 1);
    assert_int_equal(m->spec->id, 1);
    assert_int_equal(m->snapshot_count, 2);
    assert_int_equal(m->current->id, 3055729675574597004);
    assert_int_equal(m->current->parent_id, 3051729675574597004);
    assert_int_equal(m->current->sequence_number, 1);
    assert_int_equal(m->current->schema_id, 1);
    assert_string_equal(m->current->operation, "overwrite");
    assert_string_equal(m->current->manifest_list, "s3://a/2.avro");
    assert_string_equal(iceberg_snapshot_summary(m->current, "total-records"), "7");
    assert_null(iceberg_snapshot_summary(m->current, "other"));
    const struct iceberg_snapshot *first = iceberg_metadata_snapshot(m, m->current->parent_id);
    assert_non_null(first);
    assert_int_equal(first->parent_id, -1);
    assert_int_equal(first->schema_id, -1);
    assert_null(iceberg_metadata_snapshot(m, first->parent_id));
    assert_string_equal(iceberg_metadata_property(m, "a"), "b");
    assert_null(iceberg_metadata_property(m, "b"));
    assert_null(iceberg_metadata_schema(m, 2));
    assert_member(m, "odd", "{'k':[1.5]}");
    iceberg_metadata_free(&m);
}

static void results_of_transforms_have_the_type_of_the_column_wherever_it_is(void **state)
{
    (void)state;
    struct iceberg_metadata *m = parsed("{" HEAD SCHEMAS SPECS ORDERS SNAPSHOTS "}");
    const struct iceberg_spec_field *f = m->spec->fields;
    assert_int_equal(f[0].transform.kind, LAKE_DAY);
    assert_int_equal(f[0].result.kind, TYPE_DATE);
    assert_true(type_equal(f[1].result, (struct type){TYPE_DECIMAL, 9, 2})); /* in a struct */
    assert_int_equal(f[2].result.kind, TYPE_DATE);                           /* dropped */
    assert_int_equal(f[3].transform.kind, LAKE_UNKNOWN);
    assert_int_equal(f[3].source_id, 1);
    assert_int_equal(f[3].field_id, 1003);
    iceberg_metadata_free(&m);
}

static void a_table_of_version_1_needs_to_say_little(void **state)
{
    (void)state;
    struct iceberg_metadata *m =
        parsed("{'format-version':1,'location':'/t','last-updated-ms':7,'last-column-id':1,"
               "'schema':{'type':'struct','fields':[{'id':1,'name':'x','required':true,"
               "'type':'long'}]},'partition-spec':[{'name':'x_bucket','transform':'bucket[4]',"
               "'source-id':1}],'current-snapshot-id':-1,'snapshots':[{'snapshot-id':5,"
               "'timestamp-ms':6,'manifests':['a.avro','b.avro']}]}");
    assert_int_equal(m->format_version, 1);
    assert_string_equal(m->uuid, "");
    assert_int_equal(m->last_sequence_number, 0);
    assert_int_equal(m->schema->id, 0);
    assert_int_equal(m->schema->field_count, 1);
    assert_int_equal(m->spec->id, 0);
    assert_int_equal(m->spec->fields[0].field_id, 1000);
    assert_int_equal(m->spec->fields[0].transform.parameter, 4);
    assert_int_equal(m->last_partition_id, 1000);
    assert_null(m->current);
    assert_null(m->snapshots[0].manifest_list);
    assert_int_equal(json_array_size(m->snapshots[0].manifests), 2);
    assert_null(m->snapshots[0].operation);
    iceberg_metadata_free(&m);
}

static void version_1_may_say_as_much_as_version_2(void **state)
{
    (void)state;
    struct iceberg_metadata *m =
        parsed("{'format-version':1,'table-uuid':'u','location':'/t','last-updated-ms':7,"
               "'last-column-id':5,'schema':" SCHEMA ",'partition-spec':[]," SCHEMAS SPECS
               "'current-snapshot-id':null}");
    assert_int_equal(m->schema_count, 2);
    assert_int_equal(m->spec_count, 2);
    assert_int_equal(m->schema->id, 1);
    assert_int_equal(m->spec->id, 1);
    assert_null(m->current);
    iceberg_metadata_free(&m);
}

static void a_table_of_version_3_is_read(void **state)
{
    (void)state;
    struct iceberg_metadata *m =
        parsed("{'format-version':3,'table-uuid':'u','location':'/t','last-sequence-number':0,"
               "'last-updated-ms':7,'last-column-id':2,'next-row-id':0,'current-schema-id':0,"
               "'schemas':[{'type':'struct','fields':[{'id':1,'name':'v','type':'variant'},"
               "{'id':2,'name':'n','type':'timestamp_ns','initial-default':'x'}]}]," ORDERS
               "'default-spec-id':0,'last-partition-id':999,'partition-specs':"
               "[{'spec-id':0,'fields':[]}],'encryption-keys':[]}");
    assert_int_equal(m->format_version, 3);
    assert_true(m->schema->fields[0].is_unsupported);
    assert_int_equal(m->schema->fields[1].type.kind, TYPE_TIMESTAMP);
    iceberg_metadata_free(&m);
}

static void assert_refused(const char *text, enum error_kind kind, const char *named)
{
    struct error err = {0};
    struct iceberg_metadata *m = parse(text, &err);
    assert_null(m);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.message, named)) {
        fail_msg("%s", err.message);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    assert_refused("[]", ERROR_DATA, "not an object");
    assert_refused("{}", ERROR_DATA, "\"format-version\" is missing");
    assert_refused("{'format-version':4}", ERROR_CONFIG, "format version 4");
    assert_refused("{'format-version':0}", ERROR_DATA, "format version 0");
    assert_refused("{'format-version':'2'}", ERROR_DATA, "not an integer");
    assert_refused("{'format-version':2}", ERROR_DATA, "\"table-uuid\" is missing");
    assert_refused("{" HEAD "'x':1}", ERROR_DATA, "\"schemas\" is missing");
    assert_refused("{" HEAD "'schema':" SCHEMA "}", ERROR_DATA, "\"schemas\" is missing");
    assert_refused("{" HEAD "'current-schema-id':9,'schemas':[" SCHEMA "]}", ERROR_DATA,
                   "no schema 9");
    assert_refused("{" HEAD SCHEMAS "'x':1}", ERROR_DATA, "\"partition-specs\" is missing");
    assert_refused("{" HEAD SCHEMAS "'default-spec-id':2,'partition-specs':[]}", ERROR_DATA,
                   "no partition spec 2");
    assert_refused("{" HEAD SCHEMAS "'default-spec-id':2,'partition-specs':[{'spec-id':2,"
                   "'fields':[{'name':'a','transform':'day','field-id':1000}]}]}",
                   ERROR_DATA, "partition spec 2: \"source-id\" is missing");
    assert_refused("{" HEAD SCHEMAS SPECS "'properties':[]}", ERROR_DATA, "\"properties\"");
    assert_refused("{" HEAD SCHEMAS SPECS "'current-snapshot-id':4}", ERROR_DATA, "no snapshot 4");
    assert_refused("{" HEAD SCHEMAS SPECS "'refs':{'main':{'snapshot-id':4}}}", ERROR_DATA,
                   "main is at 4");
    assert_refused("{" HEAD SCHEMAS SPECS "'snapshots':[{'snapshot-id':1,'timestamp-ms':1}]}",
                   ERROR_DATA, "\"manifest-list\" is missing");
    assert_refused("{" HEAD SCHEMAS SPECS
                   "'snapshots':[{'snapshot-id':1,'timestamp-ms':1,'manifest-list':'a'},"
                   "{'snapshot-id':1,'timestamp-ms':1,'manifest-list':'a'}]}",
                   ERROR_DATA, "snapshot 1 is there twice");
    assert_refused("{" HEAD SCHEMAS SPECS "'snapshots':[7]}", ERROR_DATA, "\"snapshot-id\"");
}

static void texts_that_are_not_json_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "{}{}", "{\"format-version\":99999999999999999999}", "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = {0};
        assert_null(iceberg_metadata_parse(str_from(texts[i]), &err));
        assert_int_equal(err.kind, ERROR_DATA);
        assert_non_null(strstr(err.message, "not JSON"));
    }
}

static size_t compress_text(const char *text, unsigned char *out, size_t size)
{
    z_stream z = {0};
    assert_int_equal(
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
        Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = out;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&z);
    return z.total_out;
}

static void compressed_files_are_read(void **state)
{
    (void)state;
    struct error err = {0};
    unsigned char bytes[8192];
    struct iceberg_metadata *table = fixture_table();
    char *text = json_dumps(table->json, JSON_INDENT(2));
    size_t size = compress_text(text, bytes, sizeof(bytes));
    struct iceberg_metadata *m = iceberg_metadata_parse((struct str){(char *)bytes, size}, &err);
    assert_non_null(m);
    assert_true(json_equal(m->json, table->json));
    iceberg_metadata_free(&m);

    for (size_t cut = 2; cut < size; cut++) {
        err = (struct error){0};
        assert_null(iceberg_metadata_parse((struct str){(char *)bytes, cut}, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        assert_non_null(strstr(err.message, "not a whole gzip file"));
    }
    free(text);
    iceberg_metadata_free(&table);
}

static void a_new_table_has_what_every_reader_asks_for(void **state)
{
    (void)state;
    int64_t now = INT64_C(1700000000123456);
    clock_fake(&now);
    struct iceberg_spec_field field = {.source_id = 2, .field_id = 1000, .name = "day_month"};
    field.transform = (struct lake_transform){.kind = LAKE_MONTH};
    struct iceberg_spec spec = {.fields = &field, .field_count = 1};
    json_t *schema = fixture_schema();
    struct iceberg_create create = {.location = "file:///lake/t", .schema = schema, .spec = &spec};
    struct error err = {0};
    struct iceberg_metadata *m = iceberg_metadata_from(iceberg_metadata_make(&create), &err);
    assert_non_null(m);
    assert_member(m, "format-version", "2");
    assert_int_equal(strlen(m->uuid), 36);
    assert_member(m, "last-sequence-number", "0");
    assert_member(m, "last-updated-ms", "1700000000123");
    assert_member(m, "last-column-id", "2");
    assert_member(m, "current-schema-id", "0");
    assert_member(m, "partition-specs",
                  "[{'spec-id':0,'fields':[{'source-id':2,'field-id':1000,'name':'day_month',"
                  "'transform':'month'}]}]");
    assert_member(m, "last-partition-id", "1000");
    assert_member(m, "sort-orders", "[{'order-id':0,'fields':[]}]");
    assert_member(m, "default-sort-order-id", "0");
    assert_member(m, "properties", "{}");
    assert_member(m, "current-snapshot-id", "-1");
    assert_member(m, "refs", "{}");
    assert_true(m->schema->fields[0].is_identifier);
    assert_int_equal(m->spec->fields[0].result.kind, TYPE_INT32);
    assert_null(m->current);
    iceberg_metadata_free(&m);

    create.spec = NULL;
    m = iceberg_metadata_from(iceberg_metadata_make(&create), &err);
    assert_non_null(m);
    assert_member(m, "partition-specs", "[{'spec-id':0,'fields':[]}]");
    assert_member(m, "last-partition-id", "999");
    iceberg_metadata_free(&m);
    json_decref(schema);
    clock_fake(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_version_2_is_read_to_the_last_digit),
        cmocka_unit_test(results_of_transforms_have_the_type_of_the_column_wherever_it_is),
        cmocka_unit_test(a_table_of_version_1_needs_to_say_little),
        cmocka_unit_test(version_1_may_say_as_much_as_version_2),
        cmocka_unit_test(a_table_of_version_3_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(texts_that_are_not_json_are_refused),
        cmocka_unit_test(compressed_files_are_read),
        cmocka_unit_test(a_new_table_has_what_every_reader_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
