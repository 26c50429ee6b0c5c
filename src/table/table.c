#include "table/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "table/convert.h"
#include "table/state.h"

struct table *table_new(const struct table_options *options)
{
    struct table *t = calloc(1, sizeof(*t));
    if (!t) {
        abort();
    }
    t->name = arena_string(&t->arena, options->name, strlen(options->name));
    t->mode = options->mode;
    t->filtered = options->filtered;
    t->feed = options->feed;
    t->lake = options->lake;
    t->engine = options->engine;
    const char **names =
        arena_array(&t->arena, (size_t)options->partition_count + 1, sizeof(*names));
    for (uint32_t i = 0; i < options->partition_count; i++) {
        names[i] =
            arena_string(&t->arena, options->partition_by[i], strlen(options->partition_by[i]));
    }
    t->partition_by = names;
    t->partition_count = options->partition_count;
    random_bytes(&t->seed, sizeof(t->seed));
    return t;
}

void table_free(struct table **table)
{
    struct table *t = take(*table);
    if (!t) {
        return;
    }
    net_release(&t->net);
    load_end(t);
    index_free(&t->index);
    schema_release(t->schema);
    schema_release(t->source);
    t->lake->type->free(t->lake);
    arena_release(&t->schema_arena);
    arena_release(&t->arena);
    free(t);
}

bool table_set_schema(struct table *t, const struct schema *schema, struct error *err)
{
    t->source_altered = t->source != NULL;
    return follow_schema(t, schema, err);
}

static struct lake_create creation(const struct table *t, const struct lake_record *record)
{
    return (struct lake_create){
        .schema = t->schema,
        .partition = t->partition,
        .partition_count = t->partition_count,
        .feed = t->feed,
        .vectors = t->mode == TABLE_UPSERT,
        .record = *record,
    };
}

/* Whether the log holds nothing but rows of a load that was broken off. */
static bool holds_only_reads(struct table *t, bool *only, struct error *err)
{
    *only = false;
    if (!t->lake->snapshot.has_record || t->lake->snapshot.record.phase != PHASE_LOADING) {
        return true;
    }
    return append_holds_only_reads(t, only, err);
}

bool table_begin_load(struct table *t, const struct lake_record *record, struct error *err)
{
    assert(t->schema && record->phase == PHASE_LOADING);
    t->found_at_start = (struct error){0};
    load_end(t);
    net_clear(&t->net);
    if (!t->lake->snapshot.exists) {
        struct lake_create create = creation(t, record);
        if (!t->lake->type->create(t->lake, &create, err)) {
            return error_wrap(err, "table %s", t->name);
        }
    } else {
        bool truncate = false;
        if ((t->mode == TABLE_APPEND && !holds_only_reads(t, &truncate, err)) ||
            !commit_record(t, "LOAD", truncate, record, err)) {
            return error_wrap(err, "table %s", t->name);
        }
    }
    failpoint("table_after_begin_load");
    if (t->mode == TABLE_APPEND) {
        return true;
    }
    load_begin(t);
    return stored_index(t, err);
}

bool table_resume(struct table *t, struct error *err)
{
    assert(t->schema && t->lake->snapshot.has_record);
    if (t->found_at_start.kind != ERROR_NONE) {
        *err = t->found_at_start;
        return false;
    }
    return t->mode == TABLE_APPEND || stored_index(t, err);
}

/* Rows up to here are in the table. While loading, nothing is. */
static struct position held_position(const struct table *t)
{
    const struct lake_record *record = &t->lake->snapshot.record;
    return record->phase == PHASE_STREAMING ? record->position : (struct position){0};
}

static bool is_held(const struct batch *b, const struct position *held)
{
    if (b->loading || held->kind == POSITION_NONE) {
        return false;
    }
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (!batch_row_is_covered(b, row, held)) {
            return false;
        }
    }
    return true;
}

static bool check_batch(const struct table *t, const struct batch *b, struct error *err)
{
    if (b->schema != t->source && !schema_equal(b->schema, t->source)) {
        return error_set(err, ERROR_FATAL,
                         "table %s: a batch came in a schema that was not announced", t->name);
    }
    return true;
}

bool table_apply(struct table *t, struct batch *batch, struct error *err)
{
    struct position held = held_position(t);
    if (batch->row_count == 0 || is_held(batch, &held)) {
        return true;
    }
    if (!check_batch(t, batch, err)) {
        return false;
    }
    struct batch *converted = convert_batch(batch, t->schema, err);
    if (!converted) {
        return error_wrap(err, "table %s", t->name);
    }
    t->pending_bytes += batch_bytes(batch) + batch_bytes(converted);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        int64_t time_us = batch->commit_times_us[row];
        t->source_time_us = time_us > t->source_time_us ? time_us : t->source_time_us;
    }
    if (t->mode == TABLE_APPEND) {
        append_rows(t, converted, held);
        return true;
    }
    return apply_upsert(t, converted, held, err);
}

bool table_truncate(struct table *t, struct position position, uint64_t log_position,
                    struct error *err)
{
    (void)err; /* a truncate can always be noted */
    if (position_covers(held_position(t), position)) {
        return true;
    }
    if (t->mode == TABLE_APPEND) {
        append_truncate(t, log_position);
        return true;
    }
    net_truncate(&t->net);
    t->pending_bytes = 0;
    return true;
}

bool table_is_pending(const struct table *t, const struct barrier *barrier)
{
    return t->net.batch_count > 0 || t->net.stray_count > 0 || t->net.truncated ||
           t->schema_changed || t->source_altered || t->unresolved || t->load.active ||
           t->lake->snapshot.record.phase != barrier->phase;
}

bool table_commit(struct table *t, const struct barrier *barrier, struct position complete,
                  bool heartbeat, struct error *err)
{
    return commit_epoch(t, barrier, complete, heartbeat, err);
}

const struct lake_snapshot *table_snapshot(const struct table *t)
{
    return &t->lake->snapshot;
}

struct table_counts table_counts(const struct table *t)
{
    struct table_counts counts = t->counts;
    counts.keys = t->index ? index_count(t->index) : 0;
    counts.index_bytes = t->index ? index_bytes(t->index) : 0;
    counts.pending_bytes = t->pending_bytes + net_bytes(&t->net);
    return counts;
}
