#include "format/value_parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t us_per_second = 1000000;
static const int64_t us_per_day = INT64_C(86400) * 1000000;

struct cursor {
    const char *at;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_char(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    return true;
}

/* Between `count_min` and `count_max` (at most 18) digits, as many as there are. */
static bool take_digits(struct cursor *c, unsigned count_min, unsigned count_max, int64_t *out)
{
    unsigned count = 0;
    *out = 0;
    for (; count < count_max && c->at < c->end && is_digit(*c->at); count++) {
        *out = *out * 10 + (*c->at++ - '0');
    }
    return count >= count_min;
}

/* --- numbers --- */

static bool append_digit(__int128 *v, __int128 limit, int digit)
{
    if (*v >= limit / 10) { /* the limit is a power of ten */
        return false;
    }
    *v = *v * 10 + digit;
    return true;
}

/* Digits with at most `scale` of them after a point, under 10^precision, as an unscaled integer. */
static bool parse_unscaled(struct str text, unsigned precision, unsigned scale, __int128 *out)
{
    struct cursor c = {text.data, text.data + text.size};
    bool negative = take_char(&c, '-');
    __int128 limit = 1;
    for (unsigned i = 0; i < precision; i++) {
        limit *= 10;
    }
    __int128 v = 0;
    bool ok = c.at < c.end && is_digit(*c.at);
    while (ok && c.at < c.end && is_digit(*c.at)) {
        ok = append_digit(&v, limit, *c.at++ - '0');
    }
    unsigned left = scale;
    if (ok && scale > 0 && take_char(&c, '.')) {
        ok = c.at < c.end;
        for (; ok && left > 0 && c.at < c.end && is_digit(*c.at); left--) {
            ok = append_digit(&v, limit, *c.at++ - '0');
        }
    }
    for (; ok && left > 0; left--) {
        ok = append_digit(&v, limit, 0);
    }
    *out = negative ? -v : v;
    return ok && c.at == c.end;
}

static bool parse_integer(struct str text, int64_t min, int64_t max, int64_t *out)
{
    __int128 v = 0;
    bool ok = parse_unscaled(text, 19, 0, &v) && v >= min && v <= max;
    *out = ok ? (int64_t)v : 0;
    return ok;
}

static bool parse_decimal(struct type type, struct str text, void *out)
{
    __int128 v = 0;
    if (!parse_unscaled(text, type.precision, type.scale, &v)) {
        return false;
    }
    switch (type_width(type)) {
    case 2:
        *(int16_t *)out = (int16_t)v;
        break;
    case 4:
        *(int32_t *)out = (int32_t)v;
        break;
    case 8:
        *(int64_t *)out = (int64_t)v;
        break;
    default:
        *(__int128 *)out = v;
        break;
    }
    return true;
}

/* What strtod() takes beyond what value_format() writes (hexadecimal, blanks, other spellings) is
 * no number here. */
static bool parse_float(struct str text, bool single, void *out)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    char copy[64];
    bool is_word = false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        is_word |= str_equal(text, str_from(words[i]));
    }
    if (text.size == 0 || text.size >= sizeof(copy) || memchr(text.data, '\0', text.size)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (!is_word && strspn(copy, "0123456789+-.e") != text.size) {
        return false;
    }
    char *end = NULL;
    double v = 0;
    if (single) {
        v = (double)(*(float *)out = strtof(copy, &end));
    } else {
        v = *(double *)out = strtod(copy, &end);
    }
    return *end == '\0' && (is_word || isfinite(v));
}

/* --- time --- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar: eras of 400 years that begin
 * on 1 March, as in value.c. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400 - (year % 400 < 0);
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool take_date(struct cursor *c, int64_t *days)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    bool negative = take_char(c, '-');
    bool expanded = negative || take_char(c, '+');
    if (!take_digits(c, 4, expanded ? 7 : 4, &year) || !take_char(c, '-') ||
        !take_digits(c, 2, 2, &month) || !take_char(c, '-') || !take_digits(c, 2, 2, &day)) {
        return false;
    }
    year = negative ? -year : year;
    if (month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && is_leap(year))) {
        return false;
    }
    *days = days_of(year, month, day);
    return true;
}

static bool take_time(struct cursor *c, int64_t *us)
{
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!take_digits(c, 2, 2, &hour) || !take_char(c, ':') || !take_digits(c, 2, 2, &minute) ||
        !take_char(c, ':') || !take_digits(c, 2, 2, &second) || minute > 59 || second > 59) {
        return false;
    }
    *us = (hour * 3600 + minute * 60 + second) * us_per_second;
    if (take_char(c, '.')) {
        const char *start = c->at;
        int64_t fraction = 0;
        if (!take_digits(c, 1, 6, &fraction)) {
            return false;
        }
        for (size_t i = (size_t)(c->at - start); i < 6; i++) {
            fraction *= 10;
        }
        *us += fraction;
    }
    return *us <= us_per_day; /* 24:00:00 is a time */
}

