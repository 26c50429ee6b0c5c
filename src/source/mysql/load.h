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
    uint32_t connection_count; /* that read at once: 1..MY_LOAD_CONNECTIONS_MAX */
    int64_t lock_timeout_ms;   /* how long a lock is waited for; rounded up to seconds */
};

/* Holds all writers for an instant (FLUSH TABLES WITH READ LOCK; where that is not allowed, LOCK
 * TABLES ... READ of the captured ones), begins a consistent snapshot on each connection, reads
 * where the log stands, lets go. Tables that are not transactional have no snapshot: they stay
 * locked for writers until they were read, so read them first.
 *
 * ERROR_RETRY: the lock was not had in time, naming what to look at; a table was altered since its
 * relation was made; an XA transaction is prepared, whose rows the log has before the position and
 * the snapshot has not. ERROR_CONFIG: no right to lock. Where the user may not list XA transactions
 * (MySQL: XA_RECOVER_ADMIN) the stream has to notice the commit of one that it has not seen. */
must_check struct my_load *my_load_begin(const struct my_load_options *options,
                                         struct position *gtids, struct my_log_place *place,
                                         struct error *err);
void my_load_free(struct my_load **l);

/* Reads relations[table], in ranges of its key where that is one integer column; batches have
 * `loading` set and come in any order, `fn` is called on this thread only. The first failure ends
 * the other connections: the load is then of no more use. A table that was altered meanwhile is
 * ERROR_RETRY. */
must_check bool my_load_rows(struct my_load *l, uint32_t table, source_rows_fn *fn, void *arg,
                             struct error *err);

enum { MY_LOAD_RANGES_MAX = 256, MY_LOAD_CONNECTIONS_MAX = 16 };

/* Cuts the keys from..to (inclusive) into ranges of equal width for `count` connections, that take
 * them one after another: eight for each, but few enough for twenty thousand rows in each. Range i
 * is bounds[i] .. bounds[i + 1] - 1; `bounds` has room for MY_LOAD_RANGES_MAX + 1. Returns how many
 * there are: at least one. */
uint32_t my_load_ranges(__int128 from, __int128 to, uint64_t row_estimate, uint32_t count,
                        __int128 *bounds);
