#include "table/net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "table/index.h"

/* Makes room for one more element. */
static void *grown(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    assert(*capacity < UINT32_MAX / 4);
    *capacity = *capacity ? *capacity * 2 : 64;
    items = realloc(items, *capacity * size);
    if (!items) {
        abort();
    }
    return items;
}

static void drop_batches(struct net *n)
{
    for (uint32_t i = 0; i < n->batch_count; i++) {
        batch_release(n->batches[i]);
    }
    n->batch_count = 0;
}

void net_release(struct net *n)
{
    drop_batches(n);
    free(n->batches);
    free(n->keys);
    free(n->slots);
    free(n->rows);
    free(n->images);
    free(n->strays);
    *n = (struct net){0};
}

void net_clear(struct net *n)
{
    /* What a large epoch needed is not kept through small ones. */
    enum { KEPT_KEYS_MAX = 1 << 16 };
    if (n->key_capacity > KEPT_KEYS_MAX || n->image_capacity > KEPT_KEYS_MAX) {
        net_release(n);
        return;
    }
    drop_batches(n);
    n->key_count = 0;
    n->row_count = 0;
    n->image_count = 0;
    n->stray_count = 0;
    n->truncated = false;
    if (n->slots) {
        memset(n->slots, 0, n->slot_count * sizeof(*n->slots));
    }
}

void net_truncate(struct net *n)
{
    net_clear(n);
    n->truncated = true;
}

size_t net_bytes(const struct net *n)
{
    return n->key_capacity * sizeof(*n->keys) + n->slot_count * sizeof(*n->slots) +
           n->row_capacity * sizeof(*n->rows) + n->image_capacity * sizeof(*n->images) +
           n->batch_capacity * sizeof(*n->batches);
}

uint32_t net_add_batch(struct net *n, struct batch *b)
{
    n->batches = grown(n->batches, n->batch_count, &n->batch_capacity, sizeof(*n->batches));
    n->batches[n->batch_count] = b;
    return n->batch_count++;
}

uint32_t net_add_image(struct net *n, uint32_t batch, uint32_t row, uint32_t previous)
{
    n->images = grown(n->images, n->image_count, &n->image_capacity, sizeof(*n->images));
    n->images[n->image_count] =
        (struct net_image){.batch = batch, .row = row, .previous = previous};
    return n->image_count++;
}

void net_add_stray(struct net *n, uint64_t place, uint32_t before)
{
    n->strays = grown(n->strays, n->stray_count, &n->stray_capacity, sizeof(*n->strays));
    n->strays[n->stray_count++] = (struct net_stray){.place = place, .before = before};
}

/* ---- keys ---- */

static uint32_t *slot_of(const struct net *n, struct hash128 hash)
{
    for (uint32_t i = (uint32_t)hash.low & (n->slot_count - 1);;
         i = (i + 1) & (n->slot_count - 1)) {
        uint32_t *slot = &n->slots[i];
        if (*slot == 0 || (n->keys[*slot - 1].hash.low == hash.low &&
                           n->keys[*slot - 1].hash.high == hash.high)) {
            return slot;
        }
    }
}

static void grow_slots(struct net *n)
{
    free(n->slots);
    n->slot_count = n->slot_count ? n->slot_count * 2 : 128;
    n->slots = calloc(n->slot_count, sizeof(*n->slots));
    if (!n->slots) {
        abort();
    }
    for (uint32_t i = 0; i < n->key_count; i++) {
        *slot_of(n, n->keys[i].hash) = i + 1;
    }
}

static uint32_t find_key(const struct net *n, struct hash128 hash)
{
    return n->slot_count ? *slot_of(n, hash) - 1 : NET_NONE; /* 0 - 1 is NET_NONE */
}

static uint32_t find_or_add_key(struct net *n, struct hash128 hash)
{
    uint32_t found = find_key(n, hash);
    if (found != NET_NONE) {
        return found;
    }
    if (((uint64_t)n->key_count + 1) * 2 > n->slot_count) {
        grow_slots(n);
    }
    n->keys = grown(n->keys, n->key_count, &n->key_capacity, sizeof(*n->keys));
    n->keys[n->key_count] = (struct net_key){.hash = hash, .origin = NET_NONE, .live = NET_NONE};
    *slot_of(n, hash) = n->key_count + 1;
    return n->key_count++;
}

/* ---- rows ---- */

static uint32_t add_row(struct net *n, struct net_row row)
{
    n->rows = grown(n->rows, n->row_count, &n->row_capacity, sizeof(*n->rows));
    n->rows[n->row_count] = row;
    return n->row_count++;
}

