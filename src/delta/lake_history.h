/* An open history of a Delta table, for the two files that make it: lake_history.c and
 * history_pieces.c. */
#pragma once

#include "delta/log.h"
#include "delta/mapping.h"
#include "lake/history.h"

/* What a commit says of the table. */
struct delta_commit_note {
    bool has_metadata;
    bool has_feed; /* by that metadata */
};

struct delta_history {
    struct lake_history base;
    struct engine_connection *engine; /* borrowed */
    struct arena arena;
    struct schema *schema;
    struct delta_mapping mapping;   /* of the schema, in its arena */
    struct delta_metadata metadata; /* as it is at metadata_version */
    int64_t metadata_version;
    struct delta_commit_note *notes; /* one a version */
};

/* lake_history_type.changes and .compare. */
must_check bool delta_history_changes(struct lake_history *base, size_t index, struct arena *a,
                                      struct lake_pieces *out, struct error *err);
must_check bool delta_history_compare(struct lake_history *base, size_t from, size_t to,
                                      struct arena *a, struct lake_file_difference **out,
                                      uint32_t *count, struct error *err);
