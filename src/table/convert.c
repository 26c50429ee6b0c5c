#include "table/convert.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/value.h"

static bool is_instant(struct type t)
{
    return t.kind == TYPE_TIMESTAMP || t.kind == TYPE_TIMESTAMPTZ;
}

static bool is_text(struct type t)
{
    return t.kind == TYPE_STRING || t.kind == TYPE_JSON;
}

/* Values lie in memory the same way and mean the same. */
static bool is_shared(struct type from, struct type to)
{
    return type_equal(from, to) || (is_instant(from) && is_instant(to)) ||
           (is_text(from) && is_text(to));
}

bool convert_can(struct type from, struct type to)
{
    return is_shared(from, to) || type_widens(from, to) ||
           (to.kind == TYPE_STRING && (from.kind == TYPE_TIME || from.kind == TYPE_UUID));
}

static size_t bit_bytes(uint32_t rows)
{
    return ((size_t)rows + 63) / 64 * sizeof(uint64_t);
}

static void *zeroed(struct batch *b, size_t size)
{
    return arena_zalloc(&b->arena, size * (b->row_count ? b->row_count : 1));
}

static void integer_set(struct column *c, uint32_t row, __int128 v)
{
    switch (type_width(c->type)) {
    case 2:
        ((int16_t *)c->values)[row] = (int16_t)v;
        break;
    case 4:
        ((int32_t *)c->values)[row] = (int32_t)v;
        break;
    case 8:
        ((int64_t *)c->values)[row] = (int64_t)v;
        break;
    default:
        ((__int128 *)c->values)[row] = v;
        break;
    }
}

/* Integers and decimals into wider ones; type_widens() has made sure that they fit. */
static void widen_integers(const struct column *from, struct column *to, uint32_t row_count)
{
    __int128 factor = 1;
    if (from->type.kind == TYPE_DECIMAL) {
        for (unsigned i = from->type.scale; i < to->type.scale; i++) {
            factor *= 10;
        }
    }
    for (uint32_t row = 0; row < row_count; row++) {
        integer_set(to, row, column_integer(from, row) * factor);
    }
}

static void widen_floats(const struct column *from, struct column *to, uint32_t row_count)
{
    for (uint32_t row = 0; row < row_count; row++) {
        ((double *)to->values)[row] = (double)((const float *)from->values)[row];
    }
}

static void format_values(struct batch *b, const struct column *from, struct column *to)
{
    owned(buf_release) struct buf text = {0};
    struct view *views = to->values;
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (!column_is_valid(from, row)) {
            continue;
        }
        buf_clear(&text);
        value_format(from, row, &text);
        const char *data =
            text.size > VIEW_INLINE_MAX ? arena_copy(&b->arena, text.data, text.size) : text.data;
        views[row] = view_from(data, text.size);
    }
}

/* `to->type` is set. */
static bool convert_column(struct batch *b, const struct column *from, struct column *to,
                           const char *name, struct error *err)
{
    to->valid = from->valid;
    to->unchanged = from->unchanged;
    if (is_shared(from->type, to->type)) {
        to->values = from->values;
        return true;
    }
    to->values = zeroed(b, type_width(to->type));
    if (type_widens(from->type, to->type)) {
        if (to->type.kind == TYPE_FLOAT64) {
            widen_floats(from, to, b->row_count);
        } else {
            widen_integers(from, to, b->row_count);
        }
        return true;
    }
    if (convert_can(from->type, to->type)) {
        format_values(b, from, to);
        return true;
    }
    owned(buf_release) struct buf types = {0};
    type_format(from->type, &types);
    buf_append_text(&types, " as ");
    type_format(to->type, &types);
    return error_set(err, ERROR_FATAL, "column \"%s\": cannot store %s", name, buf_text(&types));
}

static void null_column(struct batch *b, struct column *to)
{
    to->values = zeroed(b, type_width(to->type));
    to->valid = arena_zalloc(&b->arena, bit_bytes(b->row_count ? b->row_count : 1));
    to->unchanged = NULL;
}

static void release_source(void *source)
{
    batch_release(source);
}

struct batch *convert_batch(struct batch *source, const struct schema *schema, struct error *err)
{
    owned(batch_free) struct batch *b = calloc(1, sizeof(*b));
    if (!b) {
        abort();
    }
    b->references = 1;
    b->table = source->table;
    b->schema = schema_reference(schema);
    b->row_count = source->row_count;
    b->row_capacity = source->row_count;
    b->loading = source->loading;
    b->kinds = source->kinds;
    b->images = source->images;
    b->source = source->source;
    b->positions = source->positions;
    b->commit_times_us = source->commit_times_us;
    b->transactions = source->transactions;
    b->sequences = source->sequences;
    b->received_us = source->received_us;
    arena_defer(&b->arena, release_source, batch_reference(source));
    b->columns = arena_zalloc(&b->arena, schema->column_count * sizeof(*b->columns));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        struct column *to = &b->columns[i];
        to->type = schema->columns[i].type;
        int at = schema_find(source->schema, str_from(schema->columns[i].name));
        if (at < 0) {
            null_column(b, to);
        } else if (!convert_column(b, &source->columns[at], to, schema->columns[i].name, err)) {
            return NULL;
        }
    }
    return take(b);
}
