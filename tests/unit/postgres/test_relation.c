#include <stdlib.h>

#include "source/postgres/relation.h"
#include "source/postgres/value.h"
#include "test.h"

/* A table (id integer primary key, name text, amount numeric(10,2)) whose catalog a test changes.
 */
enum { COLUMNS_MAX = 6 };
struct fixture {
    struct catalog_column columns[COLUMNS_MAX];
    struct catalog_table table;
    struct relation relation;
    struct config_strings as_text;
    struct relation_options options;
    struct error err;
};

static struct catalog_type type_of(uint32_t id, int32_t typmod)
{
    static const struct {
        uint32_t id;
        const char *name;
        const char *short_name;
    } names[] = {
        {VALUE_INT4, "integer", "int4"},       {VALUE_INT8, "bigint", "int8"},
        {VALUE_TEXT, "text", "text"},          {VALUE_VARCHAR, "character varying", "varchar"},
        {VALUE_NUMERIC, "numeric", "numeric"}, {VALUE_JSON, "json", "json"},
        {VALUE_JSONB, "jsonb", "jsonb"},       {1186, "interval", "interval"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].id == id) {
            return (struct catalog_type){.name = names[i].name,
                                         .bare_name = names[i].name,
                                         .short_name = names[i].short_name,
                                         .base_id = id,
                                         .base_typmod = typmod};
        }
    }
    return (struct catalog_type){0};
}

static struct catalog_column column_of(const char *name, int32_t number, uint32_t type,
                                       int32_t typmod)
{
    return (struct catalog_column){.name = name,
                                   .number = number,
                                   .type_id = type,
                                   .typmod = typmod,
                                   .changed_by = 100,
                                   .type = type_of(type, typmod)};
}

enum { NUMERIC_10_2 = (10 << 16 | 2) + 4, NUMERIC_12_2 = (12 << 16 | 2) + 4 };

static struct fixture *setup(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->columns[0] = column_of("id", 1, VALUE_INT4, -1);
    f->columns[0].is_key = true;
    f->columns[0].not_null = true;
    f->columns[1] = column_of("name", 2, VALUE_TEXT, -1);
    f->columns[2] = column_of("amount", 3, VALUE_NUMERIC, NUMERIC_10_2);
    f->table = (struct catalog_table){.name = {"public", "t"},
                                      .id = 7,
                                      .file_node = 7,
                                      .kind = 'r',
                                      .persistence = 'p',
                                      .replica_identity = 'd',
                                      .column_count = 3,
                                      .columns = f->columns};
    f->options = (struct relation_options){.as_text = &f->as_text, .pipeline = "shop"};
    return f;
}

/* The relation as open() makes it; it has a copy of the columns, which the test goes on to change.
 */
static void init(struct fixture *f)
{
    struct catalog_table known = f->table;
    known.columns = arena_copy(&f->relation.known_arena, f->columns, sizeof(f->columns));
    struct arena arena = f->relation.known_arena;
    if (!relation_init(&f->relation, &known, 0, &f->options, &f->err)) {
        fail_msg("%s", f->err.message);
    }
    f->relation.known_arena = arena;
}

static void teardown(struct fixture *f)
{
    relation_release(&f->relation);
    free(f);
}

/* The server describes `sent`; the catalog has what f->table says. */
static bool describe(struct fixture *f, const struct catalog_column *sent, uint32_t count,
                     bool *changed)
{
    struct pgoutput_message *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    m->kind = PGOUTPUT_RELATION;
    m->relation_id = 7;
    m->relation.schema = str_from("public");
    m->relation.table = str_from("t");
    m->relation.replica_identity = f->table.replica_identity;
    m->relation.column_count = count;
    struct relation_facts facts = {.now = f->table};
    facts.now.columns = arena_copy(&facts.arena, f->columns, sizeof(f->columns));
    facts.types = arena_array(&facts.arena, count, sizeof(*facts.types));
    for (uint32_t i = 0; i < count; i++) {
        m->relation.columns[i] = (struct pgoutput_column){
            .is_key = sent[i].is_key || f->table.replica_identity == 'f',
            .name = str_from(sent[i].name),
            .type_id = sent[i].type_id,
            .typmod = sent[i].typmod,
        };
        facts.types[i] = sent[i].type;
    }
    f->err = (struct error){0};
    bool done = relation_describe(&f->relation, m, &facts, &f->options, changed, &f->err);
    relation_facts_release(&facts);
    free(m);
    return done;
}

/* The stream is where the catalog is. */
static void assert_follows(struct fixture *f, bool expect_change)
{
    bool changed = false;
    if (!describe(f, f->columns, f->table.column_count, &changed)) {
        fail_msg("%s", f->err.message);
    }
    assert_int_equal(changed, expect_change);
}

static void assert_lost(struct fixture *f, const char *text)
{
    bool changed = false;
    assert_false(describe(f, f->columns, f->table.column_count, &changed));
    assert_int_equal(f->err.kind, ERROR_LOST);
    if (!strstr(f->err.message, text) || !strstr(f->err.message, "leat reload shop")) {
        fail_msg("%s", f->err.message);
    }
}

