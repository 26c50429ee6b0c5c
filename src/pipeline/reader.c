#include "pipeline/reader.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "observe/metrics.h"
#include "pipeline/chain.h"
#include "pipeline/epoch.h"
#include "pipeline/lag.h"
#include "pipeline/progress.h"
#include "pipeline/queue.h"
#include "pipeline/start.h"
#include "pipeline/writer.h"
#include "sink/sink.h"
#include "source/source.h"

enum {
    WAIT_MS = 100, /* how long the source may wait for events: bounds the reaction to a stop */
};

struct run {
    const struct pipeline_config *config;
    const struct pipeline_options *options;
    struct reader_shared *shared;
    struct arena arena;
    struct source *source;
    struct chain *chain;
    const char **table_names; /* "schema.table" */
    struct sink_table *sink_tables;
    struct sink **sinks;     /* config->sink_count */
    struct writer **writers; /* config->sink_count */
    struct progress *progress;
    struct position started_at; /* what was durable when the run began */
    struct epoch epoch;
    struct lag lag;
    struct position boundary; /* where the stream last stood between transactions */
    bool at_boundary;         /* nothing was handed on since: an epoch may end */
    int64_t commit_time_us;   /* newest source commit seen */
};

static void run_release(struct run *r)
{
    struct error ignored = {0};
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        if (r->writers) {
            (void)!writer_stop(&r->writers[i], true, &ignored);
        }
        if (r->sinks) {
            sink_free(&r->sinks[i]);
        }
    }
    chain_free(&r->chain);
    source_free(&r->source);
    progress_free(&r->progress);
    arena_release(&r->arena);
}

/* ---- opening ---- */

static bool open_source(struct run *r, struct error *err)
{
    const struct source_type *type = source_type_find(r->config->source.type);
    if (!type) {
        (void)error_set(err, ERROR_CONFIG, "unknown source type \"%s\"", r->config->source.type);
        return false;
    }
    r->source = type->open(&r->config->source, r->config->name, err);
    if (!r->source) {
        (void)error_wrap(err, "source %s", type->name);
        return false;
    }
    return true;
}

static bool open_sink(struct run *r, uint32_t index, struct error *err)
{
    const struct sink_config *config = &r->config->sinks[index];
    const struct sink_type *type = sink_type_find(config->type);
    if (!type) {
        return error_set(err, ERROR_CONFIG, "unknown sink type \"%s\"", config->type);
    }
    r->sinks[index] = type->open(
        &(struct sink_open){.config = config,
                            .pipeline = r->config->name,
                            .index = index,
                            .state_dir = r->config->state_dir,
                            .memory_bytes = r->config->memory_bytes / r->config->sink_count,
                            .source_identity = r->source->identity,
                            .tables = r->sink_tables,
                            .table_count = r->source->table_count},
        err);
    return r->sinks[index] || error_wrap(err, "sink %s", type->name);
}

static bool open_all(struct run *r, struct error *err)
{
    if (!open_source(r, err)) {
        return false;
    }
    r->chain = chain_new(r->config, r->source, err);
    if (!r->chain) {
        return false;
    }
    uint32_t count = r->source->table_count;
    r->sink_tables = arena_zalloc(&r->arena, count * sizeof(*r->sink_tables));
    r->table_names = arena_zalloc(&r->arena, (count + 1) * sizeof(*r->table_names));
    for (uint32_t i = 0; i < count; i++) {
        const struct table_name *name = &r->source->tables[i].name;
        r->table_names[i] = arena_format(&r->arena, "%s.%s", name->schema, name->table);
        /* Without a load, rows that the tables never saw are ordinary. */
        bool partial = r->config->source.snapshot == SNAPSHOT_NEVER;
        r->sink_tables[i] =
            (struct sink_table){.name = *name,
                                .schema = (struct schema *)(uintptr_t)chain_schema(r->chain, i),
                                .filtered = partial || chain_filters(r->chain, i)};
    }
    r->sinks = arena_zalloc(&r->arena, r->config->sink_count * sizeof(struct sink *));
    r->writers = arena_zalloc(&r->arena, r->config->sink_count * sizeof(struct writer *));
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        if (!open_sink(r, i, err)) {
            return false;
        }
    }
    return true;
}

/* ---- where to begin ---- */

