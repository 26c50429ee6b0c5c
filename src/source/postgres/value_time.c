/* Dates, times and timestamps.
 *
 * Binary forms count days or microseconds from 2000-01-01, with the extremes of the integer for the
 * infinities (timestamp.h). Text forms are those of DateStyle ISO and TimeZone UTC. The calendar is
 * the proleptic Gregorian one, as everywhere downstream. */
#include <inttypes.h>
#include <stdio.h>

#include "base/reader.h"
#include "source/postgres/value_parts.h"

enum { EPOCH_DAYS = 10957 }; /* 2000-01-01 */

static const int64_t day_us = (int64_t)86400 * 1000000;

/* 0001-01-01 and 9999-12-31, in days since 1970-01-01. */
static const int64_t day_min = -719162;
static const int64_t day_max = 2932896;

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t year_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    return year_of_era + era * 400 + (day_of_year >= 306); /* the year of era begins in March */
}

static const char *type_name(uint32_t type_id)
{
    return type_id == VALUE_DATE        ? "date"
           : type_id == VALUE_TIME      ? "time"
           : type_id == VALUE_TIMESTAMP ? "timestamp"
                                        : "timestamp with time zone";
}

static bool out_of_range(uint32_t type_id, const char *value, struct error *err)
{
    return error_set(
        err, ERROR_DATA,
        "%s value \"%s\" is outside the years 0001 to 9999; as_text lets the column through as text",
        type_name(type_id), value);
}

static bool date_in_range(uint32_t type_id, int64_t days, struct error *err)
{
    if (days < day_min || days > day_max) {
        int64_t year = year_of(days);
        char text[48];
        (void)snprintf(text, sizeof(text), "year %" PRId64 "%s", year > 0 ? year : 1 - year,
                       year > 0 ? "" : " BC");
        return out_of_range(type_id, text, err);
    }
    return true;
}

static bool time_in_range(int64_t us, struct error *err)
{
    /* 24:00:00 is a time of its own. */
    return (us >= 0 && us <= day_us) ||
           error_set(err, ERROR_DATA, "time value of %" PRId64 " microseconds is not within a day",
                     us);
}

static int64_t floor_days(int64_t us)
{
    return us >= 0 ? us / day_us : -((-(us + 1)) / day_us) - 1;
}

bool time_from_binary(uint32_t type_id, struct str data, int64_t *out, struct error *err)
{
    struct reader r = reader_from(data.data, data.size);
    bool is_date = type_id == VALUE_DATE;
    int64_t v = is_date ? (int32_t)reader_u32(&r) : (int64_t)reader_u64(&r);
    if (!reader_ok(&r)) {
        return value_malformed(type_name(type_id), VALUE_FORM_BINARY, data, err);
    }
    if (type_id == VALUE_TIME) {
        *out = v;
        return time_in_range(v, err);
    }
    if (v == (is_date ? INT32_MAX : INT64_MAX)) {
        return out_of_range(type_id, "infinity", err);
    }
    if (v == (is_date ? INT32_MIN : INT64_MIN)) {
        return out_of_range(type_id, "-infinity", err);
    }
    if (!date_in_range(type_id, (is_date ? v : floor_days(v)) + EPOCH_DAYS, err)) {
        return false;
    }
    *out = v + (is_date ? EPOCH_DAYS : POSTGRES_EPOCH_US);
    return true;
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

/* A number of min to max digits. */
static int scan_number(struct scanner *s, int digits_min, int digits_max)
{
    int v = 0;
    int digits = 0;
    while (digits < digits_max && s->next < s->end && *s->next >= '0' && *s->next <= '9') {
        v = v * 10 + (*s->next++ - '0');
        digits++;
    }
    s->failed |= digits < digits_min;
    return v;
}

static int64_t scan_date(struct scanner *s)
{
    static const int8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = scan_number(s, 4, 7);
    s->failed |= !scan_char(s, '-');
    int month = scan_number(s, 2, 2);
    s->failed |= !scan_char(s, '-');
    int day = scan_number(s, 2, 2);
    if (s->failed || year < 1 || month < 1 || month > 12 || day < 1 ||
        day > month_days[month - 1]) {
        s->failed = true;
        return 0;
    }
    if (s->end - s->next >= 3 && memcmp(s->end - 3, " BC", 3) == 0) {
        s->end -= 3;
        year = 1 - year;
    }
    return days_from_civil(year, month, day);
}

static int64_t scan_time(struct scanner *s)
{
    int hour = scan_number(s, 2, 2);
    s->failed |= !scan_char(s, ':');
    int minute = scan_number(s, 2, 2);
    s->failed |= !scan_char(s, ':');
    int second = scan_number(s, 2, 2);
    int64_t fraction = 0;
    if (scan_char(s, '.')) {
        const char *start = s->next;
        fraction = scan_number(s, 1, 6);
        for (int64_t digits = s->next - start; digits < 6; digits++) {
            fraction *= 10;
        }
    }
    s->failed |= hour > 24 || minute > 59 || second > 59;
    return ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * 1000000 + fraction;
}

/* "+00", "-03:30", "+05:53:28": what is to be taken off to get UTC. */
static int64_t scan_zone(struct scanner *s)
{
    bool east = scan_char(s, '+');
    s->failed |= !east && !scan_char(s, '-');
    int64_t seconds = (int64_t)scan_number(s, 2, 2) * 3600;
    if (scan_char(s, ':')) {
        seconds += (int64_t)scan_number(s, 2, 2) * 60;
    }
    if (scan_char(s, ':')) {
        seconds += scan_number(s, 2, 2);
    }
    return (east ? seconds : -seconds) * 1000000;
}

bool time_from_text(uint32_t type_id, struct str data, int64_t *out, struct error *err)
{
    if (type_id != VALUE_TIME && str_equal(data, str_from("infinity"))) {
        return out_of_range(type_id, "infinity", err);
    }
    if (type_id != VALUE_TIME && str_equal(data, str_from("-infinity"))) {
        return out_of_range(type_id, "-infinity", err);
    }
    if (data.size == 0) {
        return value_malformed(type_name(type_id), VALUE_FORM_TEXT, data, err);
    }
    struct scanner s = {.next = data.data, .end = data.data + data.size};
    int64_t days = type_id == VALUE_TIME ? 0 : scan_date(&s);
    int64_t us = 0;
    if (type_id != VALUE_DATE && !s.failed) {
        s.failed |= type_id != VALUE_TIME && !scan_char(&s, ' ');
        us = scan_time(&s);
    }
    if (type_id == VALUE_TIMESTAMPTZ && !s.failed) {
        us -= scan_zone(&s);
    }
    if (s.failed || s.next != s.end) {
        return value_malformed(type_name(type_id), VALUE_FORM_TEXT, data, err);
    }
    if (type_id == VALUE_TIME) {
        *out = us;
        return time_in_range(us, err);
    }
    /* First without the time of day, and with a day to spare for the zone: the product must fit. */
    if ((days < day_min - 1 || days > day_max + 1) && !date_in_range(type_id, days, err)) {
        return false;
    }
    int64_t total = days * day_us + us;
    if (!date_in_range(type_id, type_id == VALUE_DATE ? days : floor_days(total), err)) {
        return false;
    }
    *out = type_id == VALUE_DATE ? days : total;
    return true;
}
