/* Column mapping: what a table's columns are called in its files. [PROTOCOL.md, Column Mapping] */
#pragma once

#include "delta/action.h"
#include "model/schema.h"

/* In the arena of the schema, one for each of its columns. */
struct delta_mapping {
    const char *const *names; /* in files, in statistics and as keys of partition values */
    const int32_t *ids;       /* field ids by which files are read instead; NULL: by name */
    const int32_t *numbers;   /* of the columns, in either mode; NULL: they are not mapped */
};

/* Reads the mapping of the columns that `schema` has from the metadata it was parsed from; without
 * mapping the names are the columns' own. ERROR_CONFIG: a mode that is not known; ERROR_DATA: a
 * column without the name or id that its mode needs. */
must_check bool delta_mapping_read(const struct delta_metadata *m, struct schema *schema,
                                   struct delta_mapping *out, struct error *err);

/* True when the table's columns are mapped. */
bool delta_mapping_is_on(const struct delta_metadata *m);

/* The column that is called so in files, or -1. */
int delta_mapping_find(const struct delta_mapping *m, const struct schema *schema,
                       const char *name);
