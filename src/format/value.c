#include "format/value.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t us_per_second = 1000000;
static const int64_t us_per_day = INT64_C(86400) * 1000000;

/* Writes `count` decimal digits of v, right-aligned with zeros. */
static void put_digits(char *at, unsigned count, uint64_t v)
{
    for (unsigned i = count; i > 0; i--) {
        at[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
}

static void append_decimal(struct buf *out, __int128 v, unsigned scale)
{
    char digits[48]; /* 39 digits, or the scale of at most 38 and a zero before the point */
    unsigned at = sizeof(digits);
    unsigned __int128 rest = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    unsigned count = 0;
    while (rest > 0 || count <= scale) {
        if (count == scale && scale > 0) {
            digits[--at] = '.';
        }
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        count++;
    }
    if (v < 0) {
        digits[--at] = '-';
    }
    buf_append(out, digits + at, sizeof(digits) - at);
}

static void append_float(struct buf *out, double v, int digits_min, int digits_max, bool single)
{
    if (isnan(v)) {
        buf_append_text(out, "NaN");
        return;
    }
    if (isinf(v)) {
        buf_append_text(out, v < 0 ? "-Infinity" : "Infinity");
        return;
    }
    char text[40];
    for (int digits = digits_min; digits <= digits_max; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, v);
        double back = single ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (back == v) {
            break;
        }
    }
    buf_append_text(out, text);
}

/* Days since 1970-01-01 to the proleptic Gregorian calendar, in eras of 400 years that begin on 1
 * March, so that the leap day is the last of its year. */
static void append_days(struct buf *out, int64_t days)
{
    const int64_t era_days = 146097;
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - (era_days - 1)) / era_days;
    int64_t day_of_era = days - era * era_days;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);

    char text[11];
    if (year < 0 || year > 9999) {
        buf_append_format(out, "%c%04" PRId64, year < 0 ? '-' : '+', year < 0 ? -year : year);
    } else {
        put_digits(text, 4, (uint64_t)year);
        buf_append(out, text, 4);
    }
    text[0] = '-';
    put_digits(text + 1, 2, (uint64_t)month);
    text[3] = '-';
    put_digits(text + 4, 2, (uint64_t)day);
    buf_append(out, text, 6);
}

static void append_time(struct buf *out, int64_t us)
{
    char text[15];
    int64_t seconds = us / us_per_second;
    put_digits(text, 2, (uint64_t)(seconds / 3600));
    text[2] = ':';
    put_digits(text + 3, 2, (uint64_t)(seconds / 60 % 60));
    text[5] = ':';
    put_digits(text + 6, 2, (uint64_t)(seconds % 60));
    size_t size = 8;
    if (us % us_per_second != 0) {
        text[8] = '.';
        put_digits(text + 9, 6, (uint64_t)(us % us_per_second));
        size = 15;
        while (text[size - 1] == '0') {
            size--;
        }
    }
    buf_append(out, text, size);
}

/* True when v is DuckDB's infinity, which is then appended. */
static bool append_infinity(struct buf *out, int64_t v, int64_t infinity)
{
    if (v != infinity && v != -infinity) {
        return false;
    }
    buf_append_text(out, v < 0 ? "-infinity" : "infinity");
    return true;
}

static void append_date(struct buf *out, int32_t days)
{
    if (!append_infinity(out, days, INT32_MAX)) {
        append_days(out, days);
    }
}

static void append_timestamp(struct buf *out, int64_t us, bool utc)
{
    if (append_infinity(out, us, INT64_MAX)) {
        return;
    }
    int64_t days = us / us_per_day - (us % us_per_day < 0);
    append_days(out, days);
    buf_append_char(out, 'T');
    append_time(out, us % us_per_day + (us % us_per_day < 0 ? us_per_day : 0));
    if (utc) {
        buf_append_char(out, 'Z');
    }
}

static void append_uuid(struct buf *out, const struct uuid *u)
{
    static const char hex[] = "0123456789abcdef";
    char text[36];
    unsigned at = 0;
    for (unsigned i = 0; i < sizeof(u->bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text[at++] = '-';
        }
        text[at++] = hex[u->bytes[i] >> 4];
        text[at++] = hex[u->bytes[i] & 15];
    }
    buf_append(out, text, sizeof(text));
}

static void append_hex(struct buf *out, struct str bytes)
{
    static const char hex[] = "0123456789abcdef";
    buf_append_text(out, "\\x");
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        char pair[2] = {hex[byte >> 4], hex[byte & 15]};
        buf_append(out, pair, sizeof(pair));
    }
}

void value_format(const struct column *c, uint32_t row, struct buf *out)
{
    const int64_t *int64 = c->values;
    switch (c->type.kind) {
    case TYPE_BOOL:
        buf_append_text(out, ((const uint8_t *)c->values)[row] ? "true" : "false");
        return;
    case TYPE_INT16:
        append_decimal(out, ((const int16_t *)c->values)[row], 0);
        return;
    case TYPE_INT32:
        append_decimal(out, ((const int32_t *)c->values)[row], 0);
        return;
    case TYPE_INT64:
        append_decimal(out, int64[row], 0);
        return;
    case TYPE_FLOAT32:
        append_float(out, (double)((const float *)c->values)[row], 6, 9, true);
        return;
    case TYPE_FLOAT64:
        append_float(out, ((const double *)c->values)[row], 15, 17, false);
        return;
    case TYPE_DECIMAL:
        append_decimal(out, column_integer(c, row), c->type.scale);
        return;
    case TYPE_STRING:
    case TYPE_JSON: {
        struct str s = view_str(&((const struct view *)c->values)[row]);
        buf_append(out, s.data, s.size);
        return;
    }
    case TYPE_BINARY:
        append_hex(out, view_str(&((const struct view *)c->values)[row]));
        return;
    case TYPE_DATE:
        append_date(out, ((const int32_t *)c->values)[row]);
        return;
    case TYPE_TIME:
        append_time(out, int64[row]);
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        append_timestamp(out, int64[row], c->type.kind == TYPE_TIMESTAMPTZ);
        return;
    case TYPE_UUID:
        append_uuid(out, &((const struct uuid *)c->values)[row]);
        return;
    }
    assert(false);
}

void value_append_base64(struct str bytes, struct buf *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *data = (const uint8_t *)bytes.data;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)data[i] << 16;
        group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        group |= left > 2 ? data[i + 2] : 0;
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], '=', '='};
        if (left > 1) {
            text[2] = alphabet[group >> 6 & 63];
        }
        if (left > 2) {
            text[3] = alphabet[group & 63];
        }
        buf_append(out, text, sizeof(text));
    }
}
