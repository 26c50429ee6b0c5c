/* A Delta table in a directory of its own. Data files are only named: nothing reads them. */
#pragma once

#include <inttypes.h>
#include <roaring/roaring.h>

#include "delta/delta.h"
#include "temporary.h"
#include "test.h"

struct fixture {
    char root[64];
    char location[80];
    struct arena arena;
    struct lake_table *table;
    struct schema *schema;
    uint64_t position; /* of the last commit */
};

static inline struct lake_table *fixture_open(const struct fixture *f, const char *pipeline,
                                              struct error *err)
{
    struct lake_options options = {.location = f->location, .pipeline = pipeline};
    return delta_lake.open(&options, err);
}

static inline struct lake_record fixture_record(uint64_t position)
{
    return (struct lake_record){.position = position_integer(position),
                                .complete = position_integer(position),
                                .epoch = position,
                                .phase = PHASE_STREAMING,
                                .load_id = "load",
                                .source = "source"};
}

static inline bool fixture_create(struct fixture *f, struct lake_table *table, bool vectors,
                                  struct error *err)
{
    struct lake_create create = {.schema = f->schema,
                                 .partition =
                                     &(struct lake_partition_field){.name = "p", .column = 1},
                                 .partition_count = 1,
                                 .feed = true,
                                 .vectors = vectors,
                                 .record = {.phase = PHASE_LOADING, .load_id = "load"}};
    return delta_lake.create(table, &create, err);
}

static inline struct lake_new_file fixture_file(struct fixture *f, uint64_t rows)
{
    const char **partition = arena_array(&f->arena, 1, sizeof(*partition));
    partition[0] = "a b%/";
    return (struct lake_new_file){
        .path = lake_data_path(
            &f->arena, "", &(struct lake_partition_field){.name = "p", .column = 1}, 1, partition),
        .partition = partition,
        .row_count = rows,
        .size = rows * 10};
}

/* A commit that follows the last one. */
static inline struct lake_commit fixture_commit(struct fixture *f)
{
    const struct lake_snapshot *s = &f->table->snapshot;
    f->position += 10;
    return (struct lake_commit){.operation = "STREAM",
                                .record = fixture_record(f->position),
                                .from = s->has_record ? s->record.position : (struct position){0}};
}

static inline uint32_t fixture_add(struct fixture *f, uint64_t rows)
{
    struct lake_new_file file = fixture_file(f, rows);
    struct lake_commit commit = fixture_commit(f);
    struct error err = {0};
    uint32_t slot = UINT32_MAX;
    commit.files = &file;
    commit.file_count = 1;
    if (!delta_lake.commit(f->table, &commit, &slot, &err)) {
        fail_msg("%s", err.message);
    }
    return slot;
}

static inline bool fixture_delete(struct fixture *f, uint32_t slot, uint32_t from, uint32_t to,
                                  struct error *err)
{
    roaring_bitmap_t *deleted = roaring_bitmap_from_range(from, to, 1);
    struct lake_new_vector vector = {.slot = slot, .deleted = deleted, .deleted_count = to - from};
    struct lake_commit commit = fixture_commit(f);
    commit.vectors = &vector;
    commit.vector_count = 1;
    bool ok = delta_lake.commit(f->table, &commit, NULL, err);
    roaring_bitmap_free(deleted);
    return ok;
}

/* What another writer would have put into the log. */
static inline void fixture_foreign(const struct fixture *f, int64_t version, const char *text)
{
    char path[160];
    struct error err = {0};
    (void)snprintf(path, sizeof(path), "%s/_delta_log/%020" PRId64 ".json", f->location, version);
    if (!file_create(path, text, strlen(text), &err)) {
        fail_msg("%s", err.message);
    }
}

static inline void fixture_remove_commit(const struct fixture *f, int64_t version)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/_delta_log/%020" PRId64 ".json", f->location, version);
    assert_int_equal(remove(path), 0);
}

static inline int fixture_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    assert_non_null(f);
    temporary_make(f->root);
    (void)snprintf(f->location, sizeof(f->location), "%s/table", f->root);
    f->schema = schema_new(2);
    f->schema->columns[0] =
        (struct schema_column){.name = "id", .type = {.kind = TYPE_INT32}, .nullable = true};
    f->schema->columns[1] =
        (struct schema_column){.name = "p", .type = {.kind = TYPE_STRING}, .nullable = true};
    schema_seal(f->schema);
    f->table = fixture_open(f, "shop", &err);
    assert_non_null(f->table);
    *state = f;
    return 0;
}

static inline int fixture_set_up_created(void **state)
{
    struct error err = {0};
    assert_int_equal(fixture_set_up(state), 0);
    struct fixture *f = *state;
    if (!fixture_create(f, f->table, true, &err)) {
        fail_msg("%s", err.message);
    }
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->table) {
        delta_lake.free(f->table);
    }
    schema_release(f->schema);
    arena_release(&f->arena);
    temporary_remove(f->root);
    free(f);
    return 0;
}

#define test_with_location(name) \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
#define test_with_table(name) \
    cmocka_unit_test_setup_teardown(name, fixture_set_up_created, fixture_tear_down)
