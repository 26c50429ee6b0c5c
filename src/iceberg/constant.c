#include "iceberg/constant.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Bytes as \x01\x02, from their hexadecimal digits. */
static const char *bytes_of(const char *digits, struct arena *a)
{
    size_t size = strlen(digits);
    char *out = arena_alloc(a, size * 2 + 1);
    char *p = out;
    for (size_t i = 0; i + 1 < size; i += 2) {
        *p++ = '\\';
        *p++ = 'x';
        *p++ = digits[i];
        *p++ = digits[i + 1];
    }
    *p = '\0';
    return out;
}

/* A float that has become a double keeps its value. */
static const char *castable(struct type type, const char *text, struct arena *a)
{
    if (text && type.kind == TYPE_FLOAT32) {
        return arena_format(a, "%.17g", (double)strtof(text, NULL));
    }
    return text && type.kind == TYPE_BINARY ? bytes_of(text + 2, a) : text; /* behind its own \x */
}

struct lake_file_value *iceberg_constants(const struct iceberg_spec *spec, const char *const *texts,
                                          struct arena *a, uint32_t *count)
{
    struct lake_file_value *values = arena_array(a, (size_t)spec->field_count + 1, sizeof(*values));
    *count = 0;
    for (uint32_t i = 0; i < spec->field_count; i++) {
        const struct iceberg_spec_field *field = &spec->fields[i];
        if (field->transform.kind == LAKE_IDENTITY) {
            values[(*count)++] = (struct lake_file_value){
                .column_id = field->source_id, .text = castable(field->result, texts[i], a)};
        }
    }
    return values;
}

/* ---- defaults ---- */

static bool is_hexadecimal(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (!isxdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return size % 2 == 0;
}

/* Whether the value has the JSON type that the column's type is written in. */
static bool fits(struct type type, const json_t *value)
{
    switch (type.kind) {
    case TYPE_BOOL:
        return json_is_boolean(value);
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
        return json_is_integer(value);
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        return json_is_number(value);
    case TYPE_BINARY:
        return json_is_string(value) && is_hexadecimal(json_string_value(value));
    case TYPE_DECIMAL:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_STRING:
    case TYPE_JSON:
    case TYPE_UUID:
        return json_is_string(value);
    }
    return false;
}

static bool take_default(const struct iceberg_field *field, const json_t *value, struct arena *a,
                         const char **out, struct error *err)
{
    if (!fits(field->type, value)) {
        return error_set(err, ERROR_DATA, "initial default %s is not a value of its type",
                         field->initial_default);
    }
    const char *text = json_string_value(value);
    if (!text) {
        *out = field->initial_default;
    } else {
        *out = field->type.kind == TYPE_BINARY ? bytes_of(text, a)
                                               : arena_string(a, text, json_string_length(value));
    }
    return true;
}

bool iceberg_default_text(const struct iceberg_field *field, struct arena *a, const char **out,
                          struct error *err)
{
    *out = NULL;
    if (!field->initial_default) {
        return true;
    }
    bool ok = false;
    if (field->is_nested) {
        (void)error_set(err, ERROR_CONFIG, "initial defaults of nested types are not supported");
    } else {
        json_t *value = json_loads(field->initial_default, JSON_DECODE_ANY, NULL);
        ok = take_default(field, value, a, out, err);
        json_decref(value);
    }
    return ok || error_wrap(err, "column \"%s\"", field->name);
}
