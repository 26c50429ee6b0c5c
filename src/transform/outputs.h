/* What a transform's SELECT gives for one schema: its output columns and what each of them reads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "model/schema.h"
#include "transform/statement.h"

/* The columns that `changes` shows after the table's own, in this order. The last two are ours: the
 * row's number in the batch, and whether the row has all its values. */
enum metadata {
    METADATA_OPERATION,
    METADATA_POSITION,
    METADATA_COMMIT_TIME,
    METADATA_TRANSACTION,
    METADATA_SEQUENCE,
    METADATA_ROW,
    METADATA_WHOLE,
    METADATA_COUNT,
};
extern const char *const metadata_names[METADATA_COUNT];
extern const struct type metadata_types[METADATA_COUNT];

/* What an expression reads, aliases followed to the columns they stand for. */
struct reads {
    bool *columns; /* by column of the input */
    bool key;      /* a key column is among them */
    bool metadata[METADATA_COUNT];
    bool varies;
};

struct output {
    const char *name;
    int source; /* column of the input that it is, unchanged in value; -1: computed */
    const struct expression *expression; /* of a computed one */
    struct reads reads;
    bool queried;    /* computed, or its alias is read by another */
    uint32_t result; /* column of the query's result */
};

struct outputs {
    struct arena arena;
    struct output *list;
    uint32_t count;
    struct reads where;
    uint32_t result_count; /* columns of the query, without the row number at its end */
};

/* ERROR_CONFIG naming the column. Slot 1 of the connection is used. */
must_check bool outputs_resolve(const struct statement *s, const struct schema *input,
                                struct engine_connection *connection, struct outputs *out,
                                struct error *err);
void outputs_release(struct outputs *o);

/* Appends the query over a slot that has the input's columns and then the metadata: the computed
 * outputs of the rows that are whole and pass WHERE, and the row's number as the last column. */
void outputs_append_query(const struct outputs *o, const struct statement *s,
                          const struct schema *input, struct engine_connection *connection,
                          uint32_t slot, struct buf *sql);
