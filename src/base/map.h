/* The one hash map: byte-string keys to pointers. Keys are copied. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t capacity; /* power of two, or 0 */
    size_t count;
};

/* A zeroed struct map is a valid empty one. */

/* The value of `key`, or NULL. */
void *map_get(const struct map *m, struct str key);

/* Sets the value (not NULL) of `key`; returns the value it replaces, or NULL. */
void *map_put(struct map *m, struct str key, void *value);

/* Removes `key`; returns its value, or NULL. */
void *map_remove(struct map *m, struct str key);

/* Walks in no order: `for (size_t i = 0; map_next(m, &i, &key, &value);)`. No changes meanwhile. */
bool map_next(const struct map *m, size_t *i, struct str *key, void **value);

/* Frees the keys and the table, calls free_value (may be NULL) on each value. */
void map_release(struct map *m, void (*free_value)(void *value));
