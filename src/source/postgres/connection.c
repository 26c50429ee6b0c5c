#include "source/postgres/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* Output functions obey these; both load and stream read what they print. Names are resolved in
 * pg_catalog alone, and a policy that would hide rows is an error instead of a smaller table. */
static const char session_sql[] =
    "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; "
    "SET extra_float_digits = 3; SET bytea_output = 'hex'; SET lc_monetary = 'C'; "
    "SET client_encoding = 'UTF8'; SET search_path = ''; SET row_security = off; "
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0";

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

enum error_kind connection_error_kind(const char *sqlstate)
{
    static const struct {
        const char *prefix; /* the first that fits counts */
        enum error_kind kind;
    } kinds[] = {
        {"08", ERROR_RETRY},     /* connection exception */
        {"0A", ERROR_CONFIG},    /* feature not supported */
        {"22023", ERROR_CONFIG}, /* invalid parameter value */
        {"28", ERROR_CONFIG},    /* authentication */
        {"3D000", ERROR_CONFIG}, /* no such database */
        {"3F000", ERROR_CONFIG}, /* no such schema */
        {"40", ERROR_RETRY},     /* serialization failure, deadlock */
        {"42501", ERROR_CONFIG}, /* insufficient privilege */
        {"42704", ERROR_CONFIG}, /* no such slot or publication */
        {"42P01", ERROR_CONFIG}, /* no such table */
        {"53400", ERROR_CONFIG}, /* max_replication_slots */
        {"53", ERROR_RETRY},     /* out of connections, memory, disk */
        {"55006", ERROR_RETRY},  /* slot in use */
        {"55P03", ERROR_RETRY},  /* lock not available */
        {"55", ERROR_CONFIG},    /* wal_level and the like */
        {"57", ERROR_RETRY},     /* shutting down, starting, cancelled */
        {"58", ERROR_RETRY},     /* the server's own disk */
    };
    if (sqlstate[0] == '\0') {
        return ERROR_RETRY;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(sqlstate, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
            return kinds[i].kind;
        }
    }
    return ERROR_FATAL;
}

/* Copies libpq's text in one line: without severity, the location and the final newline. */
static void copy_message(const char *text, char *out, size_t size)
{
    size_t n = 0;
    while (*text && n + 3 < size) {
        if (*text != '\n') {
            out[n++] = *text++;
            continue;
        }
        text++;
        if (strncmp(text, "LOCATION:", 9) == 0) {
            break;
        }
        if (*text) {
            out[n++] = ';';
            out[n++] = ' ';
            text += strspn(text, " \t");
        }
    }
    out[n] = '\0';
}

bool connection_error(PGconn *c, const PGresult *r, struct error *err)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    char message[512];
    if (!state) {
        copy_message(PQerrorMessage(c), message, sizeof(message));
        return error_set(err, ERROR_RETRY, "connection to the server lost: %s", message);
    }
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);
    copy_message(primary ? primary : "unknown error", message, sizeof(message));
    return error_set(err, connection_error_kind(state), "%s (SQLSTATE %s)%s%s", message, state,
                     hint ? "; " : "", hint ? hint : "");
}

bool connection_check_url(const char *url, struct error *err)
{
    const char *rest = strstr(url, "://");
    if (rest && (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)) {
        rest += 3;
        size_t end = strcspn(rest, "?");
        size_t first_at = strcspn(rest, "@");
        if (first_at < end) {
            const char *second_at = memchr(rest + first_at + 1, '@', end - first_at - 1);
            if (second_at || memchr(rest, '/', first_at)) {
                return error_set(
                    err, ERROR_CONFIG,
                    "source url: user or password holds '@' or '/'; write them as %%40 and %%2F");
            }
        }
    }
    char *reason = NULL; /* may repeat parts of the url: never shown */
    PQconninfoOption *options = PQconninfoParse(url, &reason);
    PQfreemem(reason);
    if (!options) {
        return error_set(
            err, ERROR_CONFIG,
            "source url is not a PostgreSQL connection string (postgresql://user:password@host:port/database)");
    }
    PQconninfoFree(options);
    return true;
}

