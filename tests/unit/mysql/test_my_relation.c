/* A captured table: its schema, how rows of the log map onto it, and what an ALTER does to both. */
#include "binlog_build.h"
#include "my_tables.h"
#include "source/mysql/relation.h"

struct fixture {
    struct arena arena;
    struct my_catalog_table table;
    struct my_relation relation;
    struct error err;
    bool ok;
};

static const struct config_strings no_text = {0};
static const struct my_relation_options options = {
    .as_text = &no_text, .unrepresentable = UNREPRESENTABLE_FAIL, .pipeline = "p"};

static struct fixture begin(const char *columns)
{
    struct fixture f = {0};
    f.table = table_of(&f.arena, "items", columns);
    f.ok = my_relation_init(&f.relation, &f.table, 3, &options, &f.err);
    return f;
}

static void end(struct fixture *f)
{
    my_relation_release(&f->relation);
    arena_release(&f->arena);
}

static void assert_says(const struct error *err, const char *text)
{
    if (!strstr(err->message, text)) {
        fail_msg("\"%s\" does not say \"%s\"", err->message, text);
    }
}

static void assert_lost(const struct fixture *f, const char *text)
{
    assert_false(f->ok);
    assert_says(&f->err, text);
    assert_int_equal(f->err.kind, ERROR_LOST);
    assert_says(&f->err, "table shop.items");
    assert_says(&f->err, "load again with leat reload p");
}

/* ---- schemas ---- */

static void the_schema_is_what_the_catalog_says(void **state)
{
    (void)state;
    struct fixture f = begin("id bigint_unsigned key; name varchar(50) null; price decimal(10,2);"
                             " at datetime(3) null");
    assert_true(f.ok);
    const struct schema *s = f.relation.schema;
    assert_int_equal(f.relation.table, 3);
    assert_int_equal(s->version, 1);
    assert_int_equal(s->column_count, 4);
    assert_int_equal(s->key_count, 1);
    assert_true(s->columns[0].is_key);
    assert_false(s->columns[0].nullable);
    assert_int_equal(s->columns[0].type.kind, TYPE_DECIMAL);
    assert_true(s->columns[1].nullable);
    assert_int_equal(s->columns[1].type.kind, TYPE_STRING);
    assert_string_equal(s->columns[2].source_type, "decimal(10,2)");
    assert_int_equal(s->columns[3].type.kind, TYPE_TIMESTAMP);
    end(&f);
}

static void columns_of_unknown_types_are_refused_by_name(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; place geometry null");
    assert_false(f.ok);
    assert_int_equal(f.err.kind, ERROR_CONFIG);
    assert_says(&f.err, "table shop.items, column \"place\"");
    assert_null(strstr(f.err.message, "as_text"));
    end(&f);
    f = begin("id int key; wide decimal(65,30)");
    assert_false(f.ok);
    assert_says(&f.err, "as_text: [\"decimal(65,30)\"] or as_text: [\"shop.items.wide\"]");
    end(&f);
}

static void as_text_names_a_column_a_type_or_the_kind_of_it(void **state)
{
    (void)state;
    static const char *const listed[] = {"shop.items.wide", "decimal(65,30)", "DECIMAL"};
    for (size_t i = 0; i < 3; i++) {
        const char *items[] = {listed[i]};
        struct config_strings as_text = {.items = items, .count = 1};
        struct my_relation_options wanted = options;
        wanted.as_text = &as_text;
        struct fixture f = {0};
        f.table = table_of(&f.arena, "items", "id int key; wide decimal(65,30)");
        assert_true(my_relation_init(&f.relation, &f.table, 0, &wanted, &f.err));
        assert_int_equal(f.relation.schema->columns[1].type.kind, TYPE_STRING);
        end(&f);
    }
}

static void dates_that_may_become_null_are_nullable(void **state)
{
    (void)state;
    struct my_relation_options wanted = options;
    wanted.unrepresentable = UNREPRESENTABLE_NULL;
    struct fixture f = {0};
    f.table = table_of(&f.arena, "items", "id int key; d date; n int");
    assert_true(my_relation_init(&f.relation, &f.table, 0, &wanted, &f.err));
    assert_true(f.relation.schema->columns[1].nullable);
    assert_false(f.relation.schema->columns[2].nullable);
    end(&f);
}

