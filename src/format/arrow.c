#include "format/arrow.h"

#include <inttypes.h>

#include "base/arena.h"
#include "format/flatbuffer.h"

enum { BYTES_MAX_DEFAULT = 64 << 20, METADATA_ALIGNMENT = 8, BUFFER_ALIGNMENT = 64 };

/* Numbers of fields and enums in Message.fbs and Schema.fbs. */
enum { VERSION_5 = 4 };
enum { MESSAGE_VERSION, MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY_LENGTH };
enum { HEADER_SCHEMA = 1, HEADER_RECORD_BATCH = 3 };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS };
enum {
    FIELD_NAME,
    FIELD_NULLABLE,
    FIELD_TYPE_TYPE,
    FIELD_TYPE,
    FIELD_DICTIONARY,
    FIELD_CHILDREN,
    FIELD_METADATA
};
enum { PAIR_KEY, PAIR_VALUE };
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS };
enum type_number {
    ARROW_INT = 2,
    ARROW_FLOATING_POINT = 3,
    ARROW_BINARY = 4,
    ARROW_UTF8 = 5,
    ARROW_BOOL = 6,
    ARROW_DECIMAL = 7,
    ARROW_DATE = 8,
    ARROW_TIME = 9,
    ARROW_TIMESTAMP = 10,
    ARROW_FIXED_SIZE_BINARY = 15
};
enum { DATE_DAY = 0, PRECISION_SINGLE = 1, PRECISION_DOUBLE = 2, UNIT_MICROSECOND = 2 };

static void append_zeros(struct buf *out, size_t count)
{
    static const char zeros[BUFFER_ALIGNMENT];
    buf_append(out, zeros, count);
}

static size_t padding(size_t size, size_t alignment)
{
    return -size & (alignment - 1);
}

/* Appends a message without its body: continuation marker, size, metadata, padding. */
static void append_message(struct flatbuffer *b, uint8_t header_type, flatbuffer_ref header,
                           int64_t body_length, struct buf *out)
{
    flatbuffer_begin(b);
    flatbuffer_set_int64(b, MESSAGE_BODY_LENGTH, body_length);
    flatbuffer_set_ref(b, MESSAGE_HEADER, header);
    flatbuffer_set_int16(b, MESSAGE_VERSION, VERSION_5);
    flatbuffer_set_byte(b, MESSAGE_HEADER_TYPE, header_type);
    struct str metadata = flatbuffer_finish(b, flatbuffer_end(b));
    size_t pad = padding(metadata.size, METADATA_ALIGNMENT);
    uint32_t prefix[2] = {UINT32_MAX, (uint32_t)(metadata.size + pad)};
    buf_append(out, prefix, sizeof(prefix));
    buf_append(out, metadata.data, metadata.size);
    append_zeros(out, pad);
}

/* --- schema --- */

static flatbuffer_ref add_int_type(struct flatbuffer *b, int32_t bits)
{
    flatbuffer_begin(b);
    flatbuffer_set_int32(b, 0, bits);
    flatbuffer_set_byte(b, 1, true); /* signed */
    return flatbuffer_end(b);
}

static flatbuffer_ref add_unit_type(struct flatbuffer *b, int16_t unit)
{
    flatbuffer_begin(b);
    flatbuffer_set_int16(b, 0, unit);
    return flatbuffer_end(b);
}

static flatbuffer_ref add_decimal_type(struct flatbuffer *b, struct type type)
{
    flatbuffer_begin(b);
    flatbuffer_set_int32(b, 0, type.precision);
    flatbuffer_set_int32(b, 1, type.scale);
    flatbuffer_set_int32(b, 2, 128);
    return flatbuffer_end(b);
}

static flatbuffer_ref add_time_type(struct flatbuffer *b)
{
    flatbuffer_begin(b);
    flatbuffer_set_int16(b, 0, UNIT_MICROSECOND);
    flatbuffer_set_int32(b, 1, 64);
    return flatbuffer_end(b);
}

static flatbuffer_ref add_timestamp_type(struct flatbuffer *b, bool utc)
{
    flatbuffer_ref zone = utc ? flatbuffer_string(b, str_from("UTC")) : 0;
    flatbuffer_begin(b);
    flatbuffer_set_int16(b, 0, UNIT_MICROSECOND);
    if (utc) {
        flatbuffer_set_ref(b, 1, zone);
    }
    return flatbuffer_end(b);
}

static flatbuffer_ref add_fixed_size_type(struct flatbuffer *b, int32_t size)
{
    flatbuffer_begin(b);
    flatbuffer_set_int32(b, 0, size);
    return flatbuffer_end(b);
}

