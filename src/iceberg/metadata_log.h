/* The two histories in table metadata: which snapshots were current, and which files came before.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "iceberg/metadata.h"

/* Brings "snapshot-log" of `json` (the new metadata) up to date against `base`: one entry when main
 * has moved; after snapshots were removed, what came before an entry of one of them goes with it,
 * for a history with a gap would be wrong. */
void snapshot_log_update(const struct iceberg_metadata *base, json_t *json, int64_t now_ms,
                         bool removed_snapshots);

/* Adds the file of `base` (NULL: it had none) to "metadata-log" and cuts the log to
 * write.metadata.previous-versions-max of the new properties. New reference: the files that fell
 * out, oldest first. */
json_t *metadata_log_update(const struct iceberg_metadata *base, json_t *json,
                            const char *previous_location);
