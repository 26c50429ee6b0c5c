#include "pipeline/sinks.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/queue.h"
#include "pipeline/retry.h"
#include "pipeline/writer.h"

enum { WAIT_MS = 20 }; /* for room in a queue, before looking at what else there is to do */

struct member {
    struct sink *sink;     /* NULL: not, or no longer, of this run */
    struct writer *writer; /* NULL before sinks_start() and after the sink has left */
    bool is_leaving;       /* detached; freed once the step under way has ended */
    struct error unopened; /* why it could not be opened */
    int64_t held_since_ms; /* since when it has held the others up, */
    int64_t held_ms;       /* and for how much of the time since */
};

struct sinks {
    struct sinks_options options;
    const struct pipeline_config *config;
    struct progress *progress;
    struct position start;
    uint32_t count;
    struct member members[];
};

static struct sink_status standing(const struct sinks *s, uint32_t i)
{
    return standing_of(s->options.standing, s->options.first + i);
}

static const char *label(const struct sinks *s, uint32_t i)
{
    return standing(s, i).label;
}

void sinks_free(struct sinks **sinks)
{
    struct sinks *s = take(*sinks);
    struct error ignored = {0};
    for (uint32_t i = 0; s && i < s->count; i++) {
        (void)!writer_stop(&s->members[i].writer, true, NULL, &ignored);
        sink_free(&s->members[i].sink);
    }
    free(s);
}

/* ---- leaving ---- */

/* Another sink goes on, or will. */
static bool may_leave(const struct sinks *s, uint32_t i)
{
    bool others = false;
    for (uint32_t k = 0; k < s->count; k++) {
        others = others || (k != i && standing(s, k).state != SINK_FAILED);
    }
    return others && s->config->on_sink_failure == SINK_FAILURE_DETACH;
}

/* A sink that is still loading has nothing from which it could be caught up. */
static bool has_loaded(const struct sinks *s, uint32_t i)
{
    return s->progress && progress_of(s->progress, i).kind != POSITION_NONE;
}

/* The sink is closed: what becomes of it. */
static void leave(struct sinks *s, uint32_t i, const struct error *why)
{
    uint32_t place = s->options.first + i;
    if (!retry_is_for(why->kind)) {
        standing_fail(s->options.standing, place, why);
        return;
    }
    if (standing(s, i).state != SINK_DETACHED) {
        standing_detach(s->options.standing, place, why);
    }
    s->options.left(s->options.arg, place);
}

/* Ends the writer and closes the sink. False: why the writer had failed. */
static bool close_member(struct sinks *s, uint32_t i, struct error *why)
{
    struct member *m = &s->members[i];
    bool done = writer_stop(&m->writer, true, NULL, why);
    sink_free(&m->sink);
    standing_durable(s->options.standing, s->options.first + i, progress_of(s->progress, i));
    m->is_leaving = false;
    return done;
}

/* The step that kept it from leaving has ended. */
static void complete_leaving(struct sinks *s, uint32_t i)
{
    struct error why = {0};
    if (close_member(s, i, &why)) {
        why.kind = ERROR_RETRY; /* it was only slow */
    }
    leave(s, i, &why);
}

/* The writer has failed. */
static bool let_go(struct sinks *s, uint32_t i, struct error *err)
{
    if (!may_leave(s, i) || !has_loaded(s, i)) {
        return error_set(err, ERROR_CANCELLED, "a sink stopped");
    }
    struct error why = {0};
    (void)!close_member(s, i, &why);
    leave(s, i, &why);
    return true;
}

/* ---- opening ---- */

static bool open_one(struct sinks *s, uint32_t i, struct error *err)
{
    const struct sinks_options *o = &s->options;
    const struct sink_config *config = &s->config->sinks[i];
    const struct sink_type *type = sink_type_find(config->type);
    if (!type) {
        return error_set(err, ERROR_CONFIG, "unknown sink type \"%s\"", config->type);
    }
    s->members[i].sink =
        type->open(&(struct sink_open){.config = config,
                                       .pipeline = s->config->name,
                                       .index = o->first + i,
                                       .state_dir = s->config->state_dir,
                                       .memory_bytes = s->config->memory_bytes / s->count,
                                       .source_identity = o->source_identity,
                                       .tables = o->tables,
                                       .table_count = o->table_count},
                   err);
    return s->members[i].sink || error_wrap(err, "sink %s", type->name);
}

/* Goes on without a sink that did not open or resume, if that may be. */
static bool do_without(struct sinks *s, uint32_t i, const struct error *why, struct error *err)
{
    struct member *m = &s->members[i];
    bool passing = retry_is_for(why->kind);
    sink_free(&m->sink);
    if (!may_leave(s, i) || !(passing || s->options.has_streamed)) {
        *err = *why;
        return false;
    }
    m->unopened = *why;
    return true;
}

/* A run that began with sinks must not begin with none. */
static bool check_any_open(const struct sinks *s, struct error *err)
{
    const struct error *why = NULL;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->members[i].sink) {
            return true;
        }
        why = s->members[i].unopened.kind != ERROR_NONE ? &s->members[i].unopened : why;
    }
    if (!why) {
        return true; /* all were detached before */
    }
    *err = *why;
    return false;
}

