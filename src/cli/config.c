#include <string.h>

#include "cli/cli.h"

static bool show(struct arguments *a, struct error *err)
{
    a->config = config_load(a->config_path, err);
    if (!a->config) {
        return false;
    }
    config_show(a->config, stdout);
    return true;
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    const char *what = a->operands[0];
    if (strcmp(what, "show") == 0) {
        return show(a, err);
    }
    if (strcmp(what, "docs") != 0) {
        return argument_misuse(a, err, "\"config\": unknown argument \"%s\"", what);
    }
    config_docs(stdout);
    return true;
}

const struct command command_config = {
    .name = "config",
    .summary = "show the configuration in force, or its reference page",
    .operands = "show|docs",
    .help = "leat config show   prints every value in force with its origin; passwords are\n"
            "                   hidden. Nothing is connected to.\n"
            "leat config docs   prints the reference page of all keys, as Markdown.",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
