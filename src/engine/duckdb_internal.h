/* What the files of engine/ share. */
#pragma once

#include <duckdb.h>
#include <pthread.h>

#include "engine/engine.h"

struct engine {
    duckdb_database database;
    pthread_mutex_t lock;                   /* over the two below */
    struct engine_connection **connections; /* by number; NULL where it was closed */
    uint32_t connection_count;
};

struct engine_connection {
    struct engine *engine;
    duckdb_connection connection;
    uint32_t number; /* by which SQL names it: never an address, users write SQL too */
    bool bound[ENGINE_SLOTS];
    struct engine_input slots[ENGINE_SLOTS];
};

struct engine_statement {
    duckdb_prepared_statement prepared;
};

/* Registers the table function that reads slots. */
must_check bool input_register(struct engine *e, duckdb_connection connection, struct error *err);

/* The model's type of a DuckDB type. ERROR_DATA naming the column and what to cast it to. */
must_check bool type_from_duckdb(duckdb_logical_type type, const char *column, struct type *out,
                                 struct error *err);

/* Appends `value`, an expression of that type, as one of a type that the model has. */
void type_append_readable(duckdb_logical_type type, const char *value, struct buf *sql);

/* The DuckDB type of a model type; the caller destroys it. */
duckdb_logical_type type_to_duckdb(struct type type);

/* Checks that the model has every type of a prepared query's result. */
must_check bool statement_check_types(const struct engine_statement *s, struct error *err);

/* Runs one statement and keeps DuckDB's own result, which the caller destroys in any case. */
must_check bool duckdb_run(struct engine_connection *c, const char *sql, duckdb_result *result,
                           struct error *err);

/* Fills `err` from a failure: its kind from the type, the first line of its message. Returns false.
 */
bool duckdb_failed(duckdb_error_type type, const char *message, struct error *err);
bool duckdb_result_failed(duckdb_result *result, struct error *err);
