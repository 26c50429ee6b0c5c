/* One epoch of one table becomes one commit of the lake. The index moves only when the commit is
 * known to be in; whatever fails before leaves the epoch as it was, to be committed again. */
#include <assert.h>
#include <inttypes.h>

#include "base/failpoint.h"
#include "table/state.h"

enum { ATTEMPTS_MAX = 5 };

static struct position from_position(const struct table *t)
{
    const struct lake_record *record = &t->lake->snapshot.record;
    return record->phase == PHASE_LOADING ? (struct position){0} : record->position;
}

static bool has_work(const struct table *t, const struct plan *p, const struct barrier *barrier,
                     bool heartbeat)
{
    const struct lake_record *record = &t->lake->snapshot.record;
    bool repeated = record->epoch == barrier->epoch && record->phase == barrier->phase &&
                    position_equal(record->position, barrier->position);
    return p->data.count > 0 || p->deleted_count > 0 || p->truncate || t->schema_changed ||
           t->source_altered || record->phase != barrier->phase || (heartbeat && !repeated);
}

static const char *operation(const struct table *t, const struct plan *p)
{
    if (t->lake->snapshot.record.phase == PHASE_LOADING) {
        return "LOAD";
    }
    if (p->truncate) {
        return "TRUNCATE";
    }
    bool is_empty = p->data.count == 0 && p->deleted_count == 0 && !t->schema_changed;
    return is_empty ? "HEARTBEAT" : "STREAM";
}

/* ---- after the commit ---- */

static bool move_index(struct table *t, const struct plan *p, const uint32_t *slots,
                       struct error *err)
{
    const struct net *n = &t->net;
    if (p->truncate) {
        index_free(&t->index);
        t->index = index_new(p->data.count);
    }
    for (uint32_t i = 0; i < n->key_count; i++) {
        const struct net_key *k = &n->keys[i];
        if (k->origin != NET_NONE && k->live == NET_NONE) {
            (void)index_remove(t->index, k->hash);
        }
    }
    for (uint32_t i = 0; i < p->data.count; i++) {
        uint64_t place = place_make(slots[place_slot(p->places[i])], place_row(p->places[i]));
        if (!index_put(t->index, n->keys[p->data.items[i].key].hash, place, NULL, err)) {
            return false;
        }
    }
    return stored_check(t, err);
}

static void end_epoch(struct table *t)
{
    net_clear(&t->net);
    t->pending_bytes = 0;
    t->source_time_us = 0;
    t->schema_changed = false;
    t->source_altered = false;
}

/* The commit is in. A failure from here on is of the index alone: the table itself is as it should
 * be. */
static bool finish(struct table *t, const struct plan *p, const uint32_t *slots, struct error *err)
{
    failpoint("table_after_commit_before_index");
    if (t->lake->snapshot.record.phase == PHASE_STREAMING) {
        load_end(t);
    }
    t->counts.commits++;
    t->counts.rows_inserted += p->rows_inserted;
    t->counts.rows_updated += p->rows_updated;
    t->counts.rows_deleted += p->rows_deleted;
    bool done = true;
    if (t->mode == TABLE_UPSERT) {
        done = slots ? move_index(t, p, slots, err) : stored_index(t, err);
    }
    end_epoch(t);
    return done;
}

/* ---- conflicts and unknown outcomes ---- */

/* Rows of the epoch lie elsewhere once another writer has rewritten their files. */
static bool relocate(struct table *t, struct error *err)
{
    for (uint32_t i = 0; i < t->net.row_count; i++) {
        struct net_row *r = &t->net.rows[i];
        if (r->origin == NET_NONE) {
            continue;
        }
        r->place = index_get(t->index, t->net.keys[r->origin].hash);
        if (r->place == PLACE_NONE) {
            return error_set(
                err, ERROR_LOST,
                "table %s: a row that this pipeline wrote is gone: run \"leat reload\"", t->name);
        }
    }
    return true;
}

/* Reads what other writers did and finds the rows again. */
static bool refresh(struct table *t, struct error *err)
{
    bool files_changed = false;
    if (!t->lake->type->refresh(t->lake, &files_changed, err) || !follow_check(t, err)) {
        return false;
    }
    if (!files_changed || t->mode == TABLE_APPEND) {
        return true;
    }
    if (t->load.active && t->load.slot_limit > 0) {
        return error_set(err, ERROR_LOST,
                         "table %s: another writer rewrote its files while it was loaded: run "
                         "\"leat reload\"",
                         t->name);
    }
    return stored_index(t, err) && relocate(t, err);
}

static bool is_in(const struct table *t, const char *id)
{
    return id[0] != '\0' && t->lake->snapshot.has_record &&
           strcmp(t->lake->snapshot.record.txn_id, id) == 0;
}

/* The table tells whether the commit of that id is in. */
static bool read_back(struct table *t, const char *id, bool *in, struct error *err)
{
    bool files_changed = false;
    struct error why = {0};
    if (!t->lake->type->refresh(t->lake, &files_changed, &why)) {
        t->unresolved = true;
        memcpy(t->unresolved_id, id, sizeof(t->unresolved_id));
        return error_set(err, ERROR_UNKNOWN,
                         "table %s: a commit may be in or not, and reading it back failed: %s",
                         t->name, why.message);
    }
    t->unresolved = false;
    *in = is_in(t, id);
    return true;
}

