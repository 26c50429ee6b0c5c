/* A row-by-row SQL transform of one table's batches: one SELECT over `changes` (design section 4).
 *
 * Besides the table's columns, `changes` shows _operation (insert, update, delete, read), _position,
 * _commit_time, _transaction, _sequence. A row that fails WHERE becomes "delete if present". An output
 * whose inputs are all unchanged stays unchanged; one that mixes changed and unchanged inputs is
 * ERROR_DATA naming the column and REPLICA IDENTITY FULL as the way out. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "model/batch.h"
#include "model/schema.h"

struct transform;

/* Parses and checks the SQL: one SELECT over changes; no aggregate, DISTINCT, LIMIT, ORDER BY, window, join
 * or subquery. ERROR_CONFIG says which. `connection` (of an ENGINE_USER instance) is borrowed; each
 * transform has a connection of its own. */
struct transform *transform_new(const char *sql, struct engine_connection *connection,
                                struct error *err);
void transform_free(struct transform **t);

/* The schema that comes out for rows of `input`; referenced for the caller. Each key column must come out
 * as a plain column (renamed or not); ERROR_CONFIG otherwise. */
must_check struct schema *transform_bind(struct transform *t, const struct schema *input,
                                         struct error *err);

/* A new batch in the bound schema; `input` stays the caller's. Row kinds, images and metadata carry over. */
must_check struct batch *transform_apply(struct transform *t, struct batch *input,
                                         struct error *err);

/* True when WHERE may drop rows. */
bool transform_filters(const struct transform *t);
