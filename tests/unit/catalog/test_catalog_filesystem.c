#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "catalog/catalog.h"
#include "catalog/metadata_file.h"
#include "temporary.h"
#include "test.h"

static const char *const levels[] = {"shop"};
static const struct iceberg_name orders = {
    .namespace = levels, .level_count = 1, .table = "orders"};

struct fixture {
    char root[64];
    struct iceberg_catalog *catalog;
    const char *location; /* after a commit: the file that it made */
    struct arena arena;
    struct error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    temporary_make(f->root);
    f->catalog = catalog_open_filesystem(f->root, &f->err);
    assert_non_null(f->catalog);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    iceberg_catalog_free(&f->catalog);
    temporary_remove(f->root);
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* A path in the directory of the table orders. */
static const char *path_of(struct fixture *f, const char *key)
{
    return arena_format(&f->arena, "%s/shop/orders/%s", f->root, key);
}

static bool is_there(struct fixture *f, const char *key)
{
    return file_exists(path_of(f, key));
}

static void write_text(struct fixture *f, const char *key, const char *text)
{
    assert_true(file_write(path_of(f, key), text, strlen(text), &f->err));
}

static const char *read_text(struct fixture *f, const char *key)
{
    struct buf text = {0};
    assert_true(file_read(path_of(f, key), 1 << 20, &text, &f->err));
    const char *copy = arena_string(&f->arena, buf_text(&text), text.size);
    buf_release(&text);
    return copy;
}

static bool try_create(struct fixture *f, const char *location, struct iceberg_metadata **out)
{
    json_t *schema = json_loads("{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1,"
                                "\"name\":\"id\",\"required\":true,\"type\":\"long\"}]}",
                                0, NULL);
    struct iceberg_create create = {.schema = schema, .location = location};
    bool ok = f->catalog->type->create(f->catalog, &orders, &create, out, &f->err);
    json_decref(schema);
    return ok;
}

static struct iceberg_metadata *created(struct fixture *f)
{
    struct iceberg_metadata *m = NULL;
    if (!try_create(f, NULL, &m)) {
        fail_msg("%s", f->err.message);
    }
    return m;
}

/* The table as the catalog has it now; NULL: it has none. */
static struct iceberg_metadata *loaded(struct fixture *f, const char **location)
{
    struct iceberg_metadata *m = NULL;
    if (!f->catalog->type->load(f->catalog, &orders, &m, &f->arena, location, &f->err)) {
        fail_msg("%s", f->err.message);
    }
    return m;
}

static json_t *set_property(const char *key, const char *value)
{
    return json_pack("[{s:s, s:{s:s}}]", "action", "set-properties", "updates", key, value);
}

static bool move(struct fixture *f, const struct iceberg_metadata *base, const char *location,
                 const json_t *requirements, const json_t *updates, struct iceberg_metadata **out)
{
    struct iceberg_move m = {
        .from = base, .from_location = location, .requirements = requirements, .updates = updates};
    struct iceberg_state to = {0};
    f->err = (struct error){0};
    bool ok = f->catalog->type->commit(f->catalog, &orders, &m, &to, &f->err);
    *out = to.metadata;
    f->location = to.location ? arena_string(&f->arena, to.location, strlen(to.location)) : NULL;
    free(to.location);
    return ok;
}

static bool try_commit(struct fixture *f, const struct iceberg_metadata *base, const char *location,
                       const char *key, const char *value, struct iceberg_metadata **out)
{
    json_t *requirements = json_array();
    json_t *updates = set_property(key, value);
    bool ok = move(f, base, location, requirements, updates, out);
    json_decref(requirements);
    json_decref(updates);
    return ok;
}

/* Loads, sets a property, and commits. */
static void commit(struct fixture *f, const char *key, const char *value)
{
    const char *location = NULL;
    struct iceberg_metadata *base = loaded(f, &location);
    struct iceberg_metadata *after = NULL;
    if (!try_commit(f, base, location, key, value, &after)) {
        fail_msg("%s", f->err.message);
    }
    assert_string_equal(iceberg_metadata_property(after, key), value);
    iceberg_metadata_free(&after);
    iceberg_metadata_free(&base);
}

static void assert_newest(struct fixture *f, const char *file, const char *value)
{
    const char *location = NULL;
    struct iceberg_metadata *m = loaded(f, &location);
    assert_non_null(m);
    assert_string_equal(
        location, arena_format(&f->arena, "file://%s/shop/orders/metadata/%s", f->root, file));
    if (value) {
        assert_string_equal(iceberg_metadata_property(m, "k"), value);
    } else {
        assert_null(iceberg_metadata_property(m, "k"));
    }
    iceberg_metadata_free(&m);
}

static void a_table_that_is_not_there_is_no_error(void **state)
{
    const char *location = NULL;
    assert_null(loaded(*state, &location));
}

static void a_new_table_lies_below_the_warehouse(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    assert_string_equal(m->location, arena_format(&f->arena, "file://%s/shop/orders", f->root));
    assert_string_equal(read_text(f, "metadata/version-hint.text"), "1");
    assert_newest(f, "v1.metadata.json", NULL);
    assert_null(strchr(read_text(f, "metadata/v1.metadata.json"), '\n')); /* compact */
    iceberg_metadata_free(&m);

    assert_false(try_create(f, NULL, &m));
    assert_int_equal(f->err.kind, ERROR_CONFLICT);
    assert_null(m);
}

static void a_table_cannot_lie_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = NULL;
    assert_false(try_create(f, "/elsewhere/orders", &m));
    assert_int_equal(f->err.kind, ERROR_CONFIG);
    f->err = (struct error){0};
    assert_true(try_create(f, path_of(f, ""), &m)); /* where it lies anyway */
    iceberg_metadata_free(&m);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {"..", "a/b", ""};
    for (size_t i = 0; i < 3; i++) {
        struct iceberg_name name = {.namespace = levels, .level_count = 1, .table = wrong[i]};
        struct iceberg_metadata *m = NULL;
        const char *location = NULL;
        f->err = (struct error){0};
        assert_false(f->catalog->type->load(f->catalog, &name, &m, &f->arena, &location, &f->err));
        assert_int_equal(f->err.kind, ERROR_CONFIG);
    }
}

