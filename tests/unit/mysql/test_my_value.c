/* Which type a column gets, which maps a rule reads, and what is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "source/mysql/value.h"
#include "test.h"

static struct my_value_rule rule_of(struct my_catalog_column column, bool as_text, const char **why)
{
    if (!column.type) {
        column.type = column.data_type;
    }
    return my_value_rule(&column, as_text, UNREPRESENTABLE_FAIL, why);
}

static void assert_type(struct my_catalog_column column, const char *type)
{
    const char *why = NULL;
    struct my_value_rule rule = rule_of(column, false, &why);
    if (why) {
        fail_msg("%s: %s", column.data_type, why);
    }
    struct buf text = {0};
    type_format(rule.type, &text);
    assert_string_equal(buf_text(&text), type);
    buf_release(&text);
    rule = rule_of(column, true, &why);
    assert_int_equal(rule.type.kind, TYPE_STRING);
}

#define column_of(...) ((struct my_catalog_column){.name = "c", __VA_ARGS__})

static void columns_get_the_smallest_type_that_holds_every_value(void **state)
{
    (void)state;
    assert_type(column_of(.data_type = "tinyint"), "int16");
    assert_type(column_of(.data_type = "tinyint", .is_unsigned = true), "int16");
    assert_type(column_of(.data_type = "smallint"), "int16");
    assert_type(column_of(.data_type = "year"), "int16");
    assert_type(column_of(.data_type = "smallint", .is_unsigned = true), "int32");
    assert_type(column_of(.data_type = "mediumint", .is_unsigned = true), "int32");
    assert_type(column_of(.data_type = "int"), "int32");
    assert_type(column_of(.data_type = "int", .is_unsigned = true), "int64");
    assert_type(column_of(.data_type = "bigint"), "int64");
    assert_type(column_of(.data_type = "bigint", .is_unsigned = true), "decimal(20,0)");
    assert_type(column_of(.data_type = "decimal", .precision = 38, .scale = 30), "decimal(38,30)");
    assert_type(column_of(.data_type = "bit", .length = 1), "bool");
    assert_type(column_of(.data_type = "bit", .length = 2), "int64");
    assert_type(column_of(.data_type = "bit", .length = 63), "int64");
    assert_type(column_of(.data_type = "bit", .length = 64), "decimal(20,0)");
}

static void columns_get_the_type_of_their_kind(void **state)
{
    (void)state;
    static const char *const types[][2] = {
        {"float", "float32"}, {"double", "float64"},     {"date", "date"},
        {"time", "time"},     {"datetime", "timestamp"}, {"timestamp", "timestamptz"},
        {"binary", "binary"}, {"varbinary", "binary"},   {"tinyblob", "binary"},
        {"blob", "binary"},   {"mediumblob", "binary"},  {"longblob", "binary"},
        {"enum", "string"},   {"set", "string"},         {"json", "json"},
        {"uuid", "uuid"},     {"inet4", "string"},       {"inet6", "string"},
        {"char", "string"},   {"varchar", "string"},     {"tinytext", "string"},
        {"text", "string"},   {"mediumtext", "string"},  {"longtext", "string"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_type(column_of(.data_type = types[i][0], .charset = "utf8mb4"), types[i][1]);
    }
    assert_type(column_of(.data_type = "longtext", .charset = "utf8mb4", .is_json = true), "json");
}

static void assert_unsupported(struct my_catalog_column column, bool as_text, const char *reason)
{
    const char *why = NULL;
    struct my_value_rule rule = rule_of(column, as_text, &why);
    assert_int_equal(rule.kind, MY_VALUE_UNSUPPORTED);
    assert_false(rule.as_text);
    assert_non_null(why);
    if (!strstr(why, reason)) {
        fail_msg("\"%s\" is not in \"%s\"", reason, why);
    }
}

static void what_has_no_type_is_named(void **state)
{
    (void)state;
    for (int as_text = 0; as_text < 2; as_text++) {
        assert_unsupported(column_of(.data_type = "geometry"), as_text, "type geometry");
        assert_unsupported(column_of(.data_type = "vector"), as_text, "type vector");
        assert_unsupported(column_of(.data_type = "xmltype"), as_text, "not known");
        assert_unsupported(column_of(.data_type = "varchar", .charset = "utf9"), as_text,
                           "character set");
        assert_unsupported(column_of(.data_type = "bit", .length = 65), as_text, "bits");
        assert_unsupported(
            column_of(.data_type = "time", .type = "time(3) /* mariadb-5.3 */", .fraction = 3),
            as_text, "MariaDB 5.3");
    }
    assert_unsupported(column_of(.data_type = "decimal", .precision = 39), false, "as_text");
    assert_unsupported(column_of(.data_type = "year", .type = "year(2)"), false, "as_text");
}

