/* The actions of a Delta log: one JSON object a line. Paths are the raw texts of the log
 * (percent-encoded): they are the identity of files. [PROTOCOL.md, Actions] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delta/field.h"

struct delta_protocol {
    int64_t reader_version;
    int64_t writer_version;
    struct delta_strings reader_features; /* present from reader version 3 */
    struct delta_strings writer_features; /* present from writer version 7 */
};

struct delta_metadata {
    const char *id;
    const char *name;        /* NULL: none */
    const char *description; /* NULL: none */
    const char *provider;    /* "parquet" */
    struct delta_pairs format_options;
    const char *schema;
    struct delta_strings partition_columns;
    struct delta_pairs configuration;
    int64_t created_ms;
    bool has_created;
};

struct delta_vector {
    const char *storage; /* "u", "i" or "p" */
    const char *text;    /* pathOrInlineDv */
    int64_t offset;
    bool has_offset;
    int64_t size; /* sizeInBytes */
    int64_t cardinality;
};

/* add, remove and cdc. */
struct delta_file {
    const char *path;
    struct delta_pairs partition;
    int64_t size;
    bool has_size;
    bool data_change;
    const struct delta_vector *vector; /* NULL: none */
    struct delta_pairs tags;
    int64_t base_row_id;
    bool has_base_row_id;
    int64_t default_row_commit_version;
    bool has_default_row_commit_version;
    int64_t modified_ms;    /* add */
    const char *stats;      /* add; NULL: none */
    const char *clustering; /* add: clusteringProvider; NULL: none */
    int64_t deleted_ms;     /* remove: deletionTimestamp */
    bool has_deleted;
    bool extended; /* remove: extendedFileMetadata */
};

struct delta_txn {
    const char *app_id;
    int64_t version;
    int64_t updated_ms;
    bool has_updated;
};

struct delta_domain {
    const char *domain;
    const char *configuration;
    bool removed;
};

/* What a commit says of itself. Only read back to name and to show it. */
struct delta_info {
    int64_t timestamp_ms;
    bool has_timestamp;
    int64_t in_commit_ms;
    bool has_in_commit;
    const char *operation; /* NULL: unknown */
    const char *engine;    /* NULL: unknown */
    const char *txn_id;    /* NULL: unknown */
    bool blind_append;
    struct delta_pairs parameters;
    struct delta_pairs metrics;
};

enum delta_kind {
    DELTA_PROTOCOL,
    DELTA_METADATA,
    DELTA_ADD,
    DELTA_REMOVE,
    DELTA_CDC,
    DELTA_TXN,
    DELTA_DOMAIN,
    DELTA_INFO,
    DELTA_SIDECAR, /* only in V2 checkpoints; has no content here */
};

struct delta_action {
    enum delta_kind kind;
    union {
        struct delta_protocol protocol;
        struct delta_metadata metadata;
        struct delta_file file;
        struct delta_txn txn;
        struct delta_domain domain;
        struct delta_info info;
    };
};

/* A growing list of actions in an arena. */
struct delta_actions {
    struct arena *arena;
    struct delta_action *items;
    size_t count;
    size_t capacity;
};

struct delta_action *delta_actions_add(struct delta_actions *list, enum delta_kind kind);

/* Decodes newline-separated actions and appends them. Unknown kinds and fields are skipped, as the
 * protocol asks (what must not be skipped is announced in `protocol`). ERROR_DATA names the line.
 */
must_check bool delta_actions_decode(struct str text, struct delta_actions *out, struct error *err);

/* Appends an action as one line. */
void delta_action_encode(const struct delta_action *action, struct buf *out);

/* Deep copies into an arena. `out` may be `from`. */
void delta_protocol_copy(const struct delta_protocol *from, struct arena *a,
                         struct delta_protocol *out);
void delta_metadata_copy(const struct delta_metadata *from, struct arena *a,
                         struct delta_metadata *out);
void delta_file_copy(const struct delta_file *file, struct arena *a, struct delta_file *out);

/* Appends what identifies a logical file beside its path: "" without a vector. [PROTOCOL.md,
 * Deletion Vector Descriptor: uniqueId] */
void delta_vector_identity(const struct delta_vector *v, struct buf *out);