static void commits_count_up(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    commit(f, "k", "1");
    commit(f, "k", "2");
    assert_string_equal(
        f->location, arena_format(&f->arena, "file://%s", path_of(f, "metadata/v3.metadata.json")));
    assert_newest(f, "v3.metadata.json", "2");
    assert_string_equal(read_text(f, "metadata/version-hint.text"), "3");
    assert_true(is_there(f, "metadata/v1.metadata.json"));
}

static void the_second_of_two_commits_from_one_state_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    const char *location = NULL;
    struct iceberg_metadata *base = loaded(f, &location);
    commit(f, "k", "first");
    assert_false(try_commit(f, base, location, "k", "second", &m));
    assert_int_equal(f->err.kind, ERROR_CONFLICT);
    assert_null(m);
    iceberg_metadata_free(&base);
    assert_newest(f, "v2.metadata.json", "first");
}

static void a_writer_that_slept_does_not_take_a_number_that_became_free(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    const char *location = NULL;
    struct iceberg_metadata *base = loaded(f, &location);
    commit(f, "write.metadata.previous-versions-max", "1");
    commit(f, "write.metadata.delete-after-commit.enabled", "true");
    for (int i = 0; i < 3; i++) {
        commit(f, "k", "fast");
    }
    assert_false(is_there(f, "metadata/v2.metadata.json"));
    assert_false(try_commit(f, base, location, "k", "slow", &m));
    assert_int_equal(f->err.kind, ERROR_CONFLICT);
    assert_false(is_there(f, "metadata/v2.metadata.json"));
    iceberg_metadata_free(&base);
    assert_newest(f, "v6.metadata.json", "fast");
}

