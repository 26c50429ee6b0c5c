/* A place in a statement while its outline is read: one token ahead, and the lists of the outline
 * that grow meanwhile. Part of ddl.h's implementation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "source/mysql/ddl.h"
#include "source/mysql/ddl_tokens.h"

enum {
    DDL_TABLES_MAX = 16384,
    DDL_CHANGES_MAX = 16384, /* a table has at most 4096 columns */
};

struct ddl_reader {
    struct ddl_tokens tokens;
    struct ddl_token token; /* the current one */
    const char *database;   /* the session's */
    struct arena *arena;
    struct ddl *out;
    uint32_t table_capacity;
    uint32_t change_capacity;
};

/* At the first token of `text`. `out` is emptied. */
struct ddl_reader ddl_reader_begin(struct str text, bool backslash_is_plain, const char *database,
                                   struct arena *arena, struct ddl *out);

void ddl_advance(struct ddl_reader *r);
bool ddl_at_end(const struct ddl_reader *r);

/* Moves over these words (separated by single spaces) if they all stand here, else nowhere. */
bool ddl_accept(struct ddl_reader *r, const char *words);
bool ddl_accept_symbol(struct ddl_reader *r, char symbol);

/* Reads a name. NULL: there is none here. */
const char *ddl_read_name(struct ddl_reader *r);

/* Reads [schema.]table or .table. False: there is none here. */
bool ddl_read_table(struct ddl_reader *r, struct table_name *out);

/* Moves over [WAIT seconds | NOWAIT], MariaDB's, if it stands here. */
void ddl_skip_wait(struct ddl_reader *r);

/* Moves to the next comma, closing parenthesis or end, over whole parentheses. */
void ddl_skip_clause(struct ddl_reader *r);

void ddl_add_table(struct ddl_reader *r, struct table_name table);
void ddl_add_change(struct ddl_reader *r, const struct ddl_change *change);

/* Reads the rest of ALTER TABLE, from its name on. False: there is no name. */
bool ddl_read_alter_table(struct ddl_reader *r, bool ignores_errors);
