#include "base/str.h"
#include "test.h"

static bool valid(const char *text)
{
    return utf8_valid(text, strlen(text));
}

static void well_formed_utf8_is_accepted(void **state)
{
    (void)state;
    assert_true(utf8_valid(NULL, 0));
    assert_true(valid("plain ASCII, longer than eight bytes"));
    assert_true(valid("\xC2\x80 \xDF\xBF"));                 /* U+0080, U+07FF */
    assert_true(valid("\xE0\xA0\x80 \xEF\xBF\xBF"));         /* U+0800, U+FFFF */
    assert_true(valid("\xED\x9F\xBF \xEE\x80\x80"));         /* around the surrogates */
    assert_true(valid("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF")); /* U+10000, U+10FFFF */
    assert_true(utf8_valid("a\0b", 3));
}

static void malformed_utf8_is_refused_at_every_offset(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80", /* continuation alone */
        "\xBF",
        "\xC0\x80", /* overlong NUL */
        "\xC1\xBF",
        "\xE0\x9F\xBF", /* overlong */
        "\xF0\x8F\xBF\xBF",
        "\xED\xA0\x80", /* surrogates */
        "\xED\xBF\xBF",
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFE",
        "\xFF",
        "\xC2", /* cut short */
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xC2\x41", /* a letter where a continuation belongs */
        "\xE2\x82\x41",
        "\xF0\x9F\x98\x41",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (size_t offset = 0; offset < 20; offset++) {
            char text[64] = "";
            memset(text, 'a', offset);
            memcpy(text + offset, bad[i], strlen(bad[i]));
            assert_false(utf8_valid(text, offset + strlen(bad[i])));
        }
    }
}

static void prefixes_are_counted_in_characters(void **state)
{
    (void)state;
    const char *text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* 1 + 2 + 3 + 4 + 1 bytes */
    const size_t expected[] = {0, 1, 3, 6, 10, 11, 11};
    for (size_t n = 0; n < 7; n++) {
        assert_int_equal(utf8_prefix(text, strlen(text), n), expected[n]);
    }
    assert_int_equal(utf8_prefix(NULL, 0, 3), 0);
}

static void a_full_buffer_fails_and_stays_failed(void **state)
{
    (void)state;
    struct buf b = {.size_max = 10};
    buf_append_text(&b, "12345678");
    assert_false(b.failed);
    buf_append_format(&b, "%s", "abc");
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "12345678");
    buf_append_char(&b, 'x'); /* would fit, but the content is incomplete already */
    assert_true(b.failed);
    assert_int_equal(b.size, 8);
    buf_clear(&b);
    buf_append_text(&b, "1234567890");
    assert_false(b.failed);
    buf_append_char(&b, '1');
    assert_true(b.failed);
    buf_release(&b);
    assert_int_equal(b.size_max, 10);
}

static void an_impossible_size_fails_instead_of_wrapping_around(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_append_text(&b, "a");
    buf_append(&b, "x", SIZE_MAX);
    assert_true(b.failed);
    assert_int_equal(b.size, 1);
    buf_release(&b);
}

static void buffers_are_terminated_and_may_hold_nul(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_string_equal(buf_text(&b), "");
    buf_append(&b, "a\0b", 3);
    assert_int_equal(b.size, 3);
    assert_int_equal(b.data[3], '\0');
    assert_true(str_equal(buf_str(&b), (struct str){"a\0b", 3}));
    assert_false(str_equal(buf_str(&b), str_from("a")));
    for (int i = 0; i < 1000; i++) {
        buf_append_format(&b, "%d,", i);
    }
    assert_int_equal(b.size, 3 + 10 * 2 + 90 * 3 + 900 * 4);
    buf_release(&b);
}

static void identifiers_and_literals_are_quoted(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_append_identifier(&b, "a\"b'c");
    buf_append_literal(&b, "it's \"x\"");
    assert_string_equal(buf_text(&b), "\"a\"\"b'c\"'it''s \"x\"'");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(malformed_utf8_is_refused_at_every_offset),
        cmocka_unit_test(prefixes_are_counted_in_characters),
        cmocka_unit_test(a_full_buffer_fails_and_stays_failed),
        cmocka_unit_test(an_impossible_size_fails_instead_of_wrapping_around),
        cmocka_unit_test(buffers_are_terminated_and_may_hold_nul),
        cmocka_unit_test(identifiers_and_literals_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
