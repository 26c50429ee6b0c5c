#include "model/type.h"

#include <assert.h>

static const char *const names[] = {
    [TYPE_BOOL] = "bool",
    [TYPE_INT16] = "int16",
    [TYPE_INT32] = "int32",
    [TYPE_INT64] = "int64",
    [TYPE_FLOAT32] = "float32",
    [TYPE_FLOAT64] = "float64",
    [TYPE_DECIMAL] = "decimal",
    [TYPE_STRING] = "string",
    [TYPE_BINARY] = "binary",
    [TYPE_DATE] = "date",
    [TYPE_TIME] = "time",
    [TYPE_TIMESTAMP] = "timestamp",
    [TYPE_TIMESTAMPTZ] = "timestamptz",
    [TYPE_UUID] = "uuid",
    [TYPE_JSON] = "json",
};
enum { TYPE_COUNT = sizeof(names) / sizeof(names[0]) };

size_t type_width(struct type t)
{
    switch (t.kind) {
    case TYPE_BOOL:
        return 1;
    case TYPE_INT16:
        return 2;
    case TYPE_INT32:
    case TYPE_FLOAT32:
    case TYPE_DATE:
        return 4;
    case TYPE_INT64:
    case TYPE_FLOAT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return 8;
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_JSON:
    case TYPE_UUID:
        return 16;
    case TYPE_DECIMAL:
        return t.precision <= 4 ? 2 : t.precision <= 9 ? 4 : t.precision <= 18 ? 8 : 16;
    }
    assert(false);
    return 0;
}

bool type_equal(struct type a, struct type b)
{
    return a.kind == b.kind &&
           (a.kind != TYPE_DECIMAL || (a.precision == b.precision && a.scale == b.scale));
}

bool type_is_text_or_binary(struct type t)
{
    return t.kind == TYPE_STRING || t.kind == TYPE_BINARY || t.kind == TYPE_JSON;
}

bool type_widens(struct type from, struct type to)
{
    if (type_equal(from, to)) {
        return true;
    }
    if (from.kind == TYPE_DECIMAL && to.kind == TYPE_DECIMAL) {
        return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
    }
    return (from.kind == TYPE_INT16 && (to.kind == TYPE_INT32 || to.kind == TYPE_INT64)) ||
           (from.kind == TYPE_INT32 && to.kind == TYPE_INT64) ||
           (from.kind == TYPE_FLOAT32 && to.kind == TYPE_FLOAT64);
}

void type_format(struct type t, struct buf *out)
{
    buf_append_text(out, names[t.kind]);
    if (t.kind == TYPE_DECIMAL) {
        buf_append_format(out, "(%u,%u)", t.precision, t.scale);
    }
}

/* One or two digits; moves on behind them. -1: there are none. */
static int parse_digits(struct str *text)
{
    int value = -1;
    for (size_t i = 0; i < 2 && text->size > 0 && *text->data >= '0' && *text->data <= '9'; i++) {
        value = (value < 0 ? 0 : value * 10) + (*text->data - '0');
        text->data++;
        text->size--;
    }
    return value;
}

static bool skip(struct str *text, const char *expected)
{
    size_t size = strlen(expected);
    if (text->size < size || memcmp(text->data, expected, size) != 0) {
        return false;
    }
    text->data += size;
    text->size -= size;
    return true;
}

static bool parse_decimal(struct str text, struct type *out)
{
    if (!skip(&text, "decimal(")) {
        return false;
    }
    int precision = parse_digits(&text);
    int scale = skip(&text, ",") ? parse_digits(&text) : -1;
    if (!skip(&text, ")") || text.size > 0 || precision < 1 || precision > DECIMAL_PRECISION_MAX ||
        scale < 0 || scale > precision) {
        return false;
    }
    *out = (struct type){TYPE_DECIMAL, (uint8_t)precision, (uint8_t)scale};
    return true;
}

bool type_parse(struct str text, struct type *out, struct error *err)
{
    if (parse_decimal(text, out)) {
        return true;
    }
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (i != TYPE_DECIMAL && str_equal(text, str_from(names[i]))) {
            *out = (struct type){.kind = (enum type_kind)i};
            return true;
        }
    }
    return error_set(err, ERROR_DATA, "unknown type \"%.*s\"", str_arg(text));
}
