#include <jansson.h>

#include "cli/changes_debezium.h"
#include "test.h"

enum { ID, NAME, CHANGE_TYPE, COMMIT, TIME, COLUMNS };

struct change {
    int32_t id;
    const char *name;
    const char *type;
    int64_t version;
};

static struct schema *make_schema(uint32_t count)
{
    static const struct schema_column columns[COLUMNS] = {
        [ID] = {.name = "id", .type = {.kind = TYPE_INT32}},
        [NAME] = {.name = "name", .type = {.kind = TYPE_STRING}},
        [CHANGE_TYPE] = {.name = "_change_type", .type = {.kind = TYPE_STRING}},
        [COMMIT] = {.name = "_commit_version", .type = {.kind = TYPE_INT64}},
        [TIME] = {.name = "_commit_timestamp", .type = {.kind = TYPE_TIMESTAMPTZ}},
    };
    struct schema *s = schema_new(count);
    memcpy(s->columns, columns, count * sizeof(*columns));
    schema_seal(s);
    return s;
}

static void add(struct batch *b, const struct change *change)
{
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    ((int32_t *)b->columns[ID].values)[row] = change->id;
    batch_set_bytes(b, NAME, row, change->name, strlen(change->name));
    batch_set_bytes(b, CHANGE_TYPE, row, change->type, strlen(change->type));
    ((int64_t *)b->columns[COMMIT].values)[row] = change->version;
    ((int64_t *)b->columns[TIME].values)[row] = 1000000 * change->version;
}

static const struct lake_history_type delta = {.name = "delta"};

/* "u1>2" for an update of id 1 to id 2, "c>2", "d1>", of all envelopes. */
static void append_summary(const char *lines, struct buf *out)
{
    while (*lines) {
        size_t size = strcspn(lines, "\n");
        json_t *envelope = json_loadb(lines, size, 0, NULL);
        const json_t *before = json_object_get(json_object_get(envelope, "before"), "id");
        const json_t *after = json_object_get(json_object_get(envelope, "after"), "id");
        assert_non_null(envelope);
        buf_append_text(out, out->size > 0 ? " " : "");
        buf_append_text(out, json_string_value(json_object_get(envelope, "op")));
        if (before) {
            buf_append_format(out, "%d", (int)json_integer_value(before));
        }
        buf_append_char(out, '>');
        if (after) {
            buf_append_format(out, "%d", (int)json_integer_value(after));
        }
        json_decref(envelope);
        lines += size + 1;
    }
}

/* Gives the changes one row at a time or all at once: an image may wait for its other half. */
static void becomes(const struct change *changes, uint32_t count, const char *key, int64_t limit,
                    const char *expected)
{
    for (uint32_t step = 1; step <= count; step += count - (count > 1)) {
        struct arguments arguments = {0};
        struct schema *table = make_schema(2);
        struct schema *schema = make_schema(COLUMNS);
        struct lake_history history = {.schema = table};
        struct changes_request request = {
            .arguments = &arguments,
            .table = {.type = &delta, .word = "lake/t", .name = "t"},
            .history = &history,
            .options = {.key = key ? &key : NULL, .key_count = key ? 1 : 0},
            .limit = limit};
        struct changes_debezium d;
        struct error err = {0};
        struct buf lines = {0};
        struct buf summary = {0};
        struct batch *b = batch_new(schema, 0, count);
        assert_true(changes_debezium_open(&d, &request, schema, &err));
        for (uint32_t i = 0; i < count; i++) {
            add(b, &changes[i]);
        }
        for (uint32_t i = 0; i < count; i += step) {
            uint32_t end = i + step < count ? i + step : count;
            if (!changes_debezium_rows(&d, b->columns, i, end, &lines)) {
                break;
            }
        }
        changes_debezium_end(&d, &lines);
        append_summary(buf_text(&lines), &summary);
        assert_string_equal(buf_text(&summary), expected);
        changes_debezium_release(&d);
        buf_release(&lines);
        buf_release(&summary);
        batch_release(b);
        schema_release(schema);
        schema_release(table);
        arguments_release(&arguments);
    }
}

