/* Rows on stdout in the form that the user chose: a table for people, one JSON object a line, or
 * CSV. */
#pragma once

#include "cli/cli.h"
#include "format/text_table.h"
#include "model/batch.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };

/* The option that goes with it. */
#define OUTPUT_OPTION                                                \
    {                                                                \
        .name = "format", .value = "FORM",                           \
        .help = "table, json or csv; table on a terminal, else json" \
    }

struct output {
    enum output_format format;
    const struct schema *schema; /* borrowed */
    struct text_table table;     /* the rows that are not printed yet */
    uint32_t table_rows;
    bool begun;
};

/* Reads --format. */
must_check bool output_open(struct output *o, struct arguments *a, const struct schema *schema,
                            struct error *err);

/* Prints rows; tables are aligned in blocks of some hundred. */
void output_rows(struct output *o, const struct column *columns, uint32_t row_count);

/* Prints what is left. ERROR_FATAL when stdout could not take everything. */
must_check bool output_close(struct output *o, struct error *err);

/* Drops what was not printed. */
void output_release(struct output *o);
