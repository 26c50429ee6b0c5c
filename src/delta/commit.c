#include <inttypes.h>
#include <roaring/roaring.h>

#include "base/failpoint.h"
#include "delta/log.h"
#include "delta/plan.h"
#include "delta/schema.h"
#include "delta/table.h"
#include "lake/record.h"

/* How often a commit steps aside for commits that do not matter to it. */
enum { ATTEMPTS_MAX = 100 };

/* --- what others did --- */

bool delta_commit_classify(const struct delta_table *t, const struct delta_actions *actions,
                           enum delta_foreign *kind, struct lake_record *record,
                           const char **operation, struct error *err)
{
    bool ours = false;
    bool rows = false;
    bool metadata = false;
    bool moved = false;
    *record = (struct lake_record){0};
    *operation = "unknown operation";
    for (size_t i = 0; i < actions->count; i++) {
        const struct delta_action *a = &actions->items[i];
        if (a->kind == DELTA_INFO && a->info.operation) {
            *operation = a->info.operation;
        } else if (a->kind == DELTA_PROTOCOL || a->kind == DELTA_METADATA) {
            metadata = true;
        } else if (a->kind == DELTA_ADD || a->kind == DELTA_REMOVE) {
            rows |= a->file.data_change;
            moved = true;
        } else if (a->kind == DELTA_TXN && t->domain) {
            ours |= strcmp(a->txn.app_id, t->domain) == 0;
        } else if (a->kind == DELTA_DOMAIN && t->domain &&
                   strcmp(a->domain.domain, t->domain) == 0) {
            ours = true;
            if (!a->domain.removed && !lake_record_parse(a->domain.configuration, record, err)) {
                return false;
            }
        }
    }
    *kind = ours       ? DELTA_FOREIGN_OURS
            : rows     ? DELTA_FOREIGN_ROWS
            : metadata ? DELTA_FOREIGN_META
            : moved    ? DELTA_FOREIGN_MOVED
                       : DELTA_FOREIGN_NONE;
    return true;
}

/* --- one attempt --- */

enum outcome {
    OUTCOME_DONE,
    OUTCOME_AGAIN, /* not in; the state has moved on, or the same version may be tried once more */
    OUTCOME_FAILED,
};

static enum outcome give_up(const struct delta_table *t, int64_t version, enum delta_foreign kind,
                            const char *operation, struct error *err)
{
    if (kind == DELTA_FOREIGN_MOVED) {
        (void)error_set(err, ERROR_CONFLICT,
                        "table \"%s\": another writer moved rows in version %" PRId64 " (%s)",
                        t->location, version, operation);
    } else {
        (void)error_set(err, ERROR_LOST, "table \"%s\": %s version %" PRId64 " (%s)%s", t->location,
                        kind == DELTA_FOREIGN_OURS   ? "another instance of this pipeline committed"
                        : kind == DELTA_FOREIGN_ROWS ? "another writer changed rows in"
                                                     : "another writer changed the schema or "
                                                       "properties in",
                        version, operation, "; stop the other writer and reload the table");
    }
    return OUTCOME_FAILED;
}

/* Somebody made this version: us, with an answer that was lost, or somebody else. */
static enum outcome resolve(struct delta_table *t, struct delta_plan *plan, int64_t version,
                            bool *ours, struct error *err)
{
    struct arena arena = {0};
    struct delta_actions actions = {.arena = &arena};
    struct lake_record record;
    enum delta_foreign kind = DELTA_FOREIGN_NONE;
    const char *operation = NULL;
    bool found = false;
    enum outcome out = OUTCOME_FAILED;
    *ours = false;
    bool read = delta_log_read(t->base.store, version, &actions, &found, err) &&
                (!found || delta_commit_classify(t, &actions, &kind, &record, &operation, err));
    if (read && kind == DELTA_FOREIGN_OURS && strcmp(record.txn_id, plan->record.txn_id) == 0) {
        *ours = true;
        out = OUTCOME_DONE;
    } else if (read && kind != DELTA_FOREIGN_NONE) {
        out = give_up(t, version, kind, operation, err);
    } else if (read && (!found ||
                        delta_state_apply(&t->state, version, actions.items, actions.count, err))) {
        out = OUTCOME_AGAIN;
    }
    arena_release(&arena);
    return out;
}

