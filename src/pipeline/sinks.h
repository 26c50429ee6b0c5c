/* The sinks of one run. Each has a queue and a writer of its own and gets every event. One that
 * fails or holds the others up leaves where it may: it is detached or failed (standing.h), and the
 * others go on without it. Reader thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/event.h"
#include "pipeline/progress.h"
#include "pipeline/standing.h"
#include "pipeline/start.h"
#include "sink/sink.h"

struct sinks;

/* A detached sink was closed: its tables may be opened by another reader. */
typedef void sink_left_fn(void *arg, uint32_t sink);

/* The reader waits for room in a queue: what it has to do meanwhile. False: it shall not wait. */
typedef bool sinks_waiting_fn(void *arg, struct error *err);

struct sinks_options {
    const struct pipeline_config *config; /* whose sinks these are: all of a pipeline, or one */
    uint32_t first;                       /* place of the first in the pipeline's list */
    struct standing *standing;
    bool is_aside;     /* whoever runs it tries again for as long as it takes */
    bool has_streamed; /* the pipeline did, in this process: what fails now fails alone */
    const char *source_identity;
    struct position remembered; /* by the source: each sink is durable up to there at least */
    const struct sink_table *tables;
    const char *const *table_names; /* schema.table */
    uint32_t table_count;
    sink_left_fn *left;
    sinks_waiting_fn *waiting;
    void *arg; /* of both */
};

/* Opens those that are attached. One that cannot be opened for a passing reason may be left out;
 * NULL when none could be opened. Everything in `options` is borrowed. */
struct sinks *sinks_open(const struct sinks_options *options, struct error *err);

/* Drops what was not committed. */
void sinks_free(struct sinks **s);

/* What the tables of the open sinks say, for start_decide(); in the arena. */
must_check bool sinks_facts(struct sinks *s, struct arena *arena, struct start_facts *facts,
                            struct error *err);

/* Where those of the open sinks stand that keep no position themselves, as far as this process
 * knows: the least of them; NONE: there are none, or they are new. */
struct position sinks_unrecorded(const struct sinks *s);

/* True when every sink of the configuration is open: a load needs them all. `err`: of one that
 * could not be opened. */
must_check bool sinks_are_all_open(struct sinks *s, struct error *err);

must_check bool sinks_begin_load(struct sinks *s, const char *load_id, struct error *err);

/* Goes on from the tables' records; what could not be opened is left behind. */
must_check bool sinks_resume(struct sinks *s, struct error *err);

/* Starts the writers; `progress` stands at the start of the run. */
void sinks_start(struct sinks *s, struct progress *progress, struct position start);

/* Hands one reference of the event to each sink. While a queue is full it waits, and calls
 * `waiting`. */
must_check bool sinks_push(struct sinks *s, const struct event *event, struct error *err);

/* To be called often: lets go of what has failed. False: a failed sink must end the run; its error
 * comes from sinks_stop(). */
must_check bool sinks_tend(struct sinks *s, struct error *err);

/* Brings progress and standing together. True when a sink of this run has become durable beyond its
 * start. */
bool sinks_sync(struct sinks *s);

/* Lets the writers drain (abandon: drop) their queues and end. False: why one failed that could not
 * be left behind. */
must_check bool sinks_stop(struct sinks *s, bool abandon, struct error *err);