static flatbuffer_ref add_plain_type(struct flatbuffer *b)
{
    flatbuffer_begin(b);
    return flatbuffer_end(b);
}

static flatbuffer_ref add_type(struct flatbuffer *b, struct type type, enum type_number *number)
{
    static const enum type_number numbers[] = {
        [TYPE_BOOL] = ARROW_BOOL,
        [TYPE_INT16] = ARROW_INT,
        [TYPE_INT32] = ARROW_INT,
        [TYPE_INT64] = ARROW_INT,
        [TYPE_FLOAT32] = ARROW_FLOATING_POINT,
        [TYPE_FLOAT64] = ARROW_FLOATING_POINT,
        [TYPE_DECIMAL] = ARROW_DECIMAL,
        [TYPE_STRING] = ARROW_UTF8,
        [TYPE_BINARY] = ARROW_BINARY,
        [TYPE_DATE] = ARROW_DATE,
        [TYPE_TIME] = ARROW_TIME,
        [TYPE_TIMESTAMP] = ARROW_TIMESTAMP,
        [TYPE_TIMESTAMPTZ] = ARROW_TIMESTAMP,
        [TYPE_UUID] = ARROW_FIXED_SIZE_BINARY,
        [TYPE_JSON] = ARROW_UTF8,
    };
    *number = numbers[type.kind];
    switch (*number) {
    case ARROW_INT:
        return add_int_type(b, (int32_t)type_width(type) * 8);
    case ARROW_FLOATING_POINT:
        return add_unit_type(b, type.kind == TYPE_FLOAT32 ? PRECISION_SINGLE : PRECISION_DOUBLE);
    case ARROW_DECIMAL:
        return add_decimal_type(b, type);
    case ARROW_DATE:
        return add_unit_type(b, DATE_DAY);
    case ARROW_TIME:
        return add_time_type(b);
    case ARROW_TIMESTAMP:
        return add_timestamp_type(b, type.kind == TYPE_TIMESTAMPTZ);
    case ARROW_FIXED_SIZE_BINARY:
        return add_fixed_size_type(b, sizeof(struct uuid));
    case ARROW_BINARY:
    case ARROW_UTF8:
    case ARROW_BOOL:
        break;
    }
    return add_plain_type(b);
}

static flatbuffer_ref add_pair(struct flatbuffer *b, const char *key, const char *value)
{
    flatbuffer_ref key_ref = flatbuffer_string(b, str_from(key));
    flatbuffer_ref value_ref = flatbuffer_string(b, str_from(value));
    flatbuffer_begin(b);
    flatbuffer_set_ref(b, PAIR_KEY, key_ref);
    flatbuffer_set_ref(b, PAIR_VALUE, value_ref);
    return flatbuffer_end(b);
}

/* What the values mean beyond their layout. [Arrow, "Canonical Extension Types"] */
static flatbuffer_ref add_extension(struct flatbuffer *b, const char *name)
{
    flatbuffer_ref pairs[] = {add_pair(b, "ARROW:extension:name", name),
                              add_pair(b, "ARROW:extension:metadata", "")};
    return flatbuffer_vector(b, pairs, 2);
}

static flatbuffer_ref add_field(struct flatbuffer *b, const struct schema_column *column)
{
    const char *extension = column->type.kind == TYPE_UUID   ? "arrow.uuid"
                            : column->type.kind == TYPE_JSON ? "arrow.json"
                                                             : NULL;
    enum type_number number = ARROW_INT;
    flatbuffer_ref name = flatbuffer_string(b, str_from(column->name));
    flatbuffer_ref type = add_type(b, column->type, &number);
    flatbuffer_ref children = flatbuffer_vector(b, NULL, 0); /* readers refuse a field without */
    flatbuffer_ref metadata = extension ? add_extension(b, extension) : 0;
    flatbuffer_begin(b);
    flatbuffer_set_ref(b, FIELD_NAME, name);
    flatbuffer_set_ref(b, FIELD_TYPE, type);
    flatbuffer_set_ref(b, FIELD_CHILDREN, children);
    if (extension) {
        flatbuffer_set_ref(b, FIELD_METADATA, metadata);
    }
    flatbuffer_set_byte(b, FIELD_NULLABLE, true);
    flatbuffer_set_byte(b, FIELD_TYPE_TYPE, (uint8_t)number);
    return flatbuffer_end(b);
}

