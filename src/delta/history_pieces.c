/* What rows a version of a Delta table changed: its change files where it has them, else what its
 * added and removed files and deletion vectors mean. [PROTOCOL.md, Change Data Files] */
#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>

#include "delta/lake_history.h"
#include "delta/path.h"
#include "delta/protocol.h"
#include "delta/stats.h"
#include "delta/vector.h"

/* One version being read. */
struct reading {
    struct delta_history *h;
    const struct lake_version *version;
    struct arena *a;
    const struct delta_actions *actions;
    struct delta_state before; /* the table before the version, once it had to be asked */
    bool has_before;
    struct lake_pieces *out;
};

/* --- where columns come from --- */

/* Files need not say when they go what partition they were of: then the version before knows. */
static bool look_up(struct reading *r, struct delta_file *file, struct error *err)
{
    const struct delta_live *live = NULL;
    if (!r->has_before) {
        int64_t checkpoint = -1;
        delta_state_init(&r->before);
        if (!delta_log_replay(r->h->base.store, r->h->engine, r->version->id - 1, &r->before,
                              &checkpoint, err)) {
            delta_state_release(&r->before);
            return error_wrap(err, "the partition of removed file \"%s\"", file->path);
        }
        r->has_before = true;
    }
    live = delta_state_live(&r->before, file->path);
    if (!live) {
        return error_set(err, ERROR_DATA, "\"%s\" is removed, but the table does not have it",
                         file->path);
    }
    file->partition = live->file.partition;
    return true;
}

/* Columns of a partition are in the log only. Which those are is the file's to say: a table may
 * have been partitioned otherwise when the file was written. Change files have one column more,
 * without an id, so they are read by name: writers give names and ids alike. */
static const struct lake_file_column *file_columns(const struct reading *r,
                                                   const struct delta_file *file, bool by_name)
{
    const struct schema *schema = r->h->schema;
    const struct delta_mapping *m = &r->h->mapping;
    struct lake_file_column *columns =
        arena_zalloc(r->a, ((size_t)schema->column_count + 1) * sizeof(*columns));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        columns[i] =
            (struct lake_file_column){.from = m->ids && !by_name ? LAKE_BY_ID : LAKE_BY_NAME,
                                      .name = m->names[i],
                                      .id = m->ids ? m->ids[i] : 0};
    }
    for (uint32_t i = 0; i < file->partition.count; i++) {
        const struct delta_pair *p = &file->partition.items[i];
        int found = delta_mapping_find(m, schema, p->key);
        if (found >= 0) {
            const char *text = p->value && p->value[0] ? p->value : NULL;
            columns[found] = (struct lake_file_column){
                .from = LAKE_CONSTANT,
                .text = text ? arena_string(r->a, text, strlen(text)) : NULL};
        }
    }
    return columns;
}

/* --- pieces --- */

static void free_bitmap(void *bitmap)
{
    roaring_bitmap_free(bitmap);
}

/* NULL without an error: there is no vector. */
static bool read_vector(struct reading *r, const struct delta_file *file,
                        const roaring_bitmap_t **out, struct error *err)
{
    uint64_t row_count = 0;
    *out = NULL;
    if (!file->vector) {
        return true;
    }
    if (!delta_stats_row_count(file->stats, &row_count)) {
        row_count = UINT64_MAX; /* removed files do not say */
    }
    roaring_bitmap_t *bitmap = delta_vector_read(r->h->base.store, file->vector, row_count, err);
    if (!bitmap) {
        if (err->kind == ERROR_CONFLICT) {
            (void)error_recast(err, ERROR_LOST);
        }
        return error_wrap(err, "file \"%s\"", file->path);
    }
    arena_defer(r->a, free_bitmap, bitmap);
    *out = bitmap;
    return true;
}

static bool add_piece(struct reading *r, struct lake_piece piece, const struct delta_file *file,
                      struct error *err)
{
    owned(buf_release) struct buf key = {0};
    if (!delta_path_key(file->path, &key, err)) {
        return false;
    }
    piece.path = arena_string(r->a, key.data, key.size);
    piece.size = file->size > 0 ? (uint64_t)file->size : 0;
    if (!delta_stats_row_count(file->stats, &piece.row_count)) {
        piece.row_count = 0;
    }
    piece.columns = file_columns(r, file, piece.kind == LAKE_FEED);
    r->out->items[r->out->count++] = piece;
    return true;
}

static bool add_whole(struct reading *r, unsigned kind, const struct delta_file *file,
                      struct error *err)
{
    struct lake_piece piece = {.kind = kind};
    return read_vector(r, file, &piece.without, err) && add_piece(r, piece, file, err);
}

/* Another vector: rows that are new in it were deleted, rows that are no longer in it came back. */
static bool add_changed(struct reading *r, const struct delta_file *before,
                        const struct delta_file *after, struct error *err)
{
    const roaring_bitmap_t *old = NULL;
    const roaring_bitmap_t *new = NULL;
    owned(buf_release) struct buf was = {0};
    owned(buf_release) struct buf is = {0};
    delta_vector_identity(before->vector, &was);
    delta_vector_identity(after->vector, &is);
    if (str_equal(buf_str(&was), buf_str(&is))) {
        return true;
    }
    if (!read_vector(r, before, &old, err) || !read_vector(r, after, &new, err)) {
        return false;
    }
    struct lake_piece deleted = {.kind = LAKE_DELETED, .only = new, .without = old};
    struct lake_piece inserted = {.kind = LAKE_INSERTED, .only = old, .without = new};
    bool any_deleted = new && !(old && roaring_bitmap_is_subset(new, old));
    bool any_inserted = old && !(new &&roaring_bitmap_is_subset(old, new));
    return (!any_deleted || add_piece(r, deleted, after, err)) &&
           (!any_inserted || add_piece(r, inserted, after, err));
}

