/* The text of a query: its words, and the clauses that say which version of a table is meant. The
 * engine's parser knows no such clauses, so they are taken out before it sees the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "lake/lake.h"

struct query_word {
    enum {
        QUERY_NAME,   /* a name or keyword; "quoted" too */
        QUERY_STRING, /* 'x', E'x', $$x$$ */
        QUERY_NUMBER,
        QUERY_SIGN, /* one character of anything else */
    } kind;
    bool quoted; /* name: in double quotes; string: nothing but 'x' */
    size_t start, size;
};

/* "VERSION AS OF 3" behind a table. */
struct query_version {
    size_t word; /* the first one of the clause */
    struct lake_at at;
    bool used; /* for the caller */
};

/* Everything lies in the arena. */
struct query_text {
    char *sql; /* as it was, byte for byte at the same place, but clauses, comments' like ends and
                  spaces of Unicode are plain spaces */
    size_t size;
    struct query_word *words; /* of the whole text, clauses included */
    size_t word_count;
    struct query_version *versions;
    size_t version_count;
};

/* Reads the text of a query: [FOR] VERSION | SYSTEM_VERSION AS OF number, [FOR] TIMESTAMP |
 * SYSTEM_TIME AS OF [TIMESTAMP] 'time'. A semicolon at the end goes as well. What is not SQL is
 * left to the engine's parser to refuse. `now_us` is what ages ('2h') count from. ERROR_CONFIG:
 * text that is not UTF-8, or a version or time that is none. */
must_check bool query_text_read(const char *sql, int64_t now_us, struct arena *a,
                                struct query_text *out, struct error *err);

/* True when a word is an unquoted name or keyword, in any case. */
bool query_word_is(const struct query_text *t, size_t word, const char *keyword);

/* True when a word is the sign. */
bool query_word_is_sign(const struct query_text *t, size_t word, char sign);
