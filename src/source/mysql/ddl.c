#include "source/mysql/ddl.h"

#include <string.h>

#include "base/map.h"
#include "source/mysql/ddl_reader.h"

/* [TABLE] a [WAIT n | NOWAIT] */
static bool read_truncate(struct ddl_reader *r)
{
    struct table_name name;
    (void)ddl_accept(r, "table");
    if (!ddl_read_table(r, &name)) {
        return false;
    }
    ddl_skip_wait(r);
    r->out->kind = DDL_TRUNCATE;
    ddl_add_table(r, name);
    return ddl_at_end(r);
}

/* a, b ... [RESTRICT | CASCADE] [WAIT n | NOWAIT] */
static bool read_dropped_tables(struct ddl_reader *r)
{
    r->out->kind = DDL_DROP;
    do {
        struct table_name name;
        if (!ddl_read_table(r, &name)) {
            return false;
        }
        ddl_add_table(r, name);
    } while (ddl_accept_symbol(r, ',') && !r->out->has_more_tables);
    (void)(ddl_accept(r, "restrict") || ddl_accept(r, "cascade"));
    ddl_skip_wait(r);
    return r->out->has_more_tables || ddl_at_end(r);
}

/* INDEX [IF EXISTS] name ON table. Dropping the index PRIMARY drops the key. */
static bool read_dropped_index(struct ddl_reader *r)
{
    struct table_name table;
    (void)ddl_accept(r, "if exists");
    bool is_key = ddl_token_is_primary(r->token);
    if (!ddl_read_name(r) || !ddl_accept(r, "on") || !ddl_read_table(r, &table)) {
        return false;
    }
    r->out->kind = is_key ? DDL_ALTER : DDL_INDEX;
    ddl_add_table(r, table);
    if (is_key) {
        ddl_add_change(r, &(struct ddl_change){.kind = DDL_KEY});
    }
    return true;
}

static bool read_dropped_database(struct ddl_reader *r)
{
    (void)ddl_accept(r, "if exists");
    const char *name = ddl_read_name(r);
    if (!name) {
        return false;
    }
    r->out->kind = DDL_DROP_DATABASE;
    ddl_add_table(r, (struct table_name){.schema = name, .table = ""});
    return true;
}

/* True when one of the words stands here, and moves over it. */
static bool accept_any(struct ddl_reader *r, const char *const *words)
{
    for (; *words; words++) {
        if (ddl_accept(r, *words)) {
            return true;
        }
    }
    return false;
}

/* What has no rows that are captured. */
static const char *const other_objects[] = {
    "aggregate",         "database",   "event",    "function", "library", "logfile",  "package",
    "prepare",           "procedure",  "resource", "role",     "schema",  "sequence", "server",
    "spatial reference", "tablespace", "trigger",  "undo",     "user",    "view",     NULL,
};

static bool read_drop(struct ddl_reader *r)
{
    if (ddl_accept(r, "temporary")) {
        r->out->kind = DDL_NONE;
        return true;
    }
    if (ddl_accept(r, "table") || ddl_accept(r, "tables")) {
        (void)ddl_accept(r, "if exists");
        return read_dropped_tables(r);
    }
    if (ddl_accept(r, "database") || ddl_accept(r, "schema")) {
        return read_dropped_database(r);
    }
    if (ddl_accept(r, "index") || ddl_accept(r, "online index") || ddl_accept(r, "offline index")) {
        return read_dropped_index(r);
    }
    r->out->kind = DDL_NONE;
    return accept_any(r, other_objects);
}

static bool read_created_index(struct ddl_reader *r)
{
    struct table_name table;
    while (!ddl_at_end(r)) {
        if (ddl_accept(r, "on")) {
            r->out->kind = DDL_INDEX;
            bool named = ddl_read_table(r, &table);
            if (named) {
                ddl_add_table(r, table);
            }
            return named;
        }
        ddl_advance(r);
    }
    return false;
}

