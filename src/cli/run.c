#include "cli/service.h"

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    return service_run(a, &(struct pipeline_options){0}, err);
}

const struct command command_run = {
    .name = "run",
    .summary = "run pipelines in the foreground",
    .operands = "[PIPELINE]...",
    .operands_max = -1,
    .help = "Runs the named pipelines, or all of the configuration. A new pipeline loads its\n"
            "tables first; another goes on where its tables say it stopped.\n"
            "\n"
            "SIGTERM or SIGINT: commits what was read and ends; a second one ends at once, and\n"
            "what was not committed is read again at the next start. Metrics and health pages\n"
            "are served meanwhile (observe.metrics, observe.health).",
    .wants_config = true,
    .is_service = true,
    .run = run,
};
