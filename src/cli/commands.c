#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"

const struct command *command_find(struct arguments *a, const char *name, struct error *err)
{
    struct nearest near = nearest_start(name);
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0) {
            return *c;
        }
        nearest_try(&near, (*c)->name);
    }
    (void)argument_misuse(a, err, "unknown command \"%.64s\"%s%s%s", name,
                          near.found ? "; did you mean \"" : "", near.found ? near.found : "",
                          near.found ? "\"?" : "");
    return NULL;
}

const struct command *const commands[] = {
    &command_run,
    &command_reload,
    &command_check,
    &command_demo,
    &command_generate,
    &command_changes,
    &command_history,
    &command_query,
    &command_config,
    &command_help,
    NULL,
};
