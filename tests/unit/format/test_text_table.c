#include "format/text_table.h"
#include "test.h"

static void prints(const char *const rows[][2], uint32_t count, uint32_t width_max,
                   const char *expected)
{
    static const char *const headers[] = {"id", "name"};
    struct text_table t;
    text_table_init(&t, headers, 2, width_max);
    t.right[0] = true;
    for (uint32_t i = 0; i < count; i++) {
        text_table_add(&t, (struct str[]){str_from(rows[i][0]), str_from(rows[i][1])});
    }
    struct buf out = {0};
    text_table_format(&t, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
    text_table_release(&t);
}

static void columns_are_aligned(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"1", "John"}, {"1234", "A longer name"}};
    prints(rows, 2, 0,
           "  id  name\n"
           "----  -------------\n"
           "   1  John\n"
           "1234  A longer name\n");
}

static void no_rows_print_the_header(void **state)
{
    (void)state;
    prints(NULL, 0, 0, "id  name\n--  ----\n");
}

static void what_is_too_wide_ends_in_an_ellipsis(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"1", "abcdef"}, {"2", "abcdefg"}, {"3", "日本語文"}};
    prints(rows, 3, 6,
           "id  name\n"
           "--  ------\n"
           " 1  abcdef\n"
           " 2  abcde…\n"
           " 3  日本…\n");
}

static void wide_and_combining_characters_count_their_cells(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"日", "x"}, {"e\u0301", "y"}, {"ü", "z"}};
    prints(rows, 3, 0,
           "id  name\n"
           "--  ----\n"
           "日  x\n"
           " e\u0301  y\n"
           " ü  z\n");
}

static void the_terminal_cannot_be_steered(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"1", "a\x1b[2Jb\nc"}};
    prints(rows, 1, 0,
           "id  name\n"
           "--  --------\n"
           " 1  a [2Jb c\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(no_rows_print_the_header),
        cmocka_unit_test(what_is_too_wide_ends_in_an_ellipsis),
        cmocka_unit_test(wide_and_combining_characters_count_their_cells),
        cmocka_unit_test(the_terminal_cannot_be_steered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