static bool read_created_table(struct ddl_reader *r, enum ddl_kind kind)
{
    struct table_name table;
    (void)ddl_accept(r, "if not exists");
    if (!ddl_read_table(r, &table)) {
        return false;
    }
    r->out->kind = kind;
    ddl_add_table(r, table);
    return true;
}

/* DEFINER = user@host, ALGORITHM = MERGE, SQL SECURITY DEFINER ... may stand before the word that
 * says what the statement is about. */
enum { WORDS_BEFORE_OBJECT_MAX = 32 };

static bool read_create(struct ddl_reader *r)
{
    bool replaces = ddl_accept(r, "or replace");
    for (int i = 0; i < WORDS_BEFORE_OBJECT_MAX && !ddl_at_end(r); i++) {
        if (ddl_accept(r, "table")) {
            return read_created_table(r, replaces ? DDL_DROP : DDL_CREATE);
        }
        if (ddl_accept(r, "index")) {
            return read_created_index(r);
        }
        if (ddl_accept(r, "temporary table")) {
            return read_created_table(r, DDL_TEMPORARY);
        }
        if (ddl_accept(r, "temporary") || accept_any(r, other_objects)) {
            r->out->kind = DDL_NONE;
            return true;
        }
        ddl_advance(r);
    }
    return false;
}

static bool read_alter(struct ddl_reader *r)
{
    (void)(ddl_accept(r, "online") || ddl_accept(r, "offline"));
    bool ignores_errors = ddl_accept(r, "ignore");
    if (ddl_accept(r, "table")) {
        return ddl_read_alter_table(r, ignores_errors);
    }
    for (int i = 0; i < WORDS_BEFORE_OBJECT_MAX && !ddl_at_end(r); i++) {
        if (accept_any(r, other_objects)) {
            r->out->kind = DDL_NONE;
            return true;
        }
        ddl_advance(r);
    }
    return false;
}

/* TABLE[S] [IF EXISTS] a [WAIT n | NOWAIT] TO b, c TO d ... */
static bool read_rename(struct ddl_reader *r)
{
    r->out->kind = DDL_RENAME;
    (void)ddl_accept(r, "if exists");
    do {
        struct table_name from;
        struct table_name to;
        bool named = ddl_read_table(r, &from);
        ddl_skip_wait(r);
        if (!named || !ddl_accept(r, "to") || !ddl_read_table(r, &to)) {
            return false;
        }
        ddl_add_table(r, from);
        ddl_add_table(r, to);
    } while (ddl_accept_symbol(r, ',') && !r->out->has_more_tables);
    return r->out->has_more_tables || ddl_at_end(r);
}

/* BEGIN [WORK]; BEGIN NOT ATOMIC is a program. */
static bool read_begin(struct ddl_reader *r)
{
    r->out->kind = DDL_BEGIN;
    (void)ddl_accept(r, "work");
    return ddl_at_end(r);
}

