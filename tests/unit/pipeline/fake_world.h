/* A source and sinks in memory that stand in for the registries: a pipeline runs over them with its
 * real threads, and a test says when a sink is slow or fails.
 *
 * The source's transactions are 1, 2, 3 ...: each is one row with its number, and its number is its
 * position. So a sink is right when it holds every number once, in order. By GTIDs the odd numbers
 * are of one domain and the even ones of another, and the source remembers nothing. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"
#include "source/source.h"
#include "test.h"

enum { SINKS_MAX = 3, ROWS_MAX = 100000, PATIENCE_MS = 20000 };

enum behaviour {
    WELL,
    COMMIT_FAILS,  /* for a passing reason */
    COMMIT_BREAKS, /* for good */
    OPEN_FAILS,    /* for a passing reason */
    WRITE_BLOCKS,
};

struct fake_table {
    atomic_int behaviour;
    atomic_uint opened; /* how often */
    bool is_open;
    bool exists;
    struct lake_record record;
    uint64_t rows[ROWS_MAX];
    uint32_t row_count;
};

static struct world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct schema *schema;
    bool by_gtids;
    uint64_t head; /* newest transaction */
    bool has_slot;
    uint64_t acknowledged;
    bool source_fails;
    uint32_t readers;     /* of the pipeline itself, open now */
    uint32_t asides;      /* open now */
    uint32_t aside_count; /* ever */
    char wrong[256];      /* the first promise that was broken */
    struct fake_table sinks[SINKS_MAX];
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* The lock is held. */
static void note_wrong(const char *what)
{
    if (!world.wrong[0]) {
        (void)snprintf(world.wrong, sizeof(world.wrong), "%s", what);
    }
}

static const struct position_source *numbered_by(uint64_t number)
{
    return world.by_gtids ? position_source_mariadb((uint32_t)(number % 2)) : NULL;
}

/* The position that has the transactions up to this one. */
static struct position at_number(uint64_t number)
{
    if (!world.by_gtids) {
        return position_integer(number);
    }
    struct position p = position_empty_set();
    for (uint64_t n = number > 0 ? number - 1 : 0; n <= number; n++) {
        position_add(&p, numbered_by(n), n, 1);
    }
    return p;
}

static bool find_newest(void *arg, const struct position_interval *i)
{
    uint64_t *newest = arg;
    *newest = i->last > *newest ? i->last : *newest;
    return true;
}

static uint64_t newest_in(struct position p)
{
    uint64_t newest = p.integer;
    (void)position_each(&p, find_newest, &newest);
    return newest;
}

/* ---- the source ---- */

struct fake_source {
    struct source base;
    struct source_table table;
    bool is_aside;
    uint64_t read; /* newest transaction handed out */
    bool in_transaction;
};

extern const struct source_type fake_source_type;

static struct source *fake_source_open(const struct source_open *open, struct error *err)
{
    struct fake_source *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    (void)pthread_mutex_lock(&world.lock);
    bool fails = world.source_fails;
    s->is_aside = open->aside != NULL;
    s->table = (struct source_table){.name = {"public", "t"}, .schema = world.schema};
    s->base.tables = &s->table;
    s->base.table_count = 1;
    s->base.has_memory = !world.by_gtids;
    s->base.position_kind = world.by_gtids ? POSITION_SET : POSITION_INTEGER;
    (void)strcpy(s->base.identity, "fake");
    if (world.has_slot && s->base.has_memory) {
        s->base.remembered = at_number(world.acknowledged);
    }
    if (fails) {
        free(s);
        s = NULL;
        (void)error_set(err, ERROR_RETRY, "the source is away");
    } else if (s->is_aside) {
        world.asides++;
        world.aside_count++;
    } else if (++world.readers > 1) {
        note_wrong("two readers of the pipeline itself");
    }
    (void)pthread_mutex_unlock(&world.lock);
    if (s) {
        s->base.type = &fake_source_type;
    }
    return s ? &s->base : NULL;
}

