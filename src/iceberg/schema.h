/* What the schemas' JSON says about nested fields too; not for others than this folder. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The largest field id in a schema or type object, those of nested fields, list elements, keys and
 * values included; 0: none. */
int64_t iceberg_schema_highest_id(const json_t *type);

/* The type (a text or an object, borrowed) of a field wherever it lies in a schema or type object;
 * NULL: there is no such field. */
const json_t *iceberg_schema_find(const json_t *type, int32_t id);