static bool decide(struct run *r, struct start_decision *out, struct error *err)
{
    uint32_t tables = r->source->table_count;
    size_t most = (size_t)tables * r->config->sink_count;
    struct start_table *facts = arena_zalloc(&r->arena, most * sizeof(*facts));
    struct lake_snapshot *snapshots = arena_zalloc(&r->arena, most * sizeof(*snapshots));
    uint32_t count = 0;

    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        const struct sink_type *type = r->sinks[i]->type;
        for (uint32_t t = 0; type->keeps_position && t < tables; t++) {
            struct start_table *fact = &facts[count];
            *fact = (struct start_table){.name = r->table_names[t],
                                         .sink = type->name,
                                         .sink_index = i,
                                         .snapshot = &snapshots[count]};
            if (!type->last(r->sinks[i], t, &snapshots[count], &fact->known, err)) {
                return error_wrap(err, "table %s (%s)", fact->name, fact->sink);
            }
            count++;
        }
    }
    struct start_facts all = {.pipeline = r->config->name,
                              .source_identity = r->source->identity,
                              .remembered = r->source->remembered,
                              .tables = facts,
                              .table_count = count,
                              .reload = r->options->reload ||
                                        r->config->source.snapshot == SNAPSHOT_ALWAYS ||
                                        r->config->source.snapshot == SNAPSHOT_ONLY};
    return start_decide(&all, out, err);
}

static bool begin_load(struct run *r, struct position *at, struct error *err)
{
    char load_id[UUID_TEXT_SIZE];
    random_uuid(load_id);
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        if (!r->sinks[i]->type->begin_load(r->sinks[i], load_id, err)) {
            return error_wrap(err, "sink %s", r->sinks[i]->type->name);
        }
    }
    failpoint("reader_after_begin_load");

    /* Only now, when every table says "loading", may the old slot go: a slot's position proves
     * nothing about tables that are loading (rule 1). */
    return source_start(r->source, NULL, at, err) || error_wrap(err, "source");
}

static bool resume(struct run *r, struct position from, struct position *at, struct error *err)
{
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        bool proof_missing = false;
        if (!r->sinks[i]->type->resume(r->sinks[i], &proof_missing, err)) {
            return error_wrap(err, "sink %s", r->sinks[i]->type->name);
        }
        if (proof_missing) {
            log_warn("no progress file", log_str("pipeline", r->config->name),
                     log_str("sink", r->sinks[i]->type->name),
                     log_str("detail", "that the tables were rolled back cannot be excluded; "
                                       "\"leat reload\" compares them with the source"));
        }
    }
    *at = from;
    return source_start(r->source, &from, at, err) || error_wrap(err, "source");
}

static void start_writers(struct run *r, struct position at, bool load)
{
    r->boundary = at;
    r->at_boundary = true;
    /* A load has shown nothing to be durable before it is committed. */
    r->started_at = load ? (struct position){0} : at;
    r->progress = progress_new(r->config->sink_count, r->started_at);
    r->epoch = (struct epoch){.interval_ms = INT64_MAX,
                              .rows_max = UINT64_MAX,
                              .bytes_max = UINT64_MAX,
                              .position = at,
                              .ended_ms = clock_monotonic_ms()};
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        /* One stream, one cut: the most impatient sink sets it. */
        const struct commit_config *c = &r->config->sinks[i].commit;
        r->epoch.interval_ms =
            c->interval_ms < r->epoch.interval_ms ? c->interval_ms : r->epoch.interval_ms;
        r->epoch.rows_max = c->rows < r->epoch.rows_max ? c->rows : r->epoch.rows_max;
        r->epoch.bytes_max = c->bytes < r->epoch.bytes_max ? c->bytes : r->epoch.bytes_max;
    }
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        r->writers[i] = writer_start(&(struct writer_options){
            .pipeline = r->config->name,
            .index = i,
            .sink_name = arena_format(&r->arena, "%s-%u", r->sinks[i]->type->name, i),
            .sink = r->sinks[i],
            .table_count = r->source->table_count,
            .progress = r->progress,
            .retry = &r->config->retry,
            .heartbeat_ms = r->config->heartbeat_ms,
            .queue_bytes_max = r->config->memory_bytes / 6});
    }
}

/* ---- moving ---- */

static bool acknowledge(struct run *r, struct error *err)
{
    struct position position = progress_acknowledge(r->progress);
    struct progress_view view = progress_view(r->progress);
    r->shared->progressed |= !position_equal(view.durable, r->started_at);
    lag_durable(&r->lag, view.durable);
    atomic_store(&r->shared->received, view.received.integer);
    atomic_store(&r->shared->durable, view.durable.integer);
    atomic_store(&r->shared->acknowledged, position.integer);
    atomic_store(&r->shared->lag_ms, lag_ms(&r->lag, clock_wall_us()));
    failpoint("reader_before_acknowledge");
    if (!source_acknowledge(r->source, position, err)) {
        return error_wrap(err, "source");
    }
    failpoint("reader_after_acknowledge");
    return true;
}

