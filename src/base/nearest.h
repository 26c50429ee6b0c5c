/* "Did you mean": which of some known words is closest to a mistyped one. */
#pragma once

#include <stddef.h>

struct nearest {
    const char *wanted; /* borrowed */
    const char *found;  /* the best so far, borrowed; NULL: none is close enough */
    size_t distance;
};

/* A search for `wanted` that has seen no word yet. */
struct nearest nearest_start(const char *wanted);

/* Looks at one known word, which must outlive the search. Close enough means: at most a third of
 * the longer word's letters (at least one) have to be inserted, removed, replaced or swapped with
 * their neighbour. */
void nearest_try(struct nearest *n, const char *word);
