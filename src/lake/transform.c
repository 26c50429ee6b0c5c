#include "lake/transform.h"

#include <stdlib.h>

#include "base/hash.h"
#include "format/value.h"
#include "lake/lake.h"

static const int64_t us_per_hour = INT64_C(3600) * 1000000;
static const int64_t us_per_day = INT64_C(86400) * 1000000;

static const struct {
    enum lake_transform_kind kind;
    const char *name;
} names[] = {
    {LAKE_IDENTITY, "identity"}, {LAKE_BUCKET, "bucket"}, {LAKE_TRUNCATE, "truncate"},
    {LAKE_YEAR, "year"},         {LAKE_MONTH, "month"},   {LAKE_DAY, "day"},
    {LAKE_HOUR, "hour"},         {LAKE_VOID, "void"},     {LAKE_UNKNOWN, "unknown"},
};
enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

static bool has_parameter(enum lake_transform_kind kind)
{
    return kind == LAKE_BUCKET || kind == LAKE_TRUNCATE;
}

void lake_transform_format(struct lake_transform t, struct buf *out)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (names[i].kind == t.kind) {
            buf_append_text(out, names[i].name);
        }
    }
    if (has_parameter(t.kind)) {
        buf_append_format(out, "[%u]", t.parameter);
    }
}

/* "[16]": a positive int32 and nothing else. */
static bool parse_parameter(const char *text, uint32_t *out)
{
    if (text[0] != '[' || text[1] < '1' || text[1] > '9') {
        return false;
    }
    char *end = NULL;
    unsigned long long value = strtoull(text + 1, &end, 10);
    *out = (uint32_t)value;
    return value <= INT32_MAX && strcmp(end, "]") == 0;
}

struct lake_transform lake_transform_parse(const char *text)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        struct lake_transform t = {.kind = names[i].kind};
        size_t size = strlen(names[i].name);
        if (strncmp(text, names[i].name, size) == 0 &&
            (has_parameter(t.kind) ? parse_parameter(text + size, &t.parameter)
                                   : text[size] == '\0')) {
            return t;
        }
    }
    return (struct lake_transform){.kind = LAKE_UNKNOWN};
}

static bool is_integer(struct type t)
{
    return t.kind == TYPE_INT16 || t.kind == TYPE_INT32 || t.kind == TYPE_INT64;
}

static bool is_text(struct type t)
{
    return t.kind == TYPE_STRING || t.kind == TYPE_JSON;
}

static bool is_instant(struct type t)
{
    return t.kind == TYPE_TIMESTAMP || t.kind == TYPE_TIMESTAMPTZ;
}

/* Not bool and not floats: their hashes are defined, but not for buckets. */
static bool can_bucket(struct type t)
{
    return t.kind != TYPE_BOOL && t.kind != TYPE_FLOAT32 && t.kind != TYPE_FLOAT64;
}

bool lake_transform_result(struct lake_transform t, struct type source, struct type *out)
{
    *out = source;
    switch (t.kind) {
    case LAKE_IDENTITY:
    case LAKE_VOID:
        return true;
    case LAKE_BUCKET:
        *out = (struct type){.kind = TYPE_INT32};
        return can_bucket(source);
    case LAKE_TRUNCATE: /* of binary too in the specification, but such a value has no text */
        return is_integer(source) || source.kind == TYPE_DECIMAL || is_text(source);
    case LAKE_YEAR:
    case LAKE_MONTH:
        *out = (struct type){.kind = TYPE_INT32};
        return source.kind == TYPE_DATE || is_instant(source);
    case LAKE_DAY:
        *out = (struct type){.kind = TYPE_DATE};
        return source.kind == TYPE_DATE || is_instant(source);
    case LAKE_HOUR:
        *out = (struct type){.kind = TYPE_INT32};
        return is_instant(source);
    case LAKE_UNKNOWN:
        break;
    }
    return false;
}

static bool refuse_type(struct lake_transform t, struct type type, struct error *err)
{
    owned(buf_release) struct buf name = {0};
    owned(buf_release) struct buf of = {0};
    lake_transform_format(t, &name);
    type_format(type, &of);
    return error_set(err, ERROR_DATA, "%s columns cannot be partitioned by %s", buf_text(&of),
                     buf_text(&name));
}

/* --- bucket --- */

static uint32_t hash_long(int64_t v)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)((uint64_t)v >> (8 * i));
    }
    return hash_murmur3(bytes, sizeof(bytes));
}

/* The shortest two's complement, big-endian. */
static uint32_t hash_unscaled(__int128 v)
{
    uint8_t bytes[16];
    unsigned size = 0;
    __int128 rest = v;
    do {
        bytes[sizeof(bytes) - 1 - size++] = (uint8_t)rest;
        rest >>= 7; /* in two steps: the bit that stays is the sign */
        if (rest == 0 || rest == -1) {
            break;
        }
        rest >>= 1;
    } while (size < sizeof(bytes));
    return hash_murmur3(bytes + sizeof(bytes) - size, size);
}

