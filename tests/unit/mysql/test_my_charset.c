/* Character sets as the servers convert them. */
#include "source/mysql/charset.h"
#include "test.h"

/* What MySQL 9.7 and MariaDB 10.11 answer to CONVERT(... USING utf8mb4) for every sequence of
 * `width` bytes: how many are a character, and FNV-1a over those sequences and their UTF-8. */
static const struct {
    const char *name;
    int width;
    int count;
    uint64_t hash;
} mappings[] = {
    {"armscii8", 1, 256, 0x37494CBDE082060B},  {"cp1250", 1, 251, 0x903E78C0A971E53B},
    {"cp1251", 1, 255, 0xF2509166B93B51FD},    {"cp1256", 1, 248, 0x308FE2179FA2B5D7},
    {"cp1257", 1, 244, 0x07145ED41D4807A2},    {"cp850", 1, 256, 0x674401169B5BB25F},
    {"cp852", 1, 256, 0x47F617181843557C},     {"cp866", 1, 256, 0xB725ACEF3DCBDAC0},
    {"dec8", 1, 242, 0x0A044231F109EFDA},      {"geostd8", 1, 215, 0x2A2D962D5EDB4AD4},
    {"greek", 1, 250, 0xC6189BF609041DEA},     {"hebrew", 1, 220, 0x0BC61AAF6FDBC995},
    {"hp8", 1, 255, 0x4525CE7CEB7A5F8C},       {"keybcs2", 1, 256, 0xAA943665281195D5},
    {"koi8r", 1, 256, 0xDF2C4F0EFDB4F817},     {"koi8u", 1, 256, 0x8F61F0ED9E019D3A},
    {"latin1", 1, 256, 0xEDDC94063E095E18},    {"latin2", 1, 256, 0x7AD2F2F739361546},
    {"latin5", 1, 256, 0x94D62805E1E1871E},    {"latin7", 1, 256, 0x91B68D5D6391AF31},
    {"macce", 1, 256, 0xCBDB64E57686AAF7},     {"macroman", 1, 256, 0xDCA7980B7CAC8CCD},
    {"swe7", 1, 127, 0x9FECBD2ED801D809},      {"tis620", 1, 256, 0x14285A301E33C5E0},
    {"big5", 1, 128, 0x0E3683759D531325},      {"big5", 2, 13717, 0xD15AC77C880D9535},
    {"cp932", 1, 191, 0x602D133B0AE5EF15},     {"cp932", 2, 9604, 0x02AD2D725F6D7C89},
    {"eucjpms", 1, 128, 0x0E3683759D531325},   {"eucjpms", 2, 7965, 0xAF3B263F2F221477},
    {"eucjpms", 3, 7113, 0x26B9D4C77413E4B8},  {"euckr", 1, 128, 0x0E3683759D531325},
    {"euckr", 2, 17048, 0xDB8171E3B102B62A},   {"gb2312", 1, 128, 0x0E3683759D531325},
    {"gb2312", 2, 7445, 0x859B078F5AA43F2C},   {"gbk", 1, 128, 0x0E3683759D531325},
    {"gbk", 2, 21791, 0x79B11572DF1FB77C},     {"sjis", 1, 191, 0x602D133B0AE5EF15},
    {"sjis", 2, 6879, 0x747F8922C3BE0C79},     {"ujis", 1, 128, 0x0E3683759D531325},
    {"ujis", 2, 7882, 0x11303BFC4B69DF2F},     {"ujis", 3, 7007, 0x1D449355F4006E17},
    {"gb18030", 1, 128, 0x0E3683759D531325},   {"gb18030", 2, 23940, 0x46107B8750A3342A},
    {"gb18030", 4, 39420, 0x3ECE92F987068C70},
};

static uint64_t fnv(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * 0x100000001B3;
    }
    return hash;
}

struct tally {
    enum my_charset charset;
    int count;
    uint64_t hash;
    struct buf text;
};

static void add(struct tally *t, const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    buf_clear(&t->text);
    struct str from = {(const char *)bytes, size};
    if (!my_charset_to_utf8(t->charset, from, &t->text, &err)) {
        assert_int_equal(err.kind, ERROR_DATA);
        return;
    }
    assert_true(utf8_valid(t->text.data, t->text.size));
    if (utf8_prefix(t->text.data, t->text.size, 1) == t->text.size) {
        t->count++;
        t->hash = fnv(fnv(t->hash, bytes, size), t->text.data, t->text.size);
    }
}

