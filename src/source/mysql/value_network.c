/* UUIDs and addresses as MariaDB prints them. */
#include "source/mysql/value_parts.h"

void my_uuid_append(const struct uuid *v, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof(v->bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            buf_append_char(out, '-');
        }
        buf_append_char(out, digits[v->bytes[i] >> 4]);
        buf_append_char(out, digits[v->bytes[i] & 15]);
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool my_uuid_parse(struct str text, struct uuid *out)
{
    if (text.size != 36) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < sizeof(out->bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.data[at++] != '-') {
            return false;
        }
        int high = hex_digit(text.data[at]);
        int low = hex_digit(text.data[at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out->bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

void my_inet4_append(const uint8_t bytes[4], struct buf *out)
{
    buf_append_format(out, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
}

enum { WORDS = 8 };

/* The first of the longest runs of zero words, even of one word; length 0: there is none. */
static void find_gap(const uint16_t *words, int *at, int *length)
{
    *at = 0;
    *length = 0;
    for (int i = 0; i < WORDS;) {
        int end = i;
        while (end < WORDS && words[end] == 0) {
            end++;
        }
        if (end - i > *length) {
            *at = i;
            *length = end - i;
        }
        i = end + 1;
    }
}

/* Inet6::to_string() of MariaDB, which is not inet_ntop(): a single zero word is a gap too. */
void my_inet6_append(const uint8_t bytes[16], struct buf *out)
{
    uint16_t words[WORDS];
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    int gap = 0;
    int length = 0;
    find_gap(words, &gap, &length);
    bool ends_as_inet4 =
        gap == 0 && (length == 6 || (length == 5 && words[5] == 0xFFFF)); /* ::1.2.3.4 */
    for (int i = 0; i < WORDS; i++) {
        if (length > 0 && i == gap) {
            buf_append_text(out, i == 0 ? "::" : ":");
            i += length - 1;
            continue;
        }
        if (i == 6 && ends_as_inet4) {
            my_inet4_append(bytes + 12, out);
            return;
        }
        buf_append_format(out, i + 1 < WORDS ? "%x:" : "%x", words[i]);
    }
}