static uint32_t hash_value(const struct column *c, uint32_t row)
{
    switch (c->type.kind) {
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return hash_long((int64_t)column_integer(c, row)); /* ints as longs, so that they widen */
    case TYPE_DECIMAL:
        return hash_unscaled(column_integer(c, row));
    case TYPE_UUID:
        return hash_murmur3(((const struct uuid *)c->values)[row].bytes, sizeof(struct uuid));
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_JSON: {
        struct str s = view_str(&((const struct view *)c->values)[row]);
        return hash_murmur3(s.data, s.size);
    }
    case TYPE_BOOL:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        break; /* refused by can_bucket() */
    }
    return 0;
}

/* --- truncate --- */

static __int128 floor_to(__int128 v, uint32_t width)
{
    __int128 rest = v % (int64_t)width;
    return v - (rest < 0 ? rest + (int64_t)width : rest);
}

/* Flooring the smallest values can leave the type. */
static bool truncate_integer(struct lake_transform t, const struct column *c, uint32_t row,
                             struct buf *out, struct error *err)
{
    __int128 v = floor_to(column_integer(c, row), t.parameter);
    bool fits = true;
    struct column result = {.type = c->type, .values = &v};
    if (c->type.kind == TYPE_DECIMAL) {
        result.type.precision = DECIMAL_PRECISION_MAX; /* 16 bytes, whatever the column has */
        __int128 least = -1;
        for (unsigned i = 0; i < c->type.precision; i++) {
            least *= 10;
        }
        fits = v > least;
    } else { /* int16 is kept in int32 */
        fits = v >= (c->type.kind == TYPE_INT64 ? INT64_MIN : INT32_MIN);
        result.type = (struct type){TYPE_DECIMAL, DECIMAL_PRECISION_MAX, 0};
    }
    if (!fits) {
        owned(buf_release) struct buf text = {0};
        value_format(c, row, &text);
        return error_set(err, ERROR_DATA, "%s cannot be truncated to multiples of %u in its type",
                         buf_text(&text), t.parameter);
    }
    value_format(&result, 0, out);
    return true;
}

static bool truncate_text(struct lake_transform t, const struct column *c, uint32_t row,
                          struct buf *out, struct error *err)
{
    struct str s = view_str(&((const struct view *)c->values)[row]);
    size_t size = utf8_prefix(s.data, s.size, t.parameter);
    if (size > 0 && memchr(s.data, '\0', size)) {
        return error_set(err, ERROR_DATA, "a partition value has a NUL byte");
    }
    buf_append(out, s.data, size);
    return true;
}

/* --- time --- */

static int64_t floor_divide(int64_t v, int64_t by)
{
    return v / by - (v % by < 0);
}

/* Months since 1970-01 of days since 1970-01-01; the calendar as in format/value.c: years begin on
 * 1 March, in eras of 400 years. */
static int64_t months_of_days(int64_t days)
{
    const int64_t era_days = 146097;
    days += 719468; /* from 0000-03-01 */
    int64_t era = floor_divide(days, era_days);
    int64_t day = days - era * era_days;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    return (era * 400 + year - 1970) * 12 + month_from_march + 2;
}

/* The day goes through lake_partition_text(), for its text and for its refusal of dates that not
 * all readers know. */
static bool time_text(struct lake_transform t, const struct column *c, uint32_t row,
                      struct arena *a, const char **out, struct error *err)
{
    int64_t v = (int64_t)column_integer(c, row);
    int64_t days = c->type.kind == TYPE_DATE ? v : floor_divide(v, us_per_day);
    struct column day = {.type = {.kind = TYPE_DATE}, .values = &(int32_t){(int32_t)days}};
    if (!lake_partition_text(&day, 0, a, out, err)) {
        return false;
    }
    if (t.kind == LAKE_DAY) {
        return true;
    }
    int64_t result = 0;
    if (t.kind == LAKE_HOUR) {
        result = floor_divide(v, us_per_hour);
    } else {
        result = months_of_days(days);
        result = t.kind == LAKE_YEAR ? floor_divide(result, 12) : result;
    }
    *out = arena_format(a, "%lld", (long long)result);
    return true;
}

static bool is_time(enum lake_transform_kind kind)
{
    return kind == LAKE_YEAR || kind == LAKE_MONTH || kind == LAKE_DAY || kind == LAKE_HOUR;
}

bool lake_transform_text(struct lake_transform t, const struct column *c, uint32_t row,
                         struct arena *a, const char **out, struct error *err)
{
    struct type result;
    if (!lake_transform_result(t, c->type, &result) || (has_parameter(t.kind) && !t.parameter)) {
        return refuse_type(t, c->type, err);
    }
    if (t.kind == LAKE_IDENTITY) {
        return lake_partition_text(c, row, a, out, err);
    }
    *out = NULL;
    if (t.kind == LAKE_VOID || !column_is_valid(c, row)) {
        return true;
    }
    if (t.kind == LAKE_BUCKET) {
        *out = arena_format(a, "%u", (hash_value(c, row) & INT32_MAX) % t.parameter);
        return true;
    }
    if (is_time(t.kind)) {
        return time_text(t, c, row, a, out, err);
    }
    owned(buf_release) struct buf text = {0};
    bool ok = is_text(c->type) ? truncate_text(t, c, row, &text, err)
                               : truncate_integer(t, c, row, &text, err);
    *out = ok ? arena_string(a, buf_text(&text), text.size) : NULL;
    return ok;
}
