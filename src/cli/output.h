/* Rows in the form and to the place that the user chose: a table for people, JSON lines, CSV, an
 * Arrow stream or a Parquet file; on stdout or in a file. */
#pragma once

#include "cli/cli.h"
#include "cli/output_file.h"
#include "cli/output_parquet.h"
#include "format/text_table.h"
#include "model/batch.h"

enum output_format {
    OUTPUT_TABLE,
    OUTPUT_JSON,
    OUTPUT_CSV,
    OUTPUT_PARQUET,
    OUTPUT_ARROW,
    OUTPUT_OWN, /* text that the command makes */
};

/* The options that go with it; `more` are further forms: ", debezium". */
#define OUTPUT_OPTIONS(more)                                           \
    {.name = "format",                                                 \
     .value = "FORM",                                                  \
     .help = "table, json, csv, parquet, arrow" more ";\n"             \
             "by FILE's ending, else table on a terminal, else json"}, \
    {                                                                  \
        .name = "output", .value = "FILE", .letter = 'o',              \
        .help = "write to FILE, which appears when it is complete"     \
    }
#define OUTPUT_OPTION OUTPUT_OPTIONS("")

struct output {
    enum output_format format;
    const struct schema *schema; /* borrowed */
    struct output_file file;
    struct text_table table; /* the rows that are not printed yet */
    uint32_t table_rows;
    bool begun;
    struct batch *batch; /* arrow, parquet: rows that are not written yet */
    struct output_parquet parquet;
    struct error failure; /* the first one; its kind is ERROR_NONE while there is none */
};

/* Reads --format and --output. */
must_check bool output_open(struct output *o, struct arguments *a, const struct schema *schema,
                            struct error *err);

/* As output_open() for a command with a further form, whose text it makes: then `format` is
 * OUTPUT_OWN. */
must_check bool output_open_with(struct output *o, struct arguments *a, const struct schema *schema,
                                 const char *own, struct error *err);

/* Writes rows; tables are aligned in blocks of some hundred. False: it failed, now or before, there
 * is no use in going on, and output_close() says why. */
bool output_rows(struct output *o, const struct column *columns, uint32_t row_count);

/* Writes text of the command's own form. */
bool output_text(struct output *o, const struct buf *text);

/* Writes what is left. Only now a file has its name. ERROR_FATAL when stdout or the disk could not
 * take everything; ERROR_DATA names a value that the form cannot hold. */
must_check bool output_close(struct output *o, struct error *err);

/* Drops what was not written. */
void output_release(struct output *o);
