/* The live files of a snapshot, from its manifests, and which of their rows are deleted. */
#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "iceberg/constant.h"
#include "iceberg/location.h"
#include "iceberg/table.h"

enum { SLOT_MAX = INT32_MAX };

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (!copy) {
        abort();
    }
    return copy;
}

struct iceberg_objects iceberg_objects(const struct iceberg_table *t)
{
    return (struct iceberg_objects){
        .store = t->base.store, .location = t->metadata->location, .engine = t->engine};
}

const char *iceberg_intern(struct iceberg_table *t, const char *manifest)
{
    char *name = map_get(&t->names, str_from(manifest));
    if (!name) {
        name = copy_text(manifest);
        (void)map_put(&t->names, str_from(name), name);
    }
    return name;
}

/* ---- live files ---- */

static void free_bitmap(roaring_bitmap_t *bitmap)
{
    if (bitmap) {
        roaring_bitmap_free(bitmap);
    }
}

static void free_live(struct iceberg_live *live)
{
    free_bitmap(live->bitmap);
    arena_release(&live->arena);
    free(live);
}

void iceberg_live_remove(struct iceberg_table *t, struct iceberg_live *live)
{
    t->base.files[live->lake.slot] = NULL;
    (void)map_remove(&t->live, str_from(live->uri));
    free_live(live);
}

static bool take_slot(struct iceberg_table *t, struct iceberg_live *live, struct error *err)
{
    if (t->slot_count == SLOT_MAX) {
        return error_set(err, ERROR_DATA, "the table has had too many files for one run");
    }
    if (t->slot_count == t->slot_capacity) {
        t->slot_capacity = t->slot_capacity ? t->slot_capacity * 2 : 64;
        t->base.files = reallocarray(t->base.files, t->slot_capacity, sizeof(*t->base.files));
        if (!t->base.files) {
            abort();
        }
    }
    live->lake.slot = t->slot_count;
    t->base.files[t->slot_count++] = &live->lake;
    t->base.snapshot.slot_count = t->slot_count;
    return true;
}

/* The partition as texts, for whoever groups or names by it. */
static bool set_partition(struct iceberg_table *t, struct iceberg_live *live,
                          const struct iceberg_file *file, struct error *err)
{
    const struct iceberg_spec *spec = iceberg_metadata_spec(t->metadata, live->spec_id);
    if (!spec || spec->field_count != file->partition_count) {
        return error_set(err, ERROR_DATA, "file \"%s\" has a partition of an unknown spec",
                         file->path);
    }
    const char **texts = arena_zalloc(&live->arena, (spec->field_count + 1) * sizeof(*texts));
    live->partition =
        arena_zalloc(&live->arena, (spec->field_count + 1) * sizeof(*live->partition));
    for (uint32_t i = 0; i < spec->field_count; i++) {
        struct str value = file->partition[i];
        if (!value.data) {
            continue;
        }
        live->partition[i] =
            (struct str){arena_string(&live->arena, value.data, value.size), value.size};
        if (!iceberg_value_text(spec->fields[i].result, value, &live->arena, &texts[i], err)) {
            return error_wrap(err, "file \"%s\"", file->path);
        }
    }
    live->lake.partition = texts;
    live->lake.values = iceberg_constants(spec, texts, &live->arena, &live->lake.value_count);
    return true;
}

struct iceberg_live *iceberg_live_add(struct iceberg_table *t, const struct iceberg_entry *entry,
                                      const char *manifest, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    const struct iceberg_file *file = &entry->file;
    if (!iceberg_location_key(t->metadata->location, file->path, &key, err)) {
        return NULL;
    }
    if (strcasecmp(file->format, "parquet") != 0) {
        (void)error_set(err, ERROR_CONFIG, "file \"%s\" is %s; only Parquet is read", file->path,
                        file->format);
        return NULL;
    }
    if (file->record_count < 0 || file->record_count > UINT32_MAX || file->size < 0) {
        (void)error_set(err, ERROR_DATA, "file \"%s\" has %" PRId64 " rows", file->path,
                        file->record_count);
        return NULL;
    }
    struct iceberg_live *live = calloc(1, sizeof(*live));
    if (!live) {
        abort();
    }
    live->uri = arena_string(&live->arena, file->path, strlen(file->path));
    live->manifest = manifest;
    live->spec_id = entry->spec_id;
    live->sequence_number = entry->sequence_number;
    live->lake.path = arena_string(&live->arena, key.data, key.size);
    live->lake.row_count = (uint64_t)file->record_count;
    live->lake.size = (uint64_t)file->size;
    if (!set_partition(t, live, file, err) || !take_slot(t, live, err)) {
        free_live(live);
        return NULL;
    }
    (void)map_put(&t->live, str_from(live->uri), live);
    return live;
}

