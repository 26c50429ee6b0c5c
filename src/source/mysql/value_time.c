/* Dates and times: sql-common/my_time.cc for the packed forms of MySQL 5.6 and after (MariaDB's
 * too), sql/field.cc for the older ones. */
#include <stdio.h>

#include "base/reader.h"
#include "source/mysql/table_map.h"
#include "source/mysql/value_parts.h"

static const int64_t second_us = 1000000;
static const int64_t day_us = (int64_t)86400 * 1000000;

enum { FRACTION_MAX = 6, YEAR_MAX = 9999, HOUR_MAX = 838 };

/* --- Binary forms --- */

size_t my_time_bytes(enum my_type type, unsigned fraction)
{
    if (fraction > FRACTION_MAX) {
        return 0;
    }
    size_t fraction_bytes = (fraction + 1) / 2;
    switch ((int)type) {
    case MY_DATE:
    case MY_NEWDATE:
    case MY_TIME:
        return 3;
    case MY_TIMESTAMP:
        return 4;
    case MY_DATETIME:
        return 8;
    case MY_TIME2:
        return 3 + fraction_bytes;
    case MY_TIMESTAMP2:
        return 4 + fraction_bytes;
    case MY_DATETIME2:
        return 5 + fraction_bytes;
    default:
        return 0;
    }
}

static uint64_t big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++) {
        v = v << 8 | bytes[i];
    }
    return v;
}

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t v = 0;
    for (size_t i = size; i > 0; i--) {
        v = v << 8 | bytes[i - 1];
    }
    return v;
}

/* Microseconds of a stored fraction: of hundredths, ten-thousandths or millionths, two digits a
 * byte. */
static uint32_t fraction_micros(const uint8_t *bytes, unsigned fraction)
{
    static const uint32_t unit[] = {0, 10000, 100, 1};
    size_t size = (fraction + 1) / 2;
    return (uint32_t)big_endian(bytes, size) * unit[size];
}

/* Days since 1970-01-01 to a date; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
static int64_t days_from_date(const struct my_time *t)
{
    int64_t month = t->month;
    int64_t year = (int64_t)t->year - (month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void set_date_from_days(int64_t days, struct my_time *out)
{
    days += 719468;
    int64_t era = days / 146097; /* days of timestamps are not negative */
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    out->day = (uint32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    out->month = (uint32_t)(month < 10 ? month + 3 : month - 9);
    out->year = (uint32_t)(year_of_era + era * 400 + (out->month <= 2));
}

/* The functions below write the parts that a form has into a zeroed time, in place: a struct of
 * small parts that is copied as a whole right after waits for all of them. */

/* 0 is the zero timestamp. MariaDB also has the fractions of second 0. */
static void set_from_seconds(uint32_t seconds, uint32_t micros, struct my_time *out)
{
    if (seconds == 0 && micros == 0) {
        return;
    }
    set_date_from_days(seconds / 86400, out);
    out->hour = seconds % 86400 / 3600;
    out->minute = seconds % 3600 / 60;
    out->second = seconds % 60;
    out->micros = micros;
}

static void set_from_packed(int64_t packed, bool is_time, struct my_time *out)
{
    uint64_t v = packed < 0 ? -(uint64_t)packed : (uint64_t)packed;
    uint64_t whole = v >> 24;
    out->negative = packed < 0;
    out->micros = (uint32_t)(v & 0xFFFFFF);
    out->second = (uint32_t)(whole & 63);
    out->minute = (uint32_t)(whole >> 6 & 63);
    if (is_time) {
        out->hour = (uint32_t)(whole >> 12 & 1023);
        return;
    }
    out->hour = (uint32_t)(whole >> 12 & 31);
    uint64_t date = whole >> 17;
    out->day = (uint32_t)(date & 31);
    out->month = (uint32_t)((date >> 5) % 13);
    out->year = (uint32_t)((date >> 5) / 13);
}

struct my_time my_time_from_packed(int64_t packed, bool is_time)
{
    struct my_time t = {0};
    set_from_packed(packed, is_time, &t);
    return t;
}

