#include "format/json.h"

#include <math.h>

#include "format/value.h"

static void append_escape(char c, struct buf *out)
{
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    uint8_t byte = (uint8_t)c;
    if (byte < sizeof(named) && named[byte]) {
        buf_append_char(out, '\\');
        buf_append_char(out, named[byte]);
    } else {
        buf_append_format(out, "\\u%04x", byte);
    }
}

void json_write_string(struct str text, struct buf *out)
{
    buf_append_char(out, '"');
    size_t start = 0; /* of what needs no escape */
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if ((uint8_t)c < 0x20 || c == '"' || c == '\\') {
            buf_append(out, text.data + start, i - start);
            append_escape(c, out);
            start = i + 1;
        }
    }
    buf_append(out, text.data + start, text.size - start);
    buf_append_char(out, '"');
}

/* Control characters cannot be inside JSON strings: those that are here are white space between
 * tokens. */
static void append_json(struct str text, struct buf *out)
{
    size_t start = 0;
    for (size_t i = 0; i < text.size; i++) {
        if ((uint8_t)text.data[i] < 0x20) {
            buf_append(out, text.data + start, i - start);
            buf_append_char(out, ' ');
            start = i + 1;
        }
    }
    buf_append(out, text.data + start, text.size - start);
}

static void append_quoted(const struct column *c, uint32_t row, struct buf *out)
{
    buf_append_char(out, '"');
    value_format(c, row, out); /* none of these texts needs an escape */
    buf_append_char(out, '"');
}

static bool is_finite(const struct column *c, uint32_t row)
{
    return c->type.kind == TYPE_FLOAT32 ? isfinite(((const float *)c->values)[row])
                                        : isfinite(((const double *)c->values)[row]);
}

void json_write_value(const struct column *c, uint32_t row, struct buf *out)
{
    if (!column_is_valid(c, row)) {
        buf_append_text(out, "null");
        return;
    }
    switch (c->type.kind) {
    case TYPE_BOOL:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DECIMAL:
        value_format(c, row, out);
        return;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        if (is_finite(c, row)) {
            value_format(c, row, out);
        } else {
            append_quoted(c, row, out);
        }
        return;
    case TYPE_STRING:
        json_write_string(view_str(&((const struct view *)c->values)[row]), out);
        return;
    case TYPE_JSON:
        append_json(view_str(&((const struct view *)c->values)[row]), out);
        return;
    case TYPE_BINARY:
        buf_append_char(out, '"');
        value_append_base64(view_str(&((const struct view *)c->values)[row]), out);
        buf_append_char(out, '"');
        return;
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_UUID:
        append_quoted(c, row, out);
        return;
    }
}

void json_write_row(const struct schema *schema, const struct column *columns, uint32_t row,
                    bool key_only, struct buf *out)
{
    char separator = '{';
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (column_is_unchanged(&columns[i], row) || (key_only && !schema->columns[i].is_key)) {
            continue;
        }
        buf_append_char(out, separator);
        json_write_string(str_from(schema->columns[i].name), out);
        buf_append_char(out, ':');
        json_write_value(&columns[i], row, out);
        separator = ',';
    }
    if (separator == '{') {
        buf_append_char(out, '{');
    }
    buf_append_char(out, '}');
}
