/* What the sinks of table formats share: one table for each table of the source, kept by table/
 * over the format's lake_type. A format's own sink says where its tables lie. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "lake/lake.h"
#include "sink/sink.h"

struct table_sink_format {
    const struct lake_type *lake;

    /* Where a table lies, into the members of `out` that say so, everything in the arena. `*place`
     * is the same for messages and the progress file, and differs from table to table. */
    bool (*locate)(void *arg, const struct sink_open *open, const struct table_name *name,
                   struct arena *a, struct lake_options *out, const char **place,
                   struct error *err);
    void *arg;               /* moved: freed by the sink */
    void (*free)(void *arg); /* NULL: there is nothing to free */
};

/* sink_type.open of a format's sink. */
struct sink *table_sink_open(const struct sink_type *type, const struct table_sink_format *format,
                             const struct sink_open *open, struct error *err);

/* The other members of its sink_type. */
bool table_sink_last(struct sink *sink, uint32_t table, struct lake_snapshot *out, bool *known,
                     struct error *err);
bool table_sink_resume(struct sink *sink, bool *proof_missing, struct error *err);
bool table_sink_begin_load(struct sink *sink, const char *load_id, struct error *err);
bool table_sink_write(struct sink *sink, const struct event *event, struct error *err);
bool table_sink_commit(struct sink *sink, const struct barrier *barrier, bool heartbeat,
                       enum sink_result *results, struct error *err);
void table_sink_free(struct sink *sink);

/* Puts names into a template with {schema}, {table} and {pipeline}; NULL (ERROR_CONFIG) when a name
 * cannot be a step of a path. In the arena. */
char *table_sink_expand(const char *template, const struct table_name *name, const char *pipeline,
                        struct arena *a, struct error *err);
