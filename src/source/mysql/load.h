/* The initial load: all rows of the captured tables as they stood at one position, by several
 * connections at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/position.h"
#include "source/mysql/connection.h"
#include "source/mysql/relation.h"
#include "source/mysql/server.h"
#include "source/source.h"

struct my_load;

struct my_load_options {
    struct my_connection_options connection;
    const struct my_server *server;
    const struct my_relation *relations; /* borrowed; outlive the load */
    uint32_t relation_count;
    uint32_t connection_count; /* that read at once: 1..16 */
    int64_t lock_timeout_ms;   /* how long the tables are waited for */
};

/* Holds all writers for an instant (FLUSH TABLES WITH READ LOCK; where that is not allowed, LOCK
 * TABLES ... READ of the captured ones), begins a consistent snapshot on each connection, reads
 * where the log stands, lets go. Tables that are not transactional keep their lock until they are
 * read. ERROR_RETRY: the lock was not had in time, naming what to look at; ERROR_CONFIG: no right
 * to lock. ERROR_RETRY also when a table was altered since its relation was made. */
must_check struct my_load *my_load_begin(const struct my_load_options *options,
                                         struct position *gtids, struct my_log_place *place,
                                         struct error *err);
void my_load_free(struct my_load **l);

/* Reads one table, in ranges of its key where that is an integer; batches have `loading` set and
 * come in any order, `fn` is called on this thread only. The first failure ends the other
 * connections. */
must_check bool my_load_rows(struct my_load *l, uint32_t table, source_rows_fn *fn, void *arg,
                             struct error *err);

/* The ranges of a key from..to (inclusive) for `count` readers; for tests. Returns how many. */
uint32_t my_load_ranges(__int128 from, __int128 to, uint64_t row_estimate, uint32_t count,
                        __int128 *bounds);
