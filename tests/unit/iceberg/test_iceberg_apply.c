#include "metadata_fixture.h"

static const int64_t start_us = INT64_C(1700000000000000);

static int freeze_clock(void **state)
{
    (void)state;
    clock_fake(&start_us);
    return 0;
}

static int release_clock(void **state)
{
    (void)state;
    clock_fake(NULL);
    return 0;
}

static void assert_refused(const struct iceberg_metadata *m, const char *requirements,
                           const char *updates, enum error_kind kind, const char *named)
{
    struct error err = {0};
    struct iceberg_metadata *after = fixture_apply(m, requirements, updates, &err);
    assert_null(after);
    if (err.kind != kind || !strstr(err.message, named)) {
        fail_msg("%s: %s", error_kind_name(err.kind), err.message);
    }
}

/* --- requirements --- */

static void requirements_that_hold_let_the_commit_through(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    char requirements[600];
    (void)snprintf(requirements, sizeof(requirements),
                   "[{'type':'assert-table-uuid','uuid':'%s'},"
                   "{'type':'assert-ref-snapshot-id','ref':'main','snapshot-id':null},"
                   "{'type':'assert-last-assigned-field-id','last-assigned-field-id':2},"
                   "{'type':'assert-current-schema-id','current-schema-id':0},"
                   "{'type':'assert-last-assigned-partition-id','last-assigned-partition-id':999},"
                   "{'type':'assert-default-spec-id','default-spec-id':0},"
                   "{'type':'assert-default-sort-order-id','default-sort-order-id':0}]",
                   m->uuid);
    struct error err = {0};
    struct iceberg_metadata *after = fixture_apply(m, requirements, "[]", &err);
    assert_non_null(after);
    iceberg_metadata_free(&after);
    iceberg_metadata_free(&m);
}

static void a_requirement_that_does_not_hold_is_a_conflict(void **state)
{
    (void)state;
    static const struct {
        const char *requirement;
        const char *named;
    } cases[] = {
        {"[{'type':'assert-create'}]", "the table exists"},
        {"[{'type':'assert-table-uuid','uuid':'x'}]", "not x"},
        {"[{'type':'assert-ref-snapshot-id','ref':'main','snapshot-id':null}]", "not at none"},
        {"[{'type':'assert-ref-snapshot-id','ref':'main','snapshot-id':8}]",
         "at snapshot 7, not 8"},
        {"[{'type':'assert-ref-snapshot-id','ref':'b','snapshot-id':7}]", "b has no snapshot"},
        {"[{'type':'assert-last-assigned-field-id','last-assigned-field-id':3}]", "is 2, not 3"},
        {"[{'type':'assert-current-schema-id','current-schema-id':1}]", "is 0, not 1"},
        {"[{'type':'assert-last-assigned-partition-id','last-assigned-partition-id':1000}]",
         "is 999, not 1000"},
        {"[{'type':'assert-default-spec-id','default-spec-id':1}]", "is 0, not 1"},
        {"[{'type':'assert-default-sort-order-id','default-sort-order-id':1}]", "is 0, not 1"},
    };
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 7, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_refused(m, cases[i].requirement, "[]", ERROR_CONFLICT, cases[i].named);
    }
    iceberg_metadata_free(&m);
}

static void a_requirement_that_nobody_knows_is_not_taken_for_true(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    assert_refused(m, "[{'type':'assert-view-uuid'}]", "[]", ERROR_FATAL, "not known");
    assert_refused(m, "[{}]", "[]", ERROR_FATAL, "no type");
    assert_refused(m, "[{'type':'assert-default-spec-id'}]", "[]", ERROR_FATAL, "has no");
    assert_refused(m, "[{'type':'assert-table-uuid'}]", "[]", ERROR_FATAL, "has no uuid");
    assert_refused(m, "[{'type':'assert-ref-snapshot-id'}]", "[]", ERROR_FATAL, "has no ref");
    iceberg_metadata_free(&m);
}

