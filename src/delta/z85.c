#include "delta/z85.h"

#include <assert.h>

static const char alphabet[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

void z85_encode(struct str bytes, struct buf *out)
{
    assert(bytes.size % 4 == 0);

    for (size_t i = 0; i < bytes.size; i += 4) {
        uint32_t v = 0;
        for (size_t b = 0; b < 4; b++) {
            v = v << 8 | (uint8_t)bytes.data[i + b];
        }
        char group[5];
        for (size_t c = 5; c > 0; c--) {
            group[c - 1] = alphabet[v % 85];
            v /= 85;
        }
        buf_append(out, group, 5);
    }
}

/* The number of `count` characters, or -1. */
static int64_t read_number(const char *text, size_t count)
{
    int64_t v = 0;
    for (size_t i = 0; i < count; i++) {
        const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!at) {
            return -1;
        }
        v = v * 85 + (at - alphabet);
    }
    return v;
}

static void append_big_endian(int64_t v, size_t size, struct buf *out)
{
    for (size_t i = size; i > 0; i--) {
        buf_append_char(out, (char)(uint8_t)(v >> (8 * (i - 1))));
    }
}

/* The group "#..." of the writer that pads with '#': the rest is the number of the bytes that are
 * left. */
static bool decode_padded(const char *group, struct buf *out)
{
    size_t padding = strspn(group, "#");
    if (padding == 0 || padding > 3) {
        return false;
    }
    size_t size = 4 - padding;
    int64_t v = read_number(group + padding, 5 - padding);
    if (v < 0 || v >> (8 * size) != 0) {
        return false;
    }
    append_big_endian(v, size, out);
    return true;
}

bool z85_decode(struct str text, struct buf *out, struct error *err)
{
    if (text.size % 5 != 0) {
        return error_set(err, ERROR_DATA, "z85 text of %zu characters", text.size);
    }
    for (size_t i = 0; i < text.size; i += 5) {
        int64_t v = read_number(text.data + i, 5);
        if (v >= 0 && v <= UINT32_MAX) {
            append_big_endian(v, 4, out);
            continue;
        }
        char group[6] = {0};
        memcpy(group, text.data + i, 5);
        if (v < 0 || i + 5 != text.size || !decode_padded(group, out)) {
            return error_set(err, ERROR_DATA, "\"%s\" is not z85", group);
        }
    }
    return true;
}
