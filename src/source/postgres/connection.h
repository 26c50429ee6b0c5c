/* Connections to the server: opened with the session settings that the decoders rely on, and errors
 * by what to do next. No message holds a secret. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct connection_options {
    const char *url;      /* URI or key=value string; holds secrets */
    const char *pipeline; /* names the session at the server: "leat <pipeline>" */
    int64_t connect_timeout_ms;
    bool replication; /* a walsender of the database instead of a backend */
};

/* Connects and sets the session up. Free with connection_free(). Wrong role, password, database or
 * url: ERROR_CONFIG; refused, timed out, starting or stopping: ERROR_RETRY. */
must_check PGconn *connection_open(const struct connection_options *options, struct error *err);
void connection_free(PGconn **c);
void result_free(PGresult **r);

/* Runs one statement; NULL unless it gave rows or was done. Free with result_free(). */
must_check PGresult *connection_query(PGconn *c, const char *sql, struct error *err);

/* The same with text parameters $1.. ; not on replication connections. */
must_check PGresult *connection_query_with(PGconn *c, const char *sql, int count,
                                           const char *const *values, struct error *err);

/* Runs a statement without a result. */
must_check bool connection_execute(PGconn *c, const char *sql, struct error *err);

/* Fills `err` from a failed result, or from the connection when `r` is NULL or has no error.
 * Returns false. */
bool connection_error(PGconn *c, const PGresult *r, struct error *err);

/* What an SQLSTATE asks for; the empty string means that the connection broke. */
enum error_kind connection_error_kind(const char *sqlstate);

/* False, with an error that does not repeat it, unless the url can be parsed and cannot make libpq
 * show a part of an unescaped password as host, port or database. */
must_check bool connection_check_url(const char *url, struct error *err);
