/* DuckDB's failures as ours. */
#include <string.h>

#include "engine/duckdb_internal.h"

static enum error_kind kind_of(duckdb_error_type type, const char *message)
{
    if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL) {
        return ERROR_FATAL; /* the instance is invalidated: every later statement fails too */
    }
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY || type == DUCKDB_ERROR_IO ||
        strstr(message, "No space left on device")) {
        return ERROR_RETRY;
    }
    return type == DUCKDB_ERROR_INTERRUPT ? ERROR_CANCELLED : ERROR_DATA;
}

bool duckdb_failed(duckdb_error_type type, const char *message, struct error *err)
{
    if (!message) {
        message = "no message";
    }
    /* The quoted statement with its caret, and stack traces, are noise in one line. */
    size_t size = strlen(message);
    static const char *const ends[] = {"\n\nLINE ", "\nLINE ", "\n\nStack Trace", "\nStack Trace"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const char *end = strstr(message, ends[i]);
        if (end && (size_t)(end - message) < size) {
            size = (size_t)(end - message);
        }
    }
    char line[sizeof(err->message)];
    if (size > sizeof(line) - 1) {
        size = utf8_prefix(message, sizeof(line) - 5, sizeof(line));
    }
    for (size_t i = 0; i < size; i++) {
        line[i] = (char)(message[i] == '\n' ? ' ' : message[i]);
    }
    line[size] = '\0';
    return error_set(err, kind_of(type, message), "%s", line);
}

bool duckdb_result_failed(duckdb_result *result, struct error *err)
{
    return duckdb_failed(duckdb_result_error_type(result), duckdb_result_error(result), err);
}
