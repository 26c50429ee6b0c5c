/* Positions that are sets, for the files that implement position.h and their tests.
 *
 * A set is its open intervals, the one that moved most recently first, and its rest. Together they
 * are disjoint, and two of one source do not touch; a domain has one, from 1. So two sets are equal
 * when their intervals in order are, wherever these lie. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/position.h"

enum { POSITION_TAG_MAX = 32 };

struct position_source {
    bool is_mariadb;
    uint8_t uuid[16];
    char tag[POSITION_TAG_MAX + 1]; /* lower case */
    uint32_t domain;
};

/* Below, equal or above 0 as `a` comes before, is or comes after `b`. */
int position_source_order(const struct position_source *a, const struct position_source *b);

struct position_rest {
    size_t count;
    struct position_interval items[]; /* in order */
};

/* The rest with these intervals, which are in order; NULL for none. */
const struct position_rest *position_rest_of(const struct position_interval *items, size_t count);

/* Walks the intervals of a set in order. */
struct position_walk {
    struct position_interval open[POSITION_OPEN_MAX]; /* in order */
    uint32_t open_count;
    uint32_t open_next;
    const struct position_rest *rest;
    size_t rest_next;
};
void position_walk_start(struct position_walk *w, const struct position *p);

/* The next interval, or NULL. Borrowed from the walk or the rest. */
const struct position_interval *position_walk_next(struct position_walk *w);

struct position_list {
    struct position_interval *items; /* owned */
    size_t count;
    size_t capacity;
};

/* Adds an interval at the end, as it is. */
void position_list_append(struct position_list *l, const struct position_interval *interval);

/* Puts intervals that came in any order into theirs. */
void position_list_sort(struct position_list *l);

/* Adds an interval that does not come before the last one, and unites those two if they touch. */
void position_list_unite(struct position_list *l, const struct position_interval *interval);
void position_list_release(struct position_list *l);

/* The set of these intervals, which are in order and do not touch. Where not all can be open those
 * are that reach into an open one of `a` or `b` (either may be NULL), then the newest of each
 * source. */
struct position position_of_list(const struct position_list *l, const struct position *a,
                                 const struct position *b);

bool position_set_covers(const struct position *a, const struct position *b);
bool position_set_equal(const struct position *a, const struct position *b);
struct position position_set_meet(const struct position *a, const struct position *b);
struct position position_set_join(const struct position *a, const struct position *b);
uint64_t position_set_number(const struct position *p);

/* How many rests there are. For tests. */
size_t position_rest_count(void);

/* Frees all sources and rests; no set that was made before may be used again. For fuzzing, which
 * makes ever new ones. */
void position_forget_all(void);
