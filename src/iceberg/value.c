/* Single values in binary [Iceberg spec, Appendix D]: numbers little-endian, decimals the shortest
 * two's complement big-endian, the rest as it is. */
#include "format/value.h"

#include <string.h>

#include "format/value_parse.h"
#include "iceberg/type.h"

/* A value as it lies in a column; see model/type.h. */
union memory {
    uint8_t boolean;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    __int128 int128;
    float float32;
    double float64;
    struct uuid uuid;
    struct view view;
};

/* --- to binary --- */

static void put_little(uint64_t v, size_t size, struct arena *a, struct str *out)
{
    uint8_t *bytes = arena_alloc(a, size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(v >> (8 * i));
    }
    *out = (struct str){.data = (const char *)bytes, .size = size};
}

static void put_unscaled(__int128 v, struct arena *a, struct str *out)
{
    size_t size = 1;
    while (size < 16 && v >> (8 * size - 1) != 0 && v >> (8 * size - 1) != -1) {
        size++;
    }
    uint8_t *bytes = arena_alloc(a, size);
    for (size_t i = 0; i < size; i++) {
        bytes[size - 1 - i] = (uint8_t)(v >> (8 * i));
    }
    *out = (struct str){.data = (const char *)bytes, .size = size};
}

static void put_bytes(struct str bytes, struct arena *a, struct str *out)
{
    *out = (struct str){.data = arena_string(a, bytes.data, bytes.size), .size = bytes.size};
}

bool iceberg_value_parse(struct type type, const char *text, struct arena *a, struct str *out,
                         struct error *err)
{
    union memory v = {0};
    if (!value_parse(type, str_from(text), a, &v, err)) {
        return false;
    }
    uint64_t bits = 0;
    switch (type.kind) {
    case TYPE_BOOL:
        put_little(v.boolean, 1, a, out);
        break;
    case TYPE_INT16:
        put_little((uint64_t)v.int16, 4, a, out);
        break;
    case TYPE_INT32:
    case TYPE_DATE:
        put_little((uint64_t)v.int32, 4, a, out);
        break;
    case TYPE_INT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        put_little((uint64_t)v.int64, 8, a, out);
        break;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        memcpy(&bits, &v, type_width(type));
        put_little(bits, type_width(type), a, out);
        break;
    case TYPE_DECIMAL:
        put_unscaled(column_integer(&(struct column){.type = type, .values = &v}, 0), a, out);
        break;
    case TYPE_STRING:
    case TYPE_JSON:
    case TYPE_BINARY:
        put_bytes(view_str(&v.view), a, out);
        break;
    case TYPE_UUID:
        put_bytes((struct str){.data = (const char *)v.uuid.bytes, .size = sizeof(v.uuid)}, a, out);
        break;
    }
    return true;
}

/* --- from binary --- */

static uint64_t little(struct str bytes)
{
    uint64_t v = 0;
    for (size_t i = bytes.size; i > 0; i--) {
        v = v << 8 | (uint8_t)bytes.data[i - 1];
    }
    return v;
}

/* 4 or 8 bytes as a signed integer: what was an int may be a long today. */
static bool take_integer(struct str bytes, size_t size_max, int64_t *out)
{
    if ((bytes.size != 4 && bytes.size != 8) || bytes.size > size_max) {
        return false;
    }
    uint64_t v = little(bytes);
    *out = bytes.size == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
    return true;
}

static bool take_unscaled(struct type type, struct str bytes, union memory *out)
{
    if (bytes.size < 1 || bytes.size > 16) {
        return false;
    }
    __int128 limit = 1;
    for (unsigned i = 0; i < type.precision; i++) {
        limit *= 10;
    }
    unsigned __int128 bits = (int8_t)bytes.data[0] < 0 ? ~(unsigned __int128)0 : 0;
    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | (uint8_t)bytes.data[i];
    }
    __int128 v = (__int128)bits;
    memcpy(out, &v, type_width(type)); /* the low bytes of a little-endian machine */
    return v > -limit && v < limit;
}

static bool take_float(struct type type, struct str bytes, union memory *out)
{
    uint32_t bits32 = 0;
    uint64_t bits = little(bytes);
    if (type.kind == TYPE_FLOAT64 && bytes.size == 8) {
        memcpy(&out->float64, &bits, 8);
        return true;
    }
    bits32 = (uint32_t)bits;
    memcpy(&out->float32, &bits32, 4);
    if (type.kind == TYPE_FLOAT64) {
        out->float64 = (double)out->float32;
    }
    return bytes.size == 4;
}

/* A timestamp that was a date has four bytes of days. */
static bool take_timestamp(struct str bytes, int64_t *out)
{
    if (!take_integer(bytes, 8, out)) {
        return false;
    }
    return bytes.size == 8 || !__builtin_mul_overflow(*out, INT64_C(86400000000), out);
}

static bool take_text(struct str bytes, struct view *out)
{
    *out = view_from(bytes.data, bytes.size);
    return utf8_valid(bytes.data, bytes.size) && !memchr(bytes.data, '\0', bytes.size);
}

static bool take_value(struct type type, struct str bytes, union memory *out)
{
    int64_t integer = 0;
    bool ok = false;
    switch (type.kind) {
    case TYPE_BOOL:
        out->boolean = bytes.size == 1 && bytes.data[0] != 0;
        return bytes.size == 1;
    case TYPE_INT16:
        ok = take_integer(bytes, 4, &integer) && integer >= INT16_MIN && integer <= INT16_MAX;
        out->int16 = (int16_t)integer;
        return ok;
    case TYPE_INT32:
    case TYPE_DATE:
        ok = take_integer(bytes, 4, &integer);
        out->int32 = (int32_t)integer;
        return ok;
    case TYPE_INT64:
        return take_integer(bytes, 8, &out->int64);
    case TYPE_TIME:
        return bytes.size == 8 && take_integer(bytes, 8, &out->int64) && out->int64 >= 0 &&
               out->int64 <= INT64_C(86400000000);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return take_timestamp(bytes, &out->int64);
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        return bytes.size <= 8 && take_float(type, bytes, out);
    case TYPE_DECIMAL:
        return take_unscaled(type, bytes, out);
    case TYPE_STRING:
    case TYPE_JSON:
        return bytes.size <= UINT32_MAX && take_text(bytes, &out->view);
    case TYPE_BINARY:
        out->view = view_from(bytes.data, bytes.size);
        return bytes.size <= UINT32_MAX;
    case TYPE_UUID:
        if (bytes.size == sizeof(out->uuid)) {
            memcpy(&out->uuid, bytes.data, sizeof(out->uuid));
        }
        return bytes.size == sizeof(out->uuid);
    }
    return false;
}

bool iceberg_value_text(struct type type, struct str bytes, struct arena *a, const char **out,
                        struct error *err)
{
    union memory v = {0};
    owned(buf_release) struct buf text = {0};
    bytes.data = bytes.size > 0 ? bytes.data : "";
    if (!take_value(type, bytes, &v)) {
        type_format(type, &text);
        return error_set(err, ERROR_DATA, "%zu bytes are not a value of type %s", bytes.size,
                         buf_text(&text));
    }
    value_format(&(struct column){.type = type, .values = &v}, 0, &text);
    *out = arena_string(a, buf_text(&text), text.size);
    return true;
}
