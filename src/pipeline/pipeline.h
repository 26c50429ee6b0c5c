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

/* Waits for the end. False: why it failed; the kind says what to do. */
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
