/* A log of events made by hand, as a stream: groups, positions, statements. */
#include "my_log.h"

/* ---- groups and positions ---- */

static void transactions_of_mysql_end_with_their_xid(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_insert(f, ROW_1);
    assert_false(my_stream_can_rest(f->stream));
    log_xid(f);
    log_gtid(f, 6);
    log_insert(f, ROW_2);
    log_query(f, "COMMIT"); /* of an engine without transactions */
    assert_log(f, "items 2 rows; idle " SERVER_A ":1-6");
    assert_log(f, "");
    log_end(f);
}

static void transactions_of_mariadb_have_no_begin_of_their_own(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin("3-7-4", "3-7-4", true);
    log_mariadb_gtid(f, 5, 0);
    log_map(f, "items");
    log_rows(f, 30, "items", ROW_1);
    log_xid(f);
    log_mariadb_gtid(f, 6, MARIADB_STANDALONE);
    log_query(f, "CREATE TABLE other (a int)");
    assert_log(f, "items 1 rows; idle 3-7-6");
    log_end(f);
}

static void rows_know_their_transaction(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_insert(f, bytes("\2\1\0\0\0\2\2\0\0\0"));
    log_xid(f);
    log_gtid(f, 6);
    log_insert(f, bytes("\2\3\0\0\0"));
    log_xid(f);
    my_stream_rest(f->stream);
    struct event e = {0};
    assert_true(my_stream_take(f->stream, &e));
    const struct batch *b = e.batch;
    assert_int_equal(b->row_count, 3);
    struct position at_five = gtids(SERVER_A ":1-5");
    assert_true(batch_row_is_covered(b, 0, &at_five));
    assert_true(batch_row_is_covered(b, 1, &at_five));
    assert_false(batch_row_is_covered(b, 2, &at_five));
    assert_int_equal(b->transactions[2], 6);
    assert_int_equal(b->sequences[1], 1);
    assert_int_equal(b->sequences[2], 0);
    assert_int_equal(b->commit_times_us[0], 1700000000000000);
    event_release(&e);
    log_end(f);
}

/* A boundary is the end of a transaction; a row is above the one before and not above its own. */
static void without_gtids_positions_are_places_in_files(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin("4294967300", "4294967300", false); /* file 1, 4 */
    log_event_flagged(f, 4, 0x20, bytes("\4\0\0\0\0\0\0\0binlog.000001"));
    log_anonymous(f);
    log_insert(f, ROW_1);
    log_xid(f);
    my_stream_rest(f->stream);
    struct event rows = {0};
    struct event idle = {0};
    assert_true(my_stream_take(f->stream, &rows));
    assert_true(my_stream_take(f->stream, &idle));
    assert_int_equal(idle.position.integer, (UINT64_C(1) << 32) + f->next);
    struct position before = position_integer((UINT64_C(1) << 32) + 4);
    assert_false(batch_row_is_covered(rows.batch, 0, &before));
    assert_true(batch_row_is_covered(rows.batch, 0, &idle.position));
    event_release(&rows);
    event_release(&idle);
    log_end(f);
}

static void another_file_moves_the_position_without_rows(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin("4294967300", "4294967300", false);
    log_event_flagged(f, 4, 0x20, bytes("\4\0\0\0\0\0\0\0binlog.000001"));
    assert_log(f, "");
    log_event(f, 4, bytes("\4\0\0\0\0\0\0\0binlog.000002"));
    assert_log(f, "idle 8589934596");
    f->next = 4;
    log_anonymous(f);
    log_insert(f, ROW_1);
    assert_log(f, "");
    log_xid(f);
    struct buf expected = {0};
    buf_append_format(&expected, "items 1 rows; idle %llu",
                      (unsigned long long)((UINT64_C(2) << 32) + f->next));
    assert_log(f, buf_text(&expected));
    buf_release(&expected);
    log_end(f);
}

static void a_file_whose_name_has_no_number_moves_nothing(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin("4294967300", "4294967300", false);
    log_event_flagged(f, 4, 0x20, bytes("\4\0\0\0\0\0\0\0binlog"));
    assert_log(f, "");
    log_end(f);
}

