/* Gives changes to a command, batch by batch, and goes on only when it accepted one. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/changes_request.h"

/* Runs --exec for each batch of at most --batch-rows rows, which are on its stdin. A version that
 * fits into a batch is never cut. The bookmark moves when a batch was accepted (exit code 0), to
 * the last version whose rows have all been given. ERROR_FATAL names the exit code of a command
 * that refused. */
must_check bool changes_exec(struct changes_request *r, struct error *err);
