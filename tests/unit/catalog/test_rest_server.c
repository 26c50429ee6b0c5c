/* Against a REST catalog that we did not write, where LEAT_REST_URI names one. */
#include <time.h>

#include "base/clock.h"
#include "catalog/rest.h"
#include "test.h"

/* A namespace of its own for each test, so that a server may serve many. */
struct setting {
    struct iceberg_catalog *catalog;
    struct iceberg_catalog *other; /* another writer */
    struct iceberg_metadata *metadata;
    struct arena arena;
    const char *location;
    char inner[UUID_TEXT_SIZE];
    const char *levels[2];
    struct iceberg_name name;
    struct error err;
};

static void release(struct setting *s)
{
    iceberg_metadata_free(&s->metadata);
    iceberg_catalog_free(&s->catalog);
    iceberg_catalog_free(&s->other);
    arena_release(&s->arena);
}

static void start(struct setting *s)
{
    struct catalog_config config = {.type = "rest", .uri = getenv("LEAT_REST_URI")};
    if (!config.uri) {
        skip();
    }
    s->catalog = rest_catalog_open(&config, &s->err);
    config.credential = "me:secret"; /* the server's token endpoint takes any */
    s->other = s->catalog ? rest_catalog_open(&config, &s->err) : NULL;
    if (!s->other) {
        fail_msg("%s", s->err.message);
    }
    random_uuid(s->inner);
    s->levels[0] = "leat tests";
    s->levels[1] = s->inner;
    s->name = (struct iceberg_name){.namespace = s->levels, .level_count = 2, .table = "or ders"};
}

static bool load(struct setting *s)
{
    s->err = (struct error){0};
    iceberg_metadata_free(&s->metadata);
    return s->catalog->type->load(s->catalog, &s->name, &s->metadata, &s->arena, &s->location,
                                  &s->err);
}

static bool create(struct setting *s)
{
    json_t *schema = json_pack("{s:s, s:i, s:[i], s:[{s:i, s:s, s:b, s:s}, {s:i, s:s, s:b, s:s}]}",
                               "type", "struct", "schema-id", 0, "identifier-field-ids", 1,
                               "fields", "id", 1, "name", "id", "required", 1, "type", "long", "id",
                               2, "name", "v", "required", 0, "type", "string");
    assert_non_null(schema);
    json_t *properties = json_pack("{s:s}", "owner", "leat");
    struct iceberg_spec_field field = {.source_id = 2,
                                       .field_id = 1000,
                                       .name = "v_part",
                                       .transform = {.kind = LAKE_TRUNCATE, .parameter = 4}};
    struct iceberg_spec spec = {.fields = &field, .field_count = 1};
    struct iceberg_create create = {.schema = schema, .spec = &spec, .properties = properties};
    s->err = (struct error){0};
    iceberg_metadata_free(&s->metadata);
    bool done = s->catalog->type->create(s->catalog, &s->name, &create, &s->metadata, &s->err);
    json_decref(schema);
    json_decref(properties);
    return done;
}

/* Takes both arrays. */
static bool commit(struct setting *s, struct iceberg_catalog *c, json_t *requirements,
                   json_t *updates)
{
    assert_non_null(requirements);
    assert_non_null(updates);
    s->err = (struct error){0};
    iceberg_metadata_free(&s->metadata);
    struct iceberg_move move = {.requirements = requirements, .updates = updates};
    struct iceberg_state to = {0};
    bool done = c->type->commit(c, &s->name, &move, &to, &s->err);
    s->metadata = to.metadata;
    free(to.location);
    json_decref(requirements);
    json_decref(updates);
    return done;
}

static json_t *requires_uuid(const char *uuid)
{
    return json_pack("[{s:s, s:s}]", "type", "assert-table-uuid", "uuid", uuid);
}

static json_t *sets_property(const char *key, const char *value)
{
    return json_pack("[{s:s, s:{s:s}}]", "action", "set-properties", "updates", key, value);
}

/* That main is at a snapshot; 0: at none. */
static json_t *requires_snapshot(json_int_t id)
{
    json_t *at = id ? json_integer(id) : json_null();
    return json_pack("[{s:s, s:s, s:o}]", "type", "assert-ref-snapshot-id", "ref", "main",
                     "snapshot-id", at);
}

