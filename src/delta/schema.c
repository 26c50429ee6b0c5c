#include "delta/schema.h"

#include <stdlib.h>
#include <strings.h>

#include "delta/field.h"

static const struct {
    const char *name;
    enum type_kind kind;
} primitives[] = {
    {"boolean", TYPE_BOOL},
    {"short", TYPE_INT16},
    {"byte", TYPE_INT16},
    {"integer", TYPE_INT32},
    {"long", TYPE_INT64},
    {"float", TYPE_FLOAT32},
    {"double", TYPE_FLOAT64},
    {"string", TYPE_STRING},
    {"binary", TYPE_BINARY},
    {"date", TYPE_DATE},
    {"timestamp", TYPE_TIMESTAMPTZ},
    {"timestamp_ntz", TYPE_TIMESTAMP},
};
enum { PRIMITIVE_COUNT = sizeof(primitives) / sizeof(primitives[0]) };

static const char source_type_key[] = "leat.sourceType";
static const char source_number_key[] = "leat.sourceNumber";

struct type delta_stored_type(struct type source)
{
    switch (source.kind) {
    case TYPE_TIMESTAMP:
        return (struct type){.kind = TYPE_TIMESTAMPTZ};
    case TYPE_TIME:
    case TYPE_UUID:
    case TYPE_JSON:
        return (struct type){.kind = TYPE_STRING};
    case TYPE_BOOL:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_DECIMAL:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMPTZ:
        return source;
    }
    return source;
}

static bool parse_type(const json_t *value, const char *column, struct type *out, struct error *err)
{
    const char *name = json_string_value(value);
    if (!name) {
        const char *nested = json_string_value(json_object_get(value, "type"));
        return error_set(err, ERROR_CONFIG, "column \"%s\" has the type %s, which is not supported",
                         column, nested ? nested : "(unknown)");
    }
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        if (strcmp(name, primitives[i].name) == 0) {
            *out = (struct type){.kind = primitives[i].kind};
            return true;
        }
    }
    struct error ignored = {0};
    if (type_parse(str_from(name), out, &ignored) && out->kind == TYPE_DECIMAL) {
        return true;
    }
    return error_set(err, ERROR_CONFIG, "column \"%s\" has the type %s, which is not supported",
                     column, name);
}

static bool parse_field(struct schema *s, const json_t *field, struct schema_column *out,
                        struct error *err)
{
    bool nullable = true;
    if (!json_is_object(field) || !field_string(field, "name", &s->arena, &out->name, err)) {
        return error_set(err, ERROR_DATA, "a field of the schema is not an object with a name");
    }
    if (!out->name) {
        return error_set(err, ERROR_DATA, "a field of the schema has no name");
    }
    if (!field_bool(field, "nullable", &nullable, err) ||
        !parse_type(json_object_get(field, "type"), out->name, &out->type, err)) {
        return false;
    }
    out->nullable = nullable;
    const json_t *number = json_object_get(json_object_get(field, "metadata"), source_number_key);
    if (json_is_integer(number) && json_integer_value(number) > 0 &&
        json_integer_value(number) <= INT32_MAX) {
        out->source_number = (int32_t)json_integer_value(number);
    }
    const json_t *source = json_object_get(json_object_get(field, "metadata"), source_type_key);
    if (json_is_string(source)) {
        out->source_type =
            schema_name(s, (struct str){json_string_value(source), json_string_length(source)});
    }
    return true;
}

/* The list of fields of a schema text; *root owns it. */
static const json_t *parse_fields(const char *text, json_t **root, struct error *err)
{
    *root = field_parse(str_from(text), err);
    if (!*root) {
        (void)error_wrap(err, "schemaString");
        return NULL;
    }
    const json_t *fields = json_object_get(*root, "fields");
    if (!json_is_array(fields) || json_array_size(fields) > UINT16_MAX) {
        (void)error_set(err, ERROR_DATA, "schemaString has no list of fields");
        return NULL;
    }
    return fields;
}

struct schema *delta_schema_parse(const char *text, struct error *err)
{
    owned(json_free) json_t *root = NULL;
    const json_t *fields = parse_fields(text, &root, err);
    if (!fields) {
        return NULL;
    }
    uint32_t count = (uint32_t)json_array_size(fields);
    owned(schema_free) struct schema *s = schema_new(count);
    for (uint32_t i = 0; i < count; i++) {
        if (!parse_field(s, json_array_get(fields, i), &s->columns[i], err)) {
            return NULL;
        }
    }
    schema_seal(s);
    return take(s);
}

/* --- writing --- */

static bool append_type(const struct schema_column *c, struct buf *out, struct error *err)
{
    if (c->type.kind == TYPE_DECIMAL) {
        type_format(c->type, out);
        return true;
    }
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        if (primitives[i].kind == c->type.kind) {
            buf_append_text(out, primitives[i].name);
            return true;
        }
    }
    owned(buf_release) struct buf type = {0};
    type_format(c->type, &type);
    return error_set(err, ERROR_CONFIG, "column \"%s\": a Delta table cannot store %s", c->name,
                     buf_text(&type));
}

