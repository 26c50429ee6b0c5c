#include "pipeline/lag.h"

#include <string.h>

void lag_received(struct lag *l, struct position position, int64_t commit_time_us)
{
    /* A full list keeps its oldest marks, which decide. */
    if (l->count < LAG_MARKS) {
        l->marks[l->count++] = (struct lag_mark){position, commit_time_us};
    } else {
        l->marks[LAG_MARKS - 1].position = position;
    }
}

void lag_durable(struct lag *l, const struct position *durable)
{
    uint32_t gone = 0;
    while (gone < l->count && position_has(durable, &l->marks[gone].position)) {
        gone++;
    }
    if (gone > 0) {
        l->count -= gone;
        memmove(l->marks, l->marks + gone, l->count * sizeof(l->marks[0]));
    }
}

int64_t lag_ms(const struct lag *l, int64_t now_us)
{
    if (l->count == 0 || now_us <= l->marks[0].commit_time_us) {
        return 0;
    }
    return (now_us - l->marks[0].commit_time_us) / 1000;
}
