/* The reverse of value_format(): texts of partition values and of bounds become values again. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/type.h"

/* Reads the text that value_format() writes for a type: type_width(type) bytes into `out`, for text
 * and binary a struct view of bytes in the arena. Decimals may have fewer digits than their scale.
 * ERROR_DATA: not a value of the type. */
must_check bool value_parse(struct type type, struct str text, struct arena *a, void *out,
                            struct error *err);
