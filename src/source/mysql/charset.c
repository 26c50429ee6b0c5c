/* Character sets by name and by collation, and their text as UTF-8. */
#include "source/mysql/charset.h"

#include "source/mysql/charset_parts.h"

static const char *const names[CHARSET_COUNT] = {
    [MY_CHARSET_UNKNOWN] = "unknown", [MY_CHARSET_BINARY] = "binary",
    [MY_CHARSET_UTF8] = "utf8mb4",    [CHARSET_ARMSCII8] = "armscii8",
    [CHARSET_CP1250] = "cp1250",      [CHARSET_CP1251] = "cp1251",
    [CHARSET_CP1256] = "cp1256",      [CHARSET_CP1257] = "cp1257",
    [CHARSET_CP850] = "cp850",        [CHARSET_CP852] = "cp852",
    [CHARSET_CP866] = "cp866",        [CHARSET_DEC8] = "dec8",
    [CHARSET_GEOSTD8] = "geostd8",    [CHARSET_GREEK] = "greek",
    [CHARSET_HEBREW] = "hebrew",      [CHARSET_HP8] = "hp8",
    [CHARSET_KEYBCS2] = "keybcs2",    [CHARSET_KOI8R] = "koi8r",
    [CHARSET_KOI8U] = "koi8u",        [CHARSET_LATIN1] = "latin1",
    [CHARSET_LATIN2] = "latin2",      [CHARSET_LATIN5] = "latin5",
    [CHARSET_LATIN7] = "latin7",      [CHARSET_MACCE] = "macce",
    [CHARSET_MACROMAN] = "macroman",  [CHARSET_SWE7] = "swe7",
    [CHARSET_TIS620] = "tis620",      [CHARSET_BIG5] = "big5",
    [CHARSET_CP932] = "cp932",        [CHARSET_EUCJPMS] = "eucjpms",
    [CHARSET_EUCKR] = "euckr",        [CHARSET_GB18030] = "gb18030",
    [CHARSET_GB2312] = "gb2312",      [CHARSET_GBK] = "gbk",
    [CHARSET_SJIS] = "sjis",          [CHARSET_UJIS] = "ujis",
    [CHARSET_UCS2] = "ucs2",          [CHARSET_UTF16] = "utf16",
    [CHARSET_UTF16LE] = "utf16le",    [CHARSET_UTF32] = "utf32",
};

enum my_charset my_charset_find(struct str name)
{
    static const char *const utf8_names[] = {"utf8mb4", "utf8mb3", "utf8", "ascii"};
    for (size_t i = 0; i < sizeof(utf8_names) / sizeof(utf8_names[0]); i++) {
        if (str_equal(name, str_from(utf8_names[i]))) {
            return MY_CHARSET_UTF8;
        }
    }
    for (int i = 1; i < CHARSET_COUNT; i++) {
        if (str_equal(name, str_from(names[i]))) {
            return (enum my_charset)i;
        }
    }
    return MY_CHARSET_UNKNOWN;
}

const char *my_charset_name(enum my_charset charset)
{
    return (unsigned)charset < CHARSET_COUNT ? names[charset] : names[MY_CHARSET_UNKNOWN];
}

/* --- Collations --- */