static void main_is_known_without_refs(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 7, 0);
    (void)json_object_del(m->json, "refs");
    struct error err = {0};
    struct iceberg_metadata *after = fixture_apply(
        m, "[{'type':'assert-ref-snapshot-id','ref':'main','snapshot-id':7}]",
        "[{'action':'set-snapshot-ref','ref-name':'v','type':'tag','snapshot-id':7}]", &err);
    assert_non_null(after);
    assert_member(after, "refs",
                  "{'main':{'snapshot-id':7,'type':'branch'},'v':{'snapshot-id':7,'type':'tag'}}");
    iceberg_metadata_free(&after);
    iceberg_metadata_free(&m);
}

/* --- snapshots --- */

static void a_snapshot_becomes_current_and_is_logged_once(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 3055729675574597004, 1700000001000);
    assert_int_equal(m->current->id, 3055729675574597004);
    assert_int_equal(m->last_sequence_number, 1);
    assert_int_equal(m->last_updated_ms, 1700000001000); /* the snapshot's time */
    assert_member(m, "refs", "{'main':{'snapshot-id':3055729675574597004,'type':'branch'}}");
    assert_member(m, "snapshot-log",
                  "[{'timestamp-ms':1700000001000,'snapshot-id':3055729675574597004}]");
    assert_member(m, "metadata-log",
                  "[{'timestamp-ms':1700000000000,"
                  "'metadata-file':'file:///lake/t/metadata/v1.metadata.json'}]");
    assert_member(m, "properties", "{'owner':'me'}");
    iceberg_metadata_free(&m);
}

static void times_never_go_backwards(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 1, 1700000009000);
    fixture_snapshot(&m, 2, 1700000008000);
    assert_int_equal(m->last_updated_ms, 1700000009000);
    fixture_advance(&m, "[{'action':'set-properties','updates':{}}]"); /* the clock stands before */
    assert_int_equal(m->last_updated_ms, 1700000009000);
    assert_member(m, "snapshot-log",
                  "[{'timestamp-ms':1700000009000,'snapshot-id':1},"
                  "{'timestamp-ms':1700000009000,'snapshot-id':2}]");
    iceberg_metadata_free(&m);
}

static void only_changes_of_main_are_logged(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 1, 0);
    fixture_advance(&m, "[{'action':'set-snapshot-ref','ref-name':'audit','type':'branch',"
                        "'snapshot-id':1,'max-ref-age-ms':5},"
                        "{'action':'set-snapshot-ref','ref-name':'main','type':'branch',"
                        "'snapshot-id':1}]");
    assert_int_equal(json_array_size(json_object_get(m->json, "snapshot-log")), 1);
    assert_member(m, "refs",
                  "{'main':{'snapshot-id':1,'type':'branch'},"
                  "'audit':{'snapshot-id':1,'type':'branch','max-ref-age-ms':5}}");
    iceberg_metadata_free(&m);
}

#define SNAPSHOT(id, sequence)                                                              \
    "{'action':'add-snapshot','snapshot':{'snapshot-id':" id ",'sequence-number':" sequence \
    ",'timestamp-ms':1,'manifest-list':'m','summary':{'operation':'append'}}}"

static void snapshots_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 1, 0);
    assert_refused(m, "[]", "[" SNAPSHOT("2", "1") "]", ERROR_CONFLICT, "number 1 is taken");
    assert_refused(m, "[]", "[" SNAPSHOT("1", "2") "]", ERROR_FATAL, "snapshot 1 exists");
    assert_refused(m, "[]", "[" SNAPSHOT("2", "2") "," SNAPSHOT("2", "3") "]", ERROR_FATAL,
                   "snapshot 2 exists");
    assert_refused(m, "[]", "[{'action':'add-snapshot'}]", ERROR_FATAL, "has no snapshot-id");
    assert_refused(m, "[]",
                   "[{'action':'set-snapshot-ref','ref-name':'main','type':'branch',"
                   "'snapshot-id':9}]",
                   ERROR_FATAL, "no snapshot 9");
    assert_refused(m, "[]",
                   "[{'action':'set-snapshot-ref','ref-name':'main','type':'tag',"
                   "'snapshot-id':1}]",
                   ERROR_FATAL, "main cannot be a tag");
    iceberg_metadata_free(&m);
}

