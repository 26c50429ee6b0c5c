#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "cli/command_pipe.h"
#include "temporary.h"
#include "test.h"

static int run(const char *command, const char *const *variables, struct str input)
{
    static const char *const none[] = {NULL};
    struct error err = {0};
    int status = 0;
    assert_true(command_pipe(command, variables ? variables : none, input, &status, &err));
    return status;
}

static int exit_code(const char *command, struct str input)
{
    int status = run(command, NULL, input);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_command_gets_everything(void **state)
{
    (void)state;
    char directory[64];
    char command[128];
    struct error err = {0};
    struct buf input = {0};
    struct buf got = {0};
    temporary_make(directory);
    for (unsigned i = 0; i < 100000; i++) { /* much more than a pipe holds */
        buf_append_format(&input, "line %u\n", i);
    }
    (void)snprintf(command, sizeof(command), "cat > %s/got", directory);
    assert_int_equal(exit_code(command, buf_str(&input)), 0);
    (void)snprintf(command, sizeof(command), "%s/got", directory);
    assert_true(file_read(command, 64 << 20, &got, &err));
    assert_true(str_equal(buf_str(&input), buf_str(&got)));
    buf_release(&input);
    buf_release(&got);
    temporary_remove(directory);
}

static void its_exit_code_is_known_even_if_it_reads_nothing(void **state)
{
    (void)state;
    size_t size = 1 << 20;
    char *large = calloc(1, size);
    assert_non_null(large);
    assert_int_equal(exit_code("exit 0", (struct str){large, size}), 0);
    assert_int_equal(exit_code("exit 7", (struct str){large, size}), 7);
    assert_int_equal(exit_code("no-such-command-anywhere 2> /dev/null", str_from("x")), 127);
    int status = run("kill -9 $$", NULL, (struct str){large, size});
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), 9);
    free(large);
}

static void variables_replace_those_of_the_environment(void **state)
{
    (void)state;
    static const char *const variables[] = {"LEAT_TEST_A=one", "LEAT_TEST_B=", NULL};
    assert_int_equal(setenv("LEAT_TEST_A", "old", 1), 0);
    assert_int_equal(setenv("LEAT_TEST_AB", "kept", 1), 0);
    int status = run("test \"$LEAT_TEST_A,${LEAT_TEST_B-unset},$LEAT_TEST_AB\" = one,,kept",
                     variables, str_from(""));
    assert_int_equal(status, 0);
}

static void tools_end_on_a_broken_pipe_as_they_are_used_to(void **state)
{
    (void)state;
    assert_int_equal(exit_code("yes | head -n 1 > /dev/null", str_from("")), 0);
    assert_int_equal(exit_code("bash -o pipefail -c 'yes | head -n 1 > /dev/null'", str_from("")),
                     128 + 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_gets_everything),
        cmocka_unit_test(its_exit_code_is_known_even_if_it_reads_nothing),
        cmocka_unit_test(variables_replace_those_of_the_environment),
        cmocka_unit_test(tools_end_on_a_broken_pipe_as_they_are_used_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
