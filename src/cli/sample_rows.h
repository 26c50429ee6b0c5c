/* Rows of sample tables: realistic, and a function of (seed, table, key, revision) alone, so that
 * the same seed gives the same bytes on every machine and rows can be made in any order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "cli/sample_locale.h"

/* Random numbers that are the same everywhere: SplitMix64 (Steele, Lea, Flood 2014). */
struct sample_random {
    uint64_t state;
};

uint64_t sample_random_next(struct sample_random *r);

/* Uniform in [0, bound); bound > 0. */
uint64_t sample_random_below(struct sample_random *r, uint64_t bound);

/* True in `percent` of 100 cases. */
bool sample_random_chance(struct sample_random *r, uint32_t percent);

/* What all rows of a run have in common. */
struct sample {
    uint64_t seed;
    const struct sample_locale *locale;
    uint64_t row_count; /* rows refer to keys 1..row_count of other tables */
};

enum { SAMPLE_FIELDS_MAX = 16 };

/* What a field's text is, where MySQL reads another one. */
enum sample_form {
    SAMPLE_PLAIN,
    SAMPLE_NULL,
    SAMPLE_BOOL, /* t, f */
    SAMPLE_UTC,  /* a time, and +00 */
};

/* One row as PostgreSQL reads values in text form. A zeroed one is empty; release when done. */
struct sample_row {
    struct buf text; /* the fields, each with a NUL at its end */
    size_t offsets[SAMPLE_FIELDS_MAX];
    enum sample_form forms[SAMPLE_FIELDS_MAX];
    uint32_t field_count;
};

void sample_row_release(struct sample_row *r);

const char *sample_row_field(const struct sample_row *r, uint32_t field); /* NULL: null */

/* Appends the row as one line of COPY's text format. */
void sample_row_append_copy(const struct sample_row *r, struct buf *out);

/* Appends one field as an SQL literal of PostgreSQL, or of MySQL in a session whose time zone is
 * UTC. */
void sample_row_append_literal(const struct sample_row *r, uint32_t field, bool is_mysql,
                               struct buf *out);

/* Fills a row, replacing what it held. Revision 0 is the row as it is loaded; later ones are what
 * changes make of it: columns differ, the key does not, and last_updated grows with the revision.
 */
typedef void sample_fill_fn(const struct sample *s, uint64_t key, uint64_t revision,
                            struct sample_row *out);

sample_fill_fn sample_fill_customer;
sample_fill_fn sample_fill_order;
sample_fill_fn sample_fill_product;
sample_fill_fn sample_fill_inventory;
sample_fill_fn sample_fill_user;
