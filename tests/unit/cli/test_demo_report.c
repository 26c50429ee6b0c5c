#include <stdlib.h>
#include <string.h>

#include "cli/demo.h"
#include "test.h"

static const struct demo_table equal_tables[DEMO_TABLES] = {
    {.name = "public.customers",
     .location = "lake/customers",
     .source = {3, {1, 2}},
     .lake = {3, {1, 2}}},
    {.name = "public.orders",
     .location = "lake/orders",
     .source = {4, {5, 6}},
     .lake = {4, {5, 6}}},
};

/* The last line printed; `*equal` is what the call returned. */
static char *last_line(const struct demo_table tables[DEMO_TABLES], bool *equal)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    *equal = demo_report_print(tables, "somewhere", 0, out);
    assert_int_equal(fclose(out), 0);
    assert_true(size > 1 && text[size - 1] == '\n');
    text[size - 1] = '\0';
    char *line = strdup(strrchr(text, '\n') + 1);
    free(text);
    return line;
}

static void equal_tables_are_called_equal(void **state)
{
    (void)state;
    bool equal = false;
    char *line = last_line(equal_tables, &equal);
    assert_true(equal);
    assert_string_equal(line, "result: equal");
    free(line);
}

static void one_different_table_makes_all_different(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < DEMO_TABLES; i++) {
        struct demo_table tables[DEMO_TABLES] = {equal_tables[0], equal_tables[1]};
        tables[i].lake.sum.high ^= 1; /* as many rows, other values */
        bool equal = true;
        char *line = last_line(tables, &equal);
        assert_false(equal);
        assert_string_equal(line, "result: different");
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_tables_are_called_equal),
        cmocka_unit_test(one_different_table_makes_all_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