static bool add_feed(struct reading *r, bool *any, struct error *err)
{
    *any = false;
    for (size_t i = 0; i < r->actions->count; i++) {
        if (r->actions->items[i].kind == DELTA_CDC) {
            *any = true;
            if (!add_piece(r, (struct lake_piece){.kind = LAKE_FEED}, &r->actions->items[i].file,
                           err)) {
                return false;
            }
        }
    }
    return true;
}

static bool complete_remove(struct reading *r, struct delta_file *file, struct error *err)
{
    bool silent = file->partition.count == 0 && !file->extended;
    bool partitioned =
        r->h->metadata.partition_columns.count > 0 || strchr(file->path, '=') != NULL;
    return !silent || !partitioned || look_up(r, file, err);
}

/* Whole files that came, and files whose vectors changed; `removed` is left with those that went.
 */
static bool add_added(struct reading *r, struct map *removed, bool *any, struct error *err)
{
    for (size_t i = 0; i < r->actions->count; i++) {
        const struct delta_file *file = &r->actions->items[i].file;
        if (r->actions->items[i].kind != DELTA_ADD || !file->data_change) {
            continue;
        }
        const struct delta_file *before = map_remove(removed, str_from(file->path));
        *any = *any || !before;
        if (!(before ? add_changed(r, before, file, err)
                     : add_whole(r, LAKE_INSERTED, file, err))) {
            return false;
        }
    }
    return true;
}

static bool add_removed(struct reading *r, struct map *removed, bool *any, struct error *err)
{
    for (size_t i = 0; i < r->actions->count; i++) {
        struct delta_file *file = &r->actions->items[i].file;
        if (r->actions->items[i].kind != DELTA_REMOVE ||
            map_remove(removed, str_from(file->path)) != file) {
            continue;
        }
        *any = true;
        if (!complete_remove(r, file, err) || !add_whole(r, LAKE_DELETED, file, err)) {
            return false;
        }
    }
    return true;
}

static bool add_derived(struct reading *r, bool *replaced, struct error *err)
{
    struct map removed = {0};
    bool any_added = false;
    bool any_removed = false;
    for (size_t i = 0; i < r->actions->count; i++) {
        struct delta_file *file = &r->actions->items[i].file;
        if (r->actions->items[i].kind == DELTA_REMOVE && file->data_change) {
            (void)map_put(&removed, str_from(file->path), file);
        }
    }
    bool ok =
        add_added(r, &removed, &any_added, err) && add_removed(r, &removed, &any_removed, err);
    map_release(&removed, NULL);
    *replaced = any_added && any_removed;
    return ok;
}

/* --- whether the table kept a feed --- */

static bool replay_feed(struct delta_history *h, int64_t version)
{
    struct delta_state s;
    struct error ignored = {0};
    int64_t checkpoint = -1;
    delta_state_init(&s);
    bool on = delta_log_replay(h->base.store, h->engine, version, &s, &checkpoint, &ignored) &&
              delta_property_is_true(&s.metadata, "delta.enableChangeDataFeed");
    delta_state_release(&s);
    return on;
}

/* With a feed a version that replaced rows of files has change files, by the protocol: one that has
 * none replaced everything that it says. False also when it can no longer be known: equal rows that
 * went and came are never a wrong answer when they are left out. */
static bool keeps_feed(struct delta_history *h, size_t index)
{
    for (size_t i = index + 1; i > 0; i--) {
        if (h->notes[i - 1].has_metadata) {
            return h->notes[i - 1].has_feed;
        }
    }
    for (size_t i = index + 1; i < h->base.version_count && !h->notes[i].has_metadata; i++) {
        if (h->base.versions[i].id == h->metadata_version) {
            return delta_property_is_true(&h->metadata, "delta.enableChangeDataFeed");
        }
    }
    return replay_feed(h, h->base.versions[index].id);
}

bool delta_history_changes(struct lake_history *base, size_t index, struct arena *a,
                           struct lake_pieces *out, struct error *err)
{
    struct delta_history *h = (struct delta_history *)base;
    struct delta_actions actions = {.arena = a};
    struct reading r = {
        .h = h, .version = &base->versions[index], .a = a, .actions = &actions, .out = out};
    bool found = false;
    bool any = false;
    bool replaced = false;
    *out = (struct lake_pieces){0};
    if (!delta_log_read(base->store, r.version->id, &actions, &found, err)) {
        return false;
    }
    if (!found) {
        return error_set(err, ERROR_LOST, "commit %" PRId64 " was cleaned from the log",
                         r.version->id);
    }
    out->items = arena_array(a, actions.count * 2 + 1, sizeof(*out->items));
    bool ok = add_feed(&r, &any, err) && (any || add_derived(&r, &replaced, err));
    out->carries_over = ok && replaced && !keeps_feed(h, index);
    if (r.has_before) {
        delta_state_release(&r.before);
    }
    return ok;
}
