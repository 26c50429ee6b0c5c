/* Writes FlatBuffers: the encoding of Arrow's metadata. [flatbuffers.dev, Internals]
 *
 * A buffer is written from its end to its front, what is referred to before what refers to it. A
 * reference is therefore the distance of an object from the end, which does not change as the
 * buffer grows. Little-endian machines only, as all of leat's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { FLATBUFFER_FIELDS_MAX = 8 };

struct flatbuffer {
    uint8_t *data; /* owned; used from `capacity - size` on */
    size_t capacity;
    size_t size;
    size_t alignment_max;
    size_t table_size;                    /* where the table that is being written began */
    size_t fields[FLATBUFFER_FIELDS_MAX]; /* its fields: distance from the end; 0: absent */
    bool in_table;
};

typedef uint32_t flatbuffer_ref;

/* A zeroed struct flatbuffer is a valid empty one. Objects cannot be begun inside a table: make
 * strings, vectors and inner tables first. */
flatbuffer_ref flatbuffer_string(struct flatbuffer *b, struct str text);

/* A vector of references. */
flatbuffer_ref flatbuffer_vector(struct flatbuffer *b, const flatbuffer_ref *items, size_t count);

/* A vector of structs of `item_size` bytes, made of 8-byte members, copied as they lie in memory.
 */
flatbuffer_ref flatbuffer_structs(struct flatbuffer *b, const void *items, size_t item_size,
                                  size_t count);

/* A table: begin, its fields by their numbers in the schema, in any order, end. A field that holds
 * its default may be left out. */
void flatbuffer_begin(struct flatbuffer *b);
void flatbuffer_set_byte(struct flatbuffer *b, unsigned field,
                         uint8_t value); /* bool, union type */
void flatbuffer_set_int16(struct flatbuffer *b, unsigned field, int16_t value);
void flatbuffer_set_int32(struct flatbuffer *b, unsigned field, int32_t value);
void flatbuffer_set_int64(struct flatbuffer *b, unsigned field, int64_t value);
void flatbuffer_set_ref(struct flatbuffer *b, unsigned field, flatbuffer_ref value);
flatbuffer_ref flatbuffer_end(struct flatbuffer *b);

/* Makes a table the root. The result, borrowed, is a whole buffer. */
struct str flatbuffer_finish(struct flatbuffer *b, flatbuffer_ref root);

void flatbuffer_release(struct flatbuffer *b);
