/* The key index: key -> where its row lies. In memory, one for each table, built from the key
 * columns of the live files when the table is opened and moved on after each commit.
 *
 * Partitioned open addressing: a slot is 16 bytes, 64 bits of the key's hash in one word, 8 more
 * with file slot and row in the other. The partition takes 6 to 12 more bits, so that 78 to 84 bits
 * tell keys apart. A partition grows alone, and partitions of one size grow at different fill
 * levels: no commit waits for the whole table to be rehashed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/hash.h"

struct index;

/* Where a row lies: file slot in the upper half, row number in the lower. */
#define PLACE_NONE UINT64_MAX

static inline uint64_t place_make(uint32_t slot, uint32_t row)
{
    return (uint64_t)slot << 32 | row;
}
static inline uint32_t place_slot(uint64_t place)
{
    return (uint32_t)(place >> 32);
}
static inline uint32_t place_row(uint64_t place)
{
    return (uint32_t)place;
}

/* File slots from here on do not fit into an entry. */
enum { INDEX_SLOT_LIMIT = (1 << 24) - 2 };

/* An empty index with room for about `expected_count` keys. */
struct index *index_new(uint64_t expected_count);
void index_free(struct index **index);

/* The place of a key, or PLACE_NONE. */
uint64_t index_get(const struct index *ix, struct hash128 hash);

/* Many at once, faster: memory is fetched ahead. */
void index_get_many(const struct index *ix, const struct hash128 *hashes, size_t count,
                    uint64_t *places);

/* Sets the place of a key; `*replaced` (may be NULL) is the one it had, or PLACE_NONE. A file slot
 * beyond INDEX_SLOT_LIMIT is ERROR_FATAL: a new start numbers files anew. */
must_check bool index_put(struct index *ix, struct hash128 hash, uint64_t place, uint64_t *replaced,
                          struct error *err);

/* Forgets a key; false when it was not there. */
bool index_remove(struct index *ix, struct hash128 hash);

uint64_t index_count(const struct index *ix);
uint64_t index_bytes(const struct index *ix);
