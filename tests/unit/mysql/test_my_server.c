#include "source/mysql/connection.h"
#include "source/mysql/server.h"
#include "test.h"

static void versions_of_both_servers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t version;
    } cases[] = {
        {"8.4.2", 80402},
        {"9.7.4-commercial", 90704},
        {"8.0.36-0ubuntu0.22.04.1", 80036},
        {"10.11.19-MariaDB-log", 101119},
        {"5.5.5-10.11.19-MariaDB-log", 101119},
        {"5.5.5", 50505},
        {"11.4.0-MariaDB", 110400},
        {"", 0},
        {"eight", 0},
        {"8", 0},
        {"8.4", 0},
        {"8.4.", 0},
        {"8..4", 0},
        {"123.4.5", 0},
        {"99999999999999999999.1.1", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(my_server_version_parse(cases[i].text), cases[i].version);
    }
}

static void a_place_in_the_log_becomes_a_number_and_back(void **state)
{
    (void)state;
    static const struct my_log_place places[] = {
        {.file = "binlog.000012", .offset = 4},
        {.file = "binlog.000001", .offset = UINT32_MAX},
        {.file = "my.host-bin.2147483647", .offset = 0},
        {.file = "binlog.1000000", .offset = 77},
    };
    uint64_t before = 0;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint64_t packed = 0;
        struct my_log_place back;
        assert_true(my_log_place_pack(&places[i], &packed));
        assert_true(packed <= INT64_MAX);
        assert_true(my_log_place_unpack(packed, places[i].file, &back));
        assert_string_equal(back.file, places[i].file);
        assert_int_equal(back.offset, places[i].offset);
        assert_int_not_equal(packed, before);
        before = packed;
    }
}

static void places_are_in_the_order_of_the_log(void **state)
{
    (void)state;
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t c = 0;
    assert_true(my_log_place_pack(
        &(struct my_log_place){.file = "b.999999", .offset = UINT32_MAX - 1}, &a));
    assert_true(
        my_log_place_pack(&(struct my_log_place){.file = "b.999999", .offset = UINT32_MAX}, &b));
    assert_true(my_log_place_pack(&(struct my_log_place){.file = "b.1000000", .offset = 4}, &c));
    assert_true(a < b && b < c);
}

static void a_place_without_a_number_is_none(void **state)
{
    (void)state;
    static const struct my_log_place places[] = {
        {.file = ""},
        {.file = "binlog"},
        {.file = "binlog."},
        {.file = "binlog.12a"},
        {.file = "binlog.-12"},
        {.file = "binlog.2147483648"},
        {.file = "binlog.99999999999999999999"},
        {.file = "binlog.000001", .offset = (uint64_t)UINT32_MAX + 1},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint64_t packed = 0;
        assert_false(my_log_place_pack(&places[i], &packed));
    }
    struct my_log_place back;
    assert_false(my_log_place_unpack(5, "binlog", &back));
    char name[256];
    memset(name, 'x', sizeof(name));
    memcpy(name + sizeof(name) - 9, ".000001", 8);
    assert_false(my_log_place_unpack(5, name, &back));
}

static void an_error_says_what_to_do_next(void **state)
{
    (void)state;
    static const struct {
        unsigned number;
        enum error_kind kind;
    } cases[] = {
        {0, ERROR_RETRY},     {1040, ERROR_RETRY},  {1045, ERROR_CONFIG}, {1049, ERROR_CONFIG},
        {1053, ERROR_RETRY},  {1064, ERROR_FATAL},  {1142, ERROR_CONFIG}, {1205, ERROR_RETRY},
        {1213, ERROR_RETRY},  {1227, ERROR_CONFIG}, {1236, ERROR_LOST},   {1317, ERROR_RETRY},
        {1412, ERROR_RETRY},  {1789, ERROR_LOST},   {2002, ERROR_RETRY},  {2003, ERROR_RETRY},
        {2005, ERROR_RETRY},  {2006, ERROR_RETRY},  {2013, ERROR_RETRY},  {2014, ERROR_FATAL},
        {2059, ERROR_CONFIG}, {99999, ERROR_FATAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(my_connection_error_kind(cases[i].number), cases[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_of_both_servers_are_read),
        cmocka_unit_test(a_place_in_the_log_becomes_a_number_and_back),
        cmocka_unit_test(places_are_in_the_order_of_the_log),
        cmocka_unit_test(a_place_without_a_number_is_none),
        cmocka_unit_test(an_error_says_what_to_do_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
