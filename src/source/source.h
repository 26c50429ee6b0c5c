/* What every source of changes implements. One source is used by one thread, the pipeline's reader.
 *
 * Order of calls: open, start, read_rows for each table when start began anew, then next and
 * acknowledge in any mix, free. After ERROR_RETRY the source is freed and opened again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/event.h"
#include "model/position.h"
#include "model/schema.h"

struct source;

struct source_table {
    struct table_name name;
    struct schema *schema; /* as of open(); later ones come as events */
    bool whole_before;     /* updates and deletes carry the whole old row */
    uint64_t row_estimate; /* for progress; 0: unknown */
};

/* What read_rows reads: all rows of a table today; ranges and keys when loads become incremental.
 */
struct source_range {
    uint32_t table;
};

/* Receives loaded rows; takes the reference. False stops the reading. */
typedef bool source_rows_fn(void *arg, struct batch *batch, struct error *err);

/* One prerequisite as a check found it: a line for people, with what mends it. */
struct source_finding {
    enum { FINDING_OK, FINDING_WARNING, FINDING_ERROR } level;
    enum error_kind kind; /* of an error */
    const char *text;     /* borrowed */
};
typedef void source_finding_fn(void *arg, const struct source_finding *finding);

/* How a source is opened. Everything is borrowed; `config` for as long as the source lives. */
struct source_open {
    const struct source_config *config;
    const char *pipeline;  /* names slot and messages */
    const char *state_dir; /* for what a source spills; NULL: it may not */

    /* NULL: the pipeline's own reader, alone in moving what the source remembers. Otherwise a
     * second reader beside it, which catches up the sink of this name: it is only ever resumed, and
     * leaves nothing at the source when it ends or dies. The first reader keeps there what it
     * needs. */
    const char *aside;
};

struct source_type {
    const char *name; /* `type:` in the configuration */
    const char *summary;

    /* Connects, checks prerequisites, finds the tables. Makes nothing. */
    struct source *(*open)(const struct source_open *open, struct error *err);

    /* resume NULL: begins anew (makes publication and slot, replacing a slot of the same name) and
     * sets `*at` to the position the snapshot shows. Otherwise continues after `resume`.
     * ERROR_LOST: the source no longer has it. */
    bool (*start)(struct source *s, const struct position *resume, struct position *at,
                  struct error *err);

    /* Rows of one table as the snapshot of start() shows them; batches with `loading` set. */
    bool (*read_rows)(struct source *s, const struct source_range *range, source_rows_fn *fn,
                      void *arg, struct error *err);

    /* The next event, or EVENT_NONE after `timeout_ms`. EVENT_IDLE comes only between transactions,
     * after everything before it was handed over: epochs end there. Keeps the connection alive. */
    bool (*next)(struct source *s, int timeout_ms, struct event *out, struct error *err);

    /* The source may forget everything up to `position`: called often, tells the server when due;
     * of a reader aside, only what it holds for that reader. Also keeps the connection alive while
     * nothing is read (back-pressure). */
    bool (*acknowledge)(struct source *s, struct position position, struct error *err);

    /* Connects and reports every prerequisite, good or bad, instead of stopping at the first as
     * open() does. Makes nothing. */
    void (*check)(const struct source_config *config, const char *pipeline, source_finding_fn *fn,
                  void *arg);

    void (*free)(struct source *s);
};

/* First member of each source's own struct. */
struct source {
    const struct source_type *type;
    const struct source_table *tables;
    uint32_t table_count;
    struct position
        remembered;  /* what the source itself knows as acknowledged; NONE: nothing (no slot) */
    bool has_memory; /* it remembers what was acknowledged, or should: that it does not is a loss */
    enum position_kind position_kind; /* of its positions; NONE: it does not say */
    char identity[128];               /* which server and database positions belong to */
};

/* The type of that name, or NULL. source_types ends with NULL. */
const struct source_type *source_type_find(const char *name);
extern const struct source_type *const source_types[];

must_check static inline bool source_start(struct source *s, const struct position *resume,
                                           struct position *at, struct error *err)
{
    return s->type->start(s, resume, at, err);
}
must_check static inline bool source_read_rows(struct source *s, const struct source_range *range,
                                               source_rows_fn *fn, void *arg, struct error *err)
{
    return s->type->read_rows(s, range, fn, arg, err);
}
must_check static inline bool source_next(struct source *s, int timeout_ms, struct event *out,
                                          struct error *err)
{
    return s->type->next(s, timeout_ms, out, err);
}
must_check static inline bool source_acknowledge(struct source *s, struct position position,
                                                 struct error *err)
{
    return s->type->acknowledge(s, position, err);
}
static inline void source_free(struct source **s)
{
    if (*s) {
        (*s)->type->free(take(*s));
    }
}
