/* A batch: a piece of one table's change stream in one schema version, as columns.
 *
 * Written by one thread (a source or a transform), then published: immutable and reference-counted.
 * The arena holds everything and goes with the last reference. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "model/position.h"
#include "model/schema.h"

enum row_kind {
    ROW_INSERT,
    ROW_UPDATE_BEFORE, /* directly before its ROW_UPDATE_AFTER */
    ROW_UPDATE_AFTER,
    ROW_DELETE,
};

/* What the values of a row are. An UPDATE_AFTER without an UPDATE_BEFORE in front of it has no
 * before image: the key did not change. */
enum row_image {
    IMAGE_WHOLE, /* every value is sent, unless it is marked unchanged */
    IMAGE_KEY,   /* only the key columns are sent; the rest is marked unchanged */
};

struct column {
    struct type type;
    uint64_t *valid;     /* bit i: row i is not null; NULL: all rows are valid */
    uint64_t *unchanged; /* bit i: the source did not send the value (then the valid bit is 0);
                            NULL: all were sent */
    void *values;        /* type_width(type) bytes a row; a null value's bytes are zero */
};

struct batch {
    struct arena arena;
    uint32_t references;   /* atomic */
    uint32_t table;        /* the source's number of the table, from 0 */
    struct schema *schema; /* referenced */
    uint32_t row_count;
    uint32_t row_capacity;
    bool loading;           /* rows of a snapshot: inserts of what may be present already */
    struct column *columns; /* schema->column_count */
    uint8_t *kinds;         /* enum row_kind */
    uint8_t *images;        /* enum row_image */
    const struct position_source *source; /* who numbered the transactions of all rows, where
                                             positions are sets; NULL: they are integers */
    /* Order in the log, the same for all rows of a transaction. Where positions are integers: above
     * the position before the transaction, not above its commit's. 0 while loading. */
    uint64_t *positions;
    int64_t *commit_times_us; /* since 1970 UTC */
    uint64_t *transactions;   /* their number at `source`, else their id; 0 while loading */
    uint64_t *sequences;      /* order within the transaction, from 0 */
    int64_t received_us;      /* wall time when the first row came in; for lag */
};

static inline bool bit_get(const uint64_t *bits, size_t i)
{
    return (bits[i >> 6] >> (i & 63)) & 1;
}
static inline void bit_set(uint64_t *bits, size_t i)
{
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}
static inline void bit_clear(uint64_t *bits, size_t i)
{
    bits[i >> 6] &= ~((uint64_t)1 << (i & 63));
}

static inline bool column_is_valid(const struct column *c, size_t row)
{
    return !c->valid || bit_get(c->valid, row);
}

/* True when whoever stands at `by` has the row's transaction. Not for rows of a load. */
static inline bool batch_row_is_covered(const struct batch *b, uint32_t row,
                                        const struct position *by)
{
    return b->source ? position_covers_transaction(by, b->source, b->transactions[row])
                     : position_covers_integer(by, b->positions[row]);
}

/* The value of an integer or the unscaled value of a decimal, whatever its width (2 to 16 bytes).
 */
static inline __int128 column_integer(const struct column *c, size_t row)
{
    switch (type_width(c->type)) {
    case 2:
        return ((const int16_t *)c->values)[row];
    case 4:
        return ((const int32_t *)c->values)[row];
    case 8:
        return ((const int64_t *)c->values)[row];
    default:
        return ((const __int128 *)c->values)[row];
    }
}
static inline bool column_is_unchanged(const struct column *c, size_t row)
{
    return c->unchanged && bit_get(c->unchanged, row);
}

/* A batch with room for `row_capacity` rows, one reference, row_count 0. valid bits start as 1,
 * values and unchanged as 0 (unchanged is allocated on first use). References `schema`. */
struct batch *batch_new(const struct schema *schema, uint32_t table, uint32_t row_capacity);

/* Doubles the room. Pointers into columns move. */
void batch_grow(struct batch *b);

/* Takes the next row and returns its index; its values are valid zeroes, kind and image as given.
 */
uint32_t batch_add_row(struct batch *b, enum row_kind kind, enum row_image image);

/* Marks a value of a row. Null and unchanged values have zero bytes. */
void batch_set_null(struct batch *b, uint32_t column, uint32_t row);
void batch_set_unchanged(struct batch *b, uint32_t column, uint32_t row);

/* Stores a string, binary or JSON value, copying long ones into the arena. The caller has checked
 * UTF-8 (text must be valid before the engine sees it) and that size < 2^32. */
void batch_set_bytes(struct batch *b, uint32_t column, uint32_t row, const char *data, size_t size);

/* Stores row `at` of a column of the same type (and layout) into `row`, copying its bytes. */
void batch_copy_value(struct batch *b, uint32_t column, uint32_t row, const struct column *from,
                      uint32_t at);

/* Memory held, for bounded queues. */
size_t batch_bytes(const struct batch *b);

struct batch *batch_reference(struct batch *b);
void batch_release(struct batch *b); /* NULL is fine */
void batch_free(struct batch **b);   /* for `owned(batch_free)` */

/* Copies rows first..first+count-1 of columns that have the batch's types to its end, as inserts of
 * whole rows; unchanged values become nulls. */
void batch_append(struct batch *b, const struct column *columns, uint32_t first, uint32_t count);

/* Verifies what publishing promises: inlined bytes zero, UTF-8 text, before images in place,
 * null bits against unchanged bits. For tests, fuzzing and debug builds. */
must_check bool batch_check(const struct batch *b, struct error *err);
