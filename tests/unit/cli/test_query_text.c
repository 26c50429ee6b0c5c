#include <string.h>

#include "cli/query_text.h"
#include "test.h"

static const int64_t now_us = INT64_C(1795269906000000); /* 2026-11-21 14:05:06 */

struct fixture {
    struct arena arena;
    struct query_text text;
    struct error err;
};

static void read_text(struct fixture *f, const char *sql)
{
    arena_release(&f->arena);
    f->err = (struct error){0};
    bool done = query_text_read(sql, now_us, &f->arena, &f->text, &f->err);
    assert_string_equal(f->err.message, "");
    assert_true(done);
    assert_int_equal(f->text.size, strlen(sql));
}

/* The words, each followed by a line break. */
static void expect_words(const char *sql, const char *expected)
{
    struct fixture f = {0};
    struct buf words = {0};
    read_text(&f, sql);
    for (size_t i = 0; i < f.text.word_count; i++) {
        buf_append(&words, f.text.sql + f.text.words[i].start, f.text.words[i].size);
        buf_append_char(&words, '\n');
    }
    assert_string_equal(buf_text(&words), expected);
    buf_release(&words);
    arena_release(&f.arena);
}

static void words_are_names_strings_numbers_and_signs(void **state)
{
    (void)state;
    expect_words("", "");
    expect_words(" \t\n", "");
    expect_words("SELECT a,b FROM x.y", "SELECT\na\n,\nb\nFROM\nx\n.\ny\n");
    expect_words("1_000+0xFF*1.5e3", "1_000\n+\n0xFF\n*\n1.5e3\n");
    expect_words("é_ÿ1 \xE6\x97\xA5", "é_ÿ1\n\xE6\x97\xA5\n");
    expect_words("$1 a$b", "$\n1\na$b\n");
}

static void quotes_hide_what_is_in_them(void **state)
{
    (void)state;
    expect_words("'it''s -- no' x", "'it''s -- no'\nx\n");
    expect_words("'a\\' b", "'a\\'\nb\n");
    expect_words("E'a\\' b' c", "E'a\\' b'\nc\n");
    expect_words("\"a\"\"b /* \".\"c\"", "\"a\"\"b /* \"\n.\n\"c\"\n");
    expect_words("$$ 'x $$ y", "$$ 'x $$\ny\n");
    expect_words("$t$ $$ $u$ $t$z", "$t$ $$ $u$ $t$\nz\n");
    expect_words("x'AB'", "x\n'AB'\n");
}

static void comments_are_no_words(void **state)
{
    (void)state;
    expect_words("a -- b 'c\nd", "a\nd\n");
    expect_words("a/* b /* c */ d */e", "a\ne\n");
    expect_words("a--", "a\n");
    expect_words("a - - b / * c", "a\n-\n-\nb\n/\n*\nc\n");
}

static void what_does_not_end_ends_with_the_text(void **state)
{
    (void)state;
    expect_words("a 'b", "a\n'b\n");
    expect_words("a '", "a\n'\n");
    expect_words("\"a", "\"a\n");
    expect_words("E'\\", "E'\\\n");
    expect_words("$$a", "$$a\n");
    expect_words("$a", "$\na\n");
    expect_words("a /* b /* */", "a\n");
}

static void spaces_of_unicode_become_plain_ones_without_moving_anything(void **state)
{
    (void)state;
    struct fixture f = {0};
    read_text(&f, "a\xC2\xA0"
                  "b '\xC2\xA0' \xE3\x80\x80"
                  "c");
    assert_string_equal(f.text.sql, "a  b '\xC2\xA0'    c");
    expect_words("a\xE2\x80\x83"
                 "b",
                 "a\nb\n");
    arena_release(&f.arena);
}

static void a_semicolon_at_the_end_goes(void **state)
{
    (void)state;
    struct fixture f = {0};
    read_text(&f, "SELECT 1 ; ; -- done");
    assert_string_equal(f.text.sql, "SELECT 1     -- done");
    read_text(&f, "SELECT 1; SELECT 2;");
    assert_string_equal(f.text.sql, "SELECT 1; SELECT 2 ");
    read_text(&f, "SELECT ';'");
    assert_string_equal(f.text.sql, "SELECT ';'");
    arena_release(&f.arena);
}

