/* Table metadata (metadata.json): parsed, and moved on by the updates of the REST catalog's commit,
 * which is the one form in which a change of metadata is said. No I/O. Unknown keys are kept.
 * [Iceberg spec, Table Metadata; REST catalog API, CommitTableRequest] */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "iceberg/type.h"
#include "lake/transform.h"

struct iceberg_spec_field {
    int32_t source_id; /* field id of the column, which may lie inside a struct or be dropped */
    int32_t field_id;  /* of the partition field, from 1000 */
    const char *name;
    struct lake_transform transform;
    struct type result; /* of the transform; the column's type may have been widened since */
};

struct iceberg_spec {
    int32_t id;
    struct iceberg_spec_field *fields;
    uint32_t field_count;
};

struct iceberg_snapshot {
    int64_t id;
    int64_t parent_id; /* -1: none */
    int64_t sequence_number;
    int64_t timestamp_ms;
    int32_t schema_id;         /* -1: not said */
    const char *manifest_list; /* URI; NULL: version 1 with `manifests` inline */
    const char *operation;     /* NULL: not said */
    const json_t *summary;     /* borrowed; NULL: none. All values are strings */
    const json_t *manifests;   /* version 1: array of manifest paths; NULL: none */
};

struct iceberg_metadata {
    struct arena arena;
    json_t *json; /* owned; the whole object */
    int32_t format_version;
    const char *uuid;             /* "": version 1 without one */
    const char *location;         /* URI */
    int64_t last_sequence_number; /* 0: version 1 */
    int64_t last_updated_ms;
    int32_t last_column_id;
    int32_t last_partition_id;
    struct iceberg_schema *schemas;
    uint32_t schema_count;
    const struct iceberg_schema *schema; /* the current one */
    struct iceberg_spec *specs;
    uint32_t spec_count;
    const struct iceberg_spec *spec;    /* the default one */
    struct iceberg_snapshot *snapshots; /* as the file has them: oldest first */
    uint32_t snapshot_count;
    uint32_t *snapshots_by_id;              /* their indexes, by ascending id */
    const struct iceberg_snapshot *current; /* of main; NULL: none */
    const json_t *properties;               /* borrowed; NULL: none */
};

/* Parses a metadata file (gunzips one that is compressed), at most 256 MiB of it. Format versions
 * 1, 2 and 3. ERROR_DATA names what is wrong; a newer version is ERROR_CONFIG. */
must_check struct iceberg_metadata *iceberg_metadata_parse(struct str data, struct error *err);

/* As iceberg_metadata_parse() for an object, whose reference is taken. */
must_check struct iceberg_metadata *iceberg_metadata_from(json_t *object, struct error *err);
void iceberg_metadata_free(struct iceberg_metadata **m);

/* By id; NULL: there is none. */
const struct iceberg_schema *iceberg_metadata_schema(const struct iceberg_metadata *m, int32_t id);
const struct iceberg_spec *iceberg_metadata_spec(const struct iceberg_metadata *m, int32_t id);
const struct iceberg_snapshot *iceberg_metadata_snapshot(const struct iceberg_metadata *m,
                                                         int64_t id);
const char *iceberg_metadata_property(const struct iceberg_metadata *m, const char *key);

/* The value of a key in a snapshot's summary, or NULL. */
const char *iceberg_snapshot_summary(const struct iceberg_snapshot *s, const char *key);

/* Metadata of a new table, format version 2, without snapshots: schema object as
 * iceberg_schema_make() gives it, spec fields by the ids of its columns, unsorted. New reference.
 */
struct iceberg_create {
    const char *location;
    json_t *schema;                  /* borrowed */
    const struct iceberg_spec *spec; /* field ids from 1000 */
    json_t *properties;              /* borrowed; object of strings */
};
json_t *iceberg_metadata_make(const struct iceberg_create *create);

/* The spec object of the metadata and of REST requests. New reference. */
json_t *iceberg_spec_make(const struct iceberg_spec *spec);

/* Checks the requirements against `m` and returns the metadata after the updates, as a catalog does
 * (for catalogs that have no server). Requirements and updates are arrays as CommitTableRequest has
 * them; supported updates: add-schema, set-current-schema, add-spec, set-default-spec,
 * add-snapshot, set-snapshot-ref, remove-snapshots, set-properties, remove-properties; others are
 * ERROR_FATAL. A requirement that does not hold is ERROR_CONFLICT, as is a snapshot whose sequence
 * number is taken. A snapshot that a branch or tag points to cannot be removed (ERROR_FATAL);
 * format version 1 is ERROR_CONFIG. `m` is not changed, but shares parts with the result.
 * `previous_location` goes into the metadata-log, which is cut to
 * write.metadata.previous-versions-max (100); `dropped` (array of strings, new reference; may be
 * NULL) gets the files that fell out of it. last-updated-ms never goes backwards. */
must_check json_t *iceberg_metadata_apply(const struct iceberg_metadata *m,
                                          const json_t *requirements, const json_t *updates,
                                          const char *previous_location, json_t **dropped,
                                          struct error *err);