/* The answer was lost, or the name may go with the power: what the table says counts. */
static enum outcome read_back(struct delta_table *t, struct delta_plan *plan, int64_t version,
                              struct error *err)
{
    struct error reason = {0};
    bool ours = false;
    enum outcome out = resolve(t, plan, version, &ours, &reason);
    if (ours) {
        const char *key = delta_commit_key(&plan->arena, version);
        if (!store_publish(t->base.store, &key, 1, &reason)) {
            out = OUTCOME_FAILED;
            (void)error_recast(&reason, ERROR_UNKNOWN);
        }
    } else if (out == OUTCOME_FAILED && reason.kind != ERROR_LOST &&
               reason.kind != ERROR_CONFLICT) {
        (void)error_recast(&reason, ERROR_UNKNOWN);
    }
    if (out == OUTCOME_FAILED) {
        *err = reason;
    }
    return out;
}

static enum outcome attempt(struct delta_table *t, struct delta_plan *plan, int64_t version,
                            struct error *err)
{
    owned(buf_release) struct buf text = {0};
    struct error reason = {0};
    delta_plan_encode(plan, version, &text);
    if (text.failed) {
        (void)error_set(err, ERROR_DATA, "a commit exceeds 1 GiB");
        return OUTCOME_FAILED;
    }
    if (store_put_if_absent(t->base.store, delta_commit_key(&plan->arena, version), buf_str(&text),
                            &reason)) {
        return OUTCOME_DONE;
    }
    if (reason.kind == ERROR_CONFLICT) {
        bool ours = false;
        return resolve(t, plan, version, &ours, err);
    }
    if (reason.kind == ERROR_UNKNOWN) {
        return read_back(t, plan, version, err);
    }
    *err = reason;
    return OUTCOME_FAILED;
}

/* Puts the plan under the next free version. */
static bool put(struct delta_table *t, struct delta_plan *plan, struct error *err)
{
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        switch (attempt(t, plan, t->state.version + 1, err)) {
        case OUTCOME_DONE:
            return true;
        case OUTCOME_FAILED:
            return false;
        case OUTCOME_AGAIN:
            break;
        }
    }
    return error_set(err, ERROR_CONFLICT, "table \"%s\": %d versions were taken by others",
                     t->location, ATTEMPTS_MAX);
}

/* The commit is in: the state follows it without reading anything again. */
static bool follow(struct delta_table *t, const struct delta_plan *plan,
                   const struct lake_commit *commit, struct error *err)
{
    if (!delta_state_apply(&t->state, plan->record.version, plan->actions.items,
                           plan->actions.count, err)) {
        return error_recast(err, ERROR_UNKNOWN);
    }
    t->spent_count = 0; /* the plan removed them */
    for (uint32_t i = 0; commit && i < commit->vector_count; i++) {
        struct delta_live *live = delta_live_of(t->state.slots[commit->vectors[i].slot]);
        live->bitmap = roaring_bitmap_copy(commit->vectors[i].deleted);
    }
    return delta_table_show(t, err) || error_recast(err, ERROR_UNKNOWN);
}

/* --- commit --- */

/* A table that was removed under us must not come back as a log without a beginning. */
static bool check_present(struct delta_table *t, struct delta_plan *plan, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    struct error reason = {0};
    const char *checkpoint = arena_format(
        &plan->arena, "_delta_log/%020" PRId64 ".checkpoint.parquet", t->state.version);
    if (store_fetch(t->base.store, delta_commit_key(&plan->arena, t->state.version), &path,
                    &reason)) {
        return true;
    }
    if (reason.kind != ERROR_CONFLICT) {
        *err = reason;
        return false;
    }
    reason = (struct error){0};
    return store_fetch(t->base.store, checkpoint, &path, &reason) ||
           error_set(err, ERROR_LOST,
                     "table \"%s\" is gone: version %" PRId64 " is no longer in its log",
                     t->location, t->state.version);
}

