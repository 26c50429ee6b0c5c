/* Where a pipeline stands: in the summary of our newest snapshot, and in a table property for the
 * day when that snapshot was expired. */
#include "lake/record.h"

#include <inttypes.h>
#include <string.h>

#include "iceberg/table.h"

bool iceberg_record_read(const struct iceberg_metadata *m, const char *property,
                         struct lake_record *out, bool *found, struct error *err)
{
    const char *text = NULL;
    const struct iceberg_snapshot *s = m->current;
    /* No line of descent is longer than the list; a circle would be. */
    for (uint32_t i = 0; s && !text && i <= m->snapshot_count; i++) {
        text = iceberg_snapshot_summary(s, property);
        s = iceberg_metadata_snapshot(m, s->parent_id);
    }
    if (!text) {
        text = iceberg_metadata_property(m, property);
    }
    *found = text != NULL;
    return !text || lake_record_parse(text, out, err) ||
           error_wrap(err, "property \"%s\"", property);
}

static bool is_foreign(const struct iceberg_table *t, const struct iceberg_snapshot *s)
{
    return !iceberg_snapshot_summary(s, t->property) &&
           (!s->operation || strcmp(s->operation, "replace") != 0);
}

bool iceberg_check_since(const struct iceberg_table *t, const struct iceberg_metadata *m,
                         int64_t after, struct error *err)
{
    int64_t id = m->current ? m->current->id : -1;
    for (uint32_t i = 0; i <= m->snapshot_count; i++) {
        if (id == after || (id == -1 && after == 0)) {
            return true;
        }
        const struct iceberg_snapshot *s = id == -1 ? NULL : iceberg_metadata_snapshot(m, id);
        if (!s) {
            break;
        }
        if (is_foreign(t, s)) {
            return error_set(err, ERROR_LOST,
                             "table \"%s\": another writer changed rows in snapshot %" PRId64
                             " (%s); reload the table, or roll it back to snapshot %" PRId64
                             ", or set foreign_changes: accept",
                             t->label, s->id, s->operation ? s->operation : "unknown operation",
                             after);
        }
        id = s->parent_id;
    }
    return error_set(
        err, ERROR_LOST,
        "table \"%s\": our snapshot %" PRId64
        " is not in the history of the current one: it was rolled back, or what others "
        "changed since was expired; reload the table, or compare it with the source "
        "first",
        t->label, after);
}