static bool is_trail(int byte)
{
    return byte >= 0x40 && byte != 0x7F;
}

static void add_all(struct tally *t, int width)
{
    for (int a = 0; width == 1 && a < 256; a++) {
        add(t, (const uint8_t[]){(uint8_t)a}, 1);
    }
    for (int a = 0x81; width == 2 && a < 0xFF; a++) {
        for (int b = 0x40; b < 0xFF; b++) {
            if (is_trail(b)) {
                add(t, (const uint8_t[]){(uint8_t)a, (uint8_t)b}, 2);
            }
        }
    }
    for (int a = 0xA1; width == 3 && a < 0xFF; a++) {
        for (int b = 0xA1; b < 0xFF; b++) {
            add(t, (const uint8_t[]){0x8F, (uint8_t)a, (uint8_t)b}, 3);
        }
    }
    for (int i = 0; width == 4 && i < 4 * 10 * 126 * 10; i++) {
        add(t,
            (const uint8_t[]){(uint8_t)(0x81 + i / 12600), (uint8_t)(0x30 + i / 1260 % 10),
                              (uint8_t)(0x81 + i / 10 % 126), (uint8_t)(0x30 + i % 10)},
            4);
    }
}

static void every_character_is_what_the_servers_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
        struct tally t = {.charset = my_charset_find(str_from(mappings[i].name)),
                          .hash = 0xCBF29CE484222325};
        assert_true(t.charset > MY_CHARSET_UTF8);
        assert_string_equal(my_charset_name(t.charset), mappings[i].name);
        add_all(&t, mappings[i].width);
        if (t.count != mappings[i].count || t.hash != mappings[i].hash) {
            fail_msg("%s, %d bytes: %d characters, not %d, or other ones", mappings[i].name,
                     mappings[i].width, t.count, mappings[i].count);
        }
        buf_release(&t.text);
    }
}

/* NULL: not text. */
static void assert_converts(const char *charset, const char *bytes, size_t size, const char *text)
{
    struct buf out = {0};
    struct error err = {0};
    bool done = my_charset_to_utf8(my_charset_find(str_from(charset)), (struct str){bytes, size},
                                   &out, &err);
    assert_int_equal(done, text != NULL);
    if (text) {
        assert_string_equal(buf_text(&out), text);
    } else {
        assert_int_equal(err.kind, ERROR_DATA);
        assert_non_null(strstr(err.message, charset));
    }
    buf_release(&out);
}

#define assert_text(charset, bytes, text) \
    assert_converts((charset), (bytes), sizeof(bytes) - 1, (text))

static void text_of_several_characters_is_converted_whole(void **state)
{
    (void)state;
    assert_text("latin1", "gr\xFC\xDF \x80\x81", "grüß €\xC2\x81");
    assert_text("sjis", "a\x93\xFA\x5C\x96\x7B\x81\x5F\xB1", "a日\\本\\ｱ");
    assert_text("cp932", "\x81\x60\x87\x40", "～①");
    assert_text("ujis", "\x93", NULL);
    assert_text("ujis", "\x8F\xA2\xB7\x8E\xB1\xC6\xFC", "~ｱ日");
    assert_text("gb18030", "\x84\x31\x82\x36z\x94\x39\xFC\x36", "\xEF\xB8\x90z\xF0\x9F\x98\x80");
    assert_text("big5", "\xA4\xA4\xC6\xA5\xA4\xE5", "中ぁ文");
    assert_text("big5", "\xA4", NULL);
    assert_text("gbk", "\x80", NULL);
    assert_text("swe7", "]\\[}{|", "ÅÖÄåäö");
    assert_text("latin1", "", "");
    char long_text[3000];
    memset(long_text, 'x', sizeof(long_text));
    struct buf out = {0};
    struct error err = {0};
    assert_true(my_charset_to_utf8(my_charset_find(str_from("euckr")),
                                   (struct str){long_text, sizeof(long_text)}, &out, &err));
    assert_int_equal(out.size, sizeof(long_text));
    buf_release(&out);
}

static void wide_units_are_converted_and_lone_surrogates_are_refused(void **state)
{
    (void)state;
    assert_text("ucs2", "\0a\x65\xE5", "a日");
    assert_text("ucs2", "\xD8\x3D\xDE\x00", NULL);
    assert_text("utf16", "\0a\xD8\x3D\xDE\x00", "a\xF0\x9F\x98\x80");
    assert_text("utf16", "\xD8\x3D", NULL);
    assert_text("utf16", "\xD8\x3D\0a", NULL);
    assert_text("utf16", "\xDE\x00\0a", NULL);
    assert_text("utf16", "\0", NULL);
    assert_text("utf16le", "a\0\x3D\xD8\x00\xDE", "a\xF0\x9F\x98\x80");
    assert_text("utf32", "\0\x01\xF6\x00", "\xF0\x9F\x98\x80");
    assert_text("utf32", "\0\x11\0\0", NULL);
    assert_text("utf32", "\0\0\xD8\0", NULL);
    assert_text("utf32", "\0\0\0", NULL);
}

