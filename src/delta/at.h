/* Versions of a table by what a reader asks for. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "lake/lake.h"

/* The version to read a table at; -1: the newest. Times are those of delta_history. ERROR_CONFIG:
 * every version that is left is younger. */
must_check bool delta_at_version(struct store *store, const struct lake_at *at, int64_t *version,
                                 struct error *err);
