/* The snapshots of a table's main line and what each changed. */
#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

#include "iceberg/constant.h"
#include "iceberg/diff.h"
#include "iceberg/iceberg.h"
#include "iceberg/location.h"
#include "iceberg/table.h"

struct iceberg_history {
    struct lake_history base;
    struct iceberg_table *table; /* metadata and store, opened for reading */
    struct arena arena;
    const struct iceberg_snapshot **snapshots; /* as base.versions */
    struct lake_file_column *columns;
    struct iceberg_differ differ;
};

static struct iceberg_history *history_of(struct lake_history *h)
{
    return (struct iceberg_history *)h;
}

/* ---- versions ---- */

static int64_t number(const struct iceberg_snapshot *s, const char *key, int64_t absent)
{
    const char *text = iceberg_snapshot_summary(s, key);
    char *end = NULL;
    long long n = text ? strtoll(text, &end, 10) : -1;
    return text && end != text && *end == '\0' && n >= 0 ? n : absent;
}

/* What a leat snapshot says of itself, else what the counters of files mean. */
static void count_rows(const struct iceberg_snapshot *s, struct lake_version *v)
{
    bool ours = iceberg_snapshot_summary(s, "leat.operation") != NULL;
    v->rows_inserted = ours ? number(s, "leat.rows-inserted", 0) : number(s, "added-records", 0);
    v->rows_updated = ours ? number(s, "leat.rows-updated", 0) : -1;
    v->rows_deleted = ours ? number(s, "leat.rows-deleted", 0)
                           : number(s, "deleted-records", 0) +
                                 number(s, "added-position-deletes", 0) -
                                 number(s, "removed-position-deletes", 0);
    v->files_added = number(s, "added-data-files", 0);
    v->files_changed = number(s, "added-delete-files", 0);
    v->files_removed = number(s, "deleted-data-files", 0);
}

/* The position of whichever pipeline wrote the snapshot. */
static const char *position_of(const struct iceberg_snapshot *s, struct arena *a)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)s->summary, key, value)
    {
        struct lake_record record;
        struct error ignored = {0};
        const char *text = json_string_value(value);
        if (strncmp(key, "leat.", 5) == 0 && text && text[0] == '{' &&
            lake_record_parse(text, &record, &ignored)) {
            owned(buf_release) struct buf out = {0};
            position_format(record.position, &out);
            return arena_string(a, out.data, out.size);
        }
    }
    return NULL;
}

static const char *engine_of(const struct iceberg_snapshot *s, struct arena *a)
{
    const char *name = iceberg_snapshot_summary(s, "engine-name");
    const char *version = iceberg_snapshot_summary(s, "engine-version");
    if (!name) {
        return iceberg_snapshot_summary(s, "spark.app.id") ? "spark" : NULL;
    }
    return arena_format(a, "%s%s%s", name, version ? "/" : "", version ? version : "");
}

static void describe(const struct iceberg_snapshot *s, struct arena *a, struct lake_version *v)
{
    const char *own = iceberg_snapshot_summary(s, "leat.operation");
    *v = (struct lake_version){
        .id = s->id,
        .parent_id = s->parent_id,
        .sequence = (uint64_t)s->sequence_number,
        .time_us = s->timestamp_ms * 1000,
        .operation = own ? own : s->operation,
        .engine = engine_of(s, a),
        .position = position_of(s, a),
        .keeps_rows = s->operation && strcmp(s->operation, "replace") == 0,
    };
    count_rows(s, v);
}

/* The main line from its newest snapshot back to the oldest that is left, told oldest first. */
static void read_versions(struct iceberg_history *h, const struct iceberg_snapshot *last)
{
    const struct iceberg_metadata *m = h->table->metadata;
    uint32_t count = 0;
    const struct iceberg_snapshot *s = last;
    while (s && count <= m->snapshot_count) {
        count++;
        s = iceberg_metadata_snapshot(m, s->parent_id);
    }
    struct lake_version *versions =
        arena_zalloc(&h->arena, ((size_t)count + 1) * sizeof(*versions));
    h->snapshots = arena_zalloc(&h->arena, ((size_t)count + 1) * sizeof(*h->snapshots));
    s = last;
    for (uint32_t i = count; i > 0; i--) {
        h->snapshots[i - 1] = s;
        describe(s, &h->arena, &versions[i - 1]);
        s = iceberg_metadata_snapshot(m, s->parent_id);
    }
    h->base.versions = versions;
    h->base.version_count = count;
}

/* ---- opening ---- */

static void history_free(struct lake_history *base)
{
    struct iceberg_history *h = history_of(base);
    iceberg_differ_release(&h->differ);
    schema_release((struct schema *)(uintptr_t)base->schema);
    if (h->table) {
        iceberg_lake.free(&h->table->base);
    }
    arena_release(&h->arena);
    free(h);
}

static void free_history(struct iceberg_history **h)
{
    if (*h) {
        history_free(&take(*h)->base);
    }
}

