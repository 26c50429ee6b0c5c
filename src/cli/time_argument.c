#include "cli/time_argument.h"

#include <string.h>

#include "config/scalar.h"

static const int64_t us_per_second = 1000000;

/* Reads exactly `count` digits of a number in min..max and moves `*p` behind them. */
static bool read_number(const char **p, int count, int64_t min, int64_t max, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        *out = *out * 10 + (**p - '0');
    }
    return *out >= min && *out <= max;
}

static bool take_char(const char **p, char c)
{
    bool found = **p == c;
    *p += found;
    return found;
}

static int64_t days_of_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01, for years from 1 on: years begin in March, so that the leap day is last.
 */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * month_from_march + 2) / 5 + day - 1 -
           719468;
}

static bool read_date(const char **p, int64_t *days)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!read_number(p, 4, 1, 9999, &year) || !take_char(p, '-') ||
        !read_number(p, 2, 1, 12, &month) || !take_char(p, '-') ||
        !read_number(p, 2, 1, days_of_month(year, month), &day)) {
        return false;
    }
    *days = days_of(year, month, day);
    return true;
}

/* ".25"; what is finer than a microsecond is cut off. */
static bool read_fraction(const char **p, int64_t *us)
{
    if (!take_char(p, '.')) {
        return true;
    }
    const char *start = *p;
    for (int64_t unit = us_per_second / 10; **p >= '0' && **p <= '9'; (*p)++, unit /= 10) {
        *us += unit * (**p - '0');
    }
    return *p > start;
}

static bool read_time(const char **p, int64_t *us)
{
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!read_number(p, 2, 0, 23, &hour) || !take_char(p, ':') ||
        !read_number(p, 2, 0, 59, &minute)) {
        return false;
    }
    *us = 0;
    if (take_char(p, ':') && (!read_number(p, 2, 0, 59, &second) || !read_fraction(p, us))) {
        return false;
    }
    *us += (hour * 3600 + minute * 60 + second) * us_per_second;
    return true;
}

/* Z, +01, +0100, +01:00 or nothing. */
static bool read_zone(const char **p, int64_t *us)
{
    bool west = **p == '-';
    int64_t hours = 0;
    int64_t minutes = 0;
    *us = 0;
    if (**p == '\0' || take_char(p, 'Z')) {
        return true;
    }
    if ((!take_char(p, '+') && !take_char(p, '-')) || !read_number(p, 2, 0, 23, &hours)) {
        return false;
    }
    bool colon = take_char(p, ':');
    if ((colon || **p) && !read_number(p, 2, 0, 59, &minutes)) {
        return false;
    }
    *us = (hours * 3600 + minutes * 60) * us_per_second * (west ? -1 : 1);
    return true;
}

static bool parse_moment(const char *p, int64_t *out_us)
{
    int64_t days = 0;
    int64_t time = 0;
    int64_t zone = 0;
    if (!read_date(&p, &days)) {
        return false;
    }
    if (*p && ((!take_char(&p, 'T') && !take_char(&p, ' ')) || !read_time(&p, &time) ||
               !read_zone(&p, &zone))) {
        return false;
    }
    *out_us = days * 86400 * us_per_second + time - zone;
    return *p == '\0';
}

bool time_argument_parse(const char *text, int64_t now_us, int64_t *out_us)
{
    int64_t ago_ms = 0;
    if (!scalar_parse_duration(text, &ago_ms)) {
        return parse_moment(text, out_us);
    }
    int64_t ago_us = 0;
    return !__builtin_mul_overflow(ago_ms, (int64_t)1000, &ago_us) &&
           !__builtin_sub_overflow(now_us, ago_us, out_us);
}
