/* What the parts of table/ share. Nobody else includes this. */
#pragma once

#include <roaring/roaring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "table/index.h"
#include "table/key.h"
#include "table/net.h"
#include "table/table.h"

/* A load under way: which rows that the table held at its start were named since. */
struct table_load {
    bool active;
    uint32_t slot_limit;      /* files below were there when it began */
    roaring_bitmap_t **named; /* row numbers, by slot below slot_limit; NULL: none */
};

struct table {
    struct arena arena; /* options */
    const char *name;
    enum table_mode mode;
    bool filtered;
    bool feed; /* of a table that is made; an existing one says itself */
    struct lake_table *lake;
    struct engine_connection *engine;
    const char *const *partition_by;
    uint32_t partition_count;

    struct schema *source; /* of what is applied next */
    struct schema *schema; /* the table's, key columns marked; the one the next commit writes */
    bool schema_changed;   /* since the last commit */
    bool source_altered;   /* likewise: worth a commit, so that nobody comes back to before it */
    struct arena schema_arena; /* key.columns, partition */
    struct key key;            /* upsert */
    struct lake_partition_field *partition;

    struct error found_at_start; /* ERROR_LOST: only a load makes the columns right again */

    uint64_t seed;
    struct index *index; /* upsert; NULL until loaded */
    struct net net;
    struct table_load load;
    uint64_t append_sequence; /* append: of the newest change, */
    uint64_t append_position; /* and its position in the log */

    bool unresolved; /* a commit whose outcome is not known */
    char unresolved_id[UUID_TEXT_SIZE];
    uint64_t pending_bytes;
    int64_t source_time_us; /* newest source commit in the epoch */
    struct table_counts counts;
};

/* ---- follow.c: the table's schema ---- */

/* Appends what append mode adds to each row: their places in the table's schema. */
enum append_column {
    APPEND_OPERATION,
    APPEND_POSITION,
    APPEND_SEQUENCE,
    APPEND_COMMIT_TIME,
    APPEND_UNCHANGED,
    APPEND_COLUMN_COUNT,
};
extern const char *const append_column_names[APPEND_COLUMN_COUNT];

/* Moves t->schema on to hold every column of `source`. */
must_check bool follow_schema(struct table *t, const struct schema *source, struct error *err);

/* ERROR_CONFIG unless the lake's columns are those the table believes in. */
must_check bool follow_check(const struct table *t, struct error *err);

/* ---- stored.c: rows as the table holds them ---- */

/* Reads whole rows: row i of the result lies at places[i]. In t->schema; kinds and metadata are
 * zero. */
must_check struct batch *stored_rows(struct table *t, const uint64_t *places, uint32_t count,
                                     struct error *err);

/* Appends a table expression over one local file as it is. */
void stored_append_file(const char *path, struct buf *sql);

/* Builds t->index from the key columns of the live files. Two rows with one key are ERROR_LOST. */
must_check bool stored_index(struct table *t, struct error *err);

/* ERROR_LOST unless the index holds as many keys as the table has live rows. */
must_check bool stored_check(const struct table *t, struct error *err);

/* ---- load.c: loads of tables that are there already ---- */

void load_begin(struct table *t);
void load_end(struct table *t);

/* Rows at these places were named by the load or by a change. */
void load_name_rows(struct table *t, const uint64_t *places, uint32_t count);

/* Adds the deletion of every row that was never named to the epoch. Repeating it adds nothing. */
must_check bool load_sweep(struct table *t, struct error *err);

/* ---- apply.c: changes into the epoch ---- */

must_check bool apply_upsert(struct table *t, struct batch *converted, struct position skip,
                             struct error *err);

/* ---- append.c: the log ---- */

/* Fills the columns of append mode and adds the rows to the epoch. */
void append_rows(struct table *t, struct batch *converted, struct position skip);
void append_truncate(struct table *t, uint64_t log_position);

/* True when the log holds nothing but loaded rows. */
must_check bool append_holds_only_reads(struct table *t, bool *only, struct error *err);

/* ---- plan.c: what a commit consists of ---- */

/* A row to be written. */
struct plan_row {
    uint32_t image;
    uint32_t fallback; /* asked for values that `image` does not have */
    uint32_t key;      /* of t->net; NET_NONE in append mode */
    uint8_t change;    /* enum plan_change; change files only */
};

enum plan_change { CHANGE_INSERT, CHANGE_UPDATE_BEFORE, CHANGE_UPDATE_AFTER, CHANGE_DELETE };

struct plan_rows {
    struct plan_row *items;
    uint32_t count;
};

struct plan {
    struct arena arena;
    struct plan_rows data;    /* rows of new data files */
    struct plan_rows changes; /* rows of change files */
    uint64_t *deleted;        /* places of rows that the table holds no longer */
    uint32_t deleted_count;
    uint64_t rows_inserted, rows_updated, rows_deleted;
    bool truncate;
    uint64_t *places; /* of data rows: number of the new file, row in it */

    struct lake_new_file *files;
    uint32_t file_count;
    struct lake_new_file *change_files;
    uint32_t change_file_count;
    struct lake_new_vector *vectors;
    uint32_t vector_count;
    uint32_t *removed;
    uint32_t removed_count;
};

/* Decides the rows and completes them: reads old rows where they are needed. */
must_check bool plan_rows(struct table *t, struct plan *p, struct error *err);

/* New deletion vectors; files all of whose rows are gone. */
void plan_vectors(struct table *t, struct plan *p);
void plan_release(struct plan *p);

/* ---- write.c: files ---- */

/* Writes and publishes the plan's data and change files. */
must_check bool write_files(struct table *t, struct plan *p, struct error *err);

/* Removes them again, as far as that is possible. */
void write_undo(struct table *t, struct plan *p);

/* ---- commit.c ---- */

must_check bool commit_epoch(struct table *t, const struct barrier *barrier,
                             struct position complete, bool heartbeat, struct error *err);

/* Commits a record (and schema) without rows. */
must_check bool commit_record(struct table *t, const char *operation, bool truncate,
                              const struct lake_record *record, struct error *err);