static bool fake_source_start(struct source *source, const struct position *resume,
                              struct position *at, struct error *err)
{
    (void)err;
    struct fake_source *s = (struct fake_source *)source;
    (void)pthread_mutex_lock(&world.lock);
    if (!resume && s->is_aside) {
        note_wrong("a reader aside began anew");
    }
    if (!resume) {
        world.has_slot = true;
        world.acknowledged = world.head;
    } else if (newest_in(*resume) < world.acknowledged) {
        note_wrong("a reader resumed before what was acknowledged");
    }
    s->read = resume ? newest_in(*resume) : world.head;
    (void)pthread_mutex_unlock(&world.lock);
    *at = at_number(s->read);
    return true;
}

static struct batch *batch_of(uint64_t number, bool loading)
{
    struct batch *b = batch_new(world.schema, 0, 1);
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    ((int64_t *)b->columns[0].values)[row] = (int64_t)number;
    b->source = numbered_by(number);
    b->positions[row] = loading ? 0 : number;
    b->transactions[row] = loading ? 0 : number;
    b->commit_times_us[row] = clock_wall_us();
    b->loading = loading;
    return b;
}

static bool fake_source_read_rows(struct source *source, const struct source_range *range,
                                  source_rows_fn *fn, void *arg, struct error *err)
{
    (void)range;
    const struct fake_source *s = (const struct fake_source *)source;
    for (uint64_t i = 1; i <= s->read; i++) {
        if (!fn(arg, batch_of(i, true), err)) {
            return false;
        }
    }
    return true;
}

static bool fake_source_next(struct source *source, int timeout_ms, struct event *out,
                             struct error *err)
{
    struct fake_source *s = (struct fake_source *)source;
    *out = (struct event){.kind = EVENT_NONE};
    if (s->in_transaction) {
        s->in_transaction = false;
        *out = (struct event){
            .kind = EVENT_IDLE, .position = at_number(s->read), .commit_time_us = clock_wall_us()};
        return true;
    }
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)timeout_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&world.lock);
    int waited = 0;
    while (world.head == s->read && !world.source_fails && waited == 0) {
        waited = pthread_cond_timedwait(&world.changed, &world.lock, &until);
    }
    bool fails = world.source_fails;
    bool has_more = world.head > s->read;
    (void)pthread_mutex_unlock(&world.lock);
    if (fails) {
        return error_set(err, ERROR_RETRY, "the source is away");
    }
    if (has_more) {
        s->in_transaction = true;
        *out = (struct event){.kind = EVENT_BATCH, .batch = batch_of(++s->read, false)};
    } else {
        *out = (struct event){.kind = EVENT_IDLE, .position = at_number(s->read)};
    }
    return true;
}

static bool fake_source_acknowledge(struct source *source, struct position position,
                                    struct error *err)
{
    (void)err;
    const struct fake_source *s = (const struct fake_source *)source;
    if (s->is_aside || position.kind == POSITION_NONE) {
        return true;
    }
    (void)pthread_mutex_lock(&world.lock);
    for (uint32_t i = 0; i < SINKS_MAX; i++) {
        const struct fake_table *t = &world.sinks[i];
        if (t->exists && !position_covers(t->record.position, position)) {
            note_wrong("acknowledged beyond what a sink holds");
        }
    }
    if (newest_in(position) > world.acknowledged) {
        world.acknowledged = newest_in(position);
    }
    (void)pthread_mutex_unlock(&world.lock);
    return true;
}

static void fake_source_free(struct source *source)
{
    const struct fake_source *s = (const struct fake_source *)source;
    (void)pthread_mutex_lock(&world.lock);
    if (s->is_aside) {
        world.asides--;
    } else {
        world.readers--;
    }
    (void)pthread_mutex_unlock(&world.lock);
    free(source);
}

const struct source_type fake_source_type = {.name = "fake",
                                             .open = fake_source_open,
                                             .start = fake_source_start,
                                             .read_rows = fake_source_read_rows,
                                             .next = fake_source_next,
                                             .acknowledge = fake_source_acknowledge,
                                             .free = fake_source_free};

const struct source_type *source_type_find(const char *name)
{
    assert_string_equal(name, "fake");
    return &fake_source_type;
}

/* ---- the sinks ---- */

struct fake_sink {
    struct sink base;
    struct fake_table *table;
    bool is_blind; /* keeps no position: takes whatever comes */
    uint64_t *pending;
    uint32_t pending_count;
};

extern const struct sink_type fake_sink_type;
extern const struct sink_type blind_sink_type;

