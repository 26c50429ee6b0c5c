/* Values from row images of the binlog: sql/field.cc, pack() of each field. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "source/mysql/json.h"
#include "source/mysql/value_parts.h"

/* --- The bytes of one value --- */

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t v = 0;
    for (size_t i = size; i > 0; i--) {
        v = v << 8 | bytes[i - 1];
    }
    return v;
}

/* Bytes of types whose values all have as many; 0: they differ, or the type is not known. */
static size_t fixed_bytes(const struct table_map_column *column)
{
    uint8_t low = (uint8_t)column->metadata;
    uint8_t high = (uint8_t)(column->metadata >> 8);
    switch ((int)column->type) {
    case MY_TINY:
    case MY_YEAR:
        return 1;
    case MY_SHORT:
        return 2;
    case MY_INT24:
        return 3;
    case MY_LONG:
    case MY_FLOAT:
        return 4;
    case MY_LONGLONG:
    case MY_DOUBLE:
        return 8;
    case MY_BIT:
        return (size_t)high + (low > 0);
    case MY_NEWDECIMAL:
        return my_decimal_bytes(high, low);
    case MY_ENUM:
    case MY_SET:
        return low <= 8 ? low : 0;
    default:
        return my_time_bytes(column->type, column->metadata);
    }
}

/* Bytes of the length in front of values that have one; 0: the type has none. */
static size_t length_bytes(const struct table_map_column *column)
{
    switch ((int)column->type) {
    case MY_STRING:
    case MY_VARCHAR:
    case MY_VARCHAR_COMPRESSED:
        return column->metadata > 255 ? 2 : 1;
    case MY_BLOB:
    case MY_BLOB_COMPRESSED:
    case MY_JSON:
    case MY_GEOMETRY:
    case MY_VECTOR:
        return column->metadata <= 4 ? column->metadata : 0;
    default:
        return 0;
    }
}

/* Moves past one value and borrows its bytes, without its length. */
static bool read_value(const struct table_map_column *column, struct reader *image, struct str *out,
                       struct error *err)
{
    size_t prefix = length_bytes(column);
    size_t size = fixed_bytes(column);
    if (prefix == 0 && size == 0) {
        return error_set(err, ERROR_FATAL, "type %d with metadata %d has no values",
                         (int)column->type, column->metadata);
    }
    if (prefix > 0) {
        const uint8_t *length = reader_bytes(image, prefix);
        size = length ? (size_t)little_endian(length, prefix) : 0;
    }
    const uint8_t *bytes = reader_bytes(image, size);
    if (!bytes) {
        return error_set(err, ERROR_FATAL, "a row image is cut off in a value of %zu bytes", size);
    }
    *out = (struct str){(const char *)bytes, size};
    return true;
}

static bool malformed(const struct my_place *p, struct str bytes, struct error *err)
{
    return error_set(err, ERROR_FATAL, "%zu bytes of a row image are no value of type %s",
                     bytes.size, my_value_kind_name(p->rule->kind));
}

/* --- Numbers --- */

static bool store_number(const struct my_place *p, __int128 v, struct error *err)
{
    if (!p->rule->as_text) {
        return my_store_integer(p, v, err);
    }
    owned(buf_release) struct buf text = {0};
    buf_append_format(&text, "%s%llu", v < 0 ? "-" : "", (unsigned long long)(v < 0 ? -v : v));
    return my_store_text(p, buf_str(&text), err);
}

/* Stored from 1900 on; 0 is the year 0000. */
static bool store_year(const struct my_place *p, uint8_t stored, struct error *err)
{
    int year = stored ? 1900 + stored : 0;
    if (!p->rule->as_text) {
        return my_store_integer(p, year, err);
    }
    owned(buf_release) struct buf text = {0};
    if (p->rule->length == 2) {
        buf_append_format(&text, "%02d", year % 100);
    } else {
        buf_append_format(&text, "%04d", year);
    }
    return my_store_text(p, buf_str(&text), err);
}

static bool store_integer(const struct my_place *p, const struct table_map_column *column,
                          struct str bytes, struct error *err)
{
    if (bytes.size > 8) {
        return malformed(p, bytes, err);
    }
    uint64_t v = little_endian((const uint8_t *)bytes.data, bytes.size);
    if (column->type == MY_YEAR) {
        return store_year(p, (uint8_t)v, err);
    }
    if (p->rule->is_unsigned || bytes.size == 0) {
        return store_number(p, v, err);
    }
    unsigned unused = 64 - 8 * (unsigned)bytes.size;
    return store_number(p, (int64_t)(v << unused) >> unused, err);
}

