/* A table format in memory over real files: what tests of table/ commit to. It checks what it is
 * handed, keeps what every version changed, and fails as it is told. */
#pragma once

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "delta/delta.h"
#include "lake/lake.h"
#include "test.h"

#define fake_unused __attribute__((unused))

/* What one commit did, for replaying. */
struct fake_version {
    bool truncate;
    struct lake_file *files; /* added */
    uint32_t file_count;
    struct lake_file *changes;
    uint32_t change_count;
    bool has_vectors;
    char operation[16];
};

struct fake_lake {
    struct lake_table base;
    struct arena arena;
    struct fake_version *versions;
    uint32_t version_count;
    enum error_kind fail; /* of the next commits */
    uint32_t fail_count;
    bool fail_applies; /* the failing commit is in all the same */
    uint32_t refresh_fail_count;
    bool compacts; /* the next refresh finds its files rewritten by somebody */
    void (*compact)(struct fake_lake *f);
};

fake_unused static struct type fake_stored_type(struct type source)
{
    if (source.kind == TYPE_UUID || source.kind == TYPE_TIME || source.kind == TYPE_JSON) {
        return (struct type){.kind = TYPE_STRING};
    }
    return source.kind == TYPE_TIMESTAMP ? (struct type){.kind = TYPE_TIMESTAMPTZ} : source;
}

static inline void fake_schema(struct fake_lake *f, const struct schema *schema)
{
    struct schema *s = schema_new(schema->column_count);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        s->columns[i] = (struct schema_column){
            .name = schema_name(s, str_from(schema->columns[i].name)),
            .type = schema->columns[i].type,
            .nullable = schema->columns[i].nullable,
        };
        assert_true(type_equal(fake_stored_type(s->columns[i].type), s->columns[i].type));
    }
    schema_seal(s);
    schema_release(f->base.snapshot.schema);
    f->base.snapshot.schema = s;
}

static inline void fake_record(struct fake_lake *f, const struct lake_record *record)
{
    f->base.snapshot.record = *record;
    f->base.snapshot.record.version = ++f->base.snapshot.version;
    f->base.snapshot.has_record = true;
}

static inline bool fake_create(struct lake_table *t, const struct lake_create *create,
                               struct error *err)
{
    struct fake_lake *f = (struct fake_lake *)t;
    if (t->snapshot.exists) {
        return error_set(err, ERROR_CONFLICT, "it exists");
    }
    fake_schema(f, create->schema);
    t->snapshot.exists = true;
    t->snapshot.table_id = "fake";
    t->snapshot.partition = arena_copy(&f->arena, create->partition,
                                       create->partition_count * sizeof(*create->partition));
    t->snapshot.partition_count = create->partition_count;
    t->snapshot.has_feed = create->feed;
    fake_record(f, &create->record);
    random_uuid(f->base.snapshot.record.txn_id);
    return true;
}

static inline struct lake_file *fake_file(struct fake_lake *f, const struct lake_table *t,
                                          const struct lake_new_file *new)
{
    uint32_t count = t->snapshot.partition_count;
    struct lake_file *file = arena_zalloc(&f->arena, sizeof(*file));
    const char **partition = arena_zalloc(&f->arena, (count + 1) * sizeof(*partition));
    for (uint32_t i = 0; i < count; i++) {
        partition[i] = new->partition[i]
                           ? arena_string(&f->arena, new->partition[i], strlen(new->partition[i]))
                           : NULL;
    }
    *file = (struct lake_file){.path = arena_string(&f->arena, new->path, strlen(new->path)),
                               .partition = partition,
                               .row_count = new->row_count,
                               .size = new->size};
    owned(buf_release) struct buf path = {0};
    struct error err = {0};
    assert_true(store_fetch(t->store, file->path, &path, &err)); /* published */
    assert_true(file_exists(buf_text(&path)));
    assert_true(file->row_count > 0);
    return file;
}

static inline void fake_drop_file(struct fake_lake *f, uint32_t slot)
{
    struct lake_file *file = f->base.files[slot];
    assert_non_null(file);
    if (file->deleted) {
        roaring_bitmap_free(file->deleted);
        file->deleted = NULL;
    }
    f->base.files[slot] = NULL;
}

