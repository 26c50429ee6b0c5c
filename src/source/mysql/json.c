/* MySQL's binary JSON: sql-common/json_binary.h has the format, json_dom.cc (wrapper_to_string) the
 * text. */
#include "source/mysql/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/reader.h"
#include "source/mysql/table_map.h"
#include "source/mysql/value_parts.h"

enum { DEPTH_MAX = 100 }; /* JSON_DOCUMENT_MAX_DEPTH */

enum json_type {
    JSON_SMALL_OBJECT = 0,
    JSON_LARGE_OBJECT = 1,
    JSON_SMALL_ARRAY = 2,
    JSON_LARGE_ARRAY = 3,
    JSON_LITERAL = 4,
    JSON_INT16 = 5,
    JSON_UINT16 = 6,
    JSON_INT32 = 7,
    JSON_UINT32 = 8,
    JSON_INT64 = 9,
    JSON_UINT64 = 10,
    JSON_DOUBLE = 11,
    JSON_STRING = 12,
    JSON_OPAQUE = 15,
};

enum { MY_VAR_STRING = 253 }; /* a field type that is in documents but not in the log */

/* The parts of a document do not overlap, so together they are not larger than it. What would be
 * printed beyond that is some part again: offsets that go in circles, or fan out without end. */
struct printer {
    struct buf *out;
    size_t left; /* bytes of the document that were not printed yet */
    struct error *err;
};

static bool malformed(struct printer *p, const char *what)
{
    return error_set(p->err, ERROR_FATAL, "malformed binary JSON: %s", what);
}

static bool use(struct printer *p, size_t size)
{
    if (size > p->left) {
        return malformed(p, "its parts overlap");
    }
    p->left -= size;
    return true;
}

static uint64_t number_at(struct str bytes, size_t at, size_t size)
{
    uint64_t v = 0;
    for (size_t i = size; i > 0; i--) {
        v = v << 8 | (uint8_t)bytes.data[at + i - 1];
    }
    return v;
}

/* --- Scalars --- */

static void append_escaped(struct buf *out, uint8_t c)
{
    switch (c) {
    case '\b':
        buf_append_text(out, "\\b");
        return;
    case '\t':
        buf_append_text(out, "\\t");
        return;
    case '\n':
        buf_append_text(out, "\\n");
        return;
    case '\f':
        buf_append_text(out, "\\f");
        return;
    case '\r':
        buf_append_text(out, "\\r");
        return;
    case '"':
    case '\\':
        buf_append_char(out, '\\');
        buf_append_char(out, (char)c);
        return;
    default:
        buf_append_format(out, "\\u%04x", c);
    }
}

static void append_quoted(struct buf *out, struct str text)
{
    buf_append_char(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        buf_append(out, text.data + from, i - from);
        append_escaped(out, c);
        from = i + 1;
    }
    buf_append(out, text.data + from, text.size - from);
    buf_append_char(out, '"');
}

/* A length in groups of seven bits, the lowest first, and as many bytes. */
static bool take_counted(struct printer *p, struct str from, struct str *out)
{
    uint64_t length = 0;
    size_t i = 0;
    for (;; i++) {
        if (i >= 5 || i >= from.size) {
            return malformed(p, "a length is cut off");
        }
        length |= (uint64_t)((uint8_t)from.data[i] & 0x7F) << (7 * i);
        if (!((uint8_t)from.data[i] & 0x80)) {
            break;
        }
    }
    i++;
    if (length > from.size - i) {
        return malformed(p, "a text or value is cut off");
    }
    *out = (struct str){from.data + i, (size_t)length};
    return use(p, i + (size_t)length);
}

static bool append_string(struct printer *p, struct str from)
{
    struct str text = {0};
    if (!take_counted(p, from, &text)) {
        return false;
    }
    append_quoted(p->out, text);
    return true;
}

/* mysys/base64: lines of 76, whose ends are escaped like any. */
static void append_base64(struct buf *out, struct str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { LINE_BYTES = 57 };
    for (size_t i = 0; i < bytes.size; i += 3) {
        if (i > 0 && i % LINE_BYTES == 0) {
            buf_append_text(out, "\\n");
        }
        size_t count = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t v = 0;
        for (size_t j = 0; j < 3; j++) {
            v = v << 8 | (j < count ? (uint8_t)bytes.data[i + j] : 0);
        }
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63], digits[v & 63]};
        for (size_t j = count + 1; j < 4; j++) {
            four[j] = '=';
        }
        buf_append(out, four, sizeof(four));
    }
}