static void versioned_tables_are_refused(void **state)
{
    (void)state;
    struct fixture f = {0};
    f.table = table_of(&f.arena, "items", "id int key");
    f.table.is_versioned = true;
    assert_false(my_relation_init(&f.relation, &f.table, 0, &options, &f.err));
    assert_says(&f.err, "system-versioned");
    end(&f);
}

/* ---- table maps ---- */

static void map_rows(struct fixture *f, const struct mapped_column *columns, uint32_t count,
                     bool has_names)
{
    struct buf bytes = {0};
    append_map(&bytes, 9, "items", columns, count, has_names);
    f->err = (struct error){0};
    f->ok = my_relation_map(&f->relation, buf_str(&bytes), &options, &f->err);
    buf_release(&bytes);
}

static void rows_map_by_place_where_the_log_names_no_columns(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; name varchar(50) null");
    struct mapped_column columns[] = {not_null(int_mapped("?")), varchar_mapped("?"),
                                      int_mapped("?")};
    map_rows(&f, columns, 2, false);
    assert_true(f.ok);
    assert_int_equal(f.relation.columns[0].target, 0);
    assert_int_equal(f.relation.columns[1].target, 1);
    assert_int_equal(f.relation.absent_count, 0);
    map_rows(&f, columns, 3, false);
    assert_lost(&f, "another number of columns");
    map_rows(&f, columns, 1, false);
    assert_lost(&f, "another number of columns");
    end(&f);
}

static void hidden_columns_stand_behind_the_others(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; name varchar(50) null");
    f.relation.known.hidden_count = 1;
    struct mapped_column columns[] = {int_mapped("id"), varchar_mapped("name"),
                                      bigint_mapped("DB_ROW_HASH_1")};
    map_rows(&f, columns, 3, false);
    assert_true(f.ok);
    assert_int_equal(f.relation.columns[2].target, -1);
    map_rows(&f, columns, 3, true);
    assert_true(f.ok);
    assert_int_equal(f.relation.columns[2].target, -1);
    map_rows(&f, columns, 2, false);
    assert_lost(&f, "another number of columns");
    end(&f);
}

static void rows_map_by_name_where_the_log_has_names(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; name varchar(50) null; late int null");
    struct mapped_column columns[] = {varchar_mapped("NAME"), int_mapped("gone"), int_mapped("id")};
    map_rows(&f, columns, 3, true);
    assert_true(f.ok);
    assert_int_equal(f.relation.columns[0].target, 1);
    assert_int_equal(f.relation.columns[1].target, -1);
    assert_int_equal(f.relation.columns[2].target, 0);
    assert_int_equal(f.relation.absent_count, 1);
    assert_int_equal(f.relation.absent[0], 2);
    map_rows(&f, columns, 2, true);
    assert_lost(&f, "without its key");
    end(&f);
}

static void rows_of_an_older_type_go_into_the_wider_one_or_are_lost(void **state)
{
    (void)state;
    struct fixture f = begin("id bigint key; name varchar(50) null");
    struct mapped_column narrow[] = {int_mapped("id"), varchar_mapped("name")};
    map_rows(&f, narrow, 2, true);
    assert_true(f.ok);
    assert_int_equal(f.relation.columns[0].rule.type.kind, TYPE_INT64);
    struct mapped_column other[] = {bigint_mapped("id"), int_mapped("name")};
    map_rows(&f, other, 2, true);
    assert_lost(&f, "column \"name\" is of type int, which is not what the table has now");
    end(&f);
    f = begin("id int key");
    struct mapped_column wide[] = {bigint_mapped("id")};
    map_rows(&f, wide, 1, false);
    assert_lost(&f, "column \"id\" is of type bigint");
    end(&f);
}