static void a_requirement_that_does_not_hold_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    const char *location = NULL;
    struct iceberg_metadata *base = loaded(f, &location);
    json_t *requirements = json_pack("[{s:s, s:s}]", "type", "assert-table-uuid", "uuid", "x");
    json_t *updates = set_property("k", "v");
    assert_false(move(f, base, location, requirements, updates, &m));
    assert_int_equal(f->err.kind, ERROR_CONFLICT);
    assert_false(is_there(f, "metadata/v2.metadata.json"));
    json_decref(requirements);
    json_decref(updates);
    iceberg_metadata_free(&base);
}

static void old_metadata_is_removed_only_when_the_table_says_so(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    commit(f, "write.metadata.previous-versions-max", "2"); /* v2 */
    commit(f, "k", "3");
    commit(f, "k", "4");
    assert_true(is_there(f, "metadata/v1.metadata.json"));
    commit(f, "write.metadata.delete-after-commit.enabled", "true"); /* v5: v2 falls out */
    assert_true(is_there(f, "metadata/v1.metadata.json"));           /* fell out before */
    assert_false(is_there(f, "metadata/v2.metadata.json"));
    commit(f, "k", "6");
    assert_false(is_there(f, "metadata/v3.metadata.json"));
    assert_true(is_there(f, "metadata/v4.metadata.json"));
    assert_newest(f, "v6.metadata.json", "6");
}

static void files_outside_the_table_are_never_removed(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    const char *outside = arena_format(&f->arena, "%s/v7.metadata.json", f->root);
    const char *data = path_of(f, "data/v8.metadata.json");
    assert_true(file_write(outside, "x", 1, &f->err));
    assert_true(file_make_directories(path_of(f, "data"), &f->err));
    assert_true(file_write(data, "x", 1, &f->err));
    json_t *log =
        json_pack("[{s:i, s:s}, {s:i, s:s}, {s:i, s:s}]", "timestamp-ms", 1, "metadata-file",
                  arena_format(&f->arena, "%s/metadata/../../../v7.metadata.json", m->location),
                  "timestamp-ms", 1, "metadata-file", arena_format(&f->arena, "file://%s", outside),
                  "timestamp-ms", 1, "metadata-file", arena_format(&f->arena, "file://%s", data));
    (void)json_object_set_new(m->json, "metadata-log", log);
    (void)json_object_set_new(m->json, "properties",
                              json_pack("{s:s, s:s}", "write.metadata.previous-versions-max", "1",
                                        "write.metadata.delete-after-commit.enabled", "true"));
    struct iceberg_metadata *after = NULL;
    const char *location = arena_format(&f->arena, "%s/metadata/v1.metadata.json", m->location);
    assert_true(try_commit(f, m, location, "k", "v", &after));
    assert_true(file_exists(outside));
    assert_true(file_exists(data));
    iceberg_metadata_free(&after);
    iceberg_metadata_free(&m);
}

static void readers_find_the_newest_whatever_the_hint_says(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    commit(f, "k", "2");
    commit(f, "k", "3");
    static const char *const hints[] = {"1",
                                        "3",
                                        "3\n",
                                        "7",
                                        "",
                                        "x",
                                        "-1",
                                        "v2",
                                        "99999999999999999999999",
                                        "2 3",
                                        "00001-19739cda-f528-4429-84cc-377ffdd24c75"};
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        write_text(f, "metadata/version-hint.text", hints[i]);
        assert_newest(f, "v3.metadata.json", "3");
    }
    char too_long[300];
    memset(too_long, '3', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    write_text(f, "metadata/version-hint.text", too_long);
    assert_newest(f, "v3.metadata.json", "3");
    assert_true(file_remove(path_of(f, "metadata/version-hint.text"), &f->err));
    assert_newest(f, "v3.metadata.json", "3");
}

static void a_hint_is_never_set_back_unless_it_is_wrong(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    commit(f, "k", "2");
    struct store *s = store_open(path_of(f, ""), &err);
    assert_non_null(s);
    assert_true(metadata_file_write_hint(s, 1, &err)); /* somebody who was slow */
    assert_string_equal(read_text(f, "metadata/version-hint.text"), "2");
    write_text(f, "metadata/version-hint.text", "9");
    assert_true(metadata_file_write_hint(s, 1, &err));
    assert_string_equal(read_text(f, "metadata/version-hint.text"), "1");
    store_free(&s);
}

