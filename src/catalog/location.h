/* Locations of tables as URIs: what stands in table metadata, which other programs read from other
 * directories. Inside src/catalog only. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "iceberg/catalog.h"

/* Appends a location as a URI without a trailing slash: a path becomes file:///absolute/path,
 * without "." and "..". ERROR_CONFIG: it is empty, or its path has characters that programs read
 * differently in a URI ('%', '?', '#'). */
must_check bool location_resolve(const char *location, struct buf *out, struct error *err);

/* Appends "/level/level/table". ERROR_CONFIG: a part of the name is empty, "." or "..", or has a
 * '/' or one of the characters above. */
must_check bool location_append_name(const struct iceberg_name *name, struct buf *out,
                                     struct error *err);
