#include "pipeline/epoch.h"

void epoch_add(struct epoch *e, const struct event *event)
{
    e->has_changes = true;
    if (event->batch) {
        e->rows += event->batch->row_count;
        e->bytes += batch_bytes(event->batch);
    }
}

bool epoch_is_full(const struct epoch *e)
{
    return e->rows >= e->rows_max || e->bytes >= e->bytes_max;
}

bool epoch_is_due(const struct epoch *e, struct position position, int64_t now_ms)
{
    if (e->has_changes) {
        return epoch_is_full(e) || now_ms - e->changed_ms >= e->interval_ms;
    }
    return !position_equal(position, e->position) && now_ms - e->ended_ms >= e->interval_ms;
}

struct barrier epoch_end(struct epoch *e, struct position position, enum barrier_phase phase,
                         int64_t commit_time_us, int64_t now_ms)
{
    e->number++;
    e->position = position;
    e->ended_ms = now_ms;
    if (e->has_changes) {
        e->changed_ms = now_ms;
    }
    e->rows = 0;
    e->bytes = 0;
    e->has_changes = false;
    return (struct barrier){
        .epoch = e->number, .position = position, .phase = phase, .commit_time_us = commit_time_us};
}
