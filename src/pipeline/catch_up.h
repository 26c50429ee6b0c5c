/* Catches one detached sink up: a run over that sink alone, with a source opened aside, repeated
 * for as long as what fails may pass. It ends when the sink stands where the pipeline's reader
 * stands, and asks that one to end, so that the next run has them all; or when the sink fails for
 * good. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "pipeline/reader.h"
#include "pipeline/standing.h"

struct catch_up;

/* Starts the thread. `config`, `standing` and `pipeline`, whose `rejoin` is set at the end, are
 * borrowed. */
struct catch_up *catch_up_start(const struct pipeline_config *config, struct standing *standing,
                                uint32_t sink, struct reader_shared *pipeline);

/* True once the sink stands where the others stand, or has to be loaded with them. */
bool catch_up_is_done(struct catch_up *c);

/* Ends it after the step under way, without committing what is not committed; waits and frees. NULL
 * is fine. */
void catch_up_stop(struct catch_up **c);
