/* Paths in the log are URIs, relative to the table or absolute. They are encoded once and decoded
 * once; the raw text is what identifies a file. [PROTOCOL.md, Add File and Remove File] */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Appends the URI of a store key. */
void delta_path_encode(const char *key, struct buf *out);

/* Appends the store key of a path. ERROR_CONFIG: an absolute path, which may lead anywhere. */
must_check bool delta_path_key(const char *path, struct buf *out, struct error *err);
