/* A table kept in step with a change stream, over either format: net, locate, complete, write,
 * commit, index (design section 4). One table is used by one thread.
 *
 * apply() collects; nothing is written before commit(). A failed commit leaves the table as it was
 * before the call, so it can be repeated; a repeated commit of the same barrier is a no-op once it
 * is done. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "lake/lake.h"
#include "model/event.h"

struct table;

enum table_mode {
    TABLE_UPSERT, /* mirror of the source; needs a key */
    TABLE_APPEND, /* every change is a row with its operation: the log */
};

struct table_options {
    const char *name; /* schema.table at the source, for messages */
    enum table_mode mode;
    bool filtered; /* a transform may drop rows: absent keys are then ordinary, not divergence */
    struct lake_table *lake;          /* moved: the table frees it */
    struct engine_connection *engine; /* borrowed */
    const char *const *partition_by;  /* column names, or "day(created_at)" ... */
    uint32_t partition_count;
    bool feed;
};

struct table *table_new(const struct table_options *options);
void table_free(struct table **t);

/* The schema of what is applied next (the source's types, key columns marked). First call: makes
 * the table's own schema, or checks it against the existing table. Later calls: follows added,
 * dropped and widened columns; anything else is ERROR_CONFIG naming the column and both types.
 * Several schemas may come in one epoch; the commit writes the newest. Later calls make a commit
 * even where the table stays as it is: what stands before them in a log cannot be read again by
 * all sources. */
must_check bool table_set_schema(struct table *t, const struct schema *schema, struct error *err);

/* Creates the table with this record (phase loading), or commits the record to the existing one;
 * loads the key index. After it, rows applied with batch->loading are compared with what the table
 * holds: equal rows are left alone. finish_load deletes rows that no load batch named. */
must_check bool table_begin_load(struct table *t, const struct lake_record *record,
                                 struct error *err);

/* Loads the key index of an existing table and goes on from its record. */
must_check bool table_resume(struct table *t, struct error *err);

/* Takes part in the current epoch. The batch is referenced until the commit. Rows at or before the
 * table's own position are skipped. Divergence (rule 10) is ERROR_LOST. */
must_check bool table_apply(struct table *t, struct batch *batch, struct error *err);

/* The source emptied the table: `position` and `log_position` as an event has them. */
must_check bool table_truncate(struct table *t, struct position position, uint64_t log_position,
                               struct error *err);

/* False when a commit of the barrier would do nothing, unless it is a heartbeat. */
bool table_is_pending(const struct table *t, const struct barrier *barrier);

/* Ends the epoch. `complete` is what the record says of the whole sink. Without changes nothing is
 * committed, unless `heartbeat` or the phase changes. */
must_check bool table_commit(struct table *t, const struct barrier *barrier,
                             struct position complete, bool heartbeat, struct error *err);

/* The record the table holds; has_record false: never committed. */
const struct lake_snapshot *table_snapshot(const struct table *t);

/* What has been counted since the table was made; for metrics. */
struct table_counts {
    uint64_t commits;
    uint64_t rows_inserted, rows_updated, rows_deleted;                  /* net */
    uint64_t unexpected_inserts, unexpected_updates, unexpected_deletes; /* divergence */
    uint64_t keys;                                                       /* in the index */
    uint64_t index_bytes;
    uint64_t pending_bytes; /* held for the current epoch */
};
struct table_counts table_counts(const struct table *t);