/* libpq has no call for the SQLSTATE of a failed connection; in its verbose form the text has it,
 * after two blanks: "FATAL:  28P01: password authentication failed". Cuts it out of the text. */
static void cut_sqlstate(char *message, char sqlstate[6])
{
    sqlstate[0] = '\0';
    for (char *p = message; (p = strstr(p, ":  ")) != NULL; p += 3) {
        if (strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 &&
            strncmp(p + 8, ": ", 2) == 0) {
            memcpy(sqlstate, p + 3, 5);
            sqlstate[5] = '\0';
            memmove(p + 3, p + 10, strlen(p + 10) + 1);
        }
    }
}

static bool connect_failed(PGconn *c, struct error *err)
{
    char message[512];
    char sqlstate[6];
    copy_message(PQerrorMessage(c), message, sizeof(message));
    cut_sqlstate(message, sqlstate);
    enum error_kind kind =
        PQconnectionNeedsPassword(c) ? ERROR_CONFIG : connection_error_kind(sqlstate);
    return error_set(err, kind, "cannot connect: %s", message);
}

static bool wait_for_connection(PGconn *c, int64_t timeout_ms, struct error *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) {
            return connect_failed(c, err);
        }
        struct pollfd fd = {.fd = PQsocket(c),
                            .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        int ready = poll(&fd, 1, left_ms > 0 ? (int)left_ms : 0);
        if (ready < 0 && errno != EINTR) {
            return error_errno(err, ERROR_FATAL, "cannot wait for the connection");
        }
        if (ready == 0) {
            return error_set(err, ERROR_RETRY,
                             "cannot connect to %s port %s: no answer within %lld ms",
                             PQhost(c) ? PQhost(c) : "the server", PQport(c) ? PQport(c) : "",
                             (long long)timeout_ms);
        }
        if (ready > 0) {
            state = PQconnectPoll(c);
        }
    }
    return true;
}

PGconn *connection_open(const struct connection_options *options, struct error *err)
{
    if (!connection_check_url(options->url, err)) {
        return NULL;
    }
    char application[64];
    (void)snprintf(application, sizeof(application), "leat %s", options->pipeline);
    /* What comes before dbname the url may set otherwise. A dead peer is noticed within about a
     * minute. */
    const char *const keys[] = {"keepalives",
                                "keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "dbname",
                                "application_name",
                                "client_encoding",
                                options->replication ? "replication" : NULL,
                                NULL};
    const char *const values[] = {"1",         "30",   "10",       "3", options->url,
                                  application, "UTF8", "database", NULL};

    owned(connection_free) PGconn *c = PQconnectStartParams(keys, values, 1);
    if (!c || PQstatus(c) == CONNECTION_BAD) {
        if (c) {
            connect_failed(c, err);
        } else {
            error_set(err, ERROR_FATAL, "cannot connect: out of memory");
        }
        return NULL;
    }
    (void)PQsetNoticeReceiver(c, ignore_notice, NULL);
    (void)PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
    if (!wait_for_connection(c, options->connect_timeout_ms, err)) {
        return NULL;
    }
    (void)PQsetErrorVerbosity(c, PQERRORS_DEFAULT);
    if (!connection_execute(c, session_sql, err)) {
        error_wrap(err, "cannot set up the session");
        return NULL;
    }
    return take(c);
}

void connection_free(PGconn **c)
{
    PQfinish(take(*c));
}

void result_free(PGresult **r)
{
    PQclear(take(*r));
}

static PGresult *checked(PGconn *c, PGresult *r, struct error *err)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return r;
    }
    connection_error(c, r, err);
    PQclear(r);
    return NULL;
}

PGresult *connection_query(PGconn *c, const char *sql, struct error *err)
{
    return checked(c, PQexec(c, sql), err);
}

PGresult *connection_query_with(PGconn *c, const char *sql, int count, const char *const *values,
                                struct error *err)
{
    return checked(c, PQexecParams(c, sql, count, NULL, values, NULL, NULL, 0), err);
}

bool connection_execute(PGconn *c, const char *sql, struct error *err)
{
    owned(result_free) PGresult *r = connection_query(c, sql, err);
    return r != NULL;
}
