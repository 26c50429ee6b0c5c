#include "observe/metrics.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "observe/process.h"

enum { LABEL_PIPELINE = 1, LABEL_SINK = 2, LABEL_TABLE = 4, LABEL_KIND = 8 };

struct metric_row {
    const char *name;
    enum { COUNTER, GAUGE } type;
    unsigned labels;
    const char *help;
};

static const struct metric_row rows[] = {
    [METRIC_START_TIME] = {"leat_start_time_seconds", GAUGE, 0,
                           "When the process started, in seconds since 1970 UTC."},
    [METRIC_RESIDENT] = {"leat_resident_bytes", GAUGE, 0,
                         "Memory of the process that is in RAM, mapped files included."},
    [METRIC_ROWS_RECEIVED] = {"leat_rows_received_total", COUNTER, LABEL_PIPELINE,
                              "Rows that came from the source, loaded and streamed."},
    [METRIC_EVENTS] = {"leat_events_total", COUNTER, LABEL_PIPELINE | LABEL_TABLE | LABEL_KIND,
                       "Events of the source by kind: read, insert, update, delete, truncate, "
                       "schema."},
    [METRIC_ROWS_WRITTEN] = {"leat_rows_written_total", COUNTER,
                             LABEL_PIPELINE | LABEL_SINK | LABEL_TABLE | LABEL_KIND,
                             "Net changes that were committed, by kind: insert, update, delete."},
    [METRIC_COMMITS] = {"leat_commits_total", COUNTER, LABEL_PIPELINE | LABEL_SINK | LABEL_TABLE,
                        "Commits to a table."},
    [METRIC_COMMIT_DURATION] = {"leat_commit_duration_seconds_total", COUNTER,
                                LABEL_PIPELINE | LABEL_SINK,
                                "Time spent in commits; divided by commits it is their mean."},
    [METRIC_UNEXPECTED] = {"leat_unexpected_total", COUNTER,
                           LABEL_PIPELINE | LABEL_SINK | LABEL_TABLE | LABEL_KIND,
                           "Changes that do not fit what the table holds, by kind: insert of a "
                           "present key, update or delete of an absent one. Not 0: the table "
                           "was not a copy of the source."},
    [METRIC_MAINTENANCE_FAILURES] = {"leat_maintenance_failures_total", COUNTER,
                                     LABEL_PIPELINE | LABEL_SINK | LABEL_TABLE,
                                     "Checkpoints that could not be written; they are tried again "
                                     "after the next commit."},
    [METRIC_RETRIES] = {"leat_retries_total", COUNTER, LABEL_PIPELINE,
                        "Steps that failed for a passing reason and were repeated."},
    [METRIC_LAG] = {"leat_lag_seconds", GAUGE, LABEL_PIPELINE,
                    "Age of the oldest source commit that is not durable in every sink; 0: none."},
    [METRIC_LAKE_VERSIONS] = {"leat_source_versions_total", COUNTER, LABEL_PIPELINE,
                              "Versions or snapshots of a lake table that were read for changes."},
    [METRIC_LAKE_FILES] = {"leat_source_files_total", COUNTER, LABEL_PIPELINE,
                           "Files of a lake table that were opened for changes."},
    [METRIC_LAKE_FILE_BYTES] = {"leat_source_file_bytes_total", COUNTER, LABEL_PIPELINE,
                                "Size of the files that were opened for changes."},
    [METRIC_POSITION] = {"leat_position", GAUGE, LABEL_PIPELINE | LABEL_KIND,
                         "Position in the source's log, or how many transactions a set of GTIDs "
                         "has, by kind: received, durable, acknowledged."},
    [METRIC_QUEUE_BYTES] = {"leat_queue_bytes", GAUGE, LABEL_PIPELINE | LABEL_SINK,
                            "Memory of the changes that wait for a sink."},
    [METRIC_SINK_DETACHED] = {"leat_sink_detached", GAUGE, LABEL_PIPELINE | LABEL_SINK,
                              "1 while a sink is caught up by a reader of its own, and the source "
                              "keeps its log for it; else 0."},
    [METRIC_SINK_FAILED] = {"leat_sink_failed", GAUGE, LABEL_PIPELINE | LABEL_SINK,
                            "1 once a sink was stopped for a failure that does not pass, while "
                            "others go on; the source keeps its log for it. Else 0."},
    [METRIC_SINK_LAG] = {"leat_sink_lag_seconds", GAUGE, LABEL_PIPELINE | LABEL_SINK,
                         "Age of the oldest source commit that is not durable in a sink; 0: none."},
    [METRIC_SINK_POSITION] = {"leat_sink_position", GAUGE, LABEL_PIPELINE | LABEL_SINK,
                              "Position in the source's log up to which a sink is durable, as "
                              "leat_position."},
    [METRIC_TABLE_KEYS] = {"leat_table_keys", GAUGE, LABEL_PIPELINE | LABEL_SINK | LABEL_TABLE,
                           "Rows in a table, as its key index counts them."},
    [METRIC_READY] = {"leat_ready", GAUGE, LABEL_PIPELINE,
                      "1 while the pipeline streams and its lag is known, else 0."},
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == METRIC_COUNT, "each metric has a row");

static const char *const label_names[] = {"pipeline", "sink", "table", "kind"};
enum { LABEL_COUNT = sizeof(label_names) / sizeof(label_names[0]) };

