/* How old the newest source commit is that is not durable yet. The caller
 * locks. */
#pragma once

#include <stdint.h>

#include "model/position.h"

enum { LAG_MARKS = 64 };

struct lag_mark {
    struct position position;
    int64_t commit_time_us;
};

struct lag {
    struct lag_mark marks[LAG_MARKS]; /* barriers with changes that are not durable, oldest first */
    uint32_t count;
};

/* A barrier with changes was handed to the sinks. */
void lag_received(struct lag *l, struct position position, int64_t commit_time_us);

/* Everything up to `durable` is in the tables. */
void lag_durable(struct lag *l, const struct position *durable);

/* Milliseconds since the oldest commit that is not durable; 0: all are. */
int64_t lag_ms(const struct lag *l, int64_t now_us);
