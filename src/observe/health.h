/* Whether the process lives (/health) and whether its pipelines are where they should be (/ready).
 */
#pragma once

#include <stdbool.h>

#include "observe/http.h"

struct health;

/* One per process; any thread. Without pipelines it is not ready. */
struct health *health_new(void);
void health_free(struct health **h);

/* What a pipeline says of itself. Ready: it streams and knows its lag. Otherwise `reason` says in a
 * few words why not ("loading", "retrying: connection refused"); copied, without secrets. The first
 * call for a name registers it: say `false, "starting"` before anything is slow. Sets the metric
 * leat_ready too. */
void health_set(struct health *h, const char *pipeline, bool ready, const char *reason);

/* Pages; `arg` is the struct health. Both answer JSON: /health always 200; /ready 200 when all
 * pipelines are ready, else 503, with each pipeline and its reason. */
void health_answer_live(void *arg, struct http_reply *reply);
void health_answer_ready(void *arg, struct http_reply *reply);
