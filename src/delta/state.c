#include "delta/state.h"

#include <assert.h>
#include <roaring/roaring.h>
#include <stdlib.h>

enum { ARENA_SLACK = 1 << 20 };

static void *must_zalloc(size_t size)
{
    void *p = calloc(1, size);
    if (!p) {
        abort();
    }
    return p;
}

static void live_free(void *value)
{
    struct delta_live *live = value;
    if (live->bitmap) {
        roaring_bitmap_free(live->bitmap);
    }
    free(live);
}

void delta_state_init(struct delta_state *s)
{
    *s = (struct delta_state){.version = -1};
}

void delta_state_release(struct delta_state *s)
{
    map_release(&s->files, live_free);
    map_release(&s->removed, free);
    map_release(&s->txns, free);
    map_release(&s->domains, free);
    free(s->slots);
    arena_release(&s->arena);
    delta_state_init(s);
}

struct delta_live *delta_state_live(const struct delta_state *s, const char *path)
{
    return map_get(&s->files, str_from(path));
}

struct delta_live *delta_live_of(struct lake_file *file)
{
    return (struct delta_live *)file;
}

/* --- texts --- */

static const char *copy_text(const char *text, struct arena *a)
{
    return text ? arena_string(a, text, strlen(text)) : NULL;
}

/* Copies what lives into a fresh arena. Streaming replaces vectors and records with each commit, so
 * without this a table's memory would grow for ever. */
static void rewrite_arena(struct delta_state *s)
{
    struct arena fresh = {0};
    struct str key;
    void *value = NULL;
    delta_protocol_copy(&s->protocol, &fresh, &s->protocol);
    delta_metadata_copy(&s->metadata, &fresh, &s->metadata);
    for (size_t i = 0; map_next(&s->files, &i, &key, &value);) {
        struct delta_live *live = value;
        delta_file_copy(&live->file, &fresh, &live->file);
        live->complete = false; /* `lake` has texts of the old arena */
    }
    for (size_t i = 0; map_next(&s->removed, &i, &key, &value);) {
        struct delta_file *file = value;
        delta_file_copy(file, &fresh, file);
    }
    for (size_t i = 0; map_next(&s->txns, &i, &key, &value);) {
        struct delta_txn *txn = value;
        txn->app_id = copy_text(txn->app_id, &fresh);
    }
    for (size_t i = 0; map_next(&s->domains, &i, &key, &value);) {
        struct delta_domain *domain = value;
        domain->domain = copy_text(domain->domain, &fresh);
        domain->configuration = copy_text(domain->configuration, &fresh);
    }
    arena_release(&s->arena);
    s->arena = fresh;
    s->arena_live = fresh.bytes;
}

/* --- replay --- */

static void removed_key(const struct delta_file *file, struct buf *out)
{
    buf_append_text(out, file->path);
    buf_append_char(out, '\0');
    delta_vector_identity(file->vector, out);
}

static bool same_vector(const struct delta_vector *a, const struct delta_vector *b)
{
    owned(buf_release) struct buf x = {0};
    owned(buf_release) struct buf y = {0};
    delta_vector_identity(a, &x);
    delta_vector_identity(b, &y);
    return str_equal(buf_str(&x), buf_str(&y));
}

static void apply_small(struct delta_state *s, const struct delta_action *action)
{
    struct arena *a = &s->arena;
    if (action->kind == DELTA_PROTOCOL) {
        delta_protocol_copy(&action->protocol, a, &s->protocol);
        s->has_protocol = true;
        s->metadata_changed = true;
    } else if (action->kind == DELTA_METADATA) {
        delta_metadata_copy(&action->metadata, a, &s->metadata);
        s->has_metadata = true;
        s->metadata_changed = true;
    } else if (action->kind == DELTA_TXN) {
        struct delta_txn *txn = must_zalloc(sizeof(*txn));
        *txn = action->txn;
        txn->app_id = copy_text(txn->app_id, a);
        free(map_put(&s->txns, str_from(txn->app_id), txn));
    } else if (action->kind == DELTA_DOMAIN) {
        struct delta_domain *domain = must_zalloc(sizeof(*domain));
        *domain = action->domain;
        domain->domain = copy_text(domain->domain, a);
        domain->configuration = copy_text(domain->configuration, a);
        free(map_put(&s->domains, str_from(domain->domain), domain));
    }
}

static bool new_slot(struct delta_state *s, struct delta_live *live, struct error *err)
{
    if (s->slot_count == s->slot_capacity) {
        if (s->slot_capacity > UINT32_MAX / 2) {
            return error_set(err, ERROR_DATA, "a table has too many files");
        }
        s->slot_capacity = s->slot_capacity ? s->slot_capacity * 2 : 64;
        s->slots = realloc(s->slots, s->slot_capacity * sizeof(struct lake_file *));
        if (!s->slots) {
            abort();
        }
    }
    live->lake.slot = s->slot_count;
    s->slots[s->slot_count++] = &live->lake;
    s->files_changed = true;
    return true;
}

