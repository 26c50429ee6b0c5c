/* How far each part of a pipeline is. The law, asserted at every move (in the sense of covers):
 *
 *     acknowledged <= durable <= staged <= received
 *
 * received: read from the source. staged: handed to a sink, all of it. durable: what every table of
 * the sink is complete up to. acknowledged: what the source was told it may forget. Safe from any
 * thread. */
#pragma once

#include <stdint.h>

#include "model/position.h"

struct progress;

/* Everything stands at `start`. */
struct progress *progress_new(uint32_t sink_count, struct position start);
void progress_free(struct progress **p);

/* A sink that this run does not write stands at `position`, which may lie behind the start: nothing
 * after it may be forgotten. Right after progress_new(). */
void progress_hold(struct progress *p, uint32_t sink, struct position position);

/* Such a sink has come to `position` by other means; what lies beyond received counts later. */
void progress_follow(struct progress *p, uint32_t sink, struct position position);

void progress_received(struct progress *p, struct position position);
void progress_staged(struct progress *p, uint32_t sink, struct position position);
void progress_durable(struct progress *p, uint32_t sink, struct position position);

/* What one sink is durable up to. */
struct position progress_of(struct progress *p, uint32_t sink);

/* Moves acknowledged to the meet of durable over all sinks and returns it. */
struct position progress_acknowledge(struct progress *p);

struct progress_view {
    struct position received;
    struct position durable; /* meet over the sinks */
    struct position acknowledged;
};
struct progress_view progress_view(struct progress *p);
