#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "test.h"

enum { KEYS = 3000 };

static struct str key_of(int i, char text[16])
{
    (void)snprintf(text, 16, "key-%d", i);
    return str_from(text);
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m = {0};
    size_t i = 0;
    struct str key;
    void *value = NULL;
    assert_null(map_get(&m, str_from("a")));
    assert_null(map_remove(&m, str_from("a")));
    assert_false(map_next(&m, &i, &key, &value));
    map_release(&m, NULL);
}

static void keys_are_bytes_and_are_copied(void **state)
{
    (void)state;
    struct map m = {0};
    int one = 1;
    int two = 2;
    int three = 3;
    char text[] = "ab";
    assert_null(map_put(&m, str_from(text), &one));
    text[0] = 'x';
    assert_null(map_put(&m, (struct str){"a\0b", 3}, &two));
    assert_null(map_put(&m, (struct str){"", 0}, &three));
    assert_ptr_equal(map_get(&m, str_from("ab")), &one);
    assert_ptr_equal(map_get(&m, (struct str){"a\0b", 3}), &two);
    assert_ptr_equal(map_get(&m, (struct str){NULL, 0}), &three);
    assert_null(map_get(&m, str_from("a")));
    assert_ptr_equal(map_put(&m, str_from("ab"), &two), &one);
    assert_int_equal(m.count, 3);
    map_release(&m, NULL);
}

/* Compares with an array after each of many random steps. */
static void puts_and_removals_in_any_order_keep_the_rest(void **state)
{
    (void)state;
    static int values[KEYS];
    static bool present[KEYS];
    struct map m = {0};
    unsigned seed = 42;
    char text[16];
    size_t count = 0;
    for (int step = 0; step < 40000; step++) {
        seed = seed * 1103515245 + 12345;
        int i = (int)(seed >> 8) % KEYS;
        bool grow = step < 15000 ? seed >> 30 != 0 : seed >> 30 == 0;
        void *before = present[i] ? &values[i] : NULL;
        if (grow) {
            assert_ptr_equal(map_put(&m, key_of(i, text), &values[i]), before);
        } else {
            assert_ptr_equal(map_remove(&m, key_of(i, text)), before);
        }
        count = count + (grow && !present[i]) - (!grow && present[i]);
        present[i] = grow;
        assert_int_equal(m.count, count);
    }
    for (int i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_get(&m, key_of(i, text)), present[i] ? &values[i] : NULL);
    }
    map_release(&m, NULL);
}

static void walking_sees_each_entry_once(void **state)
{
    (void)state;
    static int values[KEYS];
    struct map m = {0};
    char text[16];
    for (int i = 0; i < KEYS; i++) {
        (void)map_put(&m, key_of(i, text), &values[i]);
    }
    struct str key;
    void *value = NULL;
    for (size_t i = 0; map_next(&m, &i, &key, &value);) {
        int n = (int)((int *)value - values);
        assert_true(str_equal(key, key_of(n, text)));
        values[n]++;
    }
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(values[i], 1);
    }
    map_release(&m, NULL);
}

static void values_are_freed_on_release(void **state)
{
    (void)state;
    struct map m = {0};
    (void)map_put(&m, str_from("a"), malloc(10));
    (void)map_put(&m, str_from("b"), malloc(20));
    map_release(&m, free); /* the leak check is the judge */
    assert_int_equal(m.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(keys_are_bytes_and_are_copied),
        cmocka_unit_test(puts_and_removals_in_any_order_keep_the_rest),
        cmocka_unit_test(walking_sees_each_entry_once),
        cmocka_unit_test(values_are_freed_on_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
