/* Compiler attributes and ownership helpers used in every module. */
#pragma once

#define must_check __attribute__((warn_unused_result))
#define printf_like(f) __attribute__((format(printf, (f), (f) + 1), nonnull(f)))
#define owned(fn) __attribute__((__cleanup__(fn)))

/* Moves a pointer out of an owning variable, leaving NULL behind. */
#define take(p)                   \
    ({                            \
        __auto_type taken_ = (p); \
        (p) = NULL;               \
        taken_;                   \
    })
