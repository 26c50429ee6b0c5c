/* What the files that decode table maps share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reader.h"
#include "source/mysql/table_map.h"

/* How a type's metadata is stored. */
enum table_map_metadata {
    METADATA_UNKNOWN, /* of a type that we do not know */
    METADATA_NONE,
    METADATA_SIZE,         /* of the value, one byte */
    METADATA_FRACTION,     /* digits, one byte */
    METADATA_LENGTH_BYTES, /* of the length before the value: one byte, 1 to 4 */
    METADATA_LENGTH,       /* two bytes */
    METADATA_BIT,          /* bits, whole bytes */
    METADATA_DECIMAL,      /* precision, scale */
    METADATA_STRING,       /* real type, length */
};

/* How a type is shown; what stands behind the name comes from the metadata. */
enum table_map_form {
    FORM_PLAIN,
    FORM_FRACTION,
    FORM_BIT,
    FORM_DECIMAL,
    FORM_STRING, /* `name`, or `binary` and a length */
    FORM_BLOB,
};

struct table_map_type {
    const char *name;
    enum table_map_metadata metadata;
    enum table_map_form form;
    bool is_number; /* has a sign in the optional metadata */
    bool is_text;   /* has a collation there; those of enum and set stand apart */
    const char *binary;
};

/* Never NULL. */
const struct table_map_type *table_map_type_of(enum my_type type);

/* Reads what follows the columns: fields that binlog_row_metadata adds. A malformed one fails the
 * reader; unknown ones are skipped. */
void table_map_read_optional(struct reader *r, struct arena *arena, struct table_map *out);
