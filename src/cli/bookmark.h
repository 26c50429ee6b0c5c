/* How far a consumer has read the changes of a table: <state_dir>/bookmarks/<name>.json. One
 * consumer at a time holds it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "lake/history.h"

struct bookmark {
    struct buf path;
    const char *name; /* borrowed */
    int lock;         /* file descriptor; -1: not held */
    bool exists;      /* something was read before: what follows is set */
    char *table_id;   /* owned */
    char *location;   /* owned */
    int64_t version;  /* the last that was read to its end */
};

enum { BOOKMARK_NAME_MAX = 100 };

/* True when the name can be a bookmark's: letters, digits, '.', '_', '-', not a dot in front. */
bool bookmark_name_is_good(const char *name);

enum bookmark_mode {
    BOOKMARK_LOOK,  /* it is not going to be moved */
    BOOKMARK_HOLD,  /* taken for this process until bookmark_release() */
    BOOKMARK_RESET, /* the same, and what it says is forgotten; the file stays until it is moved */
};

/* Reads the bookmark. ERROR_CONFLICT: another process holds it. ERROR_CONFIG: the file is damaged.
 */
must_check bool bookmark_open(struct bookmark *b, const char *state_dir, const char *name,
                              enum bookmark_mode mode, struct error *err);

/* The index of the first version that was not read: h->version_count when all were. ERROR_CONFIG:
 * the bookmark is another table's. ERROR_LOST: the version it stands at, or the one behind it, is
 * no longer in the table's history. */
must_check bool bookmark_find(const struct bookmark *b, const struct lake_history *h, size_t *next,
                              struct error *err);

/* Moves it, durably. */
must_check bool bookmark_write(struct bookmark *b, const struct lake_history *h,
                               const char *location, int64_t version, struct error *err);

void bookmark_release(struct bookmark *b);
