/* Iceberg's types and schemas, beside the model's. [Iceberg spec, Schemas and Data Types; Appendix
 * C, Schemas; Appendix D, single-value serialization] */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "model/schema.h"

/* A column of a table's current or earlier schema. */
struct iceberg_field {
    int32_t id;
    const char *name;
    struct type type; /* the model's; see `is_nested` */
    const char *text; /* the type as the metadata writes it; JSON for nested types */
    bool required;
    bool is_nested;      /* struct, list, map: neither read nor written */
    bool is_identifier;  /* in identifier-field-ids */
    bool is_unsupported; /* a type that the model cannot hold: timestamp_ns, fixed ... are mapped
                            where they can be; variant, geometry ... cannot */
    const char *doc;
    const char *initial_default; /* JSON text; NULL: none */
};

struct iceberg_schema {
    int32_t id;
    struct iceberg_field *fields;
    uint32_t field_count;
};

/* The type in which Iceberg keeps a value of the model: int16 -> int32, json -> string ... */
struct type iceberg_stored_type(struct type source);

/* "int", "decimal(10, 2)", "timestamptz" ...: how metadata writes a type of the model that
 * iceberg_stored_type() returns. In the arena. */
const char *iceberg_type_text(struct type t, struct arena *a);

/* A primitive's text as a type of the model; false (no error): it has none. int and date as they
 * are; timestamp_ns and timestamptz_ns as timestamp and timestamptz; fixed(n) as binary. */
bool iceberg_type_parse(const char *text, struct type *out);

/* A schema object of the metadata, in the arena. ERROR_DATA, also for identifier fields that no
 * reader takes: not required, not primitive, floats. Where an identifier lies inside a struct, no
 * column is marked: some columns of a key are no key. */
must_check bool iceberg_schema_parse(const json_t *object, struct arena *a,
                                     struct iceberg_schema *out, struct error *err);

/* The model's schema: names, types, nullability, is_key for identifier fields, source_type and
 * source_number from the field's doc (written by iceberg_schema_make()). ERROR_DATA names a field
 * that is_unsupported or is_nested. */
struct schema *iceberg_schema_model(const struct iceberg_schema *s, struct error *err);

/* The metadata's schema object (new reference) for a schema of the table's types. `ids[i]` is the
 * field id of column i. Columns with is_key are required, as are those that are not nullable, and
 * are the identifier fields, unless the type of one of them (float) forbids it: then there are
 * none. `doc` keeps the source's type and number as JSON text. */
json_t *iceberg_schema_make(const struct schema *schema, const int32_t *ids, int32_t schema_id);

/* ---- single values ---- */

/* The binary form of Appendix D (bounds, partition summaries) of the value that value_format() or
 * lake_transform_text() writes as `text`. ERROR_DATA. */
must_check bool iceberg_value_parse(struct type type, const char *text, struct arena *a,
                                    struct str *out, struct error *err);

/* The reverse: text as value_format() writes it. int bounds of columns that are long today have 4
 * bytes: widths are taken from the bytes. ERROR_DATA for impossible lengths. */
must_check bool iceberg_value_text(struct type type, struct str bytes, struct arena *a,
                                   const char **out, struct error *err);
