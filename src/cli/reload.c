#include "cli/service.h"

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    return service_run(a, &(struct pipeline_options){.reload = true, .stop_after_load = true}, err);
}

const struct command command_reload = {
    .name = "reload",
    .summary = "load all tables of pipelines again and end",
    .operands = "PIPELINE...",
    .operands_min = 1,
    .operands_max = -1,
    .help = "Makes the tables of the named pipelines equal to the source again, whatever happened\n"
            "to them: rolled back, dropped, changed by another program, the replication slot\n"
            "gone. Rows that are equal already are left alone, so the change feed shows only what\n"
            "was different. The pipelines must not be running. A new replication slot takes the\n"
            "place of the old one; \"leat run\" goes on from there.",
    .wants_config = true,
    .is_service = true,
    .run = run,
};
