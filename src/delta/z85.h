/* Z85 (ZeroMQ RFC 32): four bytes as five characters. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Appends the text of bytes whose number is a multiple of four. */
void z85_encode(struct str bytes, struct buf *out);

/* Appends the bytes. ERROR_DATA: a foreign character, a length that is no multiple of five, or a
 * group over 32 bits. A last group that begins with k '#' and is over 32 bits as a whole stands for
 * 4 - k bytes: that is how one writer pads, and its files exist. */
must_check bool z85_decode(struct str text, struct buf *out, struct error *err);
