/* Instances and connections. */
#include "engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/duckdb_internal.h"

static const uint64_t memory_bytes_default = UINT64_C(256) << 20;

static void config_free(duckdb_config *config)
{
    duckdb_destroy_config(config);
}

static bool set_option(duckdb_config config, const char *name, const char *value, struct error *err)
{
    return duckdb_set_config(config, name, value) == DuckDBSuccess ||
           error_set(err, ERROR_FATAL, "the engine refuses its option %s = '%s'", name, value);
}

static bool configure(duckdb_config config, const struct engine_options *options, struct error *err)
{
    uint64_t bytes = options->memory_bytes ? options->memory_bytes : memory_bytes_default;
    char memory[32];
    char threads[16];
    (void)snprintf(memory, sizeof(memory), "%" PRIu64 "KiB", (bytes + 1023) / 1024);
    (void)snprintf(threads, sizeof(threads), "%" PRIu32, options->threads ? options->threads : 1);

    /* One thread unless told: our threads are the parallelism, and rows keep the order in which
     * they go in. Extensions would be looked for in the network. Without a directory of its own the
     * engine would spill into the working directory. */
    return set_option(config, "threads", threads, err) &&
           set_option(config, "memory_limit", memory, err) &&
           set_option(config, "temp_directory",
                      options->temp_directory ? options->temp_directory : "", err) &&
           set_option(config, "autoinstall_known_extensions", "false", err) &&
           set_option(config, "autoload_known_extensions", "false", err) &&
           set_option(config, "allow_community_extensions", "false", err);
}

static const char lock_up[] = "SET GLOBAL enable_external_access = false;"
                              "SET GLOBAL lock_configuration = true";

/* What can only be set in SQL, in the order in which it must be. */
static bool settle(struct engine *e, enum engine_kind kind, struct error *err)
{
    owned(engine_disconnect) struct engine_connection *c = engine_connect(e, err);
    return c && engine_execute(c, "SET GLOBAL TimeZone = 'UTC'", err) &&
           input_register(e, c->connection, err) &&
           (kind != ENGINE_USER || engine_execute(c, lock_up, err));
}

struct engine *engine_open(const struct engine_options *options, struct error *err)
{
    owned(config_free) duckdb_config config = NULL;
    if (duckdb_create_config(&config) != DuckDBSuccess) {
        error_set(err, ERROR_FATAL, "cannot make the engine's configuration");
        return NULL;
    }
    if (!configure(config, options, err)) {
        return NULL;
    }
    owned(engine_free) struct engine *e = calloc(1, sizeof(*e));
    if (!e) {
        abort();
    }
    (void)pthread_mutex_init(&e->lock, NULL);
    char *message = NULL;
    if (duckdb_open_ext(NULL, &e->database, config, &message) != DuckDBSuccess) {
        error_set(err, ERROR_FATAL, "cannot open the engine: %s", message ? message : "no message");
        duckdb_free(message);
        return NULL;
    }
    return settle(e, options->kind, err) ? take(e) : NULL;
}

void engine_free(struct engine **e)
{
    struct engine *engine = take(*e);
    if (engine) {
        duckdb_close(&engine->database);
        (void)pthread_mutex_destroy(&engine->lock);
        free(engine->connections);
        free(engine);
    }
}

/* Takes the lowest free number. */
static void enlist(struct engine *e, struct engine_connection *c)
{
    (void)pthread_mutex_lock(&e->lock);
    uint32_t number = 0;
    while (number < e->connection_count && e->connections[number]) {
        number++;
    }
    if (number == e->connection_count) {
        e->connections =
            reallocarray(e->connections, e->connection_count + 1, sizeof(*e->connections));
        if (!e->connections) {
            abort();
        }
        e->connection_count++;
    }
    c->number = number;
    e->connections[number] = c;
    (void)pthread_mutex_unlock(&e->lock);
}

struct engine_connection *engine_connect(struct engine *e, struct error *err)
{
    struct engine_connection *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    if (duckdb_connect(e->database, &c->connection) != DuckDBSuccess) {
        free(c);
        error_set(err, ERROR_FATAL, "cannot connect to the engine");
        return NULL;
    }
    c->engine = e;
    enlist(e, c);
    return c;
}

void engine_disconnect(struct engine_connection **c)
{
    struct engine_connection *connection = take(*c);
    if (connection) {
        struct engine *e = connection->engine;
        (void)pthread_mutex_lock(&e->lock);
        e->connections[connection->number] = NULL;
        (void)pthread_mutex_unlock(&e->lock);
        duckdb_disconnect(&connection->connection);
        free(connection);
    }
}

bool duckdb_run(struct engine_connection *c, const char *sql, duckdb_result *result,
                struct error *err)
{
    return duckdb_query(c->connection, sql, result) == DuckDBSuccess ||
           duckdb_result_failed(result, err);
}

bool engine_execute(struct engine_connection *c, const char *sql, struct error *err)
{
    duckdb_result result = {0};
    bool done = duckdb_run(c, sql, &result, err);
    duckdb_destroy_result(&result);
    return done;
}

/* A path is asked for as a pattern first and then as the file that matches it. */
bool engine_confine(struct engine_connection *c, const char *const *paths, size_t count,
                    struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SET GLOBAL allowed_paths = [");
    for (size_t i = 0; i < count; i++) {
        buf_append_text(&sql, i > 0 ? ", " : "");
        engine_append_path(paths[i], &sql);
        buf_append_text(&sql, ", ");
        buf_append_literal(&sql, paths[i]);
    }
    buf_append_text(&sql, "]");
    if (sql.failed) {
        return error_set(err, ERROR_DATA, "the paths of %zu files are too long", count);
    }
    return (count == 0 || engine_execute(c, buf_text(&sql), err)) &&
           engine_execute(c, lock_up, err);
}
