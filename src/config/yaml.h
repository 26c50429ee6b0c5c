/* A YAML file as a tree of text, read through libyaml's events. Private to config/.
 *
 * A scalar is text whatever it looks like: the key table gives it a type. ${env:NAME} and
 * ${file:PATH} in scalars are replaced; $${ stands for ${. Refused: anchors, aliases, tags, a
 * second document, a key given twice, more than YAML_DEPTH_MAX levels. JSON is YAML too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum { YAML_DEPTH_MAX = 16, YAML_SIZE_MAX = 1 << 20 };

struct mark {
    uint32_t line; /* from 1 */
    uint32_t column;
};

struct node {
    enum { NODE_SCALAR, NODE_LIST, NODE_MAP } kind;
    struct mark mark;
    const char *text;     /* scalar: its value */
    const char *written;  /* scalar: as in the file, before anything was replaced; safe to quote */
    const char *variable; /* scalar: "env NAME" or "file PATH" that was put in; NULL: none */
    bool plain;           /* scalar: written without quotes */

    /* List, map: what is inside. Of a map, each item has its key and where that stands. */
    struct node *items;
    uint32_t count;
    const char *key;
    struct mark key_mark;
};

/* Parses the text of a file called `file`. Everything is in the arena. An empty file is an empty
 * map. Errors are ERROR_CONFIG, "file:line:column: ...". */
must_check const struct node *yaml_parse(struct arena *arena, const char *file, struct str text,
                                         struct error *err);

/* The value of a key of a map, or NULL. `n` may be NULL or another kind: then NULL too. */
const struct node *node_get(const struct node *n, const char *key);

/* Fails with "file:line:column: ..." in front. */
bool node_fail(struct error *err, const char *file, struct mark mark, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
