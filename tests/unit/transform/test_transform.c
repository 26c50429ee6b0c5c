#include "base/clock.h"
#include "transform_fixture.h"

static const char customers_sql[] =
    "SELECT customer_id, email,\n"
    "       concat_ws(' ', first_name, last_name) AS full_name,\n"
    "       concat_ws(', ', city, state, country) AS location,\n"
    "       customer_tier, lifetime_value::DOUBLE AS lifetime_value, registration_date, is_active,\n"
    "       0 AS total_orders, now() AS _ingestion_timestamp, 'postgres_cdc' AS _source_system,\n"
    "       upper(_operation) AS _cdc_operation, 'postgres_to_delta' AS _pipeline_id,\n"
    "       epoch_ms(_commit_time) AS _event_timestamp_ms, _position::BIGINT AS _source_lsn\n"
    "FROM changes";

static void assert_column(const struct schema *s, const char *name, enum type_kind kind,
                          bool nullable, bool is_key)
{
    int i = schema_find(s, str_from(name));
    assert_true(i >= 0);
    assert_int_equal(s->columns[i].type.kind, kind);
    assert_int_equal(s->columns[i].nullable, nullable);
    assert_int_equal(s->columns[i].is_key, is_key);
}

static void the_customers_example_gives_its_columns(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t = bound(&f, customers_sql, &schema);
    assert_int_equal(schema->column_count, 15);
    assert_int_equal(schema->key_count, 1);
    assert_column(schema, "customer_id", TYPE_INT32, false, true);
    assert_column(schema, "full_name", TYPE_STRING, true, false);
    assert_column(schema, "lifetime_value", TYPE_FLOAT64, true, false);
    assert_column(schema, "registration_date", TYPE_TIMESTAMP, true, false);
    assert_column(schema, "total_orders", TYPE_INT32, true, false);
    assert_column(schema, "_ingestion_timestamp", TYPE_TIMESTAMPTZ, true, false);
    assert_column(schema, "_event_timestamp_ms", TYPE_INT64, true, false);
    assert_string_equal(schema->columns[1].source_type, "character varying(255)");
    assert_false(transform_filters(t));

    struct batch *in = batch_new(f.customers, 3, 8);
    add_customer(in, ROW_INSERT, 1, "gold");
    add_customer(in, ROW_UPDATE_AFTER, 2, NULL);
    add_key(in, ROW_DELETE, 3);
    int64_t before_us = clock_wall_us();
    struct batch *out = applied(t, in);
    batch_release(in); /* the output keeps what it needs of it */
    assert_int_equal(out->row_count, 3);
    assert_int_equal(out->table, 3);
    assert_value(out, 0, "customer_id", "1");
    assert_value(out, 0, "email", "john.longer.than.twelve@example.com");
    assert_value(out, 0, "full_name", "John Doe");
    assert_value(out, 0, "location", "Springfield, US");
    assert_value(out, 0, "customer_tier", "gold");
    assert_value(out, 0, "lifetime_value", "123.45");
    assert_value(out, 0, "total_orders", "0");
    assert_value(out, 0, "_cdc_operation", "INSERT");
    assert_value(out, 0, "_event_timestamp_ms", "1704164645123");
    assert_value(out, 0, "_source_lsn", "1000");
    assert_value(out, 1, "_cdc_operation", "UPDATE");
    assert_value(out, 1, "customer_tier", "null");
    int now = schema_find(schema, str_from("_ingestion_timestamp"));
    assert_true(((int64_t *)out->columns[now].values)[0] >= before_us);
    assert_value(out, 2, "customer_id", "3");
    assert_int_equal(out->images[2], IMAGE_KEY);
    assert_int_equal(out->kinds[2], ROW_DELETE);
    for (uint32_t i = 1; i < schema->column_count; i++) {
        assert_value(out, 2, schema->columns[i].name, "unchanged");
    }
    assert_int_equal(out->positions[1], 1001);
    assert_int_equal(out->transactions[1], 77);
    batch_release(out);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void plain_columns_keep_types_the_engine_does_not_have(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t = bound(&f, "SELECT * FROM changes", &schema);
    assert_true(schema_equal(schema, f.customers));
    struct batch *in = batch_new(f.customers, 0, 1);
    for (int32_t id = 0; id < 5000; id++) {
        add_customer(in, ROW_INSERT, id, "gold");
    }
    struct batch *out = applied(t, in);
    assert_int_equal(out->row_count, 5000);
    assert_value(out, 4999, "bio", "{\"likes\": [\"tea\"]}");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void more_rows_than_one_chunk_keep_their_order(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t =
        bound(&f,
              "SELECT customer_id, customer_id * 2 AS twice, bio->>'$.likes[0]' AS likes "
              "FROM changes WHERE customer_id % 3 <> 0",
              &schema);
    struct batch *in = batch_new(f.customers, 0, 1);
    for (int32_t id = 0; id < 10000; id++) {
        add_customer(in, ROW_INSERT, id, NULL);
    }
    in->source = position_source_mariadb(4);
    struct batch *out = applied(t, in);
    assert_int_equal(out->row_count, 6666);
    assert_ptr_equal(out->source, in->source);
    for (uint32_t row = 0; row < out->row_count; row++) {
        int32_t id = ((int32_t *)out->columns[0].values)[row];
        assert_int_equal(id, (int32_t)(row / 2 * 3 + row % 2 + 1));
        assert_int_equal(((int32_t *)out->columns[1].values)[row], id * 2);
        assert_int_equal(out->positions[row], 1000 + (uint64_t)id);
    }
    assert_value(out, 6665, "likes", "tea");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void an_output_of_unchanged_inputs_stays_unchanged(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t =
        bound(&f,
              "SELECT customer_id, lower(bio) AS bio, customer_id || bio AS tagged, "
              "lower(email) AS mail, bio AS raw, upper(tagged) AS shouted "
              "FROM changes",
              &schema);
    struct batch *in = batch_new(f.customers, 0, 8);
    uint32_t row = add_customer(in, ROW_UPDATE_AFTER, 1, "gold");
    leave_unchanged(in, row, BIO);
    add_customer(in, ROW_UPDATE_AFTER, 2, "gold");
    struct batch *out = applied(t, in);
    assert_value(out, 0, "bio", "unchanged");
    assert_value(out, 0, "tagged", "unchanged"); /* the key did not change */
    assert_value(out, 0, "shouted", "unchanged");
    assert_value(out, 0, "raw", "unchanged");
    assert_value(out, 0, "mail", "john.longer.than.twelve@example.com");
    assert_value(out, 1, "bio", "{\"likes\": [\"tea\"]}");
    assert_value(out, 1, "shouted", "2{\"LIKES\": [\"TEA\"]}");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

/* One update that leaves `bio` unchanged, its key changed or not. */
static void refused_row(struct fixture *f, const char *sql, bool key_change, const char *message)
{
    struct schema *schema = NULL;
    struct transform *t = bound(f, sql, &schema);
    struct batch *in = batch_new(f->customers, 0, 8);
    if (key_change) {
        add_key(in, ROW_UPDATE_BEFORE, 9);
    }
    uint32_t row = add_customer(in, ROW_UPDATE_AFTER, 1, "gold");
    leave_unchanged(in, row, BIO);
    struct error err = {0};
    struct batch *out = transform_apply(t, in, &err);
    assert_null(out);
    assert_int_equal(err.kind, ERROR_DATA);
    assert_non_null(strstr(err.message, message));
    assert_non_null(strstr(err.message, "REPLICA IDENTITY FULL"));
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
}

static void an_output_of_changed_and_unchanged_inputs_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    refused_row(&f, "SELECT customer_id, email || bio AS both FROM changes", false,
                "both needs column \"bio\"");
    refused_row(&f, "SELECT customer_id, _operation || bio AS both FROM changes", false,
                "both needs column \"bio\"");
    refused_row(&f, "SELECT customer_id, email AS e, bio AS b, e || b AS both FROM changes", false,
                "both needs column \"bio\"");
    refused_row(&f, "SELECT customer_id, customer_id || bio AS tagged FROM changes", true,
                "tagged needs column \"bio\"");
    refused_row(&f, "SELECT * FROM changes WHERE bio IS NOT NULL", false,
                "WHERE needs column \"bio\"");
    fixture_close(&f);
}

static void rows_that_fail_where_become_deletes_of_what_may_be_there(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t =
        bound(&f,
              "SELECT customer_id AS id, email, upper(customer_tier) AS tier FROM changes c "
              "WHERE c.customer_tier = 'gold'",
              &schema);
    assert_true(transform_filters(t));
    struct batch *in = batch_new(f.customers, 0, 16);
    add_customer(in, ROW_INSERT, 1, "gold");         /* stays */
    add_customer(in, ROW_INSERT, 2, "silver");       /* left out */
    add_customer(in, ROW_UPDATE_AFTER, 3, "silver"); /* delete */
    add_customer(in, ROW_UPDATE_AFTER, 4, NULL);     /* null is not true: delete */
    add_key(in, ROW_DELETE, 5);                      /* stays: WHERE is not asked */
    add_key(in, ROW_UPDATE_BEFORE, 6);               /* 6 becomes 7, which fails: delete of 6 */
    add_customer(in, ROW_UPDATE_AFTER, 7, "silver");
    add_customer(in, ROW_UPDATE_BEFORE, 8, "silver"); /* comes into the table */
    add_customer(in, ROW_UPDATE_AFTER, 8, "gold");
    add_customer(in, ROW_UPDATE_BEFORE, 9, "gold"); /* goes out of the table */
    add_customer(in, ROW_UPDATE_AFTER, 9, "silver");
    add_customer(in, ROW_DELETE, 10, "silver"); /* was never in */
    struct batch *out = applied(t, in);
    static const struct {
        const char *id;
        enum row_kind kind;
        enum row_image image;
        const char *tier;
    } expected[] = {
        {"1", ROW_INSERT, IMAGE_WHOLE, "GOLD"},
        {"3", ROW_DELETE, IMAGE_KEY, "unchanged"},
        {"4", ROW_DELETE, IMAGE_KEY, "unchanged"},
        {"5", ROW_DELETE, IMAGE_KEY, "unchanged"},
        {"6", ROW_DELETE, IMAGE_KEY, "unchanged"},
        {"8", ROW_UPDATE_BEFORE, IMAGE_KEY, "unchanged"},
        {"8", ROW_UPDATE_AFTER, IMAGE_WHOLE, "GOLD"},
        {"9", ROW_DELETE, IMAGE_WHOLE, "GOLD"},
        {"10", ROW_DELETE, IMAGE_KEY, "unchanged"},
    };
    assert_int_equal(out->row_count, sizeof(expected) / sizeof(expected[0]));
    for (uint32_t row = 0; row < out->row_count; row++) {
        assert_value(out, row, "id", expected[row].id);
        assert_int_equal(out->kinds[row], expected[row].kind);
        assert_int_equal(out->images[row], expected[row].image);
        assert_value(out, row, "tier", expected[row].tier);
        assert_value(out, row, "email",
                     expected[row].image == IMAGE_KEY ? "unchanged"
                                                      : "john.longer.than.twelve@example.com");
    }
    assert_int_equal(out->positions[7], 1009);
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void an_expression_is_not_asked_about_rows_that_fail_where(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t = bound(&f,
                                "SELECT customer_id, customer_tier::INTEGER AS tier FROM changes "
                                "WHERE regexp_full_match(customer_tier, '[0-9]+')",
                                &schema);
    struct batch *in = batch_new(f.customers, 0, 8);
    add_customer(in, ROW_INSERT, 1, "gold");
    add_customer(in, ROW_INSERT, 2, "7");
    add_key(in, ROW_DELETE, 3);
    struct batch *out = applied(t, in);
    assert_int_equal(out->row_count, 2);
    assert_value(out, 0, "tier", "7");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void a_value_that_cannot_be_computed_is_a_data_error(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t =
        bound(&f, "SELECT customer_id, email::INTEGER AS mail FROM changes", &schema);
    struct batch *in = batch_new(f.customers, 0, 8);
    add_customer(in, ROW_INSERT, 1, "gold");
    struct error err = {0};
    struct batch *out = transform_apply(t, in, &err);
    assert_null(out);
    assert_int_equal(err.kind, ERROR_DATA);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void old_images_do_not_claim_values_of_another_time(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t = bound(&f,
                                "SELECT customer_id, lower(email) AS mail, _position AS lsn, "
                                "now() AS seen, current_timestamp AS stamp FROM changes",
                                &schema);
    struct batch *in = batch_new(f.customers, 0, 8);
    add_customer(in, ROW_UPDATE_BEFORE, 1, "gold");
    add_customer(in, ROW_UPDATE_AFTER, 1, "gold");
    struct batch *out = applied(t, in);
    assert_value(out, 0, "mail", "john.longer.than.twelve@example.com");
    assert_value(out, 0, "lsn", "unchanged");
    assert_value(out, 0, "seen", "unchanged");
    assert_value(out, 0, "stamp", "unchanged");
    assert_value(out, 1, "lsn", "1001");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void loaded_rows_are_reads_without_a_commit_time(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t = bound(
        &f,
        "SELECT customer_id, _operation AS op, _commit_time, _transaction, _sequence FROM changes",
        &schema);
    struct batch *in = batch_new(f.customers, 0, 8);
    in->loading = true;
    uint32_t row = add_customer(in, ROW_INSERT, 1, "gold");
    in->commit_times_us[row] = 0;
    struct batch *out = applied(t, in);
    assert_true(out->loading);
    assert_value(out, 0, "op", "read");
    assert_value(out, 0, "_commit_time", "null");
    assert_value(out, 0, "_transaction", "77");
    assert_value(out, 0, "_sequence", "0");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

static void binding_again_follows_a_new_schema(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct transform *t = bound(&f, "SELECT *, upper(email) AS shouted FROM changes", &schema);
    schema_free(&schema);

    struct schema *smaller = schema_new(2);
    smaller->columns[0] = (struct schema_column){
        .name = "id", .type = {.kind = TYPE_INT64}, .is_key = true, .source_type = "bigint"};
    smaller->columns[1] = (struct schema_column){
        .name = "email", .type = {.kind = TYPE_STRING}, .nullable = true, .source_type = "text"};
    schema_seal(smaller);
    struct batch *in = batch_new(smaller, 0, 1);
    batch_add_row(in, ROW_INSERT, IMAGE_WHOLE);
    batch_set_bytes(in, 1, 0, "a@b", 3);

    struct error err = {0};
    struct batch *out = transform_apply(t, in, &err);
    assert_null(out);
    assert_int_equal(err.kind, ERROR_FATAL);

    err = (struct error){0};
    schema = transform_bind(t, smaller, &err);
    assert_non_null(schema);
    assert_int_equal(schema->column_count, 3);
    out = applied(t, in);
    assert_value(out, 0, "shouted", "A@B");
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    schema_free(&smaller);
    transform_free(&t);
    fixture_close(&f);
}

static void one_batch_after_another_goes_through(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct schema *schema = NULL;
    struct schema *second_schema = NULL;
    struct transform *t = bound(&f, "SELECT *, upper(customer_tier) AS tier FROM changes", &schema);
    /* another transform of the same table, which must not disturb the first */
    struct engine_connection *connection = f.connection;
    struct error err = {0};
    f.connection = engine_connect(f.engine, &err);
    struct transform *second =
        bound(&f, "SELECT customer_id, customer_tier AS word FROM changes WHERE word = 'b'",
              &second_schema);
    static const char *const tiers[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < 3; i++) {
        struct batch *in = batch_new(f.customers, 0, 8);
        for (uint32_t row = 0; row < i; row++) {
            add_customer(in, ROW_INSERT, 1, tiers[row]);
        }
        struct batch *out = applied(t, in);
        struct batch *filtered = applied(second, in);
        assert_int_equal(out->row_count, i);
        assert_int_equal(filtered->row_count, i > 1);
        if (i > 1) {
            assert_value(out, 1, "tier", "B");
            assert_value(filtered, 0, "word", "b");
        }
        batch_release(in);
        batch_release(out);
        batch_release(filtered);
    }
    schema_free(&schema);
    schema_free(&second_schema);
    transform_free(&second);
    engine_disconnect(&f.connection);
    f.connection = connection;
    transform_free(&t);
    fixture_close(&f);
}

static void without_a_key_rows_that_were_never_in_leave_no_trace(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    f.customers->columns[CUSTOMER_ID].is_key = false;
    schema_seal(f.customers);
    struct schema *schema = NULL;
    struct transform *t =
        bound(&f, "SELECT email, customer_tier FROM changes WHERE customer_tier = 'gold'", &schema);
    struct batch *in = batch_new(f.customers, 0, 16);
    add_customer(in, ROW_DELETE, 1, "silver");
    add_customer(in, ROW_UPDATE_BEFORE, 2, "silver");
    add_customer(in, ROW_UPDATE_AFTER, 2, "gold");
    add_customer(in, ROW_UPDATE_BEFORE, 3, "gold");
    add_customer(in, ROW_UPDATE_AFTER, 3, "silver");
    add_customer(in, ROW_UPDATE_BEFORE, 4, "silver");
    add_customer(in, ROW_UPDATE_AFTER, 4, "silver");
    struct batch *out = applied(t, in);
    assert_int_equal(out->row_count, 2);
    assert_int_equal(out->kinds[0], ROW_INSERT);
    assert_int_equal(out->positions[0], 1002);
    assert_int_equal(out->kinds[1], ROW_DELETE);
    assert_int_equal(out->images[1], IMAGE_WHOLE);
    assert_int_equal(out->positions[1], 1003);
    batch_release(out);
    batch_release(in);
    schema_free(&schema);
    transform_free(&t);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_customers_example_gives_its_columns),
        cmocka_unit_test(plain_columns_keep_types_the_engine_does_not_have),
        cmocka_unit_test(more_rows_than_one_chunk_keep_their_order),
        cmocka_unit_test(an_output_of_unchanged_inputs_stays_unchanged),
        cmocka_unit_test(an_output_of_changed_and_unchanged_inputs_is_refused),
        cmocka_unit_test(rows_that_fail_where_become_deletes_of_what_may_be_there),
        cmocka_unit_test(an_expression_is_not_asked_about_rows_that_fail_where),
        cmocka_unit_test(a_value_that_cannot_be_computed_is_a_data_error),
        cmocka_unit_test(old_images_do_not_claim_values_of_another_time),
        cmocka_unit_test(loaded_rows_are_reads_without_a_commit_time),
        cmocka_unit_test(binding_again_follows_a_new_schema),
        cmocka_unit_test(one_batch_after_another_goes_through),
        cmocka_unit_test(without_a_key_rows_that_were_never_in_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
