/* schemaString <-> struct schema. [PROTOCOL.md, Schema Serialization Format]
 *
 * Mapping: int16 short, int32 integer, int64 long, float32 float, float64 double, bool boolean,
 * decimal, string, binary, date, timestamptz timestamp, timestamp timestamp_ntz. stored_type() says
 * what is stored for what a source has. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "model/schema.h"

/* timestamp -> timestamptz (wall time is taken as UTC); time, uuid, json -> string; others as they
 * are. */
struct type delta_stored_type(struct type source);

/* Parses; ERROR_CONFIG names a column whose type the model has not (arrays, maps, structs ...). */
must_check struct schema *delta_schema_parse(const char *text, struct error *err);

/* Appends the JSON of columns in stored types. `old` may be NULL: fields that it has keep their
 * metadata. */
must_check bool delta_schema_format(const struct schema *schema, const char *old, struct buf *out,
                                    struct error *err);

/* ERROR_CONFIG unless a new table can have this schema: names that differ in more than case, not
 * the feed's, and plain enough for every reader. */
must_check bool delta_schema_check(const struct schema *schema, struct error *err);

/* ERROR_CONFIG unless `to` is `from` with columns added and types widened. */
must_check bool delta_schema_check_change(const struct schema *from, const struct schema *to,
                                          struct error *err);

/* True when a column of `from` has another type in `to`: readers do not all read the narrower type
 * in older files (that would be the feature typeWidening, and not all know it). */
bool delta_schema_widens(const struct schema *from, const struct schema *to);
