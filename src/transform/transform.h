/* A row-by-row SQL transform of one table's batches: one SELECT over `changes` (design section 4).
 *
 * Besides the table's columns, `changes` shows _operation (insert, update, delete, read),
 * _position, _commit_time, _transaction, _sequence; they are not part of `*`. An update or delete
 * of a row that fails WHERE becomes "delete if present", an insert of one is left out. An output
 * whose inputs are all unchanged stays unchanged; one that mixes changed and unchanged inputs, or a
 * WHERE that reads unchanged ones, is ERROR_DATA naming the column and REPLICA IDENTITY FULL as the
 * way out.
 *
 * Where a row holds only its key, every other output is unchanged and WHERE is not asked. In an old
 * image (update before, delete) outputs that depend on metadata or on functions such as now() are
 * unchanged too: what the table holds was computed at another time. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "model/batch.h"
#include "model/schema.h"

struct transform;

/* Parses and checks the SQL: one SELECT over changes; no aggregate, DISTINCT, LIMIT, ORDER BY,
 * window, join or subquery. ERROR_CONFIG says which. `connection` (of an ENGINE_USER instance) is
 * borrowed; each transform has a connection of its own. */
struct transform *transform_new(const char *sql, struct engine_connection *connection,
                                struct error *err);
void transform_free(struct transform **t);

/* The schema that comes out for rows of `input`; referenced for the caller. To be called again for
 * each new schema of the table. Each key column must come out as a plain column (renamed or not);
 * ERROR_CONFIG otherwise. An output is nullable unless it is a plain column that is not. */
must_check struct schema *transform_bind(struct transform *t, const struct schema *input,
                                         struct error *err);

/* A new batch in the bound schema, with no more rows than `input` and possibly none; it keeps a
 * reference of `input`, which stays the caller's. Row kinds, images and metadata carry over. */
must_check struct batch *transform_apply(struct transform *t, struct batch *input,
                                         struct error *err);

/* True when WHERE may drop rows. */
bool transform_filters(const struct transform *t);
