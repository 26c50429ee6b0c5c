/* What happened to a table since our snapshot. Where snapshots in between were expired, the older
 * metadata files that the log names still tell what they did. */
#include <inttypes.h>
#include <string.h>

#include "iceberg/member.h"
#include "iceberg/table.h"

/* A walk from the newest snapshot back. */
struct walk {
    const struct iceberg_table *table;
    const struct iceberg_metadata *newest;
    struct iceberg_metadata *older; /* owned; one of the log's; NULL: none was needed yet */
    size_t left;                    /* entries of the log that were not read yet */
};

/* Reads the next older file. It may be gone, or not be this table's: then the one before it is as
 * good. */
static bool read_older(struct walk *w, const char *uri, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    struct error failure = {0};
    const struct iceberg_objects o = {.store = w->table->base.store,
                                      .location = w->newest->location};
    iceberg_metadata_free(&w->older);
    w->older = iceberg_object_get(&o, uri, &data, &failure)
                   ? iceberg_metadata_parse(buf_str(&data), &failure)
                   : NULL;
    if (w->older && strcmp(w->older->uuid, w->newest->uuid) != 0) {
        iceberg_metadata_free(&w->older);
    }
    if (!w->older && failure.kind == ERROR_RETRY) {
        *err = failure;
        return false;
    }
    return true;
}

/* *out NULL: nobody knows it any more. */
static bool find(struct walk *w, int64_t id, const struct iceberg_snapshot **out, struct error *err)
{
    const json_t *log = json_object_get(w->newest->json, "metadata-log");
    *out = iceberg_metadata_snapshot(w->newest, id);
    if (!*out && w->older) {
        *out = iceberg_metadata_snapshot(w->older, id);
    }
    while (!*out && w->left > 0) {
        const json_t *file = member_get(json_array_get(log, --w->left), "metadata-file");
        if (json_is_string(file) && !read_older(w, json_string_value(file), err)) {
            return false;
        }
        *out = w->older ? iceberg_metadata_snapshot(w->older, id) : NULL;
    }
    return true;
}

static bool is_foreign(const struct iceberg_table *t, const struct iceberg_snapshot *s)
{
    return !t->accept_foreign && !iceberg_snapshot_summary(s, t->property) &&
           (!s->operation || strcmp(s->operation, "replace") != 0);
}

static bool foreign(const struct iceberg_table *t, const struct iceberg_snapshot *s, int64_t after,
                    struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table \"%s\": another writer changed rows in snapshot %" PRId64
                     " (%s); reload the table, or roll it back to snapshot %" PRId64
                     ", or set foreign_changes: accept",
                     t->label, s->id, s->operation ? s->operation : "unknown operation", after);
}

static bool not_found(const struct iceberg_table *t, int64_t after, struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table \"%s\": our snapshot %" PRId64
                     " is not in the history of the current one: it was rolled back, or what "
                     "others changed since was expired; reload the table, or compare it with the "
                     "source first",
                     t->label, after);
}

static bool walk_back(struct walk *w, int64_t after, struct error *err)
{
    const struct iceberg_metadata *m = w->newest;
    int64_t id = m->current ? m->current->id : -1;
    /* Sequence numbers go down from child to parent: no line of descent is a circle. */
    int64_t sequence_number = INT64_MAX;
    while (id != after && (id != -1 || after != 0)) {
        const struct iceberg_snapshot *s = NULL;
        if (id != -1 && !find(w, id, &s, err)) {
            return false;
        }
        if (!s || s->sequence_number >= sequence_number) {
            return not_found(w->table, after, err);
        }
        if (is_foreign(w->table, s)) {
            return foreign(w->table, s, after, err);
        }
        sequence_number = s->sequence_number;
        id = s->parent_id;
    }
    return true;
}

bool iceberg_check_since(const struct iceberg_table *t, const struct iceberg_metadata *m,
                         int64_t after, struct error *err)
{
    struct walk w = {.table = t, .newest = m};
    w.left = json_array_size(json_object_get(m->json, "metadata-log"));
    bool ok = walk_back(&w, after, err);
    iceberg_metadata_free(&w.older);
    return ok;
}