void arrow_write_schema(const struct schema *schema, struct buf *out)
{
    struct arena arena = {0};
    owned(flatbuffer_release) struct flatbuffer b = {0};
    flatbuffer_ref *fields = arena_array(&arena, schema->column_count, sizeof(*fields));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        fields[i] = add_field(&b, &schema->columns[i]);
    }
    flatbuffer_ref vector = flatbuffer_vector(&b, fields, schema->column_count);
    flatbuffer_begin(&b);
    flatbuffer_set_ref(&b, SCHEMA_FIELDS, vector);
    flatbuffer_set_int16(&b, SCHEMA_ENDIANNESS, 0); /* little */
    append_message(&b, HEADER_SCHEMA, flatbuffer_end(&b), 0, out);
    arena_release(&arena);
}

void arrow_write_end(struct buf *out)
{
    static const uint32_t end[2] = {UINT32_MAX, 0};
    buf_append(out, end, sizeof(end));
}

/* --- record batches --- */

/* Rows of a column: those of one record batch. */
struct slice {
    const struct column *column;
    uint32_t first;
    uint32_t count;
};

/* As the format has them. */
struct node {
    int64_t length;
    int64_t null_count;
};
struct buffer {
    int64_t offset;
    int64_t length;
};

/* The body of one record batch as it grows. */
struct body {
    struct buf *out;
    struct buffer *buffers;
    size_t buffer_count;
};

/* Everything appended to the body from `start` on, which is a multiple of the alignment, is its
 * next buffer. */
static void close_buffer(struct body *body, size_t start)
{
    size_t size = body->out->size - start;
    body->buffers[body->buffer_count++] = (struct buffer){(int64_t)start, (int64_t)size};
    append_zeros(body->out, padding(size, BUFFER_ALIGNMENT));
}

/* Bits first..first+63, of which those beyond the last word are 0. */
static uint64_t word_at(const uint64_t *bits, size_t first, size_t end)
{
    size_t word = first >> 6;
    unsigned shift = first & 63;
    uint64_t low = bits[word] >> shift;
    uint64_t high = shift > 0 && (word + 1) << 6 < end ? bits[word + 1] << (64 - shift) : 0;
    return low | high;
}

static void append_bits(const struct slice *s, const uint64_t *bits, struct buf *out)
{
    size_t end = (size_t)s->first + s->count;
    for (size_t row = s->first; row < end; row += 64) {
        uint64_t word = word_at(bits, row, end);
        size_t left = end - row;
        word = left < 64 ? word & (((uint64_t)1 << left) - 1) : word;
        buf_append(out, &word, left < 64 ? (left + 7) / 8 : sizeof(word));
    }
}

static int64_t count_nulls(const struct slice *s)
{
    int64_t valid = 0;
    size_t end = (size_t)s->first + s->count;
    for (size_t row = s->first; s->column->valid && row < end; row += 64) {
        uint64_t word = word_at(s->column->valid, row, end);
        word = end - row < 64 ? word & (((uint64_t)1 << (end - row)) - 1) : word;
        valid += __builtin_popcountll(word);
    }
    return s->column->valid ? (int64_t)s->count - valid : 0;
}

static void append_bools(const struct slice *s, struct buf *out)
{
    const uint8_t *values = (const uint8_t *)s->column->values + s->first;
    for (uint32_t row = 0; row < s->count; row += 8) {
        uint8_t byte = 0;
        for (uint32_t i = 0; i < 8 && row + i < s->count; i++) {
            byte |= (uint8_t)((values[row + i] != 0) << i);
        }
        buf_append(out, &byte, 1);
    }
}

static void append_decimals(const struct slice *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->count; i++) {
        __int128 value = column_integer(s->column, (size_t)s->first + i);
        buf_append(out, &value, sizeof(value));
    }
}

static void append_texts(const struct slice *s, struct body *body)
{
    const struct view *views = (const struct view *)s->column->values + s->first;
    size_t start = body->out->size;
    int32_t offset = 0;
    buf_append(body->out, &offset, sizeof(offset));
    for (uint32_t i = 0; i < s->count; i++) {
        offset += (int32_t)views[i].size;
        buf_append(body->out, &offset, sizeof(offset));
    }
    close_buffer(body, start);
    start = body->out->size;
    for (uint32_t i = 0; i < s->count; i++) {
        struct str text = view_str(&views[i]);
        buf_append(body->out, text.data, text.size);
    }
    close_buffer(body, start);
}

static void append_column(const struct slice *s, int64_t null_count, struct body *body)
{
    size_t start = body->out->size;
    if (null_count > 0) {
        append_bits(s, s->column->valid, body->out);
    }
    close_buffer(body, start);
    if (type_is_text_or_binary(s->column->type)) {
        append_texts(s, body);
        return;
    }
    start = body->out->size;
    if (s->column->type.kind == TYPE_BOOL) {
        append_bools(s, body->out);
    } else if (s->column->type.kind == TYPE_DECIMAL) {
        append_decimals(s, body->out);
    } else {
        size_t width = type_width(s->column->type);
        buf_append(body->out, (const char *)s->column->values + s->first * width, s->count * width);
    }
    close_buffer(body, start);
}

