/* Typed fields of a JSON object that somebody else wrote. An absent field and null are the same and
 * leave
 * `*out` as it was; another type than asked for is ERROR_DATA naming the field. Copies are in the
 * arena. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct delta_pair {
    const char *key;
    const char *value; /* NULL: null */
};

struct delta_pairs {
    const struct delta_pair *items;
    uint32_t count;
};

struct delta_strings {
    const char *const *items;
    uint32_t count;
    bool present;
};

must_check bool field_string(const json_t *object, const char *key, struct arena *a,
                             const char **out, struct error *err);
must_check bool field_int64(const json_t *object, const char *key, int64_t *out, bool *present,
                            struct error *err);
must_check bool field_bool(const json_t *object, const char *key, bool *out, struct error *err);
must_check bool field_strings(const json_t *object, const char *key, struct arena *a,
                              struct delta_strings *out, struct error *err);

/* An object of strings and nulls; numbers and booleans become their JSON text. */
must_check bool field_pairs(const json_t *object, const char *key, struct arena *a,
                            struct delta_pairs *out, struct error *err);

/* The value of a key, or NULL. */
const char *pairs_get(const struct delta_pairs *pairs, const char *key);

/* Parses one JSON value; strings may have NULs. ERROR_DATA names the place. Owned by the caller. */
json_t *field_parse(struct str text, struct error *err);

/* Appends JSON: a string or null; `"key":` with a comma in front unless it follows '{'. */
void json_append_text(struct buf *out, const char *text);
void json_append_key(struct buf *out, const char *key);

static inline void json_free(json_t **j)
{
    json_decref(*j);
    *j = NULL;
}