struct sinks *sinks_open(const struct sinks_options *options, struct error *err)
{
    uint32_t count = options->config->sink_count;
    owned(sinks_free) struct sinks *s = calloc(1, sizeof(*s) + count * sizeof(s->members[0]));
    if (!s) {
        abort();
    }
    s->options = *options;
    s->config = options->config;
    s->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct error why = {0};
        bool attached = standing(s, i).state == SINK_ATTACHED;
        if ((attached || count == 1) && !open_one(s, i, &why) && !do_without(s, i, &why, err)) {
            return NULL;
        }
    }
    return check_any_open(s, err) ? take(s) : NULL;
}

bool sinks_facts(struct sinks *s, struct arena *arena, struct start_facts *facts, struct error *err)
{
    uint32_t tables = s->options.table_count;
    size_t most = (size_t)tables * s->count;
    struct start_table *items = arena_zalloc(arena, (most + 1) * sizeof(*items));
    struct lake_snapshot *snapshots = arena_zalloc(arena, (most + 1) * sizeof(*snapshots));
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        struct sink *sink = s->members[i].sink;
        for (uint32_t t = 0; sink && sink->type->keeps_position && t < tables; t++) {
            struct start_table *item = &items[count];
            *item = (struct start_table){.name = s->options.table_names[t],
                                         .sink = sink->type->name,
                                         .sink_index = i,
                                         .snapshot = &snapshots[count]};
            if (!sink->type->last(sink, t, &snapshots[count], &item->known, err)) {
                return error_wrap(err, "table %s (%s)", item->name, item->sink);
            }
            count++;
        }
    }
    facts->tables = items;
    facts->table_count = count;
    return true;
}

struct position sinks_unrecorded(const struct sinks *s)
{
    struct position least = {0};
    for (uint32_t i = 0; i < s->count; i++) {
        const struct sink *sink = s->members[i].sink;
        struct position durable = standing(s, i).durable;
        if (sink && !sink->type->keeps_position && durable.kind != POSITION_NONE) {
            least = least.kind == POSITION_NONE ? durable : position_meet(least, durable);
        }
    }
    return least;
}

bool sinks_are_all_open(struct sinks *s, struct error *err)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct member *m = &s->members[i];
        if (m->unopened.kind != ERROR_NONE) {
            *err = m->unopened;
            return false;
        }
        if (!m->sink) {
            return error_set(err, ERROR_RETRY, "a load needs every sink, and %s is detached",
                             label(s, i));
        }
    }
    return true;
}

bool sinks_begin_load(struct sinks *s, const char *load_id, struct error *err)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct sink *sink = s->members[i].sink;
        if (!sink->type->begin_load(sink, load_id, err)) {
            return error_wrap(err, "sink %s", sink->type->name);
        }
    }
    return true;
}

static bool resume_one(struct sinks *s, uint32_t i, struct error *err)
{
    struct sink *sink = s->members[i].sink;
    bool proof_missing = false;
    if (!sink->type->resume(sink, &proof_missing, err)) {
        return error_wrap(err, "sink %s", sink->type->name);
    }
    if (proof_missing) {
        log_warn("no progress file", log_str("pipeline", s->config->name),
                 log_str("sink", label(s, i)),
                 log_str("detail", "that the tables were rolled back cannot be excluded; "
                                   "\"leat reload\" compares them with the source"));
    }
    return true;
}

bool sinks_resume(struct sinks *s, struct error *err)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct error why = {0};
        if (s->members[i].sink && !resume_one(s, i, &why) && !do_without(s, i, &why, err)) {
            return false;
        }
    }
    if (!check_any_open(s, err)) {
        return false;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->members[i].unopened.kind != ERROR_NONE) {
            standing_durable(s->options.standing, s->options.first + i, s->options.remembered);
            leave(s, i, &s->members[i].unopened);
        }
    }
    return true;
}

void sinks_start(struct sinks *s, struct progress *progress, struct position start)
{
    s->progress = progress;
    s->start = start;
    for (uint32_t i = 0; i < s->count; i++) {
        if (!s->members[i].sink) {
            progress_hold(progress, i, standing(s, i).durable);
        }
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (!s->members[i].sink) {
            continue;
        }
        bool detaches = s->count > 1 && s->config->on_sink_failure == SINK_FAILURE_DETACH;
        s->members[i].writer = writer_start(&(struct writer_options){
            .pipeline = s->config->name,
            .index = i,
            .sink_name = label(s, i),
            .sink = s->members[i].sink,
            .table_count = s->options.table_count,
            .progress = progress,
            .retry = &s->config->retry,
            .give_up_after_ms = detaches ? s->config->detach_after_ms : INT64_MAX,
            .is_loading = start.kind == POSITION_NONE,
            .heartbeat_ms = s->config->heartbeat_ms,
            .queue_bytes_max = s->config->memory_bytes / 6});
    }
}

/* ---- moving ---- */

