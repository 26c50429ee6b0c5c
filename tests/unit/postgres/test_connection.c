#include <string.h>

#include "source/postgres/connection.h"
#include "test.h"

static void assert_url_refused(const char *url, const char *secret)
{
    struct error err = {0};
    assert_false(connection_check_url(url, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_null(strstr(err.message, secret));
}

static void a_broken_url_is_never_repeated(void **state)
{
    (void)state;
    assert_url_refused("postgresql://user:hush@more@host/db", "hush");
    assert_url_refused("postgresql://user:hush@more@host/db", "more");
    assert_url_refused("postgresql://user:hush/more@host/db", "hush");
    assert_url_refused("postgres://user:hush%zz@host/db", "hush");
    assert_url_refused("host=localhost password='hush", "hush");
    assert_url_refused("mysql://user:hush@host/db", "hush");
}

static void urls_and_connection_strings_are_let_in(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "postgresql://user:p%40ss%2Fword@host:5432/db",
        "postgresql:///db?host=/var/run/postgresql",
        "postgresql://user@%2Ftmp%2Fsocket:5433/db?sslmode=require",
        "host=localhost port=5432 password='a b@/'",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct error err = {0};
        if (!connection_check_url(urls[i], &err)) {
            fail_msg("%s: %s", urls[i], err.message);
        }
    }
}

static void a_state_of_the_server_says_what_to_do_next(void **state)
{
    (void)state;
    assert_int_equal(connection_error_kind(""), ERROR_RETRY);
    assert_int_equal(connection_error_kind("57P03"), ERROR_RETRY);  /* starting up */
    assert_int_equal(connection_error_kind("57P01"), ERROR_RETRY);  /* shutting down */
    assert_int_equal(connection_error_kind("53300"), ERROR_RETRY);  /* too many connections */
    assert_int_equal(connection_error_kind("55006"), ERROR_RETRY);  /* slot in use */
    assert_int_equal(connection_error_kind("40P01"), ERROR_RETRY);  /* deadlock */
    assert_int_equal(connection_error_kind("28P01"), ERROR_CONFIG); /* wrong password */
    assert_int_equal(connection_error_kind("3D000"), ERROR_CONFIG); /* no such database */
    assert_int_equal(connection_error_kind("42501"), ERROR_CONFIG); /* no right */
    assert_int_equal(connection_error_kind("53400"), ERROR_CONFIG); /* max_replication_slots */
    assert_int_equal(connection_error_kind("55000"), ERROR_CONFIG); /* wal_level */
    assert_int_equal(connection_error_kind("42601"), ERROR_FATAL);  /* our own mistake */
}

static void a_server_that_is_not_there_is_worth_another_try(void **state)
{
    (void)state;
    struct error err = {0};
    struct connection_options options = {.url = "postgresql://u:hush@/db?host=/nowhere/at/all",
                                         .pipeline = "p",
                                         .connect_timeout_ms = 1000};
    assert_null(connection_open(&options, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_null(strstr(err.message, "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_url_is_never_repeated),
        cmocka_unit_test(urls_and_connection_strings_are_let_in),
        cmocka_unit_test(a_state_of_the_server_says_what_to_do_next),
        cmocka_unit_test(a_server_that_is_not_there_is_worth_another_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
