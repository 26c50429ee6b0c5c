/* The replication slot: the server's memory of how far the pipeline has come. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

struct slot_state {
    bool exists;
    uint64_t confirmed;          /* everything before it is acknowledged */
    bool is_lost;                /* the server removed log that it needs */
    uint32_t active_pid;         /* 0: nobody reads it */
    char active_application[64]; /* who does, as far as the role may see */
    uint64_t retained_bytes;     /* of log that it holds back */
};

/* ERROR_CONFIG: it exists, but is not a pgoutput slot of this database. */
must_check bool slot_read(PGconn *c, const char *name, struct slot_state *out, struct error *err);

/* What to say and do when a slot is needed but active: ERROR_RETRY when an earlier session of the
 * same pipeline lingers, else ERROR_CONFIG. Returns false. */
bool slot_in_use(const char *name, const struct slot_state *state, const char *pipeline,
                 struct error *err);

must_check bool slot_drop(PGconn *c, const char *name, struct error *err);

/* Makes the slot on a replication connection and exports the snapshot of its start, which is valid
 * until the next command there. ERROR_RETRY names the session that it waited for in vain. */
struct slot_snapshot {
    uint64_t position;
    const char *name; /* in the arena */
};
must_check bool slot_create(PGconn *replication, PGconn *query, const char *name,
                            struct arena *arena, struct slot_snapshot *out, struct error *err);

/* A name for a temporary copy of the slot; another one each time. */
const char *slot_copy_name(const char *name, struct arena *arena);

/* Copies the slot, which may be active, on a replication connection. The copy stands where the slot
 * stands and is gone with the connection. ERROR_RETRY: the server has no slot to spare right now.
 */
must_check bool slot_copy(PGconn *replication, const char *name, const char *copy,
                          struct error *err);