static inline uint32_t fake_add_file(struct fake_lake *f, struct lake_file *file)
{
    file->slot = f->base.snapshot.slot_count++;
    f->base.files = realloc(f->base.files, f->base.snapshot.slot_count * sizeof(*f->base.files));
    assert_non_null(f->base.files);
    f->base.files[file->slot] = file;
    return file->slot;
}

static inline void fake_set_vector(struct fake_lake *f, const struct lake_new_vector *v)
{
    struct lake_file *file = f->base.files[v->slot];
    assert_non_null(file);
    uint64_t deleted = roaring_bitmap_get_cardinality(v->deleted);
    assert_int_equal(deleted, v->deleted_count);
    assert_true(deleted < file->row_count);
    assert_true(roaring_bitmap_maximum(v->deleted) < file->row_count);
    if (file->deleted) { /* grows by at least one row and keeps the old ones */
        assert_true(roaring_bitmap_is_strict_subset(file->deleted, v->deleted));
        roaring_bitmap_free(file->deleted);
    }
    file->deleted = roaring_bitmap_copy(v->deleted);
    file->deleted_count = deleted;
}

static inline struct fake_version *fake_version(struct fake_lake *f, const struct lake_commit *c)
{
    f->versions = realloc(f->versions, (f->version_count + 1) * sizeof(*f->versions));
    assert_non_null(f->versions);
    struct fake_version *v = &f->versions[f->version_count++];
    *v = (struct fake_version){
        .truncate = c->truncate,
        .files = arena_zalloc(&f->arena, (c->file_count + 1) * sizeof(*v->files)),
        .file_count = c->file_count,
        .changes = arena_zalloc(&f->arena, (c->change_file_count + 1) * sizeof(*v->changes)),
        .change_count = c->change_file_count,
        .has_vectors = c->vector_count + c->removed_count > 0,
    };
    strncpy(v->operation, c->operation, sizeof(v->operation) - 1);
    return v;
}

static inline void fake_apply(struct fake_lake *f, struct lake_commit *c, uint32_t *slots)
{
    struct fake_version *v = fake_version(f, c);
    if (c->schema) {
        fake_schema(f, c->schema);
    }
    if (c->truncate) {
        assert_int_equal(c->change_file_count + c->vector_count + c->removed_count, 0);
        for (uint32_t i = 0; i < f->base.snapshot.slot_count; i++) {
            if (f->base.files[i]) {
                fake_drop_file(f, i);
            }
        }
    }
    for (uint32_t i = 0; i < c->vector_count; i++) {
        fake_set_vector(f, &c->vectors[i]);
    }
    for (uint32_t i = 0; i < c->removed_count; i++) {
        fake_drop_file(f, c->removed[i]);
    }
    for (uint32_t i = 0; i < c->file_count; i++) {
        struct lake_file *file = fake_file(f, &f->base, &c->files[i]);
        assert_non_null(c->files[i].statistics);
        v->files[i] = *file;
        uint32_t slot = fake_add_file(f, file);
        if (slots) {
            slots[i] = slot;
        }
    }
    for (uint32_t i = 0; i < c->change_file_count; i++) {
        v->changes[i] = *fake_file(f, &f->base, &c->change_files[i]);
    }
    fake_record(f, &c->record);
    c->record.version = f->base.snapshot.version;
}

static inline bool fake_commit(struct lake_table *t, struct lake_commit *c, uint32_t *slots,
                               struct error *err)
{
    struct fake_lake *f = (struct fake_lake *)t;
    random_uuid(c->record.txn_id);
    const struct lake_record *held = &t->snapshot.record;
    if (held->phase == PHASE_STREAMING && !position_equal(held->position, c->from)) {
        return error_set(err, ERROR_LOST, "the record moved");
    }
    if (f->fail_count > 0) {
        f->fail_count--;
        if (f->fail_applies) {
            fake_apply(f, c, NULL);
        }
        return error_set(err, f->fail, "as the test asked");
    }
    fake_apply(f, c, slots);
    return true;
}

