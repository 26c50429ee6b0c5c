#include "format/csv.h"

#include "format/value.h"

/* Puts the field that begins at `start` into quotes if it needs them. */
static void quote_field(struct buf *out, size_t start)
{
    struct str field = {buf_text(out) + start, out->size - start};
    bool plain = field.size > 0;
    for (size_t i = 0; i < field.size; i++) {
        char c = field.data[i];
        plain = plain && c != ',' && c != '"' && c != '\r' && c != '\n';
    }
    if (plain || out->failed) {
        return;
    }
    owned(buf_release) struct buf quoted = {.size_max = out->size_max};
    buf_append_char(&quoted, '"');
    for (size_t i = 0; i < field.size; i++) {
        if (field.data[i] == '"') {
            buf_append_char(&quoted, '"');
        }
        buf_append_char(&quoted, field.data[i]);
    }
    buf_append_char(&quoted, '"');
    out->size = start;
    buf_append(out, quoted.data, quoted.size);
    out->failed = out->failed || quoted.failed;
}

void csv_write_header(const char *const *names, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        size_t start = out->size;
        buf_append_text(out, names[i]);
        quote_field(out, start);
    }
    buf_append_text(out, "\r\n");
}

void csv_write_row(const struct column *columns, uint32_t count, uint32_t row, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        if (column_is_valid(&columns[i], row)) {
            size_t start = out->size;
            value_format(&columns[i], row, out);
            quote_field(out, start);
        }
    }
    buf_append_text(out, "\r\n");
}
