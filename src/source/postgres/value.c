/* Dispatch by type, and the plain ones: booleans, integers, floats, text, bytes, UUIDs, JSON. */
#include "source/postgres/value.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "base/reader.h"
#include "source/postgres/value_parts.h"

enum { TYPMOD_HEADER = 4 }; /* VARHDRSZ: typmods of numeric are offset by it */

static bool numeric_type(int32_t typmod, struct type *out)
{
    if (typmod < TYPMOD_HEADER) {
        return false; /* no precision: any number of digits */
    }
    /* numeric.c, make_numeric_typmod(): precision in the high half, an 11-bit signed scale in the
     * low. */
    uint32_t bits = (uint32_t)(typmod - TYPMOD_HEADER);
    int precision = (int)(bits >> 16);
    int scale = ((int)(bits & 0x7FF) ^ 1024) - 1024;
    if (scale < 0) {
        precision -= scale; /* numeric(3,-2) has whole numbers of up to five digits */
        scale = 0;
    }
    if (scale > precision) {
        precision = scale; /* numeric(2,4) has up to four digits, all behind the point */
    }
    if (precision < 1 || precision > DECIMAL_PRECISION_MAX) {
        return false;
    }
    *out = (struct type){TYPE_DECIMAL, (uint8_t)precision, (uint8_t)scale};
    return true;
}

bool value_native_type(uint32_t type_id, int32_t typmod, struct type *out)
{
    static const struct {
        uint32_t type_id;
        enum type_kind kind;
    } types[] = {
        {VALUE_BOOL, TYPE_BOOL},           {VALUE_BYTEA, TYPE_BINARY},
        {VALUE_NAME, TYPE_STRING},         {VALUE_INT8, TYPE_INT64},
        {VALUE_INT2, TYPE_INT16},          {VALUE_INT4, TYPE_INT32},
        {VALUE_TEXT, TYPE_STRING},         {VALUE_JSON, TYPE_JSON},
        {VALUE_FLOAT4, TYPE_FLOAT32},      {VALUE_FLOAT8, TYPE_FLOAT64},
        {VALUE_BPCHAR, TYPE_STRING},       {VALUE_VARCHAR, TYPE_STRING},
        {VALUE_DATE, TYPE_DATE},           {VALUE_TIME, TYPE_TIME},
        {VALUE_TIMESTAMP, TYPE_TIMESTAMP}, {VALUE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ},
        {VALUE_UUID, TYPE_UUID},           {VALUE_JSONB, TYPE_JSON},
    };
    if (type_id == VALUE_NUMERIC) {
        return numeric_type(typmod, out);
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type_id == type_id) {
            *out = (struct type){.kind = types[i].kind};
            return true;
        }
    }
    return false;
}

bool value_malformed(const char *type_name, enum value_form form, struct str data,
                     struct error *err)
{
    if (form == VALUE_FORM_TEXT && utf8_valid(data.data, data.size)) {
        return error_set(err, ERROR_DATA, "\"%.*s\" is not a value of type %s",
                         (int)utf8_prefix(data.data, data.size, 64), data.data, type_name);
    }
    return error_set(err, ERROR_DATA, "%zu bytes are not a value of type %s", data.size, type_name);
}

static void store_integer(struct batch *b, uint32_t column, uint32_t row, int64_t v)
{
    struct column *c = &b->columns[column];
    switch (type_width(c->type)) {
    case 2:
        assert(v >= INT16_MIN && v <= INT16_MAX);
        ((int16_t *)c->values)[row] = (int16_t)v;
        return;
    case 4:
        assert(v >= INT32_MIN && v <= INT32_MAX);
        ((int32_t *)c->values)[row] = (int32_t)v;
        return;
    default:
        assert(type_width(c->type) == 8);
        ((int64_t *)c->values)[row] = v;
    }
}

static void store_decimal(struct batch *b, uint32_t column, uint32_t row, __int128 v)
{
    struct column *c = &b->columns[column];
    if (type_width(c->type) == 16) {
        ((__int128 *)c->values)[row] = v;
    } else {
        store_integer(b, column, row, (int64_t)v);
    }
}

