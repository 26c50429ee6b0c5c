/* The command line: what a command is, and how words after `leat` become its arguments.
 *
 * A command is one file, src/cli/<name>.c, with one `const struct command command_<name>`, and one
 * line in the table in commands.c. Help texts, option checks and the nearest known word come from
 * the struct.
 *
 * A command writes data to stdout and talk to stderr. It never exits and never prints its own
 * failure: it fills `err` and returns false, and main() says it and exits with 2 for ERROR_CONFIG,
 * else 1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,    /* something went wrong */
    EXIT_CONFIG = 2,    /* the command line or the configuration has to change */
    EXIT_DIFFERENT = 3, /* done, and differences were found */
};

/* An option of one command. -c/--config, -h/--help and --version are known everywhere. */
struct option_spec {
    const char *name;  /* without dashes: "to-version"; NULL ends the list */
    const char *value; /* what help calls its value: "N"; NULL: a switch without one */
    const char *help;  /* lower case, no full stop; one line, or a few separated by \n */
    char letter;       /* short form: 'o' for -o; 0: none */
};

struct arguments;

struct command {
    const char *name;
    const char *summary; /* one line for `leat help`, lower case, no full stop */
    const char
        *operands; /* how usage shows the words after the options: "[PIPELINE]..."; "" for none */
    const char *help; /* paragraphs for `leat help NAME`; lines of at most 80 columns */
    int operands_min;
    int operands_max;                  /* -1: any number */
    const struct option_spec *options; /* NULL: none of its own */
    bool wants_config; /* --config is loaded before run(), and arguments.config is it */
    bool is_service; /* runs until stopped: its failure is logged like what went before, not printed
                      */

    /* Does it. True: done, and main() exits with *exit, which is EXIT_DONE unless changed here. */
    bool (*run)(struct arguments *a, enum exit_code *exit, struct error *err);
};

/* What was said on the command line. Strings are borrowed from argv. */
struct arguments {
    const struct command *command; /* NULL: only help or version is wanted */
    enum { WANT_RUN, WANT_HELP, WANT_VERSION } want;
    bool misused;            /* the error is about the command line: main() names the help */
    const char *config_path; /* --config; "leat.yaml" unless given */
    struct config *config;   /* owned; NULL unless the command wants it */
    const char **operands;
    int operand_count;
    struct option_value *values;
    size_t value_count;
    struct arena arena;
};

/* The value of an option, the last one if given twice; "" for a switch; NULL when it was not given.
 * The command must have the option in its table. */
const char *argument_text(const struct arguments *a, const char *option);

/* True when the option was given. */
bool argument_given(const struct arguments *a, const char *option);

/* Reads an option as a whole number. Leaves `*out` alone when the option was not given, so it holds
 * the default. Anything but a number in min..max is ERROR_CONFIG naming option, value and what is
 * allowed. */
must_check bool argument_integer(struct arguments *a, const char *option, int64_t min, int64_t max,
                                 int64_t *out, struct error *err);

/* Fails because of what the user typed: ERROR_CONFIG, exit 2, and "try 'leat help NAME'" below it.
 */
bool argument_misuse(struct arguments *a, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads argv. False: ERROR_CONFIG, with `misused` set. */
must_check bool arguments_parse(int argc, char **argv, struct arguments *out, struct error *err);
void arguments_release(struct arguments *a);

/* All commands in the order in which help shows them; ends with NULL. */
extern const struct command *const commands[];

/* The command of that name; NULL is ERROR_CONFIG, with the nearest one in the message. */
const struct command *command_find(struct arguments *a, const char *name, struct error *err);

/* Prints `leat help`, or the help of one command. */
void help_print(const struct command *command, FILE *out);

extern const struct command command_run;
extern const struct command command_reload;
extern const struct command command_check;
extern const struct command command_changes;
extern const struct command command_history;
extern const struct command command_config;
extern const struct command command_demo;
extern const struct command command_generate;
extern const struct command command_help;
