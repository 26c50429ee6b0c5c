#include "iceberg/plan.h"

#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "format/posdelete.h"
#include "iceberg/location.h"
#include "iceberg/metrics.h"

/* ---- names ---- */

/* Random, positive, not taken. It stays the same however often the commit is sent. */
static int64_t new_snapshot_id(const struct iceberg_metadata *m)
{
    int64_t id = 0;
    while (id == 0 || iceberg_metadata_snapshot(m, id)) {
        random_bytes(&id, sizeof(id));
        id &= INT64_MAX;
    }
    return id;
}

bool iceberg_plan_stage(struct iceberg_plan *plan, const char *key, struct str data,
                        const char **uri, struct error *err)
{
    owned(buf_release) struct buf text = {0};
    if (!store_stage_data(plan->table->base.store, key, data, err)) {
        return false;
    }
    if (plan->written_count == plan->written_capacity) {
        const char **old = plan->written;
        plan->written_capacity = plan->written_capacity ? plan->written_capacity * 2 : 16;
        plan->written = arena_array(&plan->arena, plan->written_capacity, sizeof(*plan->written));
        for (uint32_t i = 0; i < plan->written_count; i++) {
            plan->written[i] = old[i];
        }
    }
    plan->written[plan->written_count++] = arena_string(&plan->arena, key, strlen(key));
    iceberg_location_join(plan->table->metadata->location, key, &text);
    *uri = arena_string(&plan->arena, text.data, text.size);
    return true;
}

/* ---- data files ---- */

static bool partition_values(struct iceberg_plan *plan, const char *const *texts,
                             struct iceberg_file *out, struct error *err)
{
    const struct iceberg_spec *spec = plan->table->metadata->spec;
    out->partition_count = spec->field_count;
    out->partition =
        arena_zalloc(&plan->arena, ((size_t)spec->field_count + 1) * sizeof(*out->partition));
    for (uint32_t i = 0; i < spec->field_count; i++) {
        if (texts[i] && !iceberg_value_parse(spec->fields[i].result, texts[i], &plan->arena,
                                             &out->partition[i], err)) {
            return error_wrap(err, "partition field \"%s\"", spec->fields[i].name);
        }
    }
    return true;
}

static bool plan_added(struct iceberg_plan *plan, const int32_t *ids, const struct schema *schema,
                       struct error *err)
{
    const struct lake_commit *c = plan->commit;
    const struct iceberg_metadata *m = plan->table->metadata;
    plan->added = arena_zalloc(&plan->arena, ((size_t)c->file_count + 1) * sizeof(*plan->added));
    for (uint32_t i = 0; i < c->file_count; i++) {
        const struct lake_new_file *f = &c->files[i];
        owned(buf_release) struct buf uri = {0};
        iceberg_location_join(m->location, f->path, &uri);
        plan->added[i] =
            (struct iceberg_entry){.status = ICEBERG_ADDED,
                                   .snapshot_id = plan->snapshot_id,
                                   .sequence_number = -1,
                                   .file_sequence_number = -1,
                                   .spec_id = m->spec->id,
                                   .file = {.content = ICEBERG_DATA,
                                            .path = arena_string(&plan->arena, uri.data, uri.size),
                                            .format = "PARQUET",
                                            .record_count = (int64_t)f->row_count,
                                            .size = (int64_t)f->size,
                                            .sort_order_id = 0,
                                            .content_offset = -1,
                                            .content_size = -1,
                                            .first_row_id = -1}};
        iceberg_metrics_make(schema, ids, f->statistics, f->row_count, &plan->arena,
                             &plan->added[i].file);
        if (!partition_values(plan, f->partition, &plan->added[i].file, err)) {
            return false;
        }
    }
    return true;
}

/* ---- deleted rows ---- */

enum { FILE_PATH_ID = 2147483546, POS_ID = 2147483545 };

static struct str position_bound(uint32_t position, struct arena *a)
{
    int64_t v = position;
    return (struct str){arena_copy(a, &v, sizeof(v)), sizeof(v)};
}

