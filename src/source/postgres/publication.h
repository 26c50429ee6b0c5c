/* The publication: which tables and operations the server streams. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "source/postgres/catalog.h"

struct publication_options {
    const char *name;
    const struct catalog_tables *tables;
    int server_version;
};

/* Looks whether it exists and, if so, publishes all changes of all tables whole. ERROR_CONFIG: it
 * does not; the message names the statement that mends it. */
must_check bool publication_check(PGconn *c, const struct publication_options *options,
                                  bool *exists, struct error *err);

/* Makes it for the captured tables. */
must_check bool publication_create(PGconn *c, const struct publication_options *options,
                                   struct error *err);
