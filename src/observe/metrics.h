/* Numbers about the running program, in Prometheus text. One registry for the process; any thread.
 *
 * A metric is one row in the table in metrics.c, with its labels and its help, from which the
 * reference page comes too. Updates take a lock and a hash look-up: call them per batch or commit,
 * not per row. */
#pragma once

#include <stdio.h>

#include "base/str.h"

enum metric {
    METRIC_START_TIME,
    METRIC_RESIDENT,
    METRIC_ROWS_RECEIVED,
    METRIC_EVENTS,
    METRIC_ROWS_WRITTEN,
    METRIC_COMMITS,
    METRIC_COMMIT_DURATION,
    METRIC_UNEXPECTED,
    METRIC_MAINTENANCE_FAILURES,
    METRIC_RETRIES,
    METRIC_LAG,
    METRIC_LAKE_VERSIONS,
    METRIC_LAKE_FILES,
    METRIC_LAKE_FILE_BYTES,
    METRIC_POSITION,
    METRIC_QUEUE_BYTES,
    METRIC_SINK_DETACHED,
    METRIC_SINK_FAILED,
    METRIC_SINK_LAG,
    METRIC_SINK_POSITION,
    METRIC_TABLE_KEYS,
    METRIC_READY,
    METRIC_COUNT,
};

/* Copied. A metric takes exactly the labels of its row; the others are NULL. */
struct metric_labels {
    const char *pipeline;
    const char *sink;  /* type and place in the list: "delta-0" */
    const char *table; /* schema.table */
    const char *kind;
};

/* Adds to a counter; `delta` is not negative. */
void metric_add(enum metric metric, const struct metric_labels *labels, double delta);

/* Sets a gauge. */
void metric_set(enum metric metric, const struct metric_labels *labels, double value);

/* The value now; 0 when it was never touched. */
double metric_get(enum metric metric, const struct metric_labels *labels);

/* Appends everything in Prometheus' text exposition format 0.0.4. */
void metrics_write(struct buf *out);

/* The reference page, Markdown, from the table. */
void metrics_docs(FILE *out);
