#include "pipeline/reader.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "observe/metrics.h"
#include "pipeline/chain.h"
#include "pipeline/epoch.h"
#include "pipeline/position_field.h"
#include "pipeline/progress.h"
#include "pipeline/start.h"
#include "source/source.h"

enum {
    WAIT_MS = 100, /* how long the source may wait for events: bounds the reaction to a stop */
    CAUGHT_UP_MS = 5000, /* so far, and two commits, a sink that was detached may lie behind */
};

struct run {
    const struct reader_task *task;
    const struct pipeline_config *config;
    struct reader_shared *shared;
    struct arena arena;
    struct source *source;
    struct chain *chain;
    const char **table_names; /* "schema.table" */
    struct sink_table *sink_tables;
    struct sinks *sinks;
    struct progress *progress;
    struct epoch epoch;
    struct position boundary; /* where the stream last stood between transactions */
    bool at_boundary;         /* nothing was handed on since: an epoch may end */
    int64_t commit_time_us;   /* newest source commit seen */
};

static void run_release(struct run *r)
{
    sinks_free(&r->sinks);
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
    r->source = type->open(&(struct source_open){.config = &r->config->source,
                                                 .state_dir = r->config->state_dir,
                                                 .pipeline = r->config->name,
                                                 .aside = r->task->aside},
                           err);
    if (!r->source) {
        (void)error_wrap(err, "source %s", type->name);
        return false;
    }
    return true;
}

static bool acknowledge(struct run *r, struct error *err);

/* The source is kept alive while the run waits for a sink. */
static bool wait_for_sink(void *arg, struct error *err)
{
    struct run *r = arg;
    if (atomic_load(&r->shared->abandon)) {
        return error_set(err, ERROR_CANCELLED, "stopped");
    }
    return acknowledge(r, err);
}

static void sink_left(void *arg, uint32_t sink)
{
    const struct run *r = arg;
    r->task->left(r->task->left_arg, sink);
}

static bool open_sinks(struct run *r, struct error *err)
{
    r->sinks = sinks_open(&(struct sinks_options){.config = r->config,
                                                  .first = r->task->first_sink,
                                                  .standing = r->task->standing,
                                                  .is_aside = r->task->aside != NULL,
                                                  .has_streamed = r->shared->has_streamed,
                                                  .source_identity = r->source->identity,
                                                  .remembered = r->source->remembered,
                                                  .tables = r->sink_tables,
                                                  .table_names = r->table_names,
                                                  .table_count = r->source->table_count,
                                                  .left = sink_left,
                                                  .waiting = wait_for_sink,
                                                  .arg = r},
                          err);
    return r->sinks != NULL;
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
    return open_sinks(r, err);
}

/* ---- where to begin ---- */

static bool wants_load(const struct run *r)
{
    enum snapshot_mode mode = r->config->source.snapshot;
    return !r->shared->has_streamed &&
           (r->task->options->reload || mode == SNAPSHOT_ALWAYS || mode == SNAPSHOT_ONLY);
}

static bool decide(struct run *r, struct start_decision *out, struct error *err)
{
    struct start_facts facts = {.pipeline = r->config->name,
                                .source_identity = r->source->identity,
                                .has_memory = r->source->has_memory,
                                .position_kind = r->source->position_kind,
                                .remembered = r->source->remembered,
                                .unrecorded = sinks_unrecorded(r->sinks),
                                .has_streamed = r->shared->has_streamed,
                                .reload = wants_load(r)};
    if (!sinks_facts(r->sinks, &r->arena, &facts, err) || !start_decide(&facts, out, err)) {
        return false;
    }
    r->shared->needs_load = out->load;
    return true;
}

static bool begin_load(struct run *r, struct position *at, struct error *err)
{
    char load_id[UUID_TEXT_SIZE];
    random_uuid(load_id);
    if (!sinks_begin_load(r->sinks, load_id, err)) {
        return false;
    }
    failpoint("reader_after_begin_load");

    /* Only now, when every table says "loading", may the old slot go: a slot's position proves
     * nothing about tables that are loading (rule 1). */
    return source_start(r->source, NULL, at, err) || error_wrap(err, "source");
}

static bool resume(struct run *r, struct position from, struct position *at, struct error *err)
{
    *at = from;
    return sinks_resume(r->sinks, err) &&
           (source_start(r->source, &from, at, err) || error_wrap(err, "source"));
}

static void start_writers(struct run *r, struct position at, bool load)
{
    r->boundary = at;
    r->at_boundary = true;
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
    /* A load has shown nothing to be durable before it is committed. */
    struct position start = load ? (struct position){0} : at;
    r->progress = progress_new(r->config->sink_count, start);
    sinks_start(r->sinks, r->progress, start);
}

