#include "transform/transform.h"

#include <assert.h>
#include <stdlib.h>

#include "transform/bound.h"

static void unbind(struct transform *t)
{
    engine_statement_free(&t->query);
    outputs_release(&t->outputs);
    schema_free(&t->input);
    schema_free(&t->output);
    t->names = NULL;
}

struct transform *transform_new(const char *sql, struct engine_connection *connection,
                                struct error *err)
{
    struct statement *statement = statement_parse(sql, connection, err);
    if (!statement) {
        return NULL;
    }
    struct transform *t = calloc(1, sizeof(*t));
    if (!t) {
        abort();
    }
    t->connection = connection;
    t->statement = statement;
    return t;
}

void transform_free(struct transform **t)
{
    struct transform *transform = take(*t);
    if (transform) {
        unbind(transform);
        statement_free(&transform->statement);
        free(transform);
    }
}

bool transform_filters(const struct transform *t)
{
    return t->statement->where.text != NULL;
}

static const char *type_text(struct arena *a, struct type type)
{
    owned(buf_release) struct buf text = {0};
    type_format(type, &text);
    return arena_string(a, text.data, text.size);
}

static bool needs_query(const struct transform *t)
{
    return t->outputs.result_count > 0 || transform_filters(t);
}

/* Prepares the query over the input's columns and finds the types of what it computes (`types`, by
 * column of its result), by running it over no rows. */
static bool prepare(struct transform *t, const struct schema *input, struct type **types,
                    struct error *err)
{
    struct arena *a = &t->outputs.arena;
    uint32_t count = input->column_count + METADATA_COUNT;
    t->names = arena_array(a, count, sizeof(*t->names));
    struct column *columns = arena_zalloc(a, count * sizeof(*columns));
    for (uint32_t i = 0; i < input->column_count; i++) {
        t->names[i] = input->columns[i].name;
        columns[i].type = input->columns[i].type;
    }
    for (uint32_t i = 0; i < METADATA_COUNT; i++) {
        t->names[input->column_count + i] = metadata_names[i];
        columns[input->column_count + i].type = metadata_types[i];
    }
    engine_bind(
        t->connection, SLOT_CHANGES,
        &(struct engine_input){.names = t->names, .columns = columns, .column_count = count});

    owned(buf_release) struct buf sql = {0};
    outputs_append_query(&t->outputs, t->statement, input, t->connection, SLOT_CHANGES, &sql);
    t->query = engine_prepare(t->connection, buf_text(&sql), err);
    owned(engine_rows_free) struct engine_rows *rows = t->query ? engine_run(t->query, err) : NULL;
    if (!rows) {
        return false;
    }
    if (engine_rows_column_count(rows) != t->outputs.result_count + 1) {
        return error_set(err, ERROR_CONFIG, "the transform gives %u columns instead of %u",
                         engine_rows_column_count(rows) - 1, t->outputs.result_count);
    }
    *types = arena_array(a, t->outputs.result_count, sizeof(**types));
    for (uint32_t i = 0; i < t->outputs.result_count; i++) {
        (*types)[i] = engine_rows_type(rows, i);
    }
    return true;
}

static struct schema *make_schema(const struct outputs *o, const struct schema *input,
                                  const struct type *types)
{
    struct schema *s = schema_new(o->count);
    s->version = input->version;
    bool *key_seen = calloc(input->column_count ? input->column_count : 1, sizeof(*key_seen));
    if (!key_seen) {
        abort();
    }
    for (uint32_t i = 0; i < o->count; i++) {
        const struct output *output = &o->list[i];
        struct schema_column *c = &s->columns[i];
        if (output->source < 0) {
            assert(types);
            *c = (struct schema_column){.type = types[output->result], .nullable = true};
            c->source_type = type_text(&s->arena, c->type);
        } else {
            const struct schema_column *source = &input->columns[output->source];
            *c = *source;
            c->source_type =
                source->source_type ? schema_name(s, str_from(source->source_type)) : NULL;
            c->is_key = source->is_key && !key_seen[output->source];
            key_seen[output->source] = true;
        }
        c->name = schema_name(s, str_from(output->name));
    }
    free(key_seen);
    schema_seal(s);
    return s;
}

struct schema *transform_bind(struct transform *t, const struct schema *input, struct error *err)
{
    unbind(t);
    struct type *types = NULL;
    if (!outputs_resolve(t->statement, input, t->connection, &t->outputs, err) ||
        (needs_query(t) && !prepare(t, input, &types, err))) {
        if (err->kind == ERROR_DATA) {
            error_recast(err, ERROR_CONFIG); /* no value has been seen yet: it is the SQL */
        }
        unbind(t);
        return NULL;
    }
    t->input = schema_reference(input);
    t->output = make_schema(&t->outputs, input, types);
    return schema_reference(t->output);
}
