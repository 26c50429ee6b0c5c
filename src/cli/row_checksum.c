#include "cli/row_checksum.h"

void row_append_value(struct buf *row, bool first, struct str value)
{
    /* PostgreSQL, "COPY", file formats, text format. */
    static const char letters[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\v'] = 'v', ['\f'] = 'f', ['\r'] = 'r'};
    if (!first) {
        buf_append_char(row, '\t');
    }
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == '\\') {
            buf_append_text(row, "\\\\");
        } else if (c < sizeof(letters) && letters[c]) {
            buf_append_char(row, '\\');
            buf_append_char(row, letters[c]);
        } else {
            buf_append_char(row, (char)c);
        }
    }
}

void row_append_null(struct buf *row, bool first)
{
    buf_append_text(row, first ? "\\N" : "\t\\N");
}

void row_checksum_add(struct row_checksum *c, struct str row)
{
    /* A sum and not an exclusive or: of two equal rows nothing would be left. */
    struct hash128 hash = hash_key(row.data, row.size, 0);
    c->sum.low += hash.low;
    c->sum.high += hash.high + (c->sum.low < hash.low);
    c->row_count++;
}

bool row_checksum_equal(const struct row_checksum *a, const struct row_checksum *b)
{
    return a->row_count == b->row_count && a->sum.low == b->sum.low && a->sum.high == b->sum.high;
}
