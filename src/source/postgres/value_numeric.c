/* Numerics as unscaled integers, exactly.
 *
 * Binary form (numeric.c, numeric_send()): count of base-10000 digits, weight of the first, sign,
 * display scale, digits; all of 16 bits. */
#include <inttypes.h>

#include "base/reader.h"
#include "source/postgres/value_parts.h"

enum {
    SIGN_POSITIVE = 0x0000,
    SIGN_NEGATIVE = 0x4000,
    SIGN_NAN = 0xC000,
    SIGN_INFINITY = 0xD000,
    SIGN_MINUS_INFINITY = 0xF000,
};

#define TEN_TO_19 ((__int128)10000000000000000000u)

static const __int128 powers_of_ten[DECIMAL_PRECISION_MAX + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    TEN_TO_19,
    TEN_TO_19 * 10,
    TEN_TO_19 * 100,
    TEN_TO_19 * 1000,
    TEN_TO_19 * 10000,
    TEN_TO_19 * 100000,
    TEN_TO_19 * 1000000,
    TEN_TO_19 * 10000000,
    TEN_TO_19 * 100000000,
    TEN_TO_19 * 1000000000,
    TEN_TO_19 * 10000000000,
    TEN_TO_19 * 100000000000,
    TEN_TO_19 * 1000000000000,
    TEN_TO_19 * 10000000000000,
    TEN_TO_19 * 100000000000000,
    TEN_TO_19 * 1000000000000000,
    TEN_TO_19 * 10000000000000000,
    TEN_TO_19 * 100000000000000000,
    TEN_TO_19 * 1000000000000000000,
    TEN_TO_19 *TEN_TO_19,
};

/* A magnitude under 10^precision that is built digit by digit. */
struct unscaled {
    __int128 magnitude;
    __int128 limit;
    bool overflowed;
};

/* Appends as many decimal digits as the factor (up to 10^4) has zeroes. */
static void unscaled_append(struct unscaled *u, int factor, int digits)
{
    /* Below 10^34 the product fits; the division is slow and seldom needed. */
    if (u->magnitude >= powers_of_ten[34] && u->magnitude > (u->limit - 1) / factor) {
        u->overflowed = true;
    }
    if (!u->overflowed) {
        u->magnitude = u->magnitude * factor + digits;
        u->overflowed = u->magnitude >= u->limit;
    }
}

static bool numeric_finish(const struct unscaled *u, bool negative, struct type type, __int128 *out,
                           struct error *err)
{
    if (u->overflowed) {
        return error_set(err, ERROR_DATA,
                         "a numeric has more than the %d digits before the point of decimal(%u,%u)",
                         type.precision - type.scale, type.precision, type.scale);
    }
    *out = negative ? -u->magnitude : u->magnitude;
    return true;
}

static bool numeric_special(const char *text, struct error *err)
{
    return error_set(
        err, ERROR_DATA,
        "numeric value \"%s\" has no decimal form; as_text lets the column through as text", text);
}

static bool numeric_too_fine(struct type type, struct error *err)
{
    return error_set(err, ERROR_DATA,
                     "a numeric has more than the %u digits after the point of decimal(%u,%u)",
                     type.scale, type.precision, type.scale);
}

bool numeric_from_binary(struct str data, struct type type, __int128 *out, struct error *err)
{
    struct reader r = reader_from(data.data, data.size);
    int count = reader_u16(&r);
    int weight = (int16_t)reader_u16(&r);
    uint16_t sign = reader_u16(&r);
    (void)reader_u16(&r); /* display scale: 1.50 and 1.5 are one value */
    if (r.failed || reader_left(&r) != (size_t)count * 2) {
        return value_malformed("numeric", VALUE_FORM_BINARY, data, err);
    }
    if (sign != SIGN_POSITIVE && sign != SIGN_NEGATIVE) {
        return sign == SIGN_NAN        ? numeric_special("NaN", err)
               : sign == SIGN_INFINITY ? numeric_special("Infinity", err)
               : sign == SIGN_MINUS_INFINITY
                   ? numeric_special("-Infinity", err)
                   : value_malformed("numeric", VALUE_FORM_BINARY, data, err);
    }

    struct unscaled u = {.limit = powers_of_ten[type.precision]};
    int exponent = 4 * weight + type.scale; /* of the digit, in units of the last place */
    for (int i = 0; i < count; i++, exponent -= 4) {
        int digit = reader_u16(&r);
        if (digit > 9999) {
            return value_malformed("numeric", VALUE_FORM_BINARY, data, err);
        }
        int kept = exponent >= 0 ? 4 : exponent > -4 ? 4 + exponent : 0;
        int divisor = (int)powers_of_ten[4 - kept];
        if (digit % divisor != 0) {
            return numeric_too_fine(type, err);
        }
        unscaled_append(&u, (int)powers_of_ten[kept], digit / divisor);
    }
    /* Digits that were not sent are zeroes. Their number is bounded: not zero, it overflows soon.
     */
    for (exponent += 4; exponent > 0 && u.magnitude != 0 && !u.overflowed; exponent--) {
        unscaled_append(&u, 10, 0);
    }
    return numeric_finish(&u, sign == SIGN_NEGATIVE, type, out, err);
}

static bool is_special(struct str data)
{
    return str_equal(data, str_from("NaN")) || str_equal(data, str_from("Infinity")) ||
           str_equal(data, str_from("-Infinity"));
}

bool numeric_from_text(struct str data, struct type type, __int128 *out, struct error *err)
{
    if (is_special(data)) {
        char text[16];
        memcpy(text, data.data, data.size);
        text[data.size] = '\0';
        return numeric_special(text, err);
    }
    struct unscaled u = {.limit = powers_of_ten[type.precision]};
    bool negative = data.size > 0 && data.data[0] == '-';
    bool after_point = false;
    int digits = 0;
    int decimals = 0;
    for (size_t i = negative ? 1 : 0; i < data.size; i++) {
        int digit = data.data[i] - '0';
        if (data.data[i] == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (digit < 0 || digit > 9) {
            return value_malformed("numeric", VALUE_FORM_TEXT, data, err);
        }
        digits++;
        if (after_point && decimals == type.scale) {
            if (digit != 0) {
                return numeric_too_fine(type, err);
            }
            continue;
        }
        decimals += after_point;
        unscaled_append(&u, 10, digit);
    }
    if (digits == 0) {
        return value_malformed("numeric", VALUE_FORM_TEXT, data, err);
    }
    for (; decimals < type.scale && !u.overflowed; decimals++) {
        unscaled_append(&u, 10, 0);
    }
    return numeric_finish(&u, negative, type, out, err);
}