static bool takes_part(const struct member *m)
{
    return m->writer && !m->is_leaving;
}

static bool another_starves(const struct sinks *s, uint32_t i)
{
    for (uint32_t k = 0; k < s->count; k++) {
        const struct member *m = &s->members[k];
        if (k != i && takes_part(m) && queue_is_starved(writer_queue(m->writer))) {
            return true;
        }
    }
    return false;
}

/* Counts the time for which the sink alone kept others without work. */
static void count_held(struct member *m, int64_t waited_ms)
{
    if (m->held_ms == 0) {
        m->held_since_ms = clock_monotonic_ms() - waited_ms;
    }
    m->held_ms += waited_ms;
}

/* True when that was most of the last detach_after: to be a little slower is no reason. */
static bool holds_others_up(const struct sinks *s, struct member *m)
{
    int64_t limit_ms = s->config->detach_after_ms;
    int64_t age_ms = m->held_ms > 0 ? clock_monotonic_ms() - m->held_since_ms : 0;
    if (age_ms < limit_ms) {
        return false;
    }
    bool most = m->held_ms > limit_ms / 2 && age_ms < 2 * limit_ms;
    m->held_ms = 0;
    return most;
}

/* Its writer may be in a step that takes long: the sink is closed when that has ended. */
static void detach_slow(struct sinks *s, uint32_t i)
{
    struct error why = {0};
    (void)error_set(&why, ERROR_RETRY,
                    "its queue was full, and the other sinks had nothing to do, for most of %lld "
                    "ms",
                    (long long)s->config->detach_after_ms);
    uint32_t place = s->options.first + i;
    standing_durable(s->options.standing, place, progress_of(s->progress, i));
    standing_detach(s->options.standing, place, &why);
    s->members[i].is_leaving = true;
    writer_abandon(s->members[i].writer);
}

static bool push_to(struct sinks *s, uint32_t i, const struct event *event, struct error *err)
{
    struct member *m = &s->members[i];
    owned(event_release) struct event copy = *event;
    copy.batch = event->batch ? batch_reference(event->batch) : NULL;
    copy.schema = event->schema ? schema_reference(event->schema) : NULL;
    for (int timeout_ms = 0;; timeout_ms = WAIT_MS) {
        bool starves = another_starves(s, i);
        int64_t began_ms = clock_monotonic_ms();
        enum queue_result pushed = queue_push(writer_queue(m->writer), &copy, timeout_ms);
        if (starves && timeout_ms > 0) {
            count_held(m, clock_monotonic_ms() - began_ms);
        }
        if (pushed == QUEUE_DONE) {
            return true;
        }
        if (pushed == QUEUE_CLOSED) {
            return let_go(s, i, err);
        }
        if (holds_others_up(s, m) && has_loaded(s, i) && may_leave(s, i)) {
            detach_slow(s, i);
            return true;
        }
        if (!s->options.waiting(s->options.arg, err)) {
            return false;
        }
    }
}

bool sinks_push(struct sinks *s, const struct event *event, struct error *err)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (takes_part(&s->members[i]) && !push_to(s, i, event, err)) {
            return false;
        }
    }
    return true;
}

bool sinks_tend(struct sinks *s, struct error *err)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct member *m = &s->members[i];
        if (m->is_leaving && writer_has_ended(m->writer)) {
            complete_leaving(s, i);
        } else if (takes_part(m) && writer_has_failed(m->writer) && !let_go(s, i, err)) {
            return false;
        }
    }
    return true;
}

bool sinks_sync(struct sinks *s)
{
    bool progressed = false;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t place = s->options.first + i;
        if (s->members[i].writer) {
            struct position durable = progress_of(s->progress, i);
            standing_durable(s->options.standing, place, durable);
            progressed |= !position_has(&s->start, &durable); /* never back */
        } else {
            progress_follow(s->progress, i, standing(s, i).durable);
        }
    }
    return progressed;
}

static bool stop_one(struct sinks *s, uint32_t i, bool abandon, struct error *err)
{
    struct member *m = &s->members[i];
    struct error why = {0};
    bool gave_up = false;
    if (m->is_leaving) {
        complete_leaving(s, i);
        return true;
    }
    if (!m->writer) {
        return true;
    }
    bool done = writer_stop(&m->writer, abandon, &gave_up, &why);
    standing_durable(s->options.standing, s->options.first + i, progress_of(s->progress, i));
    if (done) {
        return true;
    }
    if (may_leave(s, i) && has_loaded(s, i)) {
        sink_free(&m->sink);
        if (!abandon || gave_up || !retry_is_for(why.kind)) {
            leave(s, i, &why);
        } /* else the run ends before the sink could do what it was trying to do */
        return true;
    }
    *err = why;
    return gave_up && !s->options.is_aside ? error_recast(err, ERROR_FATAL) : false;
}

bool sinks_stop(struct sinks *s, bool abandon, struct error *err)
{
    bool done = true;
    for (uint32_t i = 0; i < s->count; i++) {
        struct error why = {0};
        if (!stop_one(s, i, abandon, &why) && done) {
            *err = why;
            done = false;
        }
    }
    return done;
}
