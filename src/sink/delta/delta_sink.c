/* Delta tables, one for each table of the source. */
#include "delta/delta.h"
#include "sink/table_sink.h"
#include "sink/types.h"

static bool locate(void *arg, const struct sink_open *open, const struct table_name *name,
                   struct arena *a, struct lake_options *out, const char **place, struct error *err)
{
    (void)arg;
    *place = table_sink_expand(open->config->location, name, open->pipeline, a, err);
    out->location = *place;
    return *place != NULL;
}

static struct sink *delta_sink_open(const struct sink_open *open, struct error *err)
{
    static const struct table_sink_format format = {.lake = &delta_lake, .locate = locate};
    return table_sink_open(&delta_sink, &format, open, err);
}

const struct sink_type delta_sink = {
    .name = "delta",
    .summary = "Delta Lake tables with a change feed",
    .keeps_position = true,
    .open = delta_sink_open,
    .last = table_sink_last,
    .resume = table_sink_resume,
    .begin_load = table_sink_begin_load,
    .write = table_sink_write,
    .commit = table_sink_commit,
    .free = table_sink_free,
};
