#include "base/clock.h"
#include "delta/vector.h"
#include "delta/z85.h"
#include "format/bitmap.h"
#include "temporary.h"
#include "test.h"

static void z85_matches_the_published_vector(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B};
    struct buf out = {0};
    struct error err = {0};
    z85_encode((struct str){(const char *)bytes, 8}, &out);
    assert_string_equal(buf_text(&out), "HelloWorld"); /* ZeroMQ RFC 32 */
    struct buf back = {0};
    assert_true(z85_decode(buf_str(&out), &back, &err));
    assert_int_equal(back.size, 8);
    assert_memory_equal(back.data, bytes, 8);
    buf_release(&out);
    buf_release(&back);
}

static void z85_with_hash_padding_is_understood(void **state)
{
    (void)state;
    struct buf out = {0};
    struct error err = {0};
    assert_true(z85_decode(str_from("00000##093"), &out, &err));
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.data, "\0\0\0\0\x03\0", 6);
    buf_release(&out);
}

static void text_that_is_not_z85_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"0",     "0000 ", "000\"0", "%nSc1",     "%nSc100000",
                                         "#####", "####0", "##%%%",  "##09300000"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct buf out = {0};
        struct error err = {0};
        assert_false(z85_decode(str_from(broken[i]), &out, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        buf_release(&out);
    }
}

static roaring_bitmap_t *read_inline(const char *text, int64_t size, int64_t cardinality,
                                     struct error *err)
{
    struct delta_vector v = {
        .storage = "i", .text = text, .size = size, .cardinality = cardinality};
    return delta_vector_read(NULL, &v, 6, err);
}