/* What is left of a plan whose commit failed: files that the log certainly does not name. */
static void drop(struct delta_table *t, const struct delta_plan *plan, const struct error *err)
{
    if (err->kind == ERROR_UNKNOWN) {
        memcpy(t->unresolved, plan->record.txn_id, sizeof(t->unresolved));
        return;
    }
    struct error ignored = {0};
    for (size_t i = 0; i < plan->written_count; i++) {
        (void)!store_remove(t->base.store, plan->written[i], &ignored);
    }
}

/* Widened columns in a commit of their own, before the one that needs them: the same rows in the
 * same places, in files that have the wider types, at the position where the table stands. */
static bool widen(struct delta_table *t, const struct schema *schema, struct error *err)
{
    struct delta_plan plan;
    struct delta_moves moves = {0};
    bool ok = delta_plan_widen(&plan, t, schema, &moves, err) && check_present(t, &plan, err);
    if (ok) {
        failpoint("delta_before_widen");
        ok = put(t, &plan, err);
    }
    if (!ok) {
        drop(t, &plan, err);
    }
    for (uint32_t i = 0; ok && i < moves.count; i++) {
        delta_state_rename(&t->state, moves.items[i].from, moves.items[i].to);
    }
    ok = ok && follow(t, &plan, NULL, err);
    delta_plan_release(&plan);
    return ok || error_wrap(err, "widening columns");
}

bool delta_commit(struct lake_table *table, struct lake_commit *commit, uint32_t *slots,
                  struct error *err)
{
    struct delta_table *t = (struct delta_table *)table;
    if (!lake_commit_check(&table->snapshot, commit, t->location, t->domain != NULL, err)) {
        return false;
    }
    if (commit->schema && !commit->truncate &&
        delta_schema_widens(table->snapshot.schema, commit->schema) &&
        !widen(t, commit->schema, err)) {
        return false;
    }
    struct delta_plan plan;
    failpoint("delta_before_publish");
    bool ok = delta_plan_commit(&plan, t, commit, err) && check_present(t, &plan, err);
    if (ok) {
        failpoint("delta_after_publish_before_log");
        ok = put(t, &plan, err);
        if (ok) {
            failpoint("delta_after_log");
        }
    }
    if (ok || err->kind == ERROR_UNKNOWN) {
        commit->record = plan.record; /* by its txn id the caller will know it */
    }
    if (ok) {
        ok = follow(t, &plan, commit, err);
    } else {
        drop(t, &plan, err);
    }
    /* New files come after the removes and in their order. */
    for (size_t i = 0, n = 0; ok && i < plan.actions.count && n < commit->file_count; i++) {
        if (plan.actions.items[i].kind == DELTA_ADD) {
            slots[n++] = delta_state_live(&t->state, plan.actions.items[i].file.path)->lake.slot;
        }
    }
    delta_plan_release(&plan);
    return ok || error_wrap(err, "commit");
}

bool delta_create(struct lake_table *table, const struct lake_create *create, struct error *err)
{
    struct delta_table *t = (struct delta_table *)table;
    if (!t->domain) {
        return error_set(err, ERROR_CONFIG, "table \"%s\" was opened for reading", t->location);
    }
    if (table->snapshot.exists) {
        return error_set(err, ERROR_CONFLICT, "table \"%s\" exists", t->location);
    }
    struct delta_plan plan;
    bool ok = delta_plan_create(&plan, t, create, err);
    if (ok) {
        failpoint("delta_before_create");
        enum outcome out = attempt(t, &plan, 0, err);
        ok = out == OUTCOME_DONE && follow(t, &plan, NULL, err);
        if (out == OUTCOME_FAILED && err->kind == ERROR_LOST) {
            (void)error_recast(err, ERROR_CONFLICT); /* somebody else made a table here */
        } else if (out == OUTCOME_AGAIN) {
            (void)error_set(err, ERROR_CONFLICT, "table \"%s\" was made by others meanwhile",
                            t->location);
        }
        failpoint("delta_after_create");
    }
    if (!ok) {
        drop(t, &plan, err);
    }
    delta_plan_release(&plan);
    return ok || error_wrap(err, "create");
}
