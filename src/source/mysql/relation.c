#include "source/mysql/relation.h"

#include <string.h>
#include <strings.h>

void my_relation_facts_release(struct my_relation_facts *facts)
{
    arena_release(&facts->arena);
}

void my_relation_release(struct my_relation *r)
{
    schema_release(take(r->schema));
    arena_release(&r->schema_arena);
    arena_release(&r->known_arena);
    arena_release(&r->map_arena);
    buf_release(&r->map_bytes);
}

bool my_relation_lose(const struct my_relation *r, const char *what, const char *pipeline,
                      struct error *err)
{
    return error_set(err, ERROR_LOST, "table %s.%s %s; load again with leat reload %s",
                     r->name.schema, r->name.table, what, pipeline);
}

static bool listed(const struct config_strings *list, const char *text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The column itself, its exact type, or the name of its type. */
static bool wants_text(const struct my_relation *r, const struct my_catalog_column *c,
                       const struct config_strings *as_text)
{
    owned(buf_release) struct buf full = {0};
    buf_append_format(&full, "%s.%s.%s", r->name.schema, r->name.table, c->name);
    return listed(as_text, buf_text(&full)) || listed(as_text, c->type) ||
           listed(as_text, c->data_type);
}

static bool resolve_rule(const struct my_relation *r, const struct my_catalog_column *c,
                         const struct my_relation_options *options, struct my_value_rule *rule,
                         struct error *err)
{
    const char *why = "its type is not supported";
    *rule = my_value_rule(c, wants_text(r, c, options->as_text), options->unrepresentable, &why);
    if (rule->kind != MY_VALUE_UNSUPPORTED) {
        return true;
    }
    const char *other = NULL;
    bool has_text =
        my_value_rule(c, true, options->unrepresentable, &other).kind != MY_VALUE_UNSUPPORTED;
    if (!has_text) {
        return error_set(err, ERROR_CONFIG, "table %s.%s, column \"%s\": %s", r->name.schema,
                         r->name.table, c->name, why);
    }
    return error_set(err, ERROR_CONFIG,
                     "table %s.%s, column \"%s\": %s; as_text: [\"%s\"] or as_text: [\"%s.%s.%s\"] "
                     "lets it through as text",
                     r->name.schema, r->name.table, c->name, why, c->type, r->name.schema,
                     r->name.table, c->name);
}

/* By policy values of such a column may become null, whatever the source says of it. */
static bool may_become_null(const struct my_value_rule *rule)
{
    return rule->unrepresentable == UNREPRESENTABLE_NULL && !rule->as_text &&
           (rule->kind == MY_VALUE_DATE || rule->kind == MY_VALUE_TIME ||
            rule->kind == MY_VALUE_DATETIME || rule->kind == MY_VALUE_TIMESTAMP);
}

/* Old rows may show a value in a column that was added to them, without an event. */
static bool fills_old_rows(const struct my_catalog_column *c)
{
    return c->is_generated || c->default_is_expression || !c->nullable ||
           (c->has_default && c->default_text);
}

bool my_relation_adopt(struct my_relation *r, const struct my_relation_options *options,
                       struct error *err)
{
    const struct my_catalog_table *t = &r->known;
    owned(schema_free) struct schema *s = schema_new(t->column_count);
    struct arena arena = {0};
    struct my_value_rule *rules = arena_array(&arena, t->column_count, sizeof(*rules));
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct my_catalog_column *c = &t->columns[i];
        if (!resolve_rule(r, c, options, &rules[i], err)) {
            arena_release(&arena);
            return false;
        }
        s->columns[i] = (struct schema_column){
            .name = schema_name(s, str_from(c->name)),
            .type = rules[i].type,
            .nullable = c->nullable || may_become_null(&rules[i]),
            .is_key = c->is_key,
            .source_type = schema_name(s, str_from(c->type)),
            .fills_old_rows = fills_old_rows(c),
        };
    }
    s->version = r->schema ? r->schema->version + 1 : 1;
    schema_seal(s);
    schema_release(r->schema);
    arena_release(&r->schema_arena);
    r->schema = take(s);
    r->schema_arena = arena;
    r->rules = rules;
    buf_clear(&r->map_bytes);
    return true;
}

bool my_relation_init(struct my_relation *r, const struct my_catalog_table *known, uint32_t table,
                      const struct my_relation_options *options, struct error *err)
{
    *r = (struct my_relation){.name = known->name, .table = table, .known = *known};
    if (known->is_versioned) {
        return error_set(err, ERROR_CONFIG,
                         "table %s.%s is system-versioned: its history rows are not supported",
                         r->name.schema, r->name.table);
    }
    return my_relation_adopt(r, options, err);
}

