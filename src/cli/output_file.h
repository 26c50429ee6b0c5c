/* Where a command's data goes: stdout, or a file that has its name only once it is complete. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/error.h"

struct output_file {
    FILE *stream;    /* NULL: someone else writes to `temporary` */
    char *path;      /* owned; NULL: stdout */
    char *temporary; /* owned; a hidden name beside `path` */
    int failure;     /* errno of the first write that failed */
};

/* `path` NULL is stdout. ERROR_CONFIG when there can be no file of that name. From here on a reader
 * that went away is an error, not a signal. `streamed` false: someone else makes and writes the
 * temporary file. */
must_check bool output_file_open(struct output_file *f, const char *path, bool streamed,
                                 struct error *err);

/* Returns false when it failed, or something before did: output_file_close() says why. */
bool output_file_write(struct output_file *f, const void *data, size_t size);

/* Flushes; a file is made durable and gets its name, replacing what had it. */
must_check bool output_file_close(struct output_file *f, struct error *err);

/* Removes what is not complete. */
void output_file_release(struct output_file *f);
