#include "iceberg/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "iceberg/member.h"
#include "iceberg/type.h"

/* --- nested types --- */

/* How a type object names the id and the type of what it contains, besides a struct's fields. */
static const struct {
    const char *id;
    const char *type;
} children[] = {{"element-id", "element"}, {"key-id", "key"}, {"value-id", "value"}};
enum { CHILD_COUNT = sizeof(children) / sizeof(children[0]) };

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t iceberg_schema_highest_id(const json_t *type)
{
    int64_t highest = 0;
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        highest = larger(highest, json_integer_value(json_object_get(type, children[i].id)));
        const json_t *child = json_object_get(type, children[i].type);
        highest =
            json_is_object(child) ? larger(highest, iceberg_schema_highest_id(child)) : highest;
    }
    const json_t *fields = json_object_get(type, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const json_t *child = json_object_get(field, "type");
        highest = larger(highest, json_integer_value(json_object_get(field, "id")));
        highest =
            json_is_object(child) ? larger(highest, iceberg_schema_highest_id(child)) : highest;
    }
    return highest;
}

static bool has_id(const json_t *object, const char *key, int32_t id)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) && json_integer_value(value) == id;
}

const json_t *iceberg_schema_find(const json_t *type, int32_t id)
{
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        const json_t *child = json_object_get(type, children[i].type);
        if (has_id(type, children[i].id, id)) {
            return child;
        }
        const json_t *found = json_is_object(child) ? iceberg_schema_find(child, id) : NULL;
        if (found) {
            return found;
        }
    }
    const json_t *fields = json_object_get(type, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const json_t *child = json_object_get(field, "type");
        if (has_id(field, "id", id)) {
            return child;
        }
        const json_t *found = json_is_object(child) ? iceberg_schema_find(child, id) : NULL;
        if (found) {
            return found;
        }
    }
    return NULL;
}

/* --- reading --- */

static bool parse_type(const json_t *field, struct arena *a, struct iceberg_field *out,
                       struct error *err)
{
    const json_t *type = member_get(field, "type");
    if (json_is_object(type)) {
        out->is_nested = true;
        out->type = (struct type){.kind = TYPE_JSON};
        out->text = member_dump(type, a);
        return true;
    }
    if (!member_text(field, "type", a, &out->text, err) ||
        !member_require(out->text, "type", err)) {
        return false;
    }
    out->is_unsupported = !iceberg_type_parse(out->text, &out->type);
    return true;
}

static bool parse_field(const json_t *field, struct arena *a, struct iceberg_field *out,
                        struct error *err)
{
    bool has_number = false;
    if (!json_is_object(field)) {
        return error_set(err, ERROR_DATA, "a field of the schema is not an object");
    }
    if (!member_text(field, "name", a, &out->name, err) ||
        !member_require(out->name, "name", err)) {
        return error_wrap(err, "a field of the schema");
    }
    const json_t *initial = member_get(field, "initial-default");
    out->initial_default = initial ? member_dump(initial, a) : NULL;
    if (!member_int32(field, "id", &out->id, &has_number, err) ||
        !member_require(has_number, "id", err) ||
        !member_bool(field, "required", &out->required, err) ||
        !member_text(field, "doc", a, &out->doc, err) || !parse_type(field, a, out, err)) {
        return error_wrap(err, "column \"%s\"", out->name);
    }
    return true;
}

static struct str id_key(const int32_t *id)
{
    return (struct str){.data = (const char *)id, .size = sizeof(*id)};
}

static void free_ids(struct map *m)
{
    map_release(m, NULL);
}

static bool index_fields(const struct iceberg_schema *s, struct map *ids, struct error *err)
{
    for (uint32_t i = 0; i < s->field_count; i++) {
        if (map_put(ids, id_key(&s->fields[i].id), &s->fields[i])) {
            return error_set(err, ERROR_DATA, "column \"%s\" has the id %d of another",
                             s->fields[i].name, s->fields[i].id);
        }
    }
    return true;
}

static bool check_identifier(const struct iceberg_field *f, struct error *err)
{
    const char *why = NULL;
    if (!f->required) {
        why = "is not required";
    } else if (f->is_nested) {
        why = "is not of a primitive type";
    } else if (!f->is_unsupported &&
               (f->type.kind == TYPE_FLOAT32 || f->type.kind == TYPE_FLOAT64)) {
        why = "is a float";
    }
    return !why || error_set(err, ERROR_DATA, "identifier column \"%s\" %s", f->name, why);
}

/* Rows that are identified by a field inside a struct are identified by no set of columns: then no
 * column is marked, because some of a key are not a key. */
