/* The live rows of an open table as a view that SQL reads. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "lake/lake.h"

/* Makes the engine's schema `schema`, which must be new, and in it the view `name`: the table's
 * columns by their names and in its types, over all live files; none of them is a view without
 * rows. What a file cannot tell by itself lies in tables beside the view: which of its rows are
 * deleted, and its partition where a table has very many.
 *
 * Data files are read when the view is, so the table must stay open until then. Uses slot 0 of the
 * connection. ERROR_DATA: the files are not what the table says of them. */
must_check bool lake_view_create(const struct lake_table *t, struct engine_connection *engine,
                                 const char *schema, const char *name, struct error *err);
