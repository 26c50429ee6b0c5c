#include "iceberg/partition_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { UUID_SIZE = 16, DECIMAL_SIZE_MAX = 16 };

/* --- types --- */

/* The text of a column's type in the newest schema that has it. */
static const char *source_text(const struct iceberg_metadata *m, int32_t source_id)
{
    for (uint32_t i = m->schema_count; i > 0; i--) {
        const struct iceberg_schema *s = &m->schemas[i - 1];
        for (uint32_t k = 0; k < s->field_count; k++) {
            if (s->fields[k].id == source_id && s->fields[k].text) {
                return s->fields[k].text;
            }
        }
    }
    return "";
}

struct partition_type partition_type_of(const struct iceberg_metadata *m,
                                        const struct iceberg_spec_field *field)
{
    struct partition_type t = {.type = field->result,
                               .is_unknown = field->transform.kind == LAKE_UNKNOWN};
    enum type_kind kind = t.type.kind;
    const char *text = source_text(m, field->source_id);
    if (kind == TYPE_BINARY && strncmp(text, "fixed", 5) == 0) {
        unsigned long size = strtoul(text + 5 + strcspn(text + 5, "0123456789"), NULL, 10);
        t.fixed_size = size <= INT32_MAX ? (uint32_t)size : 0;
    }
    t.is_nanoseconds = (kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMPTZ) &&
                       (strcmp(text, "timestamp_ns") == 0 || strcmp(text, "timestamptz_ns") == 0);
    return t;
}

/* The least number of bytes that hold every number of so many digits. */
static uint32_t decimal_size(uint8_t precision)
{
    static const uint8_t digits[] = {0, 2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38};
    uint32_t size = 1;
    while (size < DECIMAL_SIZE_MAX && digits[size] < precision) {
        size++;
    }
    return size;
}

void partition_type_append(struct partition_type t, int32_t field_id, struct buf *out)
{
    switch (t.type.kind) {
    case TYPE_BOOL:
        buf_append_text(out, "\"boolean\"");
        return;
    case TYPE_INT16:
    case TYPE_INT32:
        buf_append_text(out, "\"int\"");
        return;
    case TYPE_INT64:
        buf_append_text(out, "\"long\"");
        return;
    case TYPE_FLOAT32:
        buf_append_text(out, "\"float\"");
        return;
    case TYPE_FLOAT64:
        buf_append_text(out, "\"double\"");
        return;
    case TYPE_DECIMAL:
        buf_append_format(out,
                          "{\"type\":\"fixed\",\"name\":\"decimal_%u_%u_%" PRId32
                          "\",\"size\":%" PRIu32
                          ",\"logicalType\":\"decimal\",\"precision\":%u,\"scale\":%u}",
                          t.type.precision, t.type.scale, field_id, decimal_size(t.type.precision),
                          t.type.precision, t.type.scale);
        return;
    case TYPE_STRING:
    case TYPE_JSON:
        buf_append_text(out, "\"string\"");
        return;
    case TYPE_BINARY:
        if (t.fixed_size == 0) {
            buf_append_text(out, "\"bytes\"");
            return;
        }
        buf_append_format(
            out, "{\"type\":\"fixed\",\"name\":\"fixed_%" PRId32 "\",\"size\":%" PRIu32 "}",
            field_id, t.fixed_size);
        return;
    case TYPE_DATE:
        buf_append_text(out, "{\"type\":\"int\",\"logicalType\":\"date\"}");
        return;
    case TYPE_TIME:
        buf_append_text(out, "{\"type\":\"long\",\"logicalType\":\"time-micros\"}");
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        buf_append_format(out,
                          "{\"type\":\"long\",\"logicalType\":\"timestamp-%s\","
                          "\"adjust-to-utc\":%s}",
                          t.is_nanoseconds ? "nanos" : "micros",
                          t.type.kind == TYPE_TIMESTAMPTZ ? "true" : "false");
        return;
    case TYPE_UUID:
        buf_append_format(out,
                          "{\"type\":\"fixed\",\"name\":\"uuid_%" PRId32
                          "\",\"size\":16,\"logicalType\":\"uuid\"}",
                          field_id);
        return;
    }
}

/* --- names --- */

/* The next UTF-16 unit of a valid UTF-8 text, which is how the reference implementation sees it;
 * `*low` keeps the second one of a pair. */
static uint32_t next_unit(const char **p, uint32_t *low)
{
    if (*low) {
        uint32_t unit = *low;
        *low = 0;
        return unit;
    }
    const uint8_t *b = (const uint8_t *)*p;
    uint32_t more = b[0] < 0x80 ? 0 : b[0] < 0xE0 ? 1 : b[0] < 0xF0 ? 2 : 3;
    uint32_t c = more == 0 ? b[0] : b[0] & (0x3Fu >> more);
    for (uint32_t i = 1; i <= more; i++) {
        c = c << 6 | (b[i] & 0x3Fu);
    }
    *p += more + 1;
    if (c < 0x10000) {
        return c;
    }
    *low = 0xDC00 | (c & 0x3FF);
    return 0xD800 | ((c - 0x10000) >> 10);
}

