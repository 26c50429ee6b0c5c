/* Reading a table by several connections: each has a thread that turns rows into batches, and the
 * caller's thread hands them over. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "model/batch.h"
#include "source/mysql/load_parts.h"
#include "source/mysql/value.h"

enum {
    BATCH_ROWS = 8192,
    BATCH_BYTES_MAX = 4 << 20,
    QUEUE_BATCHES = 64,
    QUEUE_BYTES_MAX = 16 << 20,
    ERROR_UNKNOWN_COLUMN = 1054,
    ERROR_NO_TABLE = 1146,
};

/* One table's reading: what the threads share. */
struct exchange {
    const struct my_relation *relation;
    const struct my_load_plan *plan;
    struct buf select;  /* the statement up to the range */
    uint64_t row_count; /* atomic: numbers the rows */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    uint32_t next_range;
    uint32_t working; /* threads that have not ended */
    bool stopped;
    struct error err; /* the first one */
    struct batch *batches[QUEUE_BATCHES];
    uint32_t head;
    uint32_t count;
    size_t bytes;
};

struct worker {
    struct exchange *exchange;
    MYSQL *c;
    pthread_t thread;
    struct batch *batch; /* rows so far; NULL: none */
};

/* Text, so that each type's value comes as the server prints it. The primary key is forced: for one
 * of a few wide ranges a server may prefer to read the whole table. Of high priority: where locks
 * are the tables', a reader waits behind the writers that wait for our own lock. */
static void append_select(const struct my_relation *r, const struct my_load_plan *plan,
                          struct buf *sql)
{
    buf_append_text(sql, "SELECT HIGH_PRIORITY ");
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        buf_append_text(sql, i == 0 ? "" : ", ");
        my_value_append_select(&r->rules[i], r->schema->columns[i].name, sql);
    }
    buf_append_text(sql, " FROM ");
    my_load_append_name(sql, r->name);
    if (plan->key) {
        buf_append_text(sql, " FORCE INDEX (PRIMARY)");
    }
}

static bool take_range(struct exchange *x, uint32_t *out)
{
    pthread_mutex_lock(&x->lock);
    bool more = !x->stopped && x->next_range < x->plan->range_count;
    *out = x->next_range;
    x->next_range += more;
    pthread_mutex_unlock(&x->lock);
    return more;
}

static bool has_room(const struct exchange *x, size_t bytes)
{
    return x->count == 0 || (x->count < QUEUE_BATCHES && x->bytes + bytes <= QUEUE_BYTES_MAX);
}

/* Waits for room; takes the batch. False: the reading was stopped. */
static bool push(struct exchange *x, struct batch *b)
{
    size_t bytes = batch_bytes(b);
    pthread_mutex_lock(&x->lock);
    while (!x->stopped && !has_room(x, bytes)) {
        pthread_cond_wait(&x->changed, &x->lock);
    }
    bool pushed = !x->stopped;
    if (pushed) {
        x->batches[(x->head + x->count) % QUEUE_BATCHES] = b;
        x->count++;
        x->bytes += bytes;
        pthread_cond_broadcast(&x->changed);
    }
    pthread_mutex_unlock(&x->lock);
    if (!pushed) {
        batch_release(b);
    }
    return pushed;
}

/* The caller holds the lock and has seen that there is one. */
static struct batch *take_head(struct exchange *x)
{
    struct batch *b = x->batches[x->head];
    x->head = (x->head + 1) % QUEUE_BATCHES;
    x->count--;
    x->bytes -= batch_bytes(b);
    return b;
}

/* The next batch, which is then the caller's; NULL: stopped, or all was read. */
static struct batch *pop(struct exchange *x)
{
    struct batch *b = NULL;
    pthread_mutex_lock(&x->lock);
    while (!x->stopped && x->count == 0 && x->working > 0) {
        pthread_cond_wait(&x->changed, &x->lock);
    }
    if (!x->stopped && x->count > 0) {
        b = take_head(x);
        pthread_cond_broadcast(&x->changed);
    }
    pthread_mutex_unlock(&x->lock);
    return b;
}

