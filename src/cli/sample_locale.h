/* Names, places and forms of addresses by locale, for sample data. Small lists of our own. */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct sample_city {
    const char *name;
    const char *state;
    const char *postal_code; /* '#' stands for a digit */
};

struct sample_words {
    const char *const *items;
    uint32_t count;
};

struct sample_locale {
    const char *name;    /* "en_US" */
    const char *country; /* as an address says it */
    const char *phone;   /* '#' stands for a digit */
    const char *address; /* '%' stands for the street, '#' for the house number */
    struct sample_words first_names;
    struct sample_words last_names;
    struct sample_words first_latin; /* for mail addresses, item by item; empty: fold the names */
    struct sample_words last_latin;
    struct sample_words streets;
    const struct sample_city *cities;
    uint32_t city_count;
};

/* The locale of that name, or NULL. */
const struct sample_locale *sample_locale_find(const char *name);

/* Appends the known names: "en_US, de_DE, ...". */
void sample_locale_list(struct buf *out);

/* Appends `text` in lower case ASCII: Latin letters lose their accents, what has no letter is
 * dropped. */
void sample_append_folded(struct buf *out, const char *text);
