/* A position in a line of the log. */
#pragma once

#include "base/log.h"
#include "base/str.h"
#include "model/position.h"

/* A number where it is one, else its text, which `text` holds for as long as the field is used. */
struct log_field position_field(const char *key, struct position position, struct buf *text);