static bool append_decimal(struct printer *p, struct str bytes)
{
    unsigned precision = bytes.size >= 2 ? (uint8_t)bytes.data[0] : 0;
    unsigned scale = bytes.size >= 2 ? (uint8_t)bytes.data[1] : 0;
    size_t size = my_decimal_bytes(precision, scale);
    if (size == 0 || bytes.size - 2 != size ||
        !my_decimal_append((const uint8_t *)bytes.data + 2, precision, scale, p->out)) {
        return malformed(p, "a decimal");
    }
    return true;
}

static bool append_time(struct printer *p, enum my_value_kind kind, struct str bytes)
{
    if (bytes.size != 8) {
        return malformed(p, "a date or time");
    }
    struct my_time t = my_time_from_packed((int64_t)number_at(bytes, 0, 8), kind == MY_VALUE_TIME);
    buf_append_char(p->out, '"');
    my_time_append(&t, kind, 6, p->out);
    buf_append_char(p->out, '"');
    return true;
}

static bool append_opaque(struct printer *p, struct str from)
{
    if (from.size == 0) {
        return malformed(p, "a value is cut off");
    }
    uint8_t type = (uint8_t)from.data[0];
    struct str bytes = {0};
    if (!take_counted(p, (struct str){from.data + 1, from.size - 1}, &bytes)) {
        return false;
    }
    switch (type) {
    case MY_NEWDECIMAL:
        return append_decimal(p, bytes);
    case MY_DATE:
        return append_time(p, MY_VALUE_DATE, bytes);
    case MY_TIME:
        return append_time(p, MY_VALUE_TIME, bytes);
    case MY_DATETIME:
    case MY_TIMESTAMP:
        return append_time(p, MY_VALUE_DATETIME, bytes);
    case MY_VAR_STRING:
        append_quoted(p->out, bytes);
        return true;
    default:
        buf_append_format(p->out, "\"base64:type%u:", type);
        append_base64(p->out, bytes);
        buf_append_char(p->out, '"');
        return true;
    }
}

static bool append_literal(struct printer *p, uint8_t literal)
{
    static const char *const names[] = {"null", "true", "false"};
    if (literal > 2) {
        return malformed(p, "a literal");
    }
    buf_append_text(p->out, names[literal]);
    return true;
}

/* A double keeps a sign of being one: 1.0, not 1. */
static bool append_double(struct printer *p, uint64_t bits)
{
    double v = 0;
    memcpy(&v, &bits, sizeof(v));
    if (!isfinite(v)) {
        return malformed(p, "a number");
    }
    size_t from = p->out->size;
    my_double_append(v, p->out);
    if (!p->out->failed && strpbrk(p->out->data + from, ".e") == NULL) {
        buf_append_text(p->out, ".0");
    }
    return true;
}

/* Bytes of numbers; 0: the type is none. */
static size_t number_bytes(enum json_type type)
{
    switch ((int)type) {
    case JSON_INT16:
    case JSON_UINT16:
        return 2;
    case JSON_INT32:
    case JSON_UINT32:
        return 4;
    case JSON_INT64:
    case JSON_UINT64:
    case JSON_DOUBLE:
        return 8;
    default:
        return 0;
    }
}

static bool append_number(struct printer *p, enum json_type type, uint64_t v)
{
    switch ((int)type) {
    case JSON_INT16:
        buf_append_format(p->out, "%d", (int16_t)v);
        return true;
    case JSON_INT32:
        buf_append_format(p->out, "%" PRId32, (int32_t)v);
        return true;
    case JSON_INT64:
        buf_append_format(p->out, "%" PRId64, (int64_t)v);
        return true;
    case JSON_DOUBLE:
        return append_double(p, v);
    default:
        buf_append_format(p->out, "%" PRIu64, v);
        return true;
    }
}

static bool append_scalar(struct printer *p, enum json_type type, struct str from)
{
    size_t size = number_bytes(type);
    if (size > 0) {
        if (from.size < size) {
            return malformed(p, "a number is cut off");
        }
        return use(p, size) && append_number(p, type, number_at(from, 0, size));
    }
    switch ((int)type) {
    case JSON_LITERAL:
        return from.size > 0 ? append_literal(p, (uint8_t)from.data[0])
                             : malformed(p, "a literal is cut off");
    case JSON_STRING:
        return append_string(p, from);
    case JSON_OPAQUE:
        return append_opaque(p, from);
    default:
        return malformed(p, "an unknown type");
    }
}

