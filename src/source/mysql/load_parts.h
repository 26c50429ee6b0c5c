/* What the parts of a load share: locks and snapshots (load.c), ranges of keys (load_ranges.c), and
 * the reading itself (load_rows.c). */
#pragma once

#include "source/mysql/load.h"

/* A connection in its snapshot. */
struct my_load_reader {
    MYSQL *c;    /* NULL: a failure ended the load */
    int stop_fd; /* a duplicate of its socket: shut down from another thread, whatever the library
                    does with its own */
};

struct my_load {
    struct my_load_options options;
    MYSQL *control; /* had the lock; now asks the catalog */
    MYSQL *keeper;  /* keeps writers from tables without snapshots; NULL: there are none left */
    bool *is_read;  /* per relation: without a snapshot, and read */
    struct my_load_reader readers[MY_LOAD_CONNECTIONS_MAX];
};

/* Ranges of one table's key, for the connections to take one after another. */
struct my_load_plan {
    const char *key; /* the column; NULL: one range, all rows */
    bool is_empty;   /* the table has no rows */
    uint32_t range_count;
    __int128 bounds[MY_LOAD_RANGES_MAX + 1];
};

/* Asks for the key's ends in the reader's snapshot, and how many rows lie between. */
must_check bool my_load_plan_ranges(MYSQL *c, const struct my_load *l, uint32_t table,
                                    struct my_load_plan *out, struct error *err);

/* Appends `db`.`table`. */
void my_load_append_name(struct buf *sql, struct table_name name);

/* Appends the key's range as a condition: " WHERE `id` BETWEEN 1 AND 5"; nothing without a key. */
void my_load_append_range(struct buf *sql, const struct my_load_plan *plan, uint32_t range);

/* ERROR_RETRY unless the catalog shows the table's columns as the relation knows them. */
must_check bool my_load_check_table(struct my_load *l, uint32_t table, struct error *err);

/* A table without a snapshot was read: lets its writers go on once all of them were. */
must_check bool my_load_table_done(struct my_load *l, uint32_t table, struct error *err);

/* Ends all snapshots. */
void my_load_close_readers(struct my_load *l);
