/* An open Delta table: its state, and the snapshot that lake.h shows of it. */
#pragma once

#include "delta/mapping.h"
#include "delta/state.h"
#include "engine/engine.h"
#include "lake/lake.h"

struct delta_table {
    struct lake_table base;
    struct delta_state state;
    struct engine_connection *engine;       /* borrowed; NULL: no checkpoints are read or written */
    char *location;                         /* owned; for messages */
    char *domain;                           /* owned; "leat.<pipeline>"; NULL: opened for reading */
    int64_t last_checkpoint;                /* version; -1: none */
    char *table_id;                         /* owned; what the snapshot shows */
    struct lake_partition_field *partition; /* owned */
    struct delta_mapping mapping;           /* of the snapshot's schema, in its arena */
    int64_t until;                          /* the version that is read; -1: the newest */
    uint32_t spent_count; /* live files without live rows: hidden, removed by the next commit */
    char unresolved[UUID_TEXT_SIZE]; /* txn id of a commit whose outcome is unknown; "": none */
    struct arena arena;              /* texts of `lake` in live files */
    size_t arena_live;
};

/* Brings the snapshot in line with the state: schema, record, files with their vectors. Reads the
 * vectors that are not in memory. */
must_check bool delta_table_show(struct delta_table *t, struct error *err);

/* True when every row of a live file is deleted. */
bool delta_live_is_spent(const struct delta_live *live);

/* What another writer's commit means to us. */
enum delta_foreign {
    DELTA_FOREIGN_NONE,  /* nothing that we look at */
    DELTA_FOREIGN_MOVED, /* files changed, rows did not: compaction */
    DELTA_FOREIGN_ROWS,  /* rows changed */
    DELTA_FOREIGN_META,  /* metadata or protocol changed */
    DELTA_FOREIGN_OURS,  /* it carries our pipeline's record */
};

/* `record` is filled for DELTA_FOREIGN_OURS; `*operation` is its name or "unknown operation". */
must_check bool delta_commit_classify(const struct delta_table *t,
                                      const struct delta_actions *actions, enum delta_foreign *kind,
                                      struct lake_record *record, const char **operation,
                                      struct error *err);

/* lake_type.commit and .create. */
must_check bool delta_commit(struct lake_table *table, struct lake_commit *commit, uint32_t *slots,
                             struct error *err);
must_check bool delta_create(struct lake_table *table, const struct lake_create *create,
                             struct error *err);