/* A commit of an earlier call that nobody could say anything about. */
static bool resolve(struct table *t, bool *in, struct error *err)
{
    *in = false;
    if (!t->unresolved) {
        return true;
    }
    if (!read_back(t, t->unresolved_id, in, err)) {
        return false;
    }
    if (*in) {
        return finish(t, &(struct plan){0}, NULL, err);
    }
    if (t->mode == TABLE_APPEND) {
        return true;
    }
    return stored_index(t, err) && relocate(t, err);
}

/* ---- committing ---- */

static void fill(struct table *t, struct plan *p, const struct barrier *barrier,
                 struct position complete, struct lake_commit *c)
{
    *c = (struct lake_commit){
        .operation = operation(t, p),
        .schema = t->schema_changed ? t->schema : NULL,
        .truncate = p->truncate,
        .files = p->files,
        .file_count = p->file_count,
        .change_files = p->change_files,
        .change_file_count = p->change_file_count,
        .vectors = p->vectors,
        .vector_count = p->vector_count,
        .removed = p->removed,
        .removed_count = p->removed_count,
        .rows_inserted = p->rows_inserted,
        .rows_updated = p->rows_updated,
        .rows_deleted = p->rows_deleted,
        .source_time_us = t->source_time_us,
        .record = t->lake->snapshot.record,
        .from = from_position(t),
    };
    /* A table that is read again from before its own position does not go back there. */
    bool behind = c->record.phase == PHASE_STREAMING && barrier->phase == PHASE_STREAMING;
    c->record.position =
        behind ? position_join(c->record.position, barrier->position) : barrier->position;
    c->record.complete = complete;
    c->record.epoch = barrier->epoch;
    c->record.phase = barrier->phase;
    c->record.txn_id[0] = '\0'; /* set by the lake; the old one would look like success */
}

/* Hands the commit to the lake; false with ERROR_UNKNOWN only if reading back did not help. */
static bool hand_over(struct table *t, struct plan *p, struct lake_commit *c, struct error *err)
{
    uint32_t *slots = arena_zalloc(&p->arena, ((size_t)p->file_count + 1) * sizeof(*slots));
    struct error attempt = {0};
    failpoint("table_before_commit");
    if (t->lake->type->commit(t->lake, c, slots, &attempt)) {
        return finish(t, p, slots, err);
    }
    if (attempt.kind != ERROR_UNKNOWN) {
        write_undo(t, p);
        *err = attempt;
        return false;
    }
    bool in = false;
    if (!read_back(t, c->record.txn_id, &in, err)) {
        return false;
    }
    if (in) {
        return finish(t, p, NULL, err);
    }
    /* Not in now; its files stay all the same, for it might have been on its way. */
    return error_set(err, ERROR_CONFLICT, "%s", attempt.message);
}

static bool commit_once(struct table *t, const struct barrier *barrier, struct position complete,
                        bool heartbeat, struct error *err)
{
    owned(plan_release) struct plan p = {0};
    if (!plan_rows(t, &p, err)) {
        return false;
    }
    if (!has_work(t, &p, barrier, heartbeat)) {
        end_epoch(t);
        return true;
    }
    if (!write_files(t, &p, err)) {
        write_undo(t, &p);
        return false;
    }
    if (!p.truncate) {
        plan_vectors(t, &p);
    }
    struct lake_commit c;
    fill(t, &p, barrier, complete, &c);
    return hand_over(t, &p, &c, err);
}

bool commit_epoch(struct table *t, const struct barrier *barrier, struct position complete,
                  bool heartbeat, struct error *err)
{
    bool in = false;
    if (!resolve(t, &in, err)) {
        return false;
    }
    if (in) {
        return true;
    }
    if (t->mode == TABLE_UPSERT && t->load.active && barrier->phase == PHASE_STREAMING &&
        !load_sweep(t, err)) {
        return false;
    }
    for (unsigned attempt = 1;; attempt++) {
        struct error why = {0};
        if (commit_once(t, barrier, complete, heartbeat, &why)) {
            return true;
        }
        if (why.kind != ERROR_CONFLICT || attempt == ATTEMPTS_MAX) {
            *err = why;
            return false;
        }
        if (!refresh(t, err)) {
            return false;
        }
    }
}

bool commit_record(struct table *t, const char *operation_name, bool truncate,
                   const struct lake_record *record, struct error *err)
{
    for (unsigned attempt = 1;; attempt++) {
        struct lake_commit c = {
            .operation = operation_name,
            .schema = t->schema_changed ? t->schema : NULL,
            .truncate = truncate,
            .record = *record,
            .from = from_position(t),
        };
        c.record.txn_id[0] = '\0';
        struct error why = {0};
        if (t->lake->type->commit(t->lake, &c, NULL, &why)) {
            break;
        }
        bool in = false;
        if (why.kind == ERROR_UNKNOWN && !read_back(t, c.record.txn_id, &in, err)) {
            return false;
        }
        if (in) {
            break;
        }
        bool again = why.kind == ERROR_UNKNOWN || why.kind == ERROR_CONFLICT;
        bool ignored = false;
        if (!again || attempt == ATTEMPTS_MAX) {
            *err = why;
            return false;
        }
        if (!t->lake->type->refresh(t->lake, &ignored, err)) {
            return false;
        }
    }
    t->unresolved = false;
    t->schema_changed = false;
    t->source_altered = false;
    return true;
}
