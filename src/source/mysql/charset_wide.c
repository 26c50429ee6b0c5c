/* Character sets of several bytes a character: iconv of glibc, and what the servers map otherwise.
 * The runs are all the differences there are between glibc 2.36 and MySQL 9.7 or MariaDB 10.11,
 * which agree. */
#include <assert.h>
#include <iconv.h>

#include "source/mysql/charset_parts.h"

/* Codes from..to (their bytes as a big-endian number) are the code points from `point` on; 0: they
 * are no text. */
struct run {
    uint32_t from;
    uint32_t to;
    uint32_t point;
};

/* U+FFFD is what the servers have for characters that Unicode had twice. */
static const struct run big5_runs[] = {
    {0x80, 0x80, 0},          {0xA145, 0xA145, 0x2022}, {0xA14E, 0xA14E, 0xFF64},
    {0xA15A, 0xA15A, 0xFFFD}, {0xA1C2, 0xA1C2, 0x203E}, {0xA1C3, 0xA1C3, 0xFFFD},
    {0xA1C5, 0xA1C5, 0xFFFD}, {0xA1E3, 0xA1E3, 0x223C}, {0xA1F2, 0xA1F2, 0x2641},
    {0xA1F3, 0xA1F3, 0x2609}, {0xA1FE, 0xA1FE, 0xFFFD}, {0xA240, 0xA240, 0xFFFD},
    {0xA241, 0xA241, 0xFF0F}, {0xA242, 0xA242, 0xFF3C}, {0xA244, 0xA244, 0x00A5},
    {0xA246, 0xA247, 0x00A2}, {0xA2CC, 0xA2CC, 0xFFFD}, {0xA2CE, 0xA2CE, 0xFFFD},
    {0xA3E1, 0xA3E1, 0},      {0xC6A1, 0xC6A1, 0x30FE}, {0xC6A2, 0xC6A3, 0x309D},
    {0xC6A4, 0xC6A4, 0x3005}, {0xC6A5, 0xC6F7, 0x3041}, {0xC6F8, 0xC6FE, 0x30A1},
    {0xC740, 0xC77E, 0x30A8}, {0xC7A1, 0xC7B0, 0x30E7}, {0xC7B1, 0xC7B2, 0x0414},
    {0xC7B3, 0xC7B3, 0x0401}, {0xC7B4, 0xC7BA, 0x0416}, {0xC7BB, 0xC7CD, 0x0423},
    {0xC7CE, 0xC7CE, 0x0451}, {0xC7CF, 0xC7E8, 0x0436}, {0xC7E9, 0xC7F2, 0x2460},
    {0xC7F3, 0xC7FC, 0x2474}, {0xC7FD, 0xC8FE, 0},      {0xF9DD, 0xF9FE, 0},
};
static const struct run sjis_runs[] = {
    {0x5C, 0x5C, 0x5C}, {0x7E, 0x7E, 0x7E}, {0x815F, 0x815F, 0x5C}};
static const struct run ujis_runs[] = {
    {0x80, 0x8D, 0},
    {0x90, 0x9F, 0},
    {0xA1C0, 0xA1C0, 0x5C},
    {0xF5A1, 0xF5FE, 0xE000},
    {0xF6A1, 0xF6FE, 0xE05E},
    {0xF7A1, 0xF7FE, 0xE0BC},
    {0xF8A1, 0xF8FE, 0xE11A},
    {0xF9A1, 0xF9FE, 0xE178},
    {0xFAA1, 0xFAFE, 0xE1D6},
    {0xFBA1, 0xFBFE, 0xE234},
    {0xFCA1, 0xFCFE, 0xE292},
    {0xFDA1, 0xFDFE, 0xE2F0},
    {0xFEA1, 0xFEFE, 0xE34E},
    {0x8FA2B7, 0x8FA2B7, 0x7E},
    {0x8FF5A1, 0x8FF5FE, 0xE3AC},
    {0x8FF6A1, 0x8FF6FE, 0xE40A},
    {0x8FF7A1, 0x8FF7FE, 0xE468},
    {0x8FF8A1, 0x8FF8FE, 0xE4C6},
    {0x8FF9A1, 0x8FF9FE, 0xE524},
    {0x8FFAA1, 0x8FFAFE, 0xE582},
    {0x8FFBA1, 0x8FFBFE, 0xE5E0},
    {0x8FFCA1, 0x8FFCFE, 0xE63E},
    {0x8FFDA1, 0x8FFDFE, 0xE69C},
    {0x8FFEA1, 0x8FFEFE, 0xE6FA},
};
static const struct run eucjpms_runs[] = {{0x80, 0x8D, 0}, {0x90, 0x9F, 0}};
/* glibc takes these two bytes and gives nothing. */
static const struct run euckr_runs[] = {{0xA2E8, 0xA2E8, 0}};
static const struct run gbk_runs[] = {{0x80, 0x80, 0}};
/* The servers have GB 18030-2000 where glibc has the edition of 2005. */
static const struct run gb18030_runs[] = {
    {0xA6D9, 0xA6DF, 0xE78D},         {0xA6EC, 0xA6ED, 0xE794},
    {0xA6F3, 0xA6F3, 0xE796},         {0xFE51, 0xFE53, 0xE816},
    {0xFE59, 0xFE59, 0xE81E},         {0xFE61, 0xFE61, 0xE826},
    {0xFE66, 0xFE67, 0xE82B},         {0xFE6C, 0xFE6D, 0xE831},
    {0xFE76, 0xFE76, 0xE83B},         {0xFE7E, 0xFE7E, 0xE843},
    {0xFE90, 0xFE91, 0xE854},         {0xFEA0, 0xFEA0, 0xE864},
    {0x82359037, 0x82359039, 0x9FB4}, {0x82359130, 0x82359134, 0x9FB7},
    {0x84318236, 0x84318239, 0xFE10}, {0x84318330, 0x84318335, 0xFE14},
};

