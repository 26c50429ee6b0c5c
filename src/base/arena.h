/* Bump allocator: allocate freely, release at once.
 *
 * Memory is not zeroed unless the name says so. Out of memory aborts: the program is safe to
 * crash, and every size from outside is checked before it gets here. Not thread-safe. */
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct arena_chunk;
struct arena_defer;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    struct arena_defer *defers; /* newest first */
    size_t bytes;               /* handed out by malloc for this arena, for memory accounting */
};

/* A zeroed struct arena is a valid empty one. Alignment is 16. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);

/* Count and element size are multiplied with an overflow check. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* Copies bytes; the string form adds a NUL. */
void *arena_copy(struct arena *a, const void *data, size_t size);
char *arena_string(struct arena *a, const char *data, size_t size);
char *arena_format(struct arena *a, const char *format, ...) printf_like(2);

/* Calls fn(arg) when the arena is released, newest first, before its memory goes. */
void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg);

/* Frees everything and leaves a valid empty arena. */
void arena_release(struct arena *a);