void my_relation_loosen(struct my_relation *r, uint32_t column)
{
    struct schema *s = schema_new(r->schema->column_count);
    for (uint32_t i = 0; i < s->column_count; i++) {
        const struct schema_column *old = &r->schema->columns[i];
        s->columns[i] = *old;
        s->columns[i].name = schema_name(s, str_from(old->name));
        s->columns[i].source_type = schema_name(s, str_from(old->source_type));
        s->columns[i].nullable |= i == column;
    }
    s->version = r->schema->version + 1;
    schema_seal(s);
    schema_release(r->schema);
    r->schema = s;
}

/* ---- table maps ---- */

static bool mismatch(const struct my_relation *r, const struct table_map_column *c,
                     const char *name, const char *pipeline, struct error *err)
{
    owned(buf_release) struct buf what = {0};
    buf_append_format(&what, "has rows in the log whose column \"%s\" is of type ", name);
    table_map_format_type(c, &what);
    buf_append_text(&what, ", which is not what the table has now");
    return my_relation_lose(r, buf_text(&what), pipeline, err);
}

/* The rule for a column whose rows have another type than the catalog says: it was altered since.
 * Its values go into the schema's type if all of them fit. */
static bool older_rule(const struct my_relation *r, const struct table_map_column *c,
                       uint32_t column, const struct my_relation_options *options,
                       struct my_value_rule *rule, struct error *err)
{
    const struct schema_column *target = &r->schema->columns[column];
    const char *why = NULL;
    bool as_text = r->rules[column].as_text;
    *rule = my_value_rule_of_map(c, options->is_mariadb, as_text, options->unrepresentable,
                                 (struct arena *)&r->map_arena, &why);
    if (as_text || rule->kind == MY_VALUE_UNSUPPORTED || !type_widens(rule->type, target->type)) {
        return mismatch(r, c, target->name, options->pipeline, err);
    }
    rule->type = target->type;
    return true;
}

static bool map_column(struct my_relation *r, uint32_t i, const struct my_relation_options *options,
                       struct error *err)
{
    const struct table_map_column *c = &r->map.columns[i];
    struct my_relation_column *out = &r->columns[i];
    *out = (struct my_relation_column){.target = -1};
    if (!r->map.has_names && i >= r->schema->column_count) {
        return true; /* hidden */
    }
    struct str name = r->map.has_names ? c->name : str_from(r->schema->columns[i].name);
    for (uint32_t k = 0; k < r->schema->column_count; k++) {
        const char *known = r->schema->columns[k].name;
        if (name.size == strlen(known) && strncasecmp(name.data, known, name.size) == 0) {
            out->target = (int32_t)k;
        }
    }
    if (out->target < 0) {
        return true; /* dropped since */
    }
    out->rule = r->rules[out->target];
    return my_value_rule_fits(&out->rule, c) ||
           older_rule(r, c, (uint32_t)out->target, options, &out->rule, err);
}

static bool map_columns(struct my_relation *r, const struct my_relation_options *options,
                        struct error *err)
{
    const struct table_map *m = &r->map;
    if (!m->has_names && m->column_count != r->schema->column_count + r->known.hidden_count) {
        return my_relation_lose(
            r, "has rows in the log with another number of columns than it has now",
            options->pipeline, err);
    }
    uint64_t *found =
        arena_zalloc(&r->map_arena, (r->schema->column_count / 64 + 1) * sizeof(*found));
    r->columns = arena_array(&r->map_arena, m->column_count, sizeof(*r->columns));
    for (uint32_t i = 0; i < m->column_count; i++) {
        if (!map_column(r, i, options, err)) {
            return false;
        }
        if (r->columns[i].target >= 0) {
            bit_set(found, (size_t)r->columns[i].target);
        }
    }
    r->absent = arena_array(&r->map_arena, r->schema->column_count, sizeof(*r->absent));
    r->absent_count = 0;
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        if (bit_get(found, i)) {
            continue;
        }
        if (r->schema->columns[i].is_key) {
            return my_relation_lose(r, "has rows in the log without its key", options->pipeline,
                                    err);
        }
        r->absent[r->absent_count++] = i;
    }
    return true;
}

bool my_relation_map(struct my_relation *r, struct str bytes,
                     const struct my_relation_options *options, struct error *err)
{
    if (r->map_bytes.size > 0 && str_equal(buf_str(&r->map_bytes), bytes)) {
        return true;
    }
    buf_clear(&r->map_bytes);
    arena_release(&r->map_arena);
    r->map = (struct table_map){0};
    if (!table_map_decode(bytes, &r->map_arena, &r->map, err) || !map_columns(r, options, err)) {
        return error_wrap(err, "table %s.%s", r->name.schema, r->name.table);
    }
    buf_append(&r->map_bytes, bytes.data, bytes.size);
    return true;
}
