/* A printable place in a source. Positions are compared with covers(): some kinds are only
 * partially ordered, so there is no "less than". Today there is one kind, the integer (an LSN, a
 * table version). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum position_kind {
    POSITION_NONE,    /* before everything; covered by every position */
    POSITION_INTEGER, /* LSN, version, watermark: everything up to and including it */
};

struct position {
    enum position_kind kind;
    uint64_t integer;
};

static inline struct position position_integer(uint64_t v)
{
    return (struct position){.kind = POSITION_INTEGER, .integer = v};
}

/* True when everything before `b` is also before `a`. */
bool position_covers(struct position a, struct position b);

/* The newest place that both cover; the oldest that covers both. */
struct position position_meet(struct position a, struct position b);
struct position position_join(struct position a, struct position b);

bool position_equal(struct position a, struct position b);

/* Text form for records and messages: "" for none, decimal for an integer. */
void position_format(struct position p, struct buf *out);
must_check bool position_parse(struct str text, struct position *out, struct error *err);