static json_t *adds_snapshot(const struct setting *s, json_int_t id, json_int_t parent,
                             json_int_t sequence_number)
{
    json_t *snapshot =
        json_pack("{s:I, s:I, s:I, s:s, s:{s:s, s:s}, s:i}", "snapshot-id", id, "sequence-number",
                  sequence_number, "timestamp-ms", (json_int_t)(clock_wall_us() / 1000),
                  "manifest-list", "file:///nowhere/snap.avro", "summary", "operation", "append",
                  "leat.position", s->levels[1], "schema-id", 0);
    if (parent) {
        (void)json_object_set_new(snapshot, "parent-snapshot-id", json_integer(parent));
    }
    return json_pack("[{s:s, s:o}, {s:s, s:s, s:s, s:I}]", "action", "add-snapshot", "snapshot",
                     snapshot, "action", "set-snapshot-ref", "ref-name", "main", "type", "branch",
                     "snapshot-id", id);
}

static int64_t current_snapshot(const struct setting *s)
{
    return s->metadata->current ? s->metadata->current->id : -1;
}

static const char *property(const struct setting *s, const char *key)
{
    return iceberg_metadata_property(s->metadata, key);
}

static void create_or_fail(struct setting *s)
{
    if (!create(s)) {
        fail_msg("%s", s->err.message);
    }
}

static void a_table_is_missing_until_it_is_created(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    assert_true(load(&s));
    assert_null(s.metadata);

    create_or_fail(&s);
    assert_int_equal(s.metadata->format_version, 2);
    assert_int_equal(s.metadata->schema->field_count, 2);
    assert_string_equal(s.metadata->schema->fields[1].name, "v");
    assert_int_equal(s.metadata->spec->field_count, 1);
    assert_int_equal(s.metadata->spec->fields[0].transform.kind, LAKE_TRUNCATE);
    assert_null(s.metadata->current);
    assert_string_equal(property(&s, "owner"), "leat");
    char uuid[64];
    (void)snprintf(uuid, sizeof(uuid), "%s", s.metadata->uuid);

    assert_true(load(&s));
    assert_non_null(s.metadata);
    assert_string_equal(s.metadata->uuid, uuid);
    assert_non_null(strstr(s.location, ".metadata.json"));

    assert_false(create(&s));
    assert_int_equal(s.err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(s.err.message, "AlreadyExistsException"));
}

static void a_commit_gives_what_a_load_then_gives(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    create_or_fail(&s);
    if (!commit(&s, s.catalog, requires_uuid(s.metadata->uuid), sets_property("a", "1"))) {
        fail_msg("%s", s.err.message);
    }
    assert_string_equal(property(&s, "a"), "1");
    assert_true(load(&s));
    assert_string_equal(property(&s, "a"), "1");
}

static void a_commit_to_another_table_of_that_name_is_a_conflict(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    create_or_fail(&s);
    assert_false(commit(&s, s.catalog, requires_uuid("9c12d441-03fe-4693-9a96-a0705ddf69c1"),
                        sets_property("a", "1")));
    assert_int_equal(s.err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(s.err.message, "CommitFailedException"));
    assert_true(load(&s));
    assert_null(property(&s, "a"));
}

static void of_two_writers_at_one_snapshot_one_wins(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    create_or_fail(&s);
    if (!commit(&s, s.catalog, requires_snapshot(0), adds_snapshot(&s, 11, 0, 1))) {
        fail_msg("%s", s.err.message);
    }
    assert_int_equal(current_snapshot(&s), 11);
    assert_true(commit(&s, s.other, requires_snapshot(11), adds_snapshot(&s, 22, 11, 2)));
    assert_false(commit(&s, s.catalog, requires_snapshot(11), adds_snapshot(&s, 33, 11, 2)));
    assert_int_equal(s.err.kind, ERROR_CONFLICT);
    assert_true(load(&s));
    assert_int_equal(current_snapshot(&s), 22);
    assert_int_equal(s.metadata->snapshot_count, 2);
    assert_string_equal(iceberg_snapshot_summary(s.metadata->current, "leat.position"), s.inner);
}