static bool apply_add(struct delta_state *s, const struct delta_file *file, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    removed_key(file, &key);
    free(map_remove(&s->removed, buf_str(&key)));

    struct delta_live *live = delta_state_live(s, file->path);
    if (!live) {
        live = must_zalloc(sizeof(*live));
        if (!new_slot(s, live, err)) {
            free(live);
            return false;
        }
        (void)map_put(&s->files, str_from(file->path), live);
    } else if (live->bitmap && !same_vector(live->file.vector, file->vector)) {
        roaring_bitmap_free(live->bitmap);
        live->bitmap = NULL;
    }
    delta_file_copy(file, &s->arena, &live->file);
    live->complete = false;
    return true;
}

/* `added` has the paths that the same commit adds. */
static void apply_remove(struct delta_state *s, const struct delta_file *file,
                         const struct map *added)
{
    struct delta_live *live = delta_state_live(s, file->path);
    bool replaced = map_get(added, str_from(file->path)) != NULL;
    bool same = live && same_vector(live->file.vector, file->vector);
    if (replaced && same) {
        return; /* removed and added as it was: it stays */
    }
    struct delta_file *copy = must_zalloc(sizeof(*copy));
    delta_file_copy(file, &s->arena, copy);
    owned(buf_release) struct buf key = {0};
    removed_key(file, &key);
    free(map_put(&s->removed, buf_str(&key), copy));

    if (live && same) {
        s->slots[live->lake.slot] = NULL;
        s->files_changed = true;
        live_free(map_remove(&s->files, str_from(file->path)));
    }
}

bool delta_state_apply(struct delta_state *s, int64_t version, const struct delta_action *actions,
                       size_t count, struct error *err)
{
    struct map added = {0};
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        apply_small(s, &actions[i]);
    }
    for (size_t i = 0; ok && i < count; i++) {
        if (actions[i].kind == DELTA_ADD) {
            (void)map_put(&added, str_from(actions[i].file.path), s);
            ok = apply_add(s, &actions[i].file, err);
        }
    }
    for (size_t i = 0; ok && i < count; i++) {
        if (actions[i].kind == DELTA_REMOVE) {
            apply_remove(s, &actions[i].file, &added);
        }
    }
    map_release(&added, NULL);
    if (!ok) {
        return false;
    }
    s->version = version;
    if (s->arena.bytes > 2 * s->arena_live + ARENA_SLACK) {
        rewrite_arena(s);
    }
    return true;
}

void delta_state_rename(struct delta_state *s, const char *from, const char *to)
{
    struct delta_live *live = map_remove(&s->files, str_from(from));
    assert(live);
    (void)map_put(&s->files, str_from(to), live);
}

void delta_state_expire(struct delta_state *s, int64_t before_ms)
{
    /* A map must not change while it is walked. */
    struct map kept = {0};
    struct str key;
    void *value = NULL;
    for (size_t i = 0; map_next(&s->removed, &i, &key, &value);) {
        struct delta_file *file = value;
        if (file->deleted_ms > before_ms) {
            (void)map_put(&kept, key, file);
        } else {
            free(file);
        }
    }
    map_release(&s->removed, NULL);
    s->removed = kept;
}

void delta_state_list(const struct delta_state *s, struct delta_actions *out)
{
    struct str key;
    void *value = NULL;
    delta_actions_add(out, DELTA_PROTOCOL)->protocol = s->protocol;
    delta_actions_add(out, DELTA_METADATA)->metadata = s->metadata;
    for (size_t i = 0; map_next(&s->txns, &i, &key, &value);) {
        delta_actions_add(out, DELTA_TXN)->txn = *(struct delta_txn *)value;
    }
    for (size_t i = 0; map_next(&s->domains, &i, &key, &value);) {
        const struct delta_domain *domain = value;
        if (!domain->removed) {
            delta_actions_add(out, DELTA_DOMAIN)->domain = *domain;
        }
    }
    for (size_t i = 0; map_next(&s->removed, &i, &key, &value);) {
        struct delta_file *file = &delta_actions_add(out, DELTA_REMOVE)->file;
        *file = *(struct delta_file *)value;
        file->data_change = false;
    }
    for (size_t i = 0; map_next(&s->files, &i, &key, &value);) {
        struct delta_file *file = &delta_actions_add(out, DELTA_ADD)->file;
        *file = ((struct delta_live *)value)->file;
        file->data_change = false;
    }
}