/* Longer ones first. */
static const struct {
    const char *words;
    bool (*read)(struct ddl_reader *r); /* NULL: `kind` says all */
    enum ddl_kind kind;
} statements[] = {
    {"begin", .read = read_begin},
    {"start transaction", .kind = DDL_BEGIN},
    {"xa start", .kind = DDL_BEGIN},
    {"xa begin", .kind = DDL_BEGIN},
    {"xa recover", .kind = DDL_NONE},
    {"xa", .kind = DDL_XA},
    {"commit", .kind = DDL_COMMIT},
    {"rollback to", .kind = DDL_SAVEPOINT},
    {"rollback work to", .kind = DDL_SAVEPOINT},
    {"rollback", .kind = DDL_ROLLBACK},
    {"savepoint", .kind = DDL_SAVEPOINT},
    {"release savepoint", .kind = DDL_SAVEPOINT},
    {"truncate", .read = read_truncate},
    {"create", .read = read_create},
    {"drop", .read = read_drop},
    {"alter", .read = read_alter},
    {"rename table", .read = read_rename},
    {"rename tables", .read = read_rename},
    {"rename user", .kind = DDL_NONE},
    {"analyze table", .kind = DDL_NONE},
    {"analyze tables", .kind = DDL_NONE},
    {"analyze local", .kind = DDL_NONE},
    {"analyze no_write_to_binlog", .kind = DDL_NONE},
    {"analyze", .kind = DDL_ROWS}, /* MariaDB: and runs the statement that follows */
    {"load index", .kind = DDL_NONE},
    {"load", .kind = DDL_ROWS},
    {"insert", .kind = DDL_ROWS},
    {"update", .kind = DDL_ROWS},
    {"delete", .kind = DDL_ROWS},
    {"replace", .kind = DDL_ROWS},
    {"with", .kind = DDL_ROWS},
    {"call", .kind = DDL_ROWS},
    {"select", .kind = DDL_ROWS}, /* is logged when it calls a function that changes rows */
    {"do", .kind = DDL_ROWS},
    {"cache", .kind = DDL_NONE},
    {"change", .kind = DDL_NONE},
    {"check", .kind = DDL_NONE},
    {"checksum", .kind = DDL_NONE},
    {"flush", .kind = DDL_NONE},
    {"grant", .kind = DDL_NONE},
    {"install", .kind = DDL_NONE},
    {"lock", .kind = DDL_NONE},
    {"optimize", .kind = DDL_NONE},
    {"purge", .kind = DDL_NONE},
    {"repair", .kind = DDL_NONE},
    {"reset", .kind = DDL_NONE},
    {"revoke", .kind = DDL_NONE},
    {"set", .kind = DDL_NONE},
    {"uninstall", .kind = DDL_NONE},
    {"unlock", .kind = DDL_NONE},
    {"use", .kind = DDL_NONE},
};

/* SET STATEMENT variable = value, ... FOR statement (MariaDB). False: no statement follows. */
static bool skip_variables(struct ddl_reader *r)
{
    while (ddl_accept(r, "set statement")) {
        while (!ddl_accept(r, "for")) {
            if (ddl_at_end(r)) {
                return false;
            }
            ddl_advance(r);
        }
    }
    return true;
}

static bool read_statement(struct ddl_reader *r)
{
    if (ddl_at_end(r)) {
        r->out->kind = DDL_NONE;
        return true;
    }
    if (!skip_variables(r)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (ddl_accept(r, statements[i].words)) {
            r->out->kind = statements[i].kind;
            return !statements[i].read || statements[i].read(r);
        }
    }
    return false;
}

/* What may be the name of a table, each once. */
struct names {
    struct ddl_reader *reader;
    struct map seen;
    struct buf key;
    bool quoted; /* a name stood in double quotes, so that what does may be a name anywhere */
};

static void add_once(struct names *n, const char *schema, const char *table)
{
    struct ddl_reader *r = n->reader;
    buf_clear(&n->key);
    buf_append(&n->key, schema, strlen(schema) + 1);
    buf_append_text(&n->key, table);
    if (map_get(&n->seen, buf_str(&n->key)) || r->out->has_more_tables) {
        return;
    }
    (void)map_put(&n->seen, buf_str(&n->key), r);
    bool is_default = schema == r->database;
    ddl_add_table(
        r, (struct table_name){.schema = is_default ? schema : arena_format(r->arena, "%s", schema),
                               .table = arena_format(r->arena, "%s", table)});
}

/* a, a.b or a.b.c. A column may stand last: where it does, its table stands elsewhere, too. */
static void read_name_anywhere(struct names *n)
{
    struct ddl_reader *r = n->reader;
    char parts[2][DDL_NAME_SIZE];
    int count = 0;
    bool fits = true;
    bool is_apart = false; /* FROM .t is no table of a database called FROM */
    while (ddl_token_is_name(r->token)) {
        if (count < 2) {
            fits = ddl_token_unquote(r->token, parts[count]) && fits;
            count++;
        }
        bool is_word = r->token.kind == DDL_TOKEN_WORD;
        const char *end = r->token.text.data + r->token.text.size;
        ddl_advance(r);
        is_apart = is_apart || (is_word && count == 1 && r->token.text.data != end);
        if (!ddl_accept_symbol(r, '.')) {
            break;
        }
    }
    if (!fits) {
        return;
    }
    if (count == 2) {
        add_once(n, parts[0], parts[1]);
    }
    if (count == 1 || is_apart) {
        add_once(n, r->database, parts[count - 1]);
    }
}

