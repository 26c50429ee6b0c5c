#include "table/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* `place` is 8 hash bits, 24 bits of file slot + 1, 32 bits of row. A file field of 0 is an empty
 * entry, all ones a removed one. */
struct entry {
    uint64_t low;
    uint64_t place;
};

enum {
    BUCKET_ENTRIES = 4, /* a cache line */
    PARTITION_BITS_MIN = 6,
    PARTITION_BITS_MAX = 12,
    KEYS_PER_PARTITION = 12000,
    BUCKETS_MIN = 1,
    PREFETCH_DISTANCE = 16,
};

struct partition {
    struct entry *entries; /* NULL until the first key */
    uint32_t bucket_count;
    uint32_t used; /* entries that are not empty */
    uint32_t live; /* entries that hold a key */
};

struct index {
    unsigned partition_bits;
    uint64_t count;
    uint64_t bytes;
    struct partition *partitions;
};

static const uint64_t file_mask = UINT64_C(0xFFFFFF) << 32;

static bool entry_is_empty(const struct entry *e)
{
    return (e->place & file_mask) == 0;
}

static bool entry_is_removed(const struct entry *e)
{
    return (e->place & file_mask) == file_mask;
}

static bool entry_is(const struct entry *e, struct hash128 hash)
{
    return e->low == hash.low && e->place >> 56 == (hash.high & 0xFF) && !entry_is_empty(e) &&
           !entry_is_removed(e);
}

static uint64_t entry_place(const struct entry *e)
{
    return place_make((uint32_t)((e->place & file_mask) >> 32) - 1, (uint32_t)e->place);
}

static uint32_t partition_of(const struct index *ix, struct hash128 hash)
{
    return (uint32_t)(hash.high >> (64 - ix->partition_bits));
}

/* The upper bits choose the bucket, so any number of buckets is filled evenly. */
static uint32_t bucket_of(const struct partition *p, uint64_t low)
{
    return (uint32_t)(((unsigned __int128)low * p->bucket_count) >> 64);
}

static struct entry *entries_new(uint32_t bucket_count)
{
    struct entry *entries = aligned_alloc(64, (size_t)bucket_count * 64);
    if (!entries) {
        abort();
    }
    return memset(entries, 0, (size_t)bucket_count * 64);
}

struct index *index_new(uint64_t expected_count)
{
    struct index *ix = calloc(1, sizeof(*ix));
    if (!ix) {
        abort();
    }
    ix->partition_bits = PARTITION_BITS_MIN;
    while (ix->partition_bits < PARTITION_BITS_MAX &&
           expected_count >> ix->partition_bits > KEYS_PER_PARTITION) {
        ix->partition_bits++;
    }
    size_t count = (size_t)1 << ix->partition_bits;
    ix->partitions = calloc(count, sizeof(*ix->partitions));
    if (!ix->partitions) {
        abort();
    }
    ix->bytes = sizeof(*ix) + count * sizeof(*ix->partitions);
    uint64_t buckets = (expected_count >> ix->partition_bits) * 4 / 3 / BUCKET_ENTRIES;
    for (size_t i = 0; i < count; i++) {
        /* Shifted against each other by up to a quarter, as growth will keep them. */
        uint64_t own = buckets + buckets * (i % 16) / 64;
        ix->partitions[i].bucket_count = own < BUCKETS_MIN ? BUCKETS_MIN : (uint32_t)own;
    }
    return ix;
}

void index_free(struct index **index)
{
    struct index *ix = take(*index);
    if (ix) {
        for (size_t i = 0; i < (size_t)1 << ix->partition_bits; i++) {
            free(ix->partitions[i].entries);
        }
        free(ix->partitions);
        free(ix);
    }
}

static struct entry *find(const struct partition *p, struct hash128 hash)
{
    if (!p->entries) {
        return NULL;
    }
    uint32_t bucket = bucket_of(p, hash.low);
    for (uint32_t probes = 0; probes < p->bucket_count; probes++) {
        struct entry *e = &p->entries[(size_t)bucket * BUCKET_ENTRIES];
        for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
            if (entry_is(&e[i], hash)) {
                return &e[i];
            }
            if (entry_is_empty(&e[i])) {
                return NULL; /* entries of a bucket are filled from the front */
            }
        }
        bucket = bucket + 1 == p->bucket_count ? 0 : bucket + 1;
    }
    return NULL;
}

