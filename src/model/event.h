/* What a change stream is a sequence of. */
#pragma once

#include <stdint.h>

#include "model/batch.h"
#include "model/position.h"
#include "model/schema.h"

enum event_kind {
    EVENT_NONE,     /* nothing came in time; the stream may stand inside a transaction */
    EVENT_BATCH,    /* rows of one table */
    EVENT_TRUNCATE, /* one table was emptied */
    EVENT_SCHEMA,   /* from here on the table's batches have this schema */
    EVENT_BARRIER,  /* everything before it is a whole number of transactions: an epoch ends here */
    EVENT_IDLE,     /* the stream stands at `position`, between transactions, nothing pending */
};

enum barrier_phase {
    PHASE_LOADING,   /* more of the snapshot follows: the tables are not yet a copy of anything */
    PHASE_STREAMING, /* the tables equal the source at the barrier's position */
};

struct barrier {
    uint64_t epoch; /* counts up within a run */
    struct position position;
    enum barrier_phase phase;
    int64_t commit_time_us; /* newest source commit before it; 0: none known */
};

struct event {
    enum event_kind kind;
    uint32_t table;           /* batch, truncate, schema */
    struct position position; /* idle: where the stream stands. truncate: its transaction, as
                                 batch_row_is_covered() has it of a row: position_transaction()
                                 where positions are sets */
    uint64_t log_position;    /* truncate: as batch->positions */
    int64_t commit_time_us;   /* idle: newest source commit seen, 0 if none; truncate: its commit */
    struct batch *batch;      /* batch: one reference, moved with the event */
    struct schema *schema;    /* schema: one reference, moved with the event */
    struct barrier barrier;   /* barrier */
};

/* Drops what the event holds and leaves a zeroed one. */
void event_release(struct event *e);
