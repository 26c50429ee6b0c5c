#include "format/csv.h"
#include "test.h"

static void fields_are_quoted_where_needed(void **state)
{
    (void)state;
    static const char *const names[] = {"id", "a,b", "say \"x\""};
    struct buf out = {0};
    csv_write_header(names, 3, &out);
    assert_string_equal(buf_text(&out), "id,\"a,b\",\"say \"\"x\"\"\"\r\n");
    buf_release(&out);
}

static void null_and_empty_text_differ(void **state)
{
    (void)state;
    uint64_t valid = 0x2;
    struct view texts[] = {view_from("", 0), view_from("", 0), view_from("a\r\nb", 4),
                           view_from("; plain", 7)};
    int32_t numbers[] = {1, -2, 3, 4};
    const struct column columns[] = {
        {.type = {.kind = TYPE_STRING}, .values = texts, .valid = &valid},
        {.type = {.kind = TYPE_INT32}, .values = numbers},
    };
    struct buf out = {0};
    csv_write_row(columns, 2, 0, &out);
    csv_write_row(columns, 2, 1, &out);
    valid = UINT64_MAX;
    csv_write_row(columns, 2, 2, &out);
    csv_write_row(columns, 2, 3, &out);
    assert_string_equal(buf_text(&out), ",1\r\n\"\",-2\r\n\"a\r\nb\",3\r\n; plain,4\r\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted_where_needed),
        cmocka_unit_test(null_and_empty_text_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
