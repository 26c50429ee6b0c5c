#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "test.h"

enum { WORDS_MAX = 12 };

/* Parses the words, which end with NULL; the result is the caller's to release. */
static bool parse(const char *const *words, struct arguments *a, struct error *err)
{
    static char copies[WORDS_MAX][128];
    static char *argv[WORDS_MAX + 1];
    int argc = 1;
    argv[0] = copies[0];
    (void)snprintf(copies[0], sizeof(copies[0]), "leat");
    for (; words[argc - 1]; argc++) {
        assert_true(argc < WORDS_MAX);
        (void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    return arguments_parse(argc, argv, a, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct arguments parsed(const char *const *words)
{
    struct arguments a = {0};
    struct error err = {0};
    assert_true(parse(words, &a, &err));
    assert_int_equal(err.kind, ERROR_NONE);
    return a;
}

static void assert_misuse(const char *const *words, const char *message)
{
    struct arguments a = {0};
    struct error err = {0};
    assert_false(parse(words, &a, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_true(a.misused);
    assert_string_equal(err.message, message);
    arguments_release(&a);
}

static void a_command_and_its_operands_are_found(void **state)
{
    (void)state;
    owned(arguments_release) struct arguments a = parsed(WORDS("config", "docs", "metrics"));
    assert_ptr_equal(a.command, &command_config);
    assert_int_equal(a.want, WANT_RUN);
    assert_string_equal(a.config_path, "leat.yaml");
    assert_int_equal(a.operand_count, 2);
    assert_string_equal(a.operands[1], "metrics");
}

static void the_configuration_may_be_named_anywhere_and_the_last_one_counts(void **state)
{
    (void)state;
    static const char *const forms[][6] = {
        {"-c", "a.yaml", "config", "show", NULL},
        {"config", "--config", "a.yaml", "show", NULL},
        {"config", "show", "--config=a.yaml", NULL},
        {"config", "show", "-ca.yaml", NULL},
        {"-c", "b.yaml", "config", "show", "-ca.yaml", NULL},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        owned(arguments_release) struct arguments a = parsed(forms[i]);
        assert_string_equal(a.config_path, "a.yaml");
        assert_int_equal(a.operand_count, 1);
    }
}

static void options_of_a_command_have_values_or_not(void **state)
{
    (void)state;
    owned(arguments_release) struct arguments a =
        parsed(WORDS("generate", "--size", "small", "--drop", "--seed=5", "--size=large"));
    assert_string_equal(argument_text(&a, "size"), "large");
    assert_true(argument_given(&a, "drop"));
    assert_false(argument_given(&a, "json"));
    assert_null(argument_text(&a, "rows"));
    struct error err = {0};
    int64_t seed = 0;
    int64_t rows = 77;
    assert_true(argument_integer(&a, "seed", 0, 10, &seed, &err));
    assert_true(argument_integer(&a, "rows", 0, 10, &rows, &err));
    assert_int_equal(seed, 5);
    assert_int_equal(rows, 77); /* not given: the default stays */
}

static void numbers_out_of_range_are_misuse(void **state)
{
    (void)state;
    static const char *const values[] = {"11", "-1", "", "x", "5x", "0x5", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        owned(arguments_release) struct arguments a =
            parsed(WORDS("generate", "--seed", values[i]));
        struct error err = {0};
        char message[128];
        int64_t seed = 42;
        (void)snprintf(message, sizeof(message),
                       "option \"--seed\": \"%s\" is not a whole number from 0 to 10", values[i]);
        assert_false(argument_integer(&a, "seed", 0, 10, &seed, &err));
        assert_string_equal(err.message, message);
        assert_true(a.misused);
        assert_int_equal(seed, 42);
    }
}

static void after_two_dashes_everything_is_an_operand(void **state)
{
    (void)state;
    owned(arguments_release) struct arguments a = parsed(WORDS("config", "--", "--help", "-c"));
    assert_int_equal(a.want, WANT_RUN);
    assert_int_equal(a.operand_count, 2);
    assert_string_equal(a.operands[0], "--help");
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    owned(arguments_release) struct arguments a = parsed(WORDS("--help"));
    assert_int_equal(a.want, WANT_HELP);
    assert_null(a.command);
    owned(arguments_release) struct arguments b = parsed(WORDS("config", "-h"));
    assert_int_equal(b.want, WANT_HELP);
    assert_ptr_equal(b.command, &command_config);
    owned(arguments_release) struct arguments c = parsed(WORDS("--version"));
    assert_int_equal(c.want, WANT_VERSION);
}

static void mistakes_are_named_with_what_was_probably_meant(void **state)
{
    (void)state;
    assert_misuse((const char *const[]){NULL}, "no command given");
    assert_misuse(WORDS("cofnig"), "unknown command \"cofnig\"; did you mean \"config\"?");
    assert_misuse(WORDS("dance"), "unknown command \"dance\"");
    assert_misuse(WORDS("config", "--hepl"), "unknown option \"--hepl\"; did you mean \"--help\"?");
    assert_misuse(WORDS("generate", "--sede=5"),
                  "unknown option \"--sede\"; did you mean \"--seed\"?");
    assert_misuse(WORDS("config", "-x"), "unknown option \"-x\"");
    assert_misuse(WORDS("--seed=5", "generate"), "unknown option \"--seed\"");
    assert_misuse(WORDS("config", "show", "-c"), "option \"--config\" needs a value, FILE");
    assert_misuse(WORDS("config", "--help=x"), "option \"--help\" takes no value");
    assert_misuse(WORDS("generate", "--dropx"),
                  "unknown option \"--dropx\"; did you mean \"--drop\"?");
    assert_misuse(WORDS("config"),
                  "\"config\" needs more arguments: leat config show|docs [metrics]");
    assert_misuse(WORDS("config", "docs", "metrics", "more"),
                  "\"config\": unexpected argument \"more\"");
    assert_misuse(WORDS("generate", "postgresql://u:pw@h/d"),
                  "\"generate\": unexpected argument \"postgresql://u:***@h/d\"");
}

/* Inlined at -O3, gcc 12 takes what it returns for the address of its variable. */
__attribute__((noinline)) static char *help_of(const struct command *command)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    help_print(command, out);
    (void)fclose(out);
    return text;
}

/* Every line of an option's text is there, in the column in which all of them begin. */
static void assert_shows(const char *help, const char *text)
{
    for (;;) {
        char line[128];
        size_t size = strcspn(text, "\n");
        assert_in_range(size, 1, 80);
        (void)snprintf(line, sizeof(line), " %.*s\n", (int)size, text);
        const char *found = strstr(help, line);
        assert_non_null(found);
        const char *start = found;
        while (start > help && start[-1] != '\n') {
            start--;
        }
        assert_int_equal(found + 1 - start, 29);
        if (text[size] == '\0') {
            return;
        }
        text += size + 1;
    }
}

static void every_command_has_a_summary_and_a_readable_help(void **state)
{
    (void)state;
    char *overview = help_of(NULL);
    for (const struct command *const *c = commands; *c; c++) {
        assert_non_null(strstr(overview, (*c)->summary));
        char *help = help_of(*c);
        assert_non_null(strstr(help, "usage: leat "));
        assert_non_null(strstr(help, (*c)->help));
        for (const struct option_spec *o = (*c)->options; o && o->name; o++) {
            assert_shows(help, o->help);
        }
        for (const char *line = help; line && *line;) { /* fits a terminal */
            const char *end = strchr(line, '\n');
            assert_in_range(end - line, 0, 100);
            line = end + 1;
        }
        free(help);
    }
    free(overview);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_and_its_operands_are_found),
        cmocka_unit_test(the_configuration_may_be_named_anywhere_and_the_last_one_counts),
        cmocka_unit_test(options_of_a_command_have_values_or_not),
        cmocka_unit_test(numbers_out_of_range_are_misuse),
        cmocka_unit_test(after_two_dashes_everything_is_an_operand),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(mistakes_are_named_with_what_was_probably_meant),
        cmocka_unit_test(every_command_has_a_summary_and_a_readable_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
