/* A table for terminals: aligned columns under a header, with bounded widths.
 *
 *     id  name        amount
 *     --  --------  --------
 *      1  Springfi…    12.50
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct text_table_row;

struct text_table {
    struct arena arena;
    uint32_t column_count;
    uint32_t width_max; /* of one column, in terminal cells; 0: 40 */
    bool *right;        /* columns that are aligned to the right: set after text_table_init() */
    uint32_t *widths;
    struct text_table_row *first;
    struct text_table_row *last;
};

/* A table with these headers, and no rows. */
void text_table_init(struct text_table *t, const char *const *headers, uint32_t column_count,
                     uint32_t width_max);

/* Adds a row of UTF-8 texts, copied. Control characters, which could steer the terminal, become
 * spaces; what is too wide ends in "…". */
void text_table_add(struct text_table *t, const struct str *cells);

/* Appends the table, a line for each row. */
void text_table_format(const struct text_table *t, struct buf *out);

void text_table_release(struct text_table *t);