/* ---- delete files ---- */

static void free_delete(void *value)
{
    struct iceberg_delete *d = value;
    free(d->path);
    free(d->referenced);
    free(d);
}

void iceberg_delete_add(struct iceberg_table *t, const struct iceberg_file *file,
                        const char *manifest)
{
    struct iceberg_delete *d = calloc(1, sizeof(*d));
    if (!d) {
        abort();
    }
    struct str referenced = iceberg_deletes_referenced(file);
    d->path = copy_text(file->path);
    d->manifest = manifest;
    d->referenced = referenced.data ? strndup(referenced.data, referenced.size) : NULL;
    d->record_count = file->record_count;
    d->size = file->size;
    struct iceberg_delete *old = map_put(&t->deletes, str_from(d->path), d);
    if (old) {
        free_delete(old);
    }
}

void iceberg_delete_remove(struct iceberg_table *t, const char *uri)
{
    struct iceberg_delete *d = map_remove(&t->deletes, str_from(uri));
    if (d) {
        free_delete(d);
    }
}

/* ---- deleted rows ---- */

/* The live file that the last position was about, and the deletes' sequence number. */
struct deleting {
    struct iceberg_table *t;
    struct iceberg_live *live;
    int64_t sequence_number;
};

static bool add_position(void *arg, struct str path, uint32_t position, struct error *err)
{
    struct deleting *d = arg;
    (void)err;
    if (!d->live || !str_equal(str_from(d->live->uri), path)) {
        d->live = map_get(&d->t->live, path); /* NULL: the data file is gone already */
    }
    if (d->live && d->live->sequence_number <= d->sequence_number) {
        d->live->bitmap = d->live->bitmap ? d->live->bitmap : roaring_bitmap_create();
        roaring_bitmap_add(d->live->bitmap, position);
    }
    return true;
}

/* ---- manifests ---- */

static bool take_data(struct iceberg_table *t, const struct iceberg_entry *entry,
                      const char *manifest, bool *changed, struct error *err)
{
    struct iceberg_live *live = map_get(&t->live, str_from(entry->file.path));
    if (live && live->seen) {
        return error_set(err, ERROR_DATA, "file \"%s\" is listed twice", entry->file.path);
    }
    if (!live) {
        live = iceberg_live_add(t, entry, manifest, err);
        *changed = true;
    }
    if (!live) {
        return false;
    }
    live->seen = true;
    live->manifest = manifest;
    live->sequence_number = entry->sequence_number;
    return true;
}

static bool take_delete(struct iceberg_table *t, const struct iceberg_entry *entry,
                        const char *manifest, struct error *err)
{
    if (!iceberg_deletes_check(&entry->file, err)) {
        return false;
    }
    iceberg_delete_add(t, &entry->file, manifest);
    return true;
}

