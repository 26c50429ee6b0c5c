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

/* Whether the role has the rights to make it: on the database, and as owner of the tables. */
must_check bool publication_can_create(PGconn *c, const struct publication_options *options,
                                       bool *can, struct error *err);

/* The statement that makes it. */
void publication_append_sql(const struct publication_options *options, struct buf *sql);
