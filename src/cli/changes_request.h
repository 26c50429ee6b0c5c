/* What the user asked `leat changes` for: the table, its history, the range of versions and which
 * of their rows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/bookmark.h"
#include "cli/table_argument.h"
#include "lake/changes.h"

struct changes_request {
    struct arguments *arguments; /* borrowed */
    struct table_argument table;
    char *spill; /* owned; where the engine may put what does not fit into memory */
    struct engine *engine;
    struct engine_connection *connection;
    struct lake_history *history;
    struct lake_changes_options options; /* with the range first..last */
    bool is_empty;                       /* no version is in the range */
    bool has_bookmark;
    struct bookmark bookmark;
    int64_t limit; /* rows */
};

/* Reads the options and opens the table. ERROR_CONFIG for options that do not fit each other or the
 * table, and what bookmark_open() and bookmark_find() say. */
must_check bool changes_request_open(struct changes_request *r, struct arguments *a,
                                     struct error *err);

/* The id of the version at an index of the history. */
int64_t changes_request_id(const struct changes_request *r, size_t index);

/* Moves the bookmark, if there is one, behind the version at an index. */
must_check bool changes_request_consumed(struct changes_request *r, size_t index,
                                         struct error *err);

void changes_request_release(struct changes_request *r);
