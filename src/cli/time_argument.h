/* A moment as users write it: 2026-11-21, 2026-11-21T14:05, 2026-11-21 14:05:06.25+01:00, or how
 * long ago it is: 90s, 15m, 2h, 7d. Without a zone it is UTC. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In microseconds since 1970 UTC. False: it is neither. */
bool time_argument_parse(const char *text, int64_t now_us, int64_t *out_us);
