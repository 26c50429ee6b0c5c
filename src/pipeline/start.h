/* Where a pipeline begins: decided from what its tables and its source remember, before anything is
 * skipped or acknowledged (rules 1, 3, 7). Pure, so that every case is a unit test. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "lake/lake.h"
#include "model/position.h"

/* What one table of one sink says. */
struct start_table {
    const char *name; /* schema.table */
    const char *sink; /* for messages: "delta" */
    uint32_t sink_index;
    const struct lake_snapshot *snapshot;
    bool known; /* the state directory remembers the table */
};

struct start_facts {
    const char *pipeline;
    const char *source_identity;
    struct position remembered;       /* the source's own; NONE: it has no slot for us */
    bool has_memory;                  /* of the source, see source.h */
    enum position_kind position_kind; /* the same */

    /* Where this process knows sinks without tables to be, NONE: nowhere yet; and whether every
     * sink was durable once. */
    struct position unrecorded;
    bool has_streamed;
    const struct start_table *tables; /* of sinks that keep a position; none for stdout alone */
    uint32_t table_count;
    bool reload; /* the operator asked for it */
};

/* Adds to an ERROR_LOST that does not have it how the pipeline is made whole again. Whoever finds
 * something lost knows what; not all know which pipeline has to be loaded. */
void start_name_way_back(const char *pipeline, struct error *err);

struct start_decision {
    bool load;              /* begin anew: every table is loaded */
    struct position resume; /* otherwise: go on after this */
};

/* ERROR_LOST names the table, what is missing and `leat reload`. ERROR_CONFIG: a table is not ours.
 */
must_check bool start_decide(const struct start_facts *facts, struct start_decision *out,
                             struct error *err);
