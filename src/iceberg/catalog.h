/* What a catalog is to an Iceberg table: it knows the table's current metadata and swaps it
 * atomically. Implemented by catalog/. One catalog is used by one thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "iceberg/metadata.h"

struct iceberg_catalog;

struct iceberg_name {
    const char *const *namespace; /* levels */
    uint32_t level_count;
    const char *table;
};

/* What a commit asks for: arrays as CommitTableRequest has them. Borrowed. */
struct iceberg_move {
    const struct iceberg_metadata *from;
    const char *from_location; /* the file it came from */
    const json_t *requirements;
    const json_t *updates;
};

/* What a table is after a commit. */
struct iceberg_state {
    struct iceberg_metadata *metadata; /* owned by the caller */
    char *location;                    /* the file it is in; owned by the caller */
};

struct iceberg_catalog_type {
    const char *name; /* "filesystem", "rest" */
    bool is_location; /* knows where one table lies, and nothing else of it: the table may have been
                         moved there as a whole */

    /* The table's current metadata; *out NULL: there is no such table. `*metadata_location` (in the
     * arena) is the file it came from. */
    bool (*load)(struct iceberg_catalog *c, const struct iceberg_name *name,
                 struct iceberg_metadata **out, struct arena *a, const char **metadata_location,
                 struct error *err);

    /* Makes the table (and its namespace). create->location NULL: the catalog decides.
     * ERROR_CONFLICT: it exists. ERROR_UNKNOWN: it may have been made; load tells. */
    bool (*create)(struct iceberg_catalog *c, const struct iceberg_name *name,
                   const struct iceberg_create *create, struct iceberg_metadata **out,
                   struct error *err);

    /* Moves the table from `from` by updates whose requirements hold; `to` is what it is then.
     * ERROR_CONFLICT: certainly not in, load and plan again. ERROR_UNKNOWN: load tells.
     * ERROR_RETRY: certainly not in, a passing reason. */
    bool (*commit)(struct iceberg_catalog *c, const struct iceberg_name *name,
                   const struct iceberg_move *move, struct iceberg_state *to, struct error *err);

    void (*free)(struct iceberg_catalog *c);
};

/* First member of each catalog's own struct. */
struct iceberg_catalog {
    const struct iceberg_catalog_type *type;
};

static inline void iceberg_catalog_free(struct iceberg_catalog **c)
{
    if (*c) {
        (*c)->type->free(take(*c));
    }
}
