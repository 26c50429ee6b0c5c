#include "pipeline/standing.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/lag.h"
#include "pipeline/position_field.h"
#include "pipeline/start.h"

enum { REMIND_MS = 10 * 60 * 1000 };

struct one_sink {
    enum sink_state state;
    char label[64];
    struct position durable;
    struct lag lag;
    struct error why;       /* it is not attached */
    int64_t since_ms;       /* since when */
    int64_t reminded_ms;    /* when that was last said */
    struct position target; /* where the pipeline's reader was... */
    int64_t target_ms;      /* ...at this time; 0: not yet asked */
};

struct standing {
    const struct pipeline_config *config;
    pthread_mutex_t lock;
    struct position received; /* the newest of all runs */
    struct progress_view told;
    struct one_sink sinks[];
};

struct standing *standing_new(const struct pipeline_config *config)
{
    struct standing *s = calloc(1, sizeof(*s) + config->sink_count * sizeof(s->sinks[0]));
    if (!s) {
        abort();
    }
    s->config = config;
    pthread_mutex_init(&s->lock, NULL);
    for (uint32_t i = 0; i < config->sink_count; i++) {
        (void)snprintf(s->sinks[i].label, sizeof(s->sinks[i].label), "%s-%u", config->sinks[i].type,
                       i);
    }
    return s;
}

void standing_free(struct standing **s)
{
    struct standing *old = take(*s);
    if (old) {
        pthread_mutex_destroy(&old->lock);
        free(old);
    }
}

static struct one_sink *lock_sink(struct standing *s, uint32_t sink)
{
    assert(sink < s->config->sink_count);
    pthread_mutex_lock(&s->lock);
    return &s->sinks[sink];
}

struct sink_status standing_of(struct standing *s, uint32_t sink)
{
    const struct one_sink *one = lock_sink(s, sink);
    struct sink_status status = {.state = one->state,
                                 .label = one->label,
                                 .durable = one->durable,
                                 .lag_ms = lag_ms(&one->lag, clock_wall_us())};
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- what becomes of a sink; the lock is held ---- */

static void say(const struct standing *s, const struct one_sink *one, const char *event)
{
    owned(buf_release) struct buf position = {0};
    bool failed = one->state == SINK_FAILED;
    log_at(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, event, log_str("pipeline", s->config->name),
           log_str("sink", one->label), position_field("position", one->durable, &position),
           log_i64("lag_ms", lag_ms(&one->lag, clock_wall_us())),
           log_str("kind", error_kind_name(one->why.kind)), log_str("error", one->why.message),
           log_str("detail", failed ? "the other sinks go on; the source keeps its log from this "
                                      "position on until the pipeline is started again"
                                    : "the other sinks go on; the source keeps its log from this "
                                      "position on until the sink has caught up"));
}

static void set_state(struct standing *s, struct one_sink *one, enum sink_state state,
                      const struct error *why)
{
    one->state = state;
    one->why = *why;
    one->target_ms = 0;
    one->since_ms = clock_monotonic_ms();
    one->reminded_ms = one->since_ms;
    say(s, one, state == SINK_FAILED ? "sink failed" : "sink detached");
}

void standing_detach(struct standing *s, uint32_t sink, const struct error *why)
{
    set_state(s, lock_sink(s, sink), SINK_DETACHED, why);
    pthread_mutex_unlock(&s->lock);
}

void standing_fail(struct standing *s, uint32_t sink, const struct error *why)
{
    struct error named = *why;
    start_name_way_back(s->config->name, &named);
    set_state(s, lock_sink(s, sink), SINK_FAILED, &named);
    pthread_mutex_unlock(&s->lock);
}

void standing_attach(struct standing *s, uint32_t sink)
{
    struct one_sink *one = lock_sink(s, sink);
    if (one->state != SINK_ATTACHED) {
        one->state = SINK_ATTACHED;
        one->why = (struct error){0};
        owned(buf_release) struct buf position = {0};
        log_info("sink attached", log_str("pipeline", s->config->name), log_str("sink", one->label),
                 position_field("position", one->durable, &position));
    }
    pthread_mutex_unlock(&s->lock);
}

bool standing_check(struct standing *s, struct error *err)
{
    bool done = true;
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; done && i < s->config->sink_count; i++) {
        if (s->sinks[i].state == SINK_FAILED) {
            *err = s->sinks[i].why;
            done = false;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return done;
}

void standing_remind(struct standing *s, int64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->config->sink_count; i++) {
        struct one_sink *one = &s->sinks[i];
        if (one->state != SINK_ATTACHED && now_ms - one->reminded_ms >= REMIND_MS) {
            one->reminded_ms = now_ms;
            say(s, one, one->state == SINK_FAILED ? "sink still failed" : "sink still detached");
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- how far each is ---- */

void standing_expect(struct standing *s, struct position position, int64_t commit_time_us)
{
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->config->sink_count; i++) {
        struct lag *lag = &s->sinks[i].lag;
        struct position owed =
            lag->count > 0 ? lag->marks[lag->count - 1].position : s->sinks[i].durable;
        if (!position_covers(owed, position)) { /* else it is read once more */
            lag_received(lag, position, commit_time_us);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

void standing_tell(struct standing *s, const struct progress_view *view)
{
    pthread_mutex_lock(&s->lock);
    s->told = *view;
    if (!position_has(&s->received, &view->received)) {
        s->received = position_join(s->received, view->received);
    }
    pthread_mutex_unlock(&s->lock);
}

struct progress_view standing_told(struct standing *s)
{
    pthread_mutex_lock(&s->lock);
    struct progress_view told = s->told;
    pthread_mutex_unlock(&s->lock);
    return told;
}

void standing_durable(struct standing *s, uint32_t sink, struct position position)
{
    struct one_sink *one = lock_sink(s, sink);
    if (!position_has(&one->durable, &position)) {
        one->durable = position_join(one->durable, position);
    }
    lag_durable(&one->lag, &one->durable);
    pthread_mutex_unlock(&s->lock);
}

bool standing_has_caught_up(struct standing *s, uint32_t sink, int64_t now_ms, int64_t tolerance_ms)
{
    struct one_sink *one = lock_sink(s, sink);
    bool caught_up = position_covers(one->durable, s->received);
    if (one->target_ms == 0 || position_covers(one->durable, one->target)) {
        caught_up |= one->target_ms != 0 && now_ms - one->target_ms <= tolerance_ms;
        one->target = s->received;
        one->target_ms = now_ms;
    }
    caught_up = caught_up && now_ms - one->since_ms >= s->config->detach_after_ms;
    pthread_mutex_unlock(&s->lock);
    return caught_up;
}

int64_t standing_lag_ms(struct standing *s)
{
    int64_t largest = 0;
    int64_t now_us = clock_wall_us();
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->config->sink_count; i++) {
        int64_t lag = lag_ms(&s->sinks[i].lag, now_us);
        largest = lag > largest ? lag : largest;
    }
    pthread_mutex_unlock(&s->lock);
    return largest;
}