static void a_map_that_cannot_be_read_is_wrapped_and_forgotten(void **state)
{
    (void)state;
    struct fixture f = begin("id int key");
    struct mapped_column columns[] = {int_mapped("id")};
    map_rows(&f, columns, 1, true);
    assert_true(f.ok);
    f.ok = my_relation_map(&f.relation, bytes("\1\2\3"), &options, &f.err);
    assert_false(f.ok);
    assert_says(&f.err, "table shop.items");
    assert_int_equal(f.relation.map_bytes.size, 0);
    end(&f);
}

/* ---- ALTER ---- */

struct alteration {
    const char *before;
    const char *statement;
    const char *after;  /* NULL: the table is gone */
    const char *lost;   /* NULL: it is followed */
    const char *schema; /* then: names of its columns; NULL: it is the one before */
    bool is_past;
    bool is_lax; /* outside of strict mode */
};

static void append_schema(const struct schema *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        buf_append_text(out, i ? " " : "");
        buf_append_text(out, s->columns[i].name);
    }
}

static void check_alteration(const struct alteration *a)
{
    struct fixture f = begin(a->before);
    assert_true(f.ok);
    owned(my_relation_facts_release) struct my_relation_facts facts = {0};
    if (a->after) {
        facts.now = table_of(&facts.arena, "items", a->after);
    }
    struct ddl ddl = {0};
    ddl_read(str_from(a->statement), str_from("shop"), &f.arena, &ddl);
    assert_int_equal(ddl.kind, DDL_ALTER);
    struct my_relation_statement statement = {
        .ddl = &ddl, .is_past = a->is_past, .is_strict = !a->is_lax};
    bool changed = false;
    f.ok = my_relation_alter(&f.relation, &statement, &facts, &options, &changed, &f.err);
    if (a->lost) {
        assert_lost(&f, a->lost);
        end(&f);
        return;
    }
    if (!f.ok) {
        fail_msg("%s: %s", a->statement, f.err.message);
    }
    struct buf names = {0};
    append_schema(f.relation.schema, &names);
    if (changed != (a->schema != NULL)) {
        fail_msg("%s: changed %d", a->statement, changed);
    }
    if (a->schema) {
        assert_string_equal(buf_text(&names), a->schema);
        assert_int_equal(f.relation.schema->version, 2);
    }
    buf_release(&names);
    end(&f);
}

#define ITEMS "id int key; name varchar(50) null; price decimal(10,2) null"

