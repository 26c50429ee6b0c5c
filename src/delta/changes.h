/* The change feed of a table, read back: change files where a version has them, else what its added
 * and removed files and deletion vectors mean. [PROTOCOL.md, Change Data Files; formats: rows of a
 * table and _change_type, _commit_version, _commit_timestamp] */
#pragma once

#include "engine/engine.h"
#include "model/schema.h"

struct delta_changes;

struct delta_changes_options {
    const char *location;
    struct engine_connection *engine; /* borrowed */
    int64_t from;                     /* first version; -1: the oldest that the log can tell of */
    int64_t to;                       /* last version; -1: the newest */
    bool inserts, updates, deletes;   /* which rows; updates are both images */
    bool counts_only;                 /* the columns of the table are left out */
};

/* ERROR_CONFIG: no table, no feed in one of the versions, versions that do not exist. ERROR_LOST:
 * versions that were cleaned from the log. */
struct delta_changes *delta_changes_open(const struct delta_changes_options *options,
                                         struct error *err);

/* Names and types of the columns: the table's at the last version, then the three of the feed. */
const struct schema *delta_changes_schema(const struct delta_changes *c);

/* The next rows, version by version; borrowed until the next call; *row_count 0 is the end.
 * ERROR_LOST: a file was vacuumed. */
must_check bool delta_changes_next(struct delta_changes *c, const struct column **columns,
                                   uint32_t *row_count, struct error *err);

void delta_changes_free(struct delta_changes **c);

/* How many rows of each kind a feed has; an update is counted once. */
struct delta_feed_counts {
    uint64_t inserts;
    uint64_t updates;
    uint64_t deletes;
};

/* Counts everything that the log can still tell of a table's feed. */
must_check bool delta_feed_count(const char *location, struct engine_connection *engine,
                                 struct delta_feed_counts *out, struct error *err);
