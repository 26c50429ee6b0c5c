/* The files in which two versions of a Delta table differ. */
#include <assert.h>
#include <stdlib.h>

#include "delta/lake_history.h"
#include "delta/path.h"
#include "delta/stats.h"

struct comparing {
    const struct delta_history *h;
    struct arena *a;
    struct delta_state from;
    struct delta_state to;
    struct lake_file_difference *items;
    uint32_t count;
};

static uint64_t deleted_count(const struct delta_live *live)
{
    return live && live->file.vector ? (uint64_t)live->file.vector->cardinality : 0;
}

static const char *partition_text(const struct comparing *c, const struct delta_file *file)
{
    const struct schema *schema = c->h->schema;
    owned(buf_release) struct buf text = {0};
    for (uint32_t i = 0; i < file->partition.count; i++) {
        const struct delta_pair *p = &file->partition.items[i];
        int found = schema ? delta_mapping_find(&c->h->mapping, schema, p->key) : -1;
        buf_append_format(&text, "%s%s=%s", i > 0 ? "/" : "",
                          found >= 0 ? schema->columns[found].name : p->key,
                          p->value && p->value[0] ? p->value : "null");
    }
    return arena_string(c->a, buf_text(&text), text.size);
}

static bool add(struct comparing *c, const struct delta_live *before,
                const struct delta_live *after, struct error *err)
{
    const struct delta_live *either = after ? after : before;
    assert(either);
    const struct delta_file *file = &either->file;
    owned(buf_release) struct buf key = {0};
    if (!delta_path_key(file->path, &key, err)) {
        return false;
    }
    struct lake_file_difference *d = &c->items[c->count++];
    *d = (struct lake_file_difference){
        .kind = !before  ? LAKE_FILE_ADDED
                : !after ? LAKE_FILE_REMOVED
                         : LAKE_FILE_CHANGED,
        .path = arena_string(c->a, key.data, key.size),
        .partition = partition_text(c, file),
        .size = file->size > 0 ? (uint64_t)file->size : 0,
        .deleted_before = deleted_count(before),
        .deleted_after = deleted_count(after),
    };
    if (!delta_stats_row_count(file->stats, &d->row_count)) {
        d->row_count = 0;
    }
    return true;
}

static bool same_rows(const struct delta_file *a, const struct delta_file *b)
{
    owned(buf_release) struct buf x = {0};
    owned(buf_release) struct buf y = {0};
    delta_vector_identity(a->vector, &x);
    delta_vector_identity(b->vector, &y);
    return str_equal(buf_str(&x), buf_str(&y));
}

static bool collect(struct comparing *c, struct error *err)
{
    struct str key;
    void *value = NULL;
    c->items = arena_array(c->a, c->from.files.count + c->to.files.count + 1, sizeof(*c->items));
    for (size_t i = 0; map_next(&c->from.files, &i, &key, &value);) {
        const struct delta_live *before = value;
        const struct delta_live *after = map_get(&c->to.files, key);
        if (!(after && same_rows(&before->file, &after->file)) && !add(c, before, after, err)) {
            return false;
        }
    }
    for (size_t i = 0; map_next(&c->to.files, &i, &key, &value);) {
        if (!map_get(&c->from.files, key) && !add(c, NULL, value, err)) {
            return false;
        }
    }
    return true;
}

static int by_path(const void *a, const void *b)
{
    const struct lake_file_difference *x = a;
    const struct lake_file_difference *y = b;
    return strcmp(x->path, y->path);
}

bool delta_history_compare(struct lake_history *base, size_t from, size_t to, struct arena *a,
                           struct lake_file_difference **out, uint32_t *count, struct error *err)
{
    struct delta_history *h = (struct delta_history *)base;
    struct comparing c = {.h = h, .a = a};
    int64_t checkpoint = -1;
    delta_state_init(&c.from);
    delta_state_init(&c.to);
    bool ok =
        delta_log_replay(base->store, h->engine, base->versions[from].id, &c.from, &checkpoint,
                         err) &&
        delta_log_replay(base->store, h->engine, base->versions[to].id, &c.to, &checkpoint, err) &&
        collect(&c, err);
    if (ok && c.count > 0) {
        qsort(c.items, c.count, sizeof(*c.items), by_path);
    }
    *out = c.items;
    *count = c.count;
    delta_state_release(&c.from);
    delta_state_release(&c.to);
    return ok;
}
