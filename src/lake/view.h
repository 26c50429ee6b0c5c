/* The live rows of an open table as a view that SQL reads. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "lake/lake.h"

/* Makes the engine's schema `schema`, which must be new, and in it the view `name`: the table's
 * columns by their names and in its types, over the live rows of all live files; a table without
 * files is a view without rows.
 *
 * Data files and deletion bitmaps are read when the view is: the table must stay open and as it is
 * for as long as the engine. Errors are those of the store, for files that are not there, and
 * ERROR_DATA where they are not what the table says of them. */
must_check bool lake_view_create(const struct lake_table *t, struct engine_connection *engine,
                                 const char *schema, const char *name, struct error *err);