static void add_column(struct fixture *f, struct catalog_column column)
{
    f->columns[f->table.column_count++] = column;
}

static void the_schema_is_what_the_catalog_says(void **state)
{
    (void)state;
    struct fixture *f = setup();
    init(f);
    const struct schema *s = f->relation.schema;
    assert_int_equal(s->column_count, 3);
    assert_int_equal(s->key_count, 1);
    assert_true(s->columns[0].is_key && !s->columns[0].nullable);
    assert_true(s->columns[1].nullable);
    assert_true(type_equal(s->columns[2].type, (struct type){TYPE_DECIMAL, 10, 2}));
    assert_follows(f, false);
    teardown(f);
}

static void assert_unsupported(struct fixture *f, const char *text)
{
    assert_false(relation_init(&f->relation, &f->table, 0, &f->options, &f->err));
    assert_int_equal(f->err.kind, ERROR_CONFIG);
    if (!strstr(f->err.message, text)) {
        fail_msg("%s", f->err.message);
    }
    teardown(f);
}

static void a_type_without_a_native_form_names_the_setting(void **state)
{
    (void)state;
    struct fixture *f = setup();
    add_column(f, column_of("span", 4, 1186, -1));
    assert_unsupported(
        f, "public.t, column \"span\": type interval is not supported; as_text: [\"interval\"]");
    f = setup();
    add_column(f, column_of("any", 4, VALUE_NUMERIC, -1));
    assert_unsupported(f, "without a precision");
}

static void as_text_lets_a_type_or_a_column_through(void **state)
{
    (void)state;
    static const char *const settings[] = {"interval", "public.t.span"};
    for (size_t i = 0; i < 2; i++) {
        struct fixture *f = setup();
        add_column(f, column_of("span", 4, 1186, -1));
        const char *items[] = {settings[i]};
        f->as_text = (struct config_strings){.items = items, .count = 1};
        init(f);
        assert_int_equal(f->relation.schema->columns[3].type.kind, TYPE_STRING);
        assert_false(relation_is_binary(&f->relation));
        teardown(f);
    }
}

static void numeric_as_text_leaves_numerics_with_a_precision_alone(void **state)
{
    (void)state;
    struct fixture *f = setup();
    f->columns[2].type.name = "numeric(10,2)";
    add_column(f, column_of("any", 4, VALUE_NUMERIC, -1));
    const char *items[] = {"numeric"};
    f->as_text = (struct config_strings){.items = items, .count = 1};
    init(f);
    assert_int_equal(f->relation.schema->columns[2].type.kind, TYPE_DECIMAL);
    assert_int_equal(f->relation.schema->columns[3].type.kind, TYPE_STRING);
    teardown(f);
}

static void added_and_dropped_columns_are_followed(void **state)
{
    (void)state;
    struct fixture *f = setup();
    init(f);
    add_column(f, column_of("note", 4, VALUE_TEXT, -1));
    assert_follows(f, true);
    assert_int_equal(f->relation.schema->column_count, 4);
    assert_true(f->relation.schema->columns[3].nullable);
    assert_follows(f, false);
    f->columns[1] = f->columns[2]; /* DROP COLUMN name */
    f->columns[2] = f->columns[3];
    f->table.column_count = 3;
    assert_follows(f, true);
    assert_int_equal(f->relation.schema->column_count, 3);
    assert_string_equal(f->relation.schema->columns[1].name, "amount");
    teardown(f);
}

static void widening_types_are_followed_even_though_they_rewrite_the_table(void **state)
{
    (void)state;
    struct fixture *f = setup();
    init(f);
    f->columns[0] = column_of("id", 1, VALUE_INT8, -1);
    f->columns[0].is_key = true;
    f->columns[0].not_null = true;
    f->columns[0].changed_by = 200;
    f->table.file_node = 8;
    assert_follows(f, true);
    assert_int_equal(f->relation.schema->columns[0].type.kind, TYPE_INT64);
    f->columns[2] = column_of("amount", 3, VALUE_NUMERIC, NUMERIC_12_2);
    assert_follows(f, true);
    assert_int_equal(f->relation.schema->columns[2].type.precision, 12);
    f->columns[1] =
        column_of("name", 2, VALUE_VARCHAR, -1); /* text without a limit by another name */
    assert_follows(f, false);
    teardown(f);
}

