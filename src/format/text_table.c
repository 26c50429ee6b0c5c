#include "format/text_table.h"

enum { WIDTH_MAX_DEFAULT = 40, GAP = 2 };

static const char ellipsis[] = "…";

struct text_table_row {
    struct text_table_row *next;
    struct str *cells;
    uint32_t *widths;
};

/* The next code point of UTF-8 text that is known to be valid. */
static uint32_t next_character(struct str text, size_t *offset)
{
    uint8_t first = (uint8_t)text.data[(*offset)++];
    uint32_t point = first < 0x80 ? first : first < 0xE0 ? first & 0x1Fu : first & 0x0Fu;
    point = first >= 0xF0 ? first & 0x07u : point;
    while (*offset < text.size && ((uint8_t)text.data[*offset] & 0xC0) == 0x80) {
        point = point << 6 | ((uint8_t)text.data[(*offset)++] & 0x3Fu);
    }
    return point;
}

/* Terminal cells of a character: none for what combines, two for East Asian wide ones and emoji. */
static uint32_t character_width(uint32_t point)
{
    static const uint32_t none[][2] = {{0x300, 0x36F}, {0x200B, 0x200F}, {0xFE00, 0xFE0F}};
    static const uint32_t two[][2] = {{0x1100, 0x115F},  {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},  {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF},
                                      {0x20000, 0x3FFFD}};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (point >= none[i][0] && point <= none[i][1]) {
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
        if (point >= two[i][0] && point <= two[i][1]) {
            return 2;
        }
    }
    return 1;
}

static bool steers_terminal(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x202A && point <= 0x202E);
}

/* Copies as much of a text as fits into `width_max` cells; `*width` is what it takes. */
static struct str fit(struct text_table *t, struct str text, uint32_t *width)
{
    owned(buf_release) struct buf out = {0};
    size_t fits = 0; /* size of what leaves room for the ellipsis */
    uint32_t fits_width = 0;
    *width = 0;
    for (size_t offset = 0; offset < text.size;) {
        size_t start = offset;
        uint32_t point = next_character(text, &offset);
        bool control = steers_terminal(point);
        uint32_t cells = control ? 1 : character_width(point);
        if (*width + cells > t->width_max) {
            out.size = fits;
            buf_append_text(&out, ellipsis);
            *width = fits_width + 1;
            break;
        }
        buf_append(&out, control ? " " : text.data + start, control ? 1 : offset - start);
        *width += cells;
        if (*width < t->width_max) {
            fits = out.size;
            fits_width = *width;
        }
    }
    return (struct str){arena_string(&t->arena, buf_text(&out), out.size), out.size};
}

void text_table_init(struct text_table *t, const char *const *headers, uint32_t column_count,
                     uint32_t width_max)
{
    *t = (struct text_table){.column_count = column_count,
                             .width_max = width_max ? width_max : WIDTH_MAX_DEFAULT};
    t->right = arena_zalloc(&t->arena, column_count * sizeof(*t->right));
    t->widths = arena_zalloc(&t->arena, column_count * sizeof(*t->widths));
    struct str *cells = arena_array(&t->arena, column_count, sizeof(*cells));
    for (uint32_t i = 0; i < column_count; i++) {
        cells[i] = str_from(headers[i]);
    }
    text_table_add(t, cells);
}

void text_table_add(struct text_table *t, const struct str *cells)
{
    struct text_table_row *row = arena_zalloc(&t->arena, sizeof(*row));
    row->cells = arena_array(&t->arena, t->column_count, sizeof(*row->cells));
    row->widths = arena_array(&t->arena, t->column_count, sizeof(*row->widths));
    for (uint32_t i = 0; i < t->column_count; i++) {
        row->cells[i] = fit(t, cells[i], &row->widths[i]);
        t->widths[i] = row->widths[i] > t->widths[i] ? row->widths[i] : t->widths[i];
    }
    if (t->last) {
        t->last->next = row;
    } else {
        t->first = row;
    }
    t->last = row;
}

static void append_many(struct buf *out, char c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_append_char(out, c);
    }
}

static void append_row(const struct text_table *t, const struct text_table_row *row,
                       struct buf *out)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        uint32_t padding = t->widths[i] - row->widths[i];
        bool last = i + 1 == t->column_count;
        append_many(out, ' ', (i > 0 ? GAP : 0) + (t->right[i] ? padding : 0));
        buf_append(out, row->cells[i].data, row->cells[i].size);
        append_many(out, ' ', t->right[i] || last ? 0 : padding);
    }
    buf_append_char(out, '\n');
}

void text_table_format(const struct text_table *t, struct buf *out)
{
    append_row(t, t->first, out);
    for (uint32_t i = 0; i < t->column_count; i++) {
        append_many(out, ' ', i > 0 ? GAP : 0);
        append_many(out, '-', t->widths[i]);
    }
    buf_append_char(out, '\n');
    for (const struct text_table_row *row = t->first->next; row; row = row->next) {
        append_row(t, row, out);
    }
}

void text_table_release(struct text_table *t)
{
    arena_release(&t->arena);
    *t = (struct text_table){0};
}