void partition_name_append(const char *name, struct buf *out)
{
    if (!utf8_valid(name, strlen(name)) || !*name) {
        buf_append_char(out, '_');
        return;
    }
    uint32_t low = 0;
    bool is_first = true;
    for (const char *p = name; *p || low; is_first = false) {
        uint32_t c = next_unit(&p, &low);
        bool is_digit = c >= '0' && c <= '9';
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (is_letter || (is_digit && !is_first)) {
            buf_append_char(out, (char)c);
        } else if (is_digit) {
            buf_append_format(out, "_%c", (char)c);
        } else {
            buf_append_format(out, "_x%X", c);
        }
    }
}

/* --- from Avro --- */

static struct str copy(const void *data, size_t size, struct arena *a)
{
    return (struct str){arena_string(a, data, size), size};
}

/* The least number of bytes that mean the same: no leading copies of the sign. */
static struct str shortest_decimal(struct str bytes)
{
    while (bytes.size > 1) {
        uint8_t first = (uint8_t)bytes.data[0];
        bool next_is_negative = ((uint8_t)bytes.data[1] & 0x80) != 0;
        if (first != (next_is_negative ? 0xFF : 0)) {
            break;
        }
        bytes.data++;
        bytes.size--;
    }
    return bytes;
}

/* Values of transforms that we do not know, as their Avro type says. */
static bool decode_unknown(const struct avro_value *v, struct arena *a, struct str *out)
{
    switch (v->kind) {
    case AVRO_BOOLEAN:
        *out = copy(v->boolean ? "\1" : "\0", 1, a);
        return true;
    case AVRO_LONG:
        *out = copy(&v->integer, sizeof(v->integer), a);
        return true;
    case AVRO_FLOAT:
        *out = copy(&v->number32, sizeof(v->number32), a);
        return true;
    case AVRO_DOUBLE:
        *out = copy(&v->number, sizeof(v->number), a);
        return true;
    case AVRO_BYTES:
        *out = copy(v->bytes.data, v->bytes.size, a);
        return true;
    case AVRO_NULL:
    case AVRO_ARRAY:
    case AVRO_RECORD:
        break;
    }
    return false;
}

static bool decode_integer(const struct avro_value *v, bool is_wide, struct arena *a,
                           struct str *out)
{
    if (v->kind != AVRO_LONG || (!is_wide && (v->integer < INT32_MIN || v->integer > INT32_MAX))) {
        return false;
    }
    int32_t narrow = (int32_t)v->integer;
    *out = is_wide ? copy(&v->integer, 8, a) : copy(&narrow, 4, a);
    return true;
}

static bool decode_double(const struct avro_value *v, struct arena *a, struct str *out)
{
    if (v->kind != AVRO_FLOAT && v->kind != AVRO_DOUBLE) {
        return false;
    }
    double wide = v->kind == AVRO_FLOAT ? (double)v->number32 : v->number;
    *out = copy(&wide, sizeof(wide), a);
    return true;
}

static bool decode_bytes(struct partition_type t, const struct avro_value *v, struct arena *a,
                         struct str *out)
{
    if (v->kind != AVRO_BYTES || (t.type.kind == TYPE_UUID && v->bytes.size != UUID_SIZE)) {
        return false;
    }
    struct str bytes = t.type.kind == TYPE_DECIMAL ? shortest_decimal(v->bytes) : v->bytes;
    if (t.type.kind == TYPE_DECIMAL && (bytes.size == 0 || bytes.size > DECIMAL_SIZE_MAX)) {
        return false;
    }
    *out = copy(bytes.data, bytes.size, a);
    return true;
}

static bool decode(struct partition_type t, const struct avro_value *v, struct arena *a,
                   struct str *out)
{
    if (t.is_unknown) {
        return decode_unknown(v, a, out);
    }
    switch (t.type.kind) {
    case TYPE_BOOL:
        return v->kind == AVRO_BOOLEAN && decode_unknown(v, a, out);
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_DATE:
        return decode_integer(v, false, a, out);
    case TYPE_INT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return decode_integer(v, true, a, out);
    case TYPE_FLOAT32:
        return v->kind == AVRO_FLOAT && decode_unknown(v, a, out);
    case TYPE_FLOAT64:
        return decode_double(v, a, out);
    case TYPE_DECIMAL:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_UUID:
    case TYPE_JSON:
        return decode_bytes(t, v, a, out);
    }
    return false;
}

