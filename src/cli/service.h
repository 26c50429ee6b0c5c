/* Runs pipelines in the foreground until they end or a signal asks them to. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/cli.h"
#include "config/config.h"
#include "pipeline/pipeline.h"

/* Blocks the signals that end a service in the calling thread and those it starts. Call before
 * threads exist. */
void service_block_signals(void);

/* Runs the named pipelines (none named: all), serves metrics and health meanwhile.
 *
 * The first SIGTERM or SIGINT lets them commit what they have read; the second abandons that. A
 * pipeline that fails does so alone: the others run on. False: the first failure, once all have
 * ended. */
must_check bool service_run(struct arguments *a, const struct pipeline_options *options,
                            struct error *err);
