/* The versions of a Delta table, from its log. What rows of one version changed is in
 * history_pieces.c. */
#include "delta/lake_history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "delta/delta.h"
#include "delta/path.h"
#include "delta/protocol.h"
#include "delta/schema.h"

static struct delta_history *history_of(struct lake_history *h)
{
    return (struct delta_history *)h;
}

/* --- what a commit says of itself --- */

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

static void read_info(const struct delta_info *info, struct arena *a, struct lake_version *out)
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
    if (info->has_in_commit) {
        out->time_us = info->in_commit_ms * 1000;
    }
}

static void count_files(const struct delta_actions *actions, struct lake_version *out)
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

static bool changes_rows(const struct delta_action *action)
{
    return action->kind == DELTA_CDC ||
           ((action->kind == DELTA_ADD || action->kind == DELTA_REMOVE) &&
            action->file.data_change);
}

static bool describe(struct delta_history *h, const struct delta_log_entry *entry,
                     struct lake_version *out, struct delta_commit_note *note, struct error *err)
{
    struct arena scratch = {0};
    struct delta_actions actions = {.arena = &scratch};
    bool found = false;
    *out = (struct lake_version){.id = entry->version,
                                 .parent_id = entry->version - 1,
                                 .sequence = (uint64_t)entry->version,
                                 .time_us = entry->modified_ms * 1000,
                                 .rows_inserted = -1,
                                 .rows_updated = -1,
                                 .rows_deleted = -1,
                                 .keeps_rows = true};
    bool ok = delta_log_read(h->base.store, entry->version, &actions, &found, err) &&
              (found || error_set(err, ERROR_LOST, "commit %" PRId64 " was cleaned from the log",
                                  entry->version));
    for (size_t i = 0; ok && i < actions.count; i++) {
        const struct delta_action *action = &actions.items[i];
        if (action->kind == DELTA_INFO) {
            read_info(&action->info, &h->arena, out);
        } else if (action->kind == DELTA_METADATA) {
            note->has_metadata = true;
            note->has_feed =
                delta_property_is_true(&action->metadata, "delta.enableChangeDataFeed");
        }
        out->keeps_rows = out->keeps_rows && !changes_rows(action);
    }
    count_files(&actions, out);
    arena_release(&scratch);
    return ok;
}

/* --- opening --- */

/* The commits that follow each other without a gap up to the newest. */
static bool list_commits(struct delta_history *h, const struct lake_history_options *options,
                         struct delta_log_entry **entries, size_t *first, size_t *count,
                         struct error *err)
{
    if (!delta_log_list(h->base.store, entries, count, err)) {
        return false;
    }
    size_t i = *count;
    while (i > 0 && (*entries)[i - 1].version >= options->since &&
           (i == *count || (*entries)[i - 1].version + 1 == (*entries)[i].version) &&
           (options->limit == 0 || *count - i < options->limit)) {
        i--;
    }
    *first = i;
    return true;
}

static bool read_versions(struct delta_history *h, const struct lake_history_options *options,
                          struct error *err)
{
    struct delta_log_entry *entries = NULL;
    size_t first = 0;
    size_t end = 0;
    bool ok = list_commits(h, options, &entries, &first, &end, err);
    size_t count = ok ? end - first : 0;
    struct lake_version *versions = arena_array(&h->arena, count + 1, sizeof(*versions));
    h->notes = arena_zalloc(&h->arena, (count + 1) * sizeof(*h->notes));
    for (size_t i = 0; ok && i < count; i++) {
        ok = describe(h, &entries[first + i], &versions[i], &h->notes[i], err);
    }
    if (ok && count > 0 && (first == 0 || entries[first - 1].version + 1 != versions[0].id)) {
        versions[0].parent_id = -1;
    }
    h->base.versions = versions;
    h->base.version_count = count;
    free(entries);
    return ok;
}

static bool read_schema(struct delta_history *h, int64_t to, struct error *err)
{
    struct delta_state s;
    int64_t checkpoint = -1;
    delta_state_init(&s);
    bool ok = delta_log_replay(h->base.store, h->engine, to, &s, &checkpoint, err) &&
              (s.version >= 0 || error_set(err, ERROR_CONFIG, "there is no Delta table")) &&
              delta_protocol_check_reader(&s, err);
    if (ok) {
        delta_metadata_copy(&s.metadata, &h->arena, &h->metadata);
        h->metadata_version = s.version;
        h->base.table_id = h->metadata.id;
        h->schema = delta_schema_parse(h->metadata.schema, err);
        h->base.schema = h->schema;
        ok = h->schema && delta_mapping_read(&h->metadata, h->schema, &h->mapping, err);
        h->base.column_ids = h->mapping.numbers;
    }
    delta_state_release(&s);
    return ok;
}

static void history_free(struct lake_history *base)
{
    struct delta_history *h = history_of(base);
    schema_release(h->schema);
    arena_release(&h->arena);
    store_free(&h->base.store);
    free(h);
}

static void free_history(struct delta_history **h)
{
    if (*h) {
        history_free(&take(*h)->base);
    }
}

static bool open_history(struct delta_history *h, const struct lake_history_options *options,
                         struct error *err)
{
    h->base.store = store_open(options->table->location, err);
    if (!h->base.store || (!options->versions_only && !read_schema(h, options->to, err)) ||
        !read_versions(h, options, err)) {
        return false;
    }
    if (h->base.version_count == 0 && options->since <= 0) {
        return options->versions_only
                   ? error_set(err, ERROR_CONFIG, "there is no Delta table")
                   : error_set(err, ERROR_LOST, "every commit was cleaned from the log");
    }
    return true;
}

static struct lake_history *history_open(const struct lake_history_options *options,
                                         struct error *err)
{
    owned(free_history) struct delta_history *h = calloc(1, sizeof(*h));
    if (!h) {
        abort();
    }
    h->base.type = &delta_history;
    h->engine = options->engine;
    if (!open_history(h, options, err)) {
        (void)error_wrap(err, "table \"%s\"", options->table->location);
        return NULL;
    }
    return &take(h)->base;
}

const struct lake_history_type delta_history = {
    .name = "delta",
    .from_is_inclusive = true,
    .open = history_open,
    .changes = delta_history_changes,
    .compare = delta_history_compare,
    .free = history_free,
};
