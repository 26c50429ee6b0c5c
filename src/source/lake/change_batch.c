#include "source/lake/change_batch.h"

#include <string.h>

#include "base/clock.h"

enum { ROWS_MAX = 4096 };

bool change_batch_is_open(const struct change_batch *c)
{
    return c->batch && c->batch->row_count > 0;
}

static void copy_row(struct batch *b, uint32_t row, const struct column *columns, uint32_t from)
{
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        batch_copy_value(b, i, row, &columns[i], from);
    }
}

static bool is_same_value(const struct column *c, uint32_t x, uint32_t y)
{
    if (!column_is_valid(c, x) || !column_is_valid(c, y)) {
        return column_is_valid(c, x) == column_is_valid(c, y);
    }
    if (type_is_text_or_binary(c->type)) {
        const struct view *views = c->values;
        return str_equal(view_str(&views[x]), view_str(&views[y]));
    }
    size_t width = type_width(c->type);
    const char *values = c->values;
    return memcmp(values + x * width, values + y * width, width) == 0;
}

static bool has_same_key(const struct batch *b, uint32_t x, uint32_t y)
{
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        if (b->schema->columns[i].is_key && !is_same_value(&b->columns[i], x, y)) {
            return false;
        }
    }
    return b->schema->key_count > 0;
}

/* An old image is half of an update only if the next row is the new image of the same key. */
static void settle(struct batch *b)
{
    if (b->row_count > 0 && b->kinds[b->row_count - 1] == ROW_UPDATE_BEFORE) {
        b->kinds[b->row_count - 1] = ROW_DELETE;
    }
}

static void add_row(struct change_batch *c, const struct change_rows *rows, uint32_t from)
{
    struct batch *b = c->batch;
    const struct column *types = &rows->columns[b->schema->column_count];
    struct str type = view_str(&((const struct view *)types->values)[from]);
    bool is_before = str_equal(type, str_from("update_preimage"));
    bool is_after = str_equal(type, str_from("update_postimage"));
    bool is_delete = str_equal(type, str_from("delete"));
    if (b->row_count == b->row_capacity) {
        batch_grow(b);
    }
    uint32_t row = batch_add_row(b,
                                 is_before   ? ROW_UPDATE_BEFORE
                                 : is_delete ? ROW_DELETE
                                             : ROW_INSERT,
                                 IMAGE_WHOLE);
    copy_row(b, row, rows->columns, from);
    b->positions[row] = rows->position;
    b->transactions[row] = rows->position;
    b->commit_times_us[row] = rows->time_us;
    b->sequences[row] = c->sequence++;
    if (row > 0 && b->kinds[row - 1] == ROW_UPDATE_BEFORE) {
        if (is_after && has_same_key(b, row - 1, row)) {
            b->kinds[row] = ROW_UPDATE_AFTER;
        } else {
            b->kinds[row - 1] = ROW_DELETE;
        }
    }
}

void change_batch_add(struct change_batch *c, const struct schema *schema,
                      const struct change_rows *rows)
{
    if (!c->batch) {
        c->batch = batch_new(schema, 0, ROWS_MAX);
        c->batch->received_us = clock_wall_us();
    }
    if (c->position != rows->position) {
        c->position = rows->position;
        c->sequence = 0;
    }
    for (uint32_t i = 0; i < rows->row_count; i++) {
        add_row(c, rows, i);
    }
}

bool change_batch_is_full(const struct change_batch *c)
{
    return c->batch && c->batch->row_count >= ROWS_MAX &&
           c->batch->kinds[c->batch->row_count - 1] != ROW_UPDATE_BEFORE;
}

struct batch *change_batch_finish(struct change_batch *c)
{
    if (c->batch) {
        settle(c->batch);
    }
    return take(c->batch);
}

void change_batch_release(struct change_batch *c)
{
    batch_release(take(c->batch));
}

struct batch *change_batch_load(const struct schema *schema, const struct column *columns,
                                uint32_t row_count)
{
    struct batch *b = batch_new(schema, 0, row_count);
    b->loading = true;
    b->received_us = clock_wall_us();
    for (uint32_t i = 0; i < row_count; i++) {
        copy_row(b, batch_add_row(b, ROW_INSERT, IMAGE_WHOLE), columns, i);
    }
    return b;
}