/* Where a catalog has no server we move metadata on ourselves: to the same place. */
static void our_own_updates_give_what_the_server_gives(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    create_or_fail(&s);
    owned(iceberg_metadata_free) struct iceberg_metadata *base = take(s.metadata);
    json_t *requirements = requires_uuid(base->uuid);
    json_t *updates = json_pack(
        "[{s:s, s:{s:s, s:[i], s:[{s:i, s:s, s:b, s:s}, {s:i, s:s, s:b, s:s}]}, s:i},"
        " {s:s, s:i}, {s:s, s:{s:i, s:[{s:i, s:i, s:s, s:s}]}}, {s:s, s:i}]",
        "action", "add-schema", "schema", "type", "struct", "identifier-field-ids", 1, "fields",
        "id", 1, "name", "id", "required", 1, "type", "long", "id", 3, "name", "w", "required", 0,
        "type", "timestamptz", "last-column-id", 3, "action", "set-current-schema", "schema-id", -1,
        "action", "add-spec", "spec", "spec-id", 1, "fields", "source-id", 3, "field-id", 1001,
        "name", "w_day", "transform", "day", "action", "set-default-spec", "spec-id", -1);
    assert_non_null(updates);
    json_t *more = adds_snapshot(&s, 44, 0, 1);
    assert_int_equal(json_array_extend(updates, more), 0);
    json_decref(more);
    more = sets_property("a", "1");
    assert_int_equal(json_array_extend(updates, more), 0);
    json_decref(more);
    more = json_pack("[{s:s, s:[s]}]", "action", "remove-properties", "removals", "owner");
    assert_int_equal(json_array_extend(updates, more), 0);
    json_decref(more);

    json_t *ours =
        iceberg_metadata_apply(base, requirements, updates, "file:///base.json", NULL, &s.err);
    if (!ours || !commit(&s, s.catalog, requirements, updates)) {
        fail_msg("%s", s.err.message);
    }
    static const char *const keys[] = {
        "format-version",  "table-uuid",          "location",    "last-sequence-number",
        "last-column-id",  "current-schema-id",   "schemas",     "partition-specs",
        "default-spec-id", "last-partition-id",   "sort-orders", "default-sort-order-id",
        "properties",      "current-snapshot-id", "snapshots",   "refs"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char *our_text =
            json_dumps(json_object_get(ours, keys[i]), JSON_SORT_KEYS | JSON_ENCODE_ANY);
        char *their_text = json_dumps(json_object_get(s.metadata->json, keys[i]),
                                      JSON_SORT_KEYS | JSON_ENCODE_ANY);
        if (!our_text || !their_text || strcmp(our_text, their_text) != 0) {
            fail_msg("%s is %s here and %s there", keys[i], our_text, their_text);
        }
        free(our_text);
        free(their_text);
    }
    json_decref(ours);
}

static void what_the_server_refuses_is_said_in_its_words(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    create_or_fail(&s);
    assert_false(
        commit(&s, s.catalog, json_array(),
               json_pack("[{s:s, s:i}]", "action", "set-current-schema", "schema-id", 99)));
    assert_int_equal(s.err.kind, ERROR_CONFIG);
    assert_non_null(strstr(s.err.message, "the catalog answered 400 "));
}

static void a_commit_to_a_table_that_is_not_there_is_a_conflict(void **state)
{
    (void)state;
    owned(release) struct setting s = {0};
    start(&s);
    assert_false(commit(&s, s.catalog, json_array(), sets_property("a", "1")));
    assert_int_equal(s.err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(s.err.message, "404 NoSuchTableException"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_missing_until_it_is_created),
        cmocka_unit_test(a_commit_gives_what_a_load_then_gives),
        cmocka_unit_test(a_commit_to_another_table_of_that_name_is_a_conflict),
        cmocka_unit_test(of_two_writers_at_one_snapshot_one_wins),
        cmocka_unit_test(our_own_updates_give_what_the_server_gives),
        cmocka_unit_test(what_the_server_refuses_is_said_in_its_words),
        cmocka_unit_test(a_commit_to_a_table_that_is_not_there_is_a_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
