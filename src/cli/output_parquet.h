/* Rows into one Parquet file, through a table of the engine that may spill beside the file. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"
#include "model/batch.h"

struct output_parquet {
    const struct schema *schema; /* borrowed */
    char *directory;             /* owned; where the engine spills; NULL: not open */
    struct engine *engine;
    struct engine_connection *connection;
};

/* Rows are collected in memory and in a directory beside `path`, which is removed at the end. */
must_check bool output_parquet_open(struct output_parquet *p, const char *path,
                                    const struct schema *schema, struct error *err);
must_check bool output_parquet_rows(struct output_parquet *p, const struct batch *b,
                                    struct error *err);

/* Writes everything to `path`, which must not exist. */
must_check bool output_parquet_close(struct output_parquet *p, const char *path, struct error *err);
void output_parquet_release(struct output_parquet *p);
