#include <inttypes.h>
#include <roaring/roaring.h>
#include <string.h>

#include "base/failpoint.h"
#include "iceberg/plan.h"

enum { SNAPSHOTS_MAX = 600 };

static void json_free(json_t **j)
{
    json_decref(*j);
}

/* ---- requirements and updates ---- */

static void append(json_t *array, json_t *object)
{
    (void)json_array_append_new(array, object);
}

json_t *iceberg_plan_requirements(const struct iceberg_plan *plan)
{
    const struct iceberg_metadata *m = plan->table->metadata;
    json_t *all = json_array();
    append(all, json_pack("{s:s, s:s}", "type", "assert-table-uuid", "uuid", m->uuid));
    append(all, json_pack("{s:s, s:s, s:o}", "type", "assert-ref-snapshot-id", "ref", "main",
                          "snapshot-id", m->current ? json_integer(m->current->id) : json_null()));
    if (plan->schema) {
        append(all, json_pack("{s:s, s:i}", "type", "assert-current-schema-id", "current-schema-id",
                              (int)m->schema->id));
        append(all, json_pack("{s:s, s:i}", "type", "assert-last-assigned-field-id",
                              "last-assigned-field-id", (int)m->last_column_id));
    }
    return all;
}

static int32_t last_column_id(const struct iceberg_plan *plan)
{
    int32_t last = plan->table->metadata->last_column_id;
    size_t i = 0;
    json_t *field = NULL;
    json_array_foreach(json_object_get(plan->schema, "fields"), i, field)
    {
        int32_t id = (int32_t)json_integer_value(json_object_get(field, "id"));
        last = id > last ? id : last;
    }
    return last;
}

/* A tag or another branch keeps its snapshot. */
static bool is_referenced(const struct iceberg_metadata *m, int64_t id)
{
    const char *name = NULL;
    json_t *ref = NULL;
    json_object_foreach(json_object_get(m->json, "refs"), name, ref)
    {
        if (strcmp(name, "main") != 0 &&
            json_integer_value(json_object_get(ref, "snapshot-id")) == id) {
            return true;
        }
    }
    return false;
}

/* Every commit writes the metadata anew, with all snapshots in it: the oldest go (rule 24). Their
 * files stay, for whoever reads them now and for those who clean up. NULL: none goes. */
static json_t *expired_snapshots(const struct iceberg_metadata *m)
{
    const char *collects = iceberg_metadata_property(m, "gc.enabled");
    uint32_t excess =
        m->snapshot_count >= SNAPSHOTS_MAX ? m->snapshot_count + 1 - SNAPSHOTS_MAX : 0;
    if (excess == 0 || (collects && strcmp(collects, "false") == 0)) {
        return NULL;
    }
    json_t *ids = json_array();
    for (uint32_t i = 0; excess > 0 && i < m->snapshot_count; i++) { /* in the order they came */
        if (!is_referenced(m, m->snapshots[i].id) && &m->snapshots[i] != m->current) {
            (void)json_array_append_new(ids, json_integer(m->snapshots[i].id));
            excess--;
        }
    }
    return ids;
}

json_t *iceberg_plan_updates(const struct iceberg_plan *plan)
{
    json_t *all = json_array();
    owned(buf_release) struct buf record = {0};
    if (plan->schema) {
        append(all, json_pack("{s:s, s:O, s:i}", "action", "add-schema", "schema", plan->schema,
                              "last-column-id", (int)last_column_id(plan)));
        append(all, json_pack("{s:s, s:i}", "action", "set-current-schema", "schema-id", -1));
    }
    append(all, json_pack("{s:s, s:O}", "action", "add-snapshot", "snapshot", plan->snapshot));
    append(all, json_pack("{s:s, s:s, s:s, s:I}", "action", "set-snapshot-ref", "ref-name", "main",
                          "type", "branch", "snapshot-id", (json_int_t)plan->snapshot_id));
    json_t *expired = expired_snapshots(plan->table->metadata);
    if (expired) {
        append(all, json_pack("{s:s, s:o}", "action", "remove-snapshots", "snapshot-ids", expired));
    }
    lake_record_format(&plan->record, &record);
    append(all, json_pack("{s:s, s:{s:s}}", "action", "set-properties", "updates",
                          plan->table->property, buf_text(&record)));
    return all;
}

