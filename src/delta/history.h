/* What each version of a table did, from its log. */
#pragma once

#include "base/arena.h"
#include "store/store.h"

struct delta_version {
    int64_t version;
    int64_t time_us;
    const char *operation; /* NULL: the commit does not say; so with what follows */
    const char *engine;
    const char *position;  /* the source position that leat wrote */
    int64_t rows_inserted; /* -1: not said */
    int64_t rows_updated;
    int64_t rows_deleted;
    int64_t files_added;
    int64_t files_changed; /* other rows of the same file are deleted */
    int64_t files_removed;
};

/* The newest versions, at most `limit` (0: all that the log still has), newest first, in the arena.
 * ERROR_CONFIG when there is no table. */
must_check bool delta_history(struct store *store, uint64_t limit, struct arena *a,
                              struct delta_version **out, size_t *count, struct error *err);
