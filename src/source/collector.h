/* What sources of logs share between decoding and handing out: rows go into one batch per table,
 * batches and other events into the order in which they are handed out, boundaries between
 * transactions where it is time for one. Pure memory, one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/event.h"

struct collector;

/* The transaction whose rows come now. */
struct collector_transaction {
    const struct position_source *source; /* as batch->source */
    uint64_t position;                    /* as batch->positions */
    uint64_t number;                      /* as batch->transactions */
    int64_t commit_time_us;
};

struct collector *collector_new(uint32_t table_count);
void collector_free(struct collector **c);

/* Rows that follow are of this transaction; their sequence begins at 0. */
void collector_begin(struct collector *c, const struct collector_transaction *t);

/* The transaction ended. */
void collector_end(struct collector *c);

/* The batch that the table's next rows go to, which has the schema. */
struct batch *collector_batch(struct collector *c, uint32_t table, const struct schema *schema);

/* Adds a row of the transaction to the table's batch and returns its index. */
uint32_t collector_add_row(struct collector *c, uint32_t table, enum row_kind kind,
                           enum row_image image);

/* After each change, all rows of it: counts memory, and makes ready what is large enough. */
void collector_look(struct collector *c, uint32_t table);

/* Makes the table's rows ready: those that follow have another schema, or come after an event. */
void collector_flush(struct collector *c, uint32_t table);

/* The table's rows, then a schema or truncate event of the transaction. */
void collector_push_schema(struct collector *c, uint32_t table, const struct schema *schema);
void collector_push_truncate(struct collector *c, uint32_t table);

/* Moves the oldest ready event out; false: there is none. */
bool collector_take(struct collector *c, struct event *out);

/* True when enough was collected, or enough time has passed, for a boundary at the next end of a
 * transaction. */
bool collector_is_due(const struct collector *c);

/* Makes everything ready, and a boundary (EVENT_IDLE) at `position` after it; between transactions
 * only. */
void collector_rest(struct collector *c, struct position position);