/* ---- after the commit ---- */

static void follow_rewritten(struct iceberg_plan *plan)
{
    struct iceberg_table *t = plan->table;
    for (uint32_t i = 0; i < t->manifests.count; i++) {
        if (!plan->new_manifest[i]) {
            continue;
        }
        const char *manifest = iceberg_intern(t, plan->new_manifest[i]);
        for (uint32_t k = 0; k < plan->rewritten[i].count; k++) {
            struct str uri = str_from(plan->rewritten[i].items[k].file.path);
            struct iceberg_live *live = map_get(&t->live, uri);
            struct iceberg_delete *d = map_get(&t->deletes, uri);
            if (live) {
                live->manifest = manifest;
            }
            if (d) {
                d->manifest = manifest;
            }
        }
    }
}

static bool read_new_list(struct iceberg_plan *plan, struct error *err)
{
    struct iceberg_table *t = plan->table;
    const struct iceberg_objects o = iceberg_objects(t);
    arena_release(&t->list_arena);
    return iceberg_list_read(&o, t->snapshot, &t->list_arena, &t->manifests, err);
}

bool iceberg_plan_apply(struct iceberg_plan *plan, uint32_t *slots, struct error *err)
{
    struct iceberg_table *t = plan->table;
    follow_rewritten(plan);
    for (uint32_t i = 0; i < plan->dropped_count; i++) {
        iceberg_delete_remove(t, plan->dropped[i]->path);
    }
    for (uint32_t i = 0; i < plan->removed_count; i++) {
        iceberg_live_remove(t, plan->removed[i]);
    }
    for (uint32_t i = 0; i < plan->redelete_count; i++) {
        struct iceberg_redelete *r = &plan->redeletes[i];
        iceberg_delete_add(t, &r->entry.file, iceberg_intern(t, r->manifest));
        if (r->live->bitmap) {
            roaring_bitmap_free(r->live->bitmap);
        }
        r->live->bitmap = roaring_bitmap_copy(r->deleted);
        r->live->lake.deleted = r->live->bitmap;
        r->live->lake.deleted_count = (uint64_t)r->entry.file.record_count;
    }
    for (uint32_t i = 0; i < plan->commit->file_count; i++) {
        plan->added[i].sequence_number = plan->sequence_number;
        struct iceberg_live *live =
            iceberg_live_add(t, &plan->added[i], iceberg_intern(t, plan->data_manifest), err);
        if (!live) {
            return false;
        }
        slots[i] = live->lake.slot;
    }
    return read_new_list(plan, err);
}

/* ---- commit ---- */

/* Hands the plan to the catalog and takes what it says as the table's metadata. */
static bool swap(struct iceberg_plan *plan, struct error *err)
{
    struct iceberg_table *t = plan->table;
    struct iceberg_state to = {0};
    owned(json_free) json_t *requirements = iceberg_plan_requirements(plan);
    owned(json_free) json_t *updates = iceberg_plan_updates(plan);
    failpoint("iceberg_before_catalog");
    const struct iceberg_move move = {.from = t->metadata,
                                      .from_location = t->metadata_location,
                                      .requirements = requirements,
                                      .updates = updates};
    if (!t->catalog->type->commit(t->catalog, &t->name, &move, &to, err)) {
        return false;
    }
    failpoint("iceberg_after_catalog");
    iceberg_adopt(t, to.metadata, to.location);
    return true;
}

bool iceberg_commit(struct lake_table *table, struct lake_commit *commit, uint32_t *slots,
                    struct error *err)
{
    struct iceberg_table *t = (struct iceberg_table *)table;
    if (!lake_commit_check(&table->snapshot, commit, t->label, t->property != NULL, err)) {
        return false;
    }
    struct iceberg_plan plan;
    failpoint("iceberg_before_plan");
    bool in = false;
    bool ok = iceberg_plan_make(&plan, t, commit, err);
    if (ok) {
        ok = in = swap(&plan, err);
    }
    if (in || err->kind == ERROR_UNKNOWN) {
        commit->record = plan.record; /* by its txn id the caller will know it */
    }
    if (!ok && err->kind == ERROR_UNKNOWN) {
        memcpy(t->unresolved, plan.uuid, sizeof(t->unresolved));
    } else if (!ok) {
        iceberg_plan_undo(&plan); /* certainly not in */
    } else if (!iceberg_plan_apply(&plan, slots, err) || !iceberg_show(t, err)) {
        ok = error_recast(err, ERROR_UNKNOWN); /* it is in, but what it looks like is not known */
        memcpy(t->unresolved, plan.uuid, sizeof(t->unresolved));
    }
    iceberg_plan_release(&plan);
    return ok || error_wrap(err, "table \"%s\": commit", t->label);
}

