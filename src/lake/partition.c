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
