#include "iceberg/diff.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

/* One of the two snapshots. */
struct side {
    struct iceberg_manifests manifests;
    struct map paths; /* of its manifests */
};

/* A live delete file of one or both. */
struct deletes {
    const struct iceberg_entry *entry;
    bool in_from;
    bool in_to;
};

struct diff {
    struct iceberg_differ *differ;
    struct arena *arena; /* of the result */
    struct side from;
    struct side to;
    struct map files;   /* path -> struct iceberg_difference */
    struct map deletes; /* path -> struct deletes */
    struct iceberg_differences *out;
};

void iceberg_differ_release(struct iceberg_differ *d)
{
    map_release(&d->manifests, NULL);
    arena_release(&d->arena);
}

/* ---- manifests ---- */

static const struct iceberg_entries *entries_of(struct iceberg_differ *d,
                                                const struct iceberg_manifest *m, struct error *err)
{
    struct iceberg_entries *entries = map_get(&d->manifests, str_from(m->path));
    if (entries) {
        return entries;
    }
    entries = arena_zalloc(&d->arena, sizeof(*entries));
    if (!iceberg_manifest_read(&d->objects, d->metadata, m, &d->arena, entries, err)) {
        return NULL;
    }
    (void)map_put(&d->manifests, str_from(arena_string(&d->arena, m->path, strlen(m->path))),
                  entries);
    return entries;
}

static bool read_side(struct diff *d, const struct iceberg_snapshot *s, struct side *out,
                      struct error *err)
{
    if (s && !iceberg_list_read(&d->differ->objects, s, d->arena, &out->manifests, err)) {
        return false;
    }
    for (uint32_t i = 0; i < out->manifests.count; i++) {
        (void)map_put(&out->paths, str_from(out->manifests.items[i].path),
                      &out->manifests.items[i]);
    }
    return true;
}

/* ---- files ---- */

static struct iceberg_difference *add_file(struct diff *d, const char *path)
{
    struct iceberg_difference *f = arena_zalloc(d->arena, sizeof(*f));
    f->path = path;
    (void)map_put(&d->files, str_from(path), f);
    return f;
}

/* A file of the older snapshot is gone unless the newer one has it, too, in another manifest. */
static void take_data(struct diff *d, const struct iceberg_entry *entry, bool is_from)
{
    struct iceberg_difference *f = map_get(&d->files, str_from(entry->file.path));
    if (!is_from && f) {
        (void)map_remove(&d->files, str_from(entry->file.path));
        return;
    }
    f = add_file(d, entry->file.path);
    f->kind = is_from ? ICEBERG_FILE_GONE : ICEBERG_FILE_NEW;
    f->file = &entry->file;
    f->spec_id = entry->spec_id;
}

static bool take_deletes(struct diff *d, const struct iceberg_entry *entry, bool in_from,
                         bool in_to, struct error *err)
{
    if (!iceberg_deletes_check(&entry->file, err)) {
        return false;
    }
    const char *name = iceberg_deletes_name(&entry->file, d->arena);
    struct deletes *known = map_get(&d->deletes, str_from(name));
    if (!known) {
        known = arena_zalloc(d->arena, sizeof(*known));
        known->entry = entry;
        (void)map_put(&d->deletes, str_from(name), known);
    }
    known->in_from |= in_from;
    known->in_to |= in_to;
    return true;
}

static bool take_manifest(struct diff *d, const struct iceberg_manifest *m, bool in_from,
                          bool in_to, bool is_from, struct error *err)
{
    const struct iceberg_entries *entries = entries_of(d->differ, m, err);
    for (uint32_t i = 0; entries && i < entries->count; i++) {
        const struct iceberg_entry *entry = &entries->items[i];
        if (entry->status == ICEBERG_DELETED) {
            continue;
        }
        if (entry->file.content == ICEBERG_DATA) {
            take_data(d, entry, is_from);
        } else if (!take_deletes(d, entry, in_from, in_to, err)) {
            return false;
        }
    }
    return entries != NULL;
}

/* Delete manifests are read even if both have them: what they delete must be known of every file
 * that differs. */
static bool take_side(struct diff *d, const struct side *s, const struct side *other, bool is_from,
                      struct error *err)
{
    for (uint32_t i = 0; i < s->manifests.count; i++) {
        const struct iceberg_manifest *m = &s->manifests.items[i];
        bool shared = map_get(&other->paths, str_from(m->path)) != NULL;
        if ((!shared || m->is_deletes) &&
            !take_manifest(d, m, is_from || shared, !is_from || shared, is_from, err)) {
            return false;
        }
    }
    return true;
}

/* ---- deleted rows ---- */

/* Positions of one delete file, as they come in. */
struct reading {
    struct diff *d;
    const struct deletes *deletes;
    bool may_touch; /* only in one snapshot: files that are not known to differ may, by this */
};

static void free_bitmap(void *bitmap)
{
    roaring_bitmap_free(bitmap);
}

static void set_row(struct diff *d, struct roaring_bitmap_s **rows, uint32_t position)
{
    if (!*rows) {
        *rows = roaring_bitmap_create();
        arena_defer(d->arena, free_bitmap, *rows);
    }
    roaring_bitmap_add(*rows, position);
}

static bool take_position(void *arg, struct str path, uint32_t position, struct error *err)
{
    const struct reading *r = arg;
    struct iceberg_difference *f = map_get(&r->d->files, path);
    (void)err;
    if (!f && !r->may_touch) {
        return true;
    }
    if (!f) {
        f = add_file(r->d, arena_string(r->d->arena, path.data, path.size));
        f->kind = ICEBERG_FILE_TOUCHED;
    }
    if (r->deletes->in_from && f->kind != ICEBERG_FILE_NEW) {
        set_row(r->d, &f->before, position);
    }
    if (r->deletes->in_to && f->kind != ICEBERG_FILE_GONE) {
        set_row(r->d, &f->after, position);
    }
    return true;
}

