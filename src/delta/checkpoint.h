/* Classic (V1) checkpoints: one row an action, in Parquet. [PROTOCOL.md, Checkpoints] */
#pragma once

#include "delta/state.h"
#include "engine/engine.h"
#include "store/store.h"

/* Reads one file of a checkpoint and appends its actions. ERROR_CONFIG for a V2 checkpoint under a
 * classic name, or without an engine. */
must_check bool delta_checkpoint_read(struct store *store, struct engine_connection *engine,
                                      const char *key, struct delta_actions *out,
                                      struct error *err);

/* Writes the state as a single-file checkpoint of its version, then the hint that points to it. */
must_check bool delta_checkpoint_write(struct store *store, struct engine_connection *engine,
                                       const struct delta_state *s, struct error *err);