/* Whole part and fraction are one signed number: of negative times both are complements. */
static void set_time(unsigned fraction, const uint8_t *bytes, struct my_time *out)
{
    static const int64_t unit[] = {0, 10000, 100, 1};
    size_t fraction_bytes = (fraction + 1) / 2;
    int64_t v = (int64_t)big_endian(bytes, 3 + fraction_bytes) -
                ((int64_t)0x800000 << (8 * fraction_bytes));
    bool negative = v < 0;
    uint64_t magnitude = (uint64_t)(negative ? -v : v);
    uint64_t whole = magnitude >> (8 * fraction_bytes);
    uint64_t part = magnitude & (((uint64_t)1 << (8 * fraction_bytes)) - 1);
    set_from_packed((int64_t)(whole << 24), true, out);
    out->micros = (uint32_t)part * (uint32_t)unit[fraction_bytes];
    out->negative = negative;
}

static void set_date(const uint8_t *bytes, struct my_time *out)
{
    uint32_t v = (uint32_t)little_endian(bytes, 3);
    out->day = v & 31;
    out->month = v >> 5 & 15;
    out->year = v >> 9;
}

/* Digits YYYYMMDDhhmmss as one number. */
static bool datetime_from_digits(uint64_t v, struct my_time *out)
{
    out->second = (uint32_t)(v % 100);
    out->minute = (uint32_t)(v / 100 % 100);
    out->hour = (uint32_t)(v / 10000 % 100);
    v /= 1000000;
    out->day = (uint32_t)(v % 100);
    out->month = (uint32_t)(v / 100 % 100);
    out->year = (uint32_t)(v / 10000 < UINT32_MAX ? v / 10000 : UINT32_MAX);
    return v / 10000 <= YEAR_MAX;
}

static bool parts_are_sane(const struct my_time *t)
{
    return t->year <= YEAR_MAX && t->month <= 12 && t->day <= 31 && t->hour <= HOUR_MAX &&
           t->minute < 60 && t->second < 60 && t->micros < second_us;
}

bool my_time_from_image(enum my_type type, unsigned fraction, const uint8_t *bytes,
                        struct my_time *out)
{
    bool sane = true;
    *out = (struct my_time){0};
    switch ((int)type) {
    case MY_DATE:
    case MY_NEWDATE:
        set_date(bytes, out);
        break;
    case MY_TIME: { /* hhmmss as a signed number */
        int32_t v = (int32_t)((uint32_t)little_endian(bytes, 3) << 8) >> 8;
        sane = datetime_from_digits((uint64_t)(v < 0 ? -v : v) % 10000, out);
        out->hour = (uint32_t)(v < 0 ? -v : v) / 10000;
        out->negative = v < 0;
        break;
    }
    case MY_DATETIME:
        sane = datetime_from_digits(little_endian(bytes, 8), out);
        break;
    case MY_TIMESTAMP:
        set_from_seconds((uint32_t)little_endian(bytes, 4), 0, out);
        break;
    case MY_TIMESTAMP2:
        set_from_seconds((uint32_t)big_endian(bytes, 4), fraction_micros(bytes + 4, fraction), out);
        break;
    case MY_TIME2:
        set_time(fraction, bytes, out);
        break;
    case MY_DATETIME2: {
        uint64_t whole = big_endian(bytes, 5);
        sane = (whole & 0x8000000000) != 0; /* no datetime is negative */
        set_from_packed((int64_t)((whole & 0x7FFFFFFFFF) << 24), false, out);
        out->micros = fraction_micros(bytes + 5, fraction);
        break;
    }
    default:
        return false;
    }
    return sane && parts_are_sane(out);
}

/* --- Text --- */

void my_time_append(const struct my_time *t, enum my_value_kind kind, unsigned fraction,
                    struct buf *out)
{
    if (kind != MY_VALUE_TIME) {
        buf_append_format(out, "%04u-%02u-%02u", t->year, t->month, t->day);
    }
    if (kind == MY_VALUE_DATE) {
        return;
    }
    if (kind != MY_VALUE_TIME) {
        buf_append_char(out, ' ');
    } else if (t->negative) {
        buf_append_char(out, '-');
    }
    buf_append_format(out, "%02u:%02u:%02u", t->hour, t->minute, t->second);
    if (fraction > 0) {
        char digits[16];
        (void)snprintf(digits, sizeof(digits), ".%06u", t->micros);
        buf_append(out, digits, 1 + (size_t)(fraction < FRACTION_MAX ? fraction : FRACTION_MAX));
    }
}

