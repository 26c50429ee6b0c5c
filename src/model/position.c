#include "model/position.h"

#include <inttypes.h>

bool position_covers(struct position a, struct position b)
{
    return b.kind == POSITION_NONE || (a.kind == POSITION_INTEGER && a.integer >= b.integer);
}

struct position position_meet(struct position a, struct position b)
{
    return position_covers(a, b) ? b : a;
}

struct position position_join(struct position a, struct position b)
{
    return position_covers(a, b) ? a : b;
}

bool position_equal(struct position a, struct position b)
{
    return position_covers(a, b) && position_covers(b, a);
}

void position_format(struct position p, struct buf *out)
{
    if (p.kind == POSITION_INTEGER) {
        buf_append_format(out, "%" PRIu64, p.integer);
    }
}

bool position_parse(struct str text, struct position *out, struct error *err)
{
    if (text.size == 0) {
        *out = (struct position){0};
        return true;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
            return error_set(err, ERROR_DATA, "\"%.*s\" is not a position", str_arg(text));
        }
    }
    *out = position_integer(value);
    return true;
}