static void versions_are_compared_as_numbers(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    for (int i = 2; i <= 11; i++) {
        commit(f, "k", "x");
    }
    assert_true(file_remove(path_of(f, "metadata/version-hint.text"), &f->err));
    assert_newest(f, "v11.metadata.json", "x");
}

static void a_table_of_a_catalog_with_a_pointer_is_read_but_not_written(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    static const char file[] = "metadata/00004-8e0437dd-32a4-4e40-bf9d-4f3c28a967fe.metadata.json";
    write_text(f, file, read_text(f, "metadata/v1.metadata.json"));
    write_text(f, "metadata/00003-9e0437dd-32a4-4e40-bf9d-4f3c28a967fe.metadata.json", "{}");
    assert_true(file_remove(path_of(f, "metadata/v1.metadata.json"), &f->err));
    assert_newest(f, strchr(file, '/') + 1, NULL);
    const char *location = NULL;
    struct iceberg_metadata *base = loaded(f, &location);
    assert_false(try_commit(f, base, location, "k", "v", &m));
    assert_int_equal(f->err.kind, ERROR_CONFIG);
    assert_non_null(strstr(f->err.message, "another catalog"));
    iceberg_metadata_free(&base);
}

static void metadata_that_cannot_be_read_is_named(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    write_text(f, "metadata/v2.metadata.json", "{}");
    const char *location = NULL;
    assert_false(f->catalog->type->load(f->catalog, &orders, &m, &f->arena, &location, &f->err));
    assert_int_equal(f->err.kind, ERROR_DATA);
    assert_non_null(strstr(f->err.message, "/shop/orders/metadata/v2.metadata.json"));
}

/* --- many writers --- */

enum { WRITERS = 4, COMMITS = 30 };

struct writer {
    pthread_t thread;
    const char *root;
    unsigned number;
    char failure[1200]; /* "": none */
};

/* Sets the writer's property to `value`; true when it is in for certain. */
static bool advance(struct iceberg_catalog *c, const char *key, const char *value,
                    struct error *err)
{
    struct fixture f = {.catalog = c};
    struct iceberg_metadata *base = NULL;
    struct iceberg_metadata *after = NULL;
    const char *location = NULL;
    bool done = c->type->load(c, &orders, &base, &f.arena, &location, err);
    if (done) {
        const char *found = iceberg_metadata_property(base, key); /* of an unknown outcome */
        done = (found && strcmp(found, value) == 0) ||
               try_commit(&f, base, location, key, value, &after);
        *err = f.err;
    }
    iceberg_metadata_free(&after);
    iceberg_metadata_free(&base);
    arena_release(&f.arena);
    return done;
}

static void *write_many(void *arg)
{
    struct writer *w = arg;
    struct error err = {0};
    struct iceberg_catalog *c = catalog_open_filesystem(w->root, &err);
    for (unsigned i = 0; c && i < COMMITS; i++) {
        char key[32];
        char value[32];
        (void)snprintf(key, sizeof(key), "writer.%u.%u", w->number, i);
        (void)snprintf(value, sizeof(value), "%u", i);
        do {
            err = (struct error){0};
        } while (
            !advance(c, key, value, &err) &&
            (err.kind == ERROR_CONFLICT || err.kind == ERROR_UNKNOWN || err.kind == ERROR_RETRY));
        if (err.kind != ERROR_NONE) {
            break;
        }
    }
    (void)snprintf(w->failure, sizeof(w->failure), "%s", err.message);
    iceberg_catalog_free(&c);
    return NULL;
}

static void of_many_writers_none_loses_a_commit(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    struct writer writers[WRITERS];
    iceberg_metadata_free(&m);
    /* So that numbers become free as soon as they can. */
    commit(f, "write.metadata.previous-versions-max", "1");
    commit(f, "write.metadata.delete-after-commit.enabled", "true");
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.root = f->root, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        assert_string_equal(writers[i].failure, "");
    }
    /* Each commit adds a property: one that was lost lacks its own, and no number is skipped. */
    const char *location = NULL;
    m = loaded(f, &location);
    assert_int_equal(json_object_size(m->properties), WRITERS * COMMITS + 2);
    assert_non_null(
        strstr(location, arena_format(&f->arena, "/v%d.metadata.json", WRITERS * COMMITS + 3)));
    iceberg_metadata_free(&m);
}

