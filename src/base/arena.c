#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE_MIN = 4096, CHUNK_SIZE_MAX = 1 << 20, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    size_t padding; /* keeps data aligned to 16 */
    uint8_t data[];
};

struct arena_defer {
    struct arena_defer *next;
    void (*fn)(void *arg);
    void *arg;
};

static struct arena_chunk *chunk_new(struct arena *a, size_t size_min)
{
    /* Doubling keeps small arenas small and large ones at few mallocs. */
    size_t size = a->bytes < CHUNK_SIZE_MIN ? CHUNK_SIZE_MIN : a->bytes;
    if (size > CHUNK_SIZE_MAX) {
        size = CHUNK_SIZE_MAX;
    }
    if (size < size_min) {
        size = size_min;
    }
    struct arena_chunk *c = malloc(sizeof(*c) + size);
    if (!c) {
        (void)fprintf(stderr, "leat: out of memory allocating %zu bytes\n", size);
        abort();
    }
    *c = (struct arena_chunk){.size = size};
    a->bytes += size;
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        abort();
    }
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *c = a->chunks;
    if (!c || c->size - c->used < rounded) {
        struct arena_chunk *fresh = chunk_new(a, rounded);
        if (c && c->size - c->used > fresh->size - rounded) {
            fresh->next = c->next; /* the old chunk has more room left: keep it in front */
            c->next = fresh;
        } else {
            fresh->next = c;
            a->chunks = fresh;
        }
        c = fresh;
    }
    void *p = c->data + c->used;
    c->used += rounded;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        abort();
    }
    return arena_alloc(a, bytes);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
    void *p = arena_alloc(a, size);
    if (size > 0) {
        memcpy(p, data, size);
    }
    return p;
}

char *arena_string(struct arena *a, const char *data, size_t size)
{
    char *p = arena_alloc(a, size + 1);
    if (size > 0) {
        memcpy(p, data, size);
    }
    p[size] = '\0';
    return p;
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        abort();
    }
    char *p = arena_alloc(a, (size_t)size + 1);
    (void)vsnprintf(p, (size_t)size + 1, format, again);
    va_end(again);
    return p;
}

void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg)
{
    struct arena_defer *d = arena_alloc(a, sizeof(*d));
    *d = (struct arena_defer){.next = a->defers, .fn = fn, .arg = arg};
    a->defers = d;
}

void arena_release(struct arena *a)
{
    for (struct arena_defer *d = a->defers; d; d = d->next) {
        d->fn(d->arg);
    }
    for (struct arena_chunk *c = a->chunks; c;) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    *a = (struct arena){0};
}
