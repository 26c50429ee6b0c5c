/* Changes as Debezium's envelope in JSON, without schema: before, after, source, op, ts_ms.
 * [debezium.io, "Data change events"; JSON converter with schemas.enable=false]
 *
 * Values as Debezium's PostgreSQL connector writes them with its defaults (time.precision.mode
 * adaptive, binary.handling.mode bytes): date in days since 1970, time and timestamp in
 * microseconds, timestamptz as ISO 8601 text, uuid and JSON as text, binary as base64. Decimals are
 * strings (decimal.handling.mode string): the default, base64 of the unscaled integer, means
 * nothing without the schema that has the scale. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "model/batch.h"
#include "model/schema.h"

struct debezium_source {
    const char *connector; /* "delta", "iceberg" */
    const char *name;      /* how the user calls the table */
    const char *table;
    const char *id_name; /* "version_id", "snapshot_id" */
};

struct debezium_change {
    char op;                /* 'c', 'u', 'd' */
    struct str before;      /* as debezium_write_row() makes it; empty: null */
    struct str after;       /* the same */
    int64_t id;             /* of the version or snapshot */
    int64_t source_time_us; /* when the table committed it */
    int64_t time_us;        /* now */
};

/* Appends a value, or null. */
void debezium_write_value(const struct column *c, uint32_t row, struct buf *out);

/* Appends the first `column_count` values of a row as an object. */
void debezium_write_row(const struct schema *schema, const struct column *columns,
                        uint32_t column_count, uint32_t row, struct buf *out);

/* Appends one envelope and a line break. */
void debezium_write_change(const struct debezium_source *source,
                           const struct debezium_change *change, struct buf *out);