/* One metric with one set of labels. */
struct series {
    char *labels; /* owned; {a="x",b="y"} as it is printed, or "" */
    double value;
};

struct series_list {
    struct series **items; /* owned here; the map borrows them */
    size_t count;
    size_t capacity;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map series_by_key;                /* metric, then the printed labels */
static struct series_list series[METRIC_COUNT]; /* in order of appearance */

static void append_escaped(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\n') {
            buf_append_text(out, "\\n");
            continue;
        }
        if (*p == '\\' || *p == '"') {
            buf_append_char(out, '\\');
        }
        buf_append_char(out, *p);
    }
}

static void append_labels(struct buf *out, unsigned wanted, const struct metric_labels *labels)
{
    const char *const values[LABEL_COUNT] = {labels->pipeline, labels->sink, labels->table,
                                             labels->kind};
    char before = '{';
    for (size_t i = 0; i < LABEL_COUNT; i++) {
        assert((values[i] != NULL) == ((wanted >> i & 1) != 0));
        if (values[i]) {
            buf_append_format(out, "%c%s=\"", before, label_names[i]);
            append_escaped(out, values[i]);
            buf_append_char(out, '"');
            before = ',';
        }
    }
    if (before == ',') {
        buf_append_char(out, '}');
    }
}

/* The series, made with value 0 when `make` and it is new; the lock is held. */
static struct series *find_series(enum metric metric, const struct metric_labels *labels, bool make)
{
    struct buf key = {0};
    buf_append_char(&key, (char)metric);
    append_labels(&key, rows[metric].labels, labels);
    struct series *s = map_get(&series_by_key, buf_str(&key));
    if (!s && make) {
        struct series_list *list = &series[metric];
        s = calloc(1, sizeof(*s));
        char *printed = strdup(key.data + 1);
        if (list->count == list->capacity) {
            list->capacity = list->capacity ? list->capacity * 2 : 4;
            list->items = realloc(list->items, list->capacity * sizeof(struct series *));
        }
        if (!s || !printed || !list->items) {
            abort();
        }
        s->labels = printed;
        list->items[list->count++] = s;
        (void)map_put(&series_by_key, buf_str(&key), s);
    }
    buf_release(&key);
    return s;
}

void metric_add(enum metric metric, const struct metric_labels *labels, double delta)
{
    assert(rows[metric].type == COUNTER && delta >= 0);
    (void)pthread_mutex_lock(&lock);
    find_series(metric, labels, true)->value += delta;
    (void)pthread_mutex_unlock(&lock);
}

void metric_set(enum metric metric, const struct metric_labels *labels, double value)
{
    assert(rows[metric].type == GAUGE);
    (void)pthread_mutex_lock(&lock);
    find_series(metric, labels, true)->value = value;
    (void)pthread_mutex_unlock(&lock);
}

double metric_get(enum metric metric, const struct metric_labels *labels)
{
    (void)pthread_mutex_lock(&lock);
    const struct series *s = find_series(metric, labels, false);
    double value = s ? s->value : 0;
    (void)pthread_mutex_unlock(&lock);
    return value;
}

/* Whole numbers as such; others with what it takes to read the same double back. */
static void append_number(struct buf *out, double value)
{
    if (isnan(value)) {
        buf_append_text(out, "NaN");
    } else if (isinf(value)) {
        buf_append_text(out, value > 0 ? "+Inf" : "-Inf");
    } else if (value == trunc(value) && fabs(value) < 1e18) {
        buf_append_format(out, "%.0f", value);
    } else {
        buf_append_format(out, "%.17g", value);
    }
}

void metrics_write(struct buf *out)
{
    const struct metric_labels none = {0};
    if (metric_get(METRIC_START_TIME, &none) == 0) { /* once: it must not waver */
        metric_set(METRIC_START_TIME, &none, (double)process_start_time_us() / 1e6);
    }
    metric_set(METRIC_RESIDENT, &none, (double)process_resident_bytes());

    (void)pthread_mutex_lock(&lock);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (series[m].count == 0) {
            continue;
        }
        buf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", rows[m].name, rows[m].help,
                          rows[m].name, rows[m].type == COUNTER ? "counter" : "gauge");
        for (size_t i = 0; i < series[m].count; i++) {
            buf_append_format(out, "%s%s ", rows[m].name, series[m].items[i]->labels);
            append_number(out, series[m].items[i]->value);
            buf_append_char(out, '\n');
        }
    }
    (void)pthread_mutex_unlock(&lock);
}

void metrics_docs(FILE *out)
{
    (void)fputs(
        "# Metrics\n"
        "\n"
        "<!-- Made by `leat config docs metrics` from the table in src/observe/metrics.c. -->\n"
        "\n"
        "`leat run` answers `/metrics` at the address `observe.metrics` (`:8000`) in\n"
        "Prometheus' text format. Counters start at 0 with the process.\n"
        "\n"
        "| metric | type | labels | meaning |\n"
        "|---|---|---|---|\n",
        out);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        (void)fprintf(out, "| `%s` | %s | ", rows[m].name,
                      rows[m].type == COUNTER ? "counter" : "gauge");
        const char *before = "";
        for (size_t i = 0; i < LABEL_COUNT; i++) {
            if (rows[m].labels >> i & 1) {
                (void)fprintf(out, "%s`%s`", before, label_names[i]);
                before = ", ";
            }
        }
        (void)fprintf(out, " | %s |\n", rows[m].help);
    }
}
