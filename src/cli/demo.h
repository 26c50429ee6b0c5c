/* What the parts of `leat demo` share: the run itself (demo.c), what it shows while it goes
 * (demo_progress.c), the proof (demo_compare.c), and its result (demo_report.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "cli/database.h"
#include "cli/row_checksum.h"
#include "cli/sample_tables.h"
#include "lake/changes.h"
#include "pipeline/pipeline.h"

enum { DEMO_TABLES = 2, DEMO_FORMATS = 2, DEMO_COPIES = DEMO_TABLES * DEMO_FORMATS };

/* Shown on stderr: on a terminal one line that changes, elsewhere a line a second. */
struct demo_progress {
    bool is_terminal;
    int64_t shown_ms; /* monotonic, when the last line was shown */
    uint64_t rows_shown;
    uint64_t rss_anon_peak_kb;
};

/* Shows how far the pipeline is, when it is time to; `changes_made` at the source so far. */
void demo_progress_show(struct demo_progress *p, struct pipeline *pipeline, int64_t seconds_left,
                        uint64_t changes_made);

/* Ends the line that changes. */
void demo_progress_end(struct demo_progress *p);

/* A field of /proc/self/status in kB ("VmHWM", "RssAnon"); 0 where there is none. */
uint64_t demo_memory_kb(const char *field);

/* A table of the source in one table format. */
struct demo_copy {
    const char *name;     /* schema.table */
    const char *format;   /* "delta", "iceberg" */
    const char *location; /* of the copy */
    struct row_checksum source;
    struct row_checksum lake;
    int64_t version_count;
    struct lake_changes_stats feed;
};

/* Fills in all copies that were made of `tables` below directory/lake, by table and format: what
 * the source holds now and what they hold. Names lie in the arena. */
must_check bool demo_compare(struct database *db, const char *schema,
                             const struct sample_table *const tables[DEMO_TABLES],
                             const char *directory, struct arena *a,
                             struct demo_copy copies[DEMO_COPIES], struct error *err);

/* Prints the result to `out`: a table, memory, how to look at the tables, and as the last line
 * "result: equal" or "result: different", which is returned as true or false. */
bool demo_report_print(const struct demo_copy copies[DEMO_COPIES], const char *directory,
                       uint64_t rss_anon_peak_kb, FILE *out);