static const json_t *find_field(const json_t *fields, const char *name)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *other = json_string_value(json_object_get(field, "name"));
        if (other && strcmp(other, name) == 0) {
            return field;
        }
    }
    return NULL;
}

/* Metadata that others have put on a field stays; ours are the source's type and number. */
static void append_metadata(const struct schema_column *c, const json_t *old, struct buf *out)
{
    owned(json_free) json_t *metadata = json_deep_copy(json_object_get(old, "metadata"));
    if (!json_is_object(metadata)) {
        json_free(&metadata);
        metadata = json_object();
    }
    if (c->source_type) {
        (void)json_object_set_new(metadata, source_type_key, json_string(c->source_type));
    }
    if (c->source_number > 0) {
        (void)json_object_set_new(metadata, source_number_key, json_integer(c->source_number));
    }
    char *text = json_dumps(metadata, JSON_COMPACT);
    if (!text) {
        abort();
    }
    buf_append_text(out, text);
    free(text);
}

/* byte is read as int16: a field keeps the narrower name that it has. */
static bool keeps_byte(const struct schema_column *c, const json_t *old)
{
    const char *name = json_string_value(json_object_get(old, "type"));
    return name && c->type.kind == TYPE_INT16 && strcmp(name, "byte") == 0;
}

bool delta_schema_format(const struct schema *schema, const char *old, struct buf *out,
                         struct error *err)
{
    owned(json_free) json_t *root = NULL;
    const json_t *fields = NULL;
    if (old) {
        fields = parse_fields(old, &root, err);
        if (!fields) {
            return false;
        }
    }
    buf_append_text(out, "{\"type\":\"struct\",\"fields\":[");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct schema_column *c = &schema->columns[i];
        const json_t *before = find_field(fields, c->name);
        buf_append_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_append_text(out, c->name);
        buf_append_text(out, ",\"type\":\"");
        if (keeps_byte(c, before)) {
            buf_append_text(out, "byte");
        } else if (!append_type(c, out, err)) {
            return false;
        }
        buf_append_format(out, "\",\"nullable\":%s,\"metadata\":", c->nullable ? "true" : "false");
        append_metadata(c, before, out);
        buf_append_char(out, '}');
    }
    buf_append_text(out, "]}");
    return true;
}

/* --- checks --- */

bool delta_schema_check(const struct schema *schema, struct error *err)
{
    static const char *const reserved[] = {"_change_type", "_commit_version", "_commit_timestamp"};
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const char *name = schema->columns[i].name;
        for (size_t r = 0; r < sizeof(reserved) / sizeof(reserved[0]); r++) {
            if (strcasecmp(name, reserved[r]) == 0) {
                return error_set(err, ERROR_CONFIG,
                                 "column \"%s\": the change feed needs this name; rename the "
                                 "column in a transform",
                                 name);
            }
        }
        if (name[0] == '\0' || strpbrk(name, " ,;{}()\n\t=")) {
            return error_set(err, ERROR_CONFIG,
                             "column \"%s\": a Delta table without column mapping cannot have "
                             "\" ,;{}()=\", tabs or newlines in a name; rename the column in a "
                             "transform",
                             name);
        }
        for (uint32_t other = 0; other < i; other++) {
            if (strcasecmp(name, schema->columns[other].name) == 0) {
                return error_set(err, ERROR_CONFIG,
                                 "columns \"%s\" and \"%s\" differ in case only, which a Delta "
                                 "table cannot tell apart",
                                 schema->columns[other].name, name);
            }
        }
    }
    return true;
}

bool delta_schema_widens(const struct schema *from, const struct schema *to)
{
    for (uint32_t i = 0; i < from->column_count; i++) {
        int found = schema_find(to, str_from(from->columns[i].name));
        if (found >= 0 && !type_equal(from->columns[i].type, to->columns[found].type)) {
            return true;
        }
    }
    return false;
}

static bool refuse_change(const struct schema_column *from, const struct schema_column *to,
                          struct error *err)
{
    owned(buf_release) struct buf before = {0};
    owned(buf_release) struct buf after = {0};
    type_format(from->type, &before);
    type_format(to->type, &after);
    return error_set(err, ERROR_CONFIG, "column \"%s\" cannot change from %s to %s", from->name,
                     buf_text(&before), buf_text(&after));
}

bool delta_schema_check_change(const struct schema *from, const struct schema *to,
                               struct error *err)
{
    for (uint32_t i = 0; i < from->column_count; i++) {
        const struct schema_column *a = &from->columns[i];
        int found = schema_find(to, str_from(a->name));
        if (found < 0) {
            return error_set(err, ERROR_CONFIG,
                             "column \"%s\" cannot be dropped from a Delta table without column "
                             "mapping; keep it and write nulls",
                             a->name);
        }
        const struct schema_column *b = &to->columns[found];
        if (!type_widens(a->type, b->type)) {
            return refuse_change(a, b, err);
        }
        if (a->nullable && !b->nullable) {
            return error_set(err, ERROR_CONFIG, "column \"%s\" cannot become not null", a->name);
        }
    }
    return delta_schema_check(to, err);
}