static bool mark_identifiers(const json_t *object, const struct iceberg_schema *s,
                             const struct map *ids, struct error *err)
{
    const json_t *identifiers = NULL;
    bool all_are_columns = true;
    if (!member_array(object, "identifier-field-ids", &identifiers, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(identifiers); i++) {
        const json_t *value = json_array_get(identifiers, i);
        int64_t number = json_integer_value(value);
        int32_t id = (int32_t)number;
        if (!json_is_integer(value) || id != number) {
            return error_set(err, ERROR_DATA, "\"identifier-field-ids\" has what is no field id");
        }
        struct iceberg_field *field = map_get(ids, id_key(&id));
        if (field && !check_identifier(field, err)) {
            return false;
        }
        if (field) {
            field->is_identifier = true;
        } else if (iceberg_schema_find(object, id)) {
            all_are_columns = false;
        } else {
            return error_set(err, ERROR_DATA, "identifier field %d is not in the schema", id);
        }
    }
    for (uint32_t i = 0; i < s->field_count && !all_are_columns; i++) {
        s->fields[i].is_identifier = false;
    }
    return true;
}

bool iceberg_schema_parse(const json_t *object, struct arena *a, struct iceberg_schema *out,
                          struct error *err)
{
    const json_t *fields = NULL;
    *out = (struct iceberg_schema){0};
    if (!json_is_object(object)) {
        return error_set(err, ERROR_DATA, "a schema is not an object");
    }
    if (!member_int32(object, "schema-id", &out->id, NULL, err) ||
        !member_array(object, "fields", &fields, err) || !member_require(fields, "fields", err)) {
        return error_wrap(err, "schema");
    }
    size_t count = json_array_size(fields);
    out->fields = arena_array(a, count, sizeof(*out->fields));
    for (size_t i = 0; i < count; i++) {
        out->fields[i] = (struct iceberg_field){0};
        if (!parse_field(json_array_get(fields, i), a, &out->fields[i], err)) {
            return error_wrap(err, "schema %d", out->id);
        }
    }
    out->field_count = (uint32_t)count;
    owned(free_ids) struct map ids = {0};
    if (!index_fields(out, &ids, err) || !mark_identifiers(object, out, &ids, err)) {
        return error_wrap(err, "schema %d", out->id);
    }
    return true;
}

/* What iceberg_schema_make() put into `doc`; other people's docs say nothing here. */
static void read_doc(const char *doc, struct schema *s, struct schema_column *out)
{
    owned(member_free) json_t *object = doc ? json_loads(doc, 0, NULL) : NULL;
    const json_t *type = json_object_get(object, "source_type");
    const json_t *number = json_object_get(object, "source_number");
    if (json_is_string(type)) {
        out->source_type = schema_name(
            s, (struct str){.data = json_string_value(type), .size = json_string_length(type)});
    }
    if (json_integer_value(number) > 0 && json_integer_value(number) <= INT32_MAX) {
        out->source_number = (int32_t)json_integer_value(number);
    }
}

struct schema *iceberg_schema_model(const struct iceberg_schema *s, struct error *err)
{
    owned(schema_free) struct schema *model = schema_new(s->field_count);
    for (uint32_t i = 0; i < s->field_count; i++) {
        const struct iceberg_field *f = &s->fields[i];
        struct schema_column *column = &model->columns[i];
        if (f->is_unsupported || f->is_nested) {
            (void)error_set(err, ERROR_DATA,
                            "column \"%s\" has the %s%.200s, which is not supported", f->name,
                            f->is_nested ? "nested type " : "type ", f->text);
            return NULL;
        }
        column->name = schema_name(model, str_from(f->name));
        column->type = f->type;
        column->nullable = !f->required;
        column->is_key = f->is_identifier;
        read_doc(f->doc, model, column);
    }
    schema_seal(model);
    return take(model);
}

/* --- writing --- */

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        abort(); /* names and texts are UTF-8 */
    }
}

static void set_doc(const struct schema_column *c, json_t *field)
{
    owned(member_free) json_t *doc = json_object();
    if (c->source_type) {
        set(doc, "source_type", json_string(c->source_type));
    }
    if (c->source_number > 0) {
        set(doc, "source_number", json_integer(c->source_number));
    }
    if (json_object_size(doc) > 0) {
        struct arena a = {0};
        set(field, "doc", json_string(member_dump(doc, &a)));
        arena_release(&a);
    }
}

static json_t *make_field(const struct schema_column *c, int32_t id)
{
    struct arena a = {0};
    json_t *field = json_object();
    set(field, "id", json_integer(id));
    set(field, "name", json_string(c->name));
    set(field, "required", json_boolean(c->is_key || !c->nullable));
    set(field, "type", json_string(iceberg_type_text(c->type, &a)));
    set_doc(c, field);
    arena_release(&a);
    return field;
}

/* A key of which one column cannot be an identifier is not written at all: the rest of it would
 * identify several rows. */
static json_t *make_identifiers(const struct schema *schema, const int32_t *ids)
{
    json_t *identifiers = json_array();
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct schema_column *c = &schema->columns[i];
        if (c->is_key && (c->type.kind == TYPE_FLOAT32 || c->type.kind == TYPE_FLOAT64)) {
            (void)json_array_clear(identifiers);
            break;
        }
        if (c->is_key) {
            (void)json_array_append_new(identifiers, json_integer(ids[i]));
        }
    }
    return identifiers;
}

json_t *iceberg_schema_make(const struct schema *schema, const int32_t *ids, int32_t schema_id)
{
    json_t *object = json_object();
    json_t *fields = json_array();
    json_t *identifiers = make_identifiers(schema, ids);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        (void)json_array_append_new(fields, make_field(&schema->columns[i], ids[i]));
    }
    set(object, "type", json_string("struct"));
    set(object, "schema-id", json_integer(schema_id));
    if (json_array_size(identifiers) > 0) {
        set(object, "identifier-field-ids", identifiers);
    } else {
        json_decref(identifiers);
    }
    set(object, "fields", fields);
    return object;
}
