/* Typed members of a JSON object that somebody else wrote. An absent member and null are the same
 * and leave `*out` as it was; another type than asked for is ERROR_DATA naming the member. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

/* The member, or NULL when it is absent or null. */
static inline json_t *member_get(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

/* `present` may be NULL. */
must_check bool member_int64(const json_t *object, const char *key, int64_t *out, bool *present,
                             struct error *err);
must_check bool member_int32(const json_t *object, const char *key, int32_t *out, bool *present,
                             struct error *err);
must_check bool member_bool(const json_t *object, const char *key, bool *out, struct error *err);

/* A copy in the arena. */
must_check bool member_text(const json_t *object, const char *key, struct arena *a,
                            const char **out, struct error *err);

/* Borrowed; NULL when it is absent. */
must_check bool member_array(const json_t *object, const char *key, const json_t **out,
                             struct error *err);
must_check bool member_object(const json_t *object, const char *key, const json_t **out,
                              struct error *err);

/* ERROR_DATA "... is missing" unless present. */
must_check bool member_require(bool present, const char *key, struct error *err);

/* A value as compact JSON text in the arena. */
const char *member_dump(const json_t *value, struct arena *a);

static inline void member_free(json_t **j)
{
    json_decref(*j);
    *j = NULL;
}
