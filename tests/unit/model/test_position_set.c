#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/position_set.h"
#include "test.h"

static const uint8_t uuid_a[16] = {0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1,
                                   0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62};

static const struct position_source *source_a(void)
{
    return position_source_mysql(uuid_a, str_from(""));
}

static const struct position_source *source_numbered(uint8_t n)
{
    return position_source_mysql((uint8_t[16]){n}, str_from(""));
}

static struct position set_of(const char *text)
{
    struct error err = {0};
    struct position p = position_integer(1);
    assert_true(position_parse(str_from(text), &p, &err));
    assert_int_equal(p.kind, POSITION_SET);
    return p;
}

static void assert_text(struct position p, const char *expected)
{
    struct buf text = {0};
    position_format(p, &text);
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "4e11fa47-71ca-11e1-9e33-c80aa9429562"

static void equal_sources_are_the_same_pointer(void **state)
{
    (void)state;
    assert_ptr_equal(source_a(), position_source_mysql(uuid_a, str_from("")));
    assert_ptr_not_equal(source_a(), source_numbered(1));
    assert_ptr_not_equal(source_a(), position_source_mysql(uuid_a, str_from("nightly")));
    assert_ptr_equal(position_source_mysql(uuid_a, str_from("Nightly_1")),
                     position_source_mysql(uuid_a, str_from("nightly_1")));
    assert_ptr_equal(position_source_mariadb(7), position_source_mariadb(7));
    assert_ptr_not_equal(position_source_mariadb(7), position_source_mariadb(8));
}

static void a_source_tells_its_parts(void **state)
{
    (void)state;
    struct position_source_parts parts =
        position_source_parts(position_source_mysql(uuid_a, str_from("Nightly")));
    assert_false(parts.is_mariadb);
    assert_memory_equal(parts.uuid, uuid_a, 16);
    assert_string_equal(parts.tag, "nightly");
    parts = position_source_parts(position_source_mariadb(4000000000));
    assert_true(parts.is_mariadb);
    assert_int_equal(parts.domain, 4000000000);
}

static void no_source_has_a_tag_that_no_server_takes(void **state)
{
    (void)state;
    assert_non_null(position_source_mysql(uuid_a, str_from("a2345678901234567890123456789012")));
    static const char *const bad[] = {"a23456789012345678901234567890123", "1a", "a:b", "a b", "-"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(position_source_mysql(uuid_a, str_from(bad[i])));
    }
}

static void the_empty_set_is_after_none_and_before_every_other_set(void **state)
{
    (void)state;
    struct position none = {0};
    struct position empty = position_empty_set();
    assert_true(position_covers(empty, none));
    assert_false(position_covers(none, empty));
    assert_false(position_equal(none, empty));
    assert_true(position_covers(set_of(A ":1"), empty));
    assert_false(position_covers(empty, set_of(A ":1")));
    assert_true(position_equal(position_join(none, empty), empty));
    assert_true(position_equal(position_meet(none, empty), none));
}

static void a_set_and_an_integer_cover_neither_each_other(void **state)
{
    (void)state;
    struct position set = set_of(A ":1-5");
    assert_false(position_covers(set, position_integer(0)));
    assert_false(position_covers(position_integer(UINT64_MAX), position_empty_set()));
    assert_false(position_covers_integer(&set, 0));
    struct position integer = position_integer(9);
    assert_false(position_covers_transaction(&integer, source_a(), 1));
    assert_false(position_is_comparable(&set, &integer));
}

static void adding_extends_merges_or_begins_an_interval(void **state)
{
    (void)state;
    struct position p = position_empty_set();
    static const struct {
        uint64_t number;
        const char *text;
    } steps[] = {
        {5, A ":5"},       {6, A ":5-6"},   {9, A ":5-6:9"}, {4, A ":4-6:9"},
        {8, A ":4-6:8-9"}, {7, A ":4-9"},   {7, A ":4-9"},   {0, A ":4-9"},
        {1, A ":1:4-9"},   {3, A ":1:3-9"}, {2, A ":1-9"},   {11, A ":1-9:11"},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        position_add(&p, source_a(), steps[i].number, 77);
        assert_text(p, steps[i].text);
    }
    assert_int_equal(position_number(p), 10);
    position_add(&p, position_source_mysql(uuid_a, str_from("nightly")), 2, 0);
    assert_text(p, A ":1-9:11:nightly:2");
}

static void a_domain_has_everything_up_to_its_last_number_and_never_goes_back(void **state)
{
    (void)state;
    struct position p = position_empty_set();
    position_add(&p, position_source_mariadb(1), 10, 3);
    position_add(&p, position_source_mariadb(0), 5, 2);
    assert_text(p, "0-2-5,1-3-10");
    assert_int_equal(position_number(p), 15);
    position_add(&p, position_source_mariadb(1), 9, 4);
    position_add(&p, position_source_mariadb(1), 10, 4);
    assert_text(p, "0-2-5,1-3-10");
    position_add(&p, position_source_mariadb(1), 100, 4);
    assert_text(p, "0-2-5,1-4-100");
    assert_true(position_covers_transaction(&p, position_source_mariadb(1), 50));
    assert_false(position_covers_transaction(&p, position_source_mariadb(1), 101));
    assert_false(position_covers_transaction(&p, position_source_mariadb(2), 1));
}

static void the_server_of_a_domain_is_carried_but_not_compared(void **state)
{
    (void)state;
    assert_true(position_equal(set_of("0-1-5"), set_of("0-2-5")));
    assert_text(position_meet(set_of("0-1-5,1-1-9"), set_of("0-2-7,1-2-4")), "0-1-5,1-2-4");
    assert_text(position_join(set_of("0-1-5,1-1-9"), set_of("0-2-7,1-2-4")), "0-2-7,1-1-9");
}

static void one_transaction_is_covered_by_whoever_has_it(void **state)
{
    (void)state;
    struct position p = position_transaction(source_a(), 7);
    assert_text(p, A ":7");
    assert_true(position_covers(set_of(A ":1-7"), p));
    assert_false(position_covers(set_of(A ":1-6:8-9"), p));
    p = position_transaction(position_source_mariadb(3), 7);
    assert_true(position_covers(set_of("3-1-8"), p));
    assert_false(position_covers(set_of("3-1-6"), p));
}

static void meet_and_join_of_sets_are_intersection_and_union(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *meet, *join;
    } cases[] = {
        {A ":1-5", B ":1-5", "-", A ":1-5," B ":1-5"},
        {A ":1-5:9", A ":4-8", A ":4-5", A ":1-9"},
        {A ":1-9", A ":2:4:6", A ":2:4:6", A ":1-9"},
        {A ":1-3:7-9", A ":2-8", A ":2-3:7-8", A ":1-9"},
        {A ":1-3", A ":x:1-3", "-", A ":1-3:x:1-3"},
        {A ":1-3," B ":1", A ":2-4:x:5", A ":2-3", A ":1-4:x:5," B ":1"},
        {"-", A ":1", "-", A ":1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct position a = set_of(cases[i].a);
        struct position b = set_of(cases[i].b);
        assert_text(position_meet(a, b), cases[i].meet);
        assert_text(position_meet(b, a), cases[i].meet);
        assert_text(position_join(a, b), cases[i].join);
        assert_text(position_join(b, a), cases[i].join);
    }
}

static void what_servers_print_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5", A ":1-5"},
        {A ":1-5:Domain_1:1-3:8:domain_2:8-52", A ":1-5:domain_1:1-3:8:domain_2:8-52"},
        {B ":1-2,\n" A ":1-5,\n" A ":x:9", A ":1-5:x:9," B ":1-2"},
        {"  " A " : 7 : 1 - 3 : 4\r\n", A ":1-4:7"},
        {A ":9223372036854775807", A ":9223372036854775807"},
        {A ":1-5:3-9:4", A ":1-9"},
        {"1-2-7, 0-1-5", "0-1-5,1-2-7"},
        {"0-1-0", "-"},
        {"0-1-5,0-2-9,0-3-7", "0-2-9"},
        {"4294967295-4294967295-18446744073709551615",
         "4294967295-4294967295-18446744073709551615"},
        {"10000000-1000-1000-1000-100000000000:1", "10000000-1000-1000-1000-100000000000:1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_text(set_of(cases[i].text), cases[i].canonical);
        assert_text(set_of(cases[i].canonical), cases[i].canonical);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        A,
        A ":",
        A ":0",
        A ":0-5",
        A ":5-3",
        A ":1-",
        A ":-1",
        A ":1:",
        A ":1::2",
        A ":x",
        A ":x:",
        A ":x:y:1",
        A ":1,",
        "," A ":1",
        A ":1,," B ":1",
        A ":1 2",
        A ":1;" B ":1",
        A ":9223372036854775808",
        A ":a2345678901234567890123456789012345:1",
        "3e11fa4771ca11e19e33c80aa9429562:1",
        "3e11fa47-71ca-11e1-9e33-c80aa942956g:1",
        "3e11fa47-71ca-11e1-9e33-c80aa942956:1",
        "0-1",
        "0-1-5-6",
        "0-1-5,",
        "4294967296-1-5",
        "0-4294967296-5",
        "0-1-18446744073709551616",
        "--",
        " ",
        "- ",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err = {0};
        struct position out = position_integer(3);
        assert_false(position_parse(str_from(bad[i]), &out, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        assert_int_equal(out.integer, 3);
    }
}

static void a_long_text_that_is_refused_is_shown_by_its_beginning(void **state)
{
    (void)state;
    struct buf text = {0};
    struct error err = {0};
    struct position out;
    for (int i = 0; i < 1000; i++) {
        buf_append_text(&text, "0-1-5,");
    }
    assert_false(position_parse(buf_str(&text), &out, &err));
    assert_true(strlen(err.message) < 200);
    assert_non_null(strstr(err.message, "...\" is not a position"));
    buf_release(&text);
}

struct seen {
    uint64_t firsts[64];
    size_t count;
    size_t count_max;
};

static bool see(void *arg, const struct position_interval *i)
{
    struct seen *s = arg;
    s->firsts[s->count++] = i->first;
    return s->count < s->count_max;
}

static void intervals_are_walked_in_order_until_the_caller_has_enough(void **state)
{
    (void)state;
    struct position p = position_empty_set();
    for (uint64_t n = 60; n > 0; n -= 2) {
        position_add(&p, source_a(), n, 0);
    }
    struct seen s = {.count_max = 64};
    assert_true(position_each(&p, see, &s));
    assert_int_equal(s.count, 30);
    for (size_t i = 0; i < s.count; i++) {
        assert_int_equal(s.firsts[i], 2 * (i + 1));
    }
    s = (struct seen){.count_max = 3};
    assert_false(position_each(&p, see, &s));
    assert_int_equal(s.count, 3);
    p = position_integer(5);
    assert_true(position_each(&p, see, &s));
    assert_int_equal(s.count, 3);
}

static struct position set_of_thirty(void)
{
    struct buf text = {0};
    for (int i = 0; i < 30; i++) {
        buf_append_format(&text, "%s%08x-0000-0000-0000-000000000000:1-5", i ? "," : "", i + 256);
    }
    struct position p = set_of(buf_text(&text));
    buf_release(&text);
    return p;
}

static void reading_a_log_makes_no_rest_at_each_transaction(void **state)
{
    (void)state;
    struct position p = set_of_thirty();
    size_t before = position_rest_count();
    for (uint64_t n = 1; n <= 100000; n++) {
        position_add(&p, source_a(), n, 0);
    }
    assert_int_equal(position_number(p), 30 * 5 + 100000);
    assert_true(position_rest_count() <= before + 1);

    /* Nor do several sources that write in turn, each begun in the rest. */
    p = set_of_thirty();
    before = position_rest_count();
    for (uint64_t n = 6; n <= 10000; n++) {
        for (int i = 0; i < POSITION_OPEN_MAX; i++) {
            position_add(
                &p, position_source_mysql((uint8_t[16]){0, 0, 1, (uint8_t)i}, str_from("")), n, 0);
        }
    }
    assert_int_equal(position_number(p), 30 * 5 + POSITION_OPEN_MAX * 9995);
    assert_true(position_rest_count() <= before + POSITION_OPEN_MAX);
}

static void comparing_places_of_one_log_makes_no_rest(void **state)
{
    (void)state;
    struct position p = set_of_thirty();
    position_add(&p, source_a(), 1, 0);
    size_t before = position_rest_count();
    for (uint64_t n = 2; n <= 1000; n++) {
        struct position older = p;
        position_add(&p, source_a(), n, 0);
        assert_true(position_covers(p, older));
        assert_false(position_covers(older, p));
        assert_true(position_equal(position_meet(p, older), older));
        assert_true(position_equal(position_join(older, p), p));
    }
    assert_int_equal(position_rest_count(), before);
}

/* The same sets as bits, one a transaction. */
enum { MODEL_SOURCES = 5, MODEL_NUMBERS = 40 };

struct model {
    bool has[MODEL_SOURCES][MODEL_NUMBERS + 1];
};

static const struct position_source *model_source(size_t i)
{
    return i < 3 ? source_numbered((uint8_t)i) : position_source_mariadb((uint32_t)i);
}

static void model_add(struct model *m, size_t source, size_t number)
{
    for (size_t n = source < 3 ? number : 1; n <= number; n++) {
        m->has[source][n] = true;
    }
}

static struct model model_both(const struct model *a, const struct model *b, bool join)
{
    struct model m = {0};
    for (size_t s = 0; s < MODEL_SOURCES; s++) {
        for (size_t n = 0; n <= MODEL_NUMBERS; n++) {
            m.has[s][n] = join ? a->has[s][n] || b->has[s][n] : a->has[s][n] && b->has[s][n];
        }
    }
    return m;
}

static bool model_covers(const struct model *a, const struct model *b)
{
    struct model both = model_both(a, b, false);
    return memcmp(&both, b, sizeof(both)) == 0;
}

static void assert_same(struct position p, const struct model *m)
{
    uint64_t count = 0;
    for (size_t s = 0; s < MODEL_SOURCES; s++) {
        for (size_t n = 1; n <= MODEL_NUMBERS; n++) {
            count += m->has[s][n];
            assert_int_equal(position_covers_transaction(&p, model_source(s), n), m->has[s][n]);
        }
    }
    assert_int_equal(position_number(p), count);
    struct buf text = {0};
    position_format(p, &text);
    assert_true(position_equal(set_of(buf_text(&text)), p));
    buf_release(&text);
}

static void random_sets_are_what_their_bits_say(void **state)
{
    (void)state;
    unsigned seed = 20240917;
    for (int round = 0; round < 300; round++) {
        struct position p[2] = {position_empty_set(), position_empty_set()};
        struct model m[2] = {0};
        int steps = rand_r(&seed) % 120;
        for (int i = 0; i < steps; i++) {
            size_t source = (size_t)(rand_r(&seed) % MODEL_SOURCES);
            size_t number = (size_t)(rand_r(&seed) % MODEL_NUMBERS) + 1;
            int which = rand_r(&seed) % 4; /* half of them go into both */
            for (int k = 0; k < 2; k++) {
                if (which == k || which >= 2) {
                    position_add(&p[k], model_source(source), number, 1);
                    model_add(&m[k], source, number);
                }
            }
        }
        struct model meet = model_both(&m[0], &m[1], false);
        struct model join = model_both(&m[0], &m[1], true);
        assert_same(p[0], &m[0]);
        assert_same(p[1], &m[1]);
        assert_same(position_meet(p[0], p[1]), &meet);
        assert_same(position_join(p[1], p[0]), &join);
        assert_int_equal(position_covers(p[0], p[1]), model_covers(&m[0], &m[1]));
        assert_int_equal(position_covers(p[1], p[0]), model_covers(&m[1], &m[0]));
        assert_int_equal(position_equal(p[0], p[1]), memcmp(&m[0], &m[1], sizeof(m[0])) == 0);
    }
}

enum { INTERNING_THREADS = 4, INTERNING_SOURCES = 300 };

/* One thread's share of sources and sets that all threads make at the same time. */
struct interning {
    pthread_barrier_t *start;
    const struct position_source *mysql[INTERNING_SOURCES];
    const struct position_source *mariadb[INTERNING_SOURCES];
    struct position sets[INTERNING_SOURCES];
};

static void *intern_all(void *arg)
{
    struct interning *t = arg;
    (void)pthread_barrier_wait(t->start);
    for (uint32_t i = 0; i < INTERNING_SOURCES; i++) {
        uint8_t uuid[16] = {0x11, (uint8_t)(i >> 8), (uint8_t)i};
        t->mysql[i] = position_source_mysql(uuid, str_from(i % 3 ? "" : "tag"));
        t->mariadb[i] = position_source_mariadb(1000 + i);
        t->sets[i] = position_empty_set();
        for (uint64_t n = 1; n < 40 + i % 2; n += 2) { /* more intervals than are open */
            position_add(&t->sets[i], t->mysql[i], n, 0);
        }
    }
    return NULL;
}

static void threads_that_make_the_same_get_the_same(void **state)
{
    (void)state;
    pthread_barrier_t start;
    pthread_t threads[INTERNING_THREADS];
    struct interning *t = calloc(INTERNING_THREADS, sizeof(*t));
    assert_non_null(t);
    assert_int_equal(pthread_barrier_init(&start, NULL, INTERNING_THREADS), 0);
    for (int i = 0; i < INTERNING_THREADS; i++) {
        t[i].start = &start;
        assert_int_equal(pthread_create(&threads[i], NULL, intern_all, &t[i]), 0);
    }
    for (int i = 0; i < INTERNING_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 1; i < INTERNING_THREADS; i++) {
        assert_memory_equal(t[0].mysql, t[i].mysql, sizeof(t->mysql));
        assert_memory_equal(t[0].mariadb, t[i].mariadb, sizeof(t->mariadb));
        for (int k = 0; k < INTERNING_SOURCES; k++) {
            assert_non_null(t[i].sets[k].rest);
            assert_ptr_equal(t[i].sets[k].rest, t[0].sets[k].rest);
            assert_true(position_equal(t[i].sets[k], t[0].sets[k]));
        }
    }
    assert_ptr_not_equal(t[0].mysql[0], t[0].mysql[1]);
    (void)pthread_barrier_destroy(&start);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sources_are_the_same_pointer),
        cmocka_unit_test(a_source_tells_its_parts),
        cmocka_unit_test(no_source_has_a_tag_that_no_server_takes),
        cmocka_unit_test(the_empty_set_is_after_none_and_before_every_other_set),
        cmocka_unit_test(a_set_and_an_integer_cover_neither_each_other),
        cmocka_unit_test(adding_extends_merges_or_begins_an_interval),
        cmocka_unit_test(a_domain_has_everything_up_to_its_last_number_and_never_goes_back),
        cmocka_unit_test(the_server_of_a_domain_is_carried_but_not_compared),
        cmocka_unit_test(one_transaction_is_covered_by_whoever_has_it),
        cmocka_unit_test(meet_and_join_of_sets_are_intersection_and_union),
        cmocka_unit_test(what_servers_print_is_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(a_long_text_that_is_refused_is_shown_by_its_beginning),
        cmocka_unit_test(intervals_are_walked_in_order_until_the_caller_has_enough),
        cmocka_unit_test(reading_a_log_makes_no_rest_at_each_transaction),
        cmocka_unit_test(comparing_places_of_one_log_makes_no_rest),
        cmocka_unit_test(random_sets_are_what_their_bits_say),
        cmocka_unit_test(threads_that_make_the_same_get_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
