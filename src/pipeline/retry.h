/* Exponential back-off with jitter, bounded in number. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

struct retry {
    const struct retry_config *config; /* borrowed */
    uint32_t attempts;                 /* made since the last success */
};

/* True for the kinds that repeating the same step can mend. */
bool retry_is_for(enum error_kind kind);

/* The delay before the next attempt, or -1 when they are used up. */
int64_t retry_next_ms(struct retry *r);

/* Something succeeded: start counting anew. */
void retry_reset(struct retry *r);
