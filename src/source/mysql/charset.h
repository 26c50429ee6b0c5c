/* Character sets of the servers and their bytes as UTF-8. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* As the servers name them: "utf8mb4", "latin1", "gbk". An index into a table; 0: unknown. */
enum my_charset { MY_CHARSET_UNKNOWN = 0, MY_CHARSET_BINARY = 1, MY_CHARSET_UTF8 = 2 };

/* The character set of that name; utf8mb4, utf8mb3, utf8 and ascii are MY_CHARSET_UTF8. UNKNOWN: we
 * cannot convert it. */
enum my_charset my_charset_find(struct str name);

/* The character set of a collation's number (MySQL: collations of 8.0 and 9; MariaDB: those of
 * 10.11, also its numbers above 2048). */
enum my_charset my_charset_of_collation(uint32_t collation, bool is_mariadb);

/* The name, for messages. */
const char *my_charset_name(enum my_charset charset);

/* Appends bytes as UTF-8. MY_CHARSET_UTF8 are checked. ERROR_DATA: not text in that character set.
 * Any thread. */
must_check bool my_charset_to_utf8(enum my_charset charset, struct str bytes, struct buf *out,
                                   struct error *err);