/* Numbers 1..99, which both servers share: mysys/charset-def.c. */
static const uint8_t old_collations[100] = {
    [1] = CHARSET_BIG5,      [2] = CHARSET_LATIN2,     [3] = CHARSET_DEC8,
    [4] = CHARSET_CP850,     [5] = CHARSET_LATIN1,     [6] = CHARSET_HP8,
    [7] = CHARSET_KOI8R,     [8] = CHARSET_LATIN1,     [9] = CHARSET_LATIN2,
    [10] = CHARSET_SWE7,     [11] = MY_CHARSET_UTF8,   [12] = CHARSET_UJIS,
    [13] = CHARSET_SJIS,     [14] = CHARSET_CP1251,    [15] = CHARSET_LATIN1,
    [16] = CHARSET_HEBREW,   [18] = CHARSET_TIS620,    [19] = CHARSET_EUCKR,
    [20] = CHARSET_LATIN7,   [21] = CHARSET_LATIN2,    [22] = CHARSET_KOI8U,
    [23] = CHARSET_CP1251,   [24] = CHARSET_GB2312,    [25] = CHARSET_GREEK,
    [26] = CHARSET_CP1250,   [27] = CHARSET_LATIN2,    [28] = CHARSET_GBK,
    [29] = CHARSET_CP1257,   [30] = CHARSET_LATIN5,    [31] = CHARSET_LATIN1,
    [32] = CHARSET_ARMSCII8, [33] = MY_CHARSET_UTF8,   [34] = CHARSET_CP1250,
    [35] = CHARSET_UCS2,     [36] = CHARSET_CP866,     [37] = CHARSET_KEYBCS2,
    [38] = CHARSET_MACCE,    [39] = CHARSET_MACROMAN,  [40] = CHARSET_CP852,
    [41] = CHARSET_LATIN7,   [42] = CHARSET_LATIN7,    [43] = CHARSET_MACCE,
    [44] = CHARSET_CP1250,   [45] = MY_CHARSET_UTF8,   [46] = MY_CHARSET_UTF8,
    [47] = CHARSET_LATIN1,   [48] = CHARSET_LATIN1,    [49] = CHARSET_LATIN1,
    [50] = CHARSET_CP1251,   [51] = CHARSET_CP1251,    [52] = CHARSET_CP1251,
    [53] = CHARSET_MACROMAN, [54] = CHARSET_UTF16,     [55] = CHARSET_UTF16,
    [56] = CHARSET_UTF16LE,  [57] = CHARSET_CP1256,    [58] = CHARSET_CP1257,
    [59] = CHARSET_CP1257,   [60] = CHARSET_UTF32,     [61] = CHARSET_UTF32,
    [62] = CHARSET_UTF16LE,  [63] = MY_CHARSET_BINARY, [64] = CHARSET_ARMSCII8,
    [65] = MY_CHARSET_UTF8,  [66] = CHARSET_CP1250,    [67] = CHARSET_CP1256,
    [68] = CHARSET_CP866,    [69] = CHARSET_DEC8,      [70] = CHARSET_GREEK,
    [71] = CHARSET_HEBREW,   [72] = CHARSET_HP8,       [73] = CHARSET_KEYBCS2,
    [74] = CHARSET_KOI8R,    [75] = CHARSET_KOI8U,     [76] = MY_CHARSET_UTF8,
    [77] = CHARSET_LATIN2,   [78] = CHARSET_LATIN5,    [79] = CHARSET_LATIN7,
    [80] = CHARSET_CP850,    [81] = CHARSET_CP852,     [82] = CHARSET_SWE7,
    [83] = MY_CHARSET_UTF8,  [84] = CHARSET_BIG5,      [85] = CHARSET_EUCKR,
    [86] = CHARSET_GB2312,   [87] = CHARSET_GBK,       [88] = CHARSET_SJIS,
    [89] = CHARSET_TIS620,   [90] = CHARSET_UCS2,      [91] = CHARSET_UJIS,
    [92] = CHARSET_GEOSTD8,  [93] = CHARSET_GEOSTD8,   [94] = CHARSET_LATIN1,
    [95] = CHARSET_CP932,    [96] = CHARSET_CP932,     [97] = CHARSET_EUCJPMS,
    [98] = CHARSET_EUCJPMS,  [99] = CHARSET_CP1250,
};

struct collation_range {
    uint16_t from;
    uint16_t to;
    uint8_t charset;
};

/* One a language or so, by the Unicode collation algorithm. */
static const struct collation_range shared_ranges[] = {
    {101, 127, CHARSET_UTF16},   {128, 159, CHARSET_UCS2},    {160, 191, CHARSET_UTF32},
    {192, 223, MY_CHARSET_UTF8}, {224, 247, MY_CHARSET_UTF8},
};
static const struct collation_range mysql_ranges[] = {{248, 250, CHARSET_GB18030},
                                                      {255, 399, MY_CHARSET_UTF8}};
static const struct collation_range mariadb_ranges[] = {
    {576, 578, MY_CHARSET_UTF8},   {608, 610, MY_CHARSET_UTF8}, {640, 642, CHARSET_UCS2},
    {672, 674, CHARSET_UTF16},     {736, 738, CHARSET_UTF32},   {2048, 2303, MY_CHARSET_UTF8},
    {2304, 2559, MY_CHARSET_UTF8}, {2560, 2815, CHARSET_UCS2},  {2816, 3071, CHARSET_UTF16},
    {3072, 3327, CHARSET_UTF32}, /* 2048 on: uca1400, 256 numbers a character set */
};

#define FIND_RANGE(ranges, collation) \
    find_range((ranges), sizeof(ranges) / sizeof((ranges)[0]), (collation))

static enum my_charset find_range(const struct collation_range *ranges, size_t count,
                                  uint32_t collation)
{
    for (size_t i = 0; i < count; i++) {
        if (collation >= ranges[i].from && collation <= ranges[i].to) {
            return (enum my_charset)ranges[i].charset;
        }
    }
    return MY_CHARSET_UNKNOWN;
}