static struct sink *fake_sink_open(const struct sink_open *open, struct error *err)
{
    assert_true(open->index < SINKS_MAX);
    struct fake_table *t = &world.sinks[open->index];
    atomic_fetch_add(&t->opened, 1);
    if (atomic_load(&t->behaviour) == OPEN_FAILS) {
        (void)error_set(err, ERROR_RETRY, "the sink is away");
        return NULL;
    }
    struct fake_sink *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->pending = calloc(ROWS_MAX, sizeof(*s->pending));
    assert_non_null(s->pending);
    s->table = t;
    s->is_blind = strcmp(open->config->type, "blind") == 0;
    s->base.type = s->is_blind ? &blind_sink_type : &fake_sink_type;
    (void)pthread_mutex_lock(&world.lock);
    if (t->is_open) {
        note_wrong("a sink was opened while it was open");
    }
    t->is_open = true;
    (void)pthread_mutex_unlock(&world.lock);
    return &s->base;
}

static bool fake_sink_last(struct sink *sink, uint32_t table, struct lake_snapshot *out,
                           bool *known, struct error *err)
{
    (void)table;
    (void)err;
    const struct fake_table *t = ((struct fake_sink *)sink)->table;
    (void)pthread_mutex_lock(&world.lock);
    *out =
        (struct lake_snapshot){.exists = t->exists, .has_record = t->exists, .record = t->record};
    *known = t->exists;
    (void)pthread_mutex_unlock(&world.lock);
    return true;
}

static bool fake_sink_resume(struct sink *sink, bool *proof_missing, struct error *err)
{
    (void)sink;
    (void)err;
    *proof_missing = false;
    return true;
}

static bool fake_sink_begin_load(struct sink *sink, const char *load_id, struct error *err)
{
    (void)load_id;
    (void)err;
    struct fake_table *t = ((struct fake_sink *)sink)->table;
    (void)pthread_mutex_lock(&world.lock);
    t->exists = true;
    t->row_count = 0;
    t->record = (struct lake_record){.phase = PHASE_LOADING, .source = "fake"};
    (void)pthread_mutex_unlock(&world.lock);
    return true;
}

static bool fake_sink_write(struct sink *sink, const struct event *event, struct error *err)
{
    (void)err;
    struct fake_sink *s = (struct fake_sink *)sink;
    while (atomic_load(&s->table->behaviour) == WRITE_BLOCKS) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(event->kind, EVENT_BATCH);
    for (uint32_t row = 0; row < event->batch->row_count; row++) {
        if (event->batch->loading || s->is_blind ||
            !batch_row_is_covered(event->batch, row, &s->table->record.position)) {
            s->pending[s->pending_count++] = (uint64_t)column_integer(event->batch->columns, row);
        }
    }
    return true;
}

static bool fake_sink_commit(struct sink *sink, const struct barrier *barrier, bool heartbeat,
                             enum sink_result *results, struct error *err)
{
    (void)heartbeat;
    struct fake_sink *s = (struct fake_sink *)sink;
    struct fake_table *t = s->table;
    int behaviour = atomic_load(&t->behaviour);
    if (behaviour == COMMIT_FAILS) {
        return error_set(err, ERROR_RETRY, "no room");
    }
    if (behaviour == COMMIT_BREAKS) {
        return error_set(err, ERROR_LOST, "the table is gone");
    }
    (void)pthread_mutex_lock(&world.lock);
    memcpy(t->rows + t->row_count, s->pending, s->pending_count * sizeof(*s->pending));
    t->row_count += s->pending_count;
    if (s->pending_count > 0 || t->record.phase != barrier->phase) {
        t->record.position = barrier->position;
    }
    t->record.phase = barrier->phase;
    (void)pthread_mutex_unlock(&world.lock);
    s->pending_count = 0;
    results[0] = SINK_DONE;
    return true;
}

static void fake_sink_free(struct sink *sink)
{
    struct fake_sink *s = (struct fake_sink *)sink;
    (void)pthread_mutex_lock(&world.lock);
    s->table->is_open = false;
    (void)pthread_mutex_unlock(&world.lock);
    free(s->pending);
    free(s);
}