static void inline_vectors_of_real_tables_are_read(void **state)
{
    (void)state;
    struct error err = {0};
    roaring_bitmap_t *b = read_inline("^Bg9^0rr910000000000iXQKl0rr91000315c8Xg000f5", 36, 2, &err);
    assert_non_null(b);
    assert_true(roaring_bitmap_contains(b, 0) && roaring_bitmap_contains(b, 5));
    roaring_bitmap_free(b);
    assert_null(read_inline("^Bg9^0rr910000000000iXQKl0rr91000315c8Xg000f5", 36, 3, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    err = (struct error){0};
    assert_null(read_inline("^Bg9^0rr910000000000iXQKl0rr91000315c8Xg000f5", 40, 2, &err));
    assert_int_equal(err.kind, ERROR_DATA);
}

static void a_vector_beyond_the_rows_of_its_file_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct delta_vector v = {.storage = "i",
                             .text = "^Bg9^0rr910000000000iXQKl0rr91000315c8Xg000f5",
                             .size = 36,
                             .cardinality = 2};
    assert_null(delta_vector_read(NULL, &v, 5, &err));
    assert_int_equal(err.kind, ERROR_DATA);
}

struct fixture {
    char path[64];
    struct store *store;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    assert_non_null(f);
    temporary_make(f->path);
    f->store = store_open(f->path, &err);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_free(&f->store);
    arena_release(&f->arena);
    temporary_remove(f->path);
    free(f);
    return 0;
}

/* Arrays, a bit set, runs, and many containers. */
static roaring_bitmap_t *make_bitmap(size_t kind)
{
    roaring_bitmap_t *b = roaring_bitmap_create();
    assert_non_null(b);
    for (uint32_t i = 0; kind == 1 && i < 10000; i++) {
        roaring_bitmap_add(b, i * 3);
    }
    for (uint32_t i = 0; kind == 2 && i < 200000; i += 70000) {
        roaring_bitmap_add(b, i);
    }
    if (kind == 3) {
        roaring_bitmap_add_range(b, 65000, 300000);
        roaring_bitmap_add(b, 400000);
        (void)roaring_bitmap_run_optimize(b);
    }
    for (uint32_t i = 0; kind == 4 && i < 100; i++) {
        roaring_bitmap_add(b, i << 16 | i);
        roaring_bitmap_add_range(b, (i << 16) + 1000, (i << 16) + 1100);
        (void)roaring_bitmap_run_optimize(b);
    }
    return b;
}

enum { KINDS = 5 };

static void vectors_of_one_file_read_back_the_same(void **state)
{
    struct fixture *f = *state;
    struct delta_vector_file file;
    const struct delta_vector *vectors[KINDS];
    struct error err = {0};
    delta_vector_file_begin(&file);
    for (size_t i = 0; i < KINDS; i++) {
        roaring_bitmap_t *b = make_bitmap(i);
        vectors[i] = delta_vector_file_add(&file, b, &f->arena);
        roaring_bitmap_free(b);
    }
    assert_true(
        store_put(f->store, delta_vector_file_key(&file, &f->arena), buf_str(&file.bytes), &err));
    for (size_t i = 0; i < KINDS; i++) {
        roaring_bitmap_t *expected = make_bitmap(i);
        roaring_bitmap_t *read = delta_vector_read(f->store, vectors[i], (uint64_t)1 << 32, &err);
        assert_non_null(read);
        assert_true(roaring_bitmap_equals(read, expected));
        roaring_bitmap_free(read);
        roaring_bitmap_free(expected);
    }
    delta_vector_file_release(&file);
}

static void a_changed_byte_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct delta_vector_file file;
    struct error err = {0};
    delta_vector_file_begin(&file);
    roaring_bitmap_t *b = make_bitmap(4);
    const struct delta_vector *v = delta_vector_file_add(&file, b, &f->arena);
    roaring_bitmap_free(b);
    const char *key = delta_vector_file_key(&file, &f->arena);
    for (size_t i = 0; i < file.bytes.size; i += 61) {
        file.bytes.data[i] ^= 0x10;
        assert_true(store_put(f->store, key, buf_str(&file.bytes), &err));
        assert_null(delta_vector_read(f->store, v, (uint64_t)1 << 32, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        err = (struct error){0};
        file.bytes.data[i] ^= 0x10;
    }
    delta_vector_file_release(&file);
}

static void a_missing_file_is_no_empty_vector(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct delta_vector v = {.storage = "u", .text = "ab^-aqEH.-t@S}K{vb[*k^", .size = 1};
    assert_null(delta_vector_read(f->store, &v, 10, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_non_null(
        strstr(err.message, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"));
}

static void assert_corrupt(const char *bytes, size_t size)
{
    struct error err = {0};
    char *copy = malloc(size + 1); /* so that a read past the end is noticed */
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_null(bitmap_decode((struct str){copy, size}, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    free(copy);
}

#define HEAD "\xd1\xd3\x39\x64\1\0\0\0\0\0\0\0\0\0\0\0"

static void corrupt_bitmaps_are_refused(void **state)
{
    (void)state;
#define corrupt(text) assert_corrupt(text, sizeof(text) - 1)
    corrupt("");
    corrupt("\xd0\xd3\x39\x64\0\0\0\0\0\0\0\0");
    corrupt("\xd1\xd3\x39\x64\xff\xff\xff\xff\xff\xff\xff\xff");
    corrupt("\xd1\xd3\x39\x64\1\0\0\0\0\0\0\0\1\0\0\0\x3a\x30\0\0\0\0\0\0"); /* a high key */
    corrupt("\xd1\xd3\x39\x64\0\0\0\0\0\0\0\0x");                            /* more bytes */
    corrupt(HEAD "\x3c\x30\0\0\0\0\0\0");                                    /* cookie */
    corrupt(HEAD "\x3a\x30\0\0\xff\xff\xff\xff");                            /* too many */
    /* Arrays: values that do not ascend, and one that is missing. */
    corrupt(HEAD "\x3a\x30\0\0\1\0\0\0\0\0\1\0\x10\0\0\0\5\0\5\0");
    corrupt(HEAD "\x3a\x30\0\0\1\0\0\0\0\0\1\0\x10\0\0\0\5\0");
    /* Runs: one that ends beyond its container, overlapping ones, a wrong number of values. */
    corrupt(HEAD "\x3b\x30\0\0\1\0\0\xff\xff\1\0\1\0\xff\xff");
    corrupt(HEAD "\x3b\x30\0\0\1\0\0\3\0\2\0\0\0\1\0\1\0\1\0");
    corrupt(HEAD "\x3b\x30\0\0\1\0\0\3\0\1\0\0\0\1\0");
    /* A bit set that ends. */
    corrupt(HEAD "\x3a\x30\0\0\1\0\0\0\0\0\xff\xff\x10\0\0\0\1\1\1");
}

static void a_truncated_vector_is_refused_at_every_length(void **state)
{
    struct fixture *f = *state;
    for (size_t kind = 1; kind < KINDS; kind++) {
        struct delta_vector_file file;
        delta_vector_file_begin(&file);
        roaring_bitmap_t *b = make_bitmap(kind);
        const struct delta_vector *v = delta_vector_file_add(&file, b, &f->arena);
        roaring_bitmap_free(b);
        size_t step = 1 + (size_t)v->size / 100;
        for (size_t size = 0; size < (size_t)v->size; size += step) {
            assert_corrupt(file.bytes.data + 5, size);
        }
        delta_vector_file_release(&file);
    }
}

#define test_with_store(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(z85_matches_the_published_vector),
        cmocka_unit_test(z85_with_hash_padding_is_understood),
        cmocka_unit_test(text_that_is_not_z85_is_refused),
        cmocka_unit_test(inline_vectors_of_real_tables_are_read),
        cmocka_unit_test(a_vector_beyond_the_rows_of_its_file_is_refused),
        test_with_store(vectors_of_one_file_read_back_the_same),
        test_with_store(a_changed_byte_is_noticed),
        test_with_store(a_missing_file_is_no_empty_vector),
        cmocka_unit_test(corrupt_bitmaps_are_refused),
        test_with_store(a_truncated_vector_is_refused_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
