#include "delta/action.h"
#include "gtids.h"
#include "lake/record.h"
#include "test.h"

static bool decode(const char *text, struct arena *a, struct delta_actions *out, struct error *err)
{
    *out = (struct delta_actions){.arena = a};
    return delta_actions_decode(str_from(text), out, err);
}

static void an_action_written_reads_back_the_same(void **state)
{
    (void)state;
    static const char text[] =
        "{\"commitInfo\":{\"timestamp\":5,\"operation\":\"STREAM\",\"operationParameters\":{\"a\":\"b\"},"
        "\"isBlindAppend\":true,\"operationMetrics\":{\"n\":\"1\"},\"engineInfo\":\"x\",\"txnId\":\"t\"}}\n"
        "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"deletionVectors\"],"
        "\"writerFeatures\":[\"deletionVectors\",\"appendOnly\"]}}\n"
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
        "{\"metaData\":{\"id\":\"i\",\"name\":\"n\",\"description\":\"d\",\"format\":{\"provider\":\"parquet\","
        "\"options\":{}},\"schemaString\":\"{\\\"a\\\":\\\"\\\\u0001\\\"}\",\"partitionColumns\":[\"p\"],"
        "\"configuration\":{\"k\":\"v\"},\"createdTime\":9223372036854775807}}\n"
        "{\"txn\":{\"appId\":\"a\",\"version\":9007199254740993,\"lastUpdated\":1}}\n"
        "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":true}}\n"
        "{\"add\":{\"path\":\"a%20b\",\"partitionValues\":{\"p\":null},\"size\":1,\"modificationTime\":2,"
        "\"dataChange\":true,\"stats\":\"{}\",\"clusteringProvider\":\"c\",\"tags\":{\"t\":\"\\u0001\\\"\\\\\"},"
        "\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"x\",\"offset\":1,\"sizeInBytes\":3,"
        "\"cardinality\":4},\"baseRowId\":5,\"defaultRowCommitVersion\":6}}\n"
        "{\"remove\":{\"path\":\"p\",\"deletionTimestamp\":1,\"dataChange\":false,\"extendedFileMetadata\":true,"
        "\"partitionValues\":{\"p\":\"v\"},\"size\":7}}\n"
        "{\"cdc\":{\"path\":\"_change_data/x\",\"partitionValues\":{},\"size\":1,\"dataChange\":false}}\n";
    struct arena a = {0};
    struct delta_actions actions;
    struct error err = {0};
    assert_true(decode(text, &a, &actions, &err));
    assert_int_equal(actions.count, 9);
    struct buf out = {0};
    for (size_t i = 0; i < actions.count; i++) {
        delta_action_encode(&actions.items[i], &out);
    }
    assert_string_equal(buf_text(&out), text);
    buf_release(&out);
    arena_release(&a);
}

static void unknown_actions_fields_and_empty_lines_are_skipped(void **state)
{
    (void)state;
    struct arena a = {0};
    struct delta_actions actions;
    struct error err = {0};
    assert_true(
        decode("{\"newAction\":{\"x\":1}}\r\n\n{\"txn\":{\"appId\":\"a\",\"version\":1,\"new\":[]},"
               "\"add\":null}",
               &a, &actions, &err));
    assert_int_equal(actions.count, 1);
    assert_int_equal(actions.items[0].kind, DELTA_TXN);
    arena_release(&a);
}

static void duplicate_keys_are_tolerated(void **state)
{
    (void)state;
    struct arena a = {0};
    struct delta_actions actions;
    struct error err = {0};
    assert_true(
        decode("{\"txn\":{\"appId\":\"a\",\"version\":1,\"version\":2}}", &a, &actions, &err));
    assert_int_equal(actions.items[0].txn.version, 2);
    arena_release(&a);
}

static void odd_commit_information_is_left_out(void **state)
{
    (void)state;
    struct arena a = {0};
    struct delta_actions actions;
    struct error err = {0};
    assert_true(decode("{\"commitInfo\":{\"timestamp\":\"soon\",\"operation\":\"WRITE\","
                       "\"operationMetrics\":{\"n\":7,\"o\":{\"x\":1}}}}",
                       &a, &actions, &err));
    assert_false(actions.items[0].info.has_timestamp);
    assert_string_equal(actions.items[0].info.operation, "WRITE");
    arena_release(&a);
}

