/* What `leat changes` prints instead of rows: how many changes there are, or which files it opens.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/changes_request.h"

/* --stats: a line for each version of the range, then their sum. */
must_check bool changes_print_stats(struct changes_request *r, struct error *err);

/* --explain: the files, in the order in which they are opened. */
must_check bool changes_print_files(struct changes_request *r, struct error *err);
