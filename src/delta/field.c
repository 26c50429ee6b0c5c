#include "delta/field.h"

#include <stdlib.h>

#include "format/json.h"

static bool wrong_type(const char *key, const char *expected, struct error *err)
{
    return error_set(err, ERROR_DATA, "field \"%s\" is not %s", key, expected);
}

static bool copy_string(const json_t *value, const char *key, struct arena *a, const char **out,
                        struct error *err)
{
    if (!json_is_string(value)) {
        return wrong_type(key, "a string", err);
    }
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    if (memchr(text, '\0', size)) {
        return error_set(err, ERROR_DATA, "field \"%s\" has a NUL character", key);
    }
    *out = arena_string(a, text, size);
    return true;
}

static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

bool field_string(const json_t *object, const char *key, struct arena *a, const char **out,
                  struct error *err)
{
    const json_t *value = get(object, key);
    return !value || copy_string(value, key, a, out, err);
}

bool field_int64(const json_t *object, const char *key, int64_t *out, bool *present,
                 struct error *err)
{
    const json_t *value = get(object, key);
    if (!value) {
        return true;
    }
    if (!json_is_integer(value)) {
        return wrong_type(key, "an integer", err);
    }
    *out = json_integer_value(value);
    if (present) {
        *present = true;
    }
    return true;
}

bool field_bool(const json_t *object, const char *key, bool *out, struct error *err)
{
    const json_t *value = get(object, key);
    if (value && !json_is_boolean(value)) {
        return wrong_type(key, "a boolean", err);
    }
    *out = value ? json_is_true(value) : *out;
    return true;
}

bool field_strings(const json_t *object, const char *key, struct arena *a,
                   struct delta_strings *out, struct error *err)
{
    const json_t *value = get(object, key);
    if (!value) {
        return true;
    }
    if (!json_is_array(value)) {
        return wrong_type(key, "a list", err);
    }
    size_t count = json_array_size(value);
    const char **items = arena_array(a, count, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        if (!copy_string(json_array_get(value, i), key, a, &items[i], err)) {
            return false;
        }
    }
    *out = (struct delta_strings){.items = items, .count = (uint32_t)count, .present = true};
    return true;
}

static bool copy_pair_value(json_t *value, const char *key, struct arena *a, const char **out,
                            struct error *err)
{
    *out = NULL;
    if (json_is_null(value)) {
        return true;
    }
    if (json_is_string(value)) {
        return copy_string(value, key, a, out, err);
    }
    if (json_is_object(value) || json_is_array(value)) {
        return wrong_type(key, "a map of strings", err);
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    if (!text) {
        return wrong_type(key, "a map of strings", err);
    }
    *out = arena_string(a, text, strlen(text));
    free(text);
    return true;
}

bool field_pairs(const json_t *object, const char *key, struct arena *a, struct delta_pairs *out,
                 struct error *err)
{
    json_t *value = (json_t *)(uintptr_t)get(object, key); /* jansson iterates without const */
    if (!value) {
        return true;
    }
    if (!json_is_object(value)) {
        return wrong_type(key, "a map", err);
    }
    struct delta_pair *items = arena_array(a, json_object_size(value), sizeof(*items));
    uint32_t n = 0;
    const char *name = NULL;
    json_t *item = NULL;
    json_object_foreach(value, name, item)
    {
        items[n].key = arena_string(a, name, strlen(name));
        if (!copy_pair_value(item, key, a, &items[n].value, err)) {
            return false;
        }
        n++;
    }
    *out = (struct delta_pairs){.items = items, .count = n};
    return true;
}

const char *pairs_get(const struct delta_pairs *pairs, const char *key)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].key, key) == 0) {
            return pairs->items[i].value;
        }
    }
    return NULL;
}

json_t *field_parse(struct str text, struct error *err)
{
    json_error_t reason;
    json_t *value = json_loadb(text.data, text.size, JSON_ALLOW_NUL, &reason);
    if (!value) {
        (void)error_set(err, ERROR_DATA, "not JSON: %s at byte %d", reason.text, reason.position);
    }
    return value;
}

void json_append_text(struct buf *out, const char *text)
{
    if (text) {
        json_write_string(str_from(text), out);
    } else {
        buf_append_text(out, "null");
    }
}

void json_append_key(struct buf *out, const char *key)
{
    if (out->size > 0 && out->data[out->size - 1] != '{') {
        buf_append_char(out, ',');
    }
    json_write_string(str_from(key), out);
    buf_append_char(out, ':');
}
