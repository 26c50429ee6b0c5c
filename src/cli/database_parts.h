/* What a family of servers does for database.h. */
#pragma once

#include "cli/database.h"

struct database_type {
    struct database *(*connect)(const char *url, struct error *err);
    void (*close)(struct database *db);
    bool (*execute)(struct database *db, const char *sql, struct error *err);
    bool (*query)(struct database *db, const char *sql, struct database_rows *out,
                  struct error *err);
    bool (*export)(struct database *db, const char *sql, database_row_fn *fn, void *arg,
                   struct error *err);
    bool (*load_begin)(struct database *db, const char *table, struct error *err);
    bool (*load_row)(struct database *db, const struct sample_row *row, struct error *err);
    bool (*load_end)(struct database *db, struct error *err);
    bool (*mark)(struct database *db, struct position *out, struct error *err);
};

extern const struct database_type database_postgres;
extern const struct database_type database_mysql;

/* The first member of what each family has. */
struct database {
    const struct database_type *type;
};

enum { DATABASE_CHUNK_BYTES = 256 << 10 }; /* rows are sent when so many of them are together */
