#include "format/flatbuffer.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 1024 };

/* --- growing towards the front --- */

static uint8_t *push_bytes(struct flatbuffer *b, size_t size)
{
    if (b->capacity - b->size < size) {
        size_t capacity = b->capacity ? b->capacity : CAPACITY_MIN;
        while (capacity - b->size < size) {
            capacity *= 2;
        }
        uint8_t *data = malloc(capacity);
        if (!data) {
            abort();
        }
        if (b->size > 0) {
            memcpy(data + capacity - b->size, b->data + b->capacity - b->size, b->size);
        }
        free(b->data);
        b->data = data;
        b->capacity = capacity;
    }
    b->size += size;
    return b->data + b->capacity - b->size;
}

/* Pads so that what is aligned stands right when `behind` more bytes have been written. */
static void align(struct flatbuffer *b, size_t alignment, size_t behind)
{
    size_t padding = -(b->size + behind) & (alignment - 1);
    if (padding > 0) {
        memset(push_bytes(b, padding), 0, padding);
    }
    b->alignment_max = alignment > b->alignment_max ? alignment : b->alignment_max;
}

static void push(struct flatbuffer *b, const void *value, size_t size)
{
    align(b, size, 0);
    memcpy(push_bytes(b, size), value, size);
}

/* References are written as the distance from where they stand. */
static void push_ref(struct flatbuffer *b, flatbuffer_ref to)
{
    align(b, sizeof(uint32_t), 0);
    uint32_t distance = (uint32_t)(b->size + sizeof(distance) - to);
    memcpy(push_bytes(b, sizeof(distance)), &distance, sizeof(distance));
}

static flatbuffer_ref here(const struct flatbuffer *b)
{
    assert(b->size <= UINT32_MAX);
    return (flatbuffer_ref)b->size;
}

/* --- strings and vectors --- */

static flatbuffer_ref push_count(struct flatbuffer *b, size_t count)
{
    uint32_t narrow = (uint32_t)count;
    push(b, &narrow, sizeof(narrow));
    return here(b);
}

flatbuffer_ref flatbuffer_string(struct flatbuffer *b, struct str text)
{
    assert(!b->in_table);
    align(b, sizeof(uint32_t), text.size + 1);
    uint8_t *at = push_bytes(b, text.size + 1);
    if (text.size > 0) {
        memcpy(at, text.data, text.size);
    }
    at[text.size] = 0;
    return push_count(b, text.size);
}

flatbuffer_ref flatbuffer_vector(struct flatbuffer *b, const flatbuffer_ref *items, size_t count)
{
    assert(!b->in_table);
    align(b, sizeof(uint32_t), 0);
    for (size_t i = count; i > 0; i--) {
        push_ref(b, items[i - 1]);
    }
    return push_count(b, count);
}

flatbuffer_ref flatbuffer_structs(struct flatbuffer *b, const void *items, size_t item_size,
                                  size_t count)
{
    assert(!b->in_table && item_size % sizeof(uint64_t) == 0);
    align(b, sizeof(uint64_t), 0);
    uint8_t *at = push_bytes(b, item_size * count);
    if (count > 0) {
        memcpy(at, items, item_size * count);
    }
    return push_count(b, count);
}

/* --- tables --- */

void flatbuffer_begin(struct flatbuffer *b)
{
    assert(!b->in_table);
    b->in_table = true;
    b->table_size = b->size;
    memset(b->fields, 0, sizeof(b->fields));
}

static void set(struct flatbuffer *b, unsigned field, const void *value, size_t size)
{
    assert(b->in_table && field < FLATBUFFER_FIELDS_MAX);
    push(b, value, size);
    b->fields[field] = b->size;
}

void flatbuffer_set_byte(struct flatbuffer *b, unsigned field, uint8_t value)
{
    set(b, field, &value, sizeof(value));
}

void flatbuffer_set_int16(struct flatbuffer *b, unsigned field, int16_t value)
{
    set(b, field, &value, sizeof(value));
}

void flatbuffer_set_int32(struct flatbuffer *b, unsigned field, int32_t value)
{
    set(b, field, &value, sizeof(value));
}

void flatbuffer_set_int64(struct flatbuffer *b, unsigned field, int64_t value)
{
    set(b, field, &value, sizeof(value));
}

void flatbuffer_set_ref(struct flatbuffer *b, unsigned field, flatbuffer_ref value)
{
    assert(b->in_table && field < FLATBUFFER_FIELDS_MAX);
    push_ref(b, value);
    b->fields[field] = b->size;
}

/* The table begins with the distance to its vtable, which lies in front of it: size of the vtable,
 * size of the table, and where in the table each field is. */
flatbuffer_ref flatbuffer_end(struct flatbuffer *b)
{
    assert(b->in_table);
    int32_t to_vtable = 0;
    push(b, &to_vtable, sizeof(to_vtable));
    flatbuffer_ref table = here(b);
    unsigned count = FLATBUFFER_FIELDS_MAX;
    while (count > 0 && b->fields[count - 1] == 0) {
        count--;
    }
    for (unsigned i = count; i > 0; i--) {
        uint16_t at = b->fields[i - 1] ? (uint16_t)(table - b->fields[i - 1]) : 0;
        push(b, &at, sizeof(at));
    }
    uint16_t table_size = (uint16_t)(table - b->table_size);
    uint16_t vtable_size = (uint16_t)((count + 2) * sizeof(uint16_t));
    push(b, &table_size, sizeof(table_size));
    push(b, &vtable_size, sizeof(vtable_size));
    to_vtable = (int32_t)(b->size - table);
    memcpy(b->data + b->capacity - table, &to_vtable, sizeof(to_vtable));
    b->in_table = false;
    return table;
}

struct str flatbuffer_finish(struct flatbuffer *b, flatbuffer_ref root)
{
    assert(!b->in_table);
    align(b, b->alignment_max > sizeof(uint32_t) ? b->alignment_max : sizeof(uint32_t),
          sizeof(uint32_t));
    push_ref(b, root);
    return (struct str){(const char *)b->data + b->capacity - b->size, b->size};
}

void flatbuffer_release(struct flatbuffer *b)
{
    free(b->data);
    *b = (struct flatbuffer){0};
}
