/* The table that a word on the command line names: a directory, a metadata file, or a table of the
 * configuration's sinks. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "cli/cli.h"
#include "lake/history.h"
#include "lake/lake.h"

struct table_argument {
    const struct lake_history_type *type;
    const struct lake_type *lake_type;
    struct lake_options lake;        /* for reading; `engine` is left to the caller */
    const char *word;                /* as it was given */
    const char *name;                /* of the table, without what it is in */
    const char *location;            /* for people: a path, or pipeline and name */
    struct iceberg_catalog *catalog; /* owned; NULL: not Iceberg */
    struct arena arena;
};

/* What the help of a command says of TABLE; lines of at most 80 columns. */
#define TABLE_ARGUMENT_HELP                                                                \
    "TABLE is the directory of a Delta or Iceberg table, a file *.metadata.json of an\n"   \
    "Iceberg table, or the name of a table that a pipeline of the configuration writes:\n" \
    "orders, or schema.orders; for Iceberg also namespace.orders.\n"

/* Finds the table of `word`: a directory with _delta_log is a Delta table, one with metadata an
 * Iceberg table. A name is looked up in the configuration, which is loaded when --config names it
 * or leat.yaml is there. ERROR_CONFIG says what was tried, or which tables have that name. */
must_check bool table_argument_open(struct arguments *a, const char *word,
                                    struct table_argument *out, struct error *err);

void table_argument_release(struct table_argument *t);
