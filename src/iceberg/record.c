/* Where a pipeline stands: in the summary of our newest snapshot, and in a table property for the
 * day when that snapshot was expired. */
#include "lake/record.h"

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
