#include "pipeline/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { QUEUE_SLOTS = 256 };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event events[QUEUE_SLOTS];
    size_t head;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    bool closed;
    bool has_waiter; /* the consumer waits */
};

struct queue *queue_new(size_t bytes_max)
{
    assert(bytes_max > 0);
    struct queue *q = calloc(1, sizeof(*q));
    if (!q) {
        abort();
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&q->lock, NULL);
    q->bytes_max = bytes_max;
    return q;
}

static size_t event_bytes(const struct event *e)
{
    return e->batch ? batch_bytes(e->batch) : 0;
}

/* The caller holds the lock and has seen that the queue is not empty. */
static struct event take_head(struct queue *q)
{
    struct event e = q->events[q->head];
    q->head = (q->head + 1) % QUEUE_SLOTS;
    q->count--;
    q->bytes -= event_bytes(&e);
    return e;
}

static void drop_all(struct queue *q)
{
    while (q->count > 0) {
        struct event e = take_head(q);
        event_release(&e);
    }
}

void queue_free(struct queue **q)
{
    struct queue *old = take(*q);
    if (old) {
        drop_all(old);
        pthread_cond_destroy(&old->changed);
        pthread_mutex_destroy(&old->lock);
        free(old);
    }
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
        abort();
    }
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static bool has_room(const struct queue *q, size_t bytes)
{
    return q->count == 0 || (q->count < QUEUE_SLOTS && q->bytes + bytes <= q->bytes_max);
}

enum queue_result queue_push(struct queue *q, struct event *event, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    size_t bytes = event_bytes(event);
    int waited = 0;

    pthread_mutex_lock(&q->lock);
    while (!q->closed && !has_room(q, bytes) && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&q->changed, &q->lock, &deadline);
    }
    enum queue_result result = q->closed            ? QUEUE_CLOSED
                               : has_room(q, bytes) ? QUEUE_DONE
                                                    : QUEUE_TIMEOUT;
    if (result == QUEUE_DONE) {
        q->events[(q->head + q->count) % QUEUE_SLOTS] = *event;
        q->count++;
        q->bytes += bytes;
        *event = (struct event){0};
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return result;
}

enum queue_result queue_pop(struct queue *q, struct event *out, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    int waited = 0;

    pthread_mutex_lock(&q->lock);
    q->has_waiter = true;
    while (!q->closed && q->count == 0 && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&q->changed, &q->lock, &deadline);
    }
    q->has_waiter = false;
    enum queue_result result = q->count > 0 ? QUEUE_DONE : q->closed ? QUEUE_CLOSED : QUEUE_TIMEOUT;
    if (result == QUEUE_DONE) {
        *out = take_head(q);
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return result;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void queue_abandon(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    drop_all(q);
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

bool queue_is_starved(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool starved = q->has_waiter && q->count == 0;
    pthread_mutex_unlock(&q->lock);
    return starved;
}

size_t queue_bytes(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t bytes = q->bytes;
    pthread_mutex_unlock(&q->lock);
    return bytes;
}
