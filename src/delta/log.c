#include "delta/log.h"

#include <inttypes.h>
#include <stdlib.h>

#include "delta/checkpoint.h"

enum { HINT_SIZE_MAX = 1 << 20 };

char *delta_commit_key(struct arena *a, int64_t version)
{
    return arena_format(a, "_delta_log/%020" PRId64 ".json", version);
}

bool delta_log_read(struct store *store, int64_t version, struct delta_actions *out, bool *found,
                    struct error *err)
{
    owned(buf_release) struct buf text = {0};
    struct error reason = {0};
    *found = false;
    if (!store_get(store, delta_commit_key(out->arena, version), DELTA_COMMIT_SIZE_MAX, &text,
                   &reason)) {
        if (reason.kind == ERROR_CONFLICT) {
            return true;
        }
        *err = reason;
        return false;
    }
    *found = true;
    if (!delta_actions_decode(buf_str(&text), out, err)) {
        return error_wrap(err, "commit %" PRId64, version);
    }
    return true;
}

/* --- names in _delta_log --- */

enum log_name { NAME_OTHER, NAME_COMMIT, NAME_CHECKPOINT, NAME_CHECKPOINT_V2 };

struct parsed_name {
    enum log_name kind;
    int64_t version;
    uint32_t part; /* multi-part checkpoints: 1.. ; else 0 */
    uint32_t part_count;
};

/* Reads exactly `digits` decimal digits. */
static bool read_digits(const char **p, size_t digits, int64_t *out)
{
    int64_t v = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, c - '0', &v)) {
            return false;
        }
    }
    *p += digits;
    *out = v;
    return true;
}

static struct parsed_name parse_name(const char *name)
{
    struct parsed_name out = {.kind = NAME_OTHER};
    const char *p = name;
    if (!read_digits(&p, 20, &out.version)) {
        return out;
    }
    if (strcmp(p, ".json") == 0) {
        out.kind = NAME_COMMIT;
    } else if (strcmp(p, ".checkpoint.parquet") == 0) {
        out.kind = NAME_CHECKPOINT;
    } else if (strncmp(p, ".checkpoint.", 12) == 0) {
        int64_t part = 0;
        int64_t parts = 0;
        p += 12;
        if (read_digits(&p, 10, &part) && *p++ == '.' && read_digits(&p, 10, &parts) &&
            strcmp(p, ".parquet") == 0 && part >= 1 && part <= parts && parts <= UINT32_MAX) {
            out.kind = NAME_CHECKPOINT;
            out.part = (uint32_t)part;
            out.part_count = (uint32_t)parts;
        } else {
            out.kind = NAME_CHECKPOINT_V2; /* <version>.checkpoint.<uuid>.(json|parquet) */
        }
    }
    return out;
}

bool delta_log_list(struct store *store, struct delta_log_entry **out, size_t *count,
                    struct error *err)
{
    owned(store_entries_release) struct store_entries entries = {0};
    if (!store_list(store, "_delta_log", "", &entries, err)) {
        return false;
    }
    *count = 0;
    *out = calloc(entries.count + 1, sizeof(**out));
    if (!*out) {
        abort();
    }
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < entries.count; i++) {
        struct parsed_name name = parse_name(entries.items[i].name);
        if (name.kind == NAME_COMMIT) {
            int64_t ms = entries.items[i].modified_ms;
            last_ms = ms > last_ms ? ms : last_ms + 1;
            (*out)[(*count)++] =
                (struct delta_log_entry){.version = name.version, .modified_ms = last_ms};
        }
    }
    return true;
}

/* --- what to read --- */

/* The version that _last_checkpoint hints at, or -1. It may be missing, stale or broken: never an
 * error. */
static int64_t read_hint(struct store *store)
{
    owned(buf_release) struct buf text = {0};
    struct error ignored = {0};
    if (!store_get(store, "_delta_log/_last_checkpoint", HINT_SIZE_MAX, &text, &ignored)) {
        return -1;
    }
    owned(json_free) json_t *hint = field_parse(buf_str(&text), &ignored);
    int64_t version = -1;
    return hint && field_int64(hint, "version", &version, NULL, &ignored) ? version : -1;
}

/* What the listing says of one version. */
struct candidate {
    size_t first;
    size_t count;
    int64_t version;
};

struct listing {
    struct store_entries entries;
    struct parsed_name *names; /* owned; one an entry */
    int64_t newest;            /* version: of a commit or a checkpoint; -1 none */
};

static void free_listing(struct listing *l)
{
    store_entries_release(&l->entries);
    free(l->names);
}

static bool list(struct store *store, int64_t from, struct listing *out, struct error *err)
{
    char first[32];
    (void)snprintf(first, sizeof(first), "%020" PRId64, from);
    if (!store_list(store, "_delta_log", first, &out->entries, err)) {
        return false;
    }
    out->names = calloc(out->entries.count + 1, sizeof(*out->names));
    if (!out->names) {
        abort();
    }
    out->newest = -1;
    for (size_t i = 0; i < out->entries.count; i++) {
        out->names[i] = parse_name(out->entries.items[i].name);
        if (out->names[i].kind != NAME_OTHER && out->names[i].version > out->newest) {
            out->newest = out->names[i].version;
        }
    }
    return true;
}

/* The entries of the newest complete classic checkpoint of at most `until`, or count 0. Names sort
 * by version, then part. */
