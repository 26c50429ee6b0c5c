#include <math.h>

#include "lake/lake.h"
#include "test.h"

static struct lake_statistics collect(struct type type, void *values, uint64_t *valid,
                                      uint32_t row_count, struct arena *a)
{
    struct lake_statistics s;
    struct column c = {.type = type, .valid = valid, .values = values};
    lake_statistics_collect(&c, row_count, a, &s);
    return s;
}

static void integers_have_bounds_of_valid_rows_only(void **state)
{
    (void)state;
    int32_t values[] = {0, 7, -3, 0};
    uint64_t valid = 6; /* rows 1 and 2 */
    struct lake_statistics s = collect((struct type){.kind = TYPE_INT32}, values, &valid, 4, NULL);
    assert_int_equal(s.null_count, 2);
    assert_true(s.has_min && s.has_max);
    assert_int_equal(s.min.integer, -3);
    assert_int_equal(s.max.integer, 7);
}

static void a_column_of_nulls_has_a_count_and_no_bounds(void **state)
{
    (void)state;
    int64_t values[70] = {0};
    uint64_t valid[2] = {0, ~(uint64_t)63}; /* bits past the rows do not count */
    struct lake_statistics s =
        collect((struct type){.kind = TYPE_TIMESTAMPTZ}, values, valid, 70, NULL);
    assert_int_equal(s.null_count, 70);
    assert_false(s.has_min || s.has_max);
}

static void decimals_of_every_width_have_bounds(void **state)
{
    (void)state;
    int16_t narrow[] = {5, -5};
    struct lake_statistics s = collect((struct type){TYPE_DECIMAL, 4, 2}, narrow, NULL, 2, NULL);
    assert_true(s.min.decimal == -5 && s.max.decimal == 5);
    __int128 big = (__int128)1 << 100;
    __int128 wide[] = {big, -big, 0};
    s = collect((struct type){TYPE_DECIMAL, 38, 0}, wide, NULL, 3, NULL);
    assert_true(s.min.decimal == -big && s.max.decimal == big);
}

static void a_nan_leaves_no_bounds(void **state)
{
    (void)state;
    double values[] = {1, NAN, 2};
    struct lake_statistics s = collect((struct type){.kind = TYPE_FLOAT64}, values, NULL, 3, NULL);
    assert_false(s.has_min || s.has_max);
    uint64_t valid = 5;
    s = collect((struct type){.kind = TYPE_FLOAT64}, values, &valid, 3, NULL);
    assert_true(s.has_min && s.has_max); /* a null is no NaN */
}

static void zeroes_are_bounded_on_both_sides(void **state)
{
    (void)state;
    float values[] = {0.0f, -0.0f};
    struct lake_statistics s = collect((struct type){.kind = TYPE_FLOAT32}, values, NULL, 2, NULL);
    assert_true(signbit(s.min.number));
    assert_false(signbit(s.max.number));
}

static struct lake_statistics collect_texts(const char *one, const char *two, struct arena *a)
{
    struct view *values = arena_array(a, 2, sizeof(*values));
    values[0] = view_from(one, strlen(one));
    values[1] = view_from(two, strlen(two));
    return collect((struct type){.kind = TYPE_STRING}, values, NULL, 2, a);
}

static void assert_str(struct str s, const char *expected)
{
    assert_int_equal(s.size, strlen(expected));
    assert_memory_equal(s.data, expected, s.size);
}

#define X31 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void short_texts_are_their_own_bounds(void **state)
{
    (void)state;
    struct arena a = {0};
    struct lake_statistics s = collect_texts("b", X31 "y", &a);
    assert_str(s.min.text, "b");
    assert_str(s.max.text, X31 "y");
    s = collect_texts("", "\xC3\xA9", &a);
    assert_str(s.min.text, "");
    assert_str(s.max.text, "\xC3\xA9");
    arena_release(&a);
}

static void long_texts_are_cut_at_characters_and_rounded_up(void **state)
{
    (void)state;
    struct arena a = {0};
    struct lake_statistics s = collect_texts(X31 "\xC3\xA9zz", X31 "\xC3\xA9zz", &a);
    assert_str(s.min.text, X31 "\xC3\xA9");
    assert_str(s.max.text, X31 "\xC3\xAA");
    s = collect_texts("a", X31 "\x7Fzz", &a); /* the next code point is longer */
    assert_str(s.max.text, X31 "\xC2\x80");
    s = collect_texts("a", X31 "\xED\x9F\xBFzz", &a); /* U+D7FF: no surrogates */
    assert_str(s.max.text, X31 "\xEE\x80\x80");
    arena_release(&a);
}

static void the_last_character_that_can_grow_grows(void **state)
{
    (void)state;
    struct arena a = {0};
    struct lake_statistics s = collect_texts("a", X31 "\xF4\x8F\xBF\xBFzz", &a);
    assert_str(s.max.text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy");
    s = collect_texts("a", X31 "\xEF\xBF\xBFzz", &a); /* U+FFFF, for readers of UTF-16 */
    assert_str(s.max.text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy");
    arena_release(&a);
}

static void without_an_upper_bound_there_is_no_max(void **state)
{
    (void)state;
    struct arena a = {0};
    char text[33 * 4 + 1] = {0};
    static const char last[] = "\xF4\x8F\xBF\xBF"; /* U+10FFFF: nothing is greater */
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        text[i] = last[i % 4];
    }
    struct lake_statistics s = collect_texts("a", text, &a);
    assert_true(s.has_min);
    assert_false(s.has_max);
    arena_release(&a);
}

static void booleans_and_bytes_have_no_bounds(void **state)
{
    (void)state;
    uint8_t values[] = {0, 1};
    struct lake_statistics s = collect((struct type){.kind = TYPE_BOOL}, values, NULL, 2, NULL);
    assert_false(s.has_min || s.has_max);
    struct view bytes[2] = {{0}};
    s = collect((struct type){.kind = TYPE_BINARY}, bytes, NULL, 2, NULL);
    assert_false(s.has_min || s.has_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_bounds_of_valid_rows_only),
        cmocka_unit_test(a_column_of_nulls_has_a_count_and_no_bounds),
        cmocka_unit_test(decimals_of_every_width_have_bounds),
        cmocka_unit_test(a_nan_leaves_no_bounds),
        cmocka_unit_test(zeroes_are_bounded_on_both_sides),
        cmocka_unit_test(short_texts_are_their_own_bounds),
        cmocka_unit_test(long_texts_are_cut_at_characters_and_rounded_up),
        cmocka_unit_test(the_last_character_that_can_grow_grows),
        cmocka_unit_test(without_an_upper_bound_there_is_no_max),
        cmocka_unit_test(booleans_and_bytes_have_no_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