/* Exact bounds: readers see by them that the deletes are about one file. */
static void delete_metrics(struct iceberg_plan *plan, const struct iceberg_redelete *r,
                           struct iceberg_file *out)
{
    struct str path = str_from(r->live->uri);
    struct iceberg_metrics *metrics = arena_zalloc(&plan->arena, 2 * sizeof(*metrics));
    metrics[0] = (struct iceberg_metrics){.field_id = FILE_PATH_ID, .lower = path, .upper = path};
    metrics[1] = (struct iceberg_metrics){
        .field_id = POS_ID,
        .lower = position_bound(roaring_bitmap_minimum(r->deleted), &plan->arena),
        .upper = position_bound(roaring_bitmap_maximum(r->deleted), &plan->arena)};
    for (int i = 0; i < 2; i++) {
        metrics[i].size = -1;
        metrics[i].value_count = out->record_count;
        metrics[i].null_count = 0;
        metrics[i].nan_count = -1;
    }
    out->metrics = metrics;
    out->metrics_count = 2;
}

static bool write_redelete(struct iceberg_plan *plan, struct iceberg_redelete *r, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    char id[UUID_TEXT_SIZE];
    random_uuid(id);
    posdelete_encode(str_from(r->live->uri), r->deleted, &data);
    struct iceberg_entry *entry = &r->entry;
    const char *key = arena_format(&plan->arena, "data/delete-%s.parquet", id);
    *entry = (struct iceberg_entry){
        .status = ICEBERG_ADDED,
        .snapshot_id = plan->snapshot_id,
        .sequence_number = -1,
        .file_sequence_number = -1,
        .spec_id = r->live->spec_id,
        .file = {.content = ICEBERG_POSITION_DELETES,
                 .format = "PARQUET",
                 .partition = r->live->partition,
                 .record_count = (int64_t)roaring_bitmap_get_cardinality(r->deleted),
                 .size = (int64_t)data.size,
                 .sort_order_id = -1,
                 .referenced_file = r->live->uri,
                 .content_offset = -1,
                 .content_size = -1,
                 .first_row_id = -1}};
    const struct iceberg_spec *spec =
        iceberg_metadata_spec(plan->table->metadata, r->live->spec_id);
    entry->file.partition_count = spec ? spec->field_count : 0;
    delete_metrics(plan, r, &entry->file);
    return iceberg_plan_stage(plan, key, buf_str(&data), &entry->file.path, err);
}

static void remove_file(struct iceberg_plan *plan, uint32_t slot)
{
    struct iceberg_live *live = (struct iceberg_live *)lake_table_file(&plan->table->base, slot);
    if (live && !map_put(&plan->gone, str_from(live->uri), live)) {
        plan->removed[plan->removed_count++] = live;
    }
}

/* Delete files that are about nothing but one file whose rows are deleted anew, or that goes. */
static void drop_deletes(struct iceberg_plan *plan, const struct map *redeleted)
{
    struct str uri;
    void *value = NULL;
    size_t at = 0;
    plan->dropped = arena_array(&plan->arena, plan->table->deletes.count, sizeof(*plan->dropped));
    while (map_next(&plan->table->deletes, &at, &uri, &value)) {
        struct iceberg_delete *d = value;
        struct str referenced = d->referenced ? str_from(d->referenced) : (struct str){0};
        if (plan->commit->truncate || (d->referenced && (map_get(redeleted, referenced) ||
                                                         map_get(&plan->gone, referenced)))) {
            plan->dropped[plan->dropped_count++] = d;
        }
    }
    for (uint32_t i = 0; i < plan->dropped_count; i++) {
        (void)map_put(&plan->gone, str_from(plan->dropped[i]->path), plan->dropped[i]);
    }
}

