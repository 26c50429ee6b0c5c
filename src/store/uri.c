#include "store/uri.h"

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void uri_encode(struct str text, const char *keep, struct buf *out)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (is_letter_or_digit(c) || (c != '\0' && (strchr("-._~", c) || strchr(keep, c)))) {
            buf_append_char(out, c);
        } else {
            buf_append_format(out, "%%%02X", (unsigned)(uint8_t)c);
        }
    }
}

static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool uri_decode(struct str text, struct buf *out, struct error *err)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = text.size - i > 2 ? hexadecimal(text.data[i + 1]) : -1;
            int low = text.size - i > 2 ? hexadecimal(text.data[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                return error_set(err, ERROR_DATA, "\"%.*s\" is not percent-encoded", str_arg(text));
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        buf_append_char(out, c);
    }
    return true;
}

size_t uri_scheme(const char *text)
{
    size_t n = 0;
    while (is_letter_or_digit(text[n]) || (n > 0 && text[n] != '\0' && strchr("+-.", text[n]))) {
        n++;
    }
    return strncmp(text + n, "://", 3) == 0 ? n : 0;
}