/* ---- moving ---- */

/* Where this run stands, for those who ask; and what follows from it. */
static void tell(struct run *r, const struct progress_view *view)
{
    struct reader_shared *shared = r->shared;
    struct standing *standing = r->task->standing;
    int64_t now_ms = clock_monotonic_ms();
    if (!r->task->aside) {
        shared->has_streamed |= view->durable.kind != POSITION_NONE;
        standing_tell(standing, view);
        standing_remind(standing, now_ms);
        atomic_store(&shared->lag_ms, standing_lag_ms(standing));
    } else if (standing_has_caught_up(standing, r->task->first_sink, now_ms,
                                      CAUGHT_UP_MS + 2 * r->epoch.interval_ms)) {
        atomic_store(&shared->stop, true);
    }
}

static bool acknowledge(struct run *r, struct error *err)
{
    r->shared->progressed |= sinks_sync(r->sinks);
    struct position position = progress_acknowledge(r->progress);
    struct progress_view view = progress_view(r->progress);
    tell(r, &view);
    failpoint("reader_before_acknowledge");
    if (!source_acknowledge(r->source, position, err)) {
        return error_wrap(err, "source");
    }
    failpoint("reader_after_acknowledge");
    return true;
}

static bool end_epoch(struct run *r, enum barrier_phase phase, struct error *err)
{
    bool has_changes = r->epoch.has_changes;
    struct barrier barrier =
        epoch_end(&r->epoch, r->boundary, phase, r->commit_time_us, clock_monotonic_ms());
    if (phase == PHASE_STREAMING) {
        progress_received(r->progress, barrier.position);
        if (has_changes && !r->task->aside) {
            standing_expect(r->task->standing, barrier.position, r->commit_time_us);
        }
    }
    return sinks_push(r->sinks, &(struct event){.kind = EVENT_BARRIER, .barrier = barrier}, err);
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
    if (!r->task->aside) { /* the pipeline's own reader has counted it or will */
        count_event(r, event);
    }
    bool done = chain_apply(r->chain, event, err);
    if (done) {
        epoch_add(&r->epoch, event);
        failpoint("reader_before_push");
        done = sinks_push(r->sinks, event, err);
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

/* The stream is to end at the next boundary, once everything is handed on with its barrier. */
static bool is_ending(const struct run *r)
{
    return atomic_load(&r->shared->stop) || atomic_load(&r->shared->rejoin);
}

static bool stream_step(struct run *r, struct error *err)
{
    struct event event = {0};
    if (!sinks_tend(r->sinks, err) || !acknowledge(r, err)) {
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
    bool last = is_ending(r) && r->epoch.has_changes;
    if (r->at_boundary && (last || epoch_is_due(&r->epoch, r->boundary, clock_monotonic_ms()))) {
        return end_epoch(r, PHASE_STREAMING, err);
    }
    return true;
}

static bool stream(struct run *r, struct error *err)
{
    owned(buf_release) struct buf text = {0};
    atomic_store(&r->shared->state, PIPELINE_STREAMING);
    log_info(r->task->aside ? "catching up" : "streaming", log_str("pipeline", r->config->name),
             log_str("sink", r->task->aside ? r->task->aside : "all"),
             position_field("position", r->boundary, &text));
    while (!atomic_load(&r->shared->abandon)) {
        if (!stream_step(r, err)) {
            return false;
        }
        if (is_ending(r) && !r->epoch.has_changes) {
            break;
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
    bool sinks_done = sinks_stop(r->sinks, abandon, &sink_err);
    struct error last = {0};
    (void)!acknowledge(r, &last); /* what is not told now is told after the restart */
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
    if (decision.load && r->task->aside) {
        return true; /* not by this run */
    }
    if (decision.load && !sinks_are_all_open(r->sinks, err)) {
        return false;
    }
    if (!(decision.load ? begin_load(r, &at, err) : resume(r, decision.resume, &at, err))) {
        return false;
    }
    r->shared->needs_load = false;
    start_writers(r, at, decision.load);
    bool done = !decision.load || load(r, err);
    if (done && !r->task->options->stop_after_load && r->config->source.snapshot != SNAPSHOT_ONLY) {
        done = stream(r, err);
    }
    return finish(r, done, err);
}

bool reader_run(const struct reader_task *task, struct error *err)
{
    struct run r = {.task = task, .config = task->config, .shared = task->shared};
    atomic_store(&task->shared->state, PIPELINE_STARTING);
    task->shared->progressed = false;
    task->shared->needs_load = false;
    bool done = run_steps(&r, err);
    run_release(&r);
    return done;
}
