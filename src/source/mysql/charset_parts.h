/* The tables behind charset.h; not for others. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "source/mysql/charset.h"

/* The character sets that are not UTF-8, by their numbers. Those up to CHARSET_BYTE_LAST have a
 * character a byte. */
enum {
    CHARSET_ARMSCII8 = 3,
    CHARSET_CP1250,
    CHARSET_CP1251,
    CHARSET_CP1256,
    CHARSET_CP1257,
    CHARSET_CP850,
    CHARSET_CP852,
    CHARSET_CP866,
    CHARSET_DEC8,
    CHARSET_GEOSTD8,
    CHARSET_GREEK,
    CHARSET_HEBREW,
    CHARSET_HP8,
    CHARSET_KEYBCS2,
    CHARSET_KOI8R,
    CHARSET_KOI8U,
    CHARSET_LATIN1,
    CHARSET_LATIN2,
    CHARSET_LATIN5,
    CHARSET_LATIN7,
    CHARSET_MACCE,
    CHARSET_MACROMAN,
    CHARSET_SWE7,
    CHARSET_TIS620,
    CHARSET_BYTE_LAST = CHARSET_TIS620,
    CHARSET_BIG5,
    CHARSET_CP932,
    CHARSET_EUCJPMS,
    CHARSET_EUCKR,
    CHARSET_GB18030,
    CHARSET_GB2312,
    CHARSET_GBK,
    CHARSET_SJIS,
    CHARSET_UJIS,
    CHARSET_UCS2,
    CHARSET_UTF16,
    CHARSET_UTF16LE,
    CHARSET_UTF32,
    CHARSET_COUNT,
};

/* charset_bytes.c: code points of the bytes 0x80 and above in sets with a character a byte; 0: the
 * byte is none. */
extern const uint16_t my_charset_bytes[CHARSET_BYTE_LAST + 1][128];

/* charset_wide.c: appends text of big5 .. ujis, which iconv converts but for what the servers map
 * otherwise. False: not such text. */
must_check bool my_charset_wide_to_utf8(int charset, struct str bytes, struct buf *out);

/* Appends a code point; false: it is none. */
must_check bool my_charset_append_point(uint32_t point, struct buf *out);
