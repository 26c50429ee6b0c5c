/* Structured log on stderr: text on a terminal, one JSON object per line elsewhere.
 *
 * The event is a stable phrase of two or three words; everything that varies is a field.
 * Safe from any thread. Only the pipeline and main() log errors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_STRING, LOG_INT, LOG_UINT, LOG_DOUBLE } type;
    union {
        const char *string;
        int64_t integer;
        uint64_t uint;
        double number;
    };
};

#define log_str(k, v) ((struct log_field){.key = (k), .type = LOG_STRING, .string = (v)})
#define log_i64(k, v) ((struct log_field){.key = (k), .type = LOG_INT, .integer = (v)})
#define log_u64(k, v) ((struct log_field){.key = (k), .type = LOG_UINT, .uint = (v)})
#define log_f64(k, v) ((struct log_field){.key = (k), .type = LOG_DOUBLE, .number = (v)})

/* Level and form of everything after; call once at start, before threads exist. */
void log_configure(enum log_level level, bool json);

void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* log_info("delta commit", log_str("table", name), log_u64("version", 12)); */
#define log_at(level, event, ...) \
    log_write((level), (event), (struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = 0}})
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