/* --- Maps --- */

static bool fits(struct my_catalog_column column, struct table_map_column map)
{
    const char *why = NULL;
    struct my_value_rule rule = rule_of(column, false, &why);
    assert_null(why);
    return my_value_rule_fits(&rule, &map);
}

#define map_of(...) ((struct table_map_column){__VA_ARGS__})

static void a_map_of_another_version_of_the_table_does_not_fit(void **state)
{
    (void)state;
    struct my_catalog_column integer = column_of(.data_type = "int");
    assert_true(fits(integer, map_of(.type = MY_LONG)));
    assert_true(fits(integer, map_of(.type = MY_SHORT, .has_sign = true)));
    assert_false(fits(integer, map_of(.type = MY_LONG, .has_sign = true, .is_unsigned = true)));
    assert_false(fits(integer, map_of(.type = MY_LONGLONG)));
    assert_false(fits(integer, map_of(.type = MY_YEAR)));
    assert_false(fits(column_of(.data_type = "year"), map_of(.type = MY_TINY)));
    assert_true(fits(column_of(.data_type = "year"), map_of(.type = MY_YEAR)));
    struct my_catalog_column decimal =
        column_of(.data_type = "decimal", .precision = 10, .scale = 2);
    assert_true(fits(decimal, map_of(.type = MY_NEWDECIMAL, .metadata = 10 << 8 | 2)));
    assert_false(fits(decimal, map_of(.type = MY_NEWDECIMAL, .metadata = 10 << 8 | 3)));
    assert_false(fits(decimal, map_of(.type = MY_NEWDECIMAL, .metadata = 11 << 8 | 2)));
    struct my_catalog_column time = column_of(.data_type = "time", .fraction = 3);
    assert_true(fits(time, map_of(.type = MY_TIME2, .metadata = 3)));
    assert_false(fits(time, map_of(.type = MY_TIME2, .metadata = 6)));
    assert_false(fits(time, map_of(.type = MY_TIME)));
    assert_false(fits(time, map_of(.type = MY_DATETIME2, .metadata = 3)));
    assert_false(fits(column_of(.data_type = "bit", .length = 9),
                      map_of(.type = MY_BIT, .metadata = 1 << 8)));
    assert_false(fits(column_of(.data_type = "float"), map_of(.type = MY_DOUBLE)));
}

static void strings_fit_by_character_set_and_length(void **state)
{
    (void)state;
    struct my_catalog_column text = column_of(.data_type = "varchar", .charset = "latin1");
    assert_true(fits(text, map_of(.type = MY_VARCHAR, .metadata = 10, .collation = 8)));
    assert_true(fits(text, map_of(.type = MY_BLOB, .metadata = 2))); /* MariaDB without metadata */
    assert_true(fits(text, map_of(.type = MY_VARCHAR_COMPRESSED, .collation = 1071)));
    assert_false(fits(text, map_of(.type = MY_VARCHAR, .collation = 45)));
    assert_false(fits(text, map_of(.type = MY_VARCHAR, .collation = 63)));
    struct my_catalog_column binary = column_of(.data_type = "binary", .length = 16);
    assert_true(fits(binary, map_of(.type = MY_STRING, .metadata = 16, .collation = 63)));
    assert_false(fits(binary, map_of(.type = MY_STRING, .metadata = 15, .collation = 63)));
    assert_false(fits(binary, map_of(.type = MY_VARCHAR, .metadata = 16, .collation = 63)));
    struct my_catalog_column uuid = column_of(.data_type = "uuid");
    assert_true(fits(uuid, map_of(.type = MY_STRING, .metadata = 16, .collation = 63)));
    assert_false(fits(uuid, map_of(.type = MY_STRING, .metadata = 4, .collation = 63)));
    const char *const known[] = {"a", "ü"};
    struct my_catalog_column labelled =
        column_of(.data_type = "enum", .labels = known, .label_count = 2);
    const struct str same[] = {{"a", 1}, {"\xFC", 1}};
    const struct str other[] = {{"a", 1}, {"\xFD", 1}};
    struct table_map_column map =
        map_of(.type = MY_ENUM, .metadata = 1, .collation = 8, .labels = same, .label_count = 2);
    assert_true(fits(labelled, map));
    map.labels = other;
    assert_false(fits(labelled, map));
    map.label_count = 1;
    assert_false(fits(labelled, map));
    map.labels = NULL;
    assert_true(fits(labelled, map));
}

