#include "model/batch.h"

#include <assert.h>
#include <stdlib.h>

static size_t bit_words(uint32_t rows)
{
    return ((size_t)rows + 63) / 64;
}

static void *zeroed(struct batch *b, size_t count, size_t size)
{
    void *p = arena_array(&b->arena, count, size);
    memset(p, 0, count * size);
    return p;
}

struct batch *batch_new(const struct schema *schema, uint32_t table, uint32_t row_capacity)
{
    struct batch *b = calloc(1, sizeof(*b));
    if (!b) {
        abort();
    }
    /* Whole words of bits, so that bitmaps can be copied word by word. */
    row_capacity = row_capacity < 64 ? 64 : (row_capacity + 63) & ~63u;
    b->references = 1;
    b->table = table;
    b->schema = schema_reference(schema);
    b->row_capacity = row_capacity;
    b->columns = zeroed(b, schema->column_count, sizeof(*b->columns));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        b->columns[i].type = schema->columns[i].type;
        b->columns[i].values = zeroed(b, row_capacity, type_width(schema->columns[i].type));
    }
    b->kinds = zeroed(b, row_capacity, sizeof(*b->kinds));
    b->images = zeroed(b, row_capacity, sizeof(*b->images));
    b->positions = zeroed(b, row_capacity, sizeof(*b->positions));
    b->commit_times_us = zeroed(b, row_capacity, sizeof(*b->commit_times_us));
    b->transactions = zeroed(b, row_capacity, sizeof(*b->transactions));
    b->sequences = zeroed(b, row_capacity, sizeof(*b->sequences));
    return b;
}

static void *regrown(struct batch *b, const void *old, uint32_t capacity, size_t size)
{
    uint8_t *p = zeroed(b, capacity, size);
    memcpy(p, old, (size_t)b->row_count * size);
    return p;
}

static uint64_t *regrown_bits(struct batch *b, const uint64_t *old, uint32_t capacity, int fill)
{
    if (!old) {
        return NULL;
    }
    size_t words = bit_words(capacity);
    uint64_t *bits = arena_array(&b->arena, words, sizeof(*bits));
    memset(bits, fill, words * sizeof(*bits));
    memcpy(bits, old, bit_words(b->row_capacity) * sizeof(*bits));
    return bits;
}

void batch_grow(struct batch *b)
{
    uint32_t capacity = b->row_capacity * 2;
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        struct column *c = &b->columns[i];
        c->values = regrown(b, c->values, capacity, type_width(c->type));
        c->valid = regrown_bits(b, c->valid, capacity, 0xFF);
        c->unchanged = regrown_bits(b, c->unchanged, capacity, 0);
    }
    b->kinds = regrown(b, b->kinds, capacity, sizeof(*b->kinds));
    b->images = regrown(b, b->images, capacity, sizeof(*b->images));
    b->positions = regrown(b, b->positions, capacity, sizeof(*b->positions));
    b->commit_times_us = regrown(b, b->commit_times_us, capacity, sizeof(*b->commit_times_us));
    b->transactions = regrown(b, b->transactions, capacity, sizeof(*b->transactions));
    b->sequences = regrown(b, b->sequences, capacity, sizeof(*b->sequences));
    b->row_capacity = capacity;
}

uint32_t batch_add_row(struct batch *b, enum row_kind kind, enum row_image image)
{
    if (b->row_count == b->row_capacity) {
        batch_grow(b);
    }
    uint32_t row = b->row_count++;
    b->kinds[row] = (uint8_t)kind;
    b->images[row] = (uint8_t)image;
    return row;
}

void batch_set_null(struct batch *b, uint32_t column, uint32_t row)
{
    struct column *c = &b->columns[column];
    if (!c->valid) {
        size_t size = bit_words(b->row_capacity) * sizeof(*c->valid);
        c->valid = memset(arena_alloc(&b->arena, size), 0xFF, size);
    }
    bit_clear(c->valid, row);
}

void batch_set_unchanged(struct batch *b, uint32_t column, uint32_t row)
{
    struct column *c = &b->columns[column];
    if (!c->unchanged) {
        c->unchanged = zeroed(b, bit_words(b->row_capacity), sizeof(*c->unchanged));
    }
    bit_set(c->unchanged, row);
    batch_set_null(b, column, row);
}

void batch_set_bytes(struct batch *b, uint32_t column, uint32_t row, const char *data, size_t size)
{
    assert(type_is_text_or_binary(b->columns[column].type));
    assert(size <= UINT32_MAX);
    if (size > VIEW_INLINE_MAX) {
        data = arena_copy(&b->arena, data, size);
    }
    ((struct view *)b->columns[column].values)[row] = view_from(data, size);
}

