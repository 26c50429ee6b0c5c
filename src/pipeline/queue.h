/* Bounded queue of events between exactly one producer and one consumer thread.
 *
 * The bound is in bytes of batches, so memory use is known. Pushing moves the event. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/event.h"

struct queue;

struct queue *queue_new(size_t bytes_max);

/* Drops what is still queued. NULL is fine. */
void queue_free(struct queue **q);

enum queue_result {
    QUEUE_DONE,
    QUEUE_TIMEOUT, /* still full, or still empty */
    QUEUE_CLOSED,
};

/* Waits for room. Unless QUEUE_DONE the event is still the caller's. One event larger than the
 * bound is taken when the queue is empty, so it cannot wait for ever. */
must_check enum queue_result queue_push(struct queue *q, struct event *event, int timeout_ms);

/* Waits for an event, which the caller then owns. QUEUE_CLOSED only when the queue is closed and
 * drained. */
must_check enum queue_result queue_pop(struct queue *q, struct event *out, int timeout_ms);

/* Wakes both sides; pushes fail from now on, pops drain what is left. */
void queue_close(struct queue *q);

/* As queue_close(), and drops what is left. */
void queue_abandon(struct queue *q);

/* True while the consumer waits in queue_pop() and there is nothing; from any thread. */
bool queue_is_starved(struct queue *q);

/* Bytes queued now; from any thread. */
size_t queue_bytes(struct queue *q);