static const struct change mixed[] = {
    {5, "gone", "delete", 1},        {1, "a", "update_preimage", 1},
    {1, "b", "update_postimage", 1}, {2, "a", "update_preimage", 1},
    {2, "b", "update_postimage", 1}, {7, "new", "insert", 1},
};

static void both_images_of_a_key_are_one_update(void **state)
{
    (void)state;
    becomes(mixed, 6, "id", INT64_MAX, "d5> u1>1 u2>2 c>7");
}

static void without_a_key_images_stand_alone(void **state)
{
    (void)state;
    becomes(mixed, 6, NULL, INT64_MAX, "d5> d1> c>1 d2> c>2 c>7");
}

static void a_changed_key_is_a_delete_and_a_create(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {1, "a", "update_preimage", 1},  {2, "a", "update_preimage", 1},
        {2, "b", "update_postimage", 1}, {3, "a", "update_postimage", 1},
        {4, "x", "update_preimage", 2},  {4, "y", "update_postimage", 3},
        {9, "x", "update_preimage", 3},
    };
    becomes(changes, 7, "id", INT64_MAX, "d1> u2>2 c>3 d4> c>4 d9>");
}

static void the_limit_counts_envelopes(void **state)
{
    (void)state;
    becomes(mixed, 6, "id", 2, "d5> u1>1");
}

static void the_source_is_the_table_at_its_version(void **state)
{
    (void)state;
    struct arguments arguments = {0};
    struct schema *schema = make_schema(COLUMNS);
    struct lake_history history = {.schema = schema};
    struct changes_request request = {.arguments = &arguments,
                                      .table = {.type = &delta, .word = "lake/t", .name = "t"},
                                      .history = &history,
                                      .limit = INT64_MAX};
    struct changes_debezium d;
    struct error err = {0};
    struct buf lines = {0};
    struct batch *b = batch_new(schema, 0, 1);
    assert_true(changes_debezium_open(&d, &request, schema, &err));
    add(b, &(struct change){7, "x", "insert", 3});
    (void)changes_debezium_rows(&d, b->columns, 0, 1, &lines);
    assert_non_null(strstr(buf_text(&lines),
                           "{\"before\":null,\"after\":{\"id\":7,\"name\":\"x\"},\"source\":"));
    assert_non_null(strstr(buf_text(&lines),
                           "\"connector\":\"delta\",\"name\":\"lake/t\",\"table\":\"t\","
                           "\"ts_ms\":3000,\"version_id\":3},\"op\":\"c\",\"ts_ms\":"));
    changes_debezium_release(&d);
    buf_release(&lines);
    batch_release(b);
    schema_release(schema);
    arguments_release(&arguments);
}

static void a_key_that_is_not_printed_is_an_error(void **state)
{
    (void)state;
    struct arguments arguments = {0};
    struct schema *table = make_schema(2);
    struct schema *schema = make_schema(COLUMNS);
    struct lake_history history = {.schema = table};
    const char *key = "code";
    struct changes_request request = {.arguments = &arguments,
                                      .table = {.type = &delta},
                                      .history = &history,
                                      .options = {.key = &key, .key_count = 1}};
    struct changes_debezium d;
    struct error err = {0};
    assert_false(changes_debezium_open(&d, &request, schema, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "\"code\" among --columns"));
    schema_release(schema);
    schema_release(table);
    arguments_release(&arguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_images_of_a_key_are_one_update),
        cmocka_unit_test(without_a_key_images_stand_alone),
        cmocka_unit_test(a_changed_key_is_a_delete_and_a_create),
        cmocka_unit_test(the_limit_counts_envelopes),
        cmocka_unit_test(the_source_is_the_table_at_its_version),
        cmocka_unit_test(a_key_that_is_not_printed_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