static void utf8_is_checked_and_not_converted(void **state)
{
    (void)state;
    static const char *const names[] = {"utf8mb4", "utf8mb3", "utf8", "ascii"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(my_charset_find(str_from(names[i])), MY_CHARSET_UTF8);
    }
    assert_text("utf8mb4", "a\xF0\x9F\x98\x80", "a\xF0\x9F\x98\x80");
    assert_text("utf8mb4", "a\xFF", NULL);
    assert_text("binary", "a", NULL);
}

static void an_unknown_name_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(my_charset_find(str_from("utf9")), MY_CHARSET_UNKNOWN);
    assert_int_equal(my_charset_find(str_from("unknown")), MY_CHARSET_UNKNOWN);
    assert_int_equal(my_charset_find(str_from("binary")), MY_CHARSET_BINARY);
    assert_string_equal(my_charset_name((enum my_charset)1000), "unknown");
}

/* The numbers of information_schema.COLLATIONS of both servers, and the ends of every range. */
static void collations_have_the_character_sets_of_their_servers(void **state)
{
    (void)state;
    static const struct {
        uint32_t collation;
        bool is_mariadb;
        const char *charset;
    } cases[] = {
        {1, false, "big5"},
        {5, false, "latin1"},
        {8, true, "latin1"},
        {11, false, "utf8mb4"},
        {28, true, "gbk"},
        {33, false, "utf8mb4"},
        {45, true, "utf8mb4"},
        {62, false, "utf16le"},
        {63, false, "binary"},
        {63, true, "binary"},
        {76, false, "utf8mb4"},
        {95, false, "cp932"},
        {98, true, "eucjpms"},
        {99, false, "cp1250"},
        {101, false, "utf16"},
        {124, true, "utf16"},
        {128, false, "ucs2"},
        {159, true, "ucs2"},
        {160, false, "utf32"},
        {183, true, "utf32"},
        {192, false, "utf8mb4"},
        {223, true, "utf8mb4"},
        {224, false, "utf8mb4"},
        {247, false, "utf8mb4"},
        {248, false, "gb18030"},
        {250, false, "gb18030"},
        {255, false, "utf8mb4"},
        {323, false, "utf8mb4"},
        {576, true, "utf8mb4"},
        {610, true, "utf8mb4"},
        {642, true, "ucs2"},
        {674, true, "utf16"},
        {738, true, "utf32"},
        {1025, true, "big5"},
        {1032, true, "latin1"},
        {1122, true, "eucjpms"},
        {1125, true, "utf16"},
        {1174, true, "ucs2"},
        {1206, true, "utf32"},
        {1270, true, "utf8mb4"},
        {2048, true, "utf8mb4"},
        {2247, true, "utf8mb4"},
        {2304, true, "utf8mb4"},
        {2503, true, "utf8mb4"},
        {2560, true, "ucs2"},
        {2759, true, "ucs2"},
        {2816, true, "utf16"},
        {3015, true, "utf16"},
        {3072, true, "utf32"},
        {3271, true, "utf32"},
        {0, false, "unknown"},
        {17, false, "unknown"},
        {100, true, "unknown"},
        {248, true, "unknown"},
        {576, false, "unknown"},
        {1024, true, "unknown"},
        {1025, false, "unknown"},
        {2048, false, "unknown"},
        {UINT32_MAX, true, "unknown"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum my_charset charset = my_charset_of_collation(cases[i].collation, cases[i].is_mariadb);
        if (strcmp(my_charset_name(charset), cases[i].charset) != 0) {
            fail_msg("collation %u is %s", cases[i].collation, my_charset_name(charset));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_what_the_servers_say),
        cmocka_unit_test(text_of_several_characters_is_converted_whole),
        cmocka_unit_test(wide_units_are_converted_and_lone_surrogates_are_refused),
        cmocka_unit_test(utf8_is_checked_and_not_converted),
        cmocka_unit_test(an_unknown_name_is_unknown),
        cmocka_unit_test(collations_have_the_character_sets_of_their_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
