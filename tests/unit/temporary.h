/* A directory of its own for a test, removed at its end. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

static inline void temporary_make(char path[64])
{
    (void)snprintf(path, 64, "/tmp/leat-test-XXXXXX");
    if (!mkdtemp(path)) {
        abort();
    }
}

static inline void temporary_remove(const char *path)
{
    struct error err = {0};
    if (!file_remove_tree(path, &err)) {
        abort();
    }
}