/* The first error counts; the others are what closed sockets say. */
static void stop(struct exchange *x, const struct error *err)
{
    pthread_mutex_lock(&x->lock);
    if (!x->stopped && err) {
        x->err = *err;
    }
    x->stopped = true;
    pthread_cond_broadcast(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

static bool hand_over(struct worker *w)
{
    struct batch *b = take(w->batch);
    uint64_t first = __atomic_fetch_add(&w->exchange->row_count, b->row_count, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < b->row_count; i++) {
        b->sequences[i] = first + i;
    }
    return push(w->exchange, b);
}

static uint32_t batch_rows(const struct my_relation *r)
{
    size_t width = 40;
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        width += type_width(r->schema->columns[i].type);
    }
    size_t rows = BATCH_BYTES_MAX / 2 / width;
    return rows > BATCH_ROWS ? BATCH_ROWS : rows < 1 ? 1 : (uint32_t)rows;
}

static bool store_row(struct worker *w, MYSQL_ROW values, const unsigned long *sizes,
                      struct error *err)
{
    const struct my_relation *r = w->exchange->relation;
    if (!w->batch) {
        w->batch = batch_new(r->schema, r->table, batch_rows(r));
        w->batch->loading = true;
        w->batch->received_us = clock_wall_us();
    }
    uint32_t row = batch_add_row(w->batch, ROW_INSERT, IMAGE_WHOLE);
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        struct str text = {.data = values[i], .size = sizes[i]};
        if (!values[i]) {
            batch_set_null(w->batch, i, row);
        } else if (!my_value_from_text(&r->rules[i], text, w->batch, i, row, err)) {
            return error_wrap(err, "column \"%s\"", r->schema->columns[i].name);
        }
    }
    return true;
}

/* A table that is altered after the snapshot loses columns or its name: the load begins again with
 * what it is then. */
static bool recast_altered(MYSQL *c, struct error *err)
{
    unsigned number = mysql_errno(c);
    if (number == ERROR_UNKNOWN_COLUMN || number == ERROR_NO_TABLE) {
        (void)error_recast(err, ERROR_RETRY);
        (void)error_wrap(err, "it was altered while it was loaded");
    }
    return false;
}

static bool reading_failed(MYSQL *c, struct error *err)
{
    (void)my_connection_error(c, err);
    return recast_altered(c, err);
}

static bool store_rows(struct worker *w, MYSQL_RES *r, struct error *err)
{
    for (MYSQL_ROW row = mysql_fetch_row(r); row; row = mysql_fetch_row(r)) {
        if (!store_row(w, row, mysql_fetch_lengths(r), err)) {
            return false;
        }
        bool full = w->batch->row_count == BATCH_ROWS || batch_bytes(w->batch) >= BATCH_BYTES_MAX;
        if (full && !hand_over(w)) {
            return error_set(err, ERROR_CANCELLED, "stopped");
        }
    }
    return mysql_errno(w->c) == 0 || reading_failed(w->c, err);
}

static bool read_range(struct worker *w, uint32_t range, struct error *err)
{
    struct exchange *x = w->exchange;
    owned(buf_release) struct buf sql = {0};
    buf_append(&sql, x->select.data, x->select.size);
    my_load_append_range(&sql, x->plan, range);
    if (mysql_real_query(w->c, sql.data, sql.size) != 0) {
        return reading_failed(w->c, err);
    }
    owned(my_result_free) MYSQL_RES *r = mysql_use_result(w->c);
    if (!r) {
        return reading_failed(w->c, err);
    }
    if (mysql_num_fields(r) != x->relation->schema->column_count) {
        return error_set(err, ERROR_FATAL, "the server gave %u columns instead of %u",
                         mysql_num_fields(r), x->relation->schema->column_count);
    }
    bool stored = store_rows(w, r, err);
    if (!stored) { /* freeing the result would read all the rows that are left */
        (void)shutdown(mysql_get_socket(w->c), SHUT_RDWR);
    }
    return stored;
}

/* A transaction keeps the tables that it has read from being altered, and whoever wants to write to
 * them waits behind whoever wants to alter them: until it goes back to a savepoint. */
static bool begin_reading(MYSQL *c, struct error *err)
{
    return my_connection_execute(c, "SAVEPOINT leat", err);
}

