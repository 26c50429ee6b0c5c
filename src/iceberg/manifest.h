/* Manifests and manifest lists: which files a snapshot has. Encoding and decoding only, no I/O.
 * [Iceberg spec, Manifests; Manifest Lists] Fields are found by id, never by name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "iceberg/metadata.h"

enum iceberg_content {
    ICEBERG_DATA = 0,
    ICEBERG_POSITION_DELETES = 1, /* and deletion vectors: file_format PUFFIN */
    ICEBERG_EQUALITY_DELETES = 2,
};

enum iceberg_status { ICEBERG_EXISTING = 0, ICEBERG_ADDED = 1, ICEBERG_DELETED = 2 };

/* Per column, keyed by field id; counts are -1 and bounds have data NULL where they are absent. */
struct iceberg_metrics {
    int32_t field_id;
    int64_t size;
    int64_t value_count;
    int64_t null_count;
    int64_t nan_count;
    struct str lower; /* Appendix D */
    struct str upper;
};

struct iceberg_file {
    enum iceberg_content content;
    const char *path;      /* as written: a URI, compared as a string */
    const char *format;    /* "PARQUET" */
    struct str *partition; /* one per field of the spec: Appendix D of the transform's result; data
                              NULL: null */
    uint32_t partition_count;
    int64_t record_count;
    int64_t size; /* bytes */
    struct iceberg_metrics *metrics;
    uint32_t metrics_count;
    int64_t *split_offsets;
    uint32_t split_offset_count;
    int32_t *equality_ids;
    uint32_t equality_id_count;
    int32_t sort_order_id;       /* -1: none */
    const char *referenced_file; /* of file-scoped deletes; NULL: none */
    int64_t content_offset;      /* of a vector in its Puffin file; -1: none */
    int64_t content_size;
    int64_t first_row_id; /* v3; -1: none */
};

struct iceberg_entry {
    enum iceberg_status status;
    int64_t snapshot_id;          /* -1: inherited from the manifest, so far unknown */
    int64_t sequence_number;      /* of the data; -1: inherited */
    int64_t file_sequence_number; /* -1: inherited */
    int32_t spec_id;              /* of its manifest */
    struct iceberg_file file;
};

struct iceberg_entries {
    struct iceberg_entry *items;
    uint32_t count;
};

struct iceberg_partition_summary {
    bool contains_null;
    bool has_contains_nan;
    bool contains_nan;
    struct str lower; /* data NULL: none */
    struct str upper;
};

/* A manifest as its list tells of it. */
struct iceberg_manifest {
    const char *path;
    int64_t length; /* bytes */
    int32_t spec_id;
    bool is_deletes;
    int64_t sequence_number;
    int64_t min_sequence_number;
    int64_t snapshot_id;                                /* that added it */
    int64_t added_files, existing_files, deleted_files; /* -1: not said (format version 1) */
    int64_t added_rows, existing_rows, deleted_rows;
    struct iceberg_partition_summary *partitions; /* one per field of the spec; NULL: not said */
    uint32_t partition_count;
    int64_t first_row_id; /* v3; -1: none */
};

struct iceberg_manifests {
    struct iceberg_manifest *items;
    uint32_t count;
};

/* Decodes a manifest list. Version 1 lists have no content, sequence numbers (0) and perhaps no
 * counts. */
must_check bool iceberg_manifest_list_decode(struct str data, struct arena *a,
                                             struct iceberg_manifests *out, struct error *err);

/* Appends a manifest list of format version 2. `parent_id` -1: none. Manifests whose sequence
 * number is -1 get `sequence_number`, as do those whose min_sequence_number is. ERROR_DATA: counts
 * of -1 (they are required, and readers skip manifests by them: decode the manifest and count), or
 * row ids. */
must_check bool iceberg_manifest_list_encode(const struct iceberg_manifests *manifests,
                                             int64_t snapshot_id, int64_t parent_id,
                                             int64_t sequence_number, struct buf *out,
                                             struct error *err);

/* Decodes a manifest; what entries inherit (snapshot id, sequence numbers) is filled in from
 * `manifest`, which says the spec where the header does not; its sequence_number -1: not known,
 * what is inherited stays -1. The specs of `metadata` tell the types of partition values.
 * ERROR_DATA; ERROR_CONFIG: encrypted, or of a newer format version. */
must_check bool iceberg_manifest_decode(struct str data, const struct iceberg_manifest *manifest,
                                        const struct iceberg_metadata *metadata, struct arena *a,
                                        struct iceberg_entries *out, struct error *err);

/* A manifest to be: entries of one spec and one content kind (data, or deletes). */
struct iceberg_manifest_write {
    const struct iceberg_metadata *metadata; /* its JSON goes into the header */
    const struct iceberg_spec *spec;
    bool is_deletes;
    int64_t snapshot_id; /* of entries that say -1 */
    int64_t sequence_number;
};

/* Appends a manifest of format version 2. An added entry's sequence_number -1 is written as null
 * (inherited); others must say theirs. `out_manifest` gets length, counts, snapshot_id,
 * min_sequence_number (-1 counts as `sequence_number`) and summaries, whose bounds are borrowed
 * from the entries; path and sequence_number are the caller's. ERROR_DATA names the file that
 * cannot be written: of another spec or content, or with what format version 2 has not (deletion
 * vectors, row ids). ERROR_CONFIG: a transform that is not known. */
must_check bool iceberg_manifest_encode(const struct iceberg_entries *entries,
                                        const struct iceberg_manifest_write *write, struct arena *a,
                                        struct buf *out, struct iceberg_manifest *out_manifest,
                                        struct error *err);
