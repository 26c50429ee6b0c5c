/* What the parts of the reader of changes share: changes.c leads, changes_piece.c reads one file,
 * changes_gather.c and changes_cancel.c look at a version as a whole. Rows lie in the engine as
 * c<i> (columns of the table by index, in the table's types) and `change` (the four words of
 * _change_type). What is gathered of a version lies in temporary tables, which spill. The engine's
 * windows and groups do not always, so they run over so many rows at a time. */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "lake/changes.h"

enum {
    CHANGE_COLUMNS = 3, /* behind the chosen ones */
    BUCKET_ROWS = 1 << 18,
};

struct lake_changes {
    struct lake_changes_options options;
    const struct schema *table; /* borrowed from the history */
    struct schema *schema;      /* of what is read */
    struct arena arena;         /* of the options' copies */
    uint32_t *chosen;           /* columns of the table that are read; indexes */
    uint32_t chosen_count;
    uint32_t *key;
    uint32_t key_count;
    uint32_t *needed; /* chosen, key, and those that the condition may know */
    uint32_t needed_count;
    uint32_t *all; /* of the table */
    char gathered[48];

    struct arena version_arena;
    const struct lake_version *version; /* that is being read */
    size_t next_version;
    struct lake_pieces pieces;
    uint32_t piece_next;
    bool is_open;             /* there is a table of gathered rows */
    struct engine_rows *rows; /* being read */
    int64_t *row_numbers;     /* bound to the engine; owned */

    lake_changes_file_fn *watch;
    void *watch_arg;
    struct lake_changes_stats stats;
};

/* Appends the rows of one piece, its bitmaps bound to the engine: "SELECT c0, c3, ..., change,
 * place
 * ...", place being the number of the row in its file. */
must_check bool changes_append_piece(struct lake_changes *c, const struct lake_piece *piece,
                                     const uint32_t *columns, uint32_t column_count,
                                     struct buf *sql, struct error *err);

/* As above with the needed columns, of a piece that was read before: the rows whose place a query
 * gives. */
must_check bool changes_append_again(const struct lake_changes *c, const struct lake_piece *piece,
                                     const char *places, struct buf *sql, struct error *err);

/* Reads all pieces of the version into the engine, and appends what they mean together: rows that
 * were only carried over are gone, rows with the same key are updates, in their order. */
must_check bool changes_append_gathered(struct lake_changes *c, struct buf *sql, struct error *err);
void changes_drop_gathered(struct lake_changes *c);

/* Gathers the rows of the version that are left when equal rows that went and came cancel each
 * other, as often as there are of them. */
must_check bool changes_cancel(struct lake_changes *c, struct error *err);

/* In how many buckets the rows of a table of the engine are looked at. */
must_check bool changes_bucket_count(const struct lake_changes *c, const char *table, int64_t *out,
                                     struct error *err);

/* "c0, c3": the columns by which rows are known in the engine, each behind `prefix`. */
void changes_append_columns(const uint32_t *columns, uint32_t column_count, const char *prefix,
                            struct buf *sql);
