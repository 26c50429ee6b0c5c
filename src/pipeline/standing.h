/* How each sink of a pipeline stands, from one run to the next: with the others, detached, or
 * failed; how far it is durable, and how old what is missing is. Says in the log what changes. Safe
 * from any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/position.h"
#include "pipeline/pipeline.h"
#include "pipeline/progress.h"

struct standing;

/* All sinks are attached. `config` is borrowed. */
struct standing *standing_new(const struct pipeline_config *config);
void standing_free(struct standing **s);

struct sink_status standing_of(struct standing *s, uint32_t sink);

/* The failing or slow sink is left behind: `why`. It may be tried again by other means. */
void standing_detach(struct standing *s, uint32_t sink, const struct error *why);

/* It is stopped for good: `why`, to which the way back is added. */
void standing_fail(struct standing *s, uint32_t sink, const struct error *why);

/* It takes part again. */
void standing_attach(struct standing *s, uint32_t sink);

/* False, and why, when a sink has failed: the first one. */
must_check bool standing_check(struct standing *s, struct error *err);

/* Says again which sinks are detached or have failed, each of them every ten minutes. */
void standing_remind(struct standing *s, int64_t now_ms);

/* An epoch with changes up to `position` was handed to the attached sinks; it is owed to all. */
void standing_expect(struct standing *s, struct position position, int64_t commit_time_us);

/* Where the pipeline's reader stands in this run; and that, for whoever asks. */
void standing_tell(struct standing *s, const struct progress_view *view);
struct progress_view standing_told(struct standing *s);

/* A sink is durable up to `position`. Never goes back. */
void standing_durable(struct standing *s, uint32_t sink, struct position position);

/* True when a detached sink is where the pipeline's reader was at most `tolerance_ms` ago, and has
 * been detached for detach_after at least: taking it back costs the others a new start. Asked again
 * and again: it remembers when the reader was where. */
bool standing_has_caught_up(struct standing *s, uint32_t sink, int64_t now_ms,
                            int64_t tolerance_ms);

/* The largest lag of all sinks. */
int64_t standing_lag_ms(struct standing *s);