static bool store_bits(const struct my_place *p, struct str bytes, struct error *err)
{
    uint64_t v = 0;
    if (bytes.size > sizeof(v)) {
        return malformed(p, bytes, err);
    }
    for (size_t i = 0; i < bytes.size; i++) {
        v = v << 8 | (uint8_t)bytes.data[i];
    }
    return store_number(p, v, err);
}

static bool store_float(const struct my_place *p, struct str bytes, struct error *err)
{
    double v = 0;
    if (p->rule->kind == MY_VALUE_FLOAT && bytes.size == sizeof(float)) {
        float single = 0;
        memcpy(&single, bytes.data, sizeof(single));
        v = (double)single;
    } else if (p->rule->kind == MY_VALUE_DOUBLE && bytes.size == sizeof(v)) {
        memcpy(&v, bytes.data, sizeof(v));
    } else {
        return malformed(p, bytes, err);
    }
    if (!isfinite(v)) {
        return malformed(p, bytes, err); /* the servers store none */
    }
    if (!p->rule->as_text) {
        my_store_double(p, v);
        return true;
    }
    owned(buf_release) struct buf text = {0};
    my_double_append(v, &text);
    return my_store_text(p, buf_str(&text), err);
}

static bool store_decimal(const struct my_place *p, const struct table_map_column *column,
                          struct str bytes, struct error *err)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    unsigned precision = column->metadata >> 8;
    unsigned scale = column->metadata & 0xFF;
    if (column->type != MY_NEWDECIMAL || scale != p->rule->scale) {
        return malformed(p, bytes, err);
    }
    if (p->rule->as_text) {
        owned(buf_release) struct buf text = {0};
        return my_decimal_append(data, precision, scale, &text)
                   ? my_store_text(p, buf_str(&text), err)
                   : malformed(p, bytes, err);
    }
    __int128 v = 0;
    return precision <= DECIMAL_PRECISION_MAX && my_decimal_value(data, precision, scale, &v)
               ? my_store_integer(p, v, err)
               : malformed(p, bytes, err);
}

static bool store_time(const struct my_place *p, const struct table_map_column *column,
                       struct str bytes, struct error *err)
{
    struct my_time t = {0};
    bool is_whole = bytes.size == my_time_bytes(column->type, column->metadata);
    return is_whole && my_time_from_image(column->type, column->metadata,
                                          (const uint8_t *)bytes.data, &t)
               ? my_store_time(p, &t, err)
               : malformed(p, bytes, err);
}

/* --- Text and bytes --- */

static bool store_text(const struct my_place *p, struct str bytes, struct error *err)
{
    if (p->rule->charset == MY_CHARSET_UTF8 || p->rule->charset == MY_CHARSET_BINARY) {
        return my_store_text(p, bytes, err);
    }
    owned(buf_release) struct buf text = {0};
    struct error why = {0};
    return my_charset_to_utf8(p->rule->charset, bytes, &text, &why)
               ? my_store_text(p, buf_str(&text), err)
               : my_store_no_text(p, &why, err);
}

/* binary(n), whose trailing zeroes are not in the log. */
static bool store_padded(const struct my_place *p, struct str bytes, struct error *err)
{
    enum { BINARY_BYTES_MAX = 255 };
    char padded[BINARY_BYTES_MAX] = {0};
    if (bytes.size > p->rule->length || p->rule->length > sizeof(padded)) {
        return malformed(p, bytes, err);
    }
    if (bytes.size > 0) {
        memcpy(padded, bytes.data, bytes.size);
    }
    struct str whole = {padded, p->rule->length};
    return p->rule->as_text ? my_store_text(p, whole, err) : my_store_bytes(p, whole, err);
}

static bool store_plain_string(const struct my_place *p, struct str bytes, struct error *err)
{
    if (p->rule->kind == MY_VALUE_TEXT) {
        return store_text(p, bytes, err);
    }
    if (p->rule->length > 0) {
        return store_padded(p, bytes, err);
    }
    return p->rule->as_text ? my_store_text(p, bytes, err) : my_store_bytes(p, bytes, err);
}

static void free_text(char **text)
{
    free(*text);
}

static bool store_string(const struct my_place *p, const struct table_map_column *column,
                         struct str bytes, struct error *err)
{
    if (column->type != MY_VARCHAR_COMPRESSED && column->type != MY_BLOB_COMPRESSED) {
        return store_plain_string(p, bytes, err);
    }
    owned(free_text) char *to_free = NULL;
    struct str plain = {0};
    return my_value_uncompress(bytes, &plain, &to_free, err) && store_plain_string(p, plain, err);
}