/* Text that is read from the left; a failure sticks. */
struct scanner {
    const char *next;
    const char *end;
    bool failed;
};

static bool scan_char(struct scanner *s, char c)
{
    if (s->next < s->end && *s->next == c) {
        s->next++;
        return true;
    }
    return false;
}

static void expect_char(struct scanner *s, char c)
{
    s->failed |= !scan_char(s, c);
}

/* A number of min to max digits. */
static uint32_t scan_number(struct scanner *s, int digits_min, int digits_max)
{
    uint32_t v = 0;
    int digits = 0;
    while (digits < digits_max && s->next < s->end && *s->next >= '0' && *s->next <= '9') {
        v = v * 10 + (uint32_t)(*s->next++ - '0');
        digits++;
    }
    s->failed |= digits < digits_min;
    return v;
}

static void scan_time_of_day(struct scanner *s, bool is_time, struct my_time *out)
{
    out->negative = is_time && scan_char(s, '-');
    out->hour = scan_number(s, 2, is_time ? 3 : 2);
    expect_char(s, ':');
    out->minute = scan_number(s, 2, 2);
    expect_char(s, ':');
    out->second = scan_number(s, 2, 2);
    if (scan_char(s, '.')) {
        const char *start = s->next;
        out->micros = scan_number(s, 1, FRACTION_MAX);
        for (int64_t digits = s->next - start; digits < FRACTION_MAX; digits++) {
            out->micros *= 10;
        }
    }
}

bool my_time_parse(struct str text, enum my_value_kind kind, struct my_time *out)
{
    if (text.size == 0) {
        return false;
    }
    struct scanner s = {.next = text.data, .end = text.data + text.size};
    struct my_time t = {0};
    if (kind != MY_VALUE_TIME) {
        t.year = scan_number(&s, 4, 4);
        expect_char(&s, '-');
        t.month = scan_number(&s, 2, 2);
        expect_char(&s, '-');
        t.day = scan_number(&s, 2, 2);
    }
    if (kind != MY_VALUE_TIME && kind != MY_VALUE_DATE) {
        expect_char(&s, ' ');
    }
    if (kind != MY_VALUE_DATE) {
        scan_time_of_day(&s, kind == MY_VALUE_TIME, &t);
    }
    *out = t;
    return !s.failed && s.next == s.end && parts_are_sane(&t);
}

/* --- Into the column --- */

static bool date_exists(const struct my_time *t)
{
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (t->year == 0 || t->month == 0 || t->day == 0) {
        return false;
    }
    bool leap = (t->year % 4 == 0 && t->year % 100 != 0) || t->year % 400 == 0;
    return t->day <= month_days[t->month - 1] + (uint32_t)(leap && t->month == 2);
}

static int64_t micros_of_day(const struct my_time *t)
{
    return ((int64_t)t->hour * 3600 + (int64_t)t->minute * 60 + t->second) * second_us + t->micros;
}

/* As text of the kind where it has no place in the column. */
static bool store_unrepresentable(const struct my_place *p, const struct my_time *t,
                                  struct error *err)
{
    owned(buf_release) struct buf text = {0};
    my_time_append(t, p->rule->kind, p->rule->fraction, &text);
    return my_store_unrepresentable(p, buf_text(&text), err);
}

bool my_store_time(const struct my_place *p, const struct my_time *t, struct error *err)
{
    enum my_value_kind kind = p->rule->kind;
    if (p->rule->as_text) {
        owned(buf_release) struct buf text = {0};
        my_time_append(t, kind, p->rule->fraction, &text);
        return my_store_text(p, buf_str(&text), err);
    }
    int64_t v = 0;
    bool fits = true;
    if (kind == MY_VALUE_TIME) {
        v = micros_of_day(t);
        fits = v < day_us && (!t->negative || v == 0);
    } else {
        fits = date_exists(t) && t->hour < 24;
        v = fits ? days_from_date(t) : 0;
        if (kind != MY_VALUE_DATE) {
            v = v * day_us + micros_of_day(t);
        }
    }
    return fits ? my_store_integer(p, v, err) : store_unrepresentable(p, t, err);
}