/* Takes the live entries of one manifest; those of deletes also go to `deletes`. */
static bool load_manifest(struct iceberg_table *t, const struct iceberg_manifest *m,
                          struct arena *a, struct iceberg_entries *out, bool *changed,
                          struct error *err)
{
    const struct iceberg_objects o = iceberg_objects(t);
    if (!iceberg_manifest_read(&o, t->metadata, m, a, out, err)) {
        return false;
    }
    const char *manifest = iceberg_intern(t, m->path);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct iceberg_entry *entry = &out->items[i];
        if (entry->status == ICEBERG_DELETED) {
            continue;
        }
        bool ok = entry->file.content == ICEBERG_DATA ? take_data(t, entry, manifest, changed, err)
                                                      : take_delete(t, entry, manifest, err);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool load_manifests(struct iceberg_table *t, struct arena *a, bool *changed,
                           struct error *err)
{
    const struct iceberg_objects o = iceberg_objects(t);
    struct iceberg_entries *entries =
        arena_zalloc(a, ((size_t)t->manifests.count + 1) * sizeof(*entries));
    for (uint32_t i = 0; i < t->manifests.count; i++) {
        if (!load_manifest(t, &t->manifests.items[i], a, &entries[i], changed, err)) {
            return false;
        }
    }
    /* All data files are known: now to their deletes. */
    for (uint32_t i = 0; i < t->manifests.count; i++) {
        for (uint32_t k = 0; k < entries[i].count; k++) {
            const struct iceberg_entry *entry = &entries[i].items[k];
            struct deleting d = {.t = t, .sequence_number = entry->sequence_number};
            if (entry->status != ICEBERG_DELETED && entry->file.content != ICEBERG_DATA &&
                !iceberg_positions_read(&o, &entry->file, add_position, &d, err)) {
                return false;
            }
        }
    }
    return true;
}

static void free_text(void *text)
{
    free(text);
}

void iceberg_files_release(struct iceberg_table *t)
{
    for (uint32_t i = 0; i < t->slot_count; i++) {
        if (t->base.files[i]) {
            iceberg_live_remove(t, (struct iceberg_live *)t->base.files[i]);
        }
    }
    map_release(&t->deletes, free_delete);
    map_release(&t->live, NULL);
    map_release(&t->names, free_text);
    free((void *)t->base.files);
    arena_release(&t->list_arena);
}

/* ---- loading ---- */

static bool read_list(struct iceberg_table *t, struct error *err)
{
    const struct iceberg_objects o = iceberg_objects(t);
    arena_release(&t->list_arena);
    t->manifests = (struct iceberg_manifests){0};
    return !t->snapshot || iceberg_list_read(&o, t->snapshot, &t->list_arena, &t->manifests, err);
}

/* Keeps the old bitmaps aside, by slot, and starts with none. */
static roaring_bitmap_t **begin(struct iceberg_table *t)
{
    roaring_bitmap_t **old = calloc((size_t)t->slot_count + 1, sizeof(*old));
    if (!old) {
        abort();
    }
    for (uint32_t i = 0; i < t->slot_count; i++) {
        struct iceberg_live *live = (struct iceberg_live *)t->base.files[i];
        if (live) {
            old[i] = take(live->bitmap);
            live->seen = false;
        }
    }
    map_release(&t->deletes, free_delete);
    return old;
}

/* Drops files that are no longer there and shows what is deleted of the others. */
static bool end(struct iceberg_table *t, roaring_bitmap_t **old, uint32_t old_count)
{
    bool changed = false;
    for (uint32_t i = 0; i < t->slot_count; i++) {
        struct iceberg_live *live = (struct iceberg_live *)t->base.files[i];
        if (!live) {
            continue;
        }
        if (!live->seen) {
            iceberg_live_remove(t, live);
            changed = true;
            continue;
        }
        live->lake.deleted = live->bitmap;
        live->lake.deleted_count = live->bitmap ? roaring_bitmap_get_cardinality(live->bitmap) : 0;
        const roaring_bitmap_t *before = i < old_count ? old[i] : NULL;
        if (i < old_count &&
            (!before != !live->bitmap ||
             (before && live->bitmap && !roaring_bitmap_equals(before, live->bitmap)))) {
            changed = true;
        }
    }
    return changed;
}

bool iceberg_files_load(struct iceberg_table *t, bool *changed, struct error *err)
{
    owned(arena_release) struct arena a = {0};
    uint32_t old_count = t->slot_count;
    roaring_bitmap_t **old = begin(t);
    bool ok = read_list(t, err) && load_manifests(t, &a, changed, err);
    if (ok && end(t, old, old_count)) {
        *changed = true;
    }
    for (uint32_t i = 0; i < old_count; i++) {
        free_bitmap(old[i]);
    }
    free(old);
    return ok;
}
