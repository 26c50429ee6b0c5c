#include <stdio.h>
#include <string.h>

#include "model/batch.h"
#include "model/event.h"
#include "test.h"

enum { ID, NAME, COLUMNS };

static struct schema *make_schema(void)
{
    struct schema *s = schema_new(COLUMNS);
    s->columns[ID] = (struct schema_column){
        .name = schema_name(s, str_from("id")), .type = {.kind = TYPE_INT64}, .is_key = true};
    s->columns[NAME] = (struct schema_column){
        .name = schema_name(s, str_from("name")), .type = {.kind = TYPE_STRING}, .nullable = true};
    schema_seal(s);
    return s;
}

static struct batch *make_batch(uint32_t capacity)
{
    owned(schema_free) struct schema *schema = make_schema();
    return batch_new(schema, 3, capacity);
}

/* Row i: id i, and a name whose length grows, every fifth null, every seventh unchanged. */
static void fill(struct batch *b, uint32_t rows)
{
    char text[64];
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
        assert_int_equal(row, i);
        ((int64_t *)b->columns[ID].values)[row] = i;
        if (i % 7 == 6) {
            batch_set_unchanged(b, NAME, row);
        } else if (i % 5 == 4) {
            batch_set_null(b, NAME, row);
        } else {
            (void)snprintf(text, sizeof(text), "name %0*u", (int)(i % 30) + 1, i);
            batch_set_bytes(b, NAME, row, text, strlen(text));
        }
    }
}

static void growing_keeps_every_row(void **state)
{
    (void)state;
    owned(batch_free) struct batch *b = make_batch(1);
    struct error err = {0};
    assert_int_equal(b->row_capacity, 64);
    fill(b, 1000);
    assert_int_equal(b->row_count, 1000);
    assert_int_equal(b->row_capacity, 1024);
    assert_true(batch_check(b, &err));
    const struct view *names = b->columns[NAME].values;
    char text[64];
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(((const int64_t *)b->columns[ID].values)[i], i);
        bool unchanged = i % 7 == 6;
        bool null = unchanged || i % 5 == 4;
        assert_int_equal(column_is_unchanged(&b->columns[NAME], i), unchanged);
        assert_int_equal(column_is_valid(&b->columns[NAME], i), !null);
        assert_true(column_is_valid(&b->columns[ID], i));
        (void)snprintf(text, sizeof(text), "name %0*u", (int)(i % 30) + 1, i);
        struct str expected = null ? (struct str){0} : str_from(text);
        assert_true(str_equal(view_str(&names[i]), expected));
    }
}

static void a_new_row_is_valid_zeroes(void **state)
{
    (void)state;
    owned(batch_free) struct batch *b = make_batch(64);
    uint32_t row = batch_add_row(b, ROW_DELETE, IMAGE_KEY);
    assert_int_equal(b->kinds[row], ROW_DELETE);
    assert_int_equal(b->images[row], IMAGE_KEY);
    assert_int_equal(((const int64_t *)b->columns[ID].values)[row], 0);
    assert_int_equal(((const struct view *)b->columns[NAME].values)[row].size, 0);
    assert_true(column_is_valid(&b->columns[NAME], row));
    assert_false(column_is_unchanged(&b->columns[NAME], row));
    assert_int_equal(b->table, 3);
}

static void bytes_are_copied_and_may_hold_nul(void **state)
{
    (void)state;
    owned(batch_free) struct batch *b = make_batch(64);
    char text[] = "a text that is longer than twelve bytes";
    uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    batch_set_bytes(b, NAME, row, text, sizeof(text)); /* with its NUL */
    memset(text, 'X', sizeof(text));
    struct str value = view_str(&((const struct view *)b->columns[NAME].values)[row]);
    assert_int_equal(value.size, sizeof(text));
    assert_string_equal(value.data, "a text that is longer than twelve bytes");
}

static void memory_grows_with_the_content(void **state)
{
    (void)state;
    owned(batch_free) struct batch *b = make_batch(64);
    size_t before = batch_bytes(b);
    static const char large[100000];
    batch_set_bytes(b, NAME, batch_add_row(b, ROW_INSERT, IMAGE_WHOLE), large, sizeof(large));
    assert_true(batch_bytes(b) >= before + sizeof(large));
    assert_true(batch_bytes(b) < before + 2 * sizeof(large));
}

