/* One error object, passed last, filled by the callee that fails. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/* What the caller should do next; never where the error came from. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_RETRY,    /* transient: back off, then repeat the same call */
    ERROR_CONFLICT, /* another writer won: reload the table, plan again, retry */
    ERROR_UNKNOWN,  /* outcome not known: keep every file, re-open the table, it tells */
    ERROR_LOST,   /* source or table no longer has what is needed; the message names the way back */
    ERROR_DATA,   /* this value or record cannot be represented: suspend or dead-letter */
    ERROR_CONFIG, /* the operator must change something: stop, exit 2 */
    ERROR_FATAL,  /* cannot continue safely: stop, exit 1 */
    ERROR_CANCELLED, /* shutdown was requested */
};

struct error {
    enum error_kind kind;
    char message[1024]; /* always NUL-terminated; outermost context first */
};

/* Fills `err` (first failure wins) and returns false, so callers can write
 * `return error_set(err, ...);`. `err` must not be NULL. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...) printf_like(3);

/* As error_set(), and appends ": " and the text of `errno`, which it reads first. */
bool error_errno(struct error *err, enum error_kind kind, const char *format, ...) printf_like(3);

/* Prepends "context: " to the message; the kind is unchanged. Returns false. */
bool error_wrap(struct error *err, const char *format, ...) printf_like(2);

/* Changes the kind of a failure whose meaning only the caller knows. Returns false. */
bool error_recast(struct error *err, enum error_kind kind);

/* The kind as a word for logs and metrics: "retry", "lost" ... */
const char *error_kind_name(enum error_kind kind);
