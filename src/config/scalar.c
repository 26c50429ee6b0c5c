#include "config/scalar.h"

#include <inttypes.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

static const struct unit size_units[] = {
    {"TiB", (uint64_t)1 << 40},
    {"TB", 1000000000000},
    {"GiB", 1 << 30},
    {"GB", 1000000000},
    {"MiB", 1 << 20},
    {"MB", 1000000},
    {"KiB", 1 << 10},
    {"kB", 1000},
    {"B", 1},
    {NULL, 0},
};

/* Reads digits; returns where they end, or NULL when there are none or too many. */
static const char *parse_digits(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
            return NULL;
        }
    }
    *out = value;
    return p == text ? NULL : p;
}

bool scalar_parse_integer(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    uint64_t value = 0;
    const char *end = parse_digits(text + negative, &value);
    if (!end || *end || value > INT64_MAX) {
        return false;
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool scalar_parse_bool(const char *text, bool *out)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0) {
        return false;
    }
    *out = is_true;
    return true;
}

static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t value = 0;
    const char *end = parse_digits(text, &value);
    if (!end) {
        return false;
    }
    if (value == 0 && *end == '\0') {
        *out = 0;
        return true;
    }
    for (const struct unit *u = units; u->name; u++) {
        if (strcmp(u->name, end) == 0) {
            return !__builtin_mul_overflow(value, u->factor, out);
        }
    }
    return false;
}

bool scalar_parse_duration(const char *text, int64_t *out_ms)
{
    uint64_t value = 0;
    if (!parse_with_unit(text, duration_units, &value) || value > INT64_MAX) {
        return false;
    }
    *out_ms = (int64_t)value;
    return true;
}

bool scalar_parse_size(const char *text, uint64_t *out_bytes)
{
    uint64_t value = 0;
    if (!parse_with_unit(text, size_units, &value)) {
        return false;
    }
    *out_bytes = value;
    return true;
}

/* The unit that leaves the smallest whole number; units[] goes from large to small. */
static void format_with_unit(uint64_t value, const struct unit *units, struct buf *out)
{
    if (value == 0) {
        buf_append_char(out, '0');
        return;
    }
    const struct unit *best = units;
    while (value % best->factor != 0) {
        best++;
    }
    buf_append_format(out, "%" PRIu64 "%s", value / best->factor, best->name);
}

void scalar_format_duration(int64_t ms, struct buf *out)
{
    format_with_unit((uint64_t)ms, duration_units, out);
}

void scalar_format_size(uint64_t bytes, struct buf *out)
{
    format_with_unit(bytes, size_units, out);
}