/* Hands one reference of the event to one sink. While its queue is full the source is kept alive.
 */
static bool push(struct run *r, uint32_t sink, const struct event *event, struct error *err)
{
    struct event copy = *event;
    copy.batch = event->batch ? batch_reference(event->batch) : NULL;
    copy.schema = event->schema ? schema_reference(event->schema) : NULL;
    for (;;) {
        enum queue_result pushed = queue_push(writer_queue(r->writers[sink]), &copy, WAIT_MS);
        if (pushed == QUEUE_DONE) {
            return true;
        }
        if (pushed == QUEUE_CLOSED || atomic_load(&r->shared->abandon)) {
            event_release(&copy);
            return error_set(err, ERROR_CANCELLED, "stopped");
        }
        if (!acknowledge(r, err)) {
            event_release(&copy);
            return false;
        }
    }
}

static bool push_to_all(struct run *r, const struct event *event, struct error *err)
{
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        if (!push(r, i, event, err)) {
            return false;
        }
    }
    return true;
}

static bool end_epoch(struct run *r, enum barrier_phase phase, struct error *err)
{
    bool has_changes = r->epoch.has_changes;
    struct barrier barrier =
        epoch_end(&r->epoch, r->boundary, phase, r->commit_time_us, clock_monotonic_ms());
    if (phase == PHASE_STREAMING) {
        progress_received(r->progress, barrier.position);
        if (has_changes) {
            lag_received(&r->lag, barrier.position, r->commit_time_us);
        }
    }
    return push_to_all(r, &(struct event){.kind = EVENT_BARRIER, .barrier = barrier}, err);
}

/* The source's changes by kind; an update counts once, with or without its before image. */
static void count_event(const struct run *r, const struct event *event)
{
    enum { READ, INSERT, UPDATE, DELETE, TRUNCATE, SCHEMA, KINDS };
    static const char *const names[] = {"read", "insert", "update", "delete", "truncate", "schema"};
    uint64_t counts[KINDS] = {0};
    const struct batch *batch = event->batch;
    for (uint32_t i = 0; batch && i < batch->row_count; i++) {
        counts[INSERT] += batch->kinds[i] == ROW_INSERT && !batch->loading;
        counts[READ] += batch->kinds[i] == ROW_INSERT && batch->loading;
        counts[UPDATE] += batch->kinds[i] == ROW_UPDATE_AFTER;
        counts[DELETE] += batch->kinds[i] == ROW_DELETE;
    }
    counts[TRUNCATE] = event->kind == EVENT_TRUNCATE;
    counts[SCHEMA] = event->kind == EVENT_SCHEMA;

    struct metric_labels labels = {.pipeline = r->config->name};
    metric_add(METRIC_ROWS_RECEIVED, &labels,
               (double)(counts[READ] + counts[INSERT] + counts[UPDATE] + counts[DELETE]));
    labels.table = r->table_names[event->table];
    for (size_t i = 0; i < KINDS; i++) {
        labels.kind = names[i];
        if (counts[i] > 0) {
            metric_add(METRIC_EVENTS, &labels, (double)counts[i]);
        }
    }
}

/* Transforms an event of the source and hands it on; the event is released. */
static bool forward(struct run *r, struct event *event, struct error *err)
{
    r->at_boundary = false;
    if (event->batch) {
        atomic_fetch_add(&r->shared->rows_received, event->batch->row_count);
    }
    count_event(r, event);
    bool done = chain_apply(r->chain, event, err);
    if (done) {
        epoch_add(&r->epoch, event);
        failpoint("reader_before_push");
        done = push_to_all(r, event, err);
    }
    event_release(event);
    return done;
}

/* ---- loading ---- */

static bool is_stopping(const struct run *r)
{
    return atomic_load(&r->shared->stop) || atomic_load(&r->shared->abandon);
}

static bool load_rows(void *arg, struct batch *batch, struct error *err)
{
    struct run *r = arg;
    struct event event = {.kind = EVENT_BATCH, .table = batch->table, .batch = batch};
    if (is_stopping(r)) {
        event_release(&event);
        return error_set(err, ERROR_CANCELLED, "stopped while loading; the next start loads again");
    }
    atomic_fetch_add(&r->shared->rows_loaded, batch->row_count);
    if (!forward(r, &event, err)) {
        return false;
    }
    return !epoch_is_full(&r->epoch) || end_epoch(r, PHASE_LOADING, err);
}

