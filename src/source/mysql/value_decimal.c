/* Decimals: strings/decimal.c, decimal2bin().
 *
 * Digits are groups of nine in four bytes, big-endian; the first group of the whole part and the
 * last of the fraction may be smaller and then take fewer bytes. The first bit is inverted, and of
 * negative numbers every bit. */
#include "source/mysql/value_parts.h"

enum { GROUP_DIGITS = 9 };

static const uint8_t bytes_of_digits[GROUP_DIGITS + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const uint32_t powers[GROUP_DIGITS + 1] = {1,      10,      100,      1000,      10000,
                                                  100000, 1000000, 10000000, 100000000, 1000000000};

size_t my_decimal_bytes(unsigned precision, unsigned scale)
{
    if (precision == 0 || precision > MY_DECIMAL_DIGITS_MAX || scale > precision ||
        scale > MY_DECIMAL_SCALE_MAX) {
        return 0;
    }
    unsigned whole = precision - scale;
    return (size_t)(whole / GROUP_DIGITS) * 4 + bytes_of_digits[whole % GROUP_DIGITS] +
           (size_t)(scale / GROUP_DIGITS) * 4 + bytes_of_digits[scale % GROUP_DIGITS];
}

/* Groups from the left. */
struct groups {
    const uint8_t *next;
    uint8_t first_flip; /* of the next byte */
    uint8_t flip;
    unsigned whole;    /* digits left */
    unsigned fraction; /* digits left */
    bool malformed;
};

static struct groups groups_from(const uint8_t *bytes, unsigned precision, unsigned scale)
{
    uint8_t flip = bytes[0] & 0x80 ? 0 : 0xFF;
    return (struct groups){.next = bytes,
                           .first_flip = 0x80,
                           .flip = flip,
                           .whole = precision - scale,
                           .fraction = scale};
}

/* The next group and its number of digits; 0 digits: there is none. */
static unsigned next_group(struct groups *g, uint32_t *out)
{
    unsigned digits = 0;
    if (g->whole > 0) {
        digits = g->whole % GROUP_DIGITS ? g->whole % GROUP_DIGITS : GROUP_DIGITS;
        g->whole -= digits;
    } else {
        digits = g->fraction < GROUP_DIGITS ? g->fraction : GROUP_DIGITS;
        g->fraction -= digits;
    }
    uint32_t v = 0;
    for (unsigned i = 0; i < bytes_of_digits[digits]; i++) {
        v = v << 8 | (uint8_t)(*g->next++ ^ g->flip ^ g->first_flip);
        g->first_flip = 0;
    }
    g->malformed |= v >= powers[digits] && digits > 0;
    *out = v;
    return digits;
}

bool my_decimal_value(const uint8_t *bytes, unsigned precision, unsigned scale, __int128 *out)
{
    struct groups g = groups_from(bytes, precision, scale);
    bool negative = g.flip != 0;
    unsigned __int128 v = 0;
    uint32_t group = 0;
    for (unsigned digits = 0; (digits = next_group(&g, &group)) > 0;) {
        v = v * powers[digits] + group;
    }
    if (g.malformed) {
        return false;
    }
    *out = negative ? -(__int128)v : (__int128)v;
    return true;
}

bool my_decimal_append(const uint8_t *bytes, unsigned precision, unsigned scale, struct buf *out)
{
    struct groups g = groups_from(bytes, precision, scale);
    if (g.flip != 0) {
        buf_append_char(out, '-');
    }
    bool begun = false; /* a digit other than leading zeroes was printed */
    while (g.whole > 0) {
        uint32_t group = 0;
        unsigned digits = next_group(&g, &group);
        if (begun) {
            buf_append_format(out, "%0*u", (int)digits, group);
        } else if (group > 0) {
            buf_append_format(out, "%u", group);
            begun = true;
        }
    }
    if (!begun) {
        buf_append_char(out, '0');
    }
    if (scale > 0) {
        buf_append_char(out, '.');
    }
    uint32_t group = 0;
    for (unsigned digits = 0; (digits = next_group(&g, &group)) > 0;) {
        buf_append_format(out, "%0*u", (int)digits, group);
    }
    return !g.malformed;
}

bool my_decimal_parse(struct str text, unsigned scale, __int128 *out)
{
    size_t i = text.size > 0 && text.data[0] == '-' ? 1 : 0;
    bool negative = i == 1;
    unsigned __int128 v = 0;
    unsigned significant = 0;
    unsigned decimals = 0;
    size_t digits = 0;
    bool after_point = false;
    for (; i < text.size; i++) {
        if (text.data[i] == '.' && !after_point) {
            after_point = true;
            continue;
        }
        unsigned digit = (unsigned)(uint8_t)text.data[i] - '0';
        decimals += after_point;
        significant += significant > 0 || digit > 0;
        if (digit > 9 || significant > DECIMAL_PRECISION_MAX || decimals > scale) {
            return false;
        }
        v = v * 10 + digit;
        digits++;
    }
    for (; decimals < scale; decimals++) {
        significant += significant > 0;
        if (significant > DECIMAL_PRECISION_MAX) {
            return false;
        }
        v *= 10;
    }
    *out = negative ? -(__int128)v : (__int128)v;
    return digits > 0;
}