struct wide_charset {
    const char *iconv_name;
    const struct run *runs;
    size_t run_count;
};

#define RUNS(array) (array), sizeof(array) / sizeof((array)[0])

static const struct wide_charset wide_charsets[CHARSET_COUNT] = {
    [CHARSET_BIG5] = {"BIG5", RUNS(big5_runs)},
    [CHARSET_CP932] = {"CP932", NULL, 0},
    [CHARSET_EUCJPMS] = {"EUC-JP-MS", RUNS(eucjpms_runs)},
    [CHARSET_EUCKR] = {"UHC", RUNS(euckr_runs)},
    [CHARSET_GB18030] = {"GB18030", RUNS(gb18030_runs)},
    [CHARSET_GB2312] = {"GB2312", NULL, 0},
    [CHARSET_GBK] = {"GBK", RUNS(gbk_runs)},
    [CHARSET_SJIS] = {"SJIS", RUNS(sjis_runs)},
    [CHARSET_UJIS] = {"EUC-JP", RUNS(ujis_runs)},
};

/* Bytes of the character at p, by its first ones; never more than are left. */
static size_t character_bytes(int charset, const uint8_t *p, size_t left)
{
    size_t size = 1;
    if (charset == CHARSET_SJIS || charset == CHARSET_CP932) {
        size = (p[0] >= 0x81 && p[0] <= 0x9F) || (p[0] >= 0xE0 && p[0] <= 0xFC) ? 2 : 1;
    } else if (charset == CHARSET_UJIS || charset == CHARSET_EUCJPMS) {
        size = p[0] == 0x8F ? 3 : p[0] == 0x8E || p[0] >= 0xA1 ? 2 : 1;
    } else if (p[0] > 0x80) {
        bool is_four = charset == CHARSET_GB18030 && left > 1 && p[1] >= 0x30 && p[1] <= 0x39;
        size = is_four ? 4 : 2;
    }
    return size < left ? size : left;
}

static const struct run *find_run(const struct wide_charset *set, const uint8_t *p, size_t size)
{
    uint32_t code = 0;
    for (size_t i = 0; i < size; i++) {
        code = code << 8 | p[i];
    }
    for (size_t i = 0; i < set->run_count; i++) {
        if (code >= set->runs[i].from && code <= set->runs[i].to) {
            return &set->runs[i];
        }
    }
    return NULL;
}

/* What iconv has to do. */
static bool convert(iconv_t converter, const uint8_t *bytes, size_t size, struct buf *out)
{
    char *next = (char *)(uintptr_t)bytes; /* iconv() does not write there */
    while (size > 0) {
        char piece[1024];
        char *end = piece;
        size_t room = sizeof(piece);
        size_t before = size;
        size_t result = iconv(converter, &next, &size, &end, &room);
        buf_append(out, piece, sizeof(piece) - room);
        if ((result == (size_t)-1 && size == before) || out->failed) {
            return false;
        }
    }
    return true;
}

static bool convert_all(int charset, iconv_t converter, struct str bytes, struct buf *out)
{
    const struct wide_charset *set = &wide_charsets[charset];
    const uint8_t *data = (const uint8_t *)bytes.data;
    size_t done = 0;
    for (size_t i = 0; i < bytes.size;) {
        size_t size = character_bytes(charset, data + i, bytes.size - i);
        const struct run *run = find_run(set, data + i, size);
        if (!run) {
            i += size;
            continue;
        }
        uint32_t code = 0;
        for (size_t j = 0; j < size; j++) {
            code = code << 8 | data[i + j];
        }
        if (run->point == 0 || !convert(converter, data + done, i - done, out) ||
            !my_charset_append_point(run->point + code - run->from, out)) {
            return false;
        }
        i += size;
        done = i;
    }
    return convert(converter, data + done, bytes.size - done, out);
}

bool my_charset_wide_to_utf8(int charset, struct str bytes, struct buf *out)
{
    assert(charset < CHARSET_COUNT && wide_charsets[charset].iconv_name);
    iconv_t converter = iconv_open("UTF-8", wide_charsets[charset].iconv_name);
    if (converter == (iconv_t)-1) {
        return false;
    }
    bool done = convert_all(charset, converter, bytes, out);
    (void)iconv_close(converter);
    return done;
}
