#include "pipeline/pipeline.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/reader.h"
#include "pipeline/retry.h"

struct pipeline {
    const struct pipeline_config *config;
    struct pipeline_options options;
    struct reader_shared shared;
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

/* Whoever finds something lost knows what; only here is it known which pipeline has to be loaded
 * again. */
static void name_way_back(const struct pipeline *p, struct error *err)
{
    size_t used = strlen(err->message);
    char reload[128];
    (void)snprintf(reload, sizeof(reload), "leat reload %s", p->config->name);
    if (err->kind == ERROR_LOST && !strstr(err->message, reload)) {
        (void)snprintf(err->message + used, sizeof(err->message) - used,
                       "; \"%s\" makes the tables equal to the source again", reload);
    }
}

/* The supervisor: one run after the other until one ends well, cannot be mended, or was asked to
 * end. What a broken run had not committed is read again: the tables know where they stand. */
static bool supervise(struct pipeline *p, struct error *err)
{
    struct retry retry = {.config = &p->config->retry};
    for (;;) {
        struct error attempt = {0};
        if (reader_run(p->config, &p->options, &p->shared, &attempt)) {
            return true;
        }
        if (attempt.kind == ERROR_CANCELLED || (is_stopping(p) && retry_is_for(attempt.kind))) {
            return true; /* asked to stop: what is not committed comes again at the next start */
        }
        if (p->shared.progressed) {
            retry_reset(&retry);
        }
        int64_t delay_ms = retry_is_for(attempt.kind) ? retry_next_ms(&retry) : -1;
        if (delay_ms < 0) {
            *err = attempt;
            name_way_back(p, err);
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
        free(p);
    }
}

struct pipeline_status pipeline_status(struct pipeline *p)
{
    const struct reader_shared *s = &p->shared;
    return (struct pipeline_status){.state = atomic_load(&s->state),
                                    .rows_received = atomic_load(&s->rows_received),
                                    .rows_loaded = atomic_load(&s->rows_loaded),
                                    .received = position_integer(atomic_load(&s->received)),
                                    .durable = position_integer(atomic_load(&s->durable)),
                                    .acknowledged = position_integer(atomic_load(&s->acknowledged)),
                                    .lag_ms = atomic_load(&s->lag_ms)};
}