static void groups_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_xid(f);
    assert_log_fails(f, ERROR_FATAL, "a transaction ends that did not begin");
    log_query(f, "BEGIN");
    assert_log_fails(f, ERROR_FATAL, "a statement outside a transaction");
    log_gtid(f, 5);
    log_rows(f, 30, "items", ROW_1);
    assert_log_fails(f, ERROR_FATAL, "rows without a table map");
    log_gtid(f, 6);
    assert_log_fails(f, ERROR_FATAL, "a transaction begins within another");
    log_end(f);
}

static void table_maps_hold_for_one_group_only(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_insert(f, ROW_1);
    log_xid(f);
    log_gtid(f, 6);
    log_query(f, "BEGIN");
    log_rows(f, 30, "items", ROW_2);
    assert_log_fails(f, ERROR_FATAL, "rows without a table map");
    log_end(f);
}

static void a_transaction_without_gtid_among_others_is_lost(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_anonymous(f);
    assert_log_fails(f, ERROR_LOST, "gtid_mode was not ON; load again with leat reload p");
    log_end(f);
}

static void rows_of_other_tables_are_passed_over_and_move_the_position(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "BEGIN");
    log_map(f, "others");
    log_rows(f, 30, "others", bytes("anything"));
    log_xid(f);
    assert_log(f, "idle " SERVER_A ":1-5");
    log_end(f);
}

/* ---- statements ---- */

static void a_truncation_stands_between_the_rows(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_insert(f, ROW_1);
    log_xid(f);
    log_gtid(f, 6);
    log_query(f, "TRUNCATE TABLE items");
    log_gtid(f, 7);
    log_insert(f, ROW_2);
    log_xid(f);
    assert_log(f, "items 1 rows; truncate items; items 1 rows; idle " SERVER_A ":1-7");
    log_end(f);
}

static void an_alteration_stands_between_the_rows_and_asks_the_catalog(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    f->later = "id int key; name varchar(50) null; extra int null";
    log_gtid(f, 5);
    log_insert(f, ROW_1);
    log_xid(f);
    log_gtid(f, 6);
    log_query(f, "ALTER TABLE items ADD COLUMN extra int");
    log_gtid(f, 7);
    log_insert(f, ROW_2); /* its map has no such column: it is null */
    log_xid(f);
    assert_log(f, "items 1 rows; schema items of 3; items 1 rows; idle " SERVER_A ":1-7");
    assert_int_equal(f->lookups, 1);
    assert_false(f->proves_names);
    log_end(f);
}

static void a_table_that_is_gone_when_its_alteration_comes_is_lost(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "ALTER TABLE items ADD COLUMN extra int");
    assert_log_fails(f, ERROR_LOST, "table shop.items does not exist any more");
    log_end(f);
}

/* Whether a statement was done before the catalog was read. */
static void what_is_past_is_known_by_position(void **state)
{
    (void)state;
    static const struct {
        const char *opened;
        bool is_past;
    } cases[] = {{SERVER_A ":1-5", true}, {SERVER_A ":1-4", false}};
    for (size_t i = 0; i < 2; i++) {
        struct log_fixture *f = log_begin(SERVER_A ":1-4", cases[i].opened, false);
        f->later = "id int key; name varchar(80) null";
        log_gtid(f, 5);
        log_query(f, "ALTER TABLE items MODIFY name varchar(80)");
        if (cases[i].is_past) {
            assert_log_fails(f, ERROR_LOST, "while the pipeline did not run");
        } else {
            assert_log(f, "schema items of 2; idle " SERVER_A ":1-5");
        }
        log_end(f);
    }
}