static bool show_schema(struct iceberg_history *h, const struct iceberg_snapshot *last,
                        int64_t wanted, struct error *err)
{
    const struct iceberg_metadata *m = h->table->metadata;
    const struct iceberg_schema *s = m->schema;
    if (wanted >= 0 && last && last->schema_id >= 0) {
        s = iceberg_metadata_schema(m, last->schema_id);
    }
    if (!s) {
        return error_set(err, ERROR_DATA, "the snapshot's schema is not in the metadata");
    }
    h->base.schema = iceberg_schema_model(s, err);
    if (!h->base.schema) {
        return false;
    }
    h->columns = arena_zalloc(&h->arena, ((size_t)s->field_count + 1) * sizeof(*h->columns));
    int32_t *ids = arena_array(&h->arena, (size_t)s->field_count + 1, sizeof(*ids));
    h->base.column_ids = ids;
    for (uint32_t i = 0; i < s->field_count; i++) {
        ids[i] = s->fields[i].id;
        h->columns[i] = (struct lake_file_column){.from = LAKE_BY_ID, .id = s->fields[i].id};
        if (!iceberg_default_text(&s->fields[i], &h->arena, &h->columns[i].text, err)) {
            return false;
        }
    }
    return true;
}

static bool open_history(struct iceberg_history *h, const struct lake_history_options *options,
                         struct error *err)
{
    if (!iceberg_open_metadata(options->table, &h->table, err)) {
        return false;
    }
    const struct iceberg_metadata *m = h->table->metadata;
    const struct iceberg_snapshot *last = m->current;
    if (options->to >= 0) {
        last = iceberg_metadata_snapshot(m, options->to);
        if (!last) {
            return error_set(err, ERROR_CONFIG, "there is no snapshot %" PRId64, options->to);
        }
    }
    read_versions(h, last);
    h->differ.metadata = m;
    h->differ.objects = iceberg_objects(h->table);
    h->differ.objects.engine = options->engine;
    h->base.store = h->table->base.store;
    h->base.table_id = m->uuid;
    return show_schema(h, last, options->to, err);
}

static struct lake_history *history_open(const struct lake_history_options *options,
                                         struct error *err)
{
    owned(free_history) struct iceberg_history *h = calloc(1, sizeof(*h));
    if (!h) {
        abort();
    }
    h->base.type = &iceberg_history;
    if (!open_history(h, options, err)) {
        return NULL;
    }
    return &take(h)->base;
}

/* ---- changes ---- */

static bool older(const struct iceberg_history *h, size_t index,
                  const struct iceberg_snapshot **out, struct error *err)
{
    const struct iceberg_snapshot *s = h->snapshots[index];
    *out = index > 0 ? h->snapshots[index - 1] : NULL;
    return *out || s->parent_id == -1 ||
           error_set(err, ERROR_LOST,
                     "snapshot %" PRId64 " follows %" PRId64
                     ", which was expired: what it changed is no longer known",
                     s->id, s->parent_id);
}

static void free_bitmap(void *bitmap)
{
    roaring_bitmap_free(bitmap);
}

/* Rows of `a` that are not in `b`, in the arena; NULL when there are none. */
static struct roaring_bitmap_s *without(const struct roaring_bitmap_s *a,
                                        const struct roaring_bitmap_s *b, struct arena *arena)
{
    struct roaring_bitmap_s *rows = a && b ? roaring_bitmap_andnot(a, b)
                                    : a    ? roaring_bitmap_copy(a)
                                           : roaring_bitmap_create();
    arena_defer(arena, free_bitmap, rows);
    return roaring_bitmap_is_empty(rows) ? NULL : rows;
}

/* The text of each partition value of a file, NULL for null; of a spec that is not known: none. */
static bool partition_texts(const struct iceberg_spec *spec, const struct iceberg_file *file,
                            struct arena *a, const char ***out, struct error *err)
{
    uint32_t count = spec ? spec->field_count : 0;
    *out = arena_zalloc(a, ((size_t)count + 1) * sizeof(**out));
    for (uint32_t i = 0; i < count && i < file->partition_count; i++) {
        if (file->partition[i].data &&
            !iceberg_value_text(spec->fields[i].result, file->partition[i], a, &(*out)[i], err)) {
            return error_wrap(err, "file \"%s\"", file->path);
        }
    }
    return true;
}

/* How a file shows the columns: those by whose values it was chosen have these values. */
static bool columns_of(const struct iceberg_history *h, const struct iceberg_difference *f,
                       struct arena *a, const struct lake_file_column **out, struct error *err)
{
    const struct iceberg_spec *spec = iceberg_metadata_spec(h->table->metadata, f->spec_id);
    const char **texts = NULL;
    uint32_t value_count = 0;
    *out = h->columns;
    if (!spec || spec->field_count == 0) {
        return true;
    }
    if (!partition_texts(spec, f->file, a, &texts, err)) {
        return false;
    }
    const struct lake_file_value *values = iceberg_constants(spec, texts, a, &value_count);
    uint32_t count = h->base.schema->column_count;
    struct lake_file_column *columns =
        arena_copy(a, h->columns, ((size_t)count + 1) * sizeof(*columns));
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t v = 0; v < value_count; v++) {
            if (values[v].column_id == columns[i].id) {
                columns[i] =
                    (struct lake_file_column){.from = LAKE_CONSTANT, .text = values[v].text};
            }
        }
    }
    *out = columns;
    return true;
}

