/* A connection to PostgreSQL for the commands that fill, compare and demonstrate. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

/* Connects; ERROR_CONFIG with libpq's reason, which never holds the password. */
must_check PGconn *database_connect(const char *url, struct error *err);
void database_close(PGconn **connection);

/* Runs statements whose rows nobody wants. ERROR_CONFIG when the server refuses them, ERROR_RETRY
 * when the connection is gone. */
must_check bool database_execute(PGconn *connection, const char *sql, struct error *err);

/* Runs one query; errors as database_execute(). */
must_check PGresult *database_query(PGconn *connection, const char *sql, struct error *err);
void database_result_free(PGresult **result);

/* Fails with the connection's last message, in one line. */
bool database_fail(PGconn *connection, const char *what, struct error *err);
