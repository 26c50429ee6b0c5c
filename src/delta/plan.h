/* What a commit is going to write, but for its version. */
#pragma once

#include "delta/table.h"

struct delta_plan {
    struct arena arena;
    struct delta_actions actions; /* commitInfo first */
    size_t domain;                /* index of the action with the record */
    struct lake_record record;    /* version is filled in with each attempt */
    const char *vector_key;       /* store key of the vectors' file, written; NULL: none */
};

/* Makes the actions of a commit and writes the file of its deletion vectors. ERROR_CONFLICT: a slot
 * that is gone. ERROR_CONFIG: something the table's properties forbid. */
must_check bool delta_plan_commit(struct delta_plan *plan, struct delta_table *t,
                                  const struct lake_commit *commit, struct error *err);

must_check bool delta_plan_create(struct delta_plan *plan, const struct delta_table *t,
                                  const struct lake_create *create, struct error *err);

/* Appends the commit's text for a version. */
void delta_plan_encode(struct delta_plan *plan, int64_t version, struct buf *out);

void delta_plan_release(struct delta_plan *plan);
