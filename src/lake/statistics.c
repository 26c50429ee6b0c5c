#include <math.h>

#include "lake/lake.h"

enum { TEXT_CHARACTERS_MAX = 32 };

static uint64_t count_nulls(const struct column *c, uint32_t row_count)
{
    uint64_t valid = row_count;
    if (c->valid) {
        valid = 0;
        for (uint32_t i = 0; i < row_count / 64; i++) {
            valid += (uint64_t)__builtin_popcountll(c->valid[i]);
        }
        if (row_count % 64) {
            uint64_t mask = ((uint64_t)1 << (row_count % 64)) - 1;
            valid += (uint64_t)__builtin_popcountll(c->valid[row_count / 64] & mask);
        }
    }
    return row_count - valid;
}

/* One loop a type: the bounds of the valid rows of a column, in `wide`. */
#define COLLECT_BOUNDS(name, type, wide, field)                                               \
    static void name(const struct column *c, uint32_t row_count, struct lake_statistics *out) \
    {                                                                                         \
        const type *values = c->values;                                                       \
        wide low = 0;                                                                         \
        wide high = 0;                                                                        \
        bool any = false;                                                                     \
        for (uint32_t i = 0; i < row_count; i++) {                                            \
            if (column_is_valid(c, i)) {                                                      \
                wide v = (wide)values[i];                                                     \
                low = !any || v < low ? v : low;                                              \
                high = !any || v > high ? v : high;                                           \
                any = true;                                                                   \
            }                                                                                 \
        }                                                                                     \
        out->has_min = out->has_max = any;                                                    \
        out->min.field = low;                                                                 \
        out->max.field = high;                                                                \
    }
COLLECT_BOUNDS(collect_int16, int16_t, int64_t, integer)
COLLECT_BOUNDS(collect_int32, int32_t, int64_t, integer)
COLLECT_BOUNDS(collect_int64, int64_t, int64_t, integer)

static void collect_decimal(const struct column *c, uint32_t row_count, struct lake_statistics *out)
{
    for (uint32_t i = 0; i < row_count; i++) {
        if (column_is_valid(c, i)) {
            __int128 v = column_integer(c, i);
            out->min.decimal = !out->has_min || v < out->min.decimal ? v : out->min.decimal;
            out->max.decimal = !out->has_max || v > out->max.decimal ? v : out->max.decimal;
            out->has_min = out->has_max = true;
        }
    }
}

/* A NaN has no place in an order that all readers share, so there are no bounds. The two zeroes do
 * not either: the lower bound becomes -0.0, the upper 0.0. */
static void collect_float(const struct column *c, uint32_t row_count, struct lake_statistics *out)
{
    double low = 0;
    double high = 0;
    bool any = false;
    for (uint32_t i = 0; i < row_count; i++) {
        if (!column_is_valid(c, i)) {
            continue;
        }
        double v = c->type.kind == TYPE_FLOAT32 ? (double)((const float *)c->values)[i]
                                                : ((const double *)c->values)[i];
        if (isnan(v)) {
            return;
        }
        low = !any || v < low ? v : low;
        high = !any || v > high ? v : high;
        any = true;
    }
    out->has_min = out->has_max = any;
    out->min.number = fpclassify(low) == FP_ZERO ? -0.0 : low;
    out->max.number = fpclassify(high) == FP_ZERO ? 0.0 : high;
}

/* The code point at p, of valid UTF-8, and its length. */
static uint32_t decode(const char *p, size_t *size)
{
    const uint8_t *b = (const uint8_t *)p;
    if (b[0] < 0x80) {
        *size = 1;
        return b[0];
    }
    *size = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    uint32_t v = b[0] & (0x7Fu >> *size);
    for (size_t i = 1; i < *size; i++) {
        v = v << 6 | (b[i] & 0x3Fu);
    }
    return v;
}

static size_t encode(uint32_t v, char out[4])
{
    if (v < 0x80) {
        out[0] = (char)v;
        return 1;
    }
    size_t size = v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (v & 0x3F));
        v >>= 6;
    }
    out[0] = (char)((0xF0u << (4 - size)) | v);
    return size;
}

/* The shortest change that makes a prefix greater than everything that begins with it: the next
 * code point in its last place that has one. U+FFFF has none, because readers that compare UTF-16
 * units order U+10000 before it. False: there is no bound. */
static bool upper_bound(struct str prefix, struct arena *a, struct str *out)
{
    size_t end = prefix.size;
    while (end > 0) {
        size_t start = end - 1;
        while (((uint8_t)prefix.data[start] & 0xC0) == 0x80) {
            start--;
        }
        size_t size = 0;
        uint32_t v = decode(prefix.data + start, &size);
        if (v != 0xFFFF && v != 0x10FFFF) {
            char *copy = arena_alloc(a, start + 4);
            memcpy(copy, prefix.data, start);
            size = encode(v == 0xD7FF ? 0xE000 : v + 1, copy + start);
            *out = (struct str){copy, start + size};
            return true;
        }
        end = start;
    }
    return false;
}

static int compare(struct str a, struct str b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int c = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return c ? c : (a.size > b.size) - (a.size < b.size);
}

bool lake_statistics_cut(struct str *text, size_t characters_max, bool is_upper, struct arena *a)
{
    size_t size = utf8_prefix(text->data, text->size, characters_max);
    bool is_whole = size == text->size;
    *text = (struct str){arena_string(a, text->data, size), size};
    return is_whole || !is_upper || upper_bound(*text, a, text);
}

static void collect_text(const struct column *c, uint32_t row_count, struct arena *a,
                         struct lake_statistics *out)
{
    const struct view *values = c->values;
    const struct view *low = NULL;
    const struct view *high = NULL;
    for (uint32_t i = 0; i < row_count; i++) {
        if (column_is_valid(c, i)) {
            low = !low || compare(view_str(&values[i]), view_str(low)) < 0 ? &values[i] : low;
            high = !high || compare(view_str(&values[i]), view_str(high)) > 0 ? &values[i] : high;
        }
    }
    if (!low || !high) {
        return;
    }
    out->min.text = view_str(low);
    out->max.text = view_str(high);
    out->has_min = lake_statistics_cut(&out->min.text, TEXT_CHARACTERS_MAX, false, a);
    out->has_max = lake_statistics_cut(&out->max.text, TEXT_CHARACTERS_MAX, true, a);
}

void lake_statistics_collect(const struct column *column, uint32_t row_count, struct arena *a,
                             struct lake_statistics *out)
{
    *out = (struct lake_statistics){.null_count = count_nulls(column, row_count)};
    switch (column->type.kind) {
    case TYPE_INT16:
        collect_int16(column, row_count, out);
        break;
    case TYPE_INT32:
    case TYPE_DATE:
        collect_int32(column, row_count, out);
        break;
    case TYPE_INT64:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        collect_int64(column, row_count, out);
        break;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        collect_float(column, row_count, out);
        break;
    case TYPE_DECIMAL:
        collect_decimal(column, row_count, out);
        break;
    case TYPE_STRING:
        collect_text(column, row_count, a, out);
        break;
    case TYPE_BOOL:
    case TYPE_BINARY:
    case TYPE_TIME:
    case TYPE_UUID:
    case TYPE_JSON:
        break; /* no order that every reader agrees on */
    }
}
