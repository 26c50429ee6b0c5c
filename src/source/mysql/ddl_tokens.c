#include "source/mysql/ddl_tokens.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* MySQL, "Schema Object Names": letters, digits, $, _ and everything outside ASCII. */
static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static char look(const struct ddl_tokens *t, size_t ahead)
{
    if (ahead >= t->text.size - t->at) {
        return '\0';
    }
    return t->text.data[t->at + ahead];
}

static void skip_line(struct ddl_tokens *t)
{
    const char *from = t->text.data + t->at;
    const char *end = memchr(from, '\n', t->text.size - t->at);
    t->at = end ? (size_t)(end - t->text.data) + 1 : t->text.size;
}

static void skip_comment(struct ddl_tokens *t)
{
    const char *from = t->text.data + t->at + 2;
    const char *end = memmem(from, t->text.size - t->at - 2, "*/", 2);
    t->malformed = t->malformed || !end;
    t->at = end ? (size_t)(end - t->text.data) + 2 : t->text.size;
}

/* Moves behind the head of a version comment: slash-star-bang or slash-star-M-bang, and five or six
 * digits if there are any. */
static bool skip_version(struct ddl_tokens *t)
{
    size_t head = look(t, 2) == '!' ? 3 : look(t, 2) == 'M' && look(t, 3) == '!' ? 4 : 0;
    if (head == 0) {
        return false;
    }
    t->at += head;
    for (int digits = 0; digits < 6 && look(t, 0) >= '0' && look(t, 0) <= '9'; digits++) {
        t->at++;
    }
    t->open_version_comments++;
    return true;
}

/* Moves over one space or comment. */
static bool skip_blank(struct ddl_tokens *t)
{
    char c = look(t, 0);
    if (t->at >= t->text.size) {
        return false;
    }
    if (is_space(c)) {
        t->at++;
        return true;
    }
    /* "--" alone is two minus signs. */
    if (c == '#' || (c == '-' && look(t, 1) == '-' && ((unsigned char)look(t, 2) <= ' '))) {
        skip_line(t);
        return true;
    }
    if (c == '/' && look(t, 1) == '*') {
        if (!skip_version(t)) {
            skip_comment(t);
        }
        return true;
    }
    if (c == '*' && look(t, 1) == '/' && t->open_version_comments > 0) {
        t->open_version_comments--;
        t->at += 2;
        return true;
    }
    return false;
}

/* The text up to the closing quote, which may stand inside twice, or behind a backslash. */
static struct str read_quoted(struct ddl_tokens *t, char quote)
{
    const char *end = t->text.data + t->text.size;
    const char *from = t->text.data + t->at + 1;
    bool escapes = quote != '`';
    for (const char *p = from; p < end; p++) {
        if (*p == '\\' && escapes && p + 1 < end) {
            bool before_quote = p[1] == quote;
            t->ambiguous = t->ambiguous || before_quote;
            p += t->backslash_is_plain ? 0 : 1;
        } else if (*p == quote && p + 1 < end && p[1] == quote) {
            p++;
        } else if (*p == quote) {
            t->at = (size_t)(p + 1 - t->text.data);
            return (struct str){.data = from, .size = (size_t)(p - from)};
        }
    }
    t->malformed = true;
    t->at = t->text.size;
    return (struct str){.data = from, .size = (size_t)(end - from)};
}

static struct str read_word(struct ddl_tokens *t)
{
    const char *from = t->text.data + t->at;
    while (t->at < t->text.size && is_of_word(t->text.data[t->at])) {
        t->at++;
    }
    return (struct str){.data = from, .size = (size_t)(t->text.data + t->at - from)};
}

/* A backslash outside of strings is \N, the old way to write NULL, or nothing that a server takes.
 */
static struct str read_symbol(struct ddl_tokens *t)
{
    struct str symbol = {.data = t->text.data + t->at, .size = 1};
    char c = *symbol.data;
    t->at++;
    if (c == '\\' && look(t, 0) == 'N') {
        t->at++;
    } else if (c == '\\') {
        t->malformed = true;
    } else if (c == ';') {
        /* A run of them is one, so that a long run is looked at once. */
        while (skip_blank(t) || look(t, 0) == ';') {
            t->at += look(t, 0) == ';';
        }
    }
    return symbol;
}

struct ddl_token ddl_tokens_next(struct ddl_tokens *t)
{
    while (skip_blank(t)) {
    }
    if (t->at >= t->text.size) {
        return (struct ddl_token){.kind = DDL_TOKEN_END};
    }
    char c = look(t, 0);
    if (c == '\'') {
        return (struct ddl_token){.kind = DDL_TOKEN_STRING, .text = read_quoted(t, c)};
    }
    if (c == '"') {
        return (struct ddl_token){.kind = DDL_TOKEN_QUOTED, .text = read_quoted(t, c)};
    }
    if (c == '`') {
        return (struct ddl_token){.kind = DDL_TOKEN_NAME, .text = read_quoted(t, c)};
    }
    if (is_of_word(c)) {
        return (struct ddl_token){.kind = DDL_TOKEN_WORD, .text = read_word(t)};
    }
    struct str symbol = read_symbol(t);
    if (c == ';' && t->at >= t->text.size) {
        return (struct ddl_token){.kind = DDL_TOKEN_END};
    }
    return (struct ddl_token){.kind = DDL_TOKEN_SYMBOL, .text = symbol};
}

bool ddl_token_is_symbol(struct ddl_token token, char symbol)
{
    return token.kind == DDL_TOKEN_SYMBOL && *token.text.data == symbol;
}

bool ddl_token_is_word(struct ddl_token token, const char *word)
{
    return token.kind == DDL_TOKEN_WORD && token.text.size == strlen(word) &&
           strncasecmp(token.text.data, word, token.text.size) == 0;
}

bool ddl_token_is_name(struct ddl_token token)
{
    return token.kind == DDL_TOKEN_WORD || token.kind == DDL_TOKEN_NAME ||
           token.kind == DDL_TOKEN_QUOTED;
}

/* The first character at or behind `from` that is none of `characters`. */
static size_t skip_any(struct str text, size_t from, const char *characters)
{
    while (from < text.size && text.data[from] != '\0' && strchr(characters, text.data[from])) {
        from++;
    }
    return from;
}

bool ddl_token_is_number(struct ddl_token token)
{
    struct str t = token.text;
    size_t digits = skip_any(t, 0, "0123456789");
    if (token.kind != DDL_TOKEN_WORD || digits == 0) {
        return false;
    }
    if (digits == t.size) {
        return true;
    }
    switch (t.data[digits]) {
    case 'e':
    case 'E':
        return skip_any(t, digits + 1, "0123456789") == t.size;
    case 'x':
        return digits == 1 && skip_any(t, 2, "0123456789abcdefABCDEF") == t.size;
    case 'b':
        return digits == 1 && skip_any(t, 2, "01") == t.size;
    default:
        return false;
    }
}

bool ddl_token_is_primary(struct ddl_token token)
{
    token.kind = ddl_token_is_name(token) ? DDL_TOKEN_WORD : token.kind;
    return ddl_token_is_word(token, "PRIMARY");
}

bool ddl_token_unquote(struct ddl_token token, char name[DDL_NAME_SIZE])
{
    size_t size = 0;
    char quote = token.kind == DDL_TOKEN_NAME ? '`' : '"';
    for (size_t i = 0; i < token.text.size; i++) {
        if (size == DDL_NAME_SIZE - 1) {
            return false;
        }
        char c = token.text.data[i];
        name[size++] = c;
        i += c == quote; /* words have none */
    }
    name[size] = '\0';
    return true;
}
