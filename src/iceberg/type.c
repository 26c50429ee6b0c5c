#include "iceberg/type.h"

#include <stdlib.h>
#include <string.h>

/* The first name of a kind is the one that is written. */
static const struct {
    const char *name;
    enum type_kind kind;
} primitives[] = {
    {"boolean", TYPE_BOOL},
    {"int", TYPE_INT32},
    {"long", TYPE_INT64},
    {"float", TYPE_FLOAT32},
    {"double", TYPE_FLOAT64},
    {"string", TYPE_STRING},
    {"binary", TYPE_BINARY},
    {"date", TYPE_DATE},
    {"time", TYPE_TIME},
    {"timestamp", TYPE_TIMESTAMP},
    {"timestamptz", TYPE_TIMESTAMPTZ},
    {"uuid", TYPE_UUID},
    {"timestamp_ns", TYPE_TIMESTAMP},
    {"timestamptz_ns", TYPE_TIMESTAMPTZ},
};
enum { PRIMITIVE_COUNT = sizeof(primitives) / sizeof(primitives[0]) };

struct type iceberg_stored_type(struct type source)
{
    if (source.kind == TYPE_INT16) {
        return (struct type){.kind = TYPE_INT32};
    }
    if (source.kind == TYPE_JSON) {
        return (struct type){.kind = TYPE_STRING};
    }
    return source;
}

const char *iceberg_type_text(struct type t, struct arena *a)
{
    t = iceberg_stored_type(t);
    if (t.kind == TYPE_DECIMAL) {
        return arena_format(a, "decimal(%u, %u)", t.precision, t.scale);
    }
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        if (primitives[i].kind == t.kind) {
            return primitives[i].name;
        }
    }
    abort(); /* every other kind is in the table */
}

/* A number of at most four digits, and blanks around it. */
static bool take_number(const char **at, unsigned *out)
{
    *at += strspn(*at, " ");
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 4) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        *out = *out * 10 + (unsigned)(*(*at)++ - '0');
    }
    *at += strspn(*at, " ");
    return true;
}

static bool parse_decimal(const char *text, struct type *out)
{
    unsigned precision = 0;
    unsigned scale = 0;
    if (strncmp(text, "decimal(", 8) != 0) {
        return false;
    }
    text += 8;
    if (!take_number(&text, &precision) || *text++ != ',' || !take_number(&text, &scale) ||
        strcmp(text, ")") != 0 || precision < 1 || precision > DECIMAL_PRECISION_MAX ||
        scale > precision) {
        return false;
    }
    *out = (struct type){TYPE_DECIMAL, (uint8_t)precision, (uint8_t)scale};
    return true;
}

static bool is_fixed(const char *text)
{
    size_t digits = strncmp(text, "fixed[", 6) == 0 ? strspn(text + 6, "0123456789") : 0;
    return digits > 0 && strcmp(text + 6 + digits, "]") == 0;
}

bool iceberg_type_parse(const char *text, struct type *out)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++) {
        if (strcmp(text, primitives[i].name) == 0) {
            *out = (struct type){.kind = primitives[i].kind};
            return true;
        }
    }
    if (is_fixed(text)) {
        *out = (struct type){.kind = TYPE_BINARY};
        return true;
    }
    return parse_decimal(text, out);
}