static void what_leaves_old_rows_as_they_are_is_followed(void **state)
{
    (void)state;
    static const struct alteration cases[] = {
        {ITEMS, "ALTER TABLE items ADD COLUMN extra int", ITEMS "; extra int null", NULL,
         "id name price extra", false, false},
        {ITEMS, "ALTER TABLE items ADD extra int NULL DEFAULT NULL FIRST", "extra int null; " ITEMS,
         NULL, "extra id name price", false, false},
        {ITEMS, "ALTER TABLE items DROP COLUMN name", "id int key; price decimal(10,2) null", NULL,
         "id price", false, false},
        {ITEMS, "ALTER TABLE items ADD extra int, DROP name",
         "id int key; price decimal(10,2) null; extra int null", NULL, "id price extra", false,
         false},
        {ITEMS, "ALTER TABLE items MODIFY id bigint",
         "id bigint key; name varchar(50) null; price decimal(10,2) null", NULL, "id name price",
         false, false},
        {ITEMS, "ALTER TABLE items MODIFY name varchar(80)",
         "id int key; name varchar(80) null; price decimal(10,2) null", NULL, "id name price",
         false, false},
        {ITEMS, "ALTER TABLE items MODIFY price decimal(12,2)",
         "id int key; name varchar(50) null; price decimal(12,2) null", NULL, "id name price",
         false, false},
        {ITEMS, "ALTER TABLE items MODIFY name longtext",
         "id int key; name longtext null; price decimal(10,2) null", NULL, "id name price", false,
         false},
        {"id int key; e enum('a','b') null", "ALTER TABLE items MODIFY e enum('a','b','c')",
         "id int key; e enum('a','b','c') null", NULL, "id e", false, false},
        {"id int key; t datetime(3) null", "ALTER TABLE items MODIFY t datetime(6)",
         "id int key; t datetime(6) null", NULL, "id t", false, false},
        {"id int key; n int null", "ALTER TABLE items MODIFY n int NOT NULL", "id int key; n int",
         NULL, "id n", false, false},
        {"id int key; s varchar(9) null latin1",
         "ALTER TABLE items MODIFY s varchar(9) CHARACTER SET utf8mb4",
         "id int key; s varchar(9) null", NULL, "id s", false, false},
        {ITEMS, "ALTER TABLE items ADD INDEX (name), COMMENT 'x'", ITEMS, NULL, NULL, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_alteration(&cases[i]);
    }
}

static void what_a_later_statement_does_does_not_count_yet(void **state)
{
    (void)state;
    static const struct alteration cases[] = {
        /* The catalog is ahead: the second statement is still to come. */
        {ITEMS, "ALTER TABLE items ADD COLUMN first int", ITEMS "; first int null; second int null",
         NULL, "id name price first", false, false},
        {ITEMS, "ALTER TABLE items ADD COLUMN first int",
         "id int key; price decimal(10,2) null; first int null", NULL, "id price first name", false,
         false},
        {ITEMS, "ALTER TABLE items DROP COLUMN name", ITEMS, NULL, "id price", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_alteration(&cases[i]);
    }
}

static void what_may_change_old_rows_is_lost(void **state)
{
    (void)state;
    static const struct alteration cases[] = {
        {ITEMS, "ALTER TABLE items ADD extra int DEFAULT 5", ITEMS "; extra int null default=5",
         "column \"extra\" was added with a value for old rows", NULL, false, false},
        {ITEMS, "ALTER TABLE items ADD extra int NOT NULL", ITEMS "; extra int",
         "column \"extra\" was added with a value for old rows", NULL, false, false},
        {ITEMS, "ALTER TABLE items DROP name, ADD name varchar(50)", ITEMS,
         "column \"name\" was dropped and added again", NULL, false, false},
        {ITEMS, "ALTER TABLE items DROP COLUMN id", "name varchar(50) null",
         "column \"id\" of the key was dropped", NULL, false, false},
        {ITEMS, "ALTER TABLE items RENAME COLUMN name TO title", ITEMS,
         "column \"name\" was renamed", NULL, false, false},
        {ITEMS, "ALTER TABLE items CHANGE name title varchar(50)", ITEMS,
         "column \"name\" was renamed", NULL, false, false},
        {ITEMS, "ALTER TABLE items MODIFY name varchar(50) AS (concat(id)) STORED", ITEMS,
         "column \"name\" is generated anew", NULL, false, false},
        {ITEMS, "ALTER TABLE items MODIFY name varchar(80)", ITEMS,
         "column \"name\" was altered while the pipeline did not run", NULL, true, false},
        {ITEMS, "ALTER TABLE items DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)", ITEMS,
         "has another primary key", NULL, false, false},
        {ITEMS, "ALTER TABLE items TRUNCATE PARTITION p0", ITEMS,
         "was altered in a way that changes rows without change events", NULL, false, false},
        {ITEMS, "ALTER TABLE items RENAME TO things", ITEMS, "was renamed", NULL, false, false},
        {ITEMS, "ALTER TABLE items FROBNICATE", ITEMS,
         "was altered in a way that leat does not follow", NULL, false, false},
        {ITEMS, "ALTER TABLE items ADD extra int", NULL, "does not exist any more", NULL, false,
         false},
        {ITEMS, "ALTER TABLE items ADD extra int",
         "id int key; name varchar(50) key; price decimal(10,2) null; extra int null",
         "has another primary key", NULL, false, false},
        {ITEMS, "ALTER TABLE items MODIFY name varchar(50) NOT NULL",
         "id int key; name varchar(50); price decimal(10,2) null",
         "column \"name\" was made NOT NULL", NULL, false, true},
        {ITEMS, "ALTER TABLE items MODIFY name varchar(20)",
         "id int key; name varchar(20) null; price decimal(10,2) null",
         "column \"name\" changed its type from varchar(50) to varchar(20)", NULL, false, false},
        {ITEMS, "ALTER TABLE items MODIFY price decimal(10,4)",
         "id int key; name varchar(50) null; price decimal(10,4) null",
         "column \"price\" changed its type", NULL, false, false},
        {ITEMS, "ALTER TABLE items MODIFY name varbinary(50)",
         "id int key; name varbinary(50) null; price decimal(10,2) null",
         "column \"name\" changed its type", NULL, false, false},
        {"id int key; n int null", "ALTER TABLE items MODIFY n bigint unsigned",
         "id int key; n bigint_unsigned null", "column \"n\" changed its type", NULL, false, false},
        {"id int key; e enum('a','b') null", "ALTER TABLE items MODIFY e enum('b','a')",
         "id int key; e enum('b','a') null", "column \"e\" changed its type", NULL, false, false},
        {"id int key; t datetime(6) null", "ALTER TABLE items MODIFY t datetime(3)",
         "id int key; t datetime(3) null", "column \"t\" changed its type", NULL, false, false},
        {"id int key; t datetime(6) null", "ALTER TABLE items MODIFY t timestamp(6) NULL",
         "id int key; t timestamp(6) null", "column \"t\" changed its type", NULL, false, false},
        {"id int key; b binary(4) null", "ALTER TABLE items MODIFY b binary(8)",
         "id int key; b binary(8) null", "column \"b\" changed its type", NULL, false, false},
        {"id int key; s varchar(9) null", "ALTER TABLE items MODIFY s varchar(9) CHARSET latin1",
         "id int key; s varchar(9) null latin1", "column \"s\" changed its type", NULL, false,
         false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_alteration(&cases[i]);
    }
}

static void a_new_column_of_a_type_that_is_not_supported_is_refused(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    owned(my_relation_facts_release) struct my_relation_facts facts = {0};
    facts.now = table_of(&facts.arena, "items", ITEMS "; place geometry null");
    struct ddl ddl = {0};
    ddl_read(str_from("ALTER TABLE items ADD place geometry"), str_from("shop"), &f.arena, &ddl);
    struct my_relation_statement statement = {.ddl = &ddl, .is_strict = true};
    bool changed = false;
    assert_false(my_relation_alter(&f.relation, &statement, &facts, &options, &changed, &f.err));
    assert_int_equal(f.err.kind, ERROR_CONFIG);
    assert_says(&f.err, "column \"place\"");
    end(&f);
}

static void loosening_leaves_all_but_the_one_column(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; a int; b int");
    my_relation_loosen(&f.relation, 2);
    assert_int_equal(f.relation.schema->version, 2);
    assert_false(f.relation.schema->columns[1].nullable);
    assert_true(f.relation.schema->columns[2].nullable);
    assert_string_equal(f.relation.schema->columns[2].name, "b");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_is_what_the_catalog_says),
        cmocka_unit_test(columns_of_unknown_types_are_refused_by_name),
        cmocka_unit_test(as_text_names_a_column_a_type_or_the_kind_of_it),
        cmocka_unit_test(dates_that_may_become_null_are_nullable),
        cmocka_unit_test(versioned_tables_are_refused),
        cmocka_unit_test(rows_map_by_place_where_the_log_names_no_columns),
        cmocka_unit_test(hidden_columns_stand_behind_the_others),
        cmocka_unit_test(rows_map_by_name_where_the_log_has_names),
        cmocka_unit_test(rows_of_an_older_type_go_into_the_wider_one_or_are_lost),
        cmocka_unit_test(a_map_that_cannot_be_read_is_wrapped_and_forgotten),
        cmocka_unit_test(what_leaves_old_rows_as_they_are_is_followed),
        cmocka_unit_test(what_a_later_statement_does_does_not_count_yet),
        cmocka_unit_test(what_may_change_old_rows_is_lost),
        cmocka_unit_test(a_new_column_of_a_type_that_is_not_supported_is_refused),
        cmocka_unit_test(loosening_leaves_all_but_the_one_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