/* DuckDB's infinity, as value_format() writes it. */
static bool is_infinity(struct str text, int64_t infinity, int64_t *out)
{
    bool negative = str_equal(text, str_from("-infinity"));
    *out = negative ? -infinity : infinity;
    return negative || str_equal(text, str_from("infinity"));
}

static bool parse_date(struct str text, int32_t *out)
{
    struct cursor c = {text.data, text.data + text.size};
    int64_t days = 0;
    if (!is_infinity(text, INT32_MAX, &days) && (!take_date(&c, &days) || c.at != c.end)) {
        return false;
    }
    *out = (int32_t)days;
    return days >= INT32_MIN && days <= INT32_MAX;
}

static bool parse_time(struct str text, int64_t *out)
{
    struct cursor c = {text.data, text.data + text.size};
    return take_time(&c, out) && c.at == c.end;
}

static bool parse_timestamp(struct str text, bool utc, int64_t *out)
{
    struct cursor c = {text.data, text.data + text.size};
    int64_t days = 0;
    int64_t us = 0;
    if (is_infinity(text, INT64_MAX, out)) {
        return true;
    }
    if (!take_date(&c, &days) || !take_char(&c, 'T') || !take_time(&c, &us) || us == us_per_day ||
        (utc && !take_char(&c, 'Z')) || c.at != c.end) {
        return false;
    }
    __int128 all = (__int128)days * us_per_day + us;
    *out = (int64_t)all;
    return all >= INT64_MIN && all <= INT64_MAX;
}

/* --- bytes --- */

static int hexadecimal(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool take_byte(struct cursor *c, uint8_t *out)
{
    int high = c->end - c->at >= 2 ? hexadecimal(c->at[0]) : -1;
    int low = c->end - c->at >= 2 ? hexadecimal(c->at[1]) : -1;
    if (high < 0 || low < 0) {
        return false;
    }
    *out = (uint8_t)(high << 4 | low);
    c->at += 2;
    return true;
}

static bool parse_uuid(struct str text, struct uuid *out)
{
    struct cursor c = {text.data, text.data + text.size};
    for (unsigned i = 0; i < sizeof(out->bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && !take_char(&c, '-')) {
            return false;
        }
        if (!take_byte(&c, &out->bytes[i])) {
            return false;
        }
    }
    return c.at == c.end;
}

static bool parse_binary(struct str text, struct arena *a, struct view *out)
{
    struct cursor c = {text.data, text.data + text.size};
    if (!take_char(&c, '\\') || !take_char(&c, 'x') || text.size > UINT32_MAX) {
        return false;
    }
    size_t size = (size_t)(c.end - c.at) / 2;
    uint8_t *bytes = arena_alloc(a, size + 1);
    for (size_t i = 0; i < size; i++) {
        if (!take_byte(&c, &bytes[i])) {
            return false;
        }
    }
    *out = view_from((const char *)bytes, size);
    return c.at == c.end;
}

static bool parse_text(struct str text, struct arena *a, struct view *out)
{
    if (text.size > UINT32_MAX || !utf8_valid(text.data, text.size)) {
        return false;
    }
    *out = view_from(arena_string(a, text.data, text.size), text.size);
    return true;
}

/* --- all --- */

static bool parse(struct type type, struct str text, struct arena *a, void *out)
{
    int64_t integer = 0;
    bool ok = false;
    switch (type.kind) {
    case TYPE_BOOL:
        *(uint8_t *)out = str_equal(text, str_from("true"));
        return *(uint8_t *)out || str_equal(text, str_from("false"));
    case TYPE_INT16:
        ok = parse_integer(text, INT16_MIN, INT16_MAX, &integer);
        *(int16_t *)out = (int16_t)integer;
        return ok;
    case TYPE_INT32:
        ok = parse_integer(text, INT32_MIN, INT32_MAX, &integer);
        *(int32_t *)out = (int32_t)integer;
        return ok;
    case TYPE_INT64:
        return parse_integer(text, INT64_MIN, INT64_MAX, out);
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        return parse_float(text, type.kind == TYPE_FLOAT32, out);
    case TYPE_DECIMAL:
        return parse_decimal(type, text, out);
    case TYPE_STRING:
    case TYPE_JSON:
        return parse_text(text, a, out);
    case TYPE_BINARY:
        return parse_binary(text, a, out);
    case TYPE_DATE:
        return parse_date(text, out);
    case TYPE_TIME:
        return parse_time(text, out);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return parse_timestamp(text, type.kind == TYPE_TIMESTAMPTZ, out);
    case TYPE_UUID:
        return parse_uuid(text, out);
    }
    return false;
}

bool value_parse(struct type type, struct str text, struct arena *a, void *out, struct error *err)
{
    text.data = text.size > 0 ? text.data : "";
    if (parse(type, text, a, out)) {
        return true;
    }
    owned(buf_release) struct buf name = {0};
    type_format(type, &name);
    struct str shown = {text.data, utf8_prefix(text.data, text.size, 100)};
    return error_set(err, ERROR_DATA, "\"%.*s\" is not a value of type %s", str_arg(shown),
                     buf_text(&name));
}
