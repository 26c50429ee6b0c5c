/* What a sink last knew of its tables, kept in the state directory and written before each
 * acknowledgement: the proof that a table was not rolled back (rule 3). Losing the file loses the
 * proof, never data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "lake/lake.h"

struct progress_entry {
    const char *name; /* schema.table */
    const char *location;
    struct lake_expectation expectation;
};

struct progress_entries {
    struct progress_entry *items; /* in the arena they were read into */
    uint32_t count;
};

/* Reads the file; a missing one gives no entries. A damaged one is ERROR_CONFIG naming it and what
 * to do. */
must_check bool progress_file_read(const char *path, struct arena *a, struct progress_entries *out,
                                   struct error *err);

/* Replaces the file, durably. */
must_check bool progress_file_write(const char *path, const struct progress_entries *entries,
                                    struct error *err);

/* The entry of a table at a location, or NULL: another location is another table. */
const struct progress_entry *progress_entry_find(const struct progress_entries *entries,
                                                 const char *name, const char *location);