static inline bool fake_refresh(struct lake_table *t, bool *files_changed, struct error *err)
{
    struct fake_lake *f = (struct fake_lake *)t;
    if (f->refresh_fail_count > 0) {
        f->refresh_fail_count--;
        return error_set(err, ERROR_RETRY, "as the test asked");
    }
    *files_changed = f->compact != NULL;
    if (f->compact) {
        f->compact(f);
        f->compact = NULL;
    }
    return true;
}

static inline bool fake_check(struct lake_table *t, const struct lake_expectation *expected,
                              struct error *err)
{
    (void)t;
    (void)expected;
    (void)err;
    return true;
}

static inline bool fake_maintain(struct lake_table *t, struct error *err)
{
    (void)t;
    (void)err;
    return true;
}

/* table_free() leaves the lake to the test, which opens it again as a restart would. */
static inline void fake_keep(struct lake_table *t)
{
    (void)t;
}

static inline void fake_free(struct fake_lake *f)
{
    for (uint32_t i = 0; i < f->base.snapshot.slot_count; i++) {
        if (f->base.files[i]) {
            fake_drop_file(f, i);
        }
    }
    free(f->base.files);
    free(f->versions);
    schema_release(f->base.snapshot.schema);
    store_free(&f->base.store);
    arena_release(&f->arena);
    free(f);
}

static const struct lake_type fake_lake = {
    .name = "fake",
    .data_directory = "",
    .stored_type = fake_stored_type,
    .create = fake_create,
    .refresh = fake_refresh,
    .check = fake_check,
    .commit = fake_commit,
    .maintain = fake_maintain,
    .free = fake_keep,
};

fake_unused static struct fake_lake *fake_open(const char *location)
{
    struct fake_lake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    struct error err = {0};
    f->base.type = &fake_lake;
    f->base.store = store_open(location, &err);
    assert_non_null(f->base.store);
    f->base.snapshot.version = -1;
    return f;
}

/* ---- Delta, with the fake's memory of what was committed, and its failures ---- */

static struct fake_lake *recorder;

static inline void record_commit(const struct lake_table *t, const struct lake_commit *c)
{
    struct fake_version *v = fake_version(recorder, c);
    for (uint32_t i = 0; i < c->file_count; i++) {
        v->files[i] = *fake_file(recorder, t, &c->files[i]);
    }
    for (uint32_t i = 0; i < c->change_file_count; i++) {
        v->changes[i] = *fake_file(recorder, t, &c->change_files[i]);
    }
}

static inline bool recorded_commit(struct lake_table *t, struct lake_commit *c, uint32_t *slots,
                                   struct error *err)
{
    if (recorder->fail_count > 0) {
        recorder->fail_count--;
        if (recorder->fail_applies) {
            assert_true(delta_lake.commit(t, c, slots, err));
            record_commit(t, c);
        }
        return error_set(err, recorder->fail, "as the test asked");
    }
    if (!delta_lake.commit(t, c, slots, err)) {
        return false;
    }
    record_commit(t, c);
    return true;
}

static struct type recorded_stored_type(struct type source)
{
    return delta_lake.stored_type(source);
}
static bool recorded_create(struct lake_table *t, const struct lake_create *create,
                            struct error *err)
{
    return delta_lake.create(t, create, err);
}
static bool recorded_refresh(struct lake_table *t, bool *files_changed, struct error *err)
{
    return delta_lake.refresh(t, files_changed, err);
}
static bool recorded_check(struct lake_table *t, const struct lake_expectation *expected,
                           struct error *err)
{
    return delta_lake.check(t, expected, err);
}
static bool recorded_maintain(struct lake_table *t, struct error *err)
{
    return delta_lake.maintain(t, err);
}
static void recorded_free(struct lake_table *t)
{
    delta_lake.free(t);
}

static const struct lake_type recorded_delta = {
    .data_directory = "",
    .name = "delta",
    .stored_type = recorded_stored_type,
    .create = recorded_create,
    .refresh = recorded_refresh,
    .check = recorded_check,
    .commit = recorded_commit,
    .maintain = recorded_maintain,
    .free = recorded_free,
};