static struct my_value_rule rule_of_map(const struct table_map_column *map, struct arena *arena,
                                        const char **why)
{
    return my_value_rule_of_map(map, false, false, UNREPRESENTABLE_FAIL, arena, why);
}

static void a_map_gives_labels_in_utf8_and_says_what_it_lacks(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *why = NULL;
    const struct str labels[] = {{"a", 1}, {"\xFC", 1}};
    struct table_map_column map =
        map_of(.type = MY_SET, .metadata = 1, .collation = 8, .labels = labels, .label_count = 2);
    struct my_value_rule rule = rule_of_map(&map, &arena, &why);
    assert_null(why);
    assert_string_equal(rule.labels[1], "ü");
    map.labels = NULL;
    assert_int_equal(rule_of_map(&map, &arena, &why).kind, MY_VALUE_UNSUPPORTED);
    assert_non_null(strstr(why, "labels"));
    map = map_of(.type = MY_VARCHAR, .metadata = 10);
    assert_int_equal(rule_of_map(&map, &arena, &why).kind, MY_VALUE_UNSUPPORTED);
    assert_non_null(strstr(why, "character set"));
    map = map_of(.type = MY_LONG);
    assert_int_equal(rule_of_map(&map, &arena, &why).kind, MY_VALUE_UNSUPPORTED);
    assert_non_null(strstr(why, "unsigned"));
    map = map_of(.type = MY_GEOMETRY, .metadata = 4);
    assert_int_equal(rule_of_map(&map, &arena, &why).kind, MY_VALUE_UNSUPPORTED);
    assert_non_null(strstr(why, "geometry"));
    arena_release(&arena);
}

/* --- Values --- */

struct cell {
    struct batch *batch;
    bool stored;
    struct error err;
};

static struct cell cell_new(const struct my_value_rule *rule)
{
    struct schema *s = schema_new(1);
    s->columns[0] = (struct schema_column){.name = "c", .type = rule->type, .nullable = true};
    schema_seal(s);
    struct cell cell = {.batch = batch_new(s, 0, 1)};
    schema_release(s);
    (void)batch_add_row(cell.batch, ROW_INSERT, IMAGE_WHOLE);
    return cell;
}

static void assert_error(struct cell cell, enum error_kind kind, const char *text)
{
    struct error broken = {0};
    assert_false(cell.stored);
    assert_true(batch_check(cell.batch, &broken));
    assert_int_equal(cell.err.kind, kind);
    if (!strstr(cell.err.message, text)) {
        fail_msg("\"%s\" is not in \"%s\"", text, cell.err.message);
    }
    batch_release(cell.batch);
}

static struct cell from_image(const struct my_value_rule *rule, struct table_map_column map,
                              const char *bytes, size_t size)
{
    char *copy = malloc(size ? size : 1); /* so that the sanitizer sees a read past the end */
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    struct cell cell = cell_new(rule);
    struct reader image = reader_from(copy, size);
    cell.stored = my_value_from_image(rule, &map, &image, cell.batch, 0, 0, &cell.err);
    free(copy);
    return cell;
}

#define image_of(rule, map, bytes) from_image((rule), (map), (bytes), sizeof(bytes) - 1)

static struct cell from_text(const struct my_value_rule *rule, const char *text)
{
    struct cell cell = cell_new(rule);
    cell.stored = my_value_from_text(rule, str_from(text), cell.batch, 0, 0, &cell.err);
    return cell;
}

