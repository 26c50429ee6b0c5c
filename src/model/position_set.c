#include "model/position_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int interval_order(const struct position_interval *a, const struct position_interval *b)
{
    int order = position_source_order(a->source, b->source);
    return order ? order : (a->first > b->first) - (a->first < b->first);
}

/* True when the two, of one source, have a number in common or follow each other. */
static bool interval_touches(const struct position_interval *a, const struct position_interval *b)
{
    return (a->last == UINT64_MAX || b->first <= a->last + 1) &&
           (b->last == UINT64_MAX || a->first <= b->last + 1);
}

static void interval_unite(struct position_interval *into, const struct position_interval *other)
{
    if (other->first < into->first) {
        into->first = other->first;
    }
    if (other->last > into->last) {
        into->last = other->last;
        into->server = other->server;
    }
}

void position_walk_start(struct position_walk *w, const struct position *p)
{
    w->open_count = p->open_count;
    w->open_next = 0;
    w->rest = p->rest;
    w->rest_next = 0;
    for (uint32_t i = 0; i < p->open_count; i++) {
        uint32_t at = i;
        for (; at > 0 && interval_order(&p->open[i], &w->open[at - 1]) < 0; at--) {
            w->open[at] = w->open[at - 1];
        }
        w->open[at] = p->open[i];
    }
}

const struct position_interval *position_walk_next(struct position_walk *w)
{
    const struct position_interval *open =
        w->open_next < w->open_count ? &w->open[w->open_next] : NULL;
    const struct position_interval *rest =
        w->rest && w->rest_next < w->rest->count ? &w->rest->items[w->rest_next] : NULL;
    if (open && (!rest || interval_order(open, rest) < 0)) {
        w->open_next++;
        return open;
    }
    w->rest_next += rest != NULL;
    return rest;
}

void position_list_append(struct position_list *l, const struct position_interval *interval)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? l->capacity * 2 : 16;
        l->items = reallocarray(l->items, l->capacity, sizeof(*l->items));
        if (!l->items) {
            abort();
        }
    }
    l->items[l->count++] = *interval;
}

static int sort_order(const void *a, const void *b)
{
    return interval_order(a, b);
}

void position_list_sort(struct position_list *l)
{
    if (l->count > 1) {
        qsort(l->items, l->count, sizeof(*l->items), sort_order);
    }
}

void position_list_unite(struct position_list *l, const struct position_interval *interval)
{
    struct position_interval *newest = l->count > 0 ? &l->items[l->count - 1] : NULL;
    if (newest && newest->source == interval->source && interval_touches(newest, interval)) {
        interval_unite(newest, interval);
    } else {
        position_list_append(l, interval);
    }
}

void position_list_release(struct position_list *l)
{
    free(l->items);
    *l = (struct position_list){0};
}

