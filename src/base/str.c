#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const size_t size_max_default = (size_t)1 << 30;

/* Length of the well-formed sequence at p, or 0. RFC 3629 section 4, table of ranges. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    if (c < 0x80) {
        return 1;
    }
    if (c < 0xC2) {
        return 0;
    }
    if (c < 0xE0) {
        return left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    }
    if (c < 0xF0) {
        uint8_t low = c == 0xE0 ? 0xA0 : 0x80;
        uint8_t high = c == 0xED ? 0x9F : 0xBF;
        return left >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xC0) == 0x80 ? 3 : 0;
    }
    if (c < 0xF5) {
        uint8_t low = c == 0xF0 ? 0x90 : 0x80;
        uint8_t high = c == 0xF4 ? 0x8F : 0xBF;
        return left >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xC0) == 0x80 &&
                       (p[3] & 0xC0) == 0x80
                   ? 4
                   : 0;
    }
    return 0;
}

bool utf8_valid(const char *data, size_t size)
{
    const uint8_t *p = (const uint8_t *)data;
    size_t i = 0;
    while (i < size) {
        uint64_t word = 0;
        if (size - i >= 8) { /* most text is ASCII: eight bytes at a time */
            memcpy(&word, p + i, 8);
            if ((word & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        size_t n = utf8_sequence(p + i, size - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

size_t utf8_prefix(const char *data, size_t size, size_t characters_max)
{
    size_t i = 0;
    for (size_t n = 0; n < characters_max && i < size; n++) {
        i++;
        while (i < size && ((uint8_t)data[i] & 0xC0) == 0x80) {
            i++;
        }
    }
    return i;
}

static bool reserve(struct buf *b, size_t extra)
{
    size_t size_max = b->size_max ? b->size_max : size_max_default;
    if (b->failed || extra > size_max - b->size) {
        b->failed = true;
        return false;
    }
    size_t needed = b->size + extra + 1;
    if (needed > b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 64;
        if (capacity < needed) {
            capacity = needed;
        }
        char *data = realloc(b->data, capacity);
        if (!data) {
            abort();
        }
        b->data = data;
        b->capacity = capacity;
    }
    return true;
}

void buf_append(struct buf *b, const void *data, size_t size)
{
    if (reserve(b, size)) {
        if (size > 0) {
            memcpy(b->data + b->size, data, size);
        }
        b->size += size;
        b->data[b->size] = '\0';
    }
}

void buf_append_text(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_append_char(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_append_format(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        abort();
    }
    if (reserve(b, (size_t)size)) {
        (void)vsnprintf(b->data + b->size, (size_t)size + 1, format, again);
        b->size += (size_t)size;
    }
    va_end(again);
}

static void append_quoted(struct buf *b, const char *text, char quote)
{
    buf_append_char(b, quote);
    for (const char *p = text; *p; p++) {
        if (*p == quote) {
            buf_append_char(b, quote);
        }
        buf_append_char(b, *p);
    }
    buf_append_char(b, quote);
}

void buf_append_identifier(struct buf *b, const char *name)
{
    append_quoted(b, name, '"');
}

void buf_append_literal(struct buf *b, const char *text)
{
    append_quoted(b, text, '\'');
}

void buf_clear(struct buf *b)
{
    b->size = 0;
    b->failed = false;
    if (b->data) {
        b->data[0] = '\0';
    }
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.size_max = b->size_max};
}

const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}