/* A text in double quotes is a name under ANSI_QUOTES, and a string without it. Names stand behind
 * a word; lists of values do not begin so. */
static bool may_be_name(struct names *n, bool behind_word)
{
    struct ddl_token token = n->reader->token;
    if (token.kind != DDL_TOKEN_QUOTED) {
        return ddl_token_is_name(token) && !ddl_token_is_number(token);
    }
    n->quoted = n->quoted || behind_word;
    return n->quoted;
}

/* Whether a backslash escapes in strings is a matter of sql_mode, which the text does not say (and
 * in some character sets it is the second byte of a character). A text that can be read both ways
 * is read both ways: as good as always one of them leaves a quote open. */
struct reading {
    bool backslash_is_plain;
    bool is_whole;     /* quotes and comments have an end */
    bool is_ambiguous; /* it depends on what a backslash is */
    struct ddl ddl;
};

struct statement {
    struct str text;
    const char *database;
    struct arena *arena;
};

static struct reading read_once(const struct statement *s, bool backslash_is_plain)
{
    struct reading result = {.backslash_is_plain = backslash_is_plain};
    struct ddl_reader r =
        ddl_reader_begin(s->text, backslash_is_plain, s->database, s->arena, &result.ddl);
    if (!read_statement(&r)) {
        result.ddl.kind = DDL_UNKNOWN;
    }
    while (!ddl_at_end(&r)) {
        ddl_advance(&r);
    }
    result.is_whole = !r.tokens.malformed;
    result.is_ambiguous = r.tokens.ambiguous;
    return result;
}

static void read_names(const struct statement *s, bool backslash_is_plain, struct names *names)
{
    struct ddl_reader *r = names->reader;
    r->tokens = (struct ddl_tokens){.text = s->text, .backslash_is_plain = backslash_is_plain};
    ddl_advance(r);
    bool behind_word = false;
    while (!ddl_at_end(r)) {
        bool is_word = r->token.kind == DDL_TOKEN_WORD;
        if (may_be_name(names, behind_word)) {
            read_name_anywhere(names);
        } else {
            ddl_advance(r);
        }
        behind_word = is_word;
    }
}

static bool are_equal_and_bare(const struct ddl *a, const struct ddl *b)
{
    return a->kind == b->kind && a->kind != DDL_UNKNOWN && a->kind != DDL_ROWS &&
           a->table_count == 0 && b->table_count == 0;
}

void ddl_read(struct str text, struct str database, struct arena *arena, struct ddl *out)
{
    struct statement s = {.text = text,
                          .database = arena_string(arena, database.data, database.size),
                          .arena = arena};
    struct reading first = read_once(&s, false);
    struct reading second = first.is_ambiguous ? read_once(&s, true) : first;
    const struct reading *best = first.is_whole ? &first : &second;
    bool is_open = first.is_ambiguous ? first.is_whole == second.is_whole : !first.is_whole;
    if (is_open && are_equal_and_bare(&first.ddl, &second.ddl)) {
        is_open = false;
    }
    *out = best->ddl;
    if (!is_open && out->kind != DDL_UNKNOWN && out->kind != DDL_ROWS) {
        return;
    }

    *out = (struct ddl){.kind = is_open ? DDL_UNKNOWN : best->ddl.kind};
    struct ddl_reader r = {.database = s.database, .arena = arena, .out = out};
    struct names names = {.reader = &r};
    read_names(&s, best->backslash_is_plain, &names);
    if (is_open && first.is_ambiguous) {
        read_names(&s, !best->backslash_is_plain, &names);
    }
    buf_release(&names.key);
    map_release(&names.seen, NULL);
}
