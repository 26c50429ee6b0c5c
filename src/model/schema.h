/* The columns of a table in one schema version. Immutable once published; shared by reference
 * count. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"
#include "model/type.h"

struct schema_column {
    const char *name;
    struct type type;
    bool nullable;
    bool is_key; /* part of the key that identifies a row */
    const char
        *source_type; /* how the source calls it: "numeric(10,2)"; for metadata and messages */
    int32_t
        source_number; /* by which the source knows the column whatever its name; 0: it does not */
    bool fills_old_rows; /* rows from before the column may show a value in it, without an event */
};

struct schema {
    struct arena arena;  /* owns the names */
    uint32_t references; /* atomic */
    uint32_t version;    /* counts up within one run of a source */
    uint32_t column_count;
    uint32_t key_count; /* columns with is_key; 0: no key, append only */
    struct schema_column *columns;
};

/* A schema with `column_count` zeroed columns and one reference; fill them, then schema_seal(). */
struct schema *schema_new(uint32_t column_count);

/* Counts the key columns; nothing changes after this. */
void schema_seal(struct schema *s);

/* Copies a name into the schema's arena. */
const char *schema_name(struct schema *s, struct str name);

struct schema *schema_reference(const struct schema *s);

/* Drops a reference; NULL is fine. schema_free() is for `owned(schema_free)`. */
void schema_release(struct schema *s);
void schema_free(struct schema **s);

/* Index of the column with that exact name, or -1. */
int schema_find(const struct schema *s, struct str name);

/* True when names, types, nullability and keys are the same, in the same order. */
bool schema_equal(const struct schema *a, const struct schema *b);

/* A table's name at the source. Borrowed strings. Printed as schema.table. */
struct table_name {
    const char *schema;
    const char *table;
};
