/* Reads all rows of a table as one snapshot shows them, by COPY in binary form. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/reader.h"
#include "source/postgres/relation.h"
#include "source/source.h"

/* Reads the table on a connection whose transaction has the snapshot; batches have `loading` set.
 * After a failure the connection is of no more use. */
must_check bool copy_table(PGconn *c, const struct relation *r, source_rows_fn *fn, void *arg,
                           struct error *err);

/* The statement. Text columns are printed by their output functions, as the stream prints them. */
void copy_append_sql(const struct relation *r, struct buf *sql);

/* Decoder of what the statement sends: pure. */
struct copy_decoder {
    const struct relation *relation;
    bool has_header;
    bool is_done; /* the trailer came */
    uint64_t row_count;
    int64_t received_us;
    struct batch *batch; /* rows so far; NULL: none */
};

/* Decodes one message, adding its rows to the batch. */
must_check bool copy_decode(struct copy_decoder *d, const void *data, size_t size,
                            struct error *err);