static void labels_that_are_not_known_are_refused(void **state)
{
    (void)state;
    const char *why = NULL;
    const char *const labels[] = {"a", "b"};
    struct my_value_rule rule =
        rule_of(column_of(.data_type = "enum", .labels = labels, .label_count = 2), false, &why);
    struct table_map_column map = map_of(.type = MY_ENUM, .metadata = 1);
    assert_error(image_of(&rule, map, "\x03"), ERROR_DATA, "label 3 of enum is not among the 2");
    rule = rule_of(column_of(.data_type = "set", .labels = labels, .label_count = 2), false, &why);
    map.type = MY_SET;
    assert_error(image_of(&rule, map, "\x05"), ERROR_DATA, "label 3 of set is not among the 2");
}

static void malformed_images_are_refused(void **state)
{
    (void)state;
    const char *why = NULL;
    struct my_value_rule rule =
        rule_of(column_of(.data_type = "decimal", .precision = 4, .scale = 2), false, &why);
    struct table_map_column map = map_of(.type = MY_NEWDECIMAL, .metadata = 4 << 8 | 2);
    assert_error(image_of(&rule, map, "\x80\x64"), ERROR_FATAL, "no value of type decimal");
    assert_error(image_of(&rule, map, "\x80"), ERROR_FATAL, "cut off");
    rule = rule_of(column_of(.data_type = "double"), false, &why);
    assert_error(image_of(&rule, map_of(.type = MY_DOUBLE), "\0\0\0\0\0\0\xF0\x7F"), ERROR_FATAL,
                 "no value of type double");
    rule = rule_of(column_of(.data_type = "datetime"), false, &why);
    assert_error(image_of(&rule, map_of(.type = MY_DATETIME2), "\x7F\0\0\0\0"), ERROR_FATAL,
                 "no value of type datetime");
    rule = rule_of(column_of(.data_type = "varchar", .charset = "latin1"), false, &why);
    assert_error(image_of(&rule, map_of(.type = MY_BLOB, .metadata = 9), "\x01\x02"), ERROR_FATAL,
                 "type 252 with metadata 9");
    struct table_map_column packed = map_of(.type = MY_BLOB_COMPRESSED, .metadata = 1);
    assert_error(image_of(&rule, packed, "\x03\x90zz"), ERROR_DATA, "unknown method 9");
    assert_error(image_of(&rule, packed, "\x01\x81"), ERROR_FATAL, "malformed header");
    assert_error(image_of(&rule, packed, "\x05\x84\xFF\xFF\xFF\xFF"), ERROR_DATA, "larger than");
    assert_error(image_of(&rule, packed, "\x06\x84\x0F\xFF\xFF\xFFx"), ERROR_FATAL, "claim");
    assert_error(image_of(&rule, packed, "\x06\x81\x04xxxx"), ERROR_FATAL, "inflated");
}

static void text_that_is_no_value_is_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *data_type;
        const char *text;
    } cases[] = {
        {"int", "12x"},
        {"int", ""},
        {"int", "-"},
        {"int", "1.5"},
        {"date", "2024-1-1"},
        {"date", "2024-01-01 "},
        {"time", "1:00:00"},
        {"time", "00:60:00"},
        {"datetime", "2024-01-01T00:00:00"},
        {"datetime", "2024-13-01 00:00:00"},
        {"double", "0x10"},
        {"double", "nan"},
        {"float", "1e39"},
        {"uuid", "123"},
        {"decimal", "1.234"},
        {"bit", "b'1'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = NULL;
        struct my_value_rule rule = rule_of(
            column_of(.data_type = cases[i].data_type, .precision = 10, .scale = 2, .length = 8),
            false, &why);
        char quoted[64];
        (void)snprintf(quoted, sizeof(quoted), "'%s' is not a value of type", cases[i].text);
        assert_error(from_text(&rule, cases[i].text), ERROR_DATA, quoted);
    }
}

static void numbers_beyond_the_column_are_refused(void **state)
{
    (void)state;
    const char *why = NULL;
    struct my_value_rule rule = rule_of(column_of(.data_type = "smallint"), false, &why);
    assert_error(from_text(&rule, "32768"), ERROR_DATA, "32768 is outside");
    rule = rule_of(column_of(.data_type = "bit", .length = 1), false, &why);
    assert_error(from_text(&rule, "2"), ERROR_DATA, "2 is outside");
    rule = rule_of(column_of(.data_type = "decimal", .precision = 4, .scale = 2), false, &why);
    assert_error(from_text(&rule, "100.00"), ERROR_DATA, "outside");
}

