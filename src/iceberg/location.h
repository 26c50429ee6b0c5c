/* Paths in Iceberg metadata are URIs that are compared as strings and never decoded. Local ones
 * come as file:///a, file:/a or /a. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* The local path of a URI (within it), or NULL: another scheme. A path without a scheme is local.
 */
const char *iceberg_location_path(const char *uri);

/* Appends the store key of a path of a table at `location`. ERROR_CONFIG: it lies outside, where a
 * manifest may point to anything. */
must_check bool iceberg_location_key(const char *location, const char *path, struct buf *out,
                                     struct error *err);

/* Appends <location>/<key>. */
void iceberg_location_join(const char *location, const char *key, struct buf *out);
