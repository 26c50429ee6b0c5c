/* Deletion vectors: which rows of a data file are deleted.
 * [PROTOCOL.md, Deletion Vectors, Deletion Vector Format] */
#pragma once

#include <roaring/roaring.h>

#include "base/arena.h"
#include "base/clock.h"
#include "delta/action.h"
#include "store/store.h"

/* Reads what a descriptor describes. Every size is checked, the checksum too; rows are below
 * row_count. Owned by the caller. NULL: ERROR_DATA, or ERROR_CONFLICT when the file is gone. */
roaring_bitmap_t *delta_vector_read(struct store *store, const struct delta_vector *v,
                                    uint64_t row_count, struct error *err);

/* Collects vectors for one file. */
struct delta_vector_file {
    char id[UUID_TEXT_SIZE];
    struct buf bytes;
};

void delta_vector_file_begin(struct delta_vector_file *f);
void delta_vector_file_release(struct delta_vector_file *f);

/* Appends a vector; its descriptor is in the arena. */
const struct delta_vector *delta_vector_file_add(struct delta_vector_file *f,
                                                 const roaring_bitmap_t *deleted, struct arena *a);

/* The store key of the file. */
char *delta_vector_file_key(const struct delta_vector_file *f, struct arena *a);
