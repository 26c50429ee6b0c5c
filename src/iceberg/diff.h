/* In which rows two snapshots differ, by their manifests: files that one of them does not have, and
 * rows that are deleted in one of them only. Manifests that both have are not read for it, unless a
 * delete points into them. */
#pragma once

#include "base/map.h"
#include "iceberg/object.h"
#include "lake/history.h"

struct roaring_bitmap_s;

/* What is kept between comparisons: manifests never change. */
struct iceberg_differ {
    struct iceberg_objects objects;
    const struct iceberg_metadata *metadata;
    struct arena arena;
    struct map manifests; /* path -> struct iceberg_entries * in the arena */
};

/* A data file in which the snapshots differ. */
struct iceberg_difference {
    enum { ICEBERG_FILE_NEW, ICEBERG_FILE_GONE, ICEBERG_FILE_TOUCHED } kind;
    const char *path;                /* URI */
    const struct iceberg_file *file; /* NULL for touched ones that nobody looked up */
    int32_t spec_id;
    struct roaring_bitmap_s *before; /* rows deleted in the older snapshot; freed with the arena */
    struct roaring_bitmap_s *after;  /* in the newer one */
    int64_t deleted_before;          /* without `rows`: how many, as far as manifests tell */
    int64_t deleted_after;
};

struct iceberg_differences {
    struct iceberg_difference *items; /* in the arena; new, gone, then touched ones */
    uint32_t count;
};

void iceberg_differ_release(struct iceberg_differ *d);

/* `from` NULL: an empty table. `rows`: the deleted rows are wanted; only then are delete files
 * opened. Otherwise they are counted by what manifests say of delete files about a single file. */
must_check bool iceberg_diff(struct iceberg_differ *d, const struct iceberg_snapshot *from,
                             const struct iceberg_snapshot *to, bool rows, struct arena *a,
                             struct iceberg_differences *out, struct error *err);