static bool is_relevant(const struct diff *d, const struct deletes *x)
{
    struct str referenced = iceberg_deletes_referenced(&x->entry->file);
    return x->in_from != x->in_to || !referenced.data || map_get(&d->files, referenced);
}

/* First the delete files of one snapshot only, which find the touched files; then those of both,
 * as far as they are about a file that differs. */
static bool read_deletes(struct diff *d, bool shared, struct error *err)
{
    struct str path;
    void *value = NULL;
    size_t at = 0;
    while (map_next(&d->deletes, &at, &path, &value)) {
        const struct deletes *x = value;
        if ((x->in_from && x->in_to) != shared || (shared && d->files.count == 0) ||
            !is_relevant(d, x)) {
            continue;
        }
        struct reading r = {.d = d, .deletes = x, .may_touch = !shared};
        if (!iceberg_positions_read(&d->differ->objects, &x->entry->file, take_position, &r, err)) {
            return false;
        }
    }
    return true;
}

/* As read_deletes(), from what the manifests say. */
static void count_deletes(struct diff *d, bool shared)
{
    struct str path;
    void *value = NULL;
    size_t at = 0;
    while (map_next(&d->deletes, &at, &path, &value)) {
        const struct deletes *x = value;
        struct str referenced = iceberg_deletes_referenced(&x->entry->file);
        if ((x->in_from && x->in_to) != shared || !referenced.data) {
            continue;
        }
        struct iceberg_difference *f = map_get(&d->files, referenced);
        if (!f && !shared) {
            f = add_file(d, arena_string(d->arena, referenced.data, referenced.size));
            f->kind = ICEBERG_FILE_TOUCHED;
        }
        if (f) {
            int64_t count = x->entry->file.record_count;
            f->deleted_before += x->in_from && f->kind != ICEBERG_FILE_NEW ? count : 0;
            f->deleted_after += x->in_to && f->kind != ICEBERG_FILE_GONE ? count : 0;
        }
    }
}

/* ---- touched files ---- */

/* Finds the entry of each touched file; a delete may point to a file that is no longer there. */
static bool look_up(struct diff *d, struct map *touched, struct error *err)
{
    for (uint32_t i = 0; touched->count > 0 && i < d->to.manifests.count; i++) {
        const struct iceberg_manifest *m = &d->to.manifests.items[i];
        const struct iceberg_entries *entries =
            m->is_deletes ? NULL : entries_of(d->differ, m, err);
        if (!entries && !m->is_deletes) {
            return false;
        }
        for (uint32_t k = 0; entries && k < entries->count; k++) {
            const struct iceberg_entry *entry = &entries->items[k];
            if (entry->status == ICEBERG_DELETED || entry->file.content != ICEBERG_DATA) {
                continue;
            }
            struct iceberg_difference *f = map_remove(touched, str_from(entry->file.path));
            if (f) {
                f->file = &entry->file;
                f->spec_id = entry->spec_id;
            }
        }
    }
    return true;
}

static bool find_touched(struct diff *d, struct error *err)
{
    struct map touched = {0};
    struct str path;
    void *value = NULL;
    size_t at = 0;
    while (map_next(&d->files, &at, &path, &value)) {
        if (((struct iceberg_difference *)value)->kind == ICEBERG_FILE_TOUCHED) {
            (void)map_put(&touched, path, value);
        }
    }
    bool ok = look_up(d, &touched, err);
    map_release(&touched, NULL);
    return ok;
}

/* ---- the result ---- */

static bool is_equal(const roaring_bitmap_t *a, const roaring_bitmap_t *b)
{
    return a && b ? roaring_bitmap_equals(a, b) : a == b;
}

static int compare(const void *a, const void *b)
{
    const struct iceberg_difference *x = a;
    const struct iceberg_difference *y = b;
    return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind)
                              : strcmp(x->path, y->path);
}

static void finish(struct diff *d)
{
    struct iceberg_differences *out = d->out;
    struct str path;
    void *value = NULL;
    size_t at = 0;
    out->items = arena_array(d->arena, d->files.count + 1, sizeof(*out->items));
    while (map_next(&d->files, &at, &path, &value)) {
        const struct iceberg_difference *f = value;
        bool is_touched = f->kind == ICEBERG_FILE_TOUCHED;
        bool differs = !is_equal(f->before, f->after) || f->deleted_before != f->deleted_after;
        if (!is_touched || (f->file && differs)) {
            out->items[out->count++] = *f;
        }
    }
    qsort(out->items, out->count, sizeof(*out->items), compare);
}

bool iceberg_diff(struct iceberg_differ *differ, const struct iceberg_snapshot *from,
                  const struct iceberg_snapshot *to, bool rows, struct arena *a,
                  struct iceberg_differences *out, struct error *err)
{
    *out = (struct iceberg_differences){0};
    struct diff d = {.differ = differ, .arena = a, .out = out};
    bool ok = read_side(&d, from, &d.from, err) && read_side(&d, to, &d.to, err) &&
              take_side(&d, &d.from, &d.to, true, err) && take_side(&d, &d.to, &d.from, false, err);
    if (ok && rows) {
        ok = read_deletes(&d, false, err) && read_deletes(&d, true, err);
    } else if (ok) {
        count_deletes(&d, false);
        count_deletes(&d, true);
    }
    ok = ok && find_touched(&d, err);
    if (ok) {
        finish(&d);
    }
    map_release(&d.from.paths, NULL);
    map_release(&d.to.paths, NULL);
    map_release(&d.files, NULL);
    map_release(&d.deletes, NULL);
    return ok;
}