static void what_statements_do_to_captured_tables_is_lost(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"DROP TABLE other, items", "was dropped"},
        {"DROP DATABASE shop", "was dropped"},
        {"RENAME TABLE items TO a, b TO items", "was renamed, or another one was renamed to it"},
        {"RENAME TABLE b TO items", "was renamed, or another one was renamed to it"},
        {"ALTER TABLE items RENAME TO things", "was renamed"},
        {"UPDATE items SET name = 'x'", "by a statement that is in the log instead of its rows"},
        {"UPDATE other SET name = 'x'", "by a trigger or function of a statement"},
        {"CREATE TEMPORARY TABLE items (a int)", "is hidden by a temporary table of its name"},
        {"FROBNICATE items", "is named by a statement of the log that leat does not know"},
        {"ALTER TABLE other EXCHANGE PARTITION p WITH TABLE items",
         "exchanges rows with another table"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
        f->later = "id int key; name varchar(50) null";
        log_gtid(f, 5);
        log_query(f, cases[i][0]);
        assert_log_fails(f, ERROR_LOST, cases[i][1]);
        assert_log_fails(f, ERROR_LOST, "load again with leat reload p");
        log_end(f);
    }
}

static void what_statements_do_to_others_is_passed_over(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "DROP TABLE other",
        "DROP TEMPORARY TABLE items",
        "DROP DATABASE elsewhere",
        "RENAME TABLE a TO b",
        "TRUNCATE TABLE elsewhere.items",
        "ALTER TABLE ITEMS ADD COLUMN a int DEFAULT 5", /* names have case here */
        "CREATE TABLE IF NOT EXISTS items (id int)",
        "CREATE INDEX i ON items (name)",
        "GRANT ALL ON items TO someone",
        "CREATE TRIGGER t AFTER INSERT ON items FOR EACH ROW SET @a = 1",
        "ANALYZE TABLE items",
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
        log_gtid(f, 5);
        log_query(f, statements[i]);
        assert_log(f, "idle " SERVER_A ":1-5");
        assert_int_equal(f->lookups, 0);
        log_end(f);
    }
}

/* MySQL: the rows follow in the transaction that the statement begins. */
static void a_table_made_of_rows_is_one_transaction(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "CREATE TABLE `copied` (\n  `id` int NOT NULL\n) START TRANSACTION");
    assert_log(f, "");
    log_map(f, "copied");
    log_rows(f, 30, "copied", ROW_1);
    log_xid(f);
    assert_log(f, "idle " SERVER_A ":1-5");
    log_end(f);
}

/* ---- what is rolled back ---- */

static void rows_that_are_rolled_back_in_part_are_lost(void **state)
{
    (void)state;
    static const char *const ends[] = {"ROLLBACK TO `s`", "ROLLBACK"};
    for (size_t i = 0; i < 2; i++) {
        struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
        log_gtid(f, 5);
        log_query(f, "BEGIN");
        log_query(f, "SAVEPOINT `s`");
        log_map(f, "items");
        log_rows(f, 30, "items", ROW_1);
        log_query(f, ends[i]);
        assert_log_fails(f, ERROR_LOST, "a transaction that was rolled back in part");
        log_end(f);
    }
}

static void what_others_roll_back_is_passed_over(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "BEGIN");
    log_map(f, "others");
    log_rows(f, 30, "others", ROW_1);
    log_query(f, "ROLLBACK");
    assert_log(f, "idle " SERVER_A ":1-5");
    log_end(f);
}

/* ---- XA ---- */

static void prepared_rows_of_mysql_are_lost(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "XA START X'61',X'',1");
    log_map(f, "items");
    log_rows(f, 30, "items", ROW_1);
    log_query(f, "XA END X'61',X'',1");
    log_event(f, 38, bytes("\0\1\0\0\0\1\0\0\0\0\0\0\0a"));
    assert_log_fails(f, ERROR_LOST, "the log holds an XA transaction with changes of captured");
    log_end(f);
}

static void prepared_rows_of_mariadb_are_lost(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin("3-7-4", "3-7-4", true);
    log_mariadb_gtid(f, 5, MARIADB_XA);
    log_query(f, "XA START X'61',X'',1");
    log_map(f, "items");
    log_rows(f, 30, "items", ROW_1);
    assert_log_fails(f, ERROR_LOST, "the log holds an XA transaction with changes of captured");
    log_end(f);
}