bool partition_value_decode(struct partition_type t, const struct avro_value *v, struct arena *a,
                            struct str *out, struct error *err)
{
    if (decode(t, v, a, out)) {
        return true;
    }
    owned(buf_release) struct buf type = {0};
    type_format(t.type, &type);
    return error_set(err, ERROR_DATA, "the value cannot be of the type %s", buf_text(&type));
}

/* --- to Avro --- */

static int64_t read_integer(struct str value)
{
    int32_t narrow = 0;
    int64_t wide = 0;
    if (value.size == 4) {
        memcpy(&narrow, value.data, 4);
        return narrow;
    }
    memcpy(&wide, value.data, 8);
    return wide;
}

static double read_number(struct str value)
{
    float narrow = 0;
    double wide = 0;
    if (value.size == 4) {
        memcpy(&narrow, value.data, 4);
        return (double)narrow;
    }
    memcpy(&wide, value.data, 8);
    return wide;
}

static void put_decimal(struct str value, uint32_t size, struct buf *out)
{
    char sign = (char)(value.data[0] & 0x80 ? 0xFF : 0);
    for (size_t i = value.size; i < size; i++) {
        buf_append_char(out, sign);
    }
    buf_append(out, value.data, value.size);
}

/* The lengths that a serialized value of the type may have; what was widened keeps the old one. */
static bool has_length(struct partition_type t, size_t size)
{
    switch (t.type.kind) {
    case TYPE_BOOL:
        return size == 1;
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_FLOAT32:
    case TYPE_DATE:
        return size == 4;
    case TYPE_INT64:
    case TYPE_FLOAT64:
        return size == 4 || size == 8;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return size == 8;
    case TYPE_DECIMAL:
        return size >= 1 && size <= decimal_size(t.type.precision);
    case TYPE_UUID:
        return size == UUID_SIZE;
    case TYPE_BINARY:
        return t.fixed_size == 0 || size == t.fixed_size;
    case TYPE_STRING:
    case TYPE_JSON:
        return true;
    }
    return false;
}

static void put(struct partition_type t, struct str value, struct buf *out)
{
    switch (t.type.kind) {
    case TYPE_BOOL:
        avro_put_boolean(value.data[0] != 0, out);
        return;
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        avro_put_long(read_integer(value), out);
        return;
    case TYPE_FLOAT32: /* by its bytes: a NaN stays the NaN that it is */
        buf_append(out, value.data, value.size);
        return;
    case TYPE_FLOAT64:
        avro_put_double(read_number(value), out);
        return;
    case TYPE_DECIMAL:
        put_decimal(value, decimal_size(t.type.precision), out);
        return;
    case TYPE_UUID:
        buf_append(out, value.data, value.size);
        return;
    case TYPE_BINARY:
        if (t.fixed_size > 0) {
            buf_append(out, value.data, value.size);
            return;
        }
        avro_put_bytes(value, out);
        return;
    case TYPE_STRING:
    case TYPE_JSON:
        avro_put_bytes(value, out);
        return;
    }
}

bool partition_value_encode(struct partition_type t, struct str value, struct buf *out,
                            struct error *err)
{
    if (!has_length(t, value.size)) {
        owned(buf_release) struct buf type = {0};
        type_format(t.type, &type);
        return error_set(err, ERROR_DATA, "a value of %zu bytes cannot be of the type %s",
                         value.size, buf_text(&type));
    }
    put(t, value, out);
    return true;
}

/* --- order --- */

static int compare_bytes(struct str a, struct str b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_numbers(double a, double b)
{
    if (a == 0 && b == 0) {
        return (signbit(b) != 0) - (signbit(a) != 0);
    }
    return (a > b) - (a < b);
}

static int compare_decimals(struct str a, struct str b)
{
    bool a_is_negative = (a.data[0] & 0x80) != 0;
    bool b_is_negative = (b.data[0] & 0x80) != 0;
    if (a_is_negative != b_is_negative) {
        return a_is_negative ? -1 : 1;
    }
    a = shortest_decimal(a);
    b = shortest_decimal(b);
    if (a.size != b.size) {
        return (a.size < b.size) != a_is_negative ? -1 : 1;
    }
    return memcmp(a.data, b.data, a.size); /* two's complement orders as its bytes do */
}

int partition_value_compare(struct partition_type t, struct str a, struct str b)
{
    switch (t.type.kind) {
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ: {
        int64_t left = read_integer(a);
        int64_t right = read_integer(b);
        return (left > right) - (left < right);
    }
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        return compare_numbers(read_number(a), read_number(b));
    case TYPE_DECIMAL:
        return compare_decimals(a, b);
    case TYPE_BOOL:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_UUID:
    case TYPE_JSON:
        break;
    }
    return compare_bytes(a, b);
}

bool partition_value_is_nan(struct partition_type t, struct str value)
{
    return (t.type.kind == TYPE_FLOAT32 || t.type.kind == TYPE_FLOAT64) &&
           isnan(read_number(value));
}
