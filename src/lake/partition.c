#include <inttypes.h>

#include "lake/lake.h"
#include "lake/value.h"

static void free_buf(struct buf *b)
{
    buf_release(b);
}

__int128 lake_decimal_at(const struct column *c, uint32_t row)
{
    switch (type_width(c->type)) {
    case 2:
        return ((const int16_t *)c->values)[row];
    case 4:
        return ((const int32_t *)c->values)[row];
    case 8:
        return ((const int64_t *)c->values)[row];
    default:
        return ((const __int128 *)c->values)[row];
    }
}

void lake_append_decimal(__int128 unscaled, uint8_t scale, struct buf *out)
{
    char digits[48];
    size_t n = sizeof(digits);
    unsigned __int128 v = unscaled < 0 ? -(unsigned __int128)unscaled : (unsigned __int128)unscaled;
    for (unsigned i = 0; v > 0 || i <= scale; i++) {
        if (i == scale && scale > 0) {
            digits[--n] = '.';
        }
        digits[--n] = (char)('0' + (int)(v % 10));
        v /= 10;
    }
    if (unscaled < 0) {
        digits[--n] = '-';
    }
    buf_append(out, digits + n, sizeof(digits) - n);
}

bool lake_append_date(int64_t days, struct buf *out)
{
    static const int64_t first = -719162; /* 0001-01-01 */
    static const int64_t last = 2932896;  /* 9999-12-31 */
    if (days < first || days > last) {
        return false;
    }
    /* Days since 0000-03-01 in eras of 400 years (proleptic Gregorian calendar). */
    int64_t z = days + 719468;
    int64_t era = z / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    buf_append_format(out, "%04d-%02d-%02d", (int)year, (int)month, (int)day);
    return true;
}

static void append_time(int64_t us, int digits, struct buf *out)
{
    buf_append_format(out, "%02d:%02d:%02d.", (int)(us / 3600000000), (int)(us / 60000000 % 60),
                      (int)(us / 1000000 % 60));
    int fraction = (int)(us % 1000000);
    if (digits == 3) {
        buf_append_format(out, "%03d", fraction / 1000);
    } else {
        buf_append_format(out, "%06d", fraction);
    }
}

bool lake_append_timestamp(int64_t us, char separator, int digits, struct buf *out)
{
    static const int64_t day_us = 86400000000;
    int64_t days = us / day_us - (us % day_us < 0);
    if (!lake_append_date(days, out)) {
        return false;
    }
    buf_append_char(out, separator);
    append_time(us - days * day_us, digits, out);
    return true;
}

static void append_uuid(const struct uuid *u, struct buf *out)
{
    for (size_t i = 0; i < sizeof(u->bytes); i++) {
        buf_append_format(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                          u->bytes[i]);
    }
}

static bool append_text(const struct column *c, uint32_t row, struct buf *out, struct error *err)
{
    const struct view *view = &((const struct view *)c->values)[row];
    struct str text = view_str(view);
    if (text.size == 0) {
        return error_set(err, ERROR_DATA,
                         "an empty string cannot be a partition value: it would be read as null");
    }
    if (memchr(text.data, '\0', text.size)) {
        return error_set(err, ERROR_DATA, "a partition value has a NUL byte");
    }
    buf_append(out, text.data, text.size);
    return true;
}

static bool append_value(const struct column *c, uint32_t row, struct buf *out, struct error *err)
{
    bool in_range = true;
    switch (c->type.kind) {
    case TYPE_BOOL:
        buf_append_text(out, ((const uint8_t *)c->values)[row] ? "true" : "false");
        break;
    case TYPE_INT16:
        buf_append_format(out, "%d", ((const int16_t *)c->values)[row]);
        break;
    case TYPE_INT32:
        buf_append_format(out, "%" PRId32, ((const int32_t *)c->values)[row]);
        break;
    case TYPE_INT64:
        buf_append_format(out, "%" PRId64, ((const int64_t *)c->values)[row]);
        break;
    case TYPE_DECIMAL:
        lake_append_decimal(lake_decimal_at(c, row), c->type.scale, out);
        break;
    case TYPE_STRING:
    case TYPE_JSON:
        return append_text(c, row, out, err);
    case TYPE_DATE:
        in_range = lake_append_date(((const int32_t *)c->values)[row], out);
        break;
    case TYPE_TIME:
        append_time(((const int64_t *)c->values)[row], 6, out);
        break;
    case TYPE_TIMESTAMP:
        in_range = lake_append_timestamp(((const int64_t *)c->values)[row], ' ', 6, out);
        break;
    case TYPE_TIMESTAMPTZ:
        in_range = lake_append_timestamp(((const int64_t *)c->values)[row], 'T', 6, out);
        buf_append_char(out, 'Z');
        break;
    case TYPE_UUID:
        append_uuid(&((const struct uuid *)c->values)[row], out);
        break;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_BINARY:
        return error_set(err, ERROR_DATA, "float and binary columns cannot partition a table");
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
    owned(free_buf) struct buf text = {0};
    if (!append_value(c, row, &text, err)) {
        return false;
    }
    *out = arena_string(a, text.data, text.size);
    return true;
}