uint64_t index_get(const struct index *ix, struct hash128 hash)
{
    const struct entry *e = find(&ix->partitions[partition_of(ix, hash)], hash);
    return e ? entry_place(e) : PLACE_NONE;
}

void index_get_many(const struct index *ix, const struct hash128 *hashes, size_t count,
                    uint64_t *places)
{
    for (size_t i = 0; i < count; i++) {
        if (i + PREFETCH_DISTANCE < count) {
            struct hash128 ahead = hashes[i + PREFETCH_DISTANCE];
            const struct partition *p = &ix->partitions[partition_of(ix, ahead)];
            if (p->entries) {
                __builtin_prefetch(&p->entries[(size_t)bucket_of(p, ahead.low) * BUCKET_ENTRIES]);
            }
        }
        places[i] = index_get(ix, hashes[i]);
    }
}

/* Puts an entry into the first free place of its probe sequence; there is one. */
static void insert(struct partition *p, struct entry entry)
{
    uint32_t bucket = bucket_of(p, entry.low);
    for (;;) {
        struct entry *e = &p->entries[(size_t)bucket * BUCKET_ENTRIES];
        for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
            if (entry_is_empty(&e[i]) || entry_is_removed(&e[i])) {
                p->used += entry_is_empty(&e[i]);
                e[i] = entry;
                p->live++;
                return;
            }
        }
        bucket = bucket + 1 == p->bucket_count ? 0 : bucket + 1;
    }
}

/* Makes room for one more. Growth factors differ between partitions, so that they do not all rehash
 * in the same commit; a partition that is mostly removed entries is rehashed at its size. */
static void make_room(struct index *ix, struct partition *p)
{
    uint64_t capacity = (uint64_t)p->bucket_count * BUCKET_ENTRIES;
    if (!p->entries) {
        p->entries = entries_new(p->bucket_count);
        ix->bytes += (uint64_t)p->bucket_count * 64;
        return;
    }
    if (((uint64_t)p->used + 1) * 100 <= capacity * 85) {
        return;
    }
    struct entry *old = p->entries;
    uint64_t number = (uint64_t)(p - ix->partitions);
    if ((uint64_t)p->live * 100 >= capacity * 72) {
        uint64_t grown =
            p->bucket_count + p->bucket_count / 4 + p->bucket_count * (number % 16) / 128 + 1;
        assert(grown <= UINT32_MAX / BUCKET_ENTRIES);
        ix->bytes += (grown - p->bucket_count) * 64;
        p->bucket_count = (uint32_t)grown;
    }
    p->entries = entries_new(p->bucket_count);
    p->used = 0;
    p->live = 0;
    for (uint64_t i = 0; i < capacity; i++) {
        if (!entry_is_empty(&old[i]) && !entry_is_removed(&old[i])) {
            insert(p, old[i]);
        }
    }
    free(old);
}

bool index_put(struct index *ix, struct hash128 hash, uint64_t place, uint64_t *replaced,
               struct error *err)
{
    if (place_slot(place) >= INDEX_SLOT_LIMIT) {
        return error_set(
            err, ERROR_FATAL,
            "file number %u does not fit into the key index; start the pipeline again, which "
            "numbers the files anew",
            place_slot(place));
    }
    uint64_t packed =
        (hash.high & 0xFF) << 56 | ((uint64_t)place_slot(place) + 1) << 32 | place_row(place);
    struct partition *p = &ix->partitions[partition_of(ix, hash)];
    struct entry *e = find(p, hash);
    if (replaced) {
        *replaced = e ? entry_place(e) : PLACE_NONE;
    }
    if (e) {
        e->place = packed;
        return true;
    }
    make_room(ix, p);
    insert(p, (struct entry){.low = hash.low, .place = packed});
    ix->count++;
    return true;
}

bool index_remove(struct index *ix, struct hash128 hash)
{
    struct partition *p = &ix->partitions[partition_of(ix, hash)];
    struct entry *e = find(p, hash);
    if (!e) {
        return false;
    }
    /* Emptied only where no probe has passed: in the last used entry of a bucket that has room. */
    size_t at = (size_t)(e - p->entries);
    bool is_last = at % BUCKET_ENTRIES + 1 < BUCKET_ENTRIES && entry_is_empty(e + 1);
    *e = (struct entry){.place = is_last ? 0 : file_mask};
    p->used -= is_last;
    p->live--;
    ix->count--;
    return true;
}

uint64_t index_count(const struct index *ix)
{
    return ix->count;
}

uint64_t index_bytes(const struct index *ix)
{
    return ix->bytes;
}
