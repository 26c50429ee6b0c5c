#include <string.h>

#include "model/schema.h"
#include "test.h"

static struct schema *make_schema(void)
{
    struct schema *s = schema_new(2);
    s->columns[0] = (struct schema_column){
        .name = schema_name(s, str_from("id")), .type = {.kind = TYPE_INT64}, .is_key = true};
    s->columns[1] = (struct schema_column){
        .name = schema_name(s, str_from("price")), .type = {TYPE_DECIMAL, 10, 2}, .nullable = true};
    schema_seal(s);
    return s;
}

static void sealing_counts_the_keys(void **state)
{
    (void)state;
    owned(schema_free) struct schema *s = make_schema();
    assert_int_equal(s->key_count, 1);
    s->columns[1].is_key = true;
    schema_seal(s);
    assert_int_equal(s->key_count, 2);
}

static void columns_are_found_by_their_exact_name(void **state)
{
    (void)state;
    owned(schema_free) struct schema *s = make_schema();
    assert_int_equal(schema_find(s, str_from("price")), 1);
    assert_int_equal(schema_find(s, str_from("Price")), -1);
    assert_int_equal(schema_find(s, str_from("pric")), -1);
    assert_int_equal(schema_find(s, (struct str){"id and more", 2}), 0);
}

static void names_are_copied(void **state)
{
    (void)state;
    owned(schema_free) struct schema *s = schema_new(0);
    char name[] = "name";
    const char *copy = schema_name(s, str_from(name));
    name[0] = 'X';
    assert_string_equal(copy, "name");
}

static void any_difference_makes_schemas_unequal(void **state)
{
    (void)state;
    owned(schema_free) struct schema *a = make_schema();
    owned(schema_free) struct schema *b = make_schema();
    b->version = 7; /* is not a difference: it counts within one run */
    assert_true(schema_equal(a, b));

    const struct schema_column good = b->columns[1];
    b->columns[1].name = "cost";
    assert_false(schema_equal(a, b));
    b->columns[1] = good;
    b->columns[1].type.scale = 3;
    assert_false(schema_equal(a, b));
    b->columns[1] = good;
    b->columns[1].nullable = false;
    assert_false(schema_equal(a, b));
    b->columns[1] = good;
    b->columns[1].is_key = true;
    assert_false(schema_equal(a, b));
    b->columns[1] = good;
    assert_true(schema_equal(a, b));

    owned(schema_free) struct schema *empty = schema_new(0);
    schema_seal(empty);
    assert_false(schema_equal(a, empty));
}

static void the_last_reference_frees(void **state)
{
    (void)state;
    struct schema *s = make_schema();
    struct schema *second = schema_reference(s);
    assert_ptr_equal(second, s);
    schema_free(&s);
    assert_null(s);
    assert_string_equal(second->columns[0].name, "id"); /* the sanitizer sees a use after free */
    schema_release(second);
    schema_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealing_counts_the_keys),
        cmocka_unit_test(columns_are_found_by_their_exact_name),
        cmocka_unit_test(names_are_copied),
        cmocka_unit_test(any_difference_makes_schemas_unequal),
        cmocka_unit_test(the_last_reference_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
