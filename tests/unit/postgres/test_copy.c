#include <stdlib.h>

#include "model/batch.h"
#include "source/postgres/copy.h"
#include "source/postgres/value.h"
#include "test.h"

/* A relation (id integer, "odd ""name" as text). */
struct fixture {
    struct catalog_column columns[2];
    struct relation relation;
    struct copy_decoder decoder;
    struct error err;
};

static struct fixture *setup(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->columns[0] = (struct catalog_column){.name = "id",
                                            .number = 1,
                                            .is_key = true,
                                            .not_null = true,
                                            .type = {.name = "integer",
                                                     .bare_name = "integer",
                                                     .short_name = "int4",
                                                     .base_id = VALUE_INT4}};
    f->columns[1] = (struct catalog_column){
        .name = "odd \"name",
        .number = 2,
        .type = {.name = "inet", .bare_name = "inet", .short_name = "inet", .base_id = 869}};
    struct catalog_table table = {
        .name = {"public", "t"}, .id = 1, .column_count = 2, .columns = f->columns};
    const char *items[] = {"inet"};
    struct config_strings as_text = {.items = items, .count = 1};
    struct relation_options options = {.as_text = &as_text, .pipeline = "shop"};
    assert_true(relation_init(&f->relation, &table, 0, &options, &f->err));
    f->decoder = (struct copy_decoder){.relation = &f->relation};
    return f;
}

static void teardown(struct fixture *f)
{
    batch_release(f->decoder.batch);
    relation_release(&f->relation);
    free(f);
}

#define HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define ROW_1 "\0\2\0\0\0\4\0\0\0\1\0\0\0\3::1"
#define ROW_2 "\0\2\0\0\0\4\0\0\0\2\377\377\377\377"
#define TRAILER "\377\377"
#define decode(f, bytes) copy_decode(&(f)->decoder, (bytes), sizeof(bytes) - 1, &(f)->err)

static void as_text_columns_are_printed_by_their_output_function(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct buf sql = {0};
    copy_append_sql(&f->relation, &sql);
    assert_string_equal(
        buf_text(&sql),
        "COPY (SELECT \"id\", CASE WHEN \"odd \"\"name\" IS DISTINCT FROM NULL THEN "
        "pg_catalog.format('%s', \"odd \"\"name\") END FROM ONLY \"public\".\"t\") TO STDOUT "
        "(FORMAT binary)");
    buf_release(&sql);
    teardown(f);
}

static void the_header_may_come_with_the_first_row(void **state)
{
    (void)state;
    struct fixture *f = setup();
    assert_true(decode(f, HEADER ROW_1));
    assert_true(decode(f, ROW_2));
    assert_false(f->decoder.is_done);
    assert_true(decode(f, TRAILER));
    assert_true(f->decoder.is_done);

    const struct batch *b = f->decoder.batch;
    assert_true(b->loading);
    assert_int_equal(b->row_count, 2);
    assert_int_equal(((const int32_t *)b->columns[0].values)[1], 2);
    assert_true(
        str_equal(view_str(&((const struct view *)b->columns[1].values)[0]), str_from("::1")));
    assert_false(column_is_valid(&b->columns[1], 1));
    teardown(f);
}

static void an_empty_table_is_a_header_and_a_trailer(void **state)
{
    (void)state;
    struct fixture *f = setup();
    assert_true(decode(f, HEADER));
    assert_true(decode(f, TRAILER));
    assert_true(f->decoder.is_done);
    assert_null(f->decoder.batch);
    teardown(f);
}

static void malformed_input_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
#define CASE(bytes) {(bytes), sizeof(bytes) - 1}
        CASE("PGCOPY\n\377\r\n"),                           /* cut off */
        CASE("PGCOPX\n\377\r\n\0\0\0\0\0\0\0\0\0"),         /* another format */
        CASE("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0"),         /* with OIDs */
        CASE("PGCOPY\n\377\r\n\0\0\0\0\0\377\377\377\377"), /* an extension that is not there */
        CASE(HEADER "\0\1\0\0\0\4\0\0\0\1"),                /* too few columns */
        CASE(HEADER "\0\2\0\0\0\4\0\0"),                    /* cut off in a value */
        CASE(HEADER
             "\0\2\0\0\0\4\0\0\0\1\377\377\377\376"), /* a size that is neither null nor one */
        CASE(HEADER "\0\2\0\0\0\4\0\0\0\1\177\377\377\377"),
        CASE(HEADER "\0"),
        CASE(HEADER TRAILER ROW_1), /* rows after the end */
#undef CASE
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *f = setup();
        char *copy = malloc(cases[i].size);
        assert_non_null(copy);
        memcpy(copy, cases[i].bytes, cases[i].size);
        if (copy_decode(&f->decoder, copy, cases[i].size, &f->err)) {
            fail_msg("case %zu was let through", i);
        }
        assert_int_equal(f->err.kind, ERROR_FATAL);
        free(copy);
        teardown(f);
    }
}

static void an_error_names_table_and_column(void **state)
{
    (void)state;
    struct fixture *f = setup();
    assert_false(decode(f, HEADER "\0\2\0\0\0\4\0\0\0\1\0\0\0\1\377"));
    assert_int_equal(f->err.kind, ERROR_DATA);
    assert_non_null(strstr(f->err.message, "table public.t, column \"odd \"name\""));
    teardown(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_text_columns_are_printed_by_their_output_function),
        cmocka_unit_test(the_header_may_come_with_the_first_row),
        cmocka_unit_test(an_empty_table_is_a_header_and_a_trailer),
        cmocka_unit_test(malformed_input_is_an_error),
        cmocka_unit_test(an_error_names_table_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