static void broken_actions_name_their_line(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n{",
        "\n[]",
        "\n{\"add\":7}",
        "\n{\"add\":{\"partitionValues\":{}}}",
        "\n{\"add\":{\"path\":\"a\\u0000b\"}}",
        "\n{\"add\":{\"path\":\"a\",\"size\":1.5}}",
        "\n{\"add\":{\"path\":\"a\",\"partitionValues\":[]}}",
        "\n{\"add\":{\"path\":\"a\",\"partitionValues\":{\"x\":{}}}}",
        "\n{\"add\":{\"path\":\"a\",\"deletionVector\":{\"storageType\":\"u\"}}}",
        "\n{\"protocol\":{\"minReaderVersion\":1}}",
        "\n{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2,\"readerFeatures\":[1]}}",
        "\n{\"metaData\":{\"id\":\"x\"}}",
        "\n{\"txn\":{\"appId\":\"a\",\"version\":99999999999999999999}}",
        "\n\"\xFF\"",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct arena a = {0};
        struct delta_actions actions;
        struct error err = {0};
        assert_false(decode(broken[i], &a, &actions, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        assert_non_null(strstr(err.message, "line 2"));
        arena_release(&a);
    }
}

static void a_record_written_reads_back_the_same(void **state)
{
    (void)state;
    struct lake_record r = {.position = position_integer(UINT64_MAX),
                            .epoch = 12,
                            .phase = PHASE_LOADING,
                            .load_id = "l",
                            .source = "a \"quoted\" source",
                            .version = 7};
    random_uuid(r.txn_id);
    struct buf text = {0};
    struct lake_record back = {0};
    struct error err = {0};
    lake_record_format(&r, &text);
    assert_true(lake_record_parse(buf_text(&text), &back, &err));
    assert_true(position_equal(r.position, back.position));
    assert_true(position_equal(r.complete, back.complete));
    assert_int_equal(back.epoch, 12);
    assert_int_equal(back.phase, PHASE_LOADING);
    assert_int_equal(back.version, 7);
    assert_string_equal(back.load_id, "l");
    assert_string_equal(back.source, r.source);
    assert_string_equal(back.txn_id, r.txn_id);
    buf_release(&text);
}

static void records_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {
        NULL,
        "",
        "[]",
        "{}",
        "{\"format\":1}",
        "{\"format\":1,\"version\":1,\"txnId\":\"x\",\"position\":\"-1\"}"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct lake_record r;
        struct error err = {0};
        assert_false(lake_record_parse(broken[i], &r, &err));
        assert_int_equal(err.kind, ERROR_DATA);
    }
    struct lake_record r;
    struct error err = {0};
    assert_false(lake_record_parse("{\"format\":2}", &r, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void a_record_keeps_sets(void **state)
{
    (void)state;
    struct buf many = {0};
    for (int i = 0; i < 100; i++) {
        buf_append_format(&many, "%s%08x-0000-0000-0000-000000000000:1-5:tag:7-9", i ? "," : "", i);
    }
    struct lake_record r = {.position = gtids(buf_text(&many)), .complete = position_empty_set()};
    struct buf text = {0};
    struct lake_record back = {0};
    struct error err = {0};
    lake_record_format(&r, &text);
    assert_true(lake_record_parse(buf_text(&text), &back, &err));
    assert_position(back.position, buf_text(&many));
    assert_position(back.complete, "-");
    buf_release(&text);
    buf_release(&many);
}

static void a_record_without_a_position_names_the_field(void **state)
{
    (void)state;
    struct lake_record r;
    struct error err = {0};
    assert_false(lake_record_parse("{\"format\":1,\"version\":1,\"epoch\":1,\"txnId\":\"x\","
                                   "\"position\":\"0-1\"}",
                                   &r, &err));
    assert_string_equal(err.message,
                        "field \"position\" of the position record: \"0-1\" is not a position");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_written_reads_back_the_same),
        cmocka_unit_test(unknown_actions_fields_and_empty_lines_are_skipped),
        cmocka_unit_test(duplicate_keys_are_tolerated),
        cmocka_unit_test(odd_commit_information_is_left_out),
        cmocka_unit_test(broken_actions_name_their_line),
        cmocka_unit_test(a_record_written_reads_back_the_same),
        cmocka_unit_test(records_that_are_none_are_refused),
        cmocka_unit_test(a_record_keeps_sets),
        cmocka_unit_test(a_record_without_a_position_names_the_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
