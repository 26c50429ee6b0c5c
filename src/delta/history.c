#include "delta/history.h"

#include <stdlib.h>

#include "base/map.h"
#include "delta/log.h"

/* The first of these metrics that the commit has, as a number, or -1: writers name them
 * differently. */
static int64_t read_metric(const struct delta_pairs *metrics, const char *const *names)
{
    for (; *names; names++) {
        const char *text = pairs_get(metrics, *names);
        char *end = NULL;
        long long n = text ? strtoll(text, &end, 10) : -1;
        if (text && end != text && *end == '\0' && n >= 0) {
            return n;
        }
    }
    return -1;
}

static const char *copy(const char *text, struct arena *a)
{
    return text && text[0] ? arena_string(a, text, strlen(text)) : NULL;
}

static void read_info(const struct delta_info *info, struct arena *a, struct delta_version *out)
{
    static const char *const inserted[] = {"numInsertedRows", "numTargetRowsInserted",
                                           "numOutputRows", "num_added_rows", NULL};
    static const char *const updated[] = {"numUpdatedRows", "numTargetRowsUpdated",
                                          "num_updated_rows", NULL};
    static const char *const deleted[] = {"numDeletedRows", "numTargetRowsDeleted",
                                          "num_deleted_rows", NULL};
    out->operation = copy(info->operation, a);
    out->engine = copy(info->engine, a);
    out->position = copy(pairs_get(&info->parameters, "position"), a);
    out->rows_inserted = read_metric(&info->metrics, inserted);
    out->rows_updated = read_metric(&info->metrics, updated);
    out->rows_deleted = read_metric(&info->metrics, deleted);
    if (info->has_timestamp || info->has_in_commit) {
        out->time_us = (info->has_in_commit ? info->in_commit_ms : info->timestamp_ms) * 1000;
    }
}

static void count_files(const struct delta_actions *actions, struct delta_version *out)
{
    struct map removed = {0};
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == DELTA_REMOVE) {
            (void)map_put(&removed, str_from(actions->items[i].file.path), out);
        }
    }
    size_t removed_count = removed.count;
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == DELTA_ADD) {
            bool changed = map_remove(&removed, str_from(actions->items[i].file.path)) != NULL;
            out->files_changed += changed;
            out->files_added += !changed;
        }
    }
    out->files_removed = (int64_t)removed_count - out->files_changed;
    map_release(&removed, NULL);
}

static bool read_version(struct store *store, const struct delta_log_entry *entry, struct arena *a,
                         struct delta_version *out, struct error *err)
{
    struct arena scratch = {0};
    struct delta_actions actions = {.arena = &scratch};
    bool found = false;
    *out = (struct delta_version){.version = entry->version,
                                  .time_us = entry->modified_ms * 1000,
                                  .rows_inserted = -1,
                                  .rows_updated = -1,
                                  .rows_deleted = -1};
    bool ok = delta_log_read(store, entry->version, &actions, &found, err);
    for (size_t i = 0; ok && i < actions.count; i++) {
        if (actions.items[i].kind == DELTA_INFO) {
            read_info(&actions.items[i].info, a, out);
        }
    }
    count_files(&actions, out);
    arena_release(&scratch);
    return ok;
}

bool delta_history(struct store *store, uint64_t limit, struct arena *a, struct delta_version **out,
                   size_t *count, struct error *err)
{
    struct delta_log_entry *entries = NULL;
    size_t total = 0;
    if (!delta_log_list(store, 0, &entries, &total, err)) {
        return false;
    }
    bool ok = total > 0 || error_set(err, ERROR_CONFIG, "there is no Delta table");
    *count = limit > 0 && limit < total ? (size_t)limit : total;
    *out = arena_array(a, *count, sizeof(**out));
    for (size_t i = 0; ok && i < *count; i++) {
        ok = read_version(store, &entries[total - 1 - i], a, &(*out)[i], err);
    }
    free(entries);
    return ok;
}
