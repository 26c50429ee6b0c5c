#include "lake/history.h"

#include <inttypes.h>

#include "format/value.h"

bool lake_history_find(const struct lake_history *h, int64_t id, size_t *index, struct error *err)
{
    for (size_t i = h->version_count; i > 0; i--) {
        if (h->versions[i - 1].id == id) {
            *index = i - 1;
            return true;
        }
    }
    if (h->version_count == 0) {
        return error_set(err, ERROR_CONFIG, "there is no version %" PRId64 "; the table has none",
                         id);
    }
    return error_set(err, ERROR_CONFIG,
                     "there is no version %" PRId64 "; the oldest that is left is %" PRId64
                     ", the newest is %" PRId64,
                     id, h->versions[0].id, h->versions[h->version_count - 1].id);
}

static void append_time(int64_t time_us, struct buf *out)
{
    struct column column = {.type = {.kind = TYPE_TIMESTAMPTZ}, .values = &time_us};
    value_format(&column, 0, out);
}

bool lake_history_at(const struct lake_history *h, int64_t time_us, size_t *index,
                     struct error *err)
{
    for (size_t i = h->version_count; i > 0; i--) {
        if (h->versions[i - 1].time_us <= time_us) {
            *index = i - 1;
            return true;
        }
    }
    owned(buf_release) struct buf asked = {0};
    append_time(time_us, &asked);
    if (h->version_count == 0) {
        return error_set(err, ERROR_CONFIG, "there is no version of %s; the table has none",
                         buf_text(&asked));
    }
    owned(buf_release) struct buf oldest = {0};
    append_time(h->versions[0].time_us, &oldest);
    return error_set(err, ERROR_CONFIG,
                     "there is no version of %s; the oldest that is left, %" PRId64 ", is of %s",
                     buf_text(&asked), h->versions[0].id, buf_text(&oldest));
}