static bool store_json(const struct my_place *p, struct str bytes, struct error *err)
{
    owned(buf_release) struct buf text = {.size_max = MY_VALUE_SIZE_MAX};
    return my_json_to_text(bytes, &text, err) && my_store_text(p, buf_str(&text), err);
}

/* UUIDs and addresses: binary strings whose trailing zeroes are not in the log. */
static bool store_network(const struct my_place *p, struct str bytes, struct error *err)
{
    uint8_t padded[16] = {0};
    size_t size = p->rule->kind == MY_VALUE_INET4 ? 4 : sizeof(padded);
    if (bytes.size > size) {
        return malformed(p, bytes, err);
    }
    if (bytes.size > 0) {
        memcpy(padded, bytes.data, bytes.size);
    }
    struct uuid uuid = {0};
    memcpy(uuid.bytes, padded, sizeof(uuid.bytes));
    if (p->rule->kind == MY_VALUE_UUID && !p->rule->as_text) {
        ((struct uuid *)p->b->columns[p->at].values)[p->row] = uuid;
        return true;
    }
    owned(buf_release) struct buf text = {0};
    if (p->rule->kind == MY_VALUE_UUID) {
        my_uuid_append(&uuid, &text);
    } else if (p->rule->kind == MY_VALUE_INET4) {
        my_inet4_append(padded, &text);
    } else {
        my_inet6_append(padded, &text);
    }
    return my_store_text(p, buf_str(&text), err);
}

/* --- Labels --- */

static bool no_label(const struct my_place *p, uint64_t number, struct error *err)
{
    return error_set(err, ERROR_DATA, "label %llu of %s is not among the %u that are known",
                     (unsigned long long)number, my_value_kind_name(p->rule->kind),
                     p->rule->label_count);
}

/* Numbered from 1; 0 is the invalid value, which is printed as ''. */
static bool store_enum(const struct my_place *p, struct str bytes, struct error *err)
{
    uint64_t number = little_endian((const uint8_t *)bytes.data, bytes.size);
    if (number > p->rule->label_count) {
        return no_label(p, number, err);
    }
    return my_store_text(p, str_from(number ? p->rule->labels[number - 1] : ""), err);
}

static bool store_set(const struct my_place *p, struct str bytes, struct error *err)
{
    uint64_t members = little_endian((const uint8_t *)bytes.data, bytes.size);
    owned(buf_release) struct buf text = {0};
    for (uint32_t i = 0; i < 64; i++) {
        if (!(members >> i & 1)) {
            continue;
        }
        if (i >= p->rule->label_count) {
            return no_label(p, i + 1, err);
        }
        if (members & (((uint64_t)1 << i) - 1)) {
            buf_append_char(&text, ',');
        }
        buf_append_text(&text, p->rule->labels[i]);
    }
    return my_store_text(p, buf_str(&text), err);
}

bool my_value_from_image(const struct my_value_rule *rule, const struct table_map_column *column,
                         struct reader *image, struct batch *b, uint32_t at, uint32_t row,
                         struct error *err)
{
    struct str bytes = {0};
    if (!read_value(column, image, &bytes, err)) {
        return false;
    }
    if (!b) {
        return true;
    }
    struct my_place p = {rule, b, at, row};
    switch (rule->kind) {
    case MY_VALUE_INTEGER:
        return store_integer(&p, column, bytes, err);
    case MY_VALUE_DECIMAL:
        return store_decimal(&p, column, bytes, err);
    case MY_VALUE_FLOAT:
    case MY_VALUE_DOUBLE:
        return store_float(&p, bytes, err);
    case MY_VALUE_BIT:
        return store_bits(&p, bytes, err);
    case MY_VALUE_DATE:
    case MY_VALUE_TIME:
    case MY_VALUE_DATETIME:
    case MY_VALUE_TIMESTAMP:
        return store_time(&p, column, bytes, err);
    case MY_VALUE_TEXT:
    case MY_VALUE_BYTES:
        return store_string(&p, column, bytes, err);
    case MY_VALUE_ENUM:
    case MY_VALUE_SET:
        return bytes.size > 8                ? malformed(&p, bytes, err)
               : rule->kind == MY_VALUE_ENUM ? store_enum(&p, bytes, err)
                                             : store_set(&p, bytes, err);
    case MY_VALUE_JSON:
        return store_json(&p, bytes, err);
    case MY_VALUE_UUID:
    case MY_VALUE_INET4:
    case MY_VALUE_INET6:
        return store_network(&p, bytes, err);
    case MY_VALUE_UNSUPPORTED:
    default:
        return error_set(err, ERROR_DATA, "values of this type are not supported");
    }
}
