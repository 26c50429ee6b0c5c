#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static bool fill(struct error *err, enum error_kind kind,
                                                       const char *format, va_list args)
{
    assert(kind != ERROR_NONE);

    if (err->kind != ERROR_NONE) {
        return false; /* the first failure is the one worth reporting */
    }
    err->kind = kind;
    (void)vsnprintf(err->message, sizeof(err->message), format, args);
    return true;
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fill(err, kind, format, args);
    va_end(args);
    return false;
}

bool error_errno(struct error *err, enum error_kind kind, const char *format, ...)
{
    const char *reason = strerrordesc_np(errno);

    va_list args;
    va_start(args, format);
    if (fill(err, kind, format, args)) {
        size_t used = strlen(err->message);
        (void)snprintf(err->message + used, sizeof(err->message) - used, ": %s",
                       reason ? reason : "unknown error");
    }
    va_end(args);
    return false;
}

bool error_wrap(struct error *err, const char *format, ...)
{
    assert(err->kind != ERROR_NONE);

    char context[sizeof(err->message) / 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(context, sizeof(context) - 2, format, args);
    va_end(args);

    size_t shift = strlen(context);
    context[shift] = ':';
    context[shift + 1] = ' ';
    shift += 2;
    memmove(err->message + shift, err->message, sizeof(err->message) - shift - 1);
    memcpy(err->message, context, shift);
    err->message[sizeof(err->message) - 1] = '\0';
    return false;
}

bool error_recast(struct error *err, enum error_kind kind)
{
    assert(err->kind != ERROR_NONE && kind != ERROR_NONE);
    err->kind = kind;
    return false;
}

const char *error_kind_name(enum error_kind kind)
{
    static const char *const names[] = {
        [ERROR_NONE] = "none",       [ERROR_RETRY] = "retry", [ERROR_CONFLICT] = "conflict",
        [ERROR_UNKNOWN] = "unknown", [ERROR_LOST] = "lost",   [ERROR_DATA] = "data",
        [ERROR_CONFIG] = "config",   [ERROR_FATAL] = "fatal", [ERROR_CANCELLED] = "cancelled",
    };
    assert((size_t)kind < sizeof(names) / sizeof(names[0]));
    return names[kind];
}
