/* Partition transforms, shared by both formats (Delta knows identity only). [Iceberg spec,
 * Partition Transforms; Appendix B, 32-bit hash] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/batch.h"

enum lake_transform_kind {
    LAKE_IDENTITY,
    LAKE_BUCKET,   /* parameter: number of buckets */
    LAKE_TRUNCATE, /* parameter: width */
    LAKE_YEAR,
    LAKE_MONTH,
    LAKE_DAY,
    LAKE_HOUR,
    LAKE_VOID,
    LAKE_UNKNOWN, /* of a newer version: such a spec may be read, not written */
};

struct lake_transform {
    enum lake_transform_kind kind;
    uint32_t parameter;
};

/* "identity", "bucket[16]", "day" ... as metadata writes it. */
void lake_transform_format(struct lake_transform t, struct buf *out);

/* Reverses it; unknown texts are LAKE_UNKNOWN. */
struct lake_transform lake_transform_parse(const char *text);

/* The type of the result: bucket, year, month, hour int32; day date; else the source's. False: the
 * transform does not take the type. */
bool lake_transform_result(struct lake_transform t, struct type source, struct type *out);

/* The text of the transformed value of a row, as value_format() writes the result type; NULL for
 * null. Identity goes through lake_partition_text(), with its refusals. ERROR_DATA. In the arena.
 */
must_check bool lake_transform_text(struct lake_transform t, const struct column *c, uint32_t row,
                                    struct arena *a, const char **out, struct error *err);
