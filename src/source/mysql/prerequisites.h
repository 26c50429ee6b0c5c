/* What the server must be and allow before a pipeline can run, for open() and for `leat check`. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "source/mysql/connection.h"
#include "source/mysql/server.h"
#include "source/source.h"

/* The connections of a pipeline. */
struct my_connection_options my_prerequisites_connection(const struct source_config *config,
                                                         const char *pipeline);

/* ERROR_CONFIG names the first thing that must be changed, and how. */
must_check bool my_prerequisites_check_server(const struct my_server *server, struct error *err);

/* Asks for the log at `place`, which is near its end, and goes away: a user who may not read it
 * should hear of that before a long load. ERROR_CONFIG names the grant. */
must_check bool my_prerequisites_check_log(const struct my_connection_options *connection,
                                           const struct my_server *server,
                                           const struct my_log_place *place, struct error *err);

/* The number under which the pipeline reads the log: the configured one, or one made from the names
 * of host, state directory and pipeline (and of the sink, for a reader aside). Never 0. */
uint32_t my_prerequisites_server_id(const struct source_config *config, const char *pipeline,
                                    const char *state_dir, const char *aside);

/* The `check` of the source. */
void my_prerequisites_check(const struct source_config *config, const char *pipeline,
                            source_finding_fn *fn, void *arg);
