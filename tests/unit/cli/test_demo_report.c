#include <stdlib.h>
#include <string.h>

#include "cli/demo.h"
#include "test.h"

#define COPY(name_, format_, rows_)                                                          \
    {                                                                                        \
        .name = (name_), .format = (format_), .location = "lake", .source = {rows_, {1, 2}}, \
        .lake = {                                                                            \
            rows_,                                                                           \
            {1, 2}                                                                           \
        }                                                                                    \
    }
static const struct demo_copy equal_copies[DEMO_COPIES] = {
    COPY("public.customers", "delta", 3), COPY("public.customers", "iceberg", 3),
    COPY("public.orders", "delta", 4), COPY("public.orders", "iceberg", 4)};

/* The last line printed; `*equal` is what the call returned. */
static char *last_line(const struct demo_copy copies[DEMO_COPIES], bool *equal)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    *equal = demo_report_print(copies, "somewhere", 0, out);
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
    char *line = last_line(equal_copies, &equal);
    assert_true(equal);
    assert_string_equal(line, "result: equal");
    free(line);
}

static void one_different_copy_makes_all_different(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < DEMO_COPIES; i++) {
        struct demo_copy copies[DEMO_COPIES];
        memcpy(copies, equal_copies, sizeof(copies));
        copies[i].lake.sum.high ^= 1; /* as many rows, other values */
        bool equal = true;
        char *line = last_line(copies, &equal);
        assert_false(equal);
        assert_string_equal(line, "result: different");
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_tables_are_called_equal),
        cmocka_unit_test(one_different_copy_makes_all_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
