/* One run of a pipeline, from opening the source to its end or first failure, on the calling
 * thread: opens source, transforms and sinks, decides where to begin, loads, streams, cuts epochs,
 * acknowledges. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "pipeline/pipeline.h"
#include "pipeline/sinks.h"
#include "pipeline/standing.h"

/* What the run and the controlling thread share. */
struct reader_shared {
    atomic_bool stop;    /* end at the next boundary and commit */
    atomic_bool abandon; /* end now */
    atomic_bool rejoin;  /* as stop, because a sink that was detached wants to take part again */
    _Atomic(enum pipeline_state) state;
    atomic_uint_fast64_t rows_received;
    atomic_uint_fast64_t rows_loaded;
    atomic_int_fast64_t lag_ms;

    /* The rest is of the thread that calls reader_run(). */
    bool progressed;   /* something became durable in this run: its failure begins a new count */
    bool has_streamed; /* every sink was durable once: none is loaded again by this process */
    bool needs_load;   /* only a run of all sinks can go on, because some have to be loaded */
};

struct reader_task {
    const struct pipeline_config *config; /* with the sinks of this run: all, or one of them */
    const struct pipeline_options *options;
    struct reader_shared *shared;
    struct standing *standing; /* of the whole pipeline; those not attached are left out */

    /* For a run that catches one sink up, until it stands where the pipeline's reader stands: */
    const char *aside;   /* the sink's label; NULL: the pipeline's own run */
    uint32_t first_sink; /* its place in the pipeline's list; 0: the pipeline's own run */

    sink_left_fn
        *left; /* of the pipeline's own run: a detached sink may be caught up from now on */
    void *left_arg;
};

/* True: it ended because it was asked to; or, with stop_after_load, because the load is committed;
 * or aside, because the sink has caught up. */
must_check bool reader_run(const struct reader_task *task, struct error *err);
