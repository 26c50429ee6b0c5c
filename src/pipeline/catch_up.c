#include "pipeline/catch_up.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "observe/metrics.h"
#include "pipeline/retry.h"

struct catch_up {
    struct pipeline_config config; /* the pipeline's, with this sink alone */
    struct pipeline_options options;
    struct standing *standing;
    uint32_t sink;
    struct reader_shared shared;
    struct reader_shared *pipeline;
    pthread_t thread;
    atomic_bool done;
};

static bool is_abandoned(struct catch_up *c)
{
    return atomic_load(&c->shared.abandon);
}

static void wait_ms(struct catch_up *c, int64_t delay_ms)
{
    int64_t until = clock_monotonic_ms() + delay_ms;
    while (!is_abandoned(c) && clock_monotonic_ms() < until) {
        struct timespec step = {.tv_nsec = 10 * 1000000L};
        (void)nanosleep(&step, NULL);
    }
}

/* One run after the other. False: the sink has failed. */
static bool try_until_done(struct catch_up *c, struct error *err)
{
    struct retry_config delays = c->config.retry;
    delays.attempts = UINT32_MAX; /* only this sink waits */
    struct retry retry = {.config = &delays};
    const char *label = standing_of(c->standing, c->sink).label;
    const struct reader_task task = {.config = &c->config,
                                     .options = &c->options,
                                     .shared = &c->shared,
                                     .standing = c->standing,
                                     .aside = label,
                                     .first_sink = c->sink};
    for (;;) {
        struct error attempt = {0};
        atomic_store(&c->shared.stop, false);
        if (reader_run(&task, &attempt) || is_abandoned(c)) {
            return true;
        }
        if (!retry_is_for(attempt.kind)) {
            *err = attempt;
            return false;
        }
        if (c->shared.progressed) {
            retry_reset(&retry);
        }
        int64_t delay_ms = retry_next_ms(&retry);
        metric_add(METRIC_RETRIES, &(struct metric_labels){.pipeline = c->config.name}, 1);
        log_warn("sink retry", log_str("pipeline", c->config.name), log_str("sink", label),
                 log_u64("attempt", retry.attempts), log_i64("delay_ms", delay_ms),
                 log_str("error", attempt.message));
        wait_ms(c, delay_ms);
        if (is_abandoned(c)) {
            return true;
        }
    }
}

static void *run(void *arg)
{
    struct catch_up *c = arg;
    struct error err = {0};
    if (!try_until_done(c, &err)) {
        standing_fail(c->standing, c->sink, &err);
    } else if (!is_abandoned(c)) {
        atomic_store(&c->done, true);
        atomic_store(&c->pipeline->rejoin, true);
    }
    return NULL;
}

struct catch_up *catch_up_start(const struct pipeline_config *config, struct standing *standing,
                                uint32_t sink, struct reader_shared *pipeline)
{
    struct catch_up *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->config = *config;
    c->config.sinks = &config->sinks[sink];
    c->config.sink_count = 1;
    c->config.memory_bytes = config->memory_bytes / config->sink_count;
    c->standing = standing;
    c->sink = sink;
    c->shared.has_streamed = true;
    c->pipeline = pipeline;
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        abort();
    }
    return c;
}

bool catch_up_is_done(struct catch_up *c)
{
    return atomic_load(&c->done);
}

void catch_up_stop(struct catch_up **catch_up)
{
    struct catch_up *c = take(*catch_up);
    if (c) {
        atomic_store(&c->shared.abandon, true);
        pthread_join(c->thread, NULL);
        free(c);
    }
}
