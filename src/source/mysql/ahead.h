/* Reads the log ahead of the stream: how often it alters captured tables between a position and
 * where it ends now. Without column names in the log only this tells whether the catalog, which
 * knows the table as it is now, describes the rows in between. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "source/mysql/dump.h"
#include "source/mysql/relation.h"

struct ahead_options {
    struct dump_options dump; /* where it begins; server_id and until_end are set here */
    const struct my_relation *relations;
    uint32_t relation_count;
    const char *pipeline;
};

/* Sets counts[i] to the number of statements that reshape relations[i]. */
must_check bool ahead_count(const struct ahead_options *options, uint32_t *counts,
                            struct error *err);
