#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "cli/database_parts.h"

struct postgres {
    struct database base;
    PGconn *connection;
    struct buf chunk; /* rows of a load that were not sent yet */
};

static PGconn *connection_of(struct database *db)
{
    return ((struct postgres *)db)->connection;
}

static void discard_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static void free_result(PGresult **result)
{
    PQclear(take(*result));
}

/* Fails with the connection's last message, in one line. */
static bool fail(PGconn *connection, const char *what, struct error *err)
{
    const char *text = PQerrorMessage(connection);
    const char *severity = "ERROR:  ";
    if (strncmp(text, severity, strlen(severity)) == 0) {
        text += strlen(severity);
    }
    enum error_kind kind = PQstatus(connection) == CONNECTION_OK ? ERROR_CONFIG : ERROR_RETRY;
    return error_set(err, kind, "%s: %.*s", what, (int)strcspn(text, "\n"), text);
}

static void postgres_close(struct database *db)
{
    struct postgres *p = (struct postgres *)db;
    PQfinish(p->connection);
    buf_release(&p->chunk);
    free(p);
}

static bool postgres_execute(struct database *db, const char *sql, struct error *err)
{
    owned(free_result) PGresult *result = PQexec(connection_of(db), sql);
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY ||
           fail(connection_of(db), "PostgreSQL", err);
}

static struct database *postgres_connect(const char *url, struct error *err)
{
    struct postgres *p = calloc(1, sizeof(*p));
    if (!p) {
        abort();
    }
    p->base.type = &database_postgres;
    p->connection = PQconnectdb(url);
    owned(database_close) struct database *db = &p->base;
    if (PQstatus(p->connection) != CONNECTION_OK) {
        const char *text = PQerrorMessage(p->connection);
        (void)error_set(err, ERROR_CONFIG, "cannot connect: %.*s", (int)strcspn(text, "\n"), text);
        return NULL;
    }
    (void)PQsetNoticeReceiver(p->connection, discard_notice, NULL);
    static const char session[] = "SET client_encoding = 'UTF8'; SET TimeZone = 'UTC';"
                                  " SET datestyle = 'ISO, YMD'; SET bytea_output = 'hex';"
                                  " SET extra_float_digits = 1;"
                                  " SET standard_conforming_strings = on";
    return postgres_execute(db, session, err) ? take(db) : NULL;
}

static bool postgres_query(struct database *db, const char *sql, struct database_rows *out,
                           struct error *err)
{
    owned(free_result) PGresult *result = PQexec(connection_of(db), sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        return fail(connection_of(db), "PostgreSQL", err);
    }
    out->row_count = (uint32_t)PQntuples(result);
    out->column_count = (uint32_t)PQnfields(result);
    size_t count = (size_t)out->row_count * out->column_count;
    out->values = arena_array(&out->arena, count, sizeof(*out->values));
    for (size_t i = 0; i < count; i++) {
        int row = (int)(i / out->column_count);
        int column = (int)(i % out->column_count);
        out->values[i] = PQgetisnull(result, row, column)
                             ? NULL
                             : arena_string(&out->arena, PQgetvalue(result, row, column),
                                            (size_t)PQgetlength(result, row, column));
    }
    return true;
}

static bool postgres_export(struct database *db, const char *sql, database_row_fn *fn, void *arg,
                            struct error *err)
{
    PGconn *connection = connection_of(db);
    struct buf copy = {0};
    buf_append_format(&copy, "COPY (%s) TO STDOUT", sql);
    owned(free_result) PGresult *begun = PQexec(connection, buf_text(&copy));
    buf_release(&copy);
    if (PQresultStatus(begun) != PGRES_COPY_OUT) {
        return fail(connection, "COPY", err);
    }
    int size = 0;
    char *row = NULL;
    while ((size = PQgetCopyData(connection, &row, 0)) > 0) {
        /* One line a message, with its line break. */
        fn(arg, (struct str){.data = row, .size = (size_t)size - 1});
        PQfreemem(row);
    }
    bool done = size == -1;
    for (PGresult *end = PQgetResult(connection); end; end = PQgetResult(connection)) {
        done = done && PQresultStatus(end) == PGRES_COMMAND_OK;
        PQclear(end);
    }
    return done || fail(connection, "COPY", err);
}

static bool postgres_load_begin(struct database *db, const char *table, struct error *err)
{
    struct postgres *p = (struct postgres *)db;
    buf_clear(&p->chunk);
    buf_append_format(&p->chunk, "COPY %s FROM STDIN", table);
    owned(free_result) PGresult *begun = PQexec(p->connection, buf_text(&p->chunk));
    buf_clear(&p->chunk);
    return PQresultStatus(begun) == PGRES_COPY_IN || fail(p->connection, "COPY", err);
}

static bool send_chunk(struct postgres *p, struct error *err)
{
    bool sent = PQputCopyData(p->connection, p->chunk.data, (int)p->chunk.size) == 1;
    buf_clear(&p->chunk);
    return sent || fail(p->connection, "COPY", err);
}

static bool postgres_load_row(struct database *db, const struct sample_row *row, struct error *err)
{
    struct postgres *p = (struct postgres *)db;
    sample_row_append_copy(row, &p->chunk);
    return p->chunk.size < DATABASE_CHUNK_BYTES || send_chunk(p, err);
}

static bool postgres_load_end(struct database *db, struct error *err)
{
    struct postgres *p = (struct postgres *)db;
    if (p->chunk.size > 0 && !send_chunk(p, err)) {
        return false;
    }
    bool done = PQputCopyEnd(p->connection, NULL) == 1;
    /* The connection is free when there is no more result. */
    for (PGresult *end = PQgetResult(p->connection); end; end = PQgetResult(p->connection)) {
        done = done && PQresultStatus(end) == PGRES_COMMAND_OK;
        PQclear(end);
    }
    return done || fail(p->connection, "COPY", err);
}

/* A message in the log with a commit of its own: something to arrive behind all changes. */
static bool postgres_mark(struct database *db, struct position *out, struct error *err)
{
    static const char mark[] = "SELECT pg_logical_emit_message(true, 'leat', '') - '0/0'::pg_lsn";
    owned(database_rows_free) struct database_rows *rows = database_query(db, mark, err);
    if (!rows) {
        return false;
    }
    *out = position_integer(strtoull(database_value(rows, 0, 0), NULL, 10));
    return true;
}

const struct database_type database_postgres = {
    .connect = postgres_connect,
    .close = postgres_close,
    .execute = postgres_execute,
    .query = postgres_query,
    .export = postgres_export,
    .load_begin = postgres_load_begin,
    .load_row = postgres_load_row,
    .load_end = postgres_load_end,
    .mark = postgres_mark,
};
