#include <stdlib.h>

#include "format/value.h"
#include "lake/lake.h"

/* Readers share no text form of years outside 1 to 9999 (nor do they read such values back). */
static bool date_in_range(int64_t days)
{
    return days >= -719162 && days <= 2932896;
}

static bool timestamp_in_range(int64_t us)
{
    return us >= -719162 * INT64_C(86400000000) && us < 2932897 * INT64_C(86400000000);
}

static bool check_text(struct str text, struct error *err)
{
    if (text.size == 0) {
        return error_set(err, ERROR_DATA,
                         "an empty string cannot be a partition value: it would be read as null");
    }
    if (memchr(text.data, '\0', text.size)) {
        return error_set(err, ERROR_DATA, "a partition value has a NUL byte");
    }
    return true;
}

static bool check_value(const struct column *c, uint32_t row, struct error *err)
{
    bool in_range = true;
    switch (c->type.kind) {
    case TYPE_STRING:
    case TYPE_JSON:
        return check_text(view_str(&((const struct view *)c->values)[row]), err);
    case TYPE_DATE:
        in_range = date_in_range(((const int32_t *)c->values)[row]);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        in_range = timestamp_in_range(((const int64_t *)c->values)[row]);
        break;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_BINARY:
        return error_set(err, ERROR_DATA, "float and binary columns cannot partition a table");
    case TYPE_BOOL:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DECIMAL:
    case TYPE_TIME:
    case TYPE_UUID:
        break;
    }
    return in_range || error_set(err, ERROR_DATA,
                                 "a date outside the years 1 to 9999 cannot be a partition value");
}

bool lake_partition_text(const struct column *c, uint32_t row, struct arena *a, const char **out,
                         struct error *err)
{
    if (!column_is_valid(c, row)) {
        *out = NULL;
        return true;
    }
    if (!check_value(c, row, err)) {
        return false;
    }
    owned(buf_release) struct buf text = {0};
    value_format(c, row, &text);
    *out = arena_string(a, text.data, text.size);
    return true;
}

static const struct {
    const char *word; /* in the configuration */
    const char *suffix;
    enum lake_transform_kind kind;
    bool has_parameter;
} transforms[] = {
    {"identity", "", LAKE_IDENTITY, false},      {"bucket", "_bucket", LAKE_BUCKET, true},
    {"truncate", "_trunc", LAKE_TRUNCATE, true}, {"year", "_year", LAKE_YEAR, false},
    {"month", "_month", LAKE_MONTH, false},      {"day", "_day", LAKE_DAY, false},
    {"hour", "_hour", LAKE_HOUR, false},
};
enum { TRANSFORM_COUNT = sizeof(transforms) / sizeof(transforms[0]) };

static struct str trim(struct str s)
{
    while (s.size > 0 && *s.data == ' ') {
        s = (struct str){s.data + 1, s.size - 1};
    }
    while (s.size > 0 && s.data[s.size - 1] == ' ') {
        s.size--;
    }
    return s;
}

/* "16, id": the number, and what follows it. */
static bool parse_parameter(struct str *rest, uint32_t *parameter)
{
    const char *comma = memchr(rest->data, ',', rest->size);
    char *end = NULL;
    unsigned long long n = strtoull(rest->data, &end, 10);
    if (!comma || end == rest->data || n == 0 || n > INT32_MAX ||
        trim((struct str){end, (size_t)(comma - end)}).size > 0) {
        return false;
    }
    *parameter = (uint32_t)n;
    *rest = trim((struct str){comma + 1, rest->size - (size_t)(comma + 1 - rest->data)});
    return true;
}

bool lake_partition_parse(const char *text, struct arena *a, struct lake_transform *transform,
                          const char **column, struct error *err)
{
    const char *open = strchr(text, '(');
    size_t size = strlen(text);
    *transform = (struct lake_transform){.kind = LAKE_IDENTITY};
    if (!open || text[size - 1] != ')') {
        *column = arena_string(a, text, size);
        return true;
    }
    struct str word = trim((struct str){text, (size_t)(open - text)});
    for (unsigned i = 0; i < TRANSFORM_COUNT; i++) {
        if (!str_equal(word, str_from(transforms[i].word))) {
            continue;
        }
        struct str rest = trim((struct str){open + 1, (size_t)(text + size - 1 - (open + 1))});
        transform->kind = transforms[i].kind;
        if (rest.size == 0 ||
            (transforms[i].has_parameter && !parse_parameter(&rest, &transform->parameter))) {
            return error_set(err, ERROR_CONFIG, "\"%s\": write %s(%s)", text, transforms[i].word,
                             transforms[i].has_parameter ? "16, column" : "column");
        }
        *column = arena_string(a, rest.data, rest.size);
        return true;
    }
    return error_set(err, ERROR_CONFIG,
                     "\"%s\": a column, or year, month, day, hour(column), bucket or "
                     "truncate(number, column)",
                     text);
}

const char *lake_partition_name(struct lake_transform t, const char *column, struct arena *a)
{
    const char *suffix = "";
    for (unsigned i = 0; i < TRANSFORM_COUNT; i++) {
        suffix = transforms[i].kind == t.kind ? transforms[i].suffix : suffix;
    }
    return arena_format(a, "%s%s", column, suffix);
}