static struct candidate find_checkpoint(const struct listing *l, int64_t until)
{
    struct candidate best = {.version = -1};
    for (size_t i = 0; i < l->entries.count; i++) {
        const struct parsed_name *n = &l->names[i];
        if (n->kind != NAME_CHECKPOINT || n->version > until || n->version < best.version) {
            continue;
        }
        if (n->part_count == 0) {
            best = (struct candidate){.first = i, .count = 1, .version = n->version};
            continue;
        }
        size_t run = 0;
        while (n->part == 1 && i + run < l->entries.count &&
               l->names[i + run].version == n->version &&
               l->names[i + run].part_count == n->part_count && l->names[i + run].part == run + 1) {
            run++;
        }
        if (run == n->part_count && best.version != n->version) {
            best = (struct candidate){.first = i, .count = run, .version = n->version};
        }
    }
    return best;
}

/* True when the listing has every commit of from..until. *missing: the first that it has not. */
static bool has_commits(const struct listing *l, int64_t from, int64_t until, int64_t *missing)
{
    int64_t next = from;
    for (size_t i = 0; i < l->entries.count && next <= until; i++) {
        if (l->names[i].kind == NAME_COMMIT && l->names[i].version == next) {
            next++;
        }
    }
    *missing = next;
    return next > until;
}

/* --- reading --- */

static bool apply_checkpoint(struct store *store, struct engine_connection *engine,
                             const struct listing *l, const struct candidate *c,
                             struct delta_state *s, struct error *err)
{
    struct arena arena = {0};
    struct delta_actions actions = {.arena = &arena};
    bool ok = true;
    for (size_t i = 0; ok && i < c->count; i++) {
        const char *key =
            arena_format(&arena, "_delta_log/%s", l->entries.items[c->first + i].name);
        ok = delta_checkpoint_read(store, engine, key, &actions, err);
    }
    ok = ok && delta_state_apply(s, c->version, actions.items, actions.count, err);
    arena_release(&arena);
    return ok;
}

static bool apply_commits(struct store *store, int64_t from, int64_t until, struct delta_state *s,
                          struct error *err)
{
    for (int64_t version = from; version <= until; version++) {
        struct arena arena = {0};
        struct delta_actions actions = {.arena = &arena};
        bool found = false;
        bool ok = delta_log_read(store, version, &actions, &found, err) &&
                  (found ||
                   error_set(err, ERROR_LOST,
                             "commit %" PRId64 " was removed while the log was read", version)) &&
                  delta_state_apply(s, version, actions.items, actions.count, err);
        arena_release(&arena);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool explain_gap(const struct listing *l, int64_t checkpoint, int64_t missing, int64_t until,
                        struct error *err)
{
    for (size_t i = 0; i < l->entries.count; i++) {
        if (l->names[i].kind == NAME_CHECKPOINT_V2 && l->names[i].version >= missing &&
            l->names[i].version <= until) {
            return error_set(err, ERROR_CONFIG,
                             "version %" PRId64
                             " is only in a V2 checkpoint (\"%s\"), which is not "
                             "read; write a classic one: delta.checkpointPolicy = classic",
                             l->names[i].version, l->entries.items[i].name);
        }
    }
    if (checkpoint < 0) {
        return error_set(err, ERROR_LOST,
                         "the log has version %" PRId64 " but neither commit %" PRId64
                         " nor a complete checkpoint before it",
                         until, missing);
    }
    return error_set(err, ERROR_LOST,
                     "the log has version %" PRId64 " and a checkpoint of %" PRId64
                     ", but not commit %" PRId64,
                     until, checkpoint, missing);
}

/* Replays from the newest checkpoint that can be read and that commits lead on from. */
static bool replay_listing(struct store *store, struct engine_connection *engine,
                           const struct listing *l, int64_t until, struct delta_state *s,
                           int64_t *last_checkpoint, struct error *err)
{
    struct error first = {0}; /* why the newest checkpoint could not be read */
    int64_t limit = until;
    for (;;) {
        struct candidate c = find_checkpoint(l, limit);
        int64_t missing = 0;
        if (!has_commits(l, c.version + 1, until, &missing)) {
            if (first.kind != ERROR_NONE) {
                *err = first;
                return false;
            }
            return explain_gap(l, c.version, missing, until, err);
        }
        struct error reason = {0};
        if (c.version < 0 || apply_checkpoint(store, engine, l, &c, s, &reason)) {
            *last_checkpoint = c.version;
            return apply_commits(store, c.version + 1, until, s, err);
        }
        if (first.kind == ERROR_NONE) {
            first = reason;
        }
        delta_state_release(s);
        limit = c.version - 1;
    }
}

bool delta_log_replay(struct store *store, struct engine_connection *engine, int64_t until,
                      struct delta_state *s, int64_t *last_checkpoint, struct error *err)
{
    int64_t hint = read_hint(store);
    *last_checkpoint = -1;
    if (hint > 0 && (until < 0 || hint <= until)) {
        owned(free_listing) struct listing recent = {0};
        if (!list(store, hint, &recent, err)) {
            return false;
        }
        struct error ignored = {0};
        int64_t end = until < 0 ? recent.newest : until;
        if (end <= recent.newest && find_checkpoint(&recent, end).count > 0 &&
            replay_listing(store, engine, &recent, end, s, last_checkpoint, &ignored)) {
            return true;
        }
        delta_state_release(s);
    }
    owned(free_listing) struct listing all = {0};
    if (!list(store, 0, &all, err)) {
        return false;
    }
    if (all.newest < 0) {
        return true;
    }
    if (until > all.newest) {
        return error_set(err, ERROR_CONFIG,
                         "there is no version %" PRId64 "; the newest is %" PRId64, until,
                         all.newest);
    }
    return replay_listing(store, engine, &all, until < 0 ? all.newest : until, s, last_checkpoint,
                          err);
}
