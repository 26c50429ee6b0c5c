#include <string.h>

#include "iceberg/type.h"
#include "test.h"

/* Text to bytes and bytes to text. */
static void expect(struct type type, const char *text, const char *bytes, size_t size)
{
    struct arena a = {0};
    struct error err = {0};
    struct str out = {0};
    const char *again = NULL;
    if (!iceberg_value_parse(type, text, &a, &out, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(out.size, size);
    assert_non_null(out.data); /* also of no bytes: NULL is for values that are absent */
    assert_memory_equal(out.data, bytes, size);
    assert_true(iceberg_value_text(type, out, &a, &again, &err));
    assert_string_equal(again, text);
    arena_release(&a);
}

static void expect_text(struct type type, const char *bytes, size_t size, const char *text)
{
    struct arena a = {0};
    struct error err = {0};
    const char *out = NULL;
    if (!iceberg_value_text(type, (struct str){bytes, size}, &a, &out, &err)) {
        fail_msg("%s", err.message);
        return;
    }
    assert_string_equal(out, text);
    arena_release(&a);
}

static void refuse(struct type type, const char *bytes, size_t size)
{
    struct arena a = {0};
    struct error err = {0};
    const char *out = NULL;
    assert_false(iceberg_value_text(type, (struct str){bytes, size}, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    arena_release(&a);
}

#define of(kind_) ((struct type){.kind = (kind_)})

static void values_have_the_bytes_of_the_specification(void **state)
{
    (void)state;
    expect(of(TYPE_BOOL), "true", "\1", 1);
    expect(of(TYPE_BOOL), "false", "\0", 1);
    expect(of(TYPE_INT16), "-2", "\xfe\xff\xff\xff", 4);
    expect(of(TYPE_INT32), "34", "\x22\0\0\0", 4);
    expect(of(TYPE_INT32), "-2147483648", "\0\0\0\x80", 4);
    expect(of(TYPE_INT64), "-1", "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    expect(of(TYPE_FLOAT32), "1.5", "\0\0\xc0\x3f", 4);
    expect(of(TYPE_FLOAT64), "-0", "\0\0\0\0\0\0\0\x80", 8);
    expect(of(TYPE_DATE), "2017-11-16", "\x4e\x44\0\0", 4);
    expect(of(TYPE_DATE), "1969-12-31", "\xff\xff\xff\xff", 4);
    expect(of(TYPE_TIME), "00:00:00.000001", "\1\0\0\0\0\0\0\0", 8);
    expect(of(TYPE_TIMESTAMP), "1970-01-01T00:00:00.000002", "\2\0\0\0\0\0\0\0", 8);
    expect(of(TYPE_TIMESTAMPTZ), "1969-12-31T23:59:59.999999Z", "\xff\xff\xff\xff\xff\xff\xff\xff",
           8);
    expect(of(TYPE_STRING), "iceberg", "iceberg", 7);
    expect(of(TYPE_STRING), "", "", 0);
    expect(of(TYPE_BINARY), "\\x00ff", "\0\xff", 2);
    expect(of(TYPE_BINARY), "\\x", "", 0);
    expect(of(TYPE_UUID), "f79c3e09-677c-4bbd-a479-3f349cb785e7",
           "\xf7\x9c\x3e\x09\x67\x7c\x4b\xbd\xa4\x79\x3f\x34\x9c\xb7\x85\xe7", 16);
}

static void decimals_have_as_few_bytes_as_they_need(void **state)
{
    (void)state;
    struct type small = {TYPE_DECIMAL, 4, 2};
    struct type large = {TYPE_DECIMAL, 38, 0};
    expect(small, "14.20", "\x05\x8c", 2);
    expect(small, "0.00", "\0", 1);
    expect(small, "1.27", "\x7f", 1);
    expect(small, "1.28", "\0\x80", 2);
    expect(small, "-1.28", "\x80", 1);
    expect(small, "-1.29", "\xff\x7f", 2);
    expect((struct type){TYPE_DECIMAL, 18, 0}, "-1", "\xff", 1);
    expect(large, "170141183460469231731687303715884105",
           "\x20\xc4\x9b\xa5\xe3\x53\xf7\xce\xd9\x16\x87\x2b\x02\x0c\x49", 15);
    expect(large, "-99999999999999999999999999999999999999",
           "\xb4\xc4\xb3\x57\xa5\x79\x3b\x85\xf6\x75\xdd\xc0\x00\x00\x00\x01", 16);
}

static void what_was_written_before_a_type_was_widened_is_read(void **state)
{
    (void)state;
    expect_text(of(TYPE_INT64), "\xfe\xff\xff\xff", 4, "-2");
    expect_text(of(TYPE_FLOAT64), "\0\0\xc0\x3f", 4, "1.5");
    expect_text((struct type){TYPE_DECIMAL, 38, 2}, "\x05\x8c", 2, "14.20");
    expect_text((struct type){TYPE_DECIMAL, 9, 2}, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\x8c", 16,
                "14.20");
    expect_text(of(TYPE_TIMESTAMP), "\xff\xff\xff\xff", 4, "1969-12-31T00:00:00");
}

static void impossible_bytes_are_refused(void **state)
{
    (void)state;
    static const char zero[32] = {0};
    for (size_t size = 0; size < sizeof(zero); size++) {
        if (size != 1) {
            refuse(of(TYPE_BOOL), zero, size);
        }
        if (size != 4) {
            refuse(of(TYPE_INT32), zero, size);
            refuse(of(TYPE_DATE), zero, size);
            refuse(of(TYPE_FLOAT32), zero, size);
        }
        if (size != 8) {
            refuse(of(TYPE_TIME), zero, size);
        }
        if (size != 4 && size != 8) {
            refuse(of(TYPE_INT64), zero, size);
            refuse(of(TYPE_TIMESTAMPTZ), zero, size);
            refuse(of(TYPE_FLOAT64), zero, size);
        }
        if (size != 16) {
            refuse(of(TYPE_UUID), zero, size);
        }
        if (size == 0 || size > 16) {
            refuse((struct type){TYPE_DECIMAL, 10, 2}, zero, size);
        }
    }
    refuse(of(TYPE_STRING), "\xc3", 1); /* cut inside a code point */
    refuse(of(TYPE_STRING), "a\0b", 3);
    refuse(of(TYPE_INT16), "\0\0\1\0", 4);
    refuse(of(TYPE_TIMESTAMP), "\xff\xff\xff\x7f", 4); /* a date that is no timestamp */
    refuse(of(TYPE_TIME), "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    refuse((struct type){TYPE_DECIMAL, 2, 0}, "\x64", 1); /* 100 */
    refuse((struct type){TYPE_DECIMAL, 2, 0}, "\x9c", 1);
}

static void texts_that_are_no_values_are_refused(void **state)
{
    (void)state;
    struct arena a = {0};
    struct error err = {0};
    struct str out;
    assert_false(iceberg_value_parse(of(TYPE_INT32), "2147483648", &a, &out, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_the_bytes_of_the_specification),
        cmocka_unit_test(decimals_have_as_few_bytes_as_they_need),
        cmocka_unit_test(what_was_written_before_a_type_was_widened_is_read),
        cmocka_unit_test(impossible_bytes_are_refused),
        cmocka_unit_test(texts_that_are_no_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
