/* What the server's catalog says: about itself, about tables, columns and types. Everything is
 * "now": the replication stream may still be behind it. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/schema.h"

struct catalog_server {
    int version; /* 150004 is 15.4 */
    const char *wal_level;
    const char *system_identifier;
    const char *database;
    const char *role;
    bool can_replicate; /* superuser, REPLICATION, or a managed service's role for it */
    bool in_recovery;
    uint32_t slots_max;
    uint32_t slots_used;
    uint32_t senders_max;
    uint32_t senders_used;
};

/* A type as a column has it: with its typmod, domains followed to their base. */
struct catalog_type {
    const char
        *name; /* format_type(): "numeric(10,2)", "public.mood"; NULL: it does not exist any more */
    const char *bare_name;  /* without typmod: "numeric" */
    const char *short_name; /* pg_type.typname: "int4", "_int4" */
    uint32_t base_id;       /* of the base type; of the element's base type when `is_array` */
    int32_t base_typmod;
    bool is_array;
};

struct catalog_column {
    const char *name;
    int32_t number; /* attnum: a dropped and re-added column has another one */
    uint32_t type_id;
    int32_t typmod;
    bool not_null;
    bool is_generated; /* never in the stream */
    bool has_missing;  /* added with a constant default: old rows show it, and no event says so */
    bool has_default;  /* for new rows */
    bool is_key; /* of the replica identity's index, or of the primary key where that is full */
    bool can_be_large;   /* may arrive unchanged: stored out of line */
    uint32_t changed_by; /* xmin of the catalog row: moves with every ALTER COLUMN */
    struct catalog_type type;
};

struct catalog_table {
    struct table_name name;
    uint32_t id;
    uint32_t file_node; /* another one: the table was rewritten or truncated */
    char kind;          /* pg_class.relkind */
    char persistence;
    char replica_identity; /* d, n, f, i */
    bool is_partition;
    bool can_select;
    uint64_t row_estimate;
    uint32_t column_count;
    struct catalog_column *columns; /* live ones in order */
};

struct catalog_tables {
    struct catalog_table *items;
    uint32_t count;
};

must_check bool catalog_read_server(PGconn *c, struct arena *arena, struct catalog_server *out,
                                    struct error *err);

/* The tables of `patterns` ("schema.table" or "schema.*") with their columns, each once.
 * ERROR_CONFIG: a table does not exist, is no plain permanent table, or a pattern finds none.
 * "schema.*" skips partitioned parents (their partitions are tables), views, foreign and unlogged
 * tables. */
must_check bool catalog_read_tables(PGconn *c, const struct config_strings *patterns,
                                    struct arena *arena, struct catalog_tables *out,
                                    struct error *err);

/* One table by OID; `out->id` is 0 when it does not exist any more. */
must_check bool catalog_read_table(PGconn *c, uint32_t id, struct arena *arena,
                                   struct catalog_table *out, struct error *err);

/* Types by OID and typmod, in the order asked for. */
struct catalog_type_id {
    uint32_t id;
    int32_t typmod;
};
must_check bool catalog_read_types(PGconn *c, const struct catalog_type_id *ids, uint32_t count,
                                   struct arena *arena, struct catalog_type *out,
                                   struct error *err);

/* The column of that name, or NULL. */
const struct catalog_column *catalog_find_column(const struct catalog_table *table,
                                                 struct str name);

/* "schema"."table", quoted, into a statement. */
void catalog_append_name(struct buf *sql, struct table_name name);

/* False, with ERROR_CONFIG and the statement that mends it: without an identity the publication
 * would make the application's updates and deletes fail. */
must_check bool catalog_check_identity(const struct catalog_table *table, struct error *err);
