/* The key table: every key of the configuration, once. Private to config/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

enum key_type {
    KEY_STRING,   /* const char * */
    KEY_BOOL,     /* bool */
    KEY_INTEGER,  /* uint32_t, uint64_t or int64_t */
    KEY_DURATION, /* int64_t, milliseconds */
    KEY_SIZE,     /* uint64_t, bytes */
    KEY_ENUM,     /* an enum whose values are the indexes of `words` */
    KEY_STRINGS,  /* struct config_strings; one scalar is a list of one */
    KEY_SECTION,  /* a struct in the struct */
    KEY_LIST,     /* an array of `section`'s struct, and its count */
    KEY_MAP,      /* as KEY_LIST; each entry's name goes into the first member of its struct */
};

struct section;

struct key {
    const char *name;
    enum key_type type;
    bool required; /* list, map, strings: and not empty */
    bool secret;   /* a URL that may hold a password: never shown or quoted as it is */
    bool hidden;   /* a secret as a whole: not even a part of it is shown */
    size_t offset;
    size_t width;             /* sizeof the member */
    size_t count_offset;      /* list, map: of the uint32_t that counts */
    size_t given_offset;      /* of a bool that says whether the key was given; 0: nobody asks */
    const char *default_text; /* as one would write it; NULL: required, or absent means empty */
    const char *min;
    const char *max;
    const char *const *words; /* string, enum: the only values; ends with NULL */
    const char *for_type;     /* only in a section whose `type` is one of these words, separated by
                                 spaces; NULL: always */

    /* What is wrong with a value ("must contain {table}"), or NULL. Of a list: with one item. */
    const char *(*check)(const char *value);
    const struct section *section; /* section, list, map: what is inside */
    const char *help;              /* Markdown, one line */
};

struct section {
    const char *title;      /* as messages call it: "sink" */
    size_t size;            /* of its struct */
    const struct key *keys; /* ends with a NULL name */

    /* Of a map's entries: what is wrong with their name, or NULL. */
    const char *(*check_name)(const char *name);
    const char *help; /* Markdown, a paragraph */
};

extern const struct section config_section;

/* True when the key exists in a section of this type (NULL: the section has no type). */
bool key_applies(const struct key *k, const char *type);

/* True when `table` ("schema.table") is one of `tables`, where "schema.*" stands for all of a
 * schema. */
bool config_tables_contain(const struct config_strings *tables, const char *table);
