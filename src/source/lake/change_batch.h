/* Rows that the engine returned as batches of a change stream. */
#pragma once

#include "model/batch.h"

/* Rows of one version, as lake_changes_next() gives them: the table's columns, then _change_type.
 */
struct change_rows {
    const struct column *columns;
    uint32_t row_count;
    uint64_t position;
    int64_t time_us;
};

/* A batch under way. An old image and the new one of the same key are never parted. */
struct change_batch {
    struct batch *batch;
    uint64_t sequence; /* of the next row within its version */
    uint64_t position; /* of the version */
};

/* Adds rows; their strings are copied. */
void change_batch_add(struct change_batch *c, const struct schema *schema,
                      const struct change_rows *rows);

bool change_batch_is_open(const struct change_batch *c);

/* True when it should be finished, and can be: the last row waits for no other. */
bool change_batch_is_full(const struct change_batch *c);

/* The batch, which is the caller's; NULL when there is none. */
struct batch *change_batch_finish(struct change_batch *c);
void change_batch_release(struct change_batch *c);

/* Rows of a load. */
struct batch *change_batch_load(const struct schema *schema, const struct column *columns,
                                uint32_t row_count);
