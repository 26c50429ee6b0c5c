#include "source/mysql/catalog_parts.h"
#include "test.h"

static void labels_are_read_as_the_servers_print_them(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct my_catalog_column c = {0};
    struct error err = {0};
    assert_true(my_catalog_labels("enum('a','it''s','x,y','','p\\nq','r\\\\s',')','\xC3\xBC')",
                                  &arena, &c, &err));
    static const char *const labels[] = {"a", "it's", "x,y", "", "p\nq", "r\\s", ")", "\xC3\xBC"};
    assert_int_equal(c.label_count, 8);
    for (uint32_t i = 0; i < c.label_count; i++) {
        assert_string_equal(c.labels[i], labels[i]);
    }
    assert_true(my_catalog_labels("set('one')", &arena, &c, &err));
    assert_int_equal(c.label_count, 1);
    assert_string_equal(c.labels[0], "one");
    arena_release(&arena);
}

static void many_labels_are_all_kept(void **state)
{
    (void)state;
    enum { LABELS = 1000 };
    struct arena arena = {0};
    struct buf type = {0};
    for (int i = 0; i < LABELS; i++) {
        buf_append_format(&type, "%s'label %d'", i == 0 ? "enum(" : ",", i);
    }
    buf_append_char(&type, ')');
    struct my_catalog_column c = {0};
    struct error err = {0};
    assert_true(my_catalog_labels(buf_text(&type), &arena, &c, &err));
    assert_int_equal(c.label_count, LABELS);
    assert_string_equal(c.labels[0], "label 0");
    assert_string_equal(c.labels[LABELS - 1], "label 999");
    buf_release(&type);
    arena_release(&arena);
}

static void what_is_no_list_of_labels_is_refused(void **state)
{
    (void)state;
    static const char *const types[] = {
        "",           "int",           "enum",      "enum(",     "enum()",      "enum('a'",
        "enum('a',)", "enum('a'x'b')", "enum('a",   "enum('a\\", "enum('a\\')", "enum(a)",
        "enum('a''",  "enum('a\\0b')", "varchar(5)"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct arena arena = {0};
        struct my_catalog_column c = {0};
        struct error err = {0};
        assert_false(my_catalog_labels(types[i], &arena, &c, &err));
        assert_int_equal(err.kind, ERROR_FATAL);
        assert_int_equal(c.label_count, 0);
        arena_release(&arena);
    }
}

static void a_column_is_found_whatever_its_case(void **state)
{
    (void)state;
    struct my_catalog_column columns[] = {{.name = "Id"}, {.name = "NAME"}, {.name = "name2"}};
    struct my_catalog_table t = {.columns = columns, .column_count = 3};
    assert_ptr_equal(my_catalog_find(&t, str_from("id")), &columns[0]);
    assert_ptr_equal(my_catalog_find(&t, str_from("NAME")), &columns[1]);
    assert_ptr_equal(my_catalog_find(&t, str_from("name")), &columns[1]);
    assert_ptr_equal(my_catalog_find(&t, str_from("Name2")), &columns[2]);
    assert_null(my_catalog_find(&t, str_from("nam")));
    assert_null(my_catalog_find(&t, str_from("")));
}

/* What information_schema.COLUMNS of MariaDB 10.11 and MySQL 9.7 show for the defaults of the same
 * columns; `constant` NULL with `is_constant` is the constant null. */
struct default_case {
    bool is_mariadb;
    const char *data_type;
    const char *printed;
    const char *extra;
    bool not_null;
    bool is_constant;
    const char *constant;
};

