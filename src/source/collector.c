#include "source/collector.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
    BATCH_ROWS_MAX = 8192,
    BATCH_ROWS_MIN = 64,
    BATCH_BYTES_MAX = 4 << 20,
    PENDING_BYTES_MAX = 32 << 20, /* over all tables */
    BOUNDARY_ROWS = 16384,        /* a boundary follows at the next commit .. */
    BOUNDARY_INTERVAL_US = 20000, /* .. or when the last one is this old */
};

/* The batch that a table is collecting. */
struct pending {
    struct batch *batch; /* NULL: none */
    size_t bytes;        /* of it, as counted into pending_bytes */
    uint32_t rows_hint;  /* rows of the last one: how much room the next one starts with */
};

struct collector {
    struct pending *pending; /* one per table */
    uint32_t table_count;
    size_t pending_bytes;

    struct event *events; /* ready ones, from `first` */
    size_t event_first;
    size_t event_count;
    size_t event_capacity;

    bool in_transaction;
    struct collector_transaction transaction;
    uint64_t sequence;
    uint64_t rows_since_boundary;
    int64_t boundary_us; /* when the last boundary was handed out */
    int64_t newest_commit_us;
};

struct collector *collector_new(uint32_t table_count)
{
    struct collector *c = calloc(1, sizeof(*c));
    struct pending *pending = calloc(table_count ? table_count : 1, sizeof(*pending));
    if (!c || !pending) {
        abort();
    }
    c->pending = pending;
    c->table_count = table_count;
    c->boundary_us = clock_monotonic_us();
    return c;
}

void collector_free(struct collector **collector)
{
    struct collector *c = take(*collector);
    if (!c) {
        return;
    }
    for (uint32_t i = 0; i < c->table_count; i++) {
        batch_release(c->pending[i].batch);
    }
    for (size_t i = c->event_first; i < c->event_count; i++) {
        event_release(&c->events[i]);
    }
    free(c->events);
    free(c->pending);
    free(c);
}

void collector_begin(struct collector *c, const struct collector_transaction *t)
{
    assert(!c->in_transaction);
    c->in_transaction = true;
    c->transaction = *t;
    c->sequence = 0;
}

void collector_end(struct collector *c)
{
    assert(c->in_transaction);
    c->in_transaction = false;
    c->newest_commit_us = c->transaction.commit_time_us;
}

static void push(struct collector *c, struct event event)
{
    if (c->event_count == c->event_capacity) {
        c->event_capacity = c->event_capacity ? c->event_capacity * 2 : 16;
        c->events = reallocarray(c->events, c->event_capacity, sizeof(*c->events));
        if (!c->events) {
            abort();
        }
    }
    c->events[c->event_count++] = event;
}

bool collector_take(struct collector *c, struct event *out)
{
    if (c->event_first == c->event_count) {
        c->event_first = 0;
        c->event_count = 0;
        return false;
    }
    *out = c->events[c->event_first++];
    return true;
}

void collector_flush(struct collector *c, uint32_t table)
{
    struct pending *p = &c->pending[table];
    if (p->batch) {
        c->pending_bytes -= p->bytes;
        p->bytes = 0;
        p->rows_hint = p->batch->row_count;
        push(c, (struct event){.kind = EVENT_BATCH, .table = table, .batch = take(p->batch)});
    }
}

static void flush_all(struct collector *c)
{
    for (uint32_t i = 0; i < c->table_count; i++) {
        collector_flush(c, i);
    }
}

void collector_push_schema(struct collector *c, uint32_t table, const struct schema *schema)
{
    collector_flush(c, table);
    push(c,
         (struct event){.kind = EVENT_SCHEMA, .table = table, .schema = schema_reference(schema)});
}

void collector_push_truncate(struct collector *c, uint32_t table)
{
    const struct collector_transaction *t = &c->transaction;
    collector_flush(c, table);
    push(c, (struct event){
                .kind = EVENT_TRUNCATE,
                .table = table,
                .position = t->source ? position_transaction(t->source, t->number)
                                      : position_integer(t->position),
                .log_position = t->position,
                .commit_time_us = t->commit_time_us,
            });
}

/* Room for few rows at first, and never more than fits the batch's bytes: values of a wide table
 * take them all. */
static uint32_t row_capacity(const struct schema *schema, const struct pending *p)
{
    size_t width = 40;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        width += type_width(schema->columns[i].type);
    }
    size_t rows = BATCH_BYTES_MAX / 2 / width;
    rows = rows > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : rows;
    rows = rows > p->rows_hint ? p->rows_hint : rows;
    return rows < BATCH_ROWS_MIN ? BATCH_ROWS_MIN : (uint32_t)rows;
}

struct batch *collector_batch(struct collector *c, uint32_t table, const struct schema *schema)
{
    struct pending *p = &c->pending[table];
    if (p->batch && p->batch->source != c->transaction.source) {
        collector_flush(c, table);
    }
    if (!p->batch) {
        p->batch = batch_new(schema, table, row_capacity(schema, p));
        p->batch->source = c->transaction.source;
        p->batch->received_us = clock_wall_us();
    }
    assert(p->batch->schema == schema);
    return p->batch;
}

uint32_t collector_add_row(struct collector *c, uint32_t table, enum row_kind kind,
                           enum row_image image)
{
    struct batch *b = c->pending[table].batch;
    uint32_t row = batch_add_row(b, kind, image);
    b->positions[row] = c->transaction.position;
    b->commit_times_us[row] = c->transaction.commit_time_us;
    b->transactions[row] = c->transaction.number;
    b->sequences[row] = c->sequence++;
    c->rows_since_boundary++;
    return row;
}

void collector_look(struct collector *c, uint32_t table)
{
    struct pending *p = &c->pending[table];
    size_t bytes = batch_bytes(p->batch);
    c->pending_bytes += bytes - p->bytes;
    p->bytes = bytes;
    if (p->batch->row_count >= BATCH_ROWS_MAX || bytes >= BATCH_BYTES_MAX) {
        collector_flush(c, table);
    } else if (c->pending_bytes >= PENDING_BYTES_MAX) {
        flush_all(c);
    }
}

bool collector_is_due(const struct collector *c)
{
    return c->rows_since_boundary >= BOUNDARY_ROWS ||
           clock_monotonic_us() - c->boundary_us >= BOUNDARY_INTERVAL_US;
}

void collector_rest(struct collector *c, struct position position)
{
    assert(!c->in_transaction);
    flush_all(c);
    c->rows_since_boundary = 0;
    c->boundary_us = clock_monotonic_us();
    push(c, (struct event){
                .kind = EVENT_IDLE,
                .position = position,
                .commit_time_us = c->newest_commit_us,
            });
}