static void versions_are_read_and_taken_out(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *left;
        int64_t version;
    } cases[] = {
        {"FROM t VERSION AS OF 3", "FROM t                ", 3},
        {"FROM t version as of 3 AS x", "FROM t                 AS x", 3},
        {"FROM t FOR VERSION AS OF 0", "FROM t                    ", 0},
        {"FROM t VERSION AS OF '12'", "FROM t                   ", 12},
        {"FROM t SYSTEM_VERSION AS OF 1", "FROM t                       ", 1},
        {"FROM t VERSION/**/AS--\nOF 1", "FROM t                     ", 1},
        {"FROM t VERSION AS OF 9223372036854775807", "FROM t                                  ",
         INT64_MAX},
    };
    struct fixture f = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_text(&f, cases[i].sql);
        assert_string_equal(f.text.sql, cases[i].left);
        assert_int_equal(f.text.version_count, 1);
        assert_int_equal(f.text.versions[0].word, 2);
        assert_int_equal(f.text.versions[0].at.kind, LAKE_AT_VERSION);
        assert_int_equal(f.text.versions[0].at.version, cases[i].version);
    }
    arena_release(&f.arena);
}

static void times_are_read_and_taken_out(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int64_t time_us;
    } cases[] = {
        {"FROM t TIMESTAMP AS OF '1970-01-02'", INT64_C(86400000000)},
        {"FROM t TIMESTAMP AS OF TIMESTAMP '1970-01-01 00:00:01'", 1000000},
        {"FROM t FOR TIMESTAMP AS OF '1970-01-01T01:00:00+01:00'", 0},
        {"FROM t FOR SYSTEM_TIME AS OF '1970-01-01 00:00:00.5'", 500000},
        {"FROM t timestamp as of '2h'", now_us - INT64_C(7200000000)},
    };
    struct fixture f = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_text(&f, cases[i].sql);
        assert_int_equal(f.text.version_count, 1);
        assert_int_equal(f.text.versions[0].at.kind, LAKE_AT_TIME);
        assert_int_equal(f.text.versions[0].at.time_us, cases[i].time_us);
        assert_memory_equal(f.text.sql, "FROM t  ", 8);
        assert_int_equal(strspn(f.text.sql + 6, " "), f.text.size - 6);
    }
    arena_release(&f.arena);
}

static void names_that_look_like_a_version_stay(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "SELECT version AS of FROM t",
        "SELECT timestamp AS of, 3 FROM t",
        "SELECT 'x VERSION AS OF 3'",
        "SELECT \"VERSION\" AS OF 3",
        "SELECT version, as_of FROM t -- VERSION AS OF 3",
        "FROM t VERSION AS OF x",
        "FROM t VERSION AS OF -1",
        "FROM t TIMESTAMP AS OF 3",
        "FROM t TIMESTAMP AS OF now()",
        "FROM t VERSION AS OF",
        "FOR",
        "VERSION AS",
    };
    struct fixture f = {0};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        read_text(&f, kept[i]);
        assert_string_equal(f.text.sql, kept[i]);
        assert_int_equal(f.text.version_count, 0);
    }
    arena_release(&f.arena);
}

static void several_versions_keep_their_places(void **state)
{
    (void)state;
    struct fixture f = {0};
    read_text(&f, "FROM a VERSION AS OF 1 x JOIN b TIMESTAMP AS OF '1h' USING (id)");
    assert_int_equal(f.text.version_count, 2);
    assert_int_equal(f.text.versions[0].word, 2);
    assert_int_equal(f.text.versions[1].word, 9);
    assert_string_equal(f.text.sql,
                        "FROM a                 x JOIN b                      USING (id)");
    arena_release(&f.arena);
}

static void a_version_or_time_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        {"FROM t VERSION AS OF 1.5", "1.5"},
        {"FROM t VERSION AS OF 99999999999999999999", "99999999999999999999"},
        {"FROM t VERSION AS OF 'three'", "three"},
        {"FROM t VERSION AS OF ''", "\"\""},
        {"FROM t VERSION AS OF '", "\"\""},
        {"FROM t TIMESTAMP AS OF 'yesterday'", "yesterday"},
        {"FROM t TIMESTAMP AS OF '2026-02-30'", "2026-02-30"},
        {"\xFF", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct fixture f = {0};
        assert_false(query_text_read(refused[i][0], now_us, &f.arena, &f.text, &f.err));
        assert_int_equal(f.err.kind, ERROR_CONFIG);
        assert_non_null(strstr(f.err.message, refused[i][1]));
        arena_release(&f.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_names_strings_numbers_and_signs),
        cmocka_unit_test(quotes_hide_what_is_in_them),
        cmocka_unit_test(comments_are_no_words),
        cmocka_unit_test(what_does_not_end_ends_with_the_text),
        cmocka_unit_test(spaces_of_unicode_become_plain_ones_without_moving_anything),
        cmocka_unit_test(a_semicolon_at_the_end_goes),
        cmocka_unit_test(versions_are_read_and_taken_out),
        cmocka_unit_test(times_are_read_and_taken_out),
        cmocka_unit_test(names_that_look_like_a_version_stay),
        cmocka_unit_test(several_versions_keep_their_places),
        cmocka_unit_test(a_version_or_time_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