/* ---- create ---- */

static bool make_spec(struct iceberg_table *t, const struct lake_create *create, const int32_t *ids,
                      struct arena *a, struct iceberg_spec *out, struct error *err)
{
    *out = (struct iceberg_spec){.field_count = create->partition_count};
    out->fields = arena_zalloc(a, ((size_t)create->partition_count + 1) * sizeof(*out->fields));
    for (uint32_t i = 0; i < create->partition_count; i++) {
        const struct lake_partition_field *f = &create->partition[i];
        const struct schema_column *c = &create->schema->columns[f->column];
        out->fields[i] = (struct iceberg_spec_field){.source_id = ids[f->column],
                                                     .field_id = 1000 + (int32_t)i,
                                                     .name = f->name,
                                                     .transform = f->transform};
        if (!lake_transform_result(f->transform, c->type, &out->fields[i].result)) {
            return error_set(err, ERROR_CONFIG,
                             "table \"%s\": column \"%s\" cannot partition it like this", t->label,
                             c->name);
        }
    }
    return true;
}

static json_t *make_properties(const struct iceberg_table *t, const struct lake_record *record)
{
    owned(buf_release) struct buf text = {0};
    lake_record_format(record, &text);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "write.format.default",
                     "parquet", "write.parquet.compression-codec", "zstd", "write.delete.mode",
                     "merge-on-read", "write.update.mode", "merge-on-read", "write.merge.mode",
                     "merge-on-read", "write.delete.granularity", "file",
                     "write.metadata.delete-after-commit.enabled", "true",
                     "write.metadata.previous-versions-max", "20", t->property, buf_text(&text));
}

/* A log has many rows of one key: it identifies none of them. */
static void drop_key(json_t *schema)
{
    size_t i = 0;
    json_t *field = NULL;
    (void)json_object_del(schema, "identifier-field-ids");
    json_array_foreach(json_object_get(schema, "fields"), i, field)
    {
        (void)json_object_set_new(field, "required", json_false());
    }
}

bool iceberg_create_table(struct lake_table *table, const struct lake_create *create,
                          struct error *err)
{
    struct iceberg_table *t = (struct iceberg_table *)table;
    if (!t->property) {
        return error_set(err, ERROR_CONFIG, "table \"%s\" was opened for reading", t->label);
    }
    if (table->snapshot.exists) {
        return error_set(err, ERROR_CONFLICT, "table \"%s\" exists", t->label);
    }
    owned(arena_release) struct arena a = {0};
    struct lake_record record = create->record;
    struct iceberg_spec spec;
    int32_t *ids = arena_zalloc(&a, ((size_t)create->schema->column_count + 1) * sizeof(*ids));
    random_uuid(record.txn_id);
    record.version = 0;
    if (!iceberg_column_ids(table, create->schema, ids, err) ||
        !make_spec(t, create, ids, &a, &spec, err)) {
        return false;
    }
    owned(json_free) json_t *schema = iceberg_schema_make(create->schema, ids, 0);
    if (!create->vectors) {
        drop_key(schema);
    }
    owned(json_free) json_t *properties = make_properties(t, &record);
    struct iceberg_metadata *m = NULL;
    failpoint("iceberg_before_create");
    if (!t->catalog->type->create(t->catalog, &t->name,
                                  &(struct iceberg_create){.location = t->location_wanted,
                                                           .schema = schema,
                                                           .spec = &spec,
                                                           .properties = properties},
                                  &m, err)) {
        return error_wrap(err, "table \"%s\": create", t->label);
    }
    failpoint("iceberg_after_create");
    iceberg_metadata_free(&m);
    bool changed = false;
    return table->type->refresh(table, &changed, err);
}