static void what_was_before_a_removed_snapshot_goes_from_the_log(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    for (int64_t id = 1; id <= 4; id++) {
        fixture_snapshot(&m, id, 1700000000000 + id);
    }
    fixture_advance(&m, "[{'action':'remove-snapshots','snapshot-ids':[2]}]");
    assert_int_equal(m->snapshot_count, 3);
    assert_null(iceberg_metadata_snapshot(m, 2));
    assert_non_null(iceberg_metadata_snapshot(m, 1));
    assert_member(m, "snapshot-log",
                  "[{'timestamp-ms':1700000000003,'snapshot-id':3},"
                  "{'timestamp-ms':1700000000004,'snapshot-id':4}]");
    iceberg_metadata_free(&m);
}

static void a_snapshot_may_replace_what_it_follows_in_one_commit(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 1, 0);
    fixture_advance(&m, "[" SNAPSHOT("2", "2") ",{'action':'set-snapshot-ref','ref-name':'main',"
                                               "'type':'branch','snapshot-id':2},"
                                               "{'action':'remove-snapshots','snapshot-ids':[1]}]");
    assert_int_equal(m->snapshot_count, 1);
    assert_int_equal(m->current->id, 2);
    assert_member(m, "snapshot-log", "[{'timestamp-ms':1700000000000,'snapshot-id':2}]");
    iceberg_metadata_free(&m);
}

static void snapshots_that_a_ref_needs_stay(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 1, 0);
    fixture_advance(&m, "[{'action':'set-snapshot-ref','ref-name':'eoy','type':'tag',"
                        "'snapshot-id':1}]");
    fixture_snapshot(&m, 2, 0);
    assert_refused(m, "[]", "[{'action':'remove-snapshots','snapshot-ids':[1]}]", ERROR_FATAL,
                   "\"eoy\"");
    assert_refused(m, "[]", "[{'action':'remove-snapshots','snapshot-ids':[2]}]", ERROR_FATAL,
                   "\"main\"");
    iceberg_metadata_free(&m);
}

static void statistics_go_with_their_snapshot(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_snapshot(&m, 1, 0);
    fixture_snapshot(&m, 2, 0);
    json_t *statistics = json_of("[{'snapshot-id':1},{'snapshot-id':2}]");
    (void)json_object_set(m->json, "statistics", statistics);
    (void)json_object_set(m->json, "partition-statistics", statistics);
    json_decref(statistics);
    fixture_advance(&m, "[{'action':'remove-snapshots','snapshot-ids':[1]}]");
    assert_member(m, "statistics", "[{'snapshot-id':2}]");
    assert_member(m, "partition-statistics", "[{'snapshot-id':2}]");
    iceberg_metadata_free(&m);
}

/* --- schemas and specs --- */

#define FIELDS_ID "{'id':1,'name':'id','required':true,'type':'long'}"
#define FIELDS_DAY "{'id':2,'name':'day','required':false,'type':'date'}"
#define ADD_SCHEMA(fields)                                             \
    "{'action':'add-schema','schema':{'type':'struct','schema-id':77," \
    "'identifier-field-ids':[1],'fields':[" fields "]}}"
#define SET_LAST_SCHEMA "{'action':'set-current-schema','schema-id':-1}"

static void a_new_schema_gets_the_next_id_and_the_last_column_rises(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_advance(
        &m, "[" ADD_SCHEMA(FIELDS_ID
                           "," FIELDS_DAY ",{'id':3,'name':'l','required':false,'type':"
                           "{'type':'list','element-id':4,"
                           "'element-required':false,'element':'int'}}") "," SET_LAST_SCHEMA "]");
    assert_int_equal(m->schema->id, 1);
    assert_int_equal(m->schema_count, 2);
    assert_int_equal(m->last_column_id, 4);
    fixture_advance(&m, "[" ADD_SCHEMA(FIELDS_ID) "," SET_LAST_SCHEMA "]");
    assert_int_equal(m->schema->id, 2);
    assert_int_equal(m->last_column_id, 4);
    fixture_advance(&m, "[{'action':'set-current-schema','schema-id':1}]");
    assert_int_equal(m->schema->id, 1);
    iceberg_metadata_free(&m);
}