static bool end_reading(MYSQL *c, struct error *err)
{
    return my_connection_execute(c, "ROLLBACK TO SAVEPOINT leat", err);
}

static bool read_ranges(struct worker *w, struct error *err)
{
    uint32_t range = 0;
    bool done = begin_reading(w->c, err);
    while (done && take_range(w->exchange, &range)) {
        done = read_range(w, range, err);
    }
    return done && end_reading(w->c, err) &&
           (!w->batch || hand_over(w) || error_set(err, ERROR_CANCELLED, "stopped"));
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct error err = {0};
    if (!read_ranges(w, &err)) {
        stop(w->exchange, &err);
    }
    batch_free(&w->batch);
    pthread_mutex_lock(&w->exchange->lock);
    w->exchange->working--;
    pthread_cond_broadcast(&w->exchange->changed);
    pthread_mutex_unlock(&w->exchange->lock);
    return NULL;
}

static bool is_stopped(struct exchange *x)
{
    pthread_mutex_lock(&x->lock);
    bool stopped = x->stopped;
    pthread_mutex_unlock(&x->lock);
    return stopped;
}

/* Ends what the threads wait for: room in the queue, or their servers. A server that is in the
 * middle of an answer hears of it at once by the reset that closing then sends; by an orderly end
 * it could go on for seconds, and its statement would stop the next load from getting its lock. */
static void stop_all(struct my_load *l, struct exchange *x)
{
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    stop(x, NULL);
    for (uint32_t i = 0; i < l->options.connection_count; i++) {
        int fd = l->readers[i].stop_fd;
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        (void)shutdown(fd, SHUT_RDWR);
    }
}

static uint32_t start_workers(struct my_load *l, struct exchange *x, struct worker *workers)
{
    uint32_t wanted = l->options.connection_count;
    wanted = wanted < x->plan->range_count ? wanted : x->plan->range_count;
    x->working = wanted;
    for (uint32_t i = 0; i < wanted; i++) {
        workers[i] = (struct worker){.exchange = x, .c = l->readers[i].c};
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) {
            abort();
        }
    }
    return wanted;
}

static bool read_table(struct my_load *l, struct exchange *x, source_rows_fn *fn, void *arg,
                       struct error *err)
{
    struct worker workers[MY_LOAD_CONNECTIONS_MAX];
    uint32_t count = start_workers(l, x, workers);
    bool taken = true;
    for (struct batch *b = pop(x); b; b = taken ? pop(x) : NULL) {
        taken = fn(arg, b, err);
    }
    bool broken = !taken || is_stopped(x);
    if (broken) {
        stop_all(l, x);
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    if (broken) {
        my_load_close_readers(l);
    }
    while (x->count > 0) {
        batch_release(take_head(x));
    }
    if (taken && x->stopped) {
        *err = x->err;
    }
    return taken && !x->stopped;
}

static bool plan_table(struct my_load *l, uint32_t table, struct my_load_plan *plan,
                       struct error *err)
{
    MYSQL *c = l->readers[0].c;
    return (begin_reading(c, err) && my_load_plan_ranges(c, l, table, plan, err) &&
            end_reading(c, err)) ||
           recast_altered(c, err);
}

bool my_load_rows(struct my_load *l, uint32_t table, source_rows_fn *fn, void *arg,
                  struct error *err)
{
    assert(table < l->options.relation_count);
    const struct my_relation *r = &l->options.relations[table];
    if (!l->readers[0].c) {
        return error_set(err, ERROR_FATAL, "table %s.%s is read by a load that has failed",
                         r->name.schema, r->name.table);
    }
    struct my_load_plan plan;
    struct exchange x = {.relation = r,
                         .plan = &plan,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER};
    bool done = plan_table(l, table, &plan, err);
    if (done && !plan.is_empty) {
        append_select(r, &plan, &x.select);
        done = read_table(l, &x, fn, arg, err);
        buf_release(&x.select);
    }
    pthread_cond_destroy(&x.changed);
    pthread_mutex_destroy(&x.lock);
    return (done && my_load_check_table(l, table, err) && my_load_table_done(l, table, err)) ||
           error_wrap(err, "reading table %s.%s", r->name.schema, r->name.table);
}
