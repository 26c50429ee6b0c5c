/* When an epoch ends: the reader asks at each transaction boundary (rule 1).
 *
 * With changes: when the interval has passed since the last epoch with changes, or rows or bytes
 * are full. Without: when the stream has moved and the interval has passed, so that an idle table's
 * log is let go. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"

struct epoch {
    int64_t interval_ms;
    uint64_t rows_max;
    uint64_t bytes_max;

    uint64_t number; /* of the last barrier */
    uint64_t rows;   /* since the last barrier */
    uint64_t bytes;
    bool has_changes;         /* rows, a truncate or a schema since the last barrier */
    int64_t changed_ms;       /* when the last epoch with changes ended (monotonic) */
    int64_t ended_ms;         /* when the last epoch ended */
    struct position position; /* of the last barrier */
};

/* Counts an event that goes to the sinks. */
void epoch_add(struct epoch *e, const struct event *event);

/* True when a barrier is due at the boundary `position`. */
bool epoch_is_due(const struct epoch *e, struct position position, int64_t now_ms);

/* True when rows or bytes are full; while loading that alone ends an epoch. */
bool epoch_is_full(const struct epoch *e);

/* Ends the epoch and returns its barrier. */
struct barrier epoch_end(struct epoch *e, struct position position, enum barrier_phase phase,
                         int64_t commit_time_us, int64_t now_ms);
