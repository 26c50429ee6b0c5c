#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/demo.h"

enum { SHOW_TERMINAL_MS = 200, SHOW_LINES_MS = 1000 };

uint64_t demo_memory_kb(const char *field)
{
    FILE *status = fopen("/proc/self/status", "re");
    uint64_t found = 0;
    char line[256];
    size_t size = strlen(field);
    while (status && fgets(line, sizeof(line), status)) {
        if (strncmp(line, field, size) == 0 && line[size] == ':') {
            found = strtoull(line + size + 1, NULL, 10);
        }
    }
    if (status) {
        (void)fclose(status);
    }
    return found;
}

void demo_progress_show(struct demo_progress *p, struct pipeline *pipeline, int64_t seconds_left,
                        uint64_t changes_made)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t interval_ms = p->is_terminal ? SHOW_TERMINAL_MS : SHOW_LINES_MS;
    if (p->shown_ms == 0) { /* begins now: there is nothing to show a rate of */
        p->shown_ms = now_ms;
        p->rows_shown = pipeline_status(pipeline).rows_received;
    }
    if (now_ms - p->shown_ms < interval_ms) {
        return;
    }
    uint64_t anon_kb = demo_memory_kb("RssAnon");
    p->rss_anon_peak_kb = anon_kb > p->rss_anon_peak_kb ? anon_kb : p->rss_anon_peak_kb;

    struct pipeline_status status = pipeline_status(pipeline);
    uint64_t rows = status.rows_received - p->rows_shown;
    (void)fprintf(stderr, "%s  %-9s", p->is_terminal ? "\r" : "",
                  pipeline_state_name(status.state));
    (void)fprintf(stderr, " %9" PRIu64 " rows  %7.0f rows/s", status.rows_received,
                  (double)rows * 1000.0 / (double)(now_ms - p->shown_ms));
    if (status.lag_ms >= 0) {
        (void)fprintf(stderr, "  lag %5.2f s", (double)status.lag_ms / 1000.0);
    }
    (void)fprintf(stderr, "  memory %3" PRIu64 " MB  %7" PRIu64 " changes made", anon_kb / 1024,
                  changes_made);
    if (seconds_left > 0) {
        (void)fprintf(stderr, ", %" PRId64 " s to go", seconds_left);
    }
    (void)fprintf(stderr, "%s", p->is_terminal ? "\033[K" : "\n");
    p->shown_ms = now_ms;
    p->rows_shown = status.rows_received;
}

void demo_progress_end(struct demo_progress *p)
{
    if (p->is_terminal && p->shown_ms != 0) {
        (void)fprintf(stderr, "\r\033[K");
    }
    p->shown_ms = 0;
}
