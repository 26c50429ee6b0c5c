#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

enum { WORD_SIZE_MAX = 64 }; /* longer words have no near ones: nobody reads the hint */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance; both words have at most WORD_SIZE_MAX bytes. */
static size_t distance_of(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][WORD_SIZE_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b_size; j++) {
        before[j] = j;
        last[j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

struct nearest nearest_start(const char *wanted)
{
    return (struct nearest){.wanted = wanted, .distance = SIZE_MAX};
}

void nearest_try(struct nearest *n, const char *word)
{
    size_t wanted_size = strlen(n->wanted);
    size_t size = strlen(word);
    size_t longer = wanted_size > size ? wanted_size : size;
    if (longer > WORD_SIZE_MAX) {
        return;
    }
    size_t distance = distance_of(n->wanted, wanted_size, word, size);
    if (distance <= (longer < 3 ? 1 : longer / 3) && distance < n->distance) {
        n->found = word;
        n->distance = distance;
    }
}