static void prepared_rows_of_others_are_passed_over(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "XA START X'61',X'',1");
    log_map(f, "others");
    log_rows(f, 30, "others", ROW_1);
    log_query(f, "XA END X'61',X'',1");
    log_event(f, 38, bytes("\0\1\0\0\0\1\0\0\0\0\0\0\0a"));
    log_gtid(f, 6);
    log_query(f, "XA COMMIT X'61',X'',1");
    log_gtid(f, 7);
    log_query(f, "XA ROLLBACK X'62',X'',1");
    assert_log(f, "idle " SERVER_A ":1-7");
    log_end(f);
}

static void an_xa_transaction_of_one_phase_is_committed(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "XA START X'61',X'',1");
    log_map(f, "items");
    log_rows(f, 30, "items", ROW_1);
    log_query(f, "XA END X'61',X'',1");
    log_event(f, 38, bytes("\1\1\0\0\0\1\0\0\0\0\0\0\0a"));
    assert_log(f, "items 1 rows; idle " SERVER_A ":1-5");
    log_end(f);
}

/* ---- what is not read ---- */

static void parts_of_documents_are_lost_where_they_are_captured(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_query(f, "BEGIN");
    log_map(f, "others");
    log_event(f, 39, bytes("\6\0\0\0\0\0\1\0\2\0\2\3\3"));
    assert_true(f->ok);
    log_map(f, "items");
    log_event(f, 39, bytes("\5\0\0\0\0\0\1\0\2\0\2\3\3"));
    assert_log_fails(f, ERROR_LOST, "binlog_row_value_options");
    log_end(f);
}

static void changes_in_events_that_nobody_knows_are_lost(void **state)
{
    (void)state;
    struct log_fixture *f = log_begin(SERVER_A ":1-4", SERVER_A ":1-4", false);
    log_gtid(f, 5);
    log_event(f, 99, bytes("anything"));
    assert_log_fails(f, ERROR_LOST, "an event of type event type 99");
    log_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions_of_mysql_end_with_their_xid),
        cmocka_unit_test(transactions_of_mariadb_have_no_begin_of_their_own),
        cmocka_unit_test(rows_know_their_transaction),
        cmocka_unit_test(without_gtids_positions_are_places_in_files),
        cmocka_unit_test(another_file_moves_the_position_without_rows),
        cmocka_unit_test(a_file_whose_name_has_no_number_moves_nothing),
        cmocka_unit_test(groups_that_do_not_fit_together_are_refused),
        cmocka_unit_test(table_maps_hold_for_one_group_only),
        cmocka_unit_test(a_transaction_without_gtid_among_others_is_lost),
        cmocka_unit_test(rows_of_other_tables_are_passed_over_and_move_the_position),
        cmocka_unit_test(a_truncation_stands_between_the_rows),
        cmocka_unit_test(an_alteration_stands_between_the_rows_and_asks_the_catalog),
        cmocka_unit_test(a_table_that_is_gone_when_its_alteration_comes_is_lost),
        cmocka_unit_test(what_is_past_is_known_by_position),
        cmocka_unit_test(what_statements_do_to_captured_tables_is_lost),
        cmocka_unit_test(what_statements_do_to_others_is_passed_over),
        cmocka_unit_test(a_table_made_of_rows_is_one_transaction),
        cmocka_unit_test(rows_that_are_rolled_back_in_part_are_lost),
        cmocka_unit_test(what_others_roll_back_is_passed_over),
        cmocka_unit_test(prepared_rows_of_mysql_are_lost),
        cmocka_unit_test(prepared_rows_of_mariadb_are_lost),
        cmocka_unit_test(prepared_rows_of_others_are_passed_over),
        cmocka_unit_test(an_xa_transaction_of_one_phase_is_committed),
        cmocka_unit_test(parts_of_documents_are_lost_where_they_are_captured),
        cmocka_unit_test(changes_in_events_that_nobody_knows_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
