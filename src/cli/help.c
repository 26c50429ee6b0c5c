#include <string.h>

#include "base/str.h"
#include "cli/cli.h"

/* Further lines stand below the first. */
static void print_indented(const char *text, FILE *out)
{
    for (;;) {
        size_t size = strcspn(text, "\n");
        (void)fprintf(out, "%.*s\n", (int)size, text);
        if (text[size] == '\0') {
            return;
        }
        text += size + 1;
        (void)fprintf(out, "%29s", "");
    }
}

static void print_options(const struct option_spec *options, FILE *out)
{
    for (const struct option_spec *o = options; o && o->name; o++) {
        struct buf left = {0};
        if (o->letter) {
            buf_append_format(&left, "-%c, ", o->letter);
        } else {
            buf_append_text(&left, "    ");
        }
        buf_append_format(&left, "--%s%s%s", o->name, o->value ? " " : "",
                          o->value ? o->value : "");
        (void)fprintf(out, "  %-26s ", buf_text(&left));
        print_indented(o->help, out);
        buf_release(&left);
    }
}

static void print_overview(FILE *out)
{
    (void)fprintf(out, "usage: leat [--config FILE] COMMAND [ARGUMENT]...\n\n"
                       "Streams row changes of databases into lake tables, exactly once.\n\n"
                       "commands:\n");
    for (const struct command *const *c = commands; *c; c++) {
        (void)fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
    }
    static const struct option_spec global[] = {
        {.name = "config", .letter = 'c', .value = "FILE", .help = "configuration (leat.yaml)"},
        {.name = "help", .letter = 'h', .help = "help, also after a command"},
        {.name = "version", .help = "version"},
        {0},
    };
    (void)fprintf(out, "\noptions:\n");
    print_options(global, out);
    (void)fprintf(out, "\nData goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed,\n"
                       "2 usage or configuration, 3 differences found.\n");
}

void help_print(const struct command *command, FILE *out)
{
    if (!command) {
        print_overview(out);
        return;
    }
    (void)fprintf(out, "usage: leat %s%s%s%s%s\n\n%s\n", command->name,
                  command->wants_config ? " [--config FILE]" : "",
                  command->options ? " [OPTION]..." : "", *command->operands ? " " : "",
                  command->operands, command->help);
    if (command->options) {
        (void)fprintf(out, "\noptions:\n");
        print_options(command->options, out);
    }
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    const struct command *command = NULL;
    if (a->operand_count > 0) {
        command = command_find(a, a->operands[0], err);
        if (!command) {
            return false;
        }
    }
    help_print(command, stdout);
    return true;
}

const struct command command_help = {
    .name = "help",
    .summary = "show the help of a command",
    .operands = "[COMMAND]",
    .help = "Shows what a command does and its options; without COMMAND, the list of commands.",
    .operands_max = 1,
    .run = run,
};
