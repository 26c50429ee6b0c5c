/* What a server needs to be a source. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "source/postgres/catalog.h"
#include "source/source.h"

/* The first that is not met: ERROR_CONFIG with what mends it. */
must_check bool prerequisites_check_server(const struct catalog_server *server, struct error *err);

/* The names of slot and publication: as configured, or leat_<pipeline> in the letters that both may
 * have. */
const char *prerequisites_slot_name(const struct source_config *config, const char *pipeline,
                                    struct arena *arena);
const char *prerequisites_publication_name(const struct source_config *config, const char *pipeline,
                                           struct arena *arena);

/* Implements source_type.check. */
void prerequisites_check(const struct source_config *config, const char *pipeline,
                         source_finding_fn *fn, void *arg);
