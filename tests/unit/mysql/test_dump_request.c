/* Sets of GTIDs as COM_BINLOG_DUMP_GTID takes them (MySQL: sql/rpl_gtid_set.cc,
 * Gtid_set::encode()), against bytes made by hand. */
#include "binlog_build.h"
#include "gtids.h"
#include "source/mysql/dump.h"

#define UUID_A "\x3e\x11\xfa\x47\x71\xca\x11\xe1\x9e\x33\xc8\x0a\xa9\x42\x95\x62"
#define UUID_B "\x4e\x11\xfa\x47\x71\xca\x11\xe1\x9e\x33\xc8\x0a\xa9\x42\x95\x62"

static void assert_encoded(const char *text, struct str expected)
{
    struct buf out = {0};
    struct position p = *text ? gtids(text) : position_empty_set();
    dump_append_gtids(&p, &out);
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.data, expected.data, expected.size);
    buf_release(&out);
}

static void no_transactions_are_a_count_of_zero(void **state)
{
    (void)state;
    assert_encoded("", bytes("\0\0\0\0\0\0\0\0"));
}

static void an_interval_ends_before_its_second_number(void **state)
{
    (void)state;
    assert_encoded(SERVER_A ":1-5", bytes("\1\0\0\0\0\0\0\0" UUID_A "\1\0\0\0\0\0\0\0"
                                          "\1\0\0\0\0\0\0\0"
                                          "\6\0\0\0\0\0\0\0"));
    assert_encoded(SERVER_A ":7", bytes("\1\0\0\0\0\0\0\0" UUID_A "\1\0\0\0\0\0\0\0"
                                        "\7\0\0\0\0\0\0\0"
                                        "\10\0\0\0\0\0\0\0"));
}

static void each_source_has_the_count_of_its_intervals(void **state)
{
    (void)state;
    assert_encoded(SERVER_A ":1-5:300-70000," SERVER_B ":2",
                   bytes("\2\0\0\0\0\0\0\0" UUID_A "\2\0\0\0\0\0\0\0"
                         "\1\0\0\0\0\0\0\0"
                         "\6\0\0\0\0\0\0\0"
                         "\x2c\1\0\0\0\0\0\0"
                         "\x71\x11\1\0\0\0\0\0" UUID_B "\1\0\0\0\0\0\0\0"
                         "\2\0\0\0\0\0\0\0"
                         "\3\0\0\0\0\0\0\0"));
}

/* The lowest and the highest byte of the count say that there are tags; then each source has one,
 * its size doubled: a number of one byte of the serialization library. */
static void with_one_tag_all_sources_have_one(void **state)
{
    (void)state;
    assert_encoded(SERVER_A ":1-5:blue:3", bytes("\1\2\0\0\0\0\0\1" UUID_A "\0"
                                                 "\1\0\0\0\0\0\0\0"
                                                 "\1\0\0\0\0\0\0\0"
                                                 "\6\0\0\0\0\0\0\0" UUID_A "\10blue"
                                                 "\1\0\0\0\0\0\0\0"
                                                 "\3\0\0\0\0\0\0\0"
                                                 "\4\0\0\0\0\0\0\0"));
    assert_encoded(SERVER_A ":blue:3," SERVER_B ":1", bytes("\1\2\0\0\0\0\0\1" UUID_A "\10blue"
                                                            "\1\0\0\0\0\0\0\0"
                                                            "\3\0\0\0\0\0\0\0"
                                                            "\4\0\0\0\0\0\0\0" UUID_B "\0"
                                                            "\1\0\0\0\0\0\0\0"
                                                            "\1\0\0\0\0\0\0\0"
                                                            "\2\0\0\0\0\0\0\0"));
}

static void the_longest_tag_still_has_a_size_of_one_byte(void **state)
{
    (void)state;
    assert_encoded(SERVER_A ":abcdefghijklmnopqrstuvwxyz012345:1",
                   bytes("\1\1\0\0\0\0\0\1" UUID_A "\x40"
                         "abcdefghijklmnopqrstuvwxyz012345"
                         "\1\0\0\0\0\0\0\0"
                         "\1\0\0\0\0\0\0\0"
                         "\2\0\0\0\0\0\0\0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_transactions_are_a_count_of_zero),
        cmocka_unit_test(an_interval_ends_before_its_second_number),
        cmocka_unit_test(each_source_has_the_count_of_its_intervals),
        cmocka_unit_test(with_one_tag_all_sources_have_one),
        cmocka_unit_test(the_longest_tag_still_has_a_size_of_one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
