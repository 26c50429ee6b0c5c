/* A command of the user's that is run by the shell and gets data on its stdin. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Runs `sh -c command` to its end. `variables` are "NAME=value", ending with NULL, on top of our
 * own environment; stdout and stderr are ours. `*status` is as waitpid() gives it. A command need
 * not read everything. ERROR_FATAL when it could not be run. */
must_check bool command_pipe(const char *command, const char *const *variables, struct str input,
                             int *status, struct error *err);
