/* Where tables lie: named objects under one root. Keys are relative paths with '/' and no '..'.
 *
 * Data files are written by the engine, which knows local paths only: stage() says where, publish()
 * makes them durable under their keys, fetch() says where to read them. Safe from one thread at a
 * time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct store;

struct store_entry {
    const char *name; /* relative to the listed directory */
    uint64_t size;
    int64_t modified_ms;
};

struct store_entries {
    struct store_entry *items; /* owned; sorted by name */
    size_t count;
};

struct store_type {
    const char *scheme; /* "file" */

    /* Whole content, appended to `out`. Absent: ERROR_CONFLICT (someone removed it, or it never
     * was). */
    bool (*get)(struct store *s, const char *key, size_t size_max, struct buf *out,
                struct error *err);

    /* Replaces the object, durably. */
    bool (*put)(struct store *s, const char *key, struct str data, struct error *err);

    /* Creates the object, durably, unless it exists (ERROR_CONFLICT). ERROR_UNKNOWN: it may or may
     * not have been created; read it back. */
    bool (*put_if_absent)(struct store *s, const char *key, struct str data, struct error *err);

    /* Objects directly in a directory whose names are >= `from` ("" for all). A missing directory
     * is empty. */
    bool (*list)(struct store *s, const char *directory, const char *from,
                 struct store_entries *out, struct error *err);

    /* Removes an object; a missing one is fine. */
    bool (*remove)(struct store *s, const char *key, struct error *err);

    /* The local path to write a new object to; its directory exists. */
    bool (*stage)(struct store *s, const char *key, struct buf *path, struct error *err);

    /* Makes staged objects durable under their keys, contents and names. */
    bool (*publish)(struct store *s, const char *const *keys, size_t count, struct error *err);

    /* A local path that holds the object's content, for reading. */
    bool (*fetch)(struct store *s, const char *key, struct buf *path, struct error *err);

    void (*free)(struct store *s);
};

struct store {
    const struct store_type *type; /* first member of each store's struct */
};

/* Opens the store of a location: a path or file:// URL. The root need not exist; put and stage make
 * it. Another scheme is ERROR_CONFIG. */
struct store *store_open(const char *location, struct error *err);

/* Stages an object with this content; publish() makes it durable. */
must_check bool store_stage_data(struct store *s, const char *key, struct str data,
                                 struct error *err);

void store_entries_release(struct store_entries *e);

must_check static inline bool store_get(struct store *s, const char *key, size_t size_max,
                                        struct buf *out, struct error *err)
{
    return s->type->get(s, key, size_max, out, err);
}
must_check static inline bool store_put(struct store *s, const char *key, struct str data,
                                        struct error *err)
{
    return s->type->put(s, key, data, err);
}
must_check static inline bool store_put_if_absent(struct store *s, const char *key, struct str data,
                                                  struct error *err)
{
    return s->type->put_if_absent(s, key, data, err);
}
must_check static inline bool store_list(struct store *s, const char *directory, const char *from,
                                         struct store_entries *out, struct error *err)
{
    return s->type->list(s, directory, from, out, err);
}
must_check static inline bool store_remove(struct store *s, const char *key, struct error *err)
{
    return s->type->remove(s, key, err);
}
must_check static inline bool store_stage(struct store *s, const char *key, struct buf *path,
                                          struct error *err)
{
    return s->type->stage(s, key, path, err);
}
must_check static inline bool store_publish(struct store *s, const char *const *keys, size_t count,
                                            struct error *err)
{
    return s->type->publish(s, keys, count, err);
}
must_check static inline bool store_fetch(struct store *s, const char *key, struct buf *path,
                                          struct error *err)
{
    return s->type->fetch(s, key, path, err);
}
static inline void store_free(struct store **s)
{
    if (*s) {
        (*s)->type->free(take(*s));
    }
}
