#include "iceberg/member.h"

#include <stdlib.h>
#include <string.h>

static bool wrong_type(const char *key, const char *expected, struct error *err)
{
    return error_set(err, ERROR_DATA, "\"%s\" is not %s", key, expected);
}

bool member_require(bool present, const char *key, struct error *err)
{
    return present || error_set(err, ERROR_DATA, "\"%s\" is missing", key);
}

bool member_int64(const json_t *object, const char *key, int64_t *out, bool *present,
                  struct error *err)
{
    const json_t *value = member_get(object, key);
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

bool member_int32(const json_t *object, const char *key, int32_t *out, bool *present,
                  struct error *err)
{
    int64_t value = *out;
    if (!member_int64(object, key, &value, present, err)) {
        return false;
    }
    if (value < INT32_MIN || value > INT32_MAX) {
        return wrong_type(key, "an integer of 32 bits", err);
    }
    *out = (int32_t)value;
    return true;
}

bool member_bool(const json_t *object, const char *key, bool *out, struct error *err)
{
    const json_t *value = member_get(object, key);
    if (value && !json_is_boolean(value)) {
        return wrong_type(key, "a boolean", err);
    }
    *out = value ? json_is_true(value) : *out;
    return true;
}

bool member_text(const json_t *object, const char *key, struct arena *a, const char **out,
                 struct error *err)
{
    const json_t *value = member_get(object, key);
    if (!value) {
        return true;
    }
    if (!json_is_string(value)) {
        return wrong_type(key, "a string", err);
    }
    size_t size = json_string_length(value);
    if (memchr(json_string_value(value), '\0', size)) {
        return error_set(err, ERROR_DATA, "\"%s\" has a NUL character", key);
    }
    *out = arena_string(a, json_string_value(value), size);
    return true;
}

bool member_array(const json_t *object, const char *key, const json_t **out, struct error *err)
{
    *out = member_get(object, key);
    return !*out || json_is_array(*out) || wrong_type(key, "a list", err);
}

bool member_object(const json_t *object, const char *key, const json_t **out, struct error *err)
{
    *out = member_get(object, key);
    return !*out || json_is_object(*out) || wrong_type(key, "an object", err);
}

const char *member_dump(const json_t *value, struct arena *a)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text) {
        abort();
    }
    const char *copy = arena_string(a, text, strlen(text));
    free(text);
    return copy;
}
