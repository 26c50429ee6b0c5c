/* Thrift's compact protocol, writing only: what Parquet's headers and footers are made of.
 * [apache/thrift, doc/specs/thrift-compact-protocol.md]
 *
 * A struct is thrift_begin(), its fields with rising ids, thrift_end(). A list is thrift_list() and
 * then its elements: structs, or what thrift_element_ functions append. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum thrift_type { THRIFT_I32 = 5, THRIFT_BINARY = 8, THRIFT_STRUCT = 12 };

struct thrift {
    struct buf *out;
    int16_t last[8]; /* the last field id of each open struct */
    uint32_t depth;  /* of open structs */
};

/* A struct that is the message itself, or the element of a list. */
void thrift_begin(struct thrift *t);
void thrift_end(struct thrift *t);

void thrift_bool(struct thrift *t, int16_t id, bool v);
void thrift_i32(struct thrift *t, int16_t id, int32_t v);
void thrift_i64(struct thrift *t, int16_t id, int64_t v);
void thrift_bytes(struct thrift *t, int16_t id, struct str v); /* binary and string */
void thrift_struct(struct thrift *t, int16_t id);              /* to be ended */
void thrift_list(struct thrift *t, int16_t id, enum thrift_type element, uint32_t count);

void thrift_element_i32(struct thrift *t, int32_t v);
void thrift_element_bytes(struct thrift *t, struct str v);
