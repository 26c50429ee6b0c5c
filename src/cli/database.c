#include "cli/database.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/database_parts.h"

static bool begins_with(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

struct database *database_connect(const char *url, struct error *err)
{
    bool is_mysql = begins_with(url, "mysql://") || begins_with(url, "mariadb://");
    return (is_mysql ? &database_mysql : &database_postgres)->connect(url, err);
}

void database_close(struct database **db)
{
    if (*db) {
        (*db)->type->close(take(*db));
    }
}

bool database_is_mysql(const struct database *db)
{
    return db->type == &database_mysql;
}

bool database_execute(struct database *db, const char *sql, struct error *err)
{
    return db->type->execute(db, sql, err);
}

struct database_rows *database_query(struct database *db, const char *sql, struct error *err)
{
    owned(database_rows_free) struct database_rows *rows = calloc(1, sizeof(*rows));
    if (!rows) {
        abort();
    }
    return db->type->query(db, sql, rows, err) ? take(rows) : NULL;
}

void database_rows_free(struct database_rows **rows)
{
    if (*rows) {
        arena_release(&(*rows)->arena);
        free(take(*rows));
    }
}

const char *database_value(const struct database_rows *rows, uint32_t row, uint32_t column)
{
    assert(row < rows->row_count && column < rows->column_count);
    return rows->values[(size_t)row * rows->column_count + column];
}

bool database_export(struct database *db, const char *sql, database_row_fn *fn, void *arg,
                     struct error *err)
{
    return db->type->export(db, sql, fn, arg, err);
}

bool database_load_begin(struct database *db, const char *table, struct error *err)
{
    return db->type->load_begin(db, table, err);
}

bool database_load_row(struct database *db, const struct sample_row *row, struct error *err)
{
    return db->type->load_row(db, row, err);
}

bool database_load_end(struct database *db, struct error *err)
{
    return db->type->load_end(db, err);
}

bool database_mark(struct database *db, struct position *out, struct error *err)
{
    return db->type->mark(db, out, err);
}