static void the_last_reference_frees_batch_and_schema(void **state)
{
    (void)state;
    struct batch *b = make_batch(64);
    struct event e = {
        .kind = EVENT_BATCH, .batch = batch_reference(b), .schema = schema_reference(b->schema)};
    batch_free(&b);
    assert_null(b);
    assert_string_equal(e.batch->schema->columns[NAME].name, "name");
    event_release(&e); /* the sanitizer sees leaks and uses after free */
    assert_null(e.batch);
    assert_null(e.schema);
    batch_release(NULL);
}

static void rows_of_other_columns_are_copied(void **state)
{
    (void)state;
    owned(batch_free) struct batch *from = make_batch(64);
    owned(batch_free) struct batch *to = make_batch(64);
    fill(from, 200);
    fill(to, 30);
    batch_append(to, from->columns, 50, 100);
    assert_int_equal(to->row_count, 130);
    for (uint32_t row = 0; row < 100; row++) {
        assert_int_equal(to->kinds[30 + row], ROW_INSERT);
        for (uint32_t c = 0; c < from->schema->column_count; c++) {
            const struct column *a = &from->columns[c];
            const struct column *b = &to->columns[c];
            assert_int_equal(column_is_valid(a, 50 + row), column_is_valid(b, 30 + row));
            assert_false(column_is_unchanged(b, 30 + row));
            if (type_is_text_or_binary(a->type)) {
                const struct view *was = &((const struct view *)a->values)[50 + row];
                const struct view *is = &((const struct view *)b->values)[30 + row];
                assert_true(str_equal(view_str(was), view_str(is)));
                assert_true(was->size <= VIEW_INLINE_MAX || was->data != is->data);
            }
        }
        assert_memory_equal(&((const int64_t *)from->columns[ID].values)[50 + row],
                            &((const int64_t *)to->columns[ID].values)[30 + row], sizeof(int64_t));
    }
    struct error err = {0};
    assert_true(batch_check(to, &err));
}

static void assert_refused(struct batch *b, const char *reason)
{
    struct error err = {0};
    assert_false(batch_check(b, &err));
    assert_int_equal(err.kind, ERROR_FATAL);
    assert_non_null(strstr(err.message, reason));
    batch_release(b);
}

static struct batch *make_filled(void)
{
    struct batch *b = make_batch(64);
    fill(b, 20);
    return b;
}

static void the_check_finds_what_would_be_silent(void **state)
{
    (void)state;
    struct batch *b = make_filled();
    ((struct view *)b->columns[NAME].values)[0].rest[7] = 'x';
    assert_refused(b, "column \"name\", row 0: unused inlined bytes are not zero");

    b = make_filled();
    ((struct view *)b->columns[NAME].values)[11].inlined[0] = 'x';
    assert_refused(b, "column \"name\", row 11: wrong prefix");

    b = make_filled();
    batch_set_bytes(b, NAME, 2, "\xC3(", 2);
    assert_refused(b, "column \"name\", row 2: invalid UTF-8");

    b = make_filled();
    bit_set(b->columns[NAME].valid, 6);
    assert_refused(b, "column \"name\", row 6: unchanged but not null");

    b = make_filled();
    b->kinds[19] = ROW_UPDATE_BEFORE;
    assert_refused(b, "row 19: before image without an after image");

    b = make_filled();
    b->columns[ID].type.kind = TYPE_DATE;
    assert_refused(b, "column \"id\": type differs from the schema");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_keeps_every_row),
        cmocka_unit_test(a_new_row_is_valid_zeroes),
        cmocka_unit_test(bytes_are_copied_and_may_hold_nul),
        cmocka_unit_test(memory_grows_with_the_content),
        cmocka_unit_test(rows_of_other_columns_are_copied),
        cmocka_unit_test(the_last_reference_frees_batch_and_schema),
        cmocka_unit_test(the_check_finds_what_would_be_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
