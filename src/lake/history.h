/* The versions of a table and what each changed: what `leat history`, `leat changes` and the lake
 * sources read, over either format. Implemented by delta/ and iceberg/; rows are read by
 * lake/changes.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "lake/lake.h"
#include "model/schema.h"
#include "store/store.h"

struct lake_history;

/* One version (Delta) or snapshot (Iceberg). Texts are NULL and numbers -1 where it does not say.
 */
struct lake_version {
    int64_t id;        /* Delta: version; Iceberg: snapshot id */
    int64_t parent_id; /* the version before it; -1: none, or no longer known */
    uint64_t sequence; /* counts up from version to version: Delta: the version; Iceberg: sequence
                          number. 0 throughout in Iceberg's format version 1 */
    int64_t time_us;
    const char *operation;
    const char *engine;
    const char *position; /* the source position that leat wrote */
    int64_t rows_inserted, rows_updated, rows_deleted;
    int64_t files_added;
    int64_t files_changed; /* other rows of the same file are deleted */
    int64_t files_removed;
    bool keeps_rows; /* compaction and the like: no row changed */
};

/* Where a column's values come from in one file. */
struct lake_file_column {
    enum { LAKE_BY_NAME, LAKE_BY_ID, LAKE_CONSTANT } from;
    const char *name; /* by name: in the file */
    int32_t id;       /* by id: Parquet field id */
    const char *text; /* constant: as value_format() writes it. Else: the value of files that lack
                         the column. NULL: null */
};

/* Rows of one file that came or went. */
struct lake_piece {
    enum {
        LAKE_INSERTED,
        LAKE_DELETED,
        LAKE_FEED, /* a change file: column _change_type says */
    } kind;
    const char *path;                       /* store key */
    uint64_t row_count;                     /* of the file; 0: not known */
    uint64_t size;                          /* bytes */
    const struct roaring_bitmap_s *only;    /* rows that count; NULL: all */
    const struct roaring_bitmap_s *without; /* of those, rows that do not; NULL: none */
    const struct lake_file_column *columns; /* one per column of the history's schema */
};

/* What one version did. Owned by the arena it was asked for with. */
struct lake_pieces {
    struct lake_piece *items;
    uint32_t count;
    bool carries_over; /* whole files were replaced: equal rows in both are not changes */
};

/* A file of one of two versions that the other has not, or has with other deleted rows. */
struct lake_file_difference {
    enum { LAKE_FILE_ADDED, LAKE_FILE_REMOVED, LAKE_FILE_CHANGED } kind;
    const char *path;
    const char *partition; /* "day=2026-11-21/..."; "": none */
    uint64_t row_count;    /* physical */
    uint64_t size;
    uint64_t deleted_before; /* rows of it that are deleted, in either version */
    uint64_t deleted_after;
};

struct lake_history_options {
    const struct lake_options *table; /* location or catalog; pipeline is ignored */
    struct engine_connection *engine; /* borrowed */
    int64_t to;                       /* the schema is this version's; -1: the newest */
    bool versions_only; /* rows will not be read: there is no schema, and tables whose types or
                           features are not read have a history, too */
    /* So that a long history need not be read whole. What is left out is older; 0: nothing. */
    int64_t since; /* versions before this one may be left out */
    size_t limit;  /* all but the newest so many may be left out */
};

struct lake_history_type {
    const char *name;       /* "delta", "iceberg" */
    bool from_is_inclusive; /* what the format's own readers make of a first version */

    /* Reads the versions that are left. ERROR_CONFIG when there is no table. */
    struct lake_history *(*open)(const struct lake_history_options *options, struct error *err);

    /* What the version at `index` of `versions` changed against the one before it. ERROR_LOST:
     * files or metadata of it are gone; ERROR_CONFIG: deletes of a kind that is not supported,
     * named. */
    bool (*changes)(struct lake_history *h, size_t index, struct arena *a, struct lake_pieces *out,
                    struct error *err);

    /* The files in which two versions (by index) differ, by path. */
    bool (*compare)(struct lake_history *h, size_t from, size_t to, struct arena *a,
                    struct lake_file_difference **out, uint32_t *count, struct error *err);

    void (*free)(struct lake_history *h);
};

/* First member of each format's struct. */
struct lake_history {
    const struct lake_history_type *type;
    struct store *store; /* owned by the implementation */
    const char *table_id;
    const struct schema *schema; /* at `to`; is_key where the format knows. NULL: versions_only */
    const int32_t *column_ids;   /* by which the table knows them whatever their names; NULL: by
                                    name alone */
    const struct lake_version *versions; /* oldest first, one line of descent */
    size_t version_count;
};

static inline void lake_history_free(struct lake_history **h)
{
    if (*h) {
        (*h)->type->free(take(*h));
    }
}

/* The index of a version by id; ERROR_CONFIG names the oldest and newest that there are. */
must_check bool lake_history_find(const struct lake_history *h, int64_t id, size_t *index,
                                  struct error *err);

/* The index of the newest version at or before a time; ERROR_CONFIG when all are younger. */
must_check bool lake_history_at(const struct lake_history *h, int64_t time_us, size_t *index,
                                struct error *err);
