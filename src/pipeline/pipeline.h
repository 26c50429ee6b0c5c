/* One pipeline: a source, its transforms, its sinks. Owns its threads; other pipelines are
 * untouched by whatever happens here. All functions may be called from any one controlling thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/position.h"

struct pipeline;

struct pipeline_options {
    bool reload;          /* load every table again, whatever they say */
    bool stop_after_load; /* end when the load is committed (snapshot: only) */
};

/* Starts the threads; `config` is borrowed until pipeline_free(). Failures show in pipeline_wait().
 */
struct pipeline *pipeline_start(const struct pipeline_config *config,
                                const struct pipeline_options *options);

/* Asks it to stop: the reader ends at the next transaction boundary and what was read is committed.
 */
void pipeline_stop(struct pipeline *p);

/* Asks it to stop without committing what is not committed; nothing is lost, it is read again. */
void pipeline_abandon(struct pipeline *p);

/* True once it has ended, of itself or because it was asked to. */
bool pipeline_has_ended(struct pipeline *p);

/* Waits for the end. False: why it failed, or that one of its sinks did while the others went on;
 * the kind says what to do. */
must_check bool pipeline_wait(struct pipeline *p, struct error *err);

/* Stops, waits, frees; NULL is fine. */
void pipeline_free(struct pipeline **p);

enum pipeline_state {
    PIPELINE_STARTING,
    PIPELINE_LOADING,
    PIPELINE_STREAMING,
    PIPELINE_RETRYING,
    PIPELINE_STOPPED,
    PIPELINE_FAILED,
};
const char *pipeline_state_name(enum pipeline_state state);

struct pipeline_status {
    enum pipeline_state state;
    uint64_t rows_received; /* since the start of this process */
    uint64_t rows_loaded;   /* of them, from the snapshot */
    struct position received;
    struct position durable;
    struct position acknowledged;
    int64_t
        lag_ms; /* age of the newest source commit that is not durable yet; 0: none; -1: unknown */
};
struct pipeline_status pipeline_status(struct pipeline *p);

/* How one of several sinks takes part. */
enum sink_state {
    SINK_ATTACHED, /* written by the pipeline's reader, with the others */
    SINK_DETACHED, /* left behind for a reason that may pass; a reader of its own catches it up */
    SINK_FAILED,   /* stopped for a reason that does not pass; the others go on */
};

struct sink_status {
    enum sink_state state;
    const char *label;       /* "delta-0": type and place in the list; lives as long as `p` */
    struct position durable; /* the source keeps what comes after it */
    int64_t lag_ms; /* age of the oldest source commit that is not durable in it; 0: none */
};

/* Of the sink at this place in the configuration's list. */
struct sink_status pipeline_sink_status(struct pipeline *p, uint32_t sink);