static void a_schema_that_was_there_before_is_that_one(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_advance(&m, "[" ADD_SCHEMA(FIELDS_ID) "," SET_LAST_SCHEMA "]");
    fixture_advance(&m, "[" ADD_SCHEMA(FIELDS_ID "," FIELDS_DAY) "," SET_LAST_SCHEMA "]");
    assert_int_equal(m->schema_count, 2);
    assert_int_equal(m->schema->id, 0);
    iceberg_metadata_free(&m);
}

static void schemas_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    assert_refused(m, "[]", "[" SET_LAST_SCHEMA "]", ERROR_FATAL, "no schema -1");
    assert_refused(m, "[]", "[{'action':'set-current-schema','schema-id':5}]", ERROR_FATAL,
                   "no schema 5");
    assert_refused(m, "[]", "[{'action':'add-schema'}]", ERROR_FATAL, "not an object");
    assert_refused(m, "[]", "[" ADD_SCHEMA(FIELDS_DAY) "]", ERROR_FATAL, "identifier field 1");
    iceberg_metadata_free(&m);
}

#define ADD_SPEC                                                                         \
    "{'action':'add-spec','spec':{'spec-id':7,'fields':[{'source-id':2,'field-id':1000," \
    "'name':'day_month','transform':'month'}]}}"

static void a_new_spec_gets_the_next_id_and_the_last_partition_rises(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_advance(&m, "[" ADD_SPEC ",{'action':'set-default-spec','spec-id':-1}]");
    assert_int_equal(m->spec->id, 1);
    assert_int_equal(m->last_partition_id, 1000);
    fixture_advance(&m, "[{'action':'set-default-spec','spec-id':0}," ADD_SPEC "]");
    assert_int_equal(m->spec->id, 0);
    assert_int_equal(m->spec_count, 2);
    assert_refused(m, "[]", "[{'action':'set-default-spec','spec-id':-1}]", ERROR_FATAL,
                   "no partition spec -1");
    assert_refused(m, "[]",
                   "[{'action':'add-spec','spec':{'fields':[{'source-id':1,'name':'x',"
                   "'transform':'identity'}]}}]",
                   ERROR_FATAL, "\"field-id\" is missing");
    iceberg_metadata_free(&m);
}

/* --- properties and logs --- */

static void properties_are_set_and_removed(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_advance(&m, "[{'action':'set-properties','updates':{'a':'1','owner':'you'}},"
                        "{'action':'remove-properties','removals':['a','never']}]");
    assert_member(m, "properties", "{'owner':'you'}");
    assert_refused(m, "[]", "[{'action':'set-properties','updates':{'a':1}}]", ERROR_FATAL,
                   "not a string");
    iceberg_metadata_free(&m);
}

static void unknown_keys_stay_and_those_of_version_1_go(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    (void)json_object_set_new(m->json, "vendor", json_integer(INT64_MAX));
    (void)json_object_set_new(m->json, "schema", fixture_schema());
    (void)json_object_set_new(m->json, "partition-spec", json_array());
    fixture_advance(&m, "[]");
    assert_member(m, "vendor", "9223372036854775807");
    assert_null(json_object_get(m->json, "schema"));
    assert_null(json_object_get(m->json, "partition-spec"));
    iceberg_metadata_free(&m);
}