/* --- one table --- */

static void open_at(struct fixture *f, const char *location)
{
    iceberg_catalog_free(&f->catalog);
    f->catalog = catalog_open_location(location, &f->err);
    if (!f->catalog) {
        fail_msg("%s", f->err.message);
    }
}

static void a_location_is_a_catalog_of_one_table(void **state)
{
    struct fixture *f = *state;
    open_at(f, path_of(f, ""));
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    commit(f, "k", "2");
    assert_newest(f, "v2.metadata.json", "2");
    const char *location = NULL;
    assert_true(f->catalog->type->load(f->catalog, NULL, &m, &f->arena, &location, &f->err));
    assert_non_null(m);
    iceberg_metadata_free(&m);
}

static void one_metadata_file_is_a_state_that_can_only_be_read(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    commit(f, "k", "2");
    commit(f, "k", "3");
    open_at(f, path_of(f, "metadata/v2.metadata.json"));
    assert_newest(f, "v2.metadata.json", "2");
    const char *location = NULL;
    struct iceberg_metadata *base = loaded(f, &location);
    assert_false(try_commit(f, base, location, "k", "4", &m));
    assert_int_equal(f->err.kind, ERROR_CONFIG);
    f->err = (struct error){0};
    assert_false(try_create(f, NULL, &m));
    assert_int_equal(f->err.kind, ERROR_CONFIG);
    iceberg_metadata_free(&base);

    open_at(f, path_of(f, "metadata/v9.metadata.json"));
    assert_null(loaded(f, &location));
}

static void a_warehouse_may_be_a_file_url(void **state)
{
    struct fixture *f = *state;
    struct iceberg_metadata *m = created(f);
    iceberg_metadata_free(&m);
    iceberg_catalog_free(&f->catalog);
    f->catalog = catalog_open_filesystem(arena_format(&f->arena, "file://%s/", f->root), &f->err);
    assert_non_null(f->catalog);
    assert_newest(f, "v1.metadata.json", NULL);
}

static void catalogs_that_are_not_there_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(catalog_open_filesystem("gs://bucket/lake", &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    err = (struct error){0};
    assert_null(catalog_open_location("", &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    err = (struct error){0};
    assert_null(catalog_open(&(struct catalog_config){.type = "hive"}, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "\"hive\""));
    err = (struct error){0};
    assert_null(catalog_open(&(struct catalog_config){.type = "filesystem"}, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void the_configuration_names_the_catalog(void **state)
{
    struct fixture *f = *state;
    struct iceberg_catalog *c =
        catalog_open(&(struct catalog_config){.type = "filesystem", .warehouse = f->root}, &f->err);
    assert_non_null(c);
    assert_string_equal(c->type->name, "filesystem");
    iceberg_catalog_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_that_is_not_there_is_no_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_table_lies_below_the_warehouse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_cannot_lie_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_lead_elsewhere_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commits_count_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_second_of_two_commits_from_one_state_is_a_conflict,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_that_slept_does_not_take_a_number_that_became_free,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_requirement_that_does_not_hold_writes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(old_metadata_is_removed_only_when_the_table_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(files_outside_the_table_are_never_removed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(readers_find_the_newest_whatever_the_hint_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hint_is_never_set_back_unless_it_is_wrong, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(versions_are_compared_as_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_many_writers_none_loses_a_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_of_a_catalog_with_a_pointer_is_read_but_not_written,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(metadata_that_cannot_be_read_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_location_is_a_catalog_of_one_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_metadata_file_is_a_state_that_can_only_be_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_warehouse_may_be_a_file_url, set_up, tear_down),
        cmocka_unit_test(catalogs_that_are_not_there_are_refused),
        cmocka_unit_test_setup_teardown(the_configuration_names_the_catalog, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