static bool parse_integer(struct str data, int64_t min, int64_t max, int64_t *out)
{
    size_t i = data.size > 0 && data.data[0] == '-' ? 1 : 0;
    bool negative = i == 1;
    if (i == data.size) {
        return false;
    }
    int64_t v = 0; /* negative all the way: INT64_MIN has no positive twin */
    for (; i < data.size; i++) {
        int digit = data.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, digit, &v)) {
            return false;
        }
    }
    if (!negative && __builtin_sub_overflow(0, v, &v)) {
        return false;
    }
    *out = v;
    return v >= min && v <= max;
}

static bool store_int(uint32_t type_id, enum value_form form, struct str data, struct batch *b,
                      uint32_t column, uint32_t row, struct error *err)
{
    size_t size = type_id == VALUE_INT2 ? 2 : type_id == VALUE_INT4 ? 4 : 8;
    int64_t v = 0;
    bool done = false;
    if (form == VALUE_FORM_BINARY) {
        struct reader r = reader_from(data.data, data.size);
        v = size == 2   ? (int16_t)reader_u16(&r)
            : size == 4 ? (int32_t)reader_u32(&r)
                        : (int64_t)reader_u64(&r);
        done = reader_ok(&r);
    } else {
        int64_t max = INT64_MAX >> (64 - 8 * size);
        done = parse_integer(data, -max - 1, max, &v);
    }
    if (!done) {
        return value_malformed(size == 2   ? "smallint"
                               : size == 4 ? "integer"
                                           : "bigint",
                               form, data, err);
    }
    store_integer(b, column, row, v);
    return true;
}

static bool store_bool(enum value_form form, struct str data, struct batch *b, uint32_t column,
                       uint32_t row, struct error *err)
{
    char no = form == VALUE_FORM_BINARY ? 0 : 'f';
    char yes = form == VALUE_FORM_BINARY ? 1 : 't';
    if (data.size != 1 || (data.data[0] != no && data.data[0] != yes)) {
        return value_malformed("boolean", form, data, err);
    }
    ((uint8_t *)b->columns[column].values)[row] = data.data[0] == yes;
    return true;
}

/* Digits, point, sign and exponent, or one of the three words: not all that strtod() would take. */
static bool parse_float(struct str data, bool is_single, double *out)
{
    char text[64];
    if (data.size == 0 || data.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, data.data, data.size);
    text[data.size] = '\0';
    if (strcmp(text, "NaN") != 0 && strcmp(text, "Infinity") != 0 &&
        strcmp(text, "-Infinity") != 0 && strspn(text, "0123456789+-.e") != data.size) {
        return false;
    }
    char *end = NULL;
    *out = is_single ? (double)strtof(text, &end) : strtod(text, &end);
    return end == text + data.size;
}

static bool store_float(uint32_t type_id, enum value_form form, struct str data, struct batch *b,
                        uint32_t column, uint32_t row, struct error *err)
{
    bool is_single = type_id == VALUE_FLOAT4;
    double v = 0;
    bool done = false;
    if (form == VALUE_FORM_BINARY) {
        struct reader r = reader_from(data.data, data.size);
        if (is_single) {
            uint32_t bits = reader_u32(&r);
            float f = 0;
            memcpy(&f, &bits, sizeof(f));
            v = (double)f;
        } else {
            uint64_t bits = reader_u64(&r);
            memcpy(&v, &bits, sizeof(v));
        }
        done = reader_ok(&r);
    } else {
        done = parse_float(data, is_single, &v);
    }
    if (!done) {
        return value_malformed(is_single ? "real" : "double precision", form, data, err);
    }
    struct column *c = &b->columns[column];
    if (c->type.kind == TYPE_FLOAT32) {
        ((float *)c->values)[row] = (float)v;
    } else {
        ((double *)c->values)[row] = v;
    }
    return true;
}

static bool store_text(struct str data, struct batch *b, uint32_t column, uint32_t row,
                       struct error *err)
{
    if (!utf8_valid(data.data, data.size)) {
        return error_set(err, ERROR_DATA, "a text of %zu bytes is not valid UTF-8", data.size);
    }
    batch_set_bytes(b, column, row, data.data, data.size);
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Text form: \x and two digits a byte (bytea_output = hex). */
static bool store_bytea(enum value_form form, struct str data, struct batch *b, uint32_t column,
                        uint32_t row, struct error *err)
{
    if (form == VALUE_FORM_BINARY) {
        batch_set_bytes(b, column, row, data.data, data.size);
        return true;
    }
    if (data.size < 2 || data.data[0] != '\\' || data.data[1] != 'x' || data.size % 2 != 0) {
        return value_malformed("bytea", form, data, err);
    }
    size_t size = data.size / 2 - 1;
    char short_bytes[VIEW_INLINE_MAX];
    char *bytes = size <= VIEW_INLINE_MAX ? short_bytes : arena_alloc(&b->arena, size);
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(data.data[2 + 2 * i]);
        int low = hex_digit(data.data[3 + 2 * i]);
        if (high < 0 || low < 0) {
            return value_malformed("bytea", form, data, err);
        }
        bytes[i] = (char)(high << 4 | low);
    }
    ((struct view *)b->columns[column].values)[row] = view_from(bytes, size);
    return true;
}

