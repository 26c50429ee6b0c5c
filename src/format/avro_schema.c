#include "format/avro_schema.h"

#include <jansson.h>

#include "base/map.h"

/* Names that were defined so far, by full name, and where the definitions go. */
struct parser {
    struct map named;
    struct arena *arena;
    struct error *err;
};

static const struct avro_schema *parse(struct parser *p, const json_t *json, const char *space,
                                       uint32_t depth);

static const struct avro_schema *fail(struct parser *p, const char *what, const char *name)
{
    (void)error_set(p->err, ERROR_DATA, "Avro schema: %s \"%.200s\"", what, name);
    return NULL;
}

static const struct {
    const char *name;
    struct avro_schema schema;
} primitives[] = {
    {"null", {.type = AVRO_TYPE_NULL}},   {"boolean", {.type = AVRO_TYPE_BOOLEAN}},
    {"int", {.type = AVRO_TYPE_INT}},     {"long", {.type = AVRO_TYPE_LONG}},
    {"float", {.type = AVRO_TYPE_FLOAT}}, {"double", {.type = AVRO_TYPE_DOUBLE}},
    {"bytes", {.type = AVRO_TYPE_BYTES}}, {"string", {.type = AVRO_TYPE_STRING}},
};

/* --- names --- */

/* A name with dots is whole; others are in the namespace around them ("": none). */
static const char *full_name(struct parser *p, const char *name, const char *space)
{
    return strchr(name, '.') || !*space ? name : arena_format(p->arena, "%s.%s", space, name);
}

static const struct avro_schema *find_name(struct parser *p, const char *name, const char *space)
{
    for (size_t i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++) {
        if (strcmp(name, primitives[i].name) == 0) {
            return &primitives[i].schema;
        }
    }
    const struct avro_schema *found = map_get(&p->named, str_from(full_name(p, name, space)));
    return found ? found : fail(p, "nothing is named", name);
}

/* Enters a definition under its name and returns the namespace of what is inside; NULL: it has no
 * name. */
static const char *define(struct parser *p, const json_t *json, const char *space,
                          struct avro_schema *schema)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *own = json_string_value(json_object_get(json, "namespace"));
    if (!name || !*name) {
        (void)fail(p, "a named type has no", "name");
        return NULL;
    }
    const char *full = full_name(p, name, own ? own : space);
    (void)map_put(&p->named, str_from(full), schema);
    const char *dot = strrchr(full, '.');
    return dot ? arena_string(p->arena, full, (size_t)(dot - full)) : "";
}

/* --- definitions --- */

static const struct avro_schema *parse_fixed(struct parser *p, const json_t *json,
                                             const char *space)
{
    const json_t *size = json_object_get(json, "size");
    json_int_t n = json_integer_value(size);
    if (!json_is_integer(size) || n < 0 || n > INT32_MAX) {
        return fail(p, "a fixed has no usable", "size");
    }
    struct avro_schema *s = arena_zalloc(p->arena, sizeof(*s));
    *s = (struct avro_schema){.type = AVRO_TYPE_FIXED, .size = (uint32_t)n};
    return define(p, json, space, s) ? s : NULL;
}

static const struct avro_schema *parse_enum(struct parser *p, const json_t *json, const char *space)
{
    const json_t *symbols = json_object_get(json, "symbols");
    if (!json_is_array(symbols)) {
        return fail(p, "an enum has no", "symbols");
    }
    struct avro_schema *s = arena_zalloc(p->arena, sizeof(*s));
    *s = (struct avro_schema){.type = AVRO_TYPE_ENUM, .count = (uint32_t)json_array_size(symbols)};
    return define(p, json, space, s) ? s : NULL;
}

static const struct avro_schema *parse_items(struct parser *p, enum avro_type type,
                                             const json_t *items, const char *space, uint32_t depth)
{
    struct avro_schema *s = arena_zalloc(p->arena, sizeof(*s));
    *s = (struct avro_schema){.type = type, .item = parse(p, items, space, depth + 1)};
    return s->item ? s : NULL;
}