/* Appends rows first..first+count-1 as one record batch; false: they do not fit into a buffer. */
static bool append_batch(const struct schema *schema, const struct column *columns, uint32_t first,
                         uint32_t count, struct buf *out)
{
    struct arena arena = {0};
    owned(buf_release) struct buf content = {.size_max = INT32_MAX};
    owned(flatbuffer_release) struct flatbuffer b = {0};
    size_t column_count = schema->column_count;
    struct node *nodes = arena_array(&arena, column_count, sizeof(*nodes));
    struct body body = {.out = &content,
                        .buffers = arena_array(&arena, column_count * 3, sizeof(struct buffer))};
    for (size_t i = 0; i < column_count; i++) {
        struct slice slice = {&columns[i], first, count};
        nodes[i] = (struct node){count, count_nulls(&slice)};
        append_column(&slice, nodes[i].null_count, &body);
    }
    flatbuffer_ref node_ref = flatbuffer_structs(&b, nodes, sizeof(*nodes), column_count);
    flatbuffer_ref buffer_ref =
        flatbuffer_structs(&b, body.buffers, sizeof(*body.buffers), body.buffer_count);
    flatbuffer_begin(&b);
    flatbuffer_set_int64(&b, BATCH_LENGTH, count);
    flatbuffer_set_ref(&b, BATCH_NODES, node_ref);
    flatbuffer_set_ref(&b, BATCH_BUFFERS, buffer_ref);
    append_message(&b, HEADER_RECORD_BATCH, flatbuffer_end(&b), (int64_t)content.size, out);
    buf_append(out, content.data, content.size);
    arena_release(&arena);
    return !content.failed && !out->failed;
}

static size_t row_bytes(const struct schema *schema, const struct column *columns, uint32_t row)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        bytes += type_width(columns[i].type);
        if (type_is_text_or_binary(columns[i].type)) {
            bytes += ((const struct view *)columns[i].values)[row].size;
        }
    }
    return bytes;
}

/* Infinities and the 24th hour would come out as other, finite values. */
static const char *unrepresentable(const struct column *c, uint32_t row)
{
    static const int64_t us_per_day = INT64_C(86400) * 1000000;
    const int64_t *int64 = c->values;
    if (!column_is_valid(c, row)) {
        return NULL;
    }
    if (c->type.kind == TYPE_TIME) {
        return int64[row] >= us_per_day ? "24:00:00" : NULL;
    }
    if (c->type.kind == TYPE_DATE) {
        int32_t days = ((const int32_t *)c->values)[row];
        return days == INT32_MAX ? "infinity" : days == -INT32_MAX ? "-infinity" : NULL;
    }
    return int64[row] == INT64_MAX ? "infinity" : int64[row] == -INT64_MAX ? "-infinity" : NULL;
}

static bool check_slice(const struct schema_column *described, const struct slice *s,
                        struct error *err)
{
    enum type_kind kind = s->column->type.kind;
    if (kind != TYPE_TIME && kind != TYPE_DATE && kind != TYPE_TIMESTAMP &&
        kind != TYPE_TIMESTAMPTZ) {
        return true;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        const char *value = unrepresentable(s->column, s->first + i);
        if (value) {
            return error_set(err, ERROR_DATA, "column \"%s\": Arrow has no %s", described->name,
                             value);
        }
    }
    return true;
}

bool arrow_write_batch(const struct schema *schema, const struct column *columns,
                       uint32_t row_count, uint32_t *first, size_t bytes_max, struct buf *out,
                       struct error *err)
{
    uint32_t count = 0;
    size_t bytes = 0;
    bytes_max = bytes_max ? bytes_max : BYTES_MAX_DEFAULT;
    do {
        bytes += row_bytes(schema, columns, *first + count++);
    } while (*first + count < row_count &&
             bytes + row_bytes(schema, columns, *first + count) <= bytes_max);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        struct slice slice = {&columns[i], *first, count};
        if (!check_slice(&schema->columns[i], &slice, err)) {
            return false;
        }
    }
    /* Offsets into texts are 32 bits wide. */
    if (bytes > INT32_MAX || !append_batch(schema, columns, *first, count, out)) {
        return error_set(err, ERROR_DATA, "a row of %zu bytes is too large for Arrow", bytes);
    }
    *first += count;
    return true;
}