const struct sink_type fake_sink_type = {.name = "fake",
                                         .keeps_position = true,
                                         .open = fake_sink_open,
                                         .last = fake_sink_last,
                                         .resume = fake_sink_resume,
                                         .begin_load = fake_sink_begin_load,
                                         .write = fake_sink_write,
                                         .commit = fake_sink_commit,
                                         .free = fake_sink_free};

const struct sink_type blind_sink_type = {.name = "blind",
                                          .open = fake_sink_open,
                                          .resume = fake_sink_resume,
                                          .begin_load = fake_sink_begin_load,
                                          .write = fake_sink_write,
                                          .commit = fake_sink_commit,
                                          .free = fake_sink_free};

const struct sink_type *sink_type_find(const char *name)
{
    return strcmp(name, "blind") == 0 ? &blind_sink_type : &fake_sink_type;
}

/* ---- what a test does ---- */

static void world_begin(void)
{
    log_configure(LOG_LEVEL_ERROR, false);
    (void)pthread_mutex_lock(&world.lock);
    world.schema = schema_new(1);
    world.schema->columns[0] =
        (struct schema_column){.name = "id", .type = {.kind = TYPE_INT64}, .is_key = true};
    schema_seal(world.schema);
    world.head = 0;
    world.has_slot = false;
    world.acknowledged = 0;
    world.source_fails = false;
    world.aside_count = 0;
    world.wrong[0] = '\0';
    for (uint32_t i = 0; i < SINKS_MAX; i++) {
        world.sinks[i].exists = false;
        world.sinks[i].row_count = 0;
        world.sinks[i].record = (struct lake_record){0};
        atomic_store(&world.sinks[i].behaviour, WELL);
        atomic_store(&world.sinks[i].opened, 0);
    }
    (void)pthread_mutex_unlock(&world.lock);
}

static void world_end(void)
{
    schema_free(&world.schema);
    assert_string_equal(world.wrong, "");
    assert_int_equal(world.readers, 0);
    assert_int_equal(world.asides, 0);
}

static void change(uint64_t transactions)
{
    (void)pthread_mutex_lock(&world.lock);
    world.head += transactions;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

static void break_source(bool fails)
{
    (void)pthread_mutex_lock(&world.lock);
    world.source_fails = fails;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

static void behave(uint32_t sink, enum behaviour behaviour)
{
    atomic_store(&world.sinks[sink].behaviour, behaviour);
}

static bool holds_everything(uint32_t sink)
{
    (void)pthread_mutex_lock(&world.lock);
    bool all = world.sinks[sink].row_count >= world.head &&
               world.sinks[sink].record.phase == PHASE_STREAMING;
    (void)pthread_mutex_unlock(&world.lock);
    return all;
}

static bool is_acknowledged(uint64_t position)
{
    (void)pthread_mutex_lock(&world.lock);
    bool all = world.has_slot && world.acknowledged >= position;
    (void)pthread_mutex_unlock(&world.lock);
    return all;
}

static uint64_t acknowledged(void)
{
    (void)pthread_mutex_lock(&world.lock);
    uint64_t position = world.acknowledged;
    (void)pthread_mutex_unlock(&world.lock);
    return position;
}

static uint64_t position_of(uint32_t sink)
{
    (void)pthread_mutex_lock(&world.lock);
    uint64_t position = newest_in(world.sinks[sink].record.position);
    (void)pthread_mutex_unlock(&world.lock);
    return position;
}

static void assert_each_row_once(uint32_t sink)
{
    (void)pthread_mutex_lock(&world.lock);
    const struct fake_table *t = &world.sinks[sink];
    for (uint32_t i = 0; i < t->row_count; i++) {
        if (t->rows[i] != i + 1) {
            fail_msg("sink %u holds %lu where %u belongs", sink, (unsigned long)t->rows[i], i + 1);
        }
    }
    (void)pthread_mutex_unlock(&world.lock);
}

static void wait_a_little(int64_t began_ms, const char *condition)
{
    if (clock_monotonic_ms() - began_ms > PATIENCE_MS) {
        fail_msg("waited in vain for: %s", condition);
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Waits until the condition holds; fails where it stands when that takes too long. */
#define await(condition)                                              \
    for (int64_t await_began_ms = clock_monotonic_ms(); !(condition); \
         wait_a_little(await_began_ms, #condition)) {                 \
    }
