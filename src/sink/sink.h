/* What every destination implements. One sink is used by one thread, its writer.
 *
 * Order of calls: open, last for each table, then begin_load or resume, then write and commit,
 * free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "lake/lake.h"
#include "model/event.h"
#include "model/schema.h"

struct sink;

/* One table of the pipeline, after transforms. */
struct sink_table {
    struct table_name name;
    struct schema *schema; /* as the first batch will have it */
    bool filtered;         /* a transform may drop rows */
};

struct sink_open {
    const struct sink_config *config;
    const char *pipeline;
    uint32_t index; /* of the sink in the pipeline */
    const char *state_dir;
    uint64_t memory_bytes; /* its share: engine, index, pending rows */
    const char *source_identity;
    const struct sink_table *tables;
    uint32_t table_count;
};

/* What a commit did to one table. */
enum sink_result {
    SINK_DONE,      /* durable, or nothing to do */
    SINK_CONFLICT,  /* another writer won more often than we retry: repeat the commit */
    SINK_UNKNOWN,   /* it may be in: repeat the commit, which reads back first */
    SINK_SUSPENDED, /* the table cannot go on without the operator */
};

struct sink_type {
    const char *name; /* `type:` in the configuration */
    const char *summary;
    bool keeps_position; /* false: nothing durable to resume from (stdout) */

    struct sink *(*open)(const struct sink_open *open, struct error *err);

    /* Where the table stands: a copy whose pointers live as long as the sink. has_record false: it
     * does not exist, or holds no record of this pipeline. `*known`: the state directory remembers
     * the table. */
    bool (*last)(struct sink *s, uint32_t table, struct lake_snapshot *out, bool *known,
                 struct error *err);

    /* Checks that each table is the one we left (rule 3) and goes on from its record.
     * `*proof_missing`: the progress file was lost, so that a roll-back cannot be excluded. */
    bool (*resume)(struct sink *s, bool *proof_missing, struct error *err);

    /* Marks every table as loading, making those that are missing, durably, before the source
     * begins anew. Whatever the tables held is compared with what is loaded. */
    bool (*begin_load)(struct sink *s, const char *load_id, struct error *err);

    /* Stages a batch, truncate or schema event (borrowed). Not yet durable. */
    bool (*write)(struct sink *s, const struct event *event, struct error *err);

    /* Makes everything written so far durable with the barrier's position, table by table;
     * `results` has one entry per table. False: `err` is of the first table that is not done.
     * Repeating the commit of the same barrier is a no-op for the tables that are done. `heartbeat`
     * asks for one empty commit. */
    bool (*commit)(struct sink *s, const struct barrier *barrier, bool heartbeat,
                   enum sink_result *results, struct error *err);

    /* Drops what was not committed. */
    void (*free)(struct sink *s);
};

/* First member of each sink's own struct. */
struct sink {
    const struct sink_type *type;
};

const struct sink_type *sink_type_find(const char *name);
extern const struct sink_type *const sink_types[]; /* ends with NULL */

must_check static inline bool sink_write(struct sink *s, const struct event *event,
                                         struct error *err)
{
    return s->type->write(s, event, err);
}
must_check static inline bool sink_commit(struct sink *s, const struct barrier *barrier,
                                          bool heartbeat, enum sink_result *results,
                                          struct error *err)
{
    return s->type->commit(s, barrier, heartbeat, results, err);
}
static inline void sink_free(struct sink **s)
{
    if (*s) {
        (*s)->type->free(take(*s));
    }
}
