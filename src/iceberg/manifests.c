/* Which manifests a commit writes. Those that have files which go are written anew, and all of one
 * kind together with what is new: the number of manifests stays small by itself. When many have
 * gathered all the same, they are merged. */
#include <inttypes.h>
#include <string.h>

#include "iceberg/plan.h"

enum { MERGE_COUNT = 100, MERGE_LENGTH_MAX = 4 << 20 };

/* One manifest to write: of one spec and one kind. */
struct group {
    const struct iceberg_spec *spec;
    bool is_deletes;
    struct iceberg_entries entries;
};

static bool is_live(const struct iceberg_manifest *m)
{
    return m->added_files != 0 || m->existing_files != 0; /* -1: not said */
}

static bool is_of(const struct iceberg_manifest *m, const struct group *g)
{
    return m->spec_id == g->spec->id && m->is_deletes == g->is_deletes;
}

/* Marks the manifests of a group that have files which go, or all small ones when there are many.
 */
static void mark(const struct iceberg_plan *plan, const struct group *g, const struct map *touched,
                 bool *marked)
{
    const struct iceberg_manifests *all = &plan->table->manifests;
    uint32_t count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct iceberg_manifest *m = &all->items[i];
        if (is_of(m, g) && is_live(m)) {
            marked[i] = map_get(touched, str_from(m->path)) != NULL;
            count += !marked[i];
        }
    }
    for (uint32_t i = 0; count >= MERGE_COUNT && i < all->count; i++) {
        const struct iceberg_manifest *m = &all->items[i];
        marked[i] |= is_of(m, g) && is_live(m) && m->length < MERGE_LENGTH_MAX;
    }
}

/* Entries of an older manifest as the new one has them. */
static void carry_over(const struct iceberg_plan *plan, const struct iceberg_entries *from,
                       struct iceberg_entries *out)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct iceberg_entry entry = from->items[i];
        if (entry.status == ICEBERG_DELETED) {
            continue; /* that was told by the snapshot that did it */
        }
        bool gone = map_get(&plan->gone, str_from(entry.file.path)) != NULL;
        entry.status = gone ? ICEBERG_DELETED : ICEBERG_EXISTING;
        entry.snapshot_id = gone ? plan->snapshot_id : entry.snapshot_id;
        out->items[out->count++] = entry;
    }
}

static bool read_marked(struct iceberg_plan *plan, const bool *marked, uint32_t *count,
                        struct error *err)
{
    const struct iceberg_manifests *all = &plan->table->manifests;
    const struct iceberg_objects o = iceberg_objects(plan->table);
    for (uint32_t i = 0; i < all->count; i++) {
        if (marked[i] && !plan->rewritten[i].items) {
            if (!iceberg_manifest_read(&o, plan->table->metadata, &all->items[i], &plan->read_arena,
                                       &plan->rewritten[i], err)) {
                return false;
            }
        }
        *count += marked[i] ? plan->rewritten[i].count : 0;
    }
    return true;
}

static void add_new(const struct iceberg_plan *plan, struct group *g)
{
    if (!g->is_deletes && g->spec->id == plan->table->metadata->spec->id) {
        for (uint32_t i = 0; i < plan->commit->file_count; i++) {
            g->entries.items[g->entries.count++] = plan->added[i];
        }
    }
    for (uint32_t i = 0; g->is_deletes && i < plan->redelete_count; i++) {
        if (plan->redeletes[i].entry.spec_id == g->spec->id) {
            g->entries.items[g->entries.count++] = plan->redeletes[i].entry;
        }
    }
}

static bool write_group(struct iceberg_plan *plan, const struct group *g, const bool *marked,
                        struct error *err)
{
    owned(buf_release) struct buf data = {0};
    struct iceberg_manifest *m = &plan->manifests.items[plan->manifests.count];
    *m = (struct iceberg_manifest){0};
    const struct iceberg_manifest_write write = {
        .metadata = plan->table->metadata,
        .spec = g->spec,
        .is_deletes = g->is_deletes,
        .snapshot_id = plan->snapshot_id,
        .sequence_number = plan->sequence_number,
    };
    if (!iceberg_manifest_encode(&g->entries, &write, &plan->arena, &data, m, err)) {
        return false;
    }
    const char *key =
        arena_format(&plan->arena, "metadata/%s-m%u.avro", plan->uuid, plan->manifest_number++);
    const char *uri = NULL;
    if (!iceberg_plan_stage(plan, key, buf_str(&data), &uri, err)) {
        return false;
    }
    m->path = uri;
    m->sequence_number = plan->sequence_number;
    plan->manifests.count++;
    for (uint32_t i = 0; i < plan->table->manifests.count; i++) {
        plan->new_manifest[i] = marked[i] ? m->path : plan->new_manifest[i];
    }
    plan->data_manifest = g->is_deletes ? plan->data_manifest : uri;
    for (uint32_t i = 0; g->is_deletes && i < plan->redelete_count; i++) {
        if (plan->redeletes[i].entry.spec_id == g->spec->id) {
            plan->redeletes[i].manifest = uri;
        }
    }
    return true;
}

static bool plan_group(struct iceberg_plan *plan, struct group *g, const struct map *touched,
                       struct error *err)
{
    const struct iceberg_manifests *all = &plan->table->manifests;
    uint32_t count = g->is_deletes ? plan->redelete_count : plan->commit->file_count;
    bool *marked = arena_zalloc(&plan->arena, (size_t)all->count + 1);
    mark(plan, g, touched, marked);
    if (!read_marked(plan, marked, &count, err)) {
        return false;
    }
    g->entries.items = arena_array(&plan->read_arena, count, sizeof(*g->entries.items));
    add_new(plan, g);
    for (uint32_t i = 0; i < all->count; i++) {
        if (marked[i]) {
            carry_over(plan, &plan->rewritten[i], &g->entries);
        }
    }
    return g->entries.count == 0 || write_group(plan, g, marked, err);
}

bool iceberg_manifests_write(struct iceberg_plan *plan, struct error *err)
{
    const struct iceberg_table *t = plan->table;
    uint32_t most = t->manifests.count + 2 * t->metadata->spec_count;
    plan->manifests.items = arena_array(&plan->arena, most, sizeof(*plan->manifests.items));
    plan->rewritten =
        arena_zalloc(&plan->arena, ((size_t)t->manifests.count + 1) * sizeof(*plan->rewritten));
    plan->new_manifest =
        arena_zalloc(&plan->arena, ((size_t)t->manifests.count + 1) * sizeof(*plan->new_manifest));
    struct map touched = {0};
    for (uint32_t i = 0; i < plan->removed_count; i++) {
        (void)map_put(&touched, str_from(plan->removed[i]->manifest), plan);
    }
    for (uint32_t i = 0; i < plan->dropped_count; i++) {
        (void)map_put(&touched, str_from(plan->dropped[i]->manifest), plan);
    }
    bool ok = true;
    for (uint32_t i = 0; ok && i < 2 * t->metadata->spec_count; i++) {
        struct group g = {.spec = &t->metadata->specs[i / 2], .is_deletes = i % 2 == 1};
        ok = plan_group(plan, &g, &touched, err);
    }
    map_release(&touched, NULL);
    for (uint32_t i = 0; ok && i < t->manifests.count; i++) {
        if (!plan->new_manifest[i] && is_live(&t->manifests.items[i])) {
            plan->manifests.items[plan->manifests.count++] = t->manifests.items[i];
        }
    }
    return ok;
}