static bool parse_uuid(struct str data, struct uuid *out)
{
    if (data.size != 36) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < sizeof(out->bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && data.data[at++] != '-') {
            return false;
        }
        int high = hex_digit(data.data[at]);
        int low = hex_digit(data.data[at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out->bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

static bool store_uuid(enum value_form form, struct str data, struct batch *b, uint32_t column,
                       uint32_t row, struct error *err)
{
    struct uuid v = {0};
    if (form == VALUE_FORM_BINARY && data.size == sizeof(v.bytes)) {
        memcpy(v.bytes, data.data, sizeof(v.bytes));
    } else if (form == VALUE_FORM_BINARY || !parse_uuid(data, &v)) {
        return value_malformed("uuid", form, data, err);
    }
    ((struct uuid *)b->columns[column].values)[row] = v;
    return true;
}

/* jsonb_send(): a version byte, 1, and then the text. */
static bool store_jsonb(enum value_form form, struct str data, struct batch *b, uint32_t column,
                        uint32_t row, struct error *err)
{
    if (form == VALUE_FORM_BINARY) {
        if (data.size == 0 || data.data[0] != 1) {
            return value_malformed("jsonb", form, data, err);
        }
        data.data++;
        data.size--;
    }
    return store_text(data, b, column, row, err);
}

static bool store_numeric(enum value_form form, struct str data, struct batch *b, uint32_t column,
                          uint32_t row, struct error *err)
{
    struct type type = b->columns[column].type;
    __int128 v = 0;
    if (form == VALUE_FORM_BINARY ? !numeric_from_binary(data, type, &v, err)
                                  : !numeric_from_text(data, type, &v, err)) {
        return false;
    }
    store_decimal(b, column, row, v);
    return true;
}

static bool store_time(uint32_t type_id, enum value_form form, struct str data, struct batch *b,
                       uint32_t column, uint32_t row, struct error *err)
{
    int64_t v = 0;
    if (form == VALUE_FORM_BINARY ? !time_from_binary(type_id, data, &v, err)
                                  : !time_from_text(type_id, data, &v, err)) {
        return false;
    }
    store_integer(b, column, row, v);
    return true;
}

bool value_store(uint32_t type_id, enum value_form form, struct str data, struct batch *b,
                 uint32_t column, uint32_t row, struct error *err)
{
    if (data.size > VALUE_SIZE_MAX) {
        return error_set(err, ERROR_DATA, "a value of %zu bytes is larger than %d MiB", data.size,
                         VALUE_SIZE_MAX >> 20);
    }
    switch (type_id) {
    case VALUE_BOOL:
        return store_bool(form, data, b, column, row, err);
    case VALUE_INT2:
    case VALUE_INT4:
    case VALUE_INT8:
        return store_int(type_id, form, data, b, column, row, err);
    case VALUE_FLOAT4:
    case VALUE_FLOAT8:
        return store_float(type_id, form, data, b, column, row, err);
    case VALUE_NUMERIC:
        return store_numeric(form, data, b, column, row, err);
    case VALUE_AS_TEXT:
    case VALUE_TEXT:
    case VALUE_VARCHAR:
    case VALUE_BPCHAR:
    case VALUE_NAME:
    case VALUE_JSON:
        return store_text(data, b, column, row, err);
    case VALUE_JSONB:
        return store_jsonb(form, data, b, column, row, err);
    case VALUE_BYTEA:
        return store_bytea(form, data, b, column, row, err);
    case VALUE_UUID:
        return store_uuid(form, data, b, column, row, err);
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_TIMESTAMP:
    case VALUE_TIMESTAMPTZ:
        return store_time(type_id, form, data, b, column, row, err);
    default:
        assert(false); /* value_native_type() knows no other */
        return false;
    }
}
