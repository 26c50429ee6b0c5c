#include "pipeline/retry.h"

#include "base/clock.h"

bool retry_is_for(enum error_kind kind)
{
    return kind == ERROR_RETRY || kind == ERROR_CONFLICT || kind == ERROR_UNKNOWN;
}

int64_t retry_next_ms(struct retry *r)
{
    if (r->attempts >= r->config->attempts) {
        return -1;
    }
    int64_t delay = r->config->delay_ms;
    for (uint32_t i = 0; i < r->attempts && delay < r->config->delay_max_ms; i++) {
        delay *= 2;
    }
    if (delay > r->config->delay_max_ms) {
        delay = r->config->delay_max_ms;
    }
    r->attempts++;

    /* Half fixed, half random: clients that failed together do not come back together. */
    return delay / 2 + (int64_t)random_below((uint64_t)delay / 2 + 1);
}

void retry_reset(struct retry *r)
{
    r->attempts = 0;
}
