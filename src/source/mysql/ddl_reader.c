#include "source/mysql/ddl_reader.h"

#include <string.h>
#include <strings.h>

struct ddl_reader ddl_reader_begin(struct str text, bool backslash_is_plain, const char *database,
                                   struct arena *arena, struct ddl *out)
{
    *out = (struct ddl){.kind = DDL_UNKNOWN};
    struct ddl_reader r = {.tokens = {.text = text, .backslash_is_plain = backslash_is_plain},
                           .database = database,
                           .arena = arena,
                           .out = out};
    ddl_advance(&r);
    return r;
}

void ddl_advance(struct ddl_reader *r)
{
    r->token = ddl_tokens_next(&r->tokens);
}

bool ddl_at_end(const struct ddl_reader *r)
{
    return r->token.kind == DDL_TOKEN_END;
}

bool ddl_accept(struct ddl_reader *r, const char *words)
{
    struct ddl_tokens tokens = r->tokens;
    struct ddl_token token = r->token;
    const char *word = words;
    while (*word) {
        size_t size = strcspn(word, " ");
        if (r->token.kind != DDL_TOKEN_WORD || r->token.text.size != size ||
            strncasecmp(r->token.text.data, word, size) != 0) {
            r->tokens = tokens;
            r->token = token;
            return false;
        }
        ddl_advance(r);
        word += size + (word[size] == ' ');
    }
    return true;
}

bool ddl_accept_symbol(struct ddl_reader *r, char symbol)
{
    if (!ddl_token_is_symbol(r->token, symbol)) {
        return false;
    }
    ddl_advance(r);
    return true;
}

const char *ddl_read_name(struct ddl_reader *r)
{
    if (!ddl_token_is_name(r->token)) {
        return NULL;
    }
    char name[DDL_NAME_SIZE];
    if (!ddl_token_unquote(r->token, name)) {
        return NULL;
    }
    ddl_advance(r);
    return arena_string(r->arena, name, strlen(name));
}

bool ddl_read_table(struct ddl_reader *r, struct table_name *out)
{
    *out = (struct table_name){.schema = r->database};
    (void)ddl_accept_symbol(r, '.');
    out->table = ddl_read_name(r);
    if (out->table && ddl_accept_symbol(r, '.')) {
        out->schema = out->table;
        out->table = ddl_read_name(r);
    }
    return out->table != NULL;
}

void ddl_skip_wait(struct ddl_reader *r)
{
    if (ddl_accept(r, "wait")) {
        ddl_advance(r);
    } else {
        (void)ddl_accept(r, "nowait");
    }
}

void ddl_skip_clause(struct ddl_reader *r)
{
    size_t depth = 0;
    for (; !ddl_at_end(r); ddl_advance(r)) {
        if (depth == 0 &&
            (ddl_token_is_symbol(r->token, ',') || ddl_token_is_symbol(r->token, ')'))) {
            return;
        }
        depth += ddl_token_is_symbol(r->token, '(');
        depth -= ddl_token_is_symbol(r->token, ')');
    }
}

/* Room for one more in a list of the arena: the list itself, or a longer copy. */
static void *grow(struct arena *arena, void *list, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return list;
    }
    *capacity = *capacity ? *capacity * 2 : 4;
    void *longer = arena_array(arena, *capacity, size);
    if (count > 0) {
        memcpy(longer, list, count * size);
    }
    return longer;
}

void ddl_add_table(struct ddl_reader *r, struct table_name table)
{
    struct ddl *out = r->out;
    if (out->table_count == DDL_TABLES_MAX) {
        out->has_more_tables = true;
        return;
    }
    out->tables =
        grow(r->arena, out->tables, out->table_count, &r->table_capacity, sizeof(*out->tables));
    out->tables[out->table_count++] = table;
}

void ddl_add_change(struct ddl_reader *r, const struct ddl_change *change)
{
    struct ddl *out = r->out;
    if (out->change_count == DDL_CHANGES_MAX) {
        out->changes[DDL_CHANGES_MAX - 1] = (struct ddl_change){.kind = DDL_CHANGE_UNKNOWN};
        return;
    }
    out->changes =
        grow(r->arena, out->changes, out->change_count, &r->change_capacity, sizeof(*out->changes));
    out->changes[out->change_count++] = *change;
}
