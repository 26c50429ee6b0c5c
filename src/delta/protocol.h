/* What a table asks of its readers and writers, and what we ask of ours.
 * [PROTOCOL.md, Table Features, Valid Feature Names in Table Features] */
#pragma once

#include "delta/state.h"

/* ERROR_CONFIG naming the first version or feature that we do not read. */
must_check bool delta_protocol_check_reader(const struct delta_state *s, struct error *err);

/* As above for writing, and for properties that need work we do not do. A feature that is only
 * listed does not matter. */
must_check bool delta_protocol_check_writer(const struct delta_state *s, struct error *err);

bool delta_protocol_writes(const struct delta_protocol *p, const char *feature);

/* A table property as a boolean; absent is false. */
bool delta_property_is_true(const struct delta_metadata *m, const char *name);

/* A table property "interval 7 days" in ms, or `otherwise` when it is absent or has another form.
 */
int64_t delta_property_interval_ms(const struct delta_metadata *m, const char *name,
                                   int64_t otherwise);

/* Protocol and properties of a new table: append only tables need no more of readers than
 * version 1. */
struct delta_protocol delta_protocol_new(bool vectors, bool feed);
struct delta_pairs delta_properties_new(bool vectors, bool feed);
