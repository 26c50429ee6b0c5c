#include "cli/database.h"

#include <string.h>

static void discard_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

bool database_fail(PGconn *connection, const char *what, struct error *err)
{
    const char *text = PQerrorMessage(connection);
    const char *severity = "ERROR:  ";
    if (strncmp(text, severity, strlen(severity)) == 0) {
        text += strlen(severity);
    }
    enum error_kind kind = PQstatus(connection) == CONNECTION_OK ? ERROR_CONFIG : ERROR_RETRY;
    return error_set(err, kind, "%s: %.*s", what, (int)strcspn(text, "\n"), text);
}

PGconn *database_connect(const char *url, struct error *err)
{
    owned(database_close) PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK) {
        const char *text = PQerrorMessage(connection);
        (void)error_set(err, ERROR_CONFIG, "cannot connect: %.*s", (int)strcspn(text, "\n"), text);
        return NULL;
    }
    (void)PQsetNoticeReceiver(connection, discard_notice, NULL);
    return take(connection);
}

void database_close(PGconn **connection)
{
    PQfinish(*connection);
    *connection = NULL;
}

void database_result_free(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

bool database_execute(PGconn *connection, const char *sql, struct error *err)
{
    owned(database_result_free) PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY ||
           database_fail(connection, "PostgreSQL", err);
}

PGresult *database_query(PGconn *connection, const char *sql, struct error *err)
{
    owned(database_result_free) PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        (void)database_fail(connection, "PostgreSQL", err);
        return NULL;
    }
    return take(result);
}
