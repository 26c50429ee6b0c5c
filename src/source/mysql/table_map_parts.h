/* What the files that decode table maps share. */
#pragma once

#include "base/arena.h"
#include "base/reader.h"
#include "source/mysql/table_map.h"

/* Reads what follows the columns: fields that binlog_row_metadata adds. A malformed one fails the
 * reader; unknown ones are skipped. */
void table_map_read_optional(struct reader *r, struct arena *arena, struct table_map *out);