static void old_metadata_files_fall_out_of_the_log(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    fixture_advance(&m, "[{'action':'set-properties','updates':"
                        "{'write.metadata.previous-versions-max':'2'}}]");
    json_t *none = json_array();
    size_t dropped_count = 0;
    for (int i = 2; i < 6; i++) {
        char file[40];
        struct error err = {0};
        json_t *dropped = NULL;
        (void)snprintf(file, sizeof(file), "v%d.metadata.json", i);
        json_t *json = iceberg_metadata_apply(m, none, none, file, &dropped, &err);
        iceberg_metadata_free(&m);
        m = iceberg_metadata_from(json, &err);
        assert_non_null(m);
        dropped_count += json_array_size(dropped);
        if (i == 5) {
            assert_int_equal(json_array_size(dropped), 1);
            assert_string_equal(json_string_value(json_array_get(dropped, 0)), "v3.metadata.json");
        }
        json_decref(dropped);
    }
    assert_int_equal(dropped_count, 3);
    assert_member(m, "metadata-log",
                  "[{'timestamp-ms':1700000000000,'metadata-file':'v4.metadata.json'},"
                  "{'timestamp-ms':1700000000000,'metadata-file':'v5.metadata.json'}]");
    json_decref(none);
    iceberg_metadata_free(&m);
}

static void updates_that_nobody_knows_are_refused(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    assert_refused(m, "[]", "[{'action':'set-location','location':'x'}]", ERROR_FATAL,
                   "\"set-location\" is not supported");
    assert_refused(m, "[]", "[{}]", ERROR_FATAL, "not supported");
    iceberg_metadata_free(&m);
}

static void version_1_is_not_written(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    m->format_version = 1;
    assert_refused(m, "[]", "[]", ERROR_CONFIG, "format version 1");
    iceberg_metadata_free(&m);
}

#define ROWS(id, sequence, first)                                                            \
    "[{'action':'add-snapshot','snapshot':{'snapshot-id':" id ",'sequence-number':" sequence \
    ",'timestamp-ms':1,'manifest-list':'m','first-row-id':" first ",'added-rows':10}}]"

static void version_3_counts_its_rows(void **state)
{
    (void)state;
    struct iceberg_metadata *m = fixture_table();
    (void)json_object_set_new(m->json, "format-version", json_integer(3));
    (void)json_object_set_new(m->json, "next-row-id", json_integer(5));
    m->format_version = 3;
    assert_refused(m, "[]", ROWS("1", "1", "4"), ERROR_CONFLICT, "row ids from 4 are taken");
    assert_refused(m, "[]", "[" SNAPSHOT("1", "1") "]", ERROR_FATAL, "first-row-id");
    fixture_advance(&m, ROWS("1", "1", "5"));
    assert_member(m, "next-row-id", "15");
    iceberg_metadata_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requirements_that_hold_let_the_commit_through),
        cmocka_unit_test(a_requirement_that_does_not_hold_is_a_conflict),
        cmocka_unit_test(a_requirement_that_nobody_knows_is_not_taken_for_true),
        cmocka_unit_test(main_is_known_without_refs),
        cmocka_unit_test(a_snapshot_becomes_current_and_is_logged_once),
        cmocka_unit_test(times_never_go_backwards),
        cmocka_unit_test(only_changes_of_main_are_logged),
        cmocka_unit_test(snapshots_that_cannot_be_are_refused),
        cmocka_unit_test(what_was_before_a_removed_snapshot_goes_from_the_log),
        cmocka_unit_test(a_snapshot_may_replace_what_it_follows_in_one_commit),
        cmocka_unit_test(snapshots_that_a_ref_needs_stay),
        cmocka_unit_test(statistics_go_with_their_snapshot),
        cmocka_unit_test(a_new_schema_gets_the_next_id_and_the_last_column_rises),
        cmocka_unit_test(a_schema_that_was_there_before_is_that_one),
        cmocka_unit_test(schemas_that_cannot_be_are_refused),
        cmocka_unit_test(a_new_spec_gets_the_next_id_and_the_last_partition_rises),
        cmocka_unit_test(properties_are_set_and_removed),
        cmocka_unit_test(unknown_keys_stay_and_those_of_version_1_go),
        cmocka_unit_test(old_metadata_files_fall_out_of_the_log),
        cmocka_unit_test(updates_that_nobody_knows_are_refused),
        cmocka_unit_test(version_1_is_not_written),
        cmocka_unit_test(version_3_counts_its_rows),
    };
    return cmocka_run_group_tests(tests, freeze_clock, release_clock);
}