/* How many of the intervals lie before a number of a source, or begin at it. */
static size_t rank(const struct position_interval *items, size_t count,
                   const struct position_source *source, uint64_t number)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = position_source_order(items[middle].source, source);
        if (order < 0 || (order == 0 && items[middle].first <= number)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void open_one(struct position *p, const struct position_interval *items, bool *is_open,
                     size_t i)
{
    if (p->open_count < POSITION_OPEN_MAX && !is_open[i]) {
        p->open[p->open_count++] = items[i];
        is_open[i] = true;
    }
}

static void open_as(struct position *p, const struct position_list *l, bool *is_open,
                    const struct position *like)
{
    for (uint32_t i = 0; like && l->items && i < like->open_count; i++) {
        const struct position_interval *o = &like->open[i];
        size_t at = rank(l->items, l->count, o->source, o->last);
        if (at > 0 && l->items[at - 1].source == o->source && l->items[at - 1].last >= o->first) {
            open_one(p, l->items, is_open, at - 1);
        }
    }
}

struct position position_of_list(const struct position_list *l, const struct position *a,
                                 const struct position *b)
{
    struct position p = position_empty_set();
    bool *is_open = calloc(l->count + 1, sizeof(*is_open));
    if (!is_open) {
        abort();
    }
    open_as(&p, l, is_open, a);
    open_as(&p, l, is_open, b);
    for (size_t i = l->count; i-- > 0;) {
        bool is_newest = i + 1 == l->count || l->items[i + 1].source != l->items[i].source;
        if (is_newest || l->count <= POSITION_OPEN_MAX) {
            open_one(&p, l->items, is_open, i);
        }
    }
    struct position_list rest = {0};
    for (size_t i = 0; i < l->count && l->count > p.open_count; i++) {
        if (!is_open[i]) {
            position_list_append(&rest, &l->items[i]);
        }
    }
    p.rest = position_rest_of(rest.items, rest.count);
    position_list_release(&rest);
    free(is_open);
    return p;
}

/* The interval that holds a number, or NULL. */
static const struct position_interval *find(const struct position *p,
                                            const struct position_source *source, uint64_t number)
{
    for (uint32_t i = 0; i < p->open_count; i++) {
        const struct position_interval *o = &p->open[i];
        if (o->source == source && number >= o->first && number <= o->last) {
            return o;
        }
    }
    if (!p->rest) {
        return NULL;
    }
    size_t at = rank(p->rest->items, p->rest->count, source, number);
    const struct position_interval *r = at > 0 ? &p->rest->items[at - 1] : NULL;
    return r && r->source == source && number <= r->last ? r : NULL;
}

bool position_covers_transaction(const struct position *a, const struct position_source *source,
                                 uint64_t number)
{
    return a->kind == POSITION_SET &&
           (find(a, source, number) || (source->is_mariadb && number == 0));
}

static bool interval_holds(const struct position_interval *a, const struct position_interval *b)
{
    return a->source == b->source && a->first <= b->first && a->last >= b->last;
}

/* One interval holds all of it, or something is missing. */
static bool holds_interval(const struct position *a, const struct position_interval *b)
{
    const struct position_interval *holder = find(a, b->source, b->first);
    return holder && holder->last >= b->last;
}

bool position_set_covers(const struct position *a, const struct position *b)
{
    for (uint32_t i = 0; i < b->open_count; i++) {
        /* Places of one log have their open intervals in one order. */
        bool is_in = i < a->open_count && interval_holds(&a->open[i], &b->open[i]);
        if (!is_in && !holds_interval(a, &b->open[i])) {
            return false;
        }
    }
    for (size_t i = 0; b->rest && b->rest != a->rest && i < b->rest->count; i++) {
        if (!holds_interval(a, &b->rest->items[i])) {
            return false;
        }
    }
    return true;
}

bool position_set_equal(const struct position *a, const struct position *b)
{
    return position_set_covers(a, b) && position_set_covers(b, a);
}

struct position position_set_meet(const struct position *a, const struct position *b)
{
    struct position_walk walk_a;
    struct position_walk walk_b;
    struct position_list both = {0};
    position_walk_start(&walk_a, a);
    position_walk_start(&walk_b, b);
    const struct position_interval *x = position_walk_next(&walk_a);
    const struct position_interval *y = position_walk_next(&walk_b);
    while (x && y) {
        int order = position_source_order(x->source, y->source);
        if (order == 0) {
            struct position_interval shared = x->last <= y->last ? *x : *y;
            shared.first = x->first >= y->first ? x->first : y->first;
            if (shared.first <= shared.last) {
                position_list_unite(&both, &shared);
            }
            order = x->last <= y->last ? -1 : 1;
        }
        if (order < 0) {
            x = position_walk_next(&walk_a);
        } else {
            y = position_walk_next(&walk_b);
        }
    }
    struct position p = position_of_list(&both, a, b);
    position_list_release(&both);
    return p;
}

struct position position_set_join(const struct position *a, const struct position *b)
{
    struct position_walk walk_a;
    struct position_walk walk_b;
    struct position_list either = {0};
    position_walk_start(&walk_a, a);
    position_walk_start(&walk_b, b);
    const struct position_interval *x = position_walk_next(&walk_a);
    const struct position_interval *y = position_walk_next(&walk_b);
    while (x || y) {
        if (x && (!y || interval_order(x, y) <= 0)) {
            position_list_unite(&either, x);
            x = position_walk_next(&walk_a);
        } else {
            position_list_unite(&either, y);
            y = position_walk_next(&walk_b);
        }
    }
    struct position p = position_of_list(&either, a, b);
    position_list_release(&either);
    return p;
}

uint64_t position_set_number(const struct position *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->open_count; i++) {
        uint64_t count = p->open[i].last - p->open[i].first + 1;
        sum = __builtin_add_overflow(sum, count, &sum) ? UINT64_MAX : sum;
    }
    for (size_t i = 0; p->rest && i < p->rest->count; i++) {
        uint64_t count = p->rest->items[i].last - p->rest->items[i].first + 1;
        sum = __builtin_add_overflow(sum, count, &sum) ? UINT64_MAX : sum;
    }
    return sum;
}

