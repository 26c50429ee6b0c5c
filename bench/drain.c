/* Reads a source's change stream and throws it away: what decoding alone costs.
 *
 *     drain CONFIG PIPELINE FROM [UNTIL]
 *
 * FROM and UNTIL are positions as the program prints them; without UNTIL it stops when the source
 * has had nothing new for a second. The tables are not written. Prints rows and seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "source/source.h"

enum { TIMEOUT_MS = 1000 };

static bool drain(struct source *s, const struct position *until, uint64_t *rows, struct error *err)
{
    for (;;) {
        struct event event = {0};
        if (!source_next(s, TIMEOUT_MS, &event, err)) {
            return false;
        }
        bool is_end =
            event.kind == EVENT_NONE || (event.kind == EVENT_IDLE && until->kind != POSITION_NONE &&
                                         position_covers(event.position, *until));
        *rows += event.kind == EVENT_BATCH ? event.batch->row_count : 0;
        event_release(&event);
        if (is_end) {
            return true;
        }
    }
}

static bool run(const struct pipeline_config *p, const struct position *from,
                const struct position *until, struct error *err)
{
    const struct source_type *type = source_type_find(p->source.type);
    struct source_open open = {.config = &p->source, .pipeline = p->name, .aside = "drain"};
    owned(source_free) struct source *s = type ? type->open(&open, err) : NULL;
    struct position at = {0};
    uint64_t rows = 0;
    if (!s || !source_start(s, from, &at, err)) {
        return false;
    }
    int64_t started_us = clock_monotonic_us();
    if (!drain(s, until, &rows, err)) {
        return false;
    }
    (void)printf("{\"rows\": %llu, \"seconds\": %.3f}\n", (unsigned long long)rows,
                 (double)(clock_monotonic_us() - started_us) / 1e6);
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        (void)fprintf(stderr, "usage: drain CONFIG PIPELINE FROM [UNTIL]\n");
        return 2;
    }
    struct error err = {0};
    struct position from = {0};
    struct position until = {0};
    owned(config_free) struct config *c = config_load(argv[1], &err);
    const struct pipeline_config *p = c ? config_pipeline(c, argv[2]) : NULL;
    if (c && !p) {
        (void)error_set(&err, ERROR_CONFIG, "there is no pipeline \"%s\"", argv[2]);
    }
    bool done = p && position_parse(str_from(argv[3]), &from, &err) &&
                (argc < 5 || position_parse(str_from(argv[4]), &until, &err)) &&
                run(p, &from, &until, &err);
    if (!done) {
        (void)fprintf(stderr, "drain: %s\n", err.message);
    }
    return done ? 0 : 1;
}
