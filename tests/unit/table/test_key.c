#include <stdlib.h>

#include "table/key.h"
#include "test.h"

static struct schema *schema_of_kinds(const struct type *types, uint32_t count)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct schema *s = schema_new(count);
    for (uint32_t i = 0; i < count; i++) {
        s->columns[i] = (struct schema_column){.name = names[i], .type = types[i], .is_key = true};
    }
    schema_seal(s);
    return s;
}

/* The hash of row 0 of a batch with one key column. */
static struct hash128 hash_one(struct type type, const void *value)
{
    static const uint32_t columns[] = {0};
    struct error err = {0};
    struct schema *s = schema_of_kinds(&type, 1);
    struct column c = {.type = type, .values = (void *)(uintptr_t)value};
    struct key k = {.schema = s, .columns = columns, .column_count = 1, .seed = 5};
    struct hash128 hash;
    assert_true(key_hash_rows(&k, &c, NULL, 1, &hash, &err));
    schema_release(s);
    return hash;
}

static bool is_same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static struct type kind(enum type_kind k)
{
    return (struct type){.kind = k};
}

static struct type decimal(uint8_t precision, uint8_t scale)
{
    return (struct type){.kind = TYPE_DECIMAL, .precision = precision, .scale = scale};
}

static void integers_of_all_widths_are_one_key(void **state)
{
    (void)state;
    int16_t small = -7;
    int32_t middle = -7;
    int64_t large = -7;
    struct hash128 h = hash_one(kind(TYPE_INT64), &large);
    assert_true(is_same(h, hash_one(kind(TYPE_INT16), &small)));
    assert_true(is_same(h, hash_one(kind(TYPE_INT32), &middle)));
    large = -8;
    assert_false(is_same(h, hash_one(kind(TYPE_INT64), &large)));
}

static void decimals_of_all_scales_are_one_key(void **state)
{
    (void)state;
    int16_t a = 1230;   /* 12.30 */
    int64_t b = 123000; /* 12.3000 */
    __int128 c = 123;   /* 12.3 */
    int64_t zero = 0;
    int16_t zeroes = 0;
    struct hash128 h = hash_one(decimal(4, 2), &a);
    assert_true(is_same(h, hash_one(decimal(18, 4), &b)));
    assert_true(is_same(h, hash_one(decimal(38, 1), &c)));
    assert_false(is_same(h, hash_one(decimal(38, 0), &c)));
    assert_true(is_same(hash_one(decimal(18, 5), &zero), hash_one(decimal(4, 2), &zeroes)));
}

static void both_zeroes_and_all_nans_are_one_key(void **state)
{
    (void)state;
    double zero = 0.0;
    double minus = -0.0;
    float narrow = -0.0F;
    assert_true(is_same(hash_one(kind(TYPE_FLOAT64), &zero), hash_one(kind(TYPE_FLOAT64), &minus)));
    assert_true(
        is_same(hash_one(kind(TYPE_FLOAT64), &zero), hash_one(kind(TYPE_FLOAT32), &narrow)));
    double nan = __builtin_nan("");
    double other = -__builtin_nan("17");
    assert_true(is_same(hash_one(kind(TYPE_FLOAT64), &nan), hash_one(kind(TYPE_FLOAT64), &other)));
}

static void equal_bytes_of_other_kinds_are_other_keys(void **state)
{
    (void)state;
    int64_t v = 5;
    struct view text = view_from("5", 1);
    assert_false(is_same(hash_one(kind(TYPE_INT64), &v), hash_one(kind(TYPE_TIMESTAMP), &v)));
    assert_false(is_same(hash_one(kind(TYPE_STRING), &text), hash_one(kind(TYPE_BINARY), &text)));
}

static void texts_do_not_run_into_each_other(void **state)
{
    (void)state;
    const struct type types[] = {kind(TYPE_STRING), kind(TYPE_STRING)};
    static const uint32_t both[] = {0, 1};
    struct error err = {0};
    struct schema *s = schema_of_kinds(types, 2);
    struct view first[] = {view_from("ab", 2), view_from("a", 1)};
    struct view second[] = {view_from("c", 1), view_from("bc", 2)};
    struct column columns[] = {{.type = types[0], .values = first},
                               {.type = types[1], .values = second}};
    struct key k = {.schema = s, .columns = both, .column_count = 2};
    struct hash128 hashes[2];
    assert_true(key_hash_rows(&k, columns, NULL, 2, hashes, &err));
    assert_false(is_same(hashes[0], hashes[1]));
    schema_release(s);
}

static void the_seed_changes_every_hash(void **state)
{
    (void)state;
    static const uint32_t columns[] = {0};
    const struct type type = kind(TYPE_INT64);
    struct error err = {0};
    struct schema *s = schema_of_kinds(&type, 1);
    int64_t v = 1;
    struct column c = {.type = type, .values = &v};
    struct key k = {.schema = s, .columns = columns, .column_count = 1, .seed = 1};
    struct hash128 a;
    struct hash128 b;
    assert_true(key_hash_rows(&k, &c, NULL, 1, &a, &err));
    k.seed = 2;
    assert_true(key_hash_rows(&k, &c, NULL, 1, &b, &err));
    assert_false(is_same(a, b));
    schema_release(s);
}

static void a_key_is_described_with_its_columns_and_cut(void **state)
{
    (void)state;
    const struct type types[] = {kind(TYPE_INT64), kind(TYPE_STRING)};
    static const uint32_t both[] = {0, 1};
    struct schema *s = schema_of_kinds(types, 2);
    char *letters = malloc(1000);
    assert_non_null(letters);
    memset(letters, 'x', 1000);
    int64_t numbers[] = {5, 6};
    struct view texts[] = {view_from("it's", 4), view_from(letters, 1000)};
    struct column columns[] = {{.type = types[0], .values = numbers},
                               {.type = types[1], .values = texts}};
    struct key k = {.schema = s, .columns = both, .column_count = 2};
    owned(buf_release) struct buf text = {0};
    key_describe(&k, columns, 0, &text);
    assert_string_equal(buf_text(&text), "(a, b)=(5, it's)");
    buf_clear(&text);
    key_describe(&k, columns, 1, &text);
    assert_int_equal(text.size, 203);
    assert_string_equal(buf_text(&text) + 200, "...");
    schema_release(s);
    free(letters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_all_widths_are_one_key),
        cmocka_unit_test(decimals_of_all_scales_are_one_key),
        cmocka_unit_test(both_zeroes_and_all_nans_are_one_key),
        cmocka_unit_test(equal_bytes_of_other_kinds_are_other_keys),
        cmocka_unit_test(texts_do_not_run_into_each_other),
        cmocka_unit_test(the_seed_changes_every_hash),
        cmocka_unit_test(a_key_is_described_with_its_columns_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
