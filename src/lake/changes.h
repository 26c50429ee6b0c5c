/* Row changes between two versions of a table, over lake/history.h: rows of change files, else what
 * added and removed files, deletion vectors and position deletes mean; rows that a rewrite carried
 * over are no changes (compared as a multiset over all columns); with a key, a deleted and an
 * inserted row of one version are an update. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "lake/history.h"
#include "model/schema.h"

struct lake_changes;

struct lake_changes_options {
    struct lake_history *history;     /* borrowed */
    struct engine_connection *engine; /* borrowed, of ENGINE_FILE. Versions that must be seen as a
                                         whole are gathered in it: it should be able to spill */
    size_t first, last;               /* indexes of the versions whose changes are read */
    bool inserts, updates, deletes;   /* which rows; updates are both images */
    const char *const *columns;       /* only these, in this order; NULL: all of the table's */
    uint32_t column_count;
    const char *where; /* an SQL condition over the table's columns and the three below; NULL */
    const char *const
        *key; /* column names by which updates are found; NULL: is_key of the schema */
    uint32_t key_count;
    bool ordered; /* within a version: deletes and old images that have no new one of the same key,
                     then pairs of images, the old one first, then the rest: an order in which the
                     changes can be applied one by one */
};

/* What was read so far. */
struct lake_changes_stats {
    uint64_t versions; /* whose changes were read */
    uint64_t files;    /* opened */
    uint64_t file_bytes;
    uint64_t inserts, updates, deletes; /* rows; an update is counted once */
};

/* Called before a file is read; for --explain. */
typedef void lake_changes_file_fn(void *arg, const struct lake_version *version,
                                  const struct lake_piece *piece);

struct lake_changes *lake_changes_open(const struct lake_changes_options *options,
                                       struct error *err);

/* The chosen columns, then _change_type (insert, update_preimage, update_postimage, delete),
 * _commit_version (Delta) or _commit_snapshot_id (Iceberg), _commit_timestamp. */
const struct schema *lake_changes_schema(const struct lake_changes *c);

void lake_changes_watch(struct lake_changes *c, lake_changes_file_fn *fn, void *arg);

/* The next rows, version by version, borrowed until the next call; *row_count 0 is the end.
 * `*version` (may be NULL) is the index of the version they belong to. ERROR_LOST: a file was
 * vacuumed. */
must_check bool lake_changes_next(struct lake_changes *c, const struct column **columns,
                                  uint32_t *row_count, size_t *version, struct error *err);

struct lake_changes_stats lake_changes_stats(const struct lake_changes *c);

/* Reads the changes of these options to their end, for what the statistics say. */
must_check bool lake_changes_count(const struct lake_changes_options *options,
                                   struct lake_changes_stats *out, struct error *err);
void lake_changes_free(struct lake_changes **c);
