/* What a commit is going to write, but for its version. */
#pragma once

#include "delta/table.h"

struct delta_plan {
    struct arena arena;
    struct delta_actions actions; /* commitInfo first */
    size_t domain;                /* index of the action with the record */
    struct lake_record record;    /* version is filled in with each attempt */
    const char *const *written;   /* store keys of files that were written for it */
    size_t written_count;
};

/* Files that get another path. Raw paths, in the plan's arena. */
struct delta_moves {
    struct delta_move {
        const char *from;
        const char *to;
    } * items;
    uint32_t count;
};

/* Makes the actions of a schema change, and writes anew each file in which a column has a narrower
 * type: the same rows in the same places. */
must_check bool delta_plan_widen(struct delta_plan *plan, struct delta_table *t,
                                 const struct schema *schema, struct delta_moves *moves,
                                 struct error *err);

/* Makes the actions of a commit and writes the file of its deletion vectors. ERROR_CONFLICT: a slot
 * that is gone. ERROR_CONFIG: something the table's properties forbid. */
must_check bool delta_plan_commit(struct delta_plan *plan, struct delta_table *t,
                                  const struct lake_commit *commit, struct error *err);

must_check bool delta_plan_create(struct delta_plan *plan, const struct delta_table *t,
                                  const struct lake_create *create, struct error *err);

/* Appends the commit's text for a version. */
void delta_plan_encode(struct delta_plan *plan, int64_t version, struct buf *out);

void delta_plan_release(struct delta_plan *plan);