enum my_charset my_charset_of_collation(uint32_t collation, bool is_mariadb)
{
    if (is_mariadb && collation > 1024 && collation < 2048) {
        collation -= 1024; /* the same without padding: ..._nopad_ci */
    }
    if (collation < sizeof(old_collations)) {
        return (enum my_charset)old_collations[collation];
    }
    enum my_charset charset = FIND_RANGE(shared_ranges, collation);
    if (charset != MY_CHARSET_UNKNOWN) {
        return charset;
    }
    return is_mariadb ? FIND_RANGE(mariadb_ranges, collation) : FIND_RANGE(mysql_ranges, collation);
}

/* --- Text --- */

bool my_charset_append_point(uint32_t point, struct buf *out)
{
    char bytes[4];
    size_t size = 0;
    if (point < 0x80) {
        bytes[size++] = (char)point;
    } else if (point < 0x800) {
        bytes[size++] = (char)(0xC0 | point >> 6);
        bytes[size++] = (char)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        bytes[size++] = (char)(0xE0 | point >> 12);
        bytes[size++] = (char)(0x80 | (point >> 6 & 0x3F));
        bytes[size++] = (char)(0x80 | (point & 0x3F));
    } else {
        bytes[size++] = (char)(0xF0 | point >> 18);
        bytes[size++] = (char)(0x80 | (point >> 12 & 0x3F));
        bytes[size++] = (char)(0x80 | (point >> 6 & 0x3F));
        bytes[size++] = (char)(0x80 | (point & 0x3F));
    }
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
        return false;
    }
    buf_append(out, bytes, size);
    return true;
}

/* The Swedish 7-bit set has letters where ASCII has signs. */
static uint32_t swe7_point(uint8_t byte)
{
    static const struct {
        uint8_t byte;
        uint8_t point;
    } letters[] = {{0x40, 0xC9}, {0x5B, 0xC4}, {0x5C, 0xD6}, {0x5D, 0xC5},
                   {0x5E, 0xDC}, {0x60, 0xE9}, {0x7B, 0xE4}, {0x7C, 0xF6},
                   {0x7D, 0xE5}, {0x7E, 0xFC}, {0x7F, 0}};
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (letters[i].byte == byte) {
            return letters[i].point;
        }
    }
    return byte;
}

/* 0: the byte is no character. */
static uint32_t point_of_byte(int charset, uint8_t byte)
{
    return byte >= 0x80              ? my_charset_bytes[charset][byte - 0x80]
           : charset == CHARSET_SWE7 ? swe7_point(byte)
                                     : byte;
}

static bool bytes_to_utf8(int charset, struct str bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        uint32_t point = point_of_byte(charset, byte);
        if ((point == 0 && byte != 0) || !my_charset_append_point(point, out)) {
            return false;
        }
    }
    return true;
}

/* UCS-2, UTF-16 and UTF-32. */
static uint32_t unit_at(int charset, const uint8_t *p)
{
    return charset == CHARSET_UTF32
               ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
           : charset == CHARSET_UTF16LE ? (uint32_t)p[1] << 8 | p[0]
                                        : (uint32_t)p[0] << 8 | p[1];
}

static bool units_to_utf8(int charset, struct str bytes, struct buf *out)
{
    size_t width = charset == CHARSET_UTF32 ? 4 : 2;
    const uint8_t *data = (const uint8_t *)bytes.data;
    if (bytes.size % width != 0) {
        return false;
    }
    for (size_t i = 0; i < bytes.size; i += width) {
        uint32_t point = unit_at(charset, data + i);
        bool is_high = width == 2 && charset != CHARSET_UCS2 && (point & 0xFC00) == 0xD800;
        if (is_high && bytes.size - i >= 4) {
            uint32_t low = unit_at(charset, data + i + 2);
            if ((low & 0xFC00) != 0xDC00) {
                return false;
            }
            point = 0x10000 + ((point & 0x3FF) << 10) + (low & 0x3FF);
            i += 2;
        }
        if (!my_charset_append_point(point, out)) {
            return false;
        }
    }
    return true;
}

static bool to_utf8(int charset, struct str bytes, struct buf *out)
{
    if (charset == MY_CHARSET_UTF8) {
        buf_append(out, bytes.data, bytes.size);
        return utf8_valid(bytes.data, bytes.size);
    }
    if (charset <= MY_CHARSET_UTF8) {
        return false;
    }
    return charset <= CHARSET_BYTE_LAST ? bytes_to_utf8(charset, bytes, out)
           : charset < CHARSET_UCS2     ? my_charset_wide_to_utf8(charset, bytes, out)
                                        : units_to_utf8(charset, bytes, out);
}

bool my_charset_to_utf8(enum my_charset charset, struct str bytes, struct buf *out,
                        struct error *err)
{
    if (to_utf8((int)charset, bytes, out)) {
        return !out->failed ||
               error_set(err, ERROR_DATA, "a text of %zu bytes is too large", bytes.size);
    }
    return error_set(err, ERROR_DATA, "a text of %zu bytes is not valid %s", bytes.size,
                     my_charset_name(charset));
}
