#include <string.h>

#include "cli/cli.h"
#include "observe/metrics.h"

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
    const char *page = a->operand_count > 1 ? a->operands[1] : "";
    bool is_docs = strcmp(what, "docs") == 0;
    if (strcmp(what, "show") == 0 && !*page) {
        return show(a, err);
    }
    if (is_docs && !*page) {
        config_docs(stdout);
        return true;
    }
    if (is_docs && strcmp(page, "metrics") == 0) {
        metrics_docs(stdout);
        return true;
    }
    return argument_misuse(a, err, "\"config\": unknown argument \"%s\"",
                           is_docs || strcmp(what, "show") == 0 ? page : what);
}

const struct command command_config = {
    .name = "config",
    .summary = "show the configuration in force, or its reference page",
    .operands = "show|docs [metrics]",
    .help = "leat config show           prints every value in force with its origin; passwords\n"
            "                           are hidden. Nothing is connected to.\n"
            "leat config docs           prints the reference page of all keys, as Markdown.\n"
            "leat config docs metrics   prints the reference page of all metrics.",
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
