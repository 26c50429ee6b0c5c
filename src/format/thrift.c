#include "format/thrift.h"

#include <assert.h>

/* Types of fields; a boolean's value is its type. */
enum { TYPE_TRUE = 1, TYPE_FALSE = 2, TYPE_I64 = 6, TYPE_LIST = 9 };

static void append_varint(struct thrift *t, uint64_t n)
{
    for (; n >= 0x80; n >>= 7) {
        buf_append_char(t->out, (char)(uint8_t)(n | 0x80));
    }
    buf_append_char(t->out, (char)(uint8_t)n);
}

static void append_zigzag(struct thrift *t, int64_t v)
{
    append_varint(t, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

/* Ids are written as the distance from the one before, which here is always short. */
static void append_field(struct thrift *t, int16_t id, int type)
{
    int16_t *last = &t->last[t->depth - 1];
    assert(id > *last && id - *last <= 15);
    buf_append_char(t->out, (char)(uint8_t)((id - *last) << 4 | type));
    *last = id;
}

void thrift_begin(struct thrift *t)
{
    assert(t->depth < sizeof(t->last) / sizeof(t->last[0]));
    t->last[t->depth++] = 0;
}

void thrift_end(struct thrift *t)
{
    assert(t->depth > 0);
    t->depth--;
    buf_append_char(t->out, 0);
}

void thrift_bool(struct thrift *t, int16_t id, bool v)
{
    append_field(t, id, v ? TYPE_TRUE : TYPE_FALSE);
}

void thrift_i32(struct thrift *t, int16_t id, int32_t v)
{
    append_field(t, id, THRIFT_I32);
    append_zigzag(t, v);
}

void thrift_i64(struct thrift *t, int16_t id, int64_t v)
{
    append_field(t, id, TYPE_I64);
    append_zigzag(t, v);
}

void thrift_bytes(struct thrift *t, int16_t id, struct str v)
{
    append_field(t, id, THRIFT_BINARY);
    thrift_element_bytes(t, v);
}

void thrift_struct(struct thrift *t, int16_t id)
{
    append_field(t, id, THRIFT_STRUCT);
    thrift_begin(t);
}

void thrift_list(struct thrift *t, int16_t id, enum thrift_type element, uint32_t count)
{
    append_field(t, id, TYPE_LIST);
    if (count < 15) {
        buf_append_char(t->out, (char)(uint8_t)(count << 4 | element));
    } else {
        buf_append_char(t->out, (char)(uint8_t)(0xF0 | element));
        append_varint(t, count);
    }
}

void thrift_element_i32(struct thrift *t, int32_t v)
{
    append_zigzag(t, v);
}

void thrift_element_bytes(struct thrift *t, struct str v)
{
    append_varint(t, v.size);
    buf_append(t->out, v.data, v.size);
}
