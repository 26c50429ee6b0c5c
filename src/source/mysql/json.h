/* MySQL's binary JSON (json_binary.h) as the text that the server prints for it. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Appends the document's text: separators ", " and ": ", keys in the stored order, as SELECT gives
 * it; opaque values as the server prints them. Size 0 is the JSON null. ERROR_FATAL: malformed or
 * nested more than 100 deep; never reads outside, never loops. */
must_check bool my_json_to_text(struct str document, struct buf *out, struct error *err);