/* --- Objects and arrays --- */

/* Count and size, then for objects an entry a key (where it begins, its length in two bytes), then
 * an entry a value (type, and where it begins or, where it fits, the value). */
struct container {
    struct str bytes; /* what offsets count from */
    size_t width;     /* of counts and offsets: 2 or 4 */
    size_t count;
    bool is_object;
};

static bool open_container(struct printer *p, enum json_type type, struct str from,
                           struct container *out)
{
    bool is_large = type == JSON_LARGE_OBJECT || type == JSON_LARGE_ARRAY;
    struct container c = {.width = is_large ? 4 : 2,
                          .is_object = type == JSON_SMALL_OBJECT || type == JSON_LARGE_OBJECT};
    if (from.size < 2 * c.width) {
        return malformed(p, "an object or array is cut off");
    }
    c.count = number_at(from, 0, c.width);
    size_t size = number_at(from, c.width, c.width);
    size_t entry = 1 + c.width + (c.is_object ? c.width + 2 : 0);
    if (size > from.size || size < 2 * c.width || c.count > (size - 2 * c.width) / entry) {
        return malformed(p, "an object or array is cut off");
    }
    c.bytes = (struct str){from.data, size};
    *out = c;
    return use(p, 2 * c.width + c.count * entry);
}

static bool append_key(struct printer *p, const struct container *c, size_t i)
{
    size_t entry = 2 * c->width + i * (c->width + 2);
    size_t at = number_at(c->bytes, entry, c->width);
    size_t size = number_at(c->bytes, entry + c->width, 2);
    if (at > c->bytes.size || size > c->bytes.size - at) {
        return malformed(p, "a key is outside its object");
    }
    if (!use(p, size)) {
        return false;
    }
    append_quoted(p->out, (struct str){c->bytes.data + at, size});
    buf_append_text(p->out, ": ");
    return true;
}

static bool is_inlined(enum json_type type, size_t width)
{
    size_t size = type == JSON_LITERAL ? 1 : number_bytes(type);
    return size > 0 && size <= width;
}

static bool append_value(struct printer *p, enum json_type type, struct str from, int depth);

static bool append_element(struct printer *p, const struct container *c, size_t i, int depth)
{
    size_t keys = c->is_object ? c->count * (c->width + 2) : 0;
    size_t entry = 2 * c->width + keys + i * (1 + c->width);
    enum json_type type = (enum json_type)(uint8_t)c->bytes.data[entry];
    if (is_inlined(type, c->width)) {
        return type == JSON_LITERAL
                   ? append_literal(p, (uint8_t)c->bytes.data[entry + 1])
                   : append_number(p, type, number_at(c->bytes, entry + 1, number_bytes(type)));
    }
    size_t at = number_at(c->bytes, entry + 1, c->width);
    if (at >= c->bytes.size) {
        return malformed(p, "a value is outside its object or array");
    }
    return append_value(p, type, (struct str){c->bytes.data + at, c->bytes.size - at}, depth);
}

static bool append_container(struct printer *p, enum json_type type, struct str from, int depth)
{
    struct container c = {0};
    if (depth > DEPTH_MAX) {
        return malformed(p, "it is nested more than 100 deep");
    }
    if (!open_container(p, type, from, &c)) {
        return false;
    }
    buf_append_char(p->out, c.is_object ? '{' : '[');
    for (size_t i = 0; i < c.count; i++) {
        if (i > 0) {
            buf_append_text(p->out, ", ");
        }
        if ((c.is_object && !append_key(p, &c, i)) || !append_element(p, &c, i, depth)) {
            return false;
        }
    }
    buf_append_char(p->out, c.is_object ? '}' : ']');
    return true;
}

static bool append_value(struct printer *p, enum json_type type, struct str from, int depth)
{
    return type <= JSON_LARGE_ARRAY ? append_container(p, type, from, depth + 1)
                                    : append_scalar(p, type, from);
}

bool my_json_to_text(struct str document, struct buf *out, struct error *err)
{
    if (document.size == 0) {
        buf_append_text(out, "null");
        return true;
    }
    struct printer p = {.out = out, .left = document.size, .err = err};
    struct str value = {document.data + 1, document.size - 1};
    if (!append_value(&p, (enum json_type)(uint8_t)document.data[0], value, 0)) {
        return false;
    }
    return !out->failed || error_set(err, ERROR_DATA, "a JSON document's text is too large");
}
