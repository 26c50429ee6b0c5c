/* Binary JSON by hand: its forms, and what is not JSON. Documents of a real server are in
 * test_my_value_golden. */
#include "source/mysql/json.h"
#include "test.h"

static void assert_json(const char *bytes, size_t size, const char *text)
{
    struct buf out = {0};
    struct error err = {0};
    if (!my_json_to_text((struct str){bytes, size}, &out, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    assert_string_equal(buf_text(&out), text);
    buf_release(&out);
}

static void assert_refused(const char *bytes, size_t size, const char *why)
{
    struct buf out = {0};
    struct error err = {0};
    assert_false(my_json_to_text((struct str){bytes, size}, &out, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    if (!strstr(err.message, why)) {
        fail_msg("\"%s\" is not in \"%s\"", why, err.message);
    }
    buf_release(&out);
}

#define assert_text(bytes, text) assert_json((bytes), sizeof(bytes) - 1, (text))
#define assert_malformed(bytes, why) assert_refused((bytes), sizeof(bytes) - 1, (why))

static void scalars_stand_alone(void **state)
{
    (void)state;
    assert_text("", "null");
    assert_text("\x04\x00", "null");
    assert_text("\x04\x01", "true");
    assert_text("\x04\x02", "false");
    assert_text("\x05\xFF\xFF", "-1");
    assert_text("\x06\xFF\xFF", "65535");
    assert_text("\x07\x00\x00\x00\x80", "-2147483648");
    assert_text("\x08\xFF\xFF\xFF\xFF", "4294967295");
    assert_text("\x09\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808");
    assert_text("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "18446744073709551615");
    assert_text("\x0B\x00\x00\x00\x00\x00\x00\xF0\x3F", "1.0");
    assert_text("\x0B\x00\x00\x00\x00\x00\x00\x00\x80", "-0.0");
    assert_text("\x0C\x03\"\x01\x7F", "\"\\\"\\u0001\x7F\"");
}

static void containers_print_with_spaces_in_stored_order(void **state)
{
    (void)state;
    /* {"b": 1, "aa": [true]} with offsets of two bytes */
    assert_text("\x00\x02\x00\x20\x00"
                "\x12\x00\x01\x00\x13\x00\x02\x00"
                "\x05\x01\x00\x02\x15\x00"
                "b"
                "aa"
                "\x01\x00\x07\x00\x04\x01\x00"
                "....",
                "{\"b\": 1, \"aa\": [true]}");
    /* [3000000000, null] with offsets of four: integers of four bytes are inlined there */
    assert_text("\x03\x02\x00\x00\x00\x12\x00\x00\x00"
                "\x08\x00\x5E\xD0\xB2\x04\x00\x00\x00\x00",
                "[3000000000, null]");
    assert_text("\x02\x00\x00\x04\x00", "[]");
    assert_text("\x00\x00\x00\x04\x00", "{}");
}

static void opaque_values_print_as_the_server_prints_them(void **state)
{
    (void)state;
    assert_text("\x0F\xF6\x04\x03\x02\x80\x63", "0.99");
    assert_text("\x0F\xF6\x04\x03\x02\x7E\xCD", "-1.50");
    assert_text("\x0F\xFC\x04\x00\xFF\x10\x20", "\"base64:type252:AP8QIA==\"");
    assert_text("\x0F\x10\x00", "\"base64:type16:\"");
    /* 0000-00-00 as a date */
    assert_text("\x0F\x0A\x08\x00\x00\x00\x00\x00\x00\x00\x00", "\"0000-00-00\"");
    /* -00:00:00.000001 as a time */
    assert_text("\x0F\x0B\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "\"-00:00:00.000001\"");
}

static void what_is_cut_off_is_refused(void **state)
{
    (void)state;
    assert_malformed("\x04", "cut off");
    assert_malformed("\x05\x00", "cut off");
    assert_malformed("\x0B\x00\x00", "cut off");
    assert_malformed("\x0C", "cut off");
    assert_malformed("\x0C\x05"
                     "abc",
                     "cut off");
    assert_malformed("\x0C\xFF\xFF\xFF\xFF\xFF\x7F", "cut off");
    assert_malformed("\x0F", "cut off");
    assert_malformed("\x0F\x0A\x04\x00\x00\x00\x00", "a date or time");
    assert_malformed("\x0F\xF6\x02\x42\x00", "a decimal");
    assert_malformed("\x02\x01\x00\x04\x00", "cut off");
    assert_malformed("\x02\x00\x00\xFF\x00", "cut off");
    assert_malformed("\x03\xFF\xFF\xFF\xFF\x08\x00\x00\x00", "cut off");
    assert_malformed("\x02\x01\x00\x07\x00\x0C\xFF\x00", "outside");
    assert_malformed("\x00\x01\x00\x0B\x00\xFF\x00\x01\x00\x05\x00\x00", "outside");
}

static void what_does_not_exist_is_refused(void **state)
{
    (void)state;
    assert_malformed("\x0D\x00", "unknown type");
    assert_malformed("\xFF\x00", "unknown type");
    assert_malformed("\x04\x03", "a literal");
    assert_malformed("\x0B\x00\x00\x00\x00\x00\x00\xF0\x7F", "a number");
}

static void offsets_that_fan_out_are_refused(void **state)
{
    (void)state;
    /* [x, x] where x is the array itself */
    assert_malformed("\x02\x02\x00\x0A\x00\x02\x00\x00\x02\x00\x00", "overlap");
    /* ["aaaaaaaa", "aaaaaaaa", ...] where all are the same text */
    assert_malformed("\x02\x03\x00\x16\x00\x0C\x0D\x00\x0C\x0D\x00\x0C\x0D\x00\x08"
                     "aaaaaaaa",
                     "overlap");
}

static void nesting_ends_at_a_hundred(void **state)
{
    (void)state;
    /* Each array holds the next: header, one entry, then the child. */
    for (int depth = 100; depth <= 101; depth++) {
        struct buf doc = {0};
        buf_append(&doc, "\x02", 1);
        for (int i = 1; i < depth; i++) {
            unsigned size = (unsigned)(7 * (depth - i) + 4);
            const char header[7] = {1, 0, (char)(size & 0xFF), (char)(size >> 8), 2, 7, 0};
            buf_append(&doc, header, sizeof(header));
        }
        buf_append(&doc, "\x00\x00\x04\x00", 4);
        struct buf out = {0};
        struct error err = {0};
        assert_int_equal(my_json_to_text(buf_str(&doc), &out, &err), depth == 100);
        if (depth == 100) {
            assert_int_equal(out.size, 200);
        } else {
            assert_non_null(strstr(err.message, "100 deep"));
        }
        buf_release(&doc);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_stand_alone),
        cmocka_unit_test(containers_print_with_spaces_in_stored_order),
        cmocka_unit_test(opaque_values_print_as_the_server_prints_them),
        cmocka_unit_test(what_is_cut_off_is_refused),
        cmocka_unit_test(what_does_not_exist_is_refused),
        cmocka_unit_test(offsets_that_fan_out_are_refused),
        cmocka_unit_test(nesting_ends_at_a_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
