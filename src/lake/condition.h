/* A condition over columns that somebody wrote, as SQL. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"

/* ERROR_CONFIG, naming it, unless the text is one expression without subqueries: so put between
 * parentheses it can neither end the statement that it becomes part of nor read anything but the
 * rows it is asked about. Whether it knows their columns is for the engine to say. */
must_check bool lake_condition_check(struct engine_connection *engine, const char *text,
                                     struct error *err);
