/* A transform's SQL, parsed and checked, before it meets a table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "engine/engine.h"

struct expression {
    const char *text;   /* SQL, without alias */
    const char **names; /* columns, aliases and lambda parameters it mentions, as written */
    uint32_t name_count;
    bool varies; /* the same inputs may give another value later: now(), random() */
};

struct rename {
    const char *from;
    const char *to;
};

struct replacement {
    const char *name;
    struct expression expression;
};

enum select_kind {
    SELECT_EXPRESSION,
    SELECT_STAR,    /* *, with EXCLUDE, REPLACE and RENAME */
    SELECT_COLUMNS, /* COLUMNS('regular expression'), COLUMNS(name -> condition), ... */
};

struct select_item {
    enum select_kind kind;
    const char *name; /* of the output; COLUMNS: the alias with its \1, or "" */
    bool is_column;   /* the expression is nothing but a column reference */
    struct expression expression;
    const char **excluded;
    uint32_t excluded_count;
    struct rename *renames;
    uint32_t rename_count;
    struct replacement *replacements;
    uint32_t replacement_count;
};

struct statement {
    struct arena arena; /* owns everything */
    const char *alias;  /* of changes; "changes" when there is none */
    struct select_item *items;
    uint32_t item_count;
    struct expression where; /* text NULL: none */
};

/* ERROR_CONFIG names the construct that a row-by-row transform cannot have. */
struct statement *statement_parse(const char *sql, struct engine_connection *connection,
                                  struct error *err);
void statement_free(struct statement **s);
