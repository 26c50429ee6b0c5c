/* Conditions over rows that C decides, as scalar functions. */
#include <stdlib.h>

#include "engine/duckdb_internal.h"

struct condition {
    engine_condition_fn *decide;
    void *arg;
    void (*free_arg)(void *arg);
};

static void condition_free(void *extra)
{
    struct condition *condition = extra;
    condition->free_arg(condition->arg);
    free(condition);
}

/* The engine makes its vectors flat before it calls. Under a null lies some number. */
static void decide(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const struct condition *condition = duckdb_scalar_function_get_extra_info(info);
    condition->decide(condition->arg,
                      duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)),
                      duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1)),
                      duckdb_data_chunk_get_size(input), duckdb_vector_get_data(output));
}

bool engine_add_condition(struct engine_connection *c, const char *name, engine_condition_fn *fn,
                          void *arg, void (*free_arg)(void *arg), struct error *err)
{
    struct condition *condition = malloc(sizeof(*condition));
    if (!condition) {
        abort();
    }
    *condition = (struct condition){.decide = fn, .arg = arg, .free_arg = free_arg};
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_logical_type boolean = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    duckdb_scalar_function_set_name(function, name);
    duckdb_scalar_function_add_parameter(function, bigint);
    duckdb_scalar_function_add_parameter(function, bigint);
    duckdb_scalar_function_set_return_type(function, boolean);
    duckdb_scalar_function_set_extra_info(function, condition, condition_free);
    duckdb_scalar_function_set_function(function, decide);
    duckdb_state state = duckdb_register_scalar_function(c->connection, function);
    duckdb_destroy_logical_type(&bigint);
    duckdb_destroy_logical_type(&boolean);
    duckdb_destroy_scalar_function(&function);
    return state == DuckDBSuccess ||
           error_set(err, ERROR_FATAL, "cannot register the engine's function \"%s\"", name);
}
