/* What every table format offers to the code that writes tables: a snapshot (schema, files,
 * position record) and an atomic commit. Implemented by delta/ and iceberg/. One table is used by
 * one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "engine/engine.h"
#include "lake/transform.h"
#include "model/event.h"
#include "model/position.h"
#include "model/schema.h"
#include "store/store.h"

struct lake_table;
struct roaring_bitmap_s;

/* The position record: lies inside the table, is replaced atomically with the data, survives
 * checkpoints, log clean-up and foreign maintenance. The only truth about where a table stands. */
struct lake_record {
    struct position position; /* this table equals the source up to here (phase streaming) */
    struct position complete; /* the whole sink was complete up to here when this was committed */
    uint64_t epoch;
    enum barrier_phase phase;
    char load_id[UUID_TEXT_SIZE]; /* of the load that is going on or that made the table */
    char source[128]; /* identity of the source: another server's positions mean nothing here */
    int64_t version;  /* table version of the commit that carries the record; set by commit */
    char txn_id[UUID_TEXT_SIZE]; /* of that commit; set by commit: numbers alone come back after a
                                    restore */
};

/* Bounds and null counts of one column of a file, in the table's types. */
struct lake_statistics {
    uint64_t null_count;
    bool has_min; /* omitted rather than wrong: NaN, too long to bound, kinds without order */
    bool has_max;
    union lake_value {
        int64_t integer; /* bool, ints, date, time, timestamps */
        double number;
        __int128 decimal;
        struct str text; /* at most 32 characters; the max is an upper bound */
    } min, max;
};

/* A column that has one value in all rows of a file. The file need not hold it. */
struct lake_file_value {
    int32_t column_id;
    const char *text; /* SQL casts it to the column's type; NULL: null */
};

/* A live data file. `slot` numbers files for the life of the open table and is never reused; what
 * it points to is borrowed until the table's next commit or refresh. */
struct lake_file {
    uint32_t slot;
    const char *path;             /* store key, not percent-encoded */
    const char *const *partition; /* text value per partition field; NULL: null value */
    uint64_t row_count;           /* physical rows */
    uint64_t size;                /* bytes */
    uint64_t deleted_count;
    const struct roaring_bitmap_s *deleted; /* row numbers that are deleted; NULL: none */
    const struct lake_file_value *values;   /* where columns are known by id */
    uint32_t value_count;
};

/* By what a table is divided into partitions. */
struct lake_partition_field {
    const char *name; /* of the directory: the column's, or "created_day" */
    uint32_t column;  /* index into the schema */
    struct lake_transform transform;
};

struct lake_snapshot {
    bool exists;
    int64_t version; /* Delta: version; Iceberg: snapshot id. -1: none */
    const char *table_id;
    struct schema
        *schema; /* columns in the table's types; is_key is set where the format keeps it */
    const int32_t *column_ids;       /* field ids in data files; NULL: columns are known by name */
    const char *const *column_names; /* in data files; NULL: the schema's */
    const char *const *column_defaults; /* texts of values that older files lack; NULL: null */
    const struct lake_partition_field *partition;
    uint32_t partition_count;
    bool has_feed; /* a change feed is kept */
    bool has_record;
    struct lake_record record;
    uint32_t slot_count; /* lake_table_file() knows 0..slot_count-1 */
};

struct lake_new_file {
    const char *path;
    const char *const *partition;
    uint64_t row_count;
    uint64_t size;
    const struct lake_statistics *statistics; /* per schema column; NULL: none (change files) */
};

struct lake_new_vector {
    uint32_t slot;
    const struct roaring_bitmap_s *deleted; /* the file's whole new vector, old rows included */
    uint64_t deleted_count;
};

/* One atomic step of a table. Everything is borrowed. */
struct lake_commit {
    const char *operation;       /* for history: "LOAD", "STREAM", "TRUNCATE", "HEARTBEAT" ... */
    const struct schema *schema; /* the new schema, or NULL: unchanged. Columns are added or
                                    widened; if files must be rewritten for that, the format does
                                    it: rows keep their slots and their places */
    bool truncate;               /* every live file is removed (before anything is added) */
    const struct lake_new_file *files;
    uint32_t file_count;
    const struct lake_new_file
        *change_files; /* rows with _change_type; not allowed with truncate */
    uint32_t change_file_count;
    const struct lake_new_vector *vectors;
    uint32_t vector_count;
    const uint32_t *removed; /* slots of files all of whose rows are deleted */
    uint32_t removed_count;
    uint64_t rows_inserted, rows_updated, rows_deleted; /* for history */
    int64_t source_time_us;                             /* newest source commit in it; 0: unknown */
    struct lake_record record;                          /* version and txn_id are filled in */
    struct position from; /* what the table's record must hold for this commit to be valid (law 7);
                             POSITION_NONE while loading */
};

/* Which version of a table is opened. Other than the newest: for reading only. */
struct lake_at {
    enum { LAKE_NEWEST, LAKE_AT_VERSION, LAKE_AT_TIME } kind;
    int64_t version; /* as lake_snapshot.version */
    int64_t time_us; /* the newest version at or before it */
};

struct iceberg_catalog;

