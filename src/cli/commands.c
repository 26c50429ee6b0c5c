#include <string.h>

#include "cli/cli.h"

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0) {
            return *c;
        }
    }
    return NULL;
}

const struct command *const commands[] = {
    &command_generate,
    &command_config,
    &command_help,
    NULL,
};
