#include "delta/at.h"

#include <inttypes.h>
#include <stdlib.h>

#include "delta/log.h"
#include "format/value.h"

/* The time in the commit itself, where there is one. [PROTOCOL.md, In-Commit Timestamps] */
static bool read_time(struct store *store, const struct delta_log_entry *entry, bool *has_in_commit,
                      int64_t *time_us, struct error *err)
{
    struct arena arena = {0};
    struct delta_actions actions = {.arena = &arena};
    bool found = false;
    bool ok = delta_log_read(store, entry->version, &actions, &found, err);
    *has_in_commit = false;
    *time_us = entry->modified_ms * 1000;
    for (size_t i = 0; ok && i < actions.count; i++) {
        const struct delta_action *action = &actions.items[i];
        if (action->kind == DELTA_INFO && action->info.has_in_commit) {
            *has_in_commit = true;
            *time_us = action->info.in_commit_ms * 1000;
        }
    }
    arena_release(&arena);
    return ok;
}

/* Commits are read only as long as they have times of their own, which a table has from some
 * version on. */
static bool find_time(struct store *store, const struct delta_log_entry *entries, size_t count,
                      int64_t wanted_us, int64_t *version, struct error *err)
{
    bool has_in_commit = true;
    for (size_t i = count; i > 0; i--) {
        int64_t time_us = entries[i - 1].modified_ms * 1000;
        if (has_in_commit && !read_time(store, &entries[i - 1], &has_in_commit, &time_us, err)) {
            return false;
        }
        if (time_us <= wanted_us) {
            *version = entries[i - 1].version;
            return true;
        }
    }
    struct column column = {.type = {.kind = TYPE_TIMESTAMPTZ}, .values = &wanted_us};
    owned(buf_release) struct buf text = {0};
    value_format(&column, 0, &text);
    return count > 0 ? error_set(err, ERROR_CONFIG,
                                 "there is no version of %s; the oldest that is left is %" PRId64,
                                 buf_text(&text), entries[0].version)
                     : error_set(err, ERROR_CONFIG, "there is no version of %s", buf_text(&text));
}

bool delta_at_version(struct store *store, const struct lake_at *at, int64_t *version,
                      struct error *err)
{
    *version = -1;
    if (at->kind == LAKE_NEWEST) {
        return true;
    }
    if (at->kind == LAKE_AT_VERSION) {
        *version = at->version;
        return at->version >= 0 ||
               error_set(err, ERROR_CONFIG, "there is no version %" PRId64, at->version);
    }
    struct delta_log_entry *entries = NULL;
    size_t count = 0;
    bool ok = delta_log_list(store, &entries, &count, err) &&
              find_time(store, entries, count, at->time_us, version, err);
    free(entries);
    return ok;
}
