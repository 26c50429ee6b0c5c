/* Values of PostgreSQL types, in their binary and their text form, into columns of a batch.
 *
 * Binary forms are those of the server's send functions, text forms those of its output functions
 * under the session settings of connection.c. Both give the same value. Nothing is rounded: what
 * the column cannot hold is ERROR_DATA. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/batch.h"
#include "model/type.h"

/* OIDs of built-in types (pg_type.dat); they never change. */
enum value_type_id {
    VALUE_AS_TEXT = 0, /* any type, in text form, as a string */
    VALUE_BOOL = 16,
    VALUE_BYTEA = 17,
    VALUE_NAME = 19,
    VALUE_INT8 = 20,
    VALUE_INT2 = 21,
    VALUE_INT4 = 23,
    VALUE_TEXT = 25,
    VALUE_JSON = 114,
    VALUE_FLOAT4 = 700,
    VALUE_FLOAT8 = 701,
    VALUE_BPCHAR = 1042,
    VALUE_VARCHAR = 1043,
    VALUE_DATE = 1082,
    VALUE_TIME = 1083,
    VALUE_TIMESTAMP = 1114,
    VALUE_TIMESTAMPTZ = 1184,
    VALUE_NUMERIC = 1700,
    VALUE_UUID = 2950,
    VALUE_JSONB = 3802,
};

enum value_form { VALUE_FORM_TEXT, VALUE_FORM_BINARY };

/* Larger values are refused. */
enum { VALUE_SIZE_MAX = 256 << 20 };

/* The type that values of a built-in type have in a stream; false: there is none. A numeric must
 * have a precision of at most 38 digits. */
bool value_native_type(uint32_t type_id, int32_t typmod, struct type *out);

/* Stores one value that is not null. `type_id` is VALUE_AS_TEXT or one that value_native_type()
 * knows, and its native type widens to the column's: int4 may go into an int64 column. Text is
 * checked to be UTF-8. */
must_check bool value_store(uint32_t type_id, enum value_form form, struct str data,
                            struct batch *b, uint32_t column, uint32_t row, struct error *err);
