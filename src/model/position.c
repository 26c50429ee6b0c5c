#include "model/position.h"

#include <assert.h>

#include "model/position_set.h"

bool position_has(const struct position *a, const struct position *b)
{
    if (b->kind == POSITION_NONE) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    return a->kind == POSITION_SET ? position_set_covers(a, b) : a->integer >= b->integer;
}

bool position_covers(struct position a, struct position b)
{
    return position_has(&a, &b);
}

bool position_is_comparable(const struct position *a, const struct position *b)
{
    return a->kind == b->kind || a->kind == POSITION_NONE || b->kind == POSITION_NONE;
}

struct position position_meet(struct position a, struct position b)
{
    assert(position_is_comparable(&a, &b));
    if (position_has(&a, &b)) {
        return b;
    }
    return position_has(&b, &a) ? a : position_set_meet(&a, &b);
}

struct position position_join(struct position a, struct position b)
{
    assert(position_is_comparable(&a, &b));
    if (position_has(&a, &b)) {
        return a;
    }
    return position_has(&b, &a) ? b : position_set_join(&a, &b);
}

bool position_equal(struct position a, struct position b)
{
    return position_has(&a, &b) && position_has(&b, &a);
}

uint64_t position_number(struct position p)
{
    return p.kind == POSITION_SET ? position_set_number(&p) : p.integer;
}