bool position_each(const struct position *p, position_interval_fn *fn, void *arg)
{
    struct position_walk w;
    if (p->kind != POSITION_SET) {
        return true;
    }
    position_walk_start(&w, p);
    for (const struct position_interval *i = position_walk_next(&w); i;
         i = position_walk_next(&w)) {
        if (!fn(arg, i)) {
            return false;
        }
    }
    return true;
}

/* Takes the open intervals that touch `grown` out of the set and into it. */
static void absorb_open(struct position *p, struct position_interval *grown)
{
    uint32_t kept = 0;
    struct position_interval one = *grown;
    for (uint32_t i = 0; i < p->open_count; i++) {
        if (p->open[i].source == one.source && interval_touches(&p->open[i], &one)) {
            interval_unite(grown, &p->open[i]);
        } else {
            p->open[kept++] = p->open[i];
        }
    }
    p->open_count = kept;
}

/* The rest without the intervals that touch `one`, which are united into `grown`, and with
 * `evicted`, if there is one. */
static const struct position_rest *changed_rest(const struct position_rest *rest,
                                                const struct position_interval *one,
                                                struct position_interval *grown,
                                                const struct position_interval *evicted)
{
    const struct position_interval *items = rest ? rest->items : NULL;
    size_t count = rest ? rest->count : 0;
    size_t end = rank(items, count, one->source, one->last);
    end += end < count && items[end].source == one->source && interval_touches(&items[end], one);
    size_t start = end;
    while (start > 0 && items[start - 1].source == one->source &&
           interval_touches(&items[start - 1], one)) {
        interval_unite(grown, &items[--start]);
    }
    if (start == end && !evicted) {
        return rest;
    }
    struct position_list changed = {0};
    for (size_t i = 0; i < count; i++) {
        if (evicted && interval_order(evicted, &items[i]) < 0) {
            position_list_append(&changed, take(evicted));
        }
        if (i < start || i >= end) {
            position_list_append(&changed, &items[i]);
        }
    }
    if (evicted) {
        position_list_append(&changed, evicted);
    }
    rest = position_rest_of(changed.items, changed.count);
    position_list_release(&changed);
    return rest;
}

void position_add(struct position *p, const struct position_source *source, uint64_t number,
                  uint32_t server)
{
    assert(p->kind == POSITION_SET);
    if (number == 0 || find(p, source, number)) {
        return;
    }
    struct position_interval one = {.source = source,
                                    .first = source->is_mariadb ? 1 : number,
                                    .last = number,
                                    .server = source->is_mariadb ? server : 0};
    struct position_interval grown = one;
    absorb_open(p, &grown);
    bool is_full = p->open_count == POSITION_OPEN_MAX;
    struct position_interval oldest = p->open[POSITION_OPEN_MAX - 1];
    if (p->rest || is_full) {
        p->rest = changed_rest(p->rest, &one, &grown, is_full ? &oldest : NULL);
    }
    p->open_count -= is_full;
    memmove(&p->open[1], p->open, p->open_count * sizeof(p->open[0]));
    p->open[0] = grown;
    p->open_count++;
}

struct position position_transaction(const struct position_source *source, uint64_t number)
{
    struct position p = position_empty_set();
    position_add(&p, source, number, 0);
    return p;
}
