/* What a commit consists of: delete files, manifests, the manifest list and the snapshot, written
 * but not yet in the table. */
#pragma once

#include <jansson.h>

#include "iceberg/table.h"

/* A data file whose deleted rows change. */
struct iceberg_redelete {
    struct iceberg_live *live;
    const struct roaring_bitmap_s *deleted; /* borrowed from the commit */
    struct iceberg_entry entry;             /* of the new delete file */
    const char *manifest;                   /* that it is written in */
};

struct iceberg_plan {
    struct arena arena;
    struct iceberg_table *table;
    const struct lake_commit *commit;
    int64_t snapshot_id;
    int64_t sequence_number;
    char uuid[UUID_TEXT_SIZE]; /* in the names of files; the txn id of the record */
    struct lake_record record;
    json_t *schema; /* owned; the new one, NULL: unchanged */

    struct iceberg_entry *added; /* data files, as in the commit */
    struct iceberg_live **removed;
    uint32_t removed_count;
    struct iceberg_redelete *redeletes;
    uint32_t redelete_count;
    struct iceberg_delete **dropped; /* delete files that are replaced or lose their data file */
    uint32_t dropped_count;
    struct map gone; /* uri -> anything: data and delete files that the snapshot no longer has */

    struct iceberg_manifests manifests; /* of the new snapshot */
    struct arena read_arena;            /* entries of manifests that are written anew */
    struct iceberg_entries *rewritten;  /* one per manifest of the table; items NULL: kept as is */
    const char **new_manifest;          /* path of what replaces manifest i; NULL: kept */
    const char *data_manifest;          /* where `added` are; NULL: none */
    uint32_t manifest_number;

    const char *list; /* URI of the manifest list */
    json_t *snapshot; /* owned; the snapshot object */

    const char **written; /* store keys */
    uint32_t written_count;
    uint32_t written_capacity;
};

/* Decides and writes everything but the metadata. On failure iceberg_plan_undo() removes it. */
must_check bool iceberg_plan_make(struct iceberg_plan *plan, struct iceberg_table *t,
                                  const struct lake_commit *commit, struct error *err);

/* Removes what was written, of a commit that is certainly not in. */
void iceberg_plan_undo(struct iceberg_plan *plan);
void iceberg_plan_release(struct iceberg_plan *plan);

/* Requirements and updates of the catalog's commit. New references. */
json_t *iceberg_plan_requirements(const struct iceberg_plan *plan);
json_t *iceberg_plan_updates(const struct iceberg_plan *plan);

/* The commit is in: the table's files follow without reading anything again. `slots` as in
 * lake_type.commit. */
must_check bool iceberg_plan_apply(struct iceberg_plan *plan, uint32_t *slots, struct error *err);

/* ---- summary.c ---- */

/* Operation and summary of the planned snapshot: an object of strings. New reference. */
json_t *iceberg_summary_make(const struct iceberg_plan *plan);

/* ---- manifests.c ---- */

/* Writes the manifests that change and plans the new list. */
must_check bool iceberg_manifests_write(struct iceberg_plan *plan, struct error *err);

/* Stages an object under metadata/ or data/ and notes it; *uri (in the arena) is its URI. */
must_check bool iceberg_plan_stage(struct iceberg_plan *plan, const char *key, struct str data,
                                   const char **uri, struct error *err);
