#include <mysql.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli/database_parts.h"
#include "cli/row_checksum.h"
#include "source/mysql/connection.h"
#include "source/mysql/server.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

struct mysql {
    struct database base;
    MYSQL *connection;
    struct buf table; /* that a load fills */
    struct buf chunk; /* rows of a load that were not sent yet, as one INSERT */
};

static MYSQL *connection_of(struct database *db)
{
    return ((struct mysql *)db)->connection;
}

/* Fails with the connection's last message. */
static bool fail(MYSQL *c, struct error *err)
{
    unsigned number = mysql_errno(c);
    bool passes = my_connection_error_kind(number) == ERROR_RETRY;
    const char *product = strstr(mysql_get_server_info(c), "MariaDB") ? "MariaDB" : "MySQL";
    return error_set(err, passes ? ERROR_RETRY : ERROR_CONFIG, "%s: %s (error %u)", product,
                     mysql_error(c), number);
}

static void mysql_close_database(struct database *db)
{
    struct mysql *m = (struct mysql *)db;
    my_connection_free(&m->connection);
    buf_release(&m->table);
    buf_release(&m->chunk);
    free(m);
}

static bool mysql_execute(struct database *db, const char *sql, struct error *err)
{
    MYSQL *c = connection_of(db);
    if (mysql_real_query(c, sql, strlen(sql)) != 0) {
        return fail(c, err);
    }
    int next = 0; /* -1: that was the last statement's result */
    for (; next == 0; next = mysql_next_result(c)) {
        mysql_free_result(mysql_store_result(c));
        if (mysql_errno(c) != 0) {
            return fail(c, err);
        }
    }
    return next < 0 || fail(c, err);
}

static struct database *mysql_connect_database(const char *url, struct error *err)
{
    struct mysql *m = calloc(1, sizeof(*m));
    if (!m) {
        abort();
    }
    m->base.type = &database_mysql;
    owned(database_close) struct database *db = &m->base;
    struct my_connection_options options = {
        .url = url, .pipeline = "tool", .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    m->connection = my_connection_open(&options, err);
    if (!m->connection) {
        (void)error_recast(err, ERROR_CONFIG); /* nobody tries again */
        return NULL;
    }
    if (mysql_set_server_option(m->connection, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0) {
        (void)fail(m->connection, err);
        return NULL;
    }
    static const char session[] =
        "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'";
    return mysql_execute(db, session, err) ? take(db) : NULL;
}

static bool mysql_query_rows(struct database *db, const char *sql, struct database_rows *out,
                             struct error *err)
{
    MYSQL *c = connection_of(db);
    owned(my_result_free) MYSQL_RES *result = my_connection_query(c, sql, err);
    if (!result) {
        return error_recast(err, my_connection_error_kind(mysql_errno(c)) == ERROR_RETRY
                                     ? ERROR_RETRY
                                     : ERROR_CONFIG);
    }
    out->row_count = (uint32_t)mysql_num_rows(result);
    out->column_count = mysql_num_fields(result);
    size_t count = (size_t)out->row_count * out->column_count;
    out->values = arena_array(&out->arena, count, sizeof(*out->values));
    for (size_t i = 0; i < count; i += out->column_count) {
        MYSQL_ROW row = mysql_fetch_row(result);
        const unsigned long *sizes = mysql_fetch_lengths(result);
        for (uint32_t k = 0; k < out->column_count; k++) {
            out->values[i + k] = row[k] ? arena_string(&out->arena, row[k], sizes[k]) : NULL;
        }
    }
    return true;
}

static bool mysql_export(struct database *db, const char *sql, database_row_fn *fn, void *arg,
                         struct error *err)
{
    MYSQL *c = connection_of(db);
    if (mysql_real_query(c, sql, strlen(sql)) != 0) {
        return fail(c, err);
    }
    owned(my_result_free) MYSQL_RES *result = mysql_use_result(c);
    if (!result) {
        return fail(c, err);
    }
    struct buf text = {0};
    MYSQL_ROW row = NULL;
    while ((row = mysql_fetch_row(result))) {
        const unsigned long *sizes = mysql_fetch_lengths(result);
        buf_clear(&text);
        for (uint32_t i = 0; i < mysql_num_fields(result); i++) {
            if (row[i]) {
                row_append_value(&text, i == 0, (struct str){.data = row[i], .size = sizes[i]});
            } else {
                row_append_null(&text, i == 0);
            }
        }
        fn(arg, buf_str(&text));
    }
    buf_release(&text);
    return mysql_errno(c) == 0 || fail(c, err);
}

static bool mysql_load_begin(struct database *db, const char *table, struct error *err)
{
    (void)err;
    struct mysql *m = (struct mysql *)db;
    buf_clear(&m->chunk);
    buf_clear(&m->table);
    buf_append_text(&m->table, table);
    return true;
}

/* Each statement is a transaction. */
static bool send_chunk(struct mysql *m, struct error *err)
{
    bool sent = mysql_execute(&m->base, buf_text(&m->chunk), err);
    buf_clear(&m->chunk);
    return sent;
}

static bool mysql_load_row(struct database *db, const struct sample_row *row, struct error *err)
{
    struct mysql *m = (struct mysql *)db;
    if (m->chunk.size == 0) {
        buf_append_format(&m->chunk, "INSERT INTO %s VALUES (", buf_text(&m->table));
    } else {
        buf_append_text(&m->chunk, ", (");
    }
    for (uint32_t i = 0; i < row->field_count; i++) {
        buf_append_text(&m->chunk, i > 0 ? ", " : "");
        sample_row_append_literal(row, i, true, &m->chunk);
    }
    buf_append_char(&m->chunk, ')');
    return m->chunk.size < DATABASE_CHUNK_BYTES || send_chunk(m, err);
}

static bool mysql_load_end(struct database *db, struct error *err)
{
    struct mysql *m = (struct mysql *)db;
    return m->chunk.size == 0 || send_chunk(m, err);
}

/* The end of the log is that of the last commit, which every reader reaches. */
static bool mysql_mark(struct database *db, struct position *out, struct error *err)
{
    owned(arena_release) struct arena arena = {0};
    struct my_server server;
    struct my_log_place place;
    if (!my_server_read(connection_of(db), &arena, &server, err) ||
        !my_server_log_end(connection_of(db), &server, out, &place, err)) {
        return false;
    }
    uint64_t packed = 0;
    if (out->kind == POSITION_NONE) { /* a server without GTIDs */
        if (!my_log_place_pack(&place, &packed)) {
            return error_set(err, ERROR_CONFIG, "the log file \"%s\" has no number in its name",
                             place.file);
        }
        *out = position_integer(packed);
    }
    return true;
}

const struct database_type database_mysql = {
    .connect = mysql_connect_database,
    .close = mysql_close_database,
    .execute = mysql_execute,
    .query = mysql_query_rows,
    .export = mysql_export,
    .load_begin = mysql_load_begin,
    .load_row = mysql_load_row,
    .load_end = mysql_load_end,
    .mark = mysql_mark,
};
