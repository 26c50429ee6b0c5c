#include "base/map.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"

struct map_slot {
    char *key; /* owned; NULL: empty */
    size_t key_size;
    uint64_t hash;
    void *value;
};

static struct map_slot *find(const struct map *m, struct str key, uint64_t hash)
{
    size_t mask = m->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *s = &m->slots[i];
        if (!s->key || (s->hash == hash && str_equal((struct str){s->key, s->key_size}, key))) {
            return s;
        }
    }
}

static void grow(struct map *m)
{
    struct map bigger = {.capacity = m->capacity ? m->capacity * 2 : 16};
    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots) {
        abort();
    }
    for (size_t i = 0; i < m->capacity; i++) {
        struct map_slot *s = &m->slots[i];
        if (s->key) {
            *find(&bigger, (struct str){s->key, s->key_size}, s->hash) = *s;
        }
    }
    bigger.count = m->count;
    free(m->slots);
    *m = bigger;
}

void *map_get(const struct map *m, struct str key)
{
    if (m->capacity == 0) {
        return NULL;
    }
    const struct map_slot *s = find(m, key, hash_bytes(key.data, key.size));
    return s->key ? s->value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    assert(value);
    if (m->count + 1 > m->capacity / 4 * 3) {
        grow(m);
    }
    uint64_t hash = hash_bytes(key.data, key.size);
    struct map_slot *s = find(m, key, hash);
    void *old = s->value;
    if (!s->key) {
        char *copy = malloc(key.size + 1);
        if (!copy) {
            abort();
        }
        if (key.size > 0) {
            memcpy(copy, key.data, key.size);
        }
        copy[key.size] = '\0';
        *s = (struct map_slot){.key = copy, .key_size = key.size, .hash = hash};
        m->count++;
    }
    s->value = value;
    return old;
}

void *map_remove(struct map *m, struct str key)
{
    if (m->capacity == 0) {
        return NULL;
    }
    struct map_slot *s = find(m, key, hash_bytes(key.data, key.size));
    if (!s->key) {
        return NULL;
    }
    void *value = s->value;
    free(s->key);
    *s = (struct map_slot){0};
    m->count--;

    /* Linear probing: whatever follows in the run may have been pushed past the hole. */
    size_t mask = m->capacity - 1;
    for (size_t i = ((size_t)(s - m->slots) + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        struct map_slot moved = m->slots[i];
        m->slots[i] = (struct map_slot){0};
        *find(m, (struct str){moved.key, moved.key_size}, moved.hash) = moved;
    }
    return value;
}

bool map_next(const struct map *m, size_t *i, struct str *key, void **value)
{
    for (; *i < m->capacity; (*i)++) {
        const struct map_slot *s = &m->slots[*i];
        if (s->key) {
            *key = (struct str){.data = s->key, .size = s->key_size};
            *value = s->value;
            (*i)++;
            return true;
        }
    }
    return false;
}

void map_release(struct map *m, void (*free_value)(void *value))
{
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].key) {
            free(m->slots[i].key);
            if (free_value) {
                free_value(m->slots[i].value);
            }
        }
    }
    free(m->slots);
    *m = (struct map){0};
}
