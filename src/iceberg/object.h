/* Reading what metadata points to. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "engine/engine.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "store/store.h"

/* A table's files: `location` is the metadata's, `store` is where they are. */
struct iceberg_objects {
    struct store *store;              /* borrowed */
    const char *location;             /* borrowed */
    struct engine_connection *engine; /* borrowed; NULL: no delete files can be read */
};

/* Appends one object's content. ERROR_LOST when it is gone. */
must_check bool iceberg_object_get(const struct iceberg_objects *o, const char *uri,
                                   struct buf *out, struct error *err);

/* The manifests of a snapshot, in the arena; those of version 1 may be in the metadata itself. */
must_check bool iceberg_list_read(const struct iceberg_objects *o, const struct iceberg_snapshot *s,
                                  struct arena *a, struct iceberg_manifests *out,
                                  struct error *err);

/* The entries of a manifest, in the arena. */
must_check bool iceberg_manifest_read(const struct iceberg_objects *o,
                                      const struct iceberg_metadata *metadata,
                                      const struct iceberg_manifest *m, struct arena *a,
                                      struct iceberg_entries *out, struct error *err);

/* What tells one delete from the others: a Puffin file holds several vectors. */
const char *iceberg_deletes_name(const struct iceberg_file *file, struct arena *a);

/* The rows of a position delete file or a deletion vector, in their order; `path` is borrowed for
 * the call. */
typedef bool iceberg_position_fn(void *arg, struct str path, uint32_t position, struct error *err);
must_check bool iceberg_positions_read(const struct iceberg_objects *o,
                                       const struct iceberg_file *file, iceberg_position_fn *fn,
                                       void *arg, struct error *err);

/* ERROR_CONFIG, naming it, for deletes of a kind that is not supported. */
must_check bool iceberg_deletes_check(const struct iceberg_file *file, struct error *err);

/* The one data file that a delete file is about; data NULL: any. */
struct str iceberg_deletes_referenced(const struct iceberg_file *file);