static bool load(struct run *r, struct error *err)
{
    atomic_store(&r->shared->state, PIPELINE_LOADING);
    int64_t started_ms = clock_monotonic_ms();
    for (uint32_t t = 0; t < r->source->table_count; t++) {
        if (r->config->source.snapshot == SNAPSHOT_NEVER) {
            continue;
        }
        failpoint("reader_before_read_rows");
        if (!source_read_rows(r->source, &(struct source_range){.table = t}, load_rows, r, err)) {
            return error_wrap(err, "load of table %s", r->table_names[t]);
        }
    }
    failpoint("reader_after_read_rows");
    r->epoch.has_changes = true; /* the phase itself is one */
    r->at_boundary = true;
    if (!end_epoch(r, PHASE_STREAMING, err)) {
        return false;
    }
    log_info("load read", log_str("pipeline", r->config->name),
             log_u64("rows", atomic_load(&r->shared->rows_loaded)),
             log_i64("duration_ms", clock_monotonic_ms() - started_ms));
    return true;
}

/* ---- streaming ---- */

/* Without events there is no push that would tell of a failed sink. */
static bool check_writers(struct run *r, struct error *err)
{
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        if (writer_has_failed(r->writers[i])) {
            return error_set(err, ERROR_CANCELLED, "a sink stopped");
        }
    }
    return true;
}

static bool stream_step(struct run *r, struct error *err)
{
    struct event event = {0};
    if (!check_writers(r, err) || !acknowledge(r, err)) {
        return false;
    }
    if (!source_next(r->source, WAIT_MS, &event, err)) {
        return error_wrap(err, "source");
    }
    failpoint("reader_after_receive");
    if (event.kind == EVENT_IDLE) {
        r->at_boundary = true;
        r->boundary = position_join(r->boundary, event.position);
        if (event.commit_time_us > r->commit_time_us) {
            r->commit_time_us = event.commit_time_us;
        }
    } else if (event.kind != EVENT_NONE) {
        return forward(r, &event, err);
    }
    bool last = atomic_load(&r->shared->stop) && r->epoch.has_changes;
    if (r->at_boundary && (last || epoch_is_due(&r->epoch, r->boundary, clock_monotonic_ms()))) {
        return end_epoch(r, PHASE_STREAMING, err);
    }
    return true;
}

static bool stream(struct run *r, struct error *err)
{
    atomic_store(&r->shared->state, PIPELINE_STREAMING);
    log_info("streaming", log_str("pipeline", r->config->name),
             log_u64("position", r->boundary.integer));
    while (!atomic_load(&r->shared->abandon)) {
        if (!stream_step(r, err)) {
            return false;
        }
        if (atomic_load(&r->shared->stop) && !r->epoch.has_changes) {
            break; /* at a boundary, everything handed on with its barrier */
        }
    }
    return true;
}

/* Lets the writers drain, then tells the source how far they came. A writer's own failure is the
 * reason worth reporting: the reader only saw its queue closed. */
static bool finish(struct run *r, bool done, struct error *err)
{
    bool abandon = !done || atomic_load(&r->shared->abandon);
    struct error sink_err = {0};
    bool sinks_done = true;
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        sinks_done = writer_stop(&r->writers[i], abandon, &sink_err) && sinks_done;
    }
    struct error last = {0};
    if (r->progress) {
        (void)!acknowledge(r,
                           &last); /* best effort: what is not told now is told after the restart */
    }
    if (!sinks_done) {
        *err = sink_err;
        return false;
    }
    return done;
}

static bool run_steps(struct run *r, struct error *err)
{
    struct start_decision decision = {0};
    struct position at = {0};
    if (!open_all(r, err) || !decide(r, &decision, err)) {
        return false;
    }
    if (!(decision.load ? begin_load(r, &at, err) : resume(r, decision.resume, &at, err))) {
        return false;
    }
    start_writers(r, at, decision.load);
    bool done = !decision.load || load(r, err);
    if (done && !r->options->stop_after_load && r->config->source.snapshot != SNAPSHOT_ONLY) {
        done = stream(r, err);
    }
    return finish(r, done, err);
}

bool reader_run(const struct pipeline_config *config, const struct pipeline_options *options,
                struct reader_shared *shared, struct error *err)
{
    struct run r = {.config = config, .options = options, .shared = shared};
    atomic_store(&shared->state, PIPELINE_STARTING);
    shared->progressed = false;
    bool done = run_steps(&r, err);
    run_release(&r);
    return done;
}