static void text_in_another_character_set_is_refused_or_null(void **state)
{
    (void)state;
    const char *why = NULL;
    struct my_value_rule rule =
        rule_of(column_of(.data_type = "varchar", .charset = "cp1250"), false, &why);
    struct table_map_column map = map_of(.type = MY_VARCHAR, .metadata = 10);
    assert_error(image_of(&rule, map, "\x01\x81"), ERROR_DATA, "not valid cp1250");
    rule.unrepresentable = UNREPRESENTABLE_NULL;
    struct cell cell = image_of(&rule, map, "\x01\x81");
    assert_true(cell.stored);
    assert_false(column_is_valid(&cell.batch->columns[0], 0));
    batch_release(cell.batch);
}

/* Before MySQL 5.6, and MariaDB with mysql56_temporal_format=OFF. */
static void times_of_old_formats_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *data_type;
        enum my_type type;
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"time", MY_TIME, "\xC0\x1D\xFE", 3, "-12:34:56"},
        {"time", MY_TIME, "\x47\xF5\x7F", 3, "838:58:63"},
        {"datetime", MY_DATETIME, "\x80\xC5\xAA\x8B\x68\x12\0\0", 8, "2024-02-29 12:34:56"},
        {"timestamp", MY_TIMESTAMP, "\xF0\x79\xE0\x65", 4, "2024-02-29 12:34:56"},
        {"timestamp", MY_TIMESTAMP, "\0\0\0\0", 4, "0000-00-00 00:00:00"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = NULL;
        struct my_value_rule rule = rule_of(column_of(.data_type = cases[i].data_type), true, &why);
        struct table_map_column map = map_of(.type = cases[i].type);
        assert_true(my_value_rule_fits(&rule, &map));
        struct cell cell = from_image(&rule, map, cases[i].bytes, cases[i].size);
        if (i == 1) {
            assert_error(cell, ERROR_FATAL, "no value of type time");
            continue;
        }
        assert_true(cell.stored);
        struct str text = view_str(cell.batch->columns[0].values);
        assert_true(str_equal(text, str_from(cases[i].text)));
        batch_release(cell.batch);
    }
}

static void names_are_quoted_in_statements(void **state)
{
    (void)state;
    const char *why = NULL;
    struct my_value_rule rule = rule_of(column_of(.data_type = "bit", .length = 3), false, &why);
    struct buf sql = {0};
    my_value_append_select(&rule, "a`b\"", &sql);
    assert_string_equal(buf_text(&sql), "`a``b\"`+0");
    buf_release(&sql);
}

static void years_of_two_digits_are_text(void **state)
{
    (void)state;
    const char *why = NULL;
    struct my_value_rule rule =
        rule_of(column_of(.data_type = "year", .type = "year(2)"), true, &why);
    struct cell cell = image_of(&rule, map_of(.type = MY_YEAR), "\x69");
    assert_true(cell.stored);
    assert_true(str_equal(view_str(cell.batch->columns[0].values), str_from("05")));
    batch_release(cell.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_get_the_smallest_type_that_holds_every_value),
        cmocka_unit_test(columns_get_the_type_of_their_kind),
        cmocka_unit_test(what_has_no_type_is_named),
        cmocka_unit_test(a_map_of_another_version_of_the_table_does_not_fit),
        cmocka_unit_test(strings_fit_by_character_set_and_length),
        cmocka_unit_test(a_map_gives_labels_in_utf8_and_says_what_it_lacks),
        cmocka_unit_test(labels_that_are_not_known_are_refused),
        cmocka_unit_test(malformed_images_are_refused),
        cmocka_unit_test(text_that_is_no_value_is_quoted),
        cmocka_unit_test(numbers_beyond_the_column_are_refused),
        cmocka_unit_test(text_in_another_character_set_is_refused_or_null),
        cmocka_unit_test(times_of_old_formats_are_read),
        cmocka_unit_test(names_are_quoted_in_statements),
        cmocka_unit_test(years_of_two_digits_are_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
