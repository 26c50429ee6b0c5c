/* What an epoch did to one table, row by row. Net follows rows and not keys: a row has
 * an origin, the key under which the table holds it, or none if it was made in this epoch, and a
 * current key, or none if it is gone. Everything else follows from the two:
 *
 *     (none, k) insert   (k, none) delete   (k, k) update   (k1, k2) delete k1 and insert k2
 *
 * Read by key, a key's old row (its origin) and its new one (the row that lives there now) may be
 * two rows: that is an update as far as readers of the table can tell.
 *
 * A row's values are images: rows of the epoch's batches, in the table's columns. A value that an
 * image does not have is that of the image before it, and in the end that of the row as the table
 * held it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/hash.h"
#include "model/batch.h"

enum { NET_NONE = UINT32_MAX };

struct net_key {
    struct hash128 hash;
    uint32_t origin; /* the row that the table holds under this key, as far as it was touched */
    uint32_t live;   /* the row that has this key now */
};

struct net_row {
    uint32_t origin;  /* key */
    uint32_t current; /* key */
    uint32_t image;   /* newest; NET_NONE: none yet, or gone */
    uint32_t before;  /* the whole row as the table holds it, once known */
    uint64_t place;   /* of the origin in the table */
};

struct net_image {
    uint32_t batch;
    uint32_t row;
    uint32_t previous; /* image of the same row before it */
};

/* A row of the table that is deleted and has no key of its own: a second row of one key. */
struct net_stray {
    uint64_t place;
    uint32_t before; /* image */
};

struct net {
    struct net_key *keys;
    uint32_t key_count, key_capacity;
    uint32_t *slots;     /* by hash: key + 1 */
    uint32_t slot_count; /* power of two, or 0 */
    struct net_row *rows;
    uint32_t row_count, row_capacity;
    struct net_image *images;
    uint32_t image_count, image_capacity;
    struct net_stray *strays;
    uint32_t stray_count, stray_capacity;
    struct batch **batches; /* referenced */
    uint32_t batch_count, batch_capacity;
    bool truncated; /* the table counts as empty: nothing has an origin any more */
};

/* A zeroed struct net is a valid empty one. */
void net_release(struct net *n);

/* Empties it for the next epoch. */
void net_clear(struct net *n);

/* The source emptied the table: nothing before matters, nothing after has an origin. */
void net_truncate(struct net *n);

/* Takes part of a batch's rows; returns its number. The reference is moved. */
uint32_t net_add_batch(struct net *n, struct batch *b);

/* An image of one row of a batch. */
uint32_t net_add_image(struct net *n, uint32_t batch, uint32_t row, uint32_t previous);

/* A key and where the table holds its row: PLACE_NONE, not there. */
struct net_at {
    struct hash128 hash;
    uint64_t place;
};

/* One change. `after` and `before` are images, or NET_NONE; `before` only if it is the whole row.
 */
struct net_change {
    struct net_at from; /* update and delete: the key before */
    struct net_at to;   /* insert and update: the key after */
    uint32_t before;
    uint32_t after;
};

enum net_result {
    NET_DONE,
    NET_PRESENT, /* `to` is there already */
    NET_ABSENT,  /* `from` is not there */
};

/* Divergence is reported and changes nothing. With `lenient` it is not divergence: an insert of a
 * present key is an update, an update of an absent one an insert, a delete of an absent one
 * nothing, and a row that moves to a present key replaces what was there. */
must_check enum net_result net_insert(struct net *n, const struct net_change *c, bool lenient);
must_check enum net_result net_update(struct net *n, const struct net_change *c, bool lenient);
must_check enum net_result net_delete(struct net *n, const struct net_change *c, bool lenient);

void net_add_stray(struct net *n, uint64_t place, uint32_t before);

/* Where the value of a column is that an image shows, or NULL if no image before it has it either;
 * `fallback` is asked last. */
const struct column *net_value(const struct net *n, uint32_t image, uint32_t fallback,
                               uint32_t column, uint32_t *row);

/* True when some value of the image was not sent. */
bool net_image_has_unchanged(const struct net *n, uint32_t image);

/* Memory of the bookkeeping; batches not counted. */
size_t net_bytes(const struct net *n);
