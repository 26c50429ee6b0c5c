#include <string.h>

#include "base/nearest.h"
#include "test.h"

static const char *nearest_of(const char *wanted)
{
    static const char *const words[] = {"interval", "rows", "bytes", "tables", "table"};
    struct nearest n = nearest_start(wanted);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        nearest_try(&n, words[i]);
    }
    return n.found;
}

static void small_mistakes_are_understood(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("intervall"), "interval"); /* one too many */
    assert_string_equal(nearest_of("intrval"), "interval");   /* one missing */
    assert_string_equal(nearest_of("intorval"), "interval");  /* one wrong */
    assert_string_equal(nearest_of("rosw"), "rows");          /* two swapped */
    assert_string_equal(nearest_of("btyes"), "bytes");
}

static void the_nearest_of_several_is_taken(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("tabels"), "tables");
    assert_string_equal(nearest_of("tabl"), "table");
}

static void other_words_have_no_near_one(void **state)
{
    (void)state;
    assert_null(nearest_of("location"));
    assert_null(nearest_of(""));
    assert_null(nearest_of("xows and something"));
    char text[200];
    memset(text, 'i', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_null(nearest_of(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_mistakes_are_understood),
        cmocka_unit_test(the_nearest_of_several_is_taken),
        cmocka_unit_test(other_words_have_no_near_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
