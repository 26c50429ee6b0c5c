/* A printable place in a source. Positions are compared with covers(): sets are only partially
 * ordered, so there is no "less than". Plain values: copied freely, nothing to release. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum position_kind {
    POSITION_NONE,    /* before everything; covered by every position */
    POSITION_INTEGER, /* LSN, version, file and offset: everything up to and including it */
    POSITION_SET,     /* GTIDs: intervals of transaction numbers for each of their sources */
};

/* Who numbers transactions: a MySQL server or group (UUID) and a tag, or a MariaDB domain. Equal
 * ones are the same pointer and live as long as the process. */
struct position_source;

/* `tag` is "" for none; it is folded to lower case. NULL: none is like that (a letter or "_", then
 * those and digits, 32 characters). */
const struct position_source *position_source_mysql(const uint8_t uuid[16], struct str tag);

/* Of a domain a position holds everything up to a number: gaps have no meaning. */
const struct position_source *position_source_mariadb(uint32_t domain);

struct position_source_parts {
    bool is_mariadb;
    uint8_t uuid[16];
    const char *tag; /* "": none */
    uint32_t domain;
};
struct position_source_parts position_source_parts(const struct position_source *s);

/* Appends "3e11fa47-71ca-11e1-9e33-c80aa9429562", the same with ":tag", or a domain's number. */
void position_source_format(const struct position_source *s, struct buf *out);

/* Transactions first..last of a source. */
struct position_interval {
    const struct position_source *source;
    uint64_t first;
    uint64_t last;
    uint32_t server; /* MariaDB: the server id of the transaction `last`; not compared */
};

enum { POSITION_OPEN_MAX = 16 };

/* Intervals that a position has beside its open ones: sorted, shared by all positions that have the
 * same, alive as long as the process. They change seldom: a log that is read makes its newest
 * intervals longer, and those are the open ones. */
struct position_rest;

struct position {
    enum position_kind kind;
    uint32_t open_count;
    uint64_t integer;
    struct position_interval open[POSITION_OPEN_MAX];
    const struct position_rest *rest; /* NULL: none */
};

static inline struct position position_integer(uint64_t v)
{
    return (struct position){.kind = POSITION_INTEGER, .integer = v};
}

/* The set without transactions; other than NONE, which says nothing of the source. */
static inline struct position position_empty_set(void)
{
    return (struct position){.kind = POSITION_SET};
}

/* One transaction alone. */
struct position position_transaction(const struct position_source *source, uint64_t number);

/* Adds a transaction to a set, which is not NONE: numbers begin at 1, and 0 adds nothing. Of a
 * MariaDB domain all up to `number` (never going back), of which `server` is the server id. */
void position_add(struct position *p, const struct position_source *source, uint64_t number,
                  uint32_t server);

/* True when everything before `b` is also before `a`. Different kinds: false, unless b is NONE. */
bool position_covers(struct position a, struct position b);

/* The same without copying either: asked for every event. */
bool position_has(const struct position *a, const struct position *b);

/* The same for one transaction, and for an integer: cheap, asked for every row. */
bool position_covers_transaction(const struct position *a, const struct position_source *source,
                                 uint64_t number);
static inline bool position_covers_integer(const struct position *a, uint64_t integer)
{
    return a->kind == POSITION_INTEGER && a->integer >= integer;
}

/* True when the two are of one kind, or one is NONE. */
bool position_is_comparable(const struct position *a, const struct position *b);

/* The newest place that both cover; the oldest that covers both. Of comparable positions. */
struct position position_meet(struct position a, struct position b);
struct position position_join(struct position a, struct position b);

bool position_equal(struct position a, struct position b);

/* Calls `fn` for each interval of a set: sources in order (UUID and tag, domain), numbers
 * ascending. False from `fn` ends it and is returned. */
typedef bool position_interval_fn(void *arg, const struct position_interval *interval);
bool position_each(const struct position *p, position_interval_fn *fn, void *arg);

/* A number that grows as the position moves on, for metrics and status: the integer, or how many
 * transactions the set holds (of a domain, its last number). */
uint64_t position_number(struct position p);

/* Text form for records and messages: "" for none, decimal for an integer; sets as their servers
 * print them, "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7,...:tag:1-3" and "0-1-5,1-2-7", "-" for
 * the one without transactions. A domain whose last number is 0 is not printed. */
void position_format(struct position p, struct buf *out);

/* Reverses position_format(); so "", which servers print of the set without transactions, is NONE.
 * Also reads what servers print: white space and new lines between the
 * parts, UUIDs in upper case, a tag that stands once for several intervals, intervals in any order.
 * ERROR_DATA: neither. */
must_check bool position_parse(struct str text, struct position *out, struct error *err);
