#include "pipeline/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "observe/metrics.h"
#include "pipeline/retry.h"

struct writer {
    struct writer_options options;
    struct queue *queue;
    pthread_t thread;
    enum sink_result *results;
    atomic_bool abandoned;
    bool has_changes;                   /* since the last barrier */
    int64_t commit_ms;                  /* when something was last committed (monotonic) */
    struct position heartbeat_position; /* complete as of then */
    bool is_loading;
    bool gave_up;
    atomic_bool failed;
    atomic_bool ended;
    struct error err; /* why */
};

/* Sleeps in small steps, so that an abandoned writer ends soon. */
static void wait_ms(struct writer *w, int64_t delay_ms)
{
    int64_t until = clock_monotonic_ms() + delay_ms;
    while (!atomic_load(&w->abandoned) && clock_monotonic_ms() < until) {
        struct timespec step = {.tv_nsec = 10 * 1000000L};
        (void)nanosleep(&step, NULL);
    }
}

/* The delay before the commit is repeated, or -1: it is not. */
static int64_t next_delay_ms(const struct writer *w, struct retry *retry, enum error_kind kind,
                             int64_t began_ms)
{
    int64_t delay_ms = retry_is_for(kind) ? retry_next_ms(retry) : -1;
    bool late = clock_monotonic_ms() + delay_ms - began_ms > w->options.give_up_after_ms;
    return late && !w->is_loading ? -1 : delay_ms;
}

static bool commit_with_retries(struct writer *w, const struct barrier *barrier, bool heartbeat,
                                struct error *err)
{
    struct retry retry = {.config = w->options.retry};
    int64_t began_ms = clock_monotonic_ms();
    for (uint32_t made = 1;; made++) {
        struct error attempt = {0};
        if (sink_commit(w->options.sink, barrier, heartbeat, w->results, &attempt)) {
            return true;
        }
        int64_t delay_ms = next_delay_ms(w, &retry, attempt.kind, began_ms);
        if (delay_ms < 0 || atomic_load(&w->abandoned)) {
            *err = attempt;
            w->gave_up = delay_ms < 0 && retry.attempts > 0 && retry_is_for(attempt.kind);
            return w->gave_up && error_wrap(err, "gave up after %u attempts", made);
        }
        metric_add(METRIC_RETRIES, &(struct metric_labels){.pipeline = w->options.pipeline}, 1);
        log_warn("commit retry", log_str("pipeline", w->options.pipeline),
                 log_str("sink", w->options.sink_name), log_u64("attempt", made),
                 log_i64("delay_ms", delay_ms), log_str("error", attempt.message));
        wait_ms(w, delay_ms);
    }
}

static void measure(struct writer *w, int64_t commit_us)
{
    struct metric_labels labels = {.pipeline = w->options.pipeline, .sink = w->options.sink_name};
    metric_add(METRIC_COMMIT_DURATION, &labels, (double)commit_us / 1e6);
    metric_set(METRIC_QUEUE_BYTES, &labels, (double)queue_bytes(w->queue));
}

static bool end_epoch(struct writer *w, const struct barrier *barrier, struct error *err)
{
    struct progress *progress = w->options.progress;
    bool streaming = barrier->phase == PHASE_STREAMING;
    int64_t now_ms = clock_monotonic_ms();

    if (streaming) {
        progress_staged(progress, w->options.index, barrier->position);
    }
    bool heartbeat = streaming && !w->has_changes &&
                     now_ms - w->commit_ms >= w->options.heartbeat_ms &&
                     !position_equal(barrier->position, w->heartbeat_position);
    failpoint("writer_before_commit");
    int64_t started_us = clock_monotonic_us();
    if (!commit_with_retries(w, barrier, heartbeat, err)) {
        return false;
    }
    measure(w, clock_monotonic_us() - started_us);
    failpoint("writer_after_commit");
    if (w->has_changes || heartbeat) {
        w->commit_ms = now_ms;
        w->heartbeat_position = barrier->position;
    }
    w->has_changes = false;
    if (streaming) {
        progress_durable(progress, w->options.index, barrier->position);
        w->is_loading = false;
    }
    return true;
}

static bool handle(struct writer *w, const struct event *event, struct error *err)
{
    if (event->kind == EVENT_BARRIER) {
        return end_epoch(w, &event->barrier, err);
    }
    w->has_changes = true;
    return sink_write(w->options.sink, event, err);
}

static void *run(void *arg)
{
    struct writer *w = arg;
    while (!atomic_load(&w->abandoned)) {
        struct event event = {0};
        enum queue_result popped = queue_pop(w->queue, &event, 1000);
        if (popped == QUEUE_CLOSED) {
            break;
        }
        if (popped == QUEUE_TIMEOUT) {
            continue;
        }
        bool done = handle(w, &event, &w->err);
        event_release(&event);
        if (!done) {
            atomic_store(&w->failed, true);
            queue_abandon(w->queue); /* the reader's next push tells it */
            break;
        }
    }
    atomic_store(&w->ended, true);
    return NULL;
}

struct writer *writer_start(const struct writer_options *options)
{
    struct writer *w = calloc(1, sizeof(*w));
    if (!w) {
        abort();
    }
    w->options = *options;
    w->is_loading = options->is_loading;
    w->queue = queue_new(options->queue_bytes_max);
    w->results = calloc(options->table_count + 1, sizeof(*w->results));
    w->commit_ms = clock_monotonic_ms();
    if (!w->results || pthread_create(&w->thread, NULL, run, w) != 0) {
        abort();
    }
    return w;
}

struct queue *writer_queue(struct writer *w)
{
    return w->queue;
}

bool writer_has_failed(struct writer *w)
{
    return atomic_load(&w->failed);
}

void writer_abandon(struct writer *w)
{
    atomic_store(&w->abandoned, true);
    queue_abandon(w->queue);
}

bool writer_has_ended(struct writer *w)
{
    return atomic_load(&w->ended);
}

bool writer_stop(struct writer **writer, bool abandon, bool *gave_up, struct error *err)
{
    struct writer *w = take(*writer);
    if (!w) {
        return true;
    }
    if (abandon) {
        writer_abandon(w);
    } else {
        queue_close(w->queue);
    }
    pthread_join(w->thread, NULL);
    bool done = !atomic_load(&w->failed);
    if (gave_up) {
        *gave_up = w->gave_up;
    }
    if (!done && err->kind == ERROR_NONE) {
        *err = w->err;
        (void)error_wrap(err, "sink %s", w->options.sink_name);
    }
    metric_set(
        METRIC_QUEUE_BYTES,
        &(struct metric_labels){.pipeline = w->options.pipeline, .sink = w->options.sink_name}, 0);
    queue_free(&w->queue);
    free(w->results);
    free(w);
    return done;
}
