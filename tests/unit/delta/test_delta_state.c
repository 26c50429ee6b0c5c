#include "delta/state.h"
#include "test.h"

struct fixture {
    struct delta_state s;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    delta_state_init(&f->s);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    delta_state_release(&f->s);
    free(f);
    return 0;
}

static void apply(struct delta_state *s, const char *text)
{
    struct arena a = {0};
    struct delta_actions actions = {.arena = &a};
    struct error err = {0};
    assert_true(delta_actions_decode(str_from(text), &actions, &err));
    assert_true(delta_state_apply(s, s->version + 1, actions.items, actions.count, &err));
    arena_release(&a);
}

#define ADD(path) \
    "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":1,\"dataChange\":true}}\n"
#define ADD_V(path, v)                                                                      \
    "{\"add\":{\"path\":\"" path "\",\"size\":1,\"deletionVector\":{\"storageType\":\"u\"," \
    "\"pathOrInlineDv\":\"" v "\",\"offset\":1,\"sizeInBytes\":1,\"cardinality\":1}}}\n"
#define REMOVE(path) \
    "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":5,\"dataChange\":true}}\n"
#define REMOVE_V(path, v)                                                                \
    "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":5,\"deletionVector\":{"    \
    "\"storageType\":\"u\",\"pathOrInlineDv\":\"" v "\",\"offset\":1,\"sizeInBytes\":1," \
    "\"cardinality\":1}}}\n"

static void files_come_and_go(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, ADD("a") ADD("b"));
    apply(s, REMOVE("a") ADD("c"));
    assert_int_equal(s->version, 1);
    assert_null(delta_state_live(s, "a"));
    assert_non_null(delta_state_live(s, "b"));
    assert_int_equal(delta_state_live(s, "c")->lake.slot, 2);
    assert_int_equal(s->slot_count, 3);
    assert_null(s->slots[0]);
    assert_int_equal(s->removed.count, 1);
}

static void a_new_vector_keeps_the_slot_in_either_order(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, ADD("a"));
    s->files_changed = false;
    apply(s, REMOVE("a") ADD_V("a", "x"));
    assert_int_equal(delta_state_live(s, "a")->lake.slot, 0);
    apply(s, ADD_V("a", "y") REMOVE_V("a", "x"));
    assert_int_equal(delta_state_live(s, "a")->lake.slot, 0);
    assert_string_equal(delta_state_live(s, "a")->file.vector->text, "y");
    assert_false(s->files_changed);
    assert_int_equal(s->removed.count, 2);
}

static void a_remove_of_another_vector_leaves_the_file(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, ADD_V("a", "x"));
    apply(s, REMOVE_V("a", "y"));
    assert_non_null(delta_state_live(s, "a"));
    apply(s, REMOVE("a"));
    assert_non_null(delta_state_live(s, "a"));
    apply(s, REMOVE_V("a", "x"));
    assert_null(delta_state_live(s, "a"));
}

static void a_path_that_comes_back_is_no_tombstone(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, ADD("a"));
    apply(s, REMOVE("a"));
    apply(s, ADD("a"));
    assert_int_equal(s->removed.count, 0);
    assert_int_equal(delta_state_live(s, "a")->lake.slot, 1); /* numbers are not used again */
}

static void paths_are_compared_as_they_are_written(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, ADD("a%20b") ADD("a b"));
    apply(s, REMOVE("a b"));
    assert_non_null(delta_state_live(s, "a%20b"));
    assert_null(delta_state_live(s, "a b"));
}

static void the_newest_of_each_small_action_counts(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s,
          "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
          "{\"metaData\":{\"id\":\"one\",\"schemaString\":\"{}\"}}\n"
          "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n{\"txn\":{\"appId\":\"b\",\"version\":7}}\n"
          "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"1\",\"removed\":false}}\n"
          "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":\"1\",\"removed\":false}}\n");
    apply(s, "{\"txn\":{\"appId\":\"a\",\"version\":2}}\n"
             "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"2\",\"removed\":false}}\n"
             "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":\"\",\"removed\":true}}\n"
             "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7}}\n");
    assert_int_equal(s->protocol.reader_version, 3);
    assert_string_equal(s->metadata.id, "one");
    const struct delta_txn *txn = map_get(&s->txns, str_from("a"));
    assert_int_equal(txn->version, 2);
    const struct delta_domain *domain = map_get(&s->domains, str_from("d"));
    assert_string_equal(domain->configuration, "2");

    struct arena a = {0};
    struct delta_actions list = {.arena = &a};
    delta_state_list(s, &list);
    assert_int_equal(list.count, 5); /* removed domains are not in a checkpoint */
    arena_release(&a);
}

static void old_tombstones_expire(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, ADD("a") ADD("b"));
    apply(s,
          REMOVE(
              "a") "{\"remove\":{\"path\":\"b\",\"deletionTimestamp\":100,\"dataChange\":true}}\n");
    delta_state_expire(s, 50);
    assert_int_equal(s->removed.count, 1);
    delta_state_expire(s, 100);
    assert_int_equal(s->removed.count, 0);
}

static void memory_does_not_grow_with_the_number_of_commits(void **state)
{
    struct delta_state *s = &((struct fixture *)*state)->s;
    apply(s, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
             "{\"metaData\":{\"id\":\"one\",\"schemaString\":\"{}\",\"partitionColumns\":[\"p\"],"
             "\"configuration\":{\"k\":\"v\"}}}\n" ADD("keep"));
    for (int i = 0; i < 4000; i++) {
        apply(s, ADD("a"));
        apply(
            s,
            "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"0123456789012345678901234567890123\","
            "\"removed\":false}}\n{\"txn\":{\"appId\":\"t\",\"version\":1}}\n" REMOVE("a"));
    }
    assert_true(s->arena.bytes < 3 << 20);
    assert_string_equal(delta_state_live(s, "keep")->file.path, "keep");
    assert_string_equal(s->metadata.configuration.items[0].value, "v");
    assert_string_equal(s->metadata.partition_columns.items[0], "p");
}

#define test_with_state(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_state(files_come_and_go),
        test_with_state(a_new_vector_keeps_the_slot_in_either_order),
        test_with_state(a_remove_of_another_vector_leaves_the_file),
        test_with_state(a_path_that_comes_back_is_no_tombstone),
        test_with_state(paths_are_compared_as_they_are_written),
        test_with_state(the_newest_of_each_small_action_counts),
        test_with_state(old_tombstones_expire),
        test_with_state(memory_does_not_grow_with_the_number_of_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
