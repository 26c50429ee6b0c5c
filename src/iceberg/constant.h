/* Values that the metadata gives to columns which data files may lack, as texts that SQL casts to
 * the column's type. [Iceberg spec, Column Projection; Default values] */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "iceberg/metadata.h"
#include "lake/lake.h"

/* The values, in the arena, of the columns by whose own value a file was chosen: all of its rows
 * have it, and writers such as those that adopt directories of Hive leave it out of the file.
 * `texts` are those of the spec's fields, NULL for null. */
struct lake_file_value *iceberg_constants(const struct iceberg_spec *spec, const char *const *texts,
                                          struct arena *a, uint32_t *count);

/* The value that rows from before a column show in it; *out NULL: null. ERROR_DATA: not a value of
 * the column's type; ERROR_CONFIG: a kind that is not read. */
must_check bool iceberg_default_text(const struct iceberg_field *field, struct arena *a,
                                     const char **out, struct error *err);
