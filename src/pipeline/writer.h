/* One thread for each sink: takes events from its queue, writes, commits at barriers with retries,
 * and moves staged and durable. When it fails it closes its queue, which stops the reader. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "pipeline/progress.h"
#include "pipeline/queue.h"
#include "sink/sink.h"

struct writer;

struct writer_options {
    const char *pipeline;
    uint32_t index; /* of the sink in the pipeline */
    const char *sink_name;
    struct sink *sink; /* borrowed; used by the writer's thread alone from now on */
    uint32_t table_count;
    struct progress *progress; /* borrowed */
    const struct retry_config *retry;
    int64_t give_up_after_ms; /* of failing for a passing reason, whatever attempts are left */
    bool is_loading;          /* until its first durable epoch: then attempts alone count */
    int64_t heartbeat_ms;
    size_t queue_bytes_max;
};

/* Starts the thread. */
struct writer *writer_start(const struct writer_options *options);

/* Where the reader puts the sink's events. */
struct queue *writer_queue(struct writer *w);

/* True once it has ended because of an error. */
bool writer_has_failed(struct writer *w);

/* Drops the queue and asks the thread to end after the step under way. Does not wait. */
void writer_abandon(struct writer *w);

/* True once the thread has nothing more to do: writer_stop() will not wait. */
bool writer_has_ended(struct writer *w);

/* Lets the thread drain its queue and end (abandon: drop the queue and end after the step under
 * way), waits for it and frees the writer. False: what made it fail; `*gave_up` (may be NULL): that
 * was for a passing reason, and repeated as often as is allowed. */
must_check bool writer_stop(struct writer **w, bool abandon, bool *gave_up, struct error *err);
