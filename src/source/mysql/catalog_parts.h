/* What the parts of the catalog share. */
#pragma once

#include "source/mysql/catalog.h"

/* An array of `count` items that lies in the arena, with room for one more: the same, or a larger
 * copy. */
void *my_catalog_grow(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                      size_t size);

/* Fills has_default, default_text and default_is_expression of a column whose other members are
 * known from COLUMN_DEFAULT (NULL: null) and EXTRA. A constant whose text is not exact (bytes,
 * timestamps of MySQL) counts as an expression. */
void my_catalog_read_default(struct my_catalog_column *c, bool is_mariadb, struct arena *arena,
                             const char *text, const char *extra);
