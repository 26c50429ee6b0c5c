#include "pipeline/chain.h"

#include <assert.h>
#include <stdlib.h>

#include "transform/transform.h"

struct link {
    struct engine_connection *connection;
    struct transform *transform;
};

/* One table's transforms and the schema that leaves the last of them. */
struct table_chain {
    const char *name; /* "schema.table" */
    struct link *links;
    uint32_t link_count;
    struct schema *schema;
};

struct chain {
    struct arena arena;
    struct engine *engine; /* NULL without SQL */
    struct table_chain *tables;
    uint32_t table_count;
};

void chain_free(struct chain **c)
{
    struct chain *old = take(*c);
    if (!old) {
        return;
    }
    for (uint32_t i = 0; i < old->table_count; i++) {
        struct table_chain *t = &old->tables[i];
        for (uint32_t k = 0; k < t->link_count; k++) {
            transform_free(&t->links[k].transform);
            engine_disconnect(&t->links[k].connection);
        }
        schema_free(&t->schema);
    }
    engine_free(&old->engine);
    arena_release(&old->arena);
    free(old);
}

static bool names_table(const struct transform_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->tables.count; i++) {
        if (strcmp(config->tables.items[i], name) == 0) {
            return true;
        }
    }
    return config->tables.count == 0;
}

static bool check_names(const struct chain *c, const struct pipeline_config *config,
                        struct error *err)
{
    for (uint32_t i = 0; i < config->transform_count; i++) {
        const struct config_strings *tables = &config->transforms[i].tables;
        for (uint32_t k = 0; k < tables->count; k++) {
            bool found = false;
            for (uint32_t t = 0; t < c->table_count; t++) {
                found = found || strcmp(c->tables[t].name, tables->items[k]) == 0;
            }
            if (!found) {
                return error_set(
                    err, ERROR_CONFIG,
                    "transform %u names table \"%s\", which the source does not capture", i + 1,
                    tables->items[k]);
            }
        }
    }
    return true;
}

/* Passes a schema through all links of a table. */
static bool bind(struct table_chain *t, const struct schema *input, struct error *err)
{
    owned(schema_free) struct schema *schema = schema_reference(input);
    for (uint32_t i = 0; i < t->link_count; i++) {
        struct schema *next = transform_bind(t->links[i].transform, schema, err);
        if (!next) {
            return error_wrap(err, "table %s: transform", t->name);
        }
        schema_release(schema);
        schema = next;
    }
    schema_release(t->schema);
    t->schema = take(schema);
    return true;
}

static bool add_links(struct chain *c, struct table_chain *t, const struct pipeline_config *config,
                      struct error *err)
{
    t->links = arena_zalloc(&c->arena, (config->transform_count + 1) * sizeof(*t->links));
    for (uint32_t i = 0; i < config->transform_count; i++) {
        if (!names_table(&config->transforms[i], t->name)) {
            continue;
        }
        struct link *link = &t->links[t->link_count++];
        link->connection = engine_connect(c->engine, err);
        if (!link->connection) {
            return false;
        }
        link->transform = transform_new(config->transforms[i].sql, link->connection, err);
        if (!link->transform) {
            return error_wrap(err, "table %s: transform", t->name);
        }
    }
    return true;
}

struct chain *chain_new(const struct pipeline_config *config, const struct source *source,
                        struct error *err)
{
    owned(chain_free) struct chain *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->table_count = source->table_count;
    c->tables = arena_zalloc(&c->arena, source->table_count * sizeof(*c->tables));
    for (uint32_t i = 0; i < source->table_count; i++) {
        const struct table_name *name = &source->tables[i].name;
        c->tables[i].name = arena_format(&c->arena, "%s.%s", name->schema, name->table);
    }
    if (!check_names(c, config, err)) {
        return NULL;
    }
    if (config->transform_count > 0) {
        c->engine = engine_open(&(struct engine_options){.kind = ENGINE_USER}, err);
        if (!c->engine) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < source->table_count; i++) {
        if (!add_links(c, &c->tables[i], config, err) ||
            !bind(&c->tables[i], source->tables[i].schema, err)) {
            return NULL;
        }
    }
    return take(c);
}

const struct schema *chain_schema(const struct chain *c, uint32_t table)
{
    assert(table < c->table_count);
    return c->tables[table].schema;
}

bool chain_filters(const struct chain *c, uint32_t table)
{
    const struct table_chain *t = &c->tables[table];
    for (uint32_t i = 0; i < t->link_count; i++) {
        if (transform_filters(t->links[i].transform)) {
            return true;
        }
    }
    return false;
}

static bool apply_batch(struct table_chain *t, struct event *event, struct error *err)
{
    for (uint32_t i = 0; i < t->link_count; i++) {
        struct batch *out = transform_apply(t->links[i].transform, event->batch, err);
        if (!out) {
            return error_wrap(err, "table %s: transform", t->name);
        }
        batch_release(event->batch);
        event->batch = out;
    }
    return true;
}

bool chain_apply(struct chain *c, struct event *event, struct error *err)
{
    if (event->kind != EVENT_BATCH && event->kind != EVENT_SCHEMA) {
        return true;
    }
    assert(event->table < c->table_count);
    struct table_chain *t = &c->tables[event->table];
    if (event->kind == EVENT_BATCH) {
        return apply_batch(t, event, err);
    }
    if (!bind(t, event->schema, err)) {
        return false;
    }
    schema_release(event->schema);
    event->schema = schema_reference(t->schema);
    return true;
}
