/* The tokens of a statement as MySQL and MariaDB split it. Not SQL's whole lexis: numbers are
 * words, operators are single characters. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum ddl_token_kind {
    DDL_TOKEN_END,
    DDL_TOKEN_WORD,   /* a keyword, an unquoted name, a number up to its point */
    DDL_TOKEN_NAME,   /* in back quotes */
    DDL_TOKEN_QUOTED, /* in double quotes: a name or a string, by the session's sql_mode */
    DDL_TOKEN_STRING, /* in single quotes */
    DDL_TOKEN_SYMBOL,
};

struct ddl_token {
    enum ddl_token_kind kind;
    struct str text; /* of the text; without its quotes, doubled ones inside still doubled */
};

struct ddl_tokens {
    struct str text; /* borrowed */
    size_t at;
    uint32_t open_version_comments;
    bool backslash_is_plain; /* sql_mode NO_BACKSLASH_ESCAPES */

    /* What was met so far: */
    bool malformed; /* a quote or comment without end, a character outside of SQL */
    bool ambiguous; /* a backslash before a quote: read another way, the string ends there */
};

/* The next token; END for ever after the last. Comments are left out, the content of version
 * comments is not, whatever the version: the servers log a comment that they did not run as an
 * ordinary one. Semicolons at the end belong to the end. */
struct ddl_token ddl_tokens_next(struct ddl_tokens *t);

bool ddl_token_is_symbol(struct ddl_token token, char symbol);

/* True when the token is that keyword, in any case. */
bool ddl_token_is_word(struct ddl_token token, const char *word);

/* True when the token can be a name. A number can, behind a point. */
bool ddl_token_is_name(struct ddl_token token);

/* True for 12, 1e5, 0x1f and 0b01. */
bool ddl_token_is_number(struct ddl_token token);

/* True when the token is the name of the primary key among indexes, quoted or not. */
bool ddl_token_is_primary(struct ddl_token token);

/* Names have 64 characters at most, of four bytes at most. */
enum { DDL_NAME_SIZE = 257 };

/* The name that a token stands for, without doubled quotes, ended by NUL. False: it is longer than
 * names can be. */
bool ddl_token_unquote(struct ddl_token token, char name[DDL_NAME_SIZE]);