struct lake_options {
    const char
        *location; /* Delta: the table's; Iceberg: where the catalog is to make it, or NULL */
    struct iceberg_catalog *catalog; /* Iceberg; borrowed: knows the table */
    const char *const *namespace;    /* Iceberg: levels of the table's name */
    uint32_t level_count;
    const char *table; /* Iceberg: its name */
    struct lake_at at;
    const char *pipeline; /* names the record: several pipelines may keep records in one table.
                             NULL: opened for reading only */
    bool accept_foreign;  /* other writers may change rows: their commits are followed */
    struct engine_connection *engine; /* for checkpoints and deletes; borrowed. NULL: no checkpoints
                                         are read or written */
};

struct lake_create {
    const struct schema *schema; /* the table's types; key columns marked */
    const struct lake_partition_field *partition;
    uint32_t partition_count;
    bool feed;    /* keep a change feed */
    bool vectors; /* rows are deleted by deletion vectors (upsert); false: append only */
    struct lake_record record;
};

/* What the pipeline last knew of a table, from its state directory. */
struct lake_expectation {
    const char *table_id; /* NULL: nothing is known (first run, or the state was lost) */
    int64_t version;
    const char *txn_id;
};

struct lake_type {
    const char *name;           /* "delta", "iceberg" */
    const char *data_directory; /* of new data files: "", "data/" */
    bool has_transforms;        /* partitions by other transforms than identity */
    bool files_hold_partition;  /* partition columns are in the data files, too */

    /* The type a value has in this format: uuid -> string ... */
    struct type (*stored_type)(struct type source);

    /* Opens a location and reads its newest state. A location without a table opens with exists =
     * false. */
    struct lake_table *(*open)(const struct lake_options *options, struct error *err);

    /* Makes the table. ERROR_CONFLICT when one exists. */
    bool (*create)(struct lake_table *t, const struct lake_create *create, struct error *err);

    /* Reads what was committed since. `*files_changed` says whether slots came or went. */
    bool (*refresh)(struct lake_table *t, bool *files_changed, struct error *err);

    /* The field ids that the columns of `schema` have, or will have once a commit brings them, in
     * the files written for that commit. NULL: columns are known by name. */
    bool (*column_ids)(struct lake_table *t, const struct schema *schema, int32_t *ids,
                       struct error *err);

    /* ERROR_LOST unless this is the table we left: same identity, our last commit in its history,
     * no foreign change of rows since (rule 3), unless such are accepted. The message names what
     * happened and the way back. */
    bool (*check)(struct lake_table *t, const struct lake_expectation *expected, struct error *err);

    /* ERROR_CONFLICT: another commit won and ours is certainly not in; refresh and plan again.
     * ERROR_UNKNOWN: read back by refresh() and compare the record's txn_id with the commit's,
     * which is set in this case too. ERROR_LOST: the record no longer holds `from`, or a foreign
     * commit changed rows. Done: the snapshot is the new version, and the new files have slots:
     * `slots[i]` for files[i]. New files must have been published. */
    bool (*commit)(struct lake_table *t, struct lake_commit *commit, uint32_t *slots,
                   struct error *err);

    /* Checkpoints when due. Failing does no harm to the table. */
    bool (*maintain)(struct lake_table *t, struct error *err);

    void (*free)(struct lake_table *t);
};

/* First member of each format's struct. */
struct lake_table {
    const struct lake_type *type;
    struct store *store;           /* owned by the implementation */
    struct lake_snapshot snapshot; /* kept current by the implementation */
    struct lake_file **files;      /* by slot; NULL where the file is gone */
};

static inline struct lake_file *lake_table_file(const struct lake_table *t, uint32_t slot)
{
    return slot < t->snapshot.slot_count ? t->files[slot] : NULL;
}

/* The key of a new file: unique, with Hive-style directories for partitions. In the arena. */
char *lake_data_path(struct arena *a, const char *directory,
                     const struct lake_partition_field *fields, uint32_t field_count,
                     const char *const *partition);
char *lake_change_path(struct arena *a, const struct lake_partition_field *fields,
                       uint32_t field_count, const char *const *partition);

/* What a partition is called in the configuration: "country", "day(created_at)", "bucket(16, id)",
 * "truncate(4, code)" ... ERROR_CONFIG. The column's name is in the arena. */
must_check bool lake_partition_parse(const char *text, struct arena *a,
                                     struct lake_transform *transform, const char **column,
                                     struct error *err);

/* The name of a partition field: the column's, with what the transform is called ("id_bucket"). */
const char *lake_partition_name(struct lake_transform t, const char *column, struct arena *a);

/* The text by which a partition value is known in table metadata; NULL for null. ERROR_DATA for
 * kinds that cannot partition (float, binary). */
must_check bool lake_partition_text(const struct column *c, uint32_t row, struct arena *a,
                                    const char **out, struct error *err);

/* Statistics of a column over all rows of a file; `column` in the table's types. */
void lake_statistics_collect(const struct column *column, uint32_t row_count, struct arena *a,
                             struct lake_statistics *out);

/* Cuts a text bound to a number of code points; an upper one stays an upper bound. False: there is
 * none of that length. */
bool lake_statistics_cut(struct str *text, size_t characters_max, bool is_upper, struct arena *a);
