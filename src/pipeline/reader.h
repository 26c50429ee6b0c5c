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
#include "model/position.h"
#include "pipeline/pipeline.h"

/* What the run and the controlling thread share. */
struct reader_shared {
    atomic_bool stop;    /* end at the next boundary and commit */
    atomic_bool abandon; /* end now */
    _Atomic(enum pipeline_state) state;
    atomic_uint_fast64_t rows_received;
    atomic_uint_fast64_t rows_loaded;
    atomic_uint_fast64_t received; /* integer positions, for the status page */
    atomic_uint_fast64_t durable;
    atomic_uint_fast64_t acknowledged;
    atomic_int_fast64_t lag_ms;
    bool progressed; /* something became durable in this run: its failure begins a new count */
};

/* True: it ended because it was asked to (or, with stop_after_load, because the load is committed).
 */
must_check bool reader_run(const struct pipeline_config *config,
                           const struct pipeline_options *options, struct reader_shared *shared,
                           struct error *err);
