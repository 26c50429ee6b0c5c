#include "store/uri.h"
#include "test.h"

static void encodes_all_but_unreserved_and_kept(void **state)
{
    (void)state;
    struct buf out = {0};
    uri_encode(str_from("x=A%2FA/\xC3\xA9 b:~.parquet"), "/=", &out);
    assert_string_equal(buf_text(&out), "x=A%252FA/%C3%A9%20b%3A~.parquet");
    buf_release(&out);
}

static void decodes_what_it_encoded(void **state)
{
    (void)state;
    char all[255];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)(i + 1);
    }
    struct buf encoded = {0};
    struct buf decoded = {0};
    struct error err = {0};
    uri_encode((struct str){all, sizeof(all)}, "", &encoded);
    assert_true(uri_decode(buf_str(&encoded), &decoded, &err));
    assert_true(str_equal(buf_str(&decoded), (struct str){all, sizeof(all)}));
    buf_release(&encoded);
    buf_release(&decoded);
}

static void refuses_broken_encodings(void **state)
{
    (void)state;
    static const char *const broken[] = {"%", "a%4", "%zz", "%00", "%-1"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct buf out = {0};
        struct error err = {0};
        assert_false(uri_decode(str_from(broken[i]), &out, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        buf_release(&out);
    }
}

static void a_scheme_ends_with_two_slashes(void **state)
{
    (void)state;
    assert_int_equal(uri_scheme("file:///a"), 4);
    assert_int_equal(uri_scheme("s3a://bucket"), 3);
    assert_int_equal(uri_scheme("a/b://c"), 0);
    assert_int_equal(uri_scheme("c:/x"), 0);
    assert_int_equal(uri_scheme("://x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_all_but_unreserved_and_kept),
        cmocka_unit_test(decodes_what_it_encoded),
        cmocka_unit_test(refuses_broken_encodings),
        cmocka_unit_test(a_scheme_ends_with_two_slashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
