#include "pipeline/pipeline.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/catch_up.h"
#include "pipeline/reader.h"
#include "pipeline/retry.h"
#include "pipeline/standing.h"
#include "pipeline/start.h"

struct pipeline {
    const struct pipeline_config *config;
    struct pipeline_options options;
    struct reader_shared shared;
    struct standing *standing;
    struct catch_up **catch_ups; /* one per sink; NULL: it is not detached. Of the thread. */
    pthread_t thread;
    bool joined;
    atomic_bool ended;
    bool done;        /* set before `ended` */
    struct error err; /* why not */
};

const char *pipeline_state_name(enum pipeline_state state)
{
    static const char *const names[] = {"starting", "loading", "streaming",
                                        "retrying", "stopped", "failed"};
    return names[state];
}

static bool is_stopping(struct pipeline *p)
{
    return atomic_load(&p->shared.stop) || atomic_load(&p->shared.abandon);
}

static void wait_ms(struct pipeline *p, int64_t delay_ms)
{
    int64_t until = clock_monotonic_ms() + delay_ms;
    while (!is_stopping(p) && clock_monotonic_ms() < until) {
        struct timespec step = {.tv_nsec = 10 * 1000000L};
        (void)nanosleep(&step, NULL);
    }
}

/* ---- detached sinks ---- */

static void catch_up(void *arg, uint32_t sink)
{
    struct pipeline *p = arg;
    if (!is_stopping(p)) { /* else the next start goes on from its tables */
        p->catch_ups[sink] = catch_up_start(p->config, p->standing, sink, &p->shared);
    }
}

/* Between two runs: sinks that stand where the others stand take part again. */
static void rejoin(struct pipeline *p)
{
    atomic_store(&p->shared.rejoin, false);
    for (uint32_t i = 0; i < p->config->sink_count; i++) {
        if (p->catch_ups[i] && catch_up_is_done(p->catch_ups[i])) {
            catch_up_stop(&p->catch_ups[i]);
            standing_attach(p->standing, i);
        }
    }
}

static void stop_catch_ups(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->config->sink_count; i++) {
        catch_up_stop(&p->catch_ups[i]);
    }
}

/* Tables have to be loaded: that takes every sink, whatever became of it. */
static void recall_all(struct pipeline *p)
{
    stop_catch_ups(p);
    for (uint32_t i = 0; i < p->config->sink_count; i++) {
        standing_attach(p->standing, i);
    }
}

/* ---- runs ---- */

/* One run after the other as long as they end only to take sinks back. */
static bool run_while_rejoining(struct pipeline *p, struct error *err)
{
    const struct reader_task task = {.config = p->config,
                                     .options = &p->options,
                                     .shared = &p->shared,
                                     .standing = p->standing,
                                     .left = catch_up,
                                     .left_arg = p};
    do {
        rejoin(p);
        if (!reader_run(&task, err)) {
            return false;
        }
    } while (atomic_load(&p->shared.rejoin) && !is_stopping(p));
    return true;
}

/* The supervisor: until a run ends well, cannot be mended, or was asked to end. What a broken run
 * had not committed is read again: the tables know where they stand. */
static bool supervise(struct pipeline *p, struct error *err)
{
    struct retry retry = {.config = &p->config->retry};
    for (;;) {
        struct error attempt = {0};
        if (run_while_rejoining(p, &attempt)) {
            return true;
        }
        if (attempt.kind == ERROR_CANCELLED || (is_stopping(p) && retry_is_for(attempt.kind))) {
            return true; /* asked to stop: what is not committed comes again at the next start */
        }
        if (p->shared.needs_load) {
            recall_all(p);
        }
        if (p->shared.progressed) {
            retry_reset(&retry);
        }
        int64_t delay_ms = retry_is_for(attempt.kind) ? retry_next_ms(&retry) : -1;
        if (delay_ms < 0) {
            *err = attempt;
            start_name_way_back(p->config->name, err);
            return false;
        }
        atomic_store(&p->shared.state, PIPELINE_RETRYING);
        log_warn("pipeline retry", log_str("pipeline", p->config->name),
                 log_u64("attempt", retry.attempts), log_i64("delay_ms", delay_ms),
                 log_str("error", attempt.message));
        wait_ms(p, delay_ms);
        if (is_stopping(p)) {
            return true;
        }
    }
}

static void *run(void *arg)
{
    struct pipeline *p = arg;
    p->done = supervise(p, &p->err);
    stop_catch_ups(p);
    p->done = p->done && standing_check(p->standing, &p->err); /* the others went on without it */
    atomic_store(&p->shared.state, p->done ? PIPELINE_STOPPED : PIPELINE_FAILED);
    if (p->done) {
        log_info("pipeline stopped", log_str("pipeline", p->config->name));
    } else {
        log_error("pipeline failed", log_str("pipeline", p->config->name),
                  log_str("kind", error_kind_name(p->err.kind)), log_str("error", p->err.message));
    }
    atomic_store(&p->ended, true);
    return NULL;
}

struct pipeline *pipeline_start(const struct pipeline_config *config,
                                const struct pipeline_options *options)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    if (!p) {
        abort();
    }
    p->config = config;
    p->options = *options;
    p->standing = standing_new(config);
    p->catch_ups = calloc(config->sink_count + 1, sizeof(struct catch_up *));
    if (!p->catch_ups) {
        abort();
    }
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        abort();
    }
    return p;
}

void pipeline_stop(struct pipeline *p)
{
    atomic_store(&p->shared.stop, true);
}

void pipeline_abandon(struct pipeline *p)
{
    atomic_store(&p->shared.abandon, true);
}

bool pipeline_has_ended(struct pipeline *p)
{
    return atomic_load(&p->ended);
}

bool pipeline_wait(struct pipeline *p, struct error *err)
{
    if (!p->joined) {
        pthread_join(p->thread, NULL);
        p->joined = true;
    }
    if (!p->done) {
        *err = p->err;
    }
    return p->done;
}

void pipeline_free(struct pipeline **pipeline)
{
    struct pipeline *p = take(*pipeline);
    if (p) {
        struct error ignored = {0};
        pipeline_abandon(p);
        (void)!pipeline_wait(p, &ignored);
        standing_free(&p->standing);
        free(p->catch_ups);
        free(p);
    }
}

struct pipeline_status pipeline_status(struct pipeline *p)
{
    const struct reader_shared *s = &p->shared;
    struct progress_view told = standing_told(p->standing);
    return (struct pipeline_status){.state = atomic_load(&s->state),
                                    .rows_received = atomic_load(&s->rows_received),
                                    .rows_loaded = atomic_load(&s->rows_loaded),
                                    .received = told.received,
                                    .durable = told.durable,
                                    .acknowledged = told.acknowledged,
                                    .lag_ms = atomic_load(&s->lag_ms)};
}

struct sink_status pipeline_sink_status(struct pipeline *p, uint32_t sink)
{
    return standing_of(p->standing, sink);
}
