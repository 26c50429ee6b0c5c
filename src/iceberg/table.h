/* An open Iceberg table: its metadata, the live files of one snapshot with their deleted rows, and
 * the manifests they are written in. */
#pragma once

#include "base/map.h"
#include "engine/engine.h"
#include "iceberg/catalog.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "iceberg/object.h"
#include "lake/lake.h"
#include "lake/record.h"

/* A live position delete file. */
struct iceberg_delete {
    char *path;           /* owned */
    const char *manifest; /* path of the manifest it is written in; interned by the table */
    char *referenced;     /* owned; the one data file it is about; NULL: any */
    int64_t record_count;
    int64_t size;
};

/* A live data file. */
struct iceberg_live {
    struct lake_file lake; /* first: slots point here */
    struct arena arena;    /* texts of the file */
    const char *uri;       /* as the manifest has it */
    const char *manifest;  /* as in iceberg_delete */
    int32_t spec_id;
    struct str *partition; /* Appendix D values; spec's fields */
    int64_t sequence_number;
    struct roaring_bitmap_s *bitmap; /* owned; NULL: none */
    bool seen;                       /* by the reading under way */
};

struct iceberg_table {
    struct lake_table base;
    struct iceberg_catalog *catalog;  /* borrowed */
    struct iceberg_name name;         /* borrowed levels and table */
    const char *location_wanted;      /* where the catalog is to make it; NULL: it decides */
    struct engine_connection *engine; /* borrowed */
    struct lake_at at;
    bool accept_foreign;
    char *property; /* owned; "leat.<pipeline>"; NULL: opened for reading */
    char *label;    /* owned; "namespace.table", for messages */

    struct iceberg_metadata *metadata;       /* owned; NULL: there is no table */
    char *metadata_location;                 /* owned; NULL: the catalog does not say */
    const struct iceberg_snapshot *snapshot; /* that is shown; NULL: none */

    struct arena list_arena; /* of `manifests` */
    struct iceberg_manifests manifests;
    struct map live;    /* uri -> struct iceberg_live, owned */
    struct map deletes; /* uri -> struct iceberg_delete, owned */
    struct map names;   /* manifest path -> char *, owned: interned */
    uint32_t slot_count;
    uint32_t slot_capacity;
    bool has_equality_deletes;

    struct arena show_arena; /* what the snapshot points to */
    char unresolved[UUID_TEXT_SIZE];
};

/* Reads manifests and deletes of the shown snapshot. Files that were there keep their slots.
 * `*changed`: a slot came or went, or its deleted rows changed. */
must_check bool iceberg_files_load(struct iceberg_table *t, bool *changed, struct error *err);

void iceberg_files_release(struct iceberg_table *t);

/* Opens a table's metadata and store without looking at its files, for whoever does that otherwise.
 * ERROR_CONFIG: there is no table. To be freed as a lake_table. */
must_check bool iceberg_open_metadata(const struct lake_options *options,
                                      struct iceberg_table **out, struct error *err);

/* How the table's files are read. */
struct iceberg_objects iceberg_objects(const struct iceberg_table *t);

/* The table's copy of a manifest's path. */
const char *iceberg_intern(struct iceberg_table *t, const char *manifest);

/* Adds a live file, in a new slot. */
struct iceberg_live *iceberg_live_add(struct iceberg_table *t, const struct iceberg_entry *entry,
                                      const char *manifest, struct error *err);
void iceberg_live_remove(struct iceberg_table *t, struct iceberg_live *live);
void iceberg_delete_add(struct iceberg_table *t, const struct iceberg_file *file,
                        const char *manifest);
void iceberg_delete_remove(struct iceberg_table *t, const char *uri);

/* Brings lake_table's snapshot in line with the metadata: schema, ids, partition, record. */
must_check bool iceberg_show(struct iceberg_table *t, struct error *err);

/* The record that a snapshot of the ancestry, or else the table's property, holds. *found false:
 * there is none. */
must_check bool iceberg_record_read(const struct iceberg_metadata *m, const char *property,
                                    struct lake_record *out, bool *found, struct error *err);

/* ERROR_LOST when a snapshot after `after` up to the current one was made by others and changed
 * rows; ERROR_LOST too when `after` is not in the ancestry, as far as it is known: expired
 * snapshots are looked for in older metadata files. 0: from the beginning. */
must_check bool iceberg_check_since(const struct iceberg_table *t, const struct iceberg_metadata *m,
                                    int64_t after, struct error *err);

/* Takes newer metadata, and the file it is in, for the table's own; both are moved. */
void iceberg_adopt(struct iceberg_table *t, struct iceberg_metadata *m, char *location);

/* lake_type.commit, .create and .column_ids. */
must_check bool iceberg_commit(struct lake_table *table, struct lake_commit *commit,
                               uint32_t *slots, struct error *err);
must_check bool iceberg_create_table(struct lake_table *table, const struct lake_create *create,
                                     struct error *err);
must_check bool iceberg_column_ids(struct lake_table *table, const struct schema *schema,
                                   int32_t *ids, struct error *err);