static bool add_piece(struct iceberg_history *h, struct lake_pieces *out,
                      const struct iceberg_difference *f, struct lake_piece piece, struct arena *a,
                      struct error *err)
{
    owned(buf_release) struct buf key = {0};
    if (!iceberg_location_key(h->differ.objects.location, f->path, &key, err)) {
        return false;
    }
    piece.path = arena_string(a, key.data, key.size);
    piece.row_count = (uint64_t)f->file->record_count;
    piece.size = (uint64_t)f->file->size;
    if (!columns_of(h, f, a, &piece.columns, err)) {
        return false;
    }
    out->items[out->count++] = piece;
    return true;
}

static bool add_pieces(struct iceberg_history *h, const struct iceberg_difference *f,
                       struct arena *a, struct lake_pieces *out, struct error *err)
{
    switch (f->kind) {
    case ICEBERG_FILE_NEW:
        return add_piece(h, out, f, (struct lake_piece){.kind = LAKE_INSERTED, .without = f->after},
                         a, err);
    case ICEBERG_FILE_GONE:
        return add_piece(h, out, f, (struct lake_piece){.kind = LAKE_DELETED, .without = f->before},
                         a, err);
    case ICEBERG_FILE_TOUCHED:
        break;
    }
    const struct roaring_bitmap_s *deleted = without(f->after, f->before, a);
    const struct roaring_bitmap_s *restored = without(f->before, f->after, a);
    return (!deleted ||
            add_piece(h, out, f, (struct lake_piece){.kind = LAKE_DELETED, .only = deleted}, a,
                      err)) &&
           (!restored ||
            add_piece(h, out, f, (struct lake_piece){.kind = LAKE_INSERTED, .only = restored}, a,
                      err));
}

static bool history_changes(struct lake_history *base, size_t index, struct arena *a,
                            struct lake_pieces *out, struct error *err)
{
    struct iceberg_history *h = history_of(base);
    const struct iceberg_snapshot *from = NULL;
    struct iceberg_differences found;
    *out = (struct lake_pieces){0};
    if (base->versions[index].keeps_rows) {
        return true;
    }
    if (!older(h, index, &from, err) ||
        !iceberg_diff(&h->differ, from, h->snapshots[index], true, a, &found, err)) {
        return false;
    }
    bool adds = false;
    bool removes = false;
    out->items = arena_array(a, (size_t)found.count * 2 + 1, sizeof(*out->items));
    for (uint32_t i = 0; i < found.count; i++) {
        adds = adds || found.items[i].kind == ICEBERG_FILE_NEW;
        removes = removes || found.items[i].kind == ICEBERG_FILE_GONE;
        if (!add_pieces(h, &found.items[i], a, out, err)) {
            return false;
        }
    }
    out->carries_over = adds && removes;
    return true;
}

/* ---- compare ---- */

static const char *partition_text(const struct iceberg_history *h,
                                  const struct iceberg_difference *f, struct arena *a,
                                  struct error *err)
{
    const struct iceberg_spec *spec = iceberg_metadata_spec(h->table->metadata, f->spec_id);
    owned(buf_release) struct buf out = {0};
    const char **texts = NULL;
    if (!partition_texts(spec, f->file, a, &texts, err)) {
        return NULL;
    }
    for (uint32_t i = 0; spec && i < spec->field_count; i++) {
        buf_append_format(&out, "%s%s=%s", i > 0 ? "/" : "", spec->fields[i].name,
                          texts[i] ? texts[i] : "null");
    }
    return arena_string(a, buf_text(&out), out.size);
}

static bool history_compare(struct lake_history *base, size_t from, size_t to, struct arena *a,
                            struct lake_file_difference **out, uint32_t *count, struct error *err)
{
    struct iceberg_history *h = history_of(base);
    struct iceberg_differences found;
    if (!iceberg_diff(&h->differ, h->snapshots[from], h->snapshots[to], false, a, &found, err)) {
        return false;
    }
    *out = arena_zalloc(a, ((size_t)found.count + 1) * sizeof(**out));
    *count = found.count;
    for (uint32_t i = 0; i < found.count; i++) {
        const struct iceberg_difference *f = &found.items[i];
        const char *partition = partition_text(h, f, a, err);
        if (!partition) {
            return false;
        }
        (*out)[i] = (struct lake_file_difference){
            .kind = f->kind == ICEBERG_FILE_NEW    ? LAKE_FILE_ADDED
                    : f->kind == ICEBERG_FILE_GONE ? LAKE_FILE_REMOVED
                                                   : LAKE_FILE_CHANGED,
            .path = f->path,
            .partition = partition,
            .row_count = (uint64_t)f->file->record_count,
            .size = (uint64_t)f->file->size,
            .deleted_before = (uint64_t)f->deleted_before,
            .deleted_after = (uint64_t)f->deleted_after};
    }
    return true;
}

const struct lake_history_type iceberg_history = {
    .name = "iceberg",
    .open = history_open,
    .changes = history_changes,
    .compare = history_compare,
    .free = history_free,
};
