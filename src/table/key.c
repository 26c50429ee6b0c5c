#include "table/key.h"

#include <math.h>
#include <string.h>

#include "format/value.h"

/* One tag for each kind of value that can be equal to another; stable within a run only. */
enum tag {
    TAG_BOOL,
    TAG_INTEGER,
    TAG_FLOAT,
    TAG_DECIMAL,
    TAG_TEXT,
    TAG_BINARY,
    TAG_DATE,
    TAG_TIME,
    TAG_TIMESTAMP,
    TAG_UUID
};

static void append_tagged(struct buf *out, enum tag tag, const void *data, size_t size)
{
    buf_append_char(out, (char)tag);
    buf_append(out, data, size);
}

static void append_integer(struct buf *out, enum tag tag, int64_t v)
{
    append_tagged(out, tag, &v, sizeof(v));
}

static void append_float(struct buf *out, double v)
{
    if (isnan(v)) {
        v = (double)NAN; /* all of them are one value in a unique index */
    } else if (v == 0) {
        v = 0; /* and so are both zeroes */
    }
    append_tagged(out, TAG_FLOAT, &v, sizeof(v));
}

static void append_decimal(struct buf *out, const struct column *c, uint32_t row)
{
    __int128 v = 0;
    switch (type_width(c->type)) {
    case 2:
        v = ((const int16_t *)c->values)[row];
        break;
    case 4:
        v = ((const int32_t *)c->values)[row];
        break;
    case 8:
        v = ((const int64_t *)c->values)[row];
        break;
    default:
        v = ((const __int128 *)c->values)[row];
        break;
    }
    uint8_t scale = c->type.scale;
    while (scale > 0 && v % 10 == 0) {
        v /= 10;
        scale--;
    }
    append_tagged(out, TAG_DECIMAL, &scale, sizeof(scale));
    buf_append(out, &v, sizeof(v));
}

static void append_view(struct buf *out, enum tag tag, const struct view *v)
{
    struct str s = view_str(v);
    append_tagged(out, tag, &v->size, sizeof(v->size));
    buf_append(out, s.data, s.size);
}

static void append_value(struct buf *out, const struct column *c, uint32_t row)
{
    switch (c->type.kind) {
    case TYPE_BOOL:
        append_tagged(out, TAG_BOOL, &((const uint8_t *)c->values)[row], 1);
        break;
    case TYPE_INT16:
        append_integer(out, TAG_INTEGER, ((const int16_t *)c->values)[row]);
        break;
    case TYPE_INT32:
        append_integer(out, TAG_INTEGER, ((const int32_t *)c->values)[row]);
        break;
    case TYPE_INT64:
        append_integer(out, TAG_INTEGER, ((const int64_t *)c->values)[row]);
        break;
    case TYPE_FLOAT32:
        append_float(out, (double)((const float *)c->values)[row]);
        break;
    case TYPE_FLOAT64:
        append_float(out, ((const double *)c->values)[row]);
        break;
    case TYPE_DECIMAL:
        append_decimal(out, c, row);
        break;
    case TYPE_STRING:
    case TYPE_JSON:
        append_view(out, TAG_TEXT, &((const struct view *)c->values)[row]);
        break;
    case TYPE_BINARY:
        append_view(out, TAG_BINARY, &((const struct view *)c->values)[row]);
        break;
    case TYPE_DATE:
        append_integer(out, TAG_DATE, ((const int32_t *)c->values)[row]);
        break;
    case TYPE_TIME:
        append_integer(out, TAG_TIME, ((const int64_t *)c->values)[row]);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        append_integer(out, TAG_TIMESTAMP, ((const int64_t *)c->values)[row]);
        break;
    case TYPE_UUID:
        append_tagged(out, TAG_UUID, &((const struct uuid *)c->values)[row], sizeof(struct uuid));
        break;
    }
}

bool key_append(const struct key *k, const struct column *columns, uint32_t row, struct buf *out)
{
    for (uint32_t i = 0; i < k->column_count; i++) {
        const struct column *c = &columns[k->columns[i]];
        if (!column_is_valid(c, row)) {
            return false;
        }
        append_value(out, c, row);
    }
    return true;
}

static bool null_key(const struct key *k, uint32_t column, uint32_t row, struct error *err)
{
    return error_set(err, ERROR_DATA,
                     "row %u of a batch: key column \"%s\" is null; a key identifies rows only "
                     "where all its columns have values",
                     row, k->schema->columns[column].name);
}

bool key_hash_rows(const struct key *k, const struct column *columns, const uint8_t *kinds,
                   uint32_t row_count, struct hash128 *out, struct error *err)
{
    owned(buf_release) struct buf bytes = {0};
    for (uint32_t row = 0; row < row_count; row++) {
        buf_clear(&bytes);
        for (uint32_t i = 0; i < k->column_count; i++) {
            const struct column *c = &columns[k->columns[i]];
            bool from_before = kinds && row > 0 && kinds[row] == ROW_UPDATE_AFTER &&
                               kinds[row - 1] == ROW_UPDATE_BEFORE && column_is_unchanged(c, row);
            uint32_t at = from_before ? row - 1 : row;
            if (!column_is_valid(c, at)) {
                return null_key(k, k->columns[i], row, err);
            }
            append_value(&bytes, c, at);
        }
        out[row] = hash_key(bytes.data, bytes.size, k->seed);
    }
    return true;
}

void key_describe(const struct key *k, const struct column *columns, uint32_t row, struct buf *out)
{
    enum { SIZE_MAX_SHOWN = 200 };
    owned(buf_release) struct buf text = {0};
    buf_append_char(&text, '(');
    for (uint32_t i = 0; i < k->column_count; i++) {
        buf_append_format(&text, "%s%s", i > 0 ? ", " : "", k->schema->columns[k->columns[i]].name);
    }
    buf_append_text(&text, ")=(");
    for (uint32_t i = 0; i < k->column_count; i++) {
        const struct column *c = &columns[k->columns[i]];
        buf_append_text(&text, i > 0 ? ", " : "");
        if (column_is_valid(c, row)) {
            value_format(c, row, &text);
        } else {
            buf_append_text(&text, "null");
        }
    }
    buf_append_char(&text, ')');
    size_t size = utf8_prefix(text.data, text.size, SIZE_MAX_SHOWN);
    buf_append(out, text.data, size);
    buf_append_text(out, size < text.size ? "..." : "");
}
