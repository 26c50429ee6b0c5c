/* A connection to PostgreSQL, MySQL or MariaDB for the commands that fill, compare and demonstrate.
 * Sessions are in UTC and read SQL alike: "names", and 'texts' in which only quotes are doubled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/sample_rows.h"
#include "model/position.h"

struct database;

/* Connects to postgresql://... or mysql://... (also postgres://, mariadb://, and libpq's keywords).
 * ERROR_CONFIG with the server's reason, which never holds the password. */
must_check struct database *database_connect(const char *url, struct error *err);
void database_close(struct database **db);

/* MySQL or MariaDB: types have other names, schemas are databases. */
bool database_is_mysql(const struct database *db);

/* Runs statements, separated by semicolons, whose rows nobody wants. ERROR_CONFIG when the server
 * refuses them, ERROR_RETRY when the connection is gone. */
must_check bool database_execute(struct database *db, const char *sql, struct error *err);

/* All rows of a query, as text. */
struct database_rows {
    uint32_t row_count;
    uint32_t column_count;
    const char **values; /* row by row; NULL: null */
    struct arena arena;  /* holds them */
};

/* Runs one query; errors as database_execute(). */
must_check struct database_rows *database_query(struct database *db, const char *sql,
                                                struct error *err);
void database_rows_free(struct database_rows **rows);
const char *database_value(const struct database_rows *rows, uint32_t row, uint32_t column);

/* Receives a row as COPY's text format has it, without the line break. */
typedef void database_row_fn(void *arg, struct str row);

/* Runs one query and hands its rows on as they come; errors as database_execute(). */
must_check bool database_export(struct database *db, const char *sql, database_row_fn *fn,
                                void *arg, struct error *err);

/* Fills a table (its name is quoted already) with whole rows: begin, any number of rows, end. After
 * an error the connection can only be closed. */
must_check bool database_load_begin(struct database *db, const char *table, struct error *err);
must_check bool database_load_row(struct database *db, const struct sample_row *row,
                                  struct error *err);
must_check bool database_load_end(struct database *db, struct error *err);

/* A position of the server's log behind everything that was committed so far, which a pipeline will
 * reach also when nothing follows. */
must_check bool database_mark(struct database *db, struct position *out, struct error *err);
