/* How many rows of each kind the change feed of a table has. [PROTOCOL.md, Change Data Files] */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "store/store.h"

struct delta_feed_counts {
    uint64_t inserts;
    uint64_t updates; /* post images */
    uint64_t deletes;
};

/* Adds what the versions do that the log still has as commits. A version's change files say it
 * where there are any, else its data files: those added are inserts, those removed are deletes. */
must_check bool delta_feed_count(struct store *store, struct engine_connection *engine,
                                 struct delta_feed_counts *out, struct error *err);