/* The row that has a key now, or NET_NONE. One that only the table knows so far becomes known. */
static uint32_t row_at(struct net *n, struct net_at at)
{
    uint32_t key = find_key(n, at.hash);
    if (key != NET_NONE && n->keys[key].live != NET_NONE) {
        return n->keys[key].live;
    }
    if ((key != NET_NONE && n->keys[key].origin != NET_NONE) || n->truncated ||
        at.place == PLACE_NONE) {
        return NET_NONE; /* moved away or deleted in this epoch, or never there */
    }
    key = find_or_add_key(n, at.hash);
    uint32_t row = add_row(n, (struct net_row){.origin = key,
                                               .current = key,
                                               .image = NET_NONE,
                                               .before = NET_NONE,
                                               .place = at.place});
    n->keys[key].origin = row;
    n->keys[key].live = row;
    return row;
}

/* Makes an image the row's newest. The one before is kept only if it can still be asked for values.
 */
static void push_image(struct net *n, uint32_t row, uint32_t image)
{
    struct net_image *im = &n->images[image];
    if (im->previous == NET_NONE && net_image_has_unchanged(n, image)) {
        im->previous = n->rows[row].image;
    }
    n->rows[row].image = image;
}

/* The whole row before its first change in the epoch is the row as the table holds it. */
static void take_before(struct net *n, uint32_t row, uint32_t before)
{
    struct net_row *r = &n->rows[row];
    if (r->origin != NET_NONE && r->image == NET_NONE && r->before == NET_NONE) {
        r->before = before;
    }
}

static void end_row(struct net *n, uint32_t row)
{
    n->keys[n->rows[row].current].live = NET_NONE;
    n->rows[row].current = NET_NONE;
    n->rows[row].image = NET_NONE;
}

static void new_row(struct net *n, struct hash128 hash, uint32_t image)
{
    uint32_t key = find_or_add_key(n, hash);
    uint32_t old = n->keys[key].origin;
    uint32_t row = old;
    if (old != NET_NONE && n->rows[old].current == NET_NONE) {
        n->rows[old].current = key; /* deleted and inserted again: the same row, updated */
    } else {
        row = add_row(n, (struct net_row){.origin = NET_NONE,
                                          .current = key,
                                          .image = NET_NONE,
                                          .before = NET_NONE,
                                          .place = PLACE_NONE});
    }
    n->keys[key].live = row;
    push_image(n, row, image);
}

enum net_result net_insert(struct net *n, const struct net_change *c, bool lenient)
{
    uint32_t row = row_at(n, c->to);
    if (row == NET_NONE) {
        new_row(n, c->to.hash, c->after);
        return NET_DONE;
    }
    if (!lenient) {
        return NET_PRESENT;
    }
    push_image(n, row, c->after);
    return NET_DONE;
}

static bool is_same_key(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

enum net_result net_update(struct net *n, const struct net_change *c, bool lenient)
{
    uint32_t row = row_at(n, c->from);
    n->images[c->after].previous = c->before; /* has every value that `after` lacks */
    if (row == NET_NONE) {
        if (!lenient) {
            return NET_ABSENT;
        }
        return net_insert(n, c, true);
    }
    if (!is_same_key(c->from.hash, c->to.hash)) {
        uint32_t other = row_at(n, c->to);
        if (other != NET_NONE && !lenient) {
            return NET_PRESENT;
        }
        if (other != NET_NONE) {
            end_row(n, other);
        }
        uint32_t key = find_or_add_key(n, c->to.hash);
        n->keys[n->rows[row].current].live = NET_NONE;
        n->keys[key].live = row;
        n->rows[row].current = key;
    }
    take_before(n, row, c->before);
    push_image(n, row, c->after);
    return NET_DONE;
}

enum net_result net_delete(struct net *n, const struct net_change *c, bool lenient)
{
    uint32_t row = row_at(n, c->from);
    if (row == NET_NONE) {
        return lenient ? NET_DONE : NET_ABSENT;
    }
    take_before(n, row, c->before);
    end_row(n, row);
    return NET_DONE;
}

/* ---- values ---- */

bool net_image_has_unchanged(const struct net *n, uint32_t image)
{
    const struct net_image *im = &n->images[image];
    const struct batch *b = n->batches[im->batch];
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        if (column_is_unchanged(&b->columns[i], im->row)) {
            return true;
        }
    }
    return false;
}

static const struct column *sent_value(const struct net *n, uint32_t image, uint32_t column,
                                       uint32_t *row)
{
    const struct net_image *im = &n->images[image];
    const struct column *c = &n->batches[im->batch]->columns[column];
    *row = im->row;
    return column_is_unchanged(c, im->row) ? NULL : c;
}

const struct column *net_value(const struct net *n, uint32_t image, uint32_t fallback,
                               uint32_t column, uint32_t *row)
{
    for (; image != NET_NONE; image = n->images[image].previous) {
        const struct column *c = sent_value(n, image, column, row);
        if (c) {
            return c;
        }
    }
    return fallback == NET_NONE ? NULL : sent_value(n, fallback, column, row);
}
