/* Source batches in the table's columns and stored types. Values whose layout does not change are
 * shared with the source batch, which lives as long as the result. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "model/batch.h"

/* True when values of `from` can be stored as `to` without loss: the same layout, wider integers
 * and decimals, text forms. */
bool convert_can(struct type from, struct type to);

/* A batch in `schema`: columns by name, those that the source does not have null, values converted.
 * Row kinds and metadata are shared. Another pair of types than convert_can() allows is
 * ERROR_FATAL: the schemas were not compared. References `source` and `schema`. */
must_check struct batch *convert_batch(struct batch *source, const struct schema *schema,
                                       struct error *err);
