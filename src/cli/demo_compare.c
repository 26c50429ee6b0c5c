#include <inttypes.h>

#include "catalog/catalog.h"
#include "cli/demo.h"
#include "cli/table_checksum.h"
#include "delta/delta.h"
#include "iceberg/iceberg.h"

static void free_lake_table(struct lake_table **t)
{
    if (*t) {
        (*t)->type->free(take(*t));
    }
}

/* A table as one of the formats keeps it. */
struct demo_format {
    const char *name;
    const struct lake_type *lake;
    const struct lake_history_type *history;
};
static const struct demo_format formats[DEMO_FORMATS] = {
    {"delta", &delta_lake, &delta_history},
    {"iceberg", &iceberg_lake, &iceberg_history},
};

/* Counts everything that a table can still tell of its changes. */
static bool count_changes(const struct demo_format *format, const struct lake_options *table,
                          struct engine_connection *engine, struct demo_copy *out,
                          struct error *err)
{
    owned(lake_history_free) struct lake_history *history = format->history->open(
        &(struct lake_history_options){.table = table, .engine = engine, .to = -1}, err);
    if (!history) {
        return false;
    }
    out->version_count = (int64_t)history->version_count;
    return lake_changes_count(&(struct lake_changes_options){.history = history,
                                                             .engine = engine,
                                                             .last = history->version_count - 1,
                                                             .inserts = true,
                                                             .updates = true,
                                                             .deletes = true},
                              &out->feed, err);
}

static bool compare_copy(const struct demo_format *format, struct engine_connection *engine,
                         const struct compared_columns *columns, struct demo_copy *out,
                         struct error *err)
{
    owned(iceberg_catalog_free) struct iceberg_catalog *catalog = NULL;
    struct lake_options options = {.location = out->location, .engine = engine};
    if (format->lake == &iceberg_lake) {
        catalog = catalog_open_location(out->location, err);
        options.catalog = catalog;
    }
    owned(free_lake_table) struct lake_table *table =
        options.catalog || format->lake != &iceberg_lake ? format->lake->open(&options, err) : NULL;
    if (!table) {
        return false;
    }
    if (!table->snapshot.exists || table->snapshot.schema->column_count != columns->count) {
        return error_set(err, ERROR_FATAL, "\"%s\" does not have the %" PRIu32 " columns of %s",
                         out->location, columns->count, out->name);
    }
    return lake_checksum(table, engine, columns, &out->lake, err) &&
           count_changes(format, &options, engine, out, err);
}

static bool compare_table(struct database *db, const struct table_name *name, const char *directory,
                          struct engine_connection *engine, struct arena *a,
                          struct demo_copy out[DEMO_FORMATS], struct error *err)
{
    struct compared_columns columns = {0};
    struct row_checksum source = {0};
    if (!source_columns(db, name, a, &columns, err) ||
        !source_checksum(db, name, &columns, &source, err)) {
        return false;
    }
    for (uint32_t i = 0; i < DEMO_FORMATS; i++) {
        out[i].name = arena_format(a, "%s.%s", name->schema, name->table);
        out[i].format = formats[i].name;
        out[i].location = arena_format(a, "%s/lake/%s/%s/%s", directory, formats[i].name,
                                       name->schema, name->table);
        out[i].source = source;
        if (!compare_copy(&formats[i], engine, &columns, &out[i], err)) {
            return false;
        }
    }
    return true;
}

bool demo_compare(struct database *db, const char *schema,
                  const struct sample_table *const tables[DEMO_TABLES], const char *directory,
                  struct arena *a, struct demo_copy copies[DEMO_COPIES], struct error *err)
{
    struct engine_options options = {.kind = ENGINE_FILE};
    owned(engine_free) struct engine *engine = engine_open(&options, err);
    if (!engine) {
        return false;
    }
    owned(engine_disconnect) struct engine_connection *connection = engine_connect(engine, err);
    if (!connection) {
        return false;
    }
    for (uint32_t i = 0; i < DEMO_TABLES; i++) {
        struct table_name name = {.schema = schema, .table = tables[i]->name};
        if (!compare_table(db, &name, directory, connection, a, &copies[(size_t)i * DEMO_FORMATS],
                           err)) {
            return error_wrap(err, "cannot compare %s.%s", schema, name.table);
        }
    }
    return true;
}