void batch_copy_value(struct batch *b, uint32_t column, uint32_t row, const struct column *from,
                      uint32_t at)
{
    struct column *to = &b->columns[column];
    if (!column_is_valid(from, at)) {
        batch_set_null(b, column, row);
    } else if (type_is_text_or_binary(to->type)) {
        struct str s = view_str(&((const struct view *)from->values)[at]);
        batch_set_bytes(b, column, row, s.data, s.size);
    } else {
        size_t width = type_width(to->type);
        memcpy((char *)to->values + row * width, (const char *)from->values + at * width, width);
    }
}

size_t batch_bytes(const struct batch *b)
{
    return sizeof(*b) + b->arena.bytes;
}

struct batch *batch_reference(struct batch *b)
{
    __atomic_add_fetch(&b->references, 1, __ATOMIC_RELAXED);
    return b;
}

void batch_release(struct batch *b)
{
    if (b && __atomic_sub_fetch(&b->references, 1, __ATOMIC_ACQ_REL) == 0) {
        schema_release(b->schema);
        arena_release(&b->arena);
        free(b);
    }
}

void batch_free(struct batch **b)
{
    batch_release(take(*b));
}

static void append_values(struct batch *b, uint32_t column, uint32_t to, const struct column *from,
                          uint32_t first, uint32_t count)
{
    size_t width = type_width(from->type);
    assert(type_equal(b->columns[column].type, from->type));
    memcpy((char *)b->columns[column].values + to * width,
           (const char *)from->values + first * width, count * width);
    for (uint32_t i = 0; from->valid && i < count; i++) {
        if (!bit_get(from->valid, first + i)) {
            batch_set_null(b, column, to + i);
        }
    }
    if (!type_is_text_or_binary(from->type)) {
        return;
    }
    struct view *views = (struct view *)b->columns[column].values + to;
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].size > VIEW_INLINE_MAX) {
            views[i].data = arena_copy(&b->arena, views[i].data, views[i].size);
        }
    }
}

void batch_append(struct batch *b, const struct column *columns, uint32_t first, uint32_t count)
{
    uint32_t to = b->row_count;
    for (uint32_t i = 0; i < count; i++) {
        batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    }
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        append_values(b, i, to, &columns[i], first, count);
    }
}

static bool check_view(const struct view *v, struct type type, const char *name, uint32_t row,
                       struct error *err)
{
    if (v->size <= VIEW_INLINE_MAX) {
        for (uint32_t i = v->size; i < VIEW_INLINE_MAX; i++) {
            if (((const char *)v)[offsetof(struct view, inlined) + i] != 0) {
                return error_set(err, ERROR_FATAL,
                                 "column \"%s\", row %u: unused inlined bytes are not zero", name,
                                 row);
            }
        }
    } else if (memcmp(v->inlined, v->data, 4) != 0) {
        return error_set(err, ERROR_FATAL, "column \"%s\", row %u: wrong prefix", name, row);
    }
    struct str s = view_str(v);
    if (type.kind != TYPE_BINARY && !utf8_valid(s.data, s.size)) {
        return error_set(err, ERROR_FATAL, "column \"%s\", row %u: invalid UTF-8", name, row);
    }
    return true;
}

static bool check_column(const struct batch *b, uint32_t index, struct error *err)
{
    const struct column *c = &b->columns[index];
    const char *name = b->schema->columns[index].name;
    if (!type_equal(c->type, b->schema->columns[index].type)) {
        return error_set(err, ERROR_FATAL, "column \"%s\": type differs from the schema", name);
    }
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (column_is_unchanged(c, row) && column_is_valid(c, row)) {
            return error_set(err, ERROR_FATAL, "column \"%s\", row %u: unchanged but not null",
                             name, row);
        }
        if (type_is_text_or_binary(c->type) &&
            !check_view(&((const struct view *)c->values)[row], c->type, name, row, err)) {
            return false;
        }
    }
    return true;
}

bool batch_check(const struct batch *b, struct error *err)
{
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (b->kinds[row] == ROW_UPDATE_BEFORE &&
            (row + 1 == b->row_count || b->kinds[row + 1] != ROW_UPDATE_AFTER)) {
            return error_set(err, ERROR_FATAL, "row %u: before image without an after image", row);
        }
    }
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        if (!check_column(b, i, err)) {
            return false;
        }
    }
    return true;
}
