/* The live files of a snapshot, from its manifests, and which of their rows are deleted. */
#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "iceberg/location.h"
#include "iceberg/table.h"

enum { SLOT_MAX = INT32_MAX, METADATA_SIZE_MAX = 1 << 30 };

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (!copy) {
        abort();
    }
    return copy;
}

bool iceberg_get(const struct iceberg_table *t, const char *uri, struct buf *out, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    if (!iceberg_location_key(t->metadata->location, uri, &key, err)) {
        return false;
    }
    if (!store_get(t->base.store, buf_text(&key), METADATA_SIZE_MAX, out, err)) {
        if (err->kind == ERROR_CONFLICT) {
            (void)error_recast(err, ERROR_LOST);
        }
        return error_wrap(err, "file \"%s\"", uri);
    }
    return true;
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

enum { FILE_PATH_ID = 2147483546 };

/* The data file that a delete file is about, if it is about one only. */
static struct str referenced_file(const struct iceberg_file *file)
{
    if (file->referenced_file) {
        return str_from(file->referenced_file);
    }
    for (uint32_t i = 0; i < file->metrics_count; i++) {
        const struct iceberg_metrics *m = &file->metrics[i];
        if (m->field_id == FILE_PATH_ID && m->lower.data && m->upper.data &&
            str_equal(m->lower, m->upper)) {
            return m->lower;
        }
    }
    return (struct str){0};
}

void iceberg_delete_add(struct iceberg_table *t, const struct iceberg_file *file,
                        const char *manifest)
{
    struct iceberg_delete *d = calloc(1, sizeof(*d));
    if (!d) {
        abort();
    }
    struct str referenced = referenced_file(file);
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

static bool add_positions(struct iceberg_table *t, const struct column *columns, uint32_t row_count,
                          int64_t sequence_number, struct error *err)
{
    const struct view *paths = columns[0].values;
    const int64_t *positions = columns[1].values;
    struct iceberg_live *live = NULL;
    for (uint32_t i = 0; i < row_count; i++) {
        /* Whatever cannot be read as a delete is never "no delete". */
        if (!column_is_valid(&columns[0], i) || !column_is_valid(&columns[1], i) ||
            positions[i] < 0 || positions[i] > UINT32_MAX) {
            return error_set(err, ERROR_DATA, "a position is missing or out of range");
        }
        struct str path = view_str(&paths[i]);
        if (!live || !str_equal(str_from(live->uri), path)) {
            live = map_get(&t->live, path); /* NULL: the data file is gone already */
        }
        if (live && live->sequence_number <= sequence_number) {
            live->bitmap = live->bitmap ? live->bitmap : roaring_bitmap_create();
            roaring_bitmap_add(live->bitmap, (uint32_t)positions[i]);
        }
    }
    return true;
}

/* Reads a position delete file into the bitmaps of the live files. */
static bool read_deletes(struct iceberg_table *t, const struct iceberg_entry *entry,
                         struct error *err)
{
    owned(buf_release) struct buf key = {0};
    owned(buf_release) struct buf path = {0};
    owned(buf_release) struct buf sql = {0};
    if (!t->engine) {
        return error_set(err, ERROR_FATAL, "deletes cannot be read without an engine");
    }
    if (!iceberg_location_key(t->metadata->location, entry->file.path, &key, err)) {
        return false;
    }
    if (!store_fetch(t->base.store, buf_text(&key), &path, err)) {
        return err->kind == ERROR_CONFLICT ? error_recast(err, ERROR_LOST) : false;
    }
    buf_append_text(&sql, "SELECT file_path::VARCHAR, pos::BIGINT FROM read_parquet(");
    engine_append_path(buf_text(&path), &sql);
    buf_append_text(&sql, ", hive_partitioning = false)");
    owned(engine_rows_free) struct engine_rows *rows = engine_query(t->engine, buf_text(&sql), err);
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    do {
        if (!rows || !engine_rows_next(rows, &columns, &row_count, err) ||
            !add_positions(t, columns, row_count, entry->sequence_number, err)) {
            return false;
        }
    } while (row_count > 0);
    return true;
}

/* ---- manifests ---- */

/* Version 1 may list the manifests in the metadata itself. */
static void list_inline(struct iceberg_table *t)
{
    size_t count = json_array_size(t->snapshot->manifests);
    t->manifests = (struct iceberg_manifests){
        .items = arena_zalloc(&t->list_arena, (count + 1) * sizeof(*t->manifests.items)),
        .count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        const char *path = json_string_value(json_array_get(t->snapshot->manifests, i));
        t->manifests.items[i] = (struct iceberg_manifest){.path = path ? path : "",
                                                          .snapshot_id = t->snapshot->id,
                                                          .added_files = -1,
                                                          .existing_files = -1,
                                                          .deleted_files = -1};
    }
}

static bool read_list(struct iceberg_table *t, struct error *err)
{
    arena_release(&t->list_arena);
    t->manifests = (struct iceberg_manifests){0};
    if (!t->snapshot) {
        return true;
    }
    if (!t->snapshot->manifest_list) {
        list_inline(t);
        return true;
    }
    owned(buf_release) struct buf data = {0};
    return iceberg_get(t, t->snapshot->manifest_list, &data, err) &&
           (iceberg_manifest_list_decode(buf_str(&data), &t->list_arena, &t->manifests, err) ||
            error_wrap(err, "manifest list \"%s\"", t->snapshot->manifest_list));
}

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
    if (entry->file.content == ICEBERG_EQUALITY_DELETES) {
        return error_set(err, ERROR_CONFIG,
                         "the table has equality deletes (file \"%s\"), which are not supported; "
                         "rewrite its data files first",
                         entry->file.path);
    }
    if (strcasecmp(entry->file.format, "parquet") != 0) {
        return error_set(err, ERROR_CONFIG,
                         "the table has deletes in %s files (\"%s\"), which are not supported",
                         entry->file.format, entry->file.path);
    }
    iceberg_delete_add(t, &entry->file, manifest);
    return true;
}

bool iceberg_manifest_read(const struct iceberg_table *t, const struct iceberg_manifest *m,
                           struct arena *a, struct iceberg_entries *out, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    return iceberg_get(t, m->path, &data, err) &&
           (iceberg_manifest_decode(buf_str(&data), m, t->metadata, a, out, err) ||
            error_wrap(err, "manifest \"%s\"", m->path));
}

/* Takes the live entries of one manifest; those of deletes also go to `deletes`. */
static bool load_manifest(struct iceberg_table *t, const struct iceberg_manifest *m,
                          struct arena *a, struct iceberg_entries *out, bool *changed,
                          struct error *err)
{
    if (!iceberg_manifest_read(t, m, a, out, err)) {
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
            if (entry->status != ICEBERG_DELETED && entry->file.content != ICEBERG_DATA &&
                !read_deletes(t, entry, err)) {
                return error_wrap(err, "delete file \"%s\"", entry->file.path);
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
