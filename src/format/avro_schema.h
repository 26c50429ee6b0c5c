/* An Avro schema as a tree, from its JSON. [Avro 1.11, Schema Declaration; Names] */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Deeper schemas and values are refused. */
enum { AVRO_DEPTH_MAX = 64 };

enum avro_type {
    AVRO_TYPE_NULL,
    AVRO_TYPE_BOOLEAN,
    AVRO_TYPE_INT,
    AVRO_TYPE_LONG,
    AVRO_TYPE_FLOAT,
    AVRO_TYPE_DOUBLE,
    AVRO_TYPE_BYTES,
    AVRO_TYPE_STRING,
    AVRO_TYPE_FIXED,
    AVRO_TYPE_ENUM,
    AVRO_TYPE_ARRAY,
    AVRO_TYPE_MAP,
    AVRO_TYPE_UNION,
    AVRO_TYPE_RECORD,
};

struct avro_schema;

struct avro_schema_field {
    const char *name;
    int32_t id; /* field-id; -1: none */
    const struct avro_schema *schema;
};

struct avro_schema {
    enum avro_type type;
    uint32_t count;                      /* of symbols, branches or fields */
    uint32_t size;                       /* bytes of a fixed */
    const struct avro_schema *item;      /* of an array; a map's values */
    const struct avro_schema **branches; /* of a union */
    struct avro_schema_field *fields;    /* of a record */
};

/* Records may contain themselves: the tree is a graph then. In the arena. NULL: ERROR_DATA. */
must_check const struct avro_schema *avro_schema_parse(struct str json, struct arena *a,
                                                       struct error *err);
