/* The log of a Delta table: which versions and checkpoints there are, and reading them.
 * [PROTOCOL.md, Delta Log Entries, Checkpoints, Last Checkpoint File] */
#pragma once

#include "delta/action.h"
#include "delta/state.h"
#include "engine/engine.h"
#include "store/store.h"

/* A commit larger than this is not read. */
enum { DELTA_COMMIT_SIZE_MAX = 1 << 30 };

/* "_delta_log/00000000000000000012.json", in the arena. */
char *delta_commit_key(struct arena *a, int64_t version);

/* Reads one commit and appends its actions. *found false: there is no such file. */
must_check bool delta_log_read(struct store *store, int64_t version, struct delta_actions *out,
                               bool *found, struct error *err);

struct delta_log_entry {
    int64_t version;
    int64_t modified_ms; /* the file's, but later than that of the version before: clocks of writers
                            differ, while time does not go back in a table. [delta-io/delta,
                            DeltaHistoryManager] */
};

/* The commits that the log still has, ascending. Owned by the caller (free()). */
must_check bool delta_log_list(struct store *store, struct delta_log_entry **out, size_t *count,
                               struct error *err);

/* Replays the whole log into a fresh state; s->version stays -1 when there is no table.
 * `last_checkpoint` is the newest one's version or -1. ERROR_LOST names a gap; a checkpoint of a
 * kind that is not read is ERROR_CONFIG, and only when nothing else leads to the newest version.
 * The engine may be NULL, then tables with checkpoints are ERROR_CONFIG. `until` < 0: the newest
 * version, else the state at it. */
must_check bool delta_log_replay(struct store *store, struct engine_connection *engine,
                                 int64_t until, struct delta_state *s, int64_t *last_checkpoint,
                                 struct error *err);