static void a_default_is_kept_only_where_its_text_is_exact(void **state)
{
    (void)state;
    enum { MARIADB = true, MYSQL_SERVER = false };
    static const struct default_case cases[] = {
        {MARIADB, "int", "5", "", false, true, "5"},
        {MYSQL_SERVER, "int", "5", "", false, true, "5"},
        {MARIADB, "int", "-3", "INVISIBLE", false, true, "-3"},
        {MARIADB, "decimal", "1.50", "", false, true, "1.50"},
        {MARIADB, "varchar", "'it''s \\\\ \"x\"'", "", true, true, "it's \\ \"x\""},
        {MYSQL_SERVER, "varchar", "it's \\ \"x\"", "", true, true, "it's \\ \"x\""},
        {MARIADB, "varchar", "'NULL'", "", false, true, "NULL"},
        {MYSQL_SERVER, "varchar", "NULL", "", false, true, "NULL"},
        {MARIADB, "varchar", "NULL", "", false, true, NULL},
        {MYSQL_SERVER, "varchar", NULL, "", false, true, NULL},
        {MARIADB, "varchar", "''", "", false, true, ""},
        {MYSQL_SERVER, "varchar", "", "", false, true, ""},
        {MARIADB, "varchar", "'a\\nb'", "", false, true, "a\nb"},
        {MARIADB, "bit", "b'101'", "", false, true, "5"},
        {MYSQL_SERVER, "bit", "b'101'", "", false, true, "5"},
        {MYSQL_SERVER, "varchar", "b'101'", "", false, true, "b'101'"},
        {MARIADB, "datetime", "'2020-01-01 00:00:00'", "", false, true, "2020-01-01 00:00:00"},
        {MARIADB, "timestamp", "'2020-01-01 00:00:00'", "", false, true, "2020-01-01 00:00:00"},
        /* printed in the time zone of whoever made the column */
        {MYSQL_SERVER, "timestamp", "2020-01-01 00:00:00", "", false, false, NULL},
        {MARIADB, "timestamp", "current_timestamp(3)", "on update current_timestamp(3)", true,
         false, NULL},
        {MYSQL_SERVER, "timestamp", "CURRENT_TIMESTAMP(3)", "DEFAULT_GENERATED", true, false, NULL},
        {MYSQL_SERVER, "datetime", "CURRENT_TIMESTAMP", "", false, false, NULL},
        {MYSQL_SERVER, "varchar", "CURRENT_TIMESTAMP", "", false, true, "CURRENT_TIMESTAMP"},
        {MARIADB, "int", "(1 + 2)", "", false, false, NULL},
        {MYSQL_SERVER, "int", "(1 + 2)", "DEFAULT_GENERATED", false, false, NULL},
        {MARIADB, "uuid", "uuid()", "", false, false, NULL},
        {MARIADB, "varchar", "'a' 'b'", "", false, false, NULL},
        /* bytes have no text */
        {MARIADB, "binary", "'ab'", "", false, false, NULL},
        {MYSQL_SERVER, "binary", "0x6162", "", false, false, NULL},
        /* nothing is written */
        {MARIADB, "int", NULL, "", true, false, NULL},
        {MYSQL_SERVER, "int", NULL, "", true, false, NULL},
        {MYSQL_SERVER, "bigint", NULL, "auto_increment", true, false, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct default_case *d = &cases[i];
        struct arena arena = {0};
        struct my_catalog_column c = {.data_type = d->data_type, .nullable = !d->not_null};
        my_catalog_read_default(&c, d->is_mariadb, &arena, d->printed, d->extra);
        assert_int_equal(c.has_default, d->is_constant);
        assert_int_equal(c.default_is_expression, !d->is_constant && d->printed);
        assert_int_equal(c.has_default && c.default_text == NULL,
                         d->is_constant && d->constant == NULL);
        if (d->constant) {
            assert_string_equal(c.default_text, d->constant);
        }
        arena_release(&arena);
    }
}

static void a_generated_column_has_no_default(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct my_catalog_column c = {.data_type = "int", .nullable = true, .is_generated = true};
    my_catalog_read_default(&c, false, &arena, NULL, "VIRTUAL GENERATED");
    assert_false(c.has_default);
    assert_false(c.default_is_expression);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_read_as_the_servers_print_them),
        cmocka_unit_test(many_labels_are_all_kept),
        cmocka_unit_test(what_is_no_list_of_labels_is_refused),
        cmocka_unit_test(a_column_is_found_whatever_its_case),
        cmocka_unit_test(a_default_is_kept_only_where_its_text_is_exact),
        cmocka_unit_test(a_generated_column_has_no_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