static void what_changes_old_rows_without_an_event_is_lost(void **state)
{
    (void)state;
    struct fixture *f = setup();
    init(f);
    add_column(f, column_of("level", 4, VALUE_INT4, -1));
    f->columns[3].has_missing = true;
    assert_lost(f, "column \"level\" was added with a default");
    f->columns[3].has_missing = false;
    f->columns[3].has_default = true; /* a volatile one: it rewrote the table */
    f->table.file_node = 8;
    assert_lost(f, "column \"level\" was added with a default");
    f->columns[3].has_default = false;
    assert_lost(f, "column \"level\" was added and the table was rewritten");
    f->table.column_count = 3;
    f->columns[1].changed_by = 200; /* ALTER COLUMN name TYPE text USING upper(name) */
    assert_lost(f, "column \"name\" was altered and the table was rewritten");
    teardown(f);

    f = setup();
    init(f);
    f->columns[1].number = 4;
    assert_lost(f, "column \"name\" was dropped and added again");
    f->columns[1] = column_of("name", 2, VALUE_INT4, -1);
    assert_lost(f, "changed its type from text to integer");
    teardown(f);
}

static void a_narrowing_or_reshaping_type_is_lost(void **state)
{
    (void)state;
    struct fixture *f = setup();
    f->columns[1] = column_of("name", 2, VALUE_JSON, -1);
    f->columns[2] = column_of("amount", 3, VALUE_NUMERIC, NUMERIC_12_2);
    init(f);
    assert_follows(f, false);
    f->columns[2] = column_of("amount", 3, VALUE_NUMERIC, NUMERIC_10_2);
    assert_lost(f, "changed its type");
    f->columns[2] = column_of("amount", 3, VALUE_NUMERIC, NUMERIC_12_2);
    f->columns[1] = column_of("name", 2, VALUE_JSONB, -1); /* jsonb writes old values otherwise */
    assert_lost(f, "changed its type from json to jsonb");
    teardown(f);
}

static void a_rewrite_that_changes_nothing_is_harmless(void **state)
{
    (void)state;
    struct fixture *f = setup();
    init(f);
    f->table.file_node = 8; /* VACUUM FULL, CLUSTER */
    assert_follows(f, false);
    f->columns[1].changed_by = 200; /* and later SET STATISTICS */
    assert_follows(f, false);
    f->table.file_node = 9;
    f->relation.is_truncated = true;
    add_column(f, column_of("note", 4, VALUE_TEXT, -1));
    assert_follows(f, true);
    teardown(f);
}

static void another_key_is_lost(void **state)
{
    (void)state;
    struct fixture *f = setup();
    init(f);
    f->columns[1].is_key = true;
    assert_lost(f, "column \"name\" is new in the key");
    f->columns[0].is_key = false;
    assert_lost(f, "column \"id\" is not in the key any more");
    teardown(f);
}

static void replica_identity_full_keeps_the_primary_key(void **state)
{
    (void)state;
    struct fixture *f = setup();
    f->table.replica_identity = 'f';
    init(f);
    assert_follows(f, false); /* though the stream marks all columns */
    assert_int_equal(f->relation.schema->key_count, 1);
    teardown(f);
}

/* The catalog has the column, the stream is still before the ALTER: its rows have no value. */
static void a_column_of_the_future_is_null_until_the_stream_gets_there(void **state)
{
    (void)state;
    struct fixture *f = setup();
    add_column(f, column_of("late", 4, VALUE_INT8, -1));
    f->columns[3].not_null = true;
    init(f);
    bool changed = false;
    assert_true(describe(f, f->columns, 3, &changed));
    assert_true(changed); /* it may be null now */
    assert_int_equal(f->relation.absent_count, 1);
    assert_true(f->relation.schema->columns[3].nullable);

    struct catalog_column narrow[COLUMNS_MAX];
    memcpy(narrow, f->columns, sizeof(narrow));
    narrow[3] = column_of("late", 4, VALUE_INT4, -1); /* it was an integer at first */
    assert_true(describe(f, narrow, 4, &changed));
    assert_false(changed);
    assert_int_equal(f->relation.columns[3].value_id, VALUE_INT4);
    assert_int_equal(f->relation.schema->columns[3].type.kind, TYPE_INT64);
    assert_follows(f, false);

    assert_false(
        describe(f, f->columns, 3, &changed)); /* it cannot disappear while the catalog has it */
    assert_int_equal(f->err.kind, ERROR_LOST);
    assert_non_null(strstr(f->err.message, "column list"));
    teardown(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_is_what_the_catalog_says),
        cmocka_unit_test(a_type_without_a_native_form_names_the_setting),
        cmocka_unit_test(as_text_lets_a_type_or_a_column_through),
        cmocka_unit_test(numeric_as_text_leaves_numerics_with_a_precision_alone),
        cmocka_unit_test(added_and_dropped_columns_are_followed),
        cmocka_unit_test(widening_types_are_followed_even_though_they_rewrite_the_table),
        cmocka_unit_test(what_changes_old_rows_without_an_event_is_lost),
        cmocka_unit_test(a_narrowing_or_reshaping_type_is_lost),
        cmocka_unit_test(a_rewrite_that_changes_nothing_is_harmless),
        cmocka_unit_test(another_key_is_lost),
        cmocka_unit_test(replica_identity_full_keeps_the_primary_key),
        cmocka_unit_test(a_column_of_the_future_is_null_until_the_stream_gets_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
