/* Percent-encoding of paths (RFC 3986): file URLs, partition directories, paths in table metadata.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Appends `text` with every byte encoded that is not unreserved (A-Z a-z 0-9 - . _ ~) nor in
 * `keep`. */
void uri_encode(struct str text, const char *keep, struct buf *out);

/* Appends the decoded text. ERROR_DATA: a '%' without two hexadecimal digits, or an encoded NUL. */
must_check bool uri_decode(struct str text, struct buf *out, struct error *err);

/* Length of the scheme in front of "://", or 0. */
size_t uri_scheme(const char *text);