static bool parse_field(struct parser *p, const json_t *json, const char *space, uint32_t depth,
                        struct avro_schema_field *out)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const json_t *id = json_object_get(json, "field-id");
    json_int_t n = json_is_integer(id) ? json_integer_value(id) : -1;
    if (!name) {
        return fail(p, "a record's field has no", "name");
    }
    if (n < -1 || n > INT32_MAX) {
        return fail(p, "impossible field-id of", name);
    }
    *out = (struct avro_schema_field){
        .name = arena_string(p->arena, name, strlen(name)),
        .id = (int32_t)n,
        .schema = parse(p, json_object_get(json, "type"), space, depth + 1),
    };
    return out->schema != NULL;
}

static const struct avro_schema *parse_record(struct parser *p, const json_t *json,
                                              const char *space, uint32_t depth)
{
    const json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields)) {
        return fail(p, "a record has no", "fields");
    }
    struct avro_schema *s = arena_zalloc(p->arena, sizeof(*s));
    size_t count = json_array_size(fields);
    *s = (struct avro_schema){.type = AVRO_TYPE_RECORD, .count = (uint32_t)count};
    s->fields = arena_array(p->arena, count, sizeof(*s->fields));
    const char *inside = define(p, json, space, s);
    for (size_t i = 0; inside && i < count; i++) {
        if (!parse_field(p, json_array_get(fields, i), inside, depth, &s->fields[i])) {
            return NULL;
        }
    }
    return inside ? s : NULL;
}

static const struct avro_schema *parse_union(struct parser *p, const json_t *json,
                                             const char *space, uint32_t depth)
{
    struct avro_schema *s = arena_zalloc(p->arena, sizeof(*s));
    size_t count = json_array_size(json);
    *s = (struct avro_schema){.type = AVRO_TYPE_UNION, .count = (uint32_t)count};
    s->branches = arena_array(p->arena, count, sizeof(struct avro_schema *));
    for (size_t i = 0; i < count; i++) {
        s->branches[i] = parse(p, json_array_get(json, i), space, depth + 1);
        if (!s->branches[i]) {
            return NULL;
        }
    }
    return s;
}

/* A name, a union, or an object whose type says what else it has. */
static const struct avro_schema *parse(struct parser *p, const json_t *json, const char *space,
                                       uint32_t depth)
{
    if (depth > AVRO_DEPTH_MAX) {
        return fail(p, "nested too deeply:", "type");
    }
    if (json_is_string(json)) {
        return find_name(p, json_string_value(json), space);
    }
    if (json_is_array(json)) {
        return parse_union(p, json, space, depth);
    }
    const json_t *type = json_object_get(json, "type");
    const char *name = json_string_value(type);
    if (!type) {
        return fail(p, "missing", "type");
    }
    if (!name) { /* {"type": {...}}: attributes around another schema */
        return parse(p, type, space, depth + 1);
    }
    if (strcmp(name, "record") == 0 || strcmp(name, "error") == 0) {
        return parse_record(p, json, space, depth);
    }
    if (strcmp(name, "array") == 0) {
        return parse_items(p, AVRO_TYPE_ARRAY, json_object_get(json, "items"), space, depth);
    }
    if (strcmp(name, "map") == 0) {
        return parse_items(p, AVRO_TYPE_MAP, json_object_get(json, "values"), space, depth);
    }
    if (strcmp(name, "fixed") == 0) {
        return parse_fixed(p, json, space);
    }
    if (strcmp(name, "enum") == 0) {
        return parse_enum(p, json, space);
    }
    return find_name(p, name, space);
}

const struct avro_schema *avro_schema_parse(struct str json, struct arena *a, struct error *err)
{
    json_error_t where;
    json_t *object = json_loadb(json.data, json.size, JSON_DECODE_ANY, &where);
    if (!object) {
        (void)error_set(err, ERROR_DATA, "Avro schema: %s", where.text);
        return NULL;
    }
    struct parser p = {.arena = a, .err = err};
    const struct avro_schema *out = parse(&p, object, "", 0);
    map_release(&p.named, NULL);
    json_decref(object);
    return out;
}