static bool plan_deletes(struct iceberg_plan *plan, struct error *err)
{
    const struct lake_commit *c = plan->commit;
    struct iceberg_table *t = plan->table;
    plan->removed = arena_array(&plan->arena, (size_t)t->slot_count + 1, sizeof(*plan->removed));
    for (uint32_t i = 0; c->truncate && i < t->slot_count; i++) {
        remove_file(plan, i);
    }
    for (uint32_t i = 0; i < c->removed_count; i++) {
        remove_file(plan, c->removed[i]);
    }
    struct map redeleted = {0};
    plan->redeletes =
        arena_zalloc(&plan->arena, ((size_t)c->vector_count + 1) * sizeof(*plan->redeletes));
    bool ok = true;
    for (uint32_t i = 0; ok && i < c->vector_count; i++) {
        struct iceberg_redelete *r = &plan->redeletes[plan->redelete_count++];
        r->live = (struct iceberg_live *)lake_table_file(&t->base, c->vectors[i].slot);
        r->deleted = c->vectors[i].deleted;
        (void)map_put(&redeleted, str_from(r->live->uri), r);
        ok = write_redelete(plan, r, err);
    }
    if (ok) {
        drop_deletes(plan, &redeleted);
    }
    map_release(&redeleted, NULL);
    return ok;
}

/* ---- schema ---- */

bool iceberg_column_ids(struct lake_table *table, const struct schema *schema, int32_t *ids,
                        struct error *err)
{
    const struct iceberg_table *t = (const struct iceberg_table *)table;
    int32_t next = t->metadata ? t->metadata->last_column_id : 0;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        ids[i] = 0;
        const struct iceberg_schema *s = t->metadata ? t->metadata->schema : NULL;
        for (uint32_t k = 0; s && k < s->field_count; k++) {
            if (strcmp(s->fields[k].name, schema->columns[i].name) == 0) {
                ids[i] = s->fields[k].id;
            }
        }
        if (ids[i] == 0) {
            if (next >= INT32_MAX - 1000) {
                return error_set(err, ERROR_CONFIG, "the table has no field ids left");
            }
            ids[i] = ++next;
        }
    }
    return true;
}

/* int to long, float to double, decimals of the same scale: nothing else. */
static bool can_promote(struct type from, struct type to)
{
    return type_equal(from, to) ||
           (type_widens(from, to) && (from.kind != TYPE_DECIMAL || from.scale == to.scale));
}

static int32_t next_schema_id(const struct iceberg_metadata *m)
{
    int32_t id = -1;
    for (uint32_t i = 0; i < m->schema_count; i++) {
        id = m->schemas[i].id > id ? m->schemas[i].id : id;
    }
    return id + 1;
}

/* What was optional stays so, and the key stays what it was: both would break readers of old files.
 */
static void keep_promises(const struct iceberg_schema *old, json_t *schema)
{
    json_t *ids = json_array();
    for (uint32_t i = 0; i < old->field_count; i++) {
        const struct iceberg_field *f = &old->fields[i];
        size_t at = 0;
        json_t *field = NULL;
        json_array_foreach(json_object_get(schema, "fields"), at, field)
        {
            if (json_integer_value(json_object_get(field, "id")) == f->id) {
                (void)json_object_set_new(field, "required", json_boolean(f->required));
            }
        }
        if (f->is_identifier) {
            (void)json_array_append_new(ids, json_integer(f->id));
        }
    }
    (void)json_object_set_new(schema, "identifier-field-ids", ids);
}

static bool plan_schema(struct iceberg_plan *plan, const int32_t *ids, struct error *err)
{
    const struct schema *next = plan->commit->schema;
    const struct schema *old = plan->table->base.snapshot.schema;
    for (uint32_t i = 0; next && i < next->column_count; i++) {
        int at = schema_find(old, str_from(next->columns[i].name));
        if (at >= 0 && !can_promote(old->columns[at].type, next->columns[i].type)) {
            owned(buf_release) struct buf types = {0};
            type_format(old->columns[at].type, &types);
            buf_append_text(&types, " to ");
            type_format(next->columns[i].type, &types);
            return error_set(err, ERROR_CONFIG,
                             "column \"%s\": Iceberg cannot widen %s; write to another table",
                             next->columns[i].name, buf_text(&types));
        }
    }
    if (next) {
        plan->schema = iceberg_schema_make(next, ids, next_schema_id(plan->table->metadata));
        keep_promises(plan->table->metadata->schema, plan->schema);
    }
    return true;
}

