/* The servers behind `observe:` in the configuration. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "observe/health.h"

struct observe;

/* Serves /metrics at `config->metrics`, /health and /ready at `config->health`; both at one address
 * when they are equal, none where it is "off". `health` must outlive it. */
must_check struct observe *observe_start(const struct observe_config *config, struct health *health,
                                         struct error *err);
void observe_stop(struct observe **o);