/* ---- the snapshot ---- */

static json_t *make_snapshot(const struct iceberg_plan *plan)
{
    const struct iceberg_metadata *m = plan->table->metadata;
    int64_t now_ms = clock_wall_us() / 1000;
    now_ms = now_ms > m->last_updated_ms ? now_ms : m->last_updated_ms;
    json_t *s = json_object();
    (void)json_object_set_new(s, "snapshot-id", json_integer(plan->snapshot_id));
    if (m->current) {
        (void)json_object_set_new(s, "parent-snapshot-id", json_integer(m->current->id));
    }
    (void)json_object_set_new(s, "sequence-number", json_integer(plan->sequence_number));
    (void)json_object_set_new(s, "timestamp-ms", json_integer(now_ms));
    (void)json_object_set_new(s, "manifest-list", json_string(plan->list));
    (void)json_object_set_new(s, "summary", iceberg_summary_make(plan));
    int32_t schema_id = plan->schema ? next_schema_id(m) : m->schema->id;
    (void)json_object_set_new(s, "schema-id", json_integer(schema_id));
    return s;
}

static bool write_list(struct iceberg_plan *plan, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    const struct iceberg_snapshot *parent = plan->table->metadata->current;
    if (!iceberg_manifest_list_encode(&plan->manifests, plan->snapshot_id, parent ? parent->id : -1,
                                      plan->sequence_number, &data, err)) {
        return false;
    }
    const char *key = arena_format(&plan->arena, "metadata/snap-%" PRId64 "-1-%s.avro",
                                   plan->snapshot_id, plan->uuid);
    return iceberg_plan_stage(plan, key, buf_str(&data), &plan->list, err);
}

static void begin(struct iceberg_plan *plan, struct iceberg_table *t,
                  const struct lake_commit *commit)
{
    *plan = (struct iceberg_plan){.table = t, .commit = commit, .record = commit->record};
    plan->snapshot_id = new_snapshot_id(t->metadata);
    plan->sequence_number = t->metadata->last_sequence_number + 1;
    random_uuid(plan->uuid);
    memcpy(plan->record.txn_id, plan->uuid, sizeof(plan->uuid));
    plan->record.version = plan->snapshot_id;
}

bool iceberg_plan_make(struct iceberg_plan *plan, struct iceberg_table *t,
                       const struct lake_commit *commit, struct error *err)
{
    begin(plan, t, commit);
    const struct schema *schema = commit->schema ? commit->schema : t->base.snapshot.schema;
    int32_t *ids = arena_zalloc(&plan->arena, ((size_t)schema->column_count + 1) * sizeof(*ids));
    if (!iceberg_column_ids(&t->base, schema, ids, err) || !plan_schema(plan, ids, err) ||
        !plan_added(plan, ids, schema, err) || !plan_deletes(plan, err) ||
        !iceberg_manifests_write(plan, err) || !write_list(plan, err) ||
        !store_publish(t->base.store, plan->written, plan->written_count, err)) {
        return false;
    }
    plan->snapshot = make_snapshot(plan);
    return true;
}

void iceberg_plan_undo(struct iceberg_plan *plan)
{
    struct error ignored = {0}; /* an orphan harms nobody */
    for (uint32_t i = 0; i < plan->written_count; i++) {
        (void)!store_remove(plan->table->base.store, plan->written[i], &ignored);
    }
}

void iceberg_plan_release(struct iceberg_plan *plan)
{
    json_decref(plan->schema);
    json_decref(plan->snapshot);
    map_release(&plan->gone, NULL);
    arena_release(&plan->read_arena);
    arena_release(&plan->arena);
}
