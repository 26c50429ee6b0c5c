#include "cli/query_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "cli/time_argument.h"
#include "config/scalar.h"

/* --- words --- */

/* What the engine's parser takes for a space beyond those of ASCII. It replaces them by one byte,
 * which would move everything behind them. */
static size_t unicode_space(const char *p, const char *end)
{
    static const char *const spaces[] = {
        "\xC2\xA0",     "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
        "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
        "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D",
        "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE2\x81\xA0", "\xE3\x80\x80", "\xEF\xBB\xBF",
    };
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t size = strlen(spaces[i]);
        if ((size_t)(end - p) >= size && memcmp(p, spaces[i], size) == 0) {
            return size;
        }
    }
    return 0;
}

static bool starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_name(char c)
{
    return starts_name(c) || isdigit((unsigned char)c) || c == '$';
}

/* Behind a comment that starts at `p`, or `p`. Comments with stars nest. */
static const char *skip_comment(const char *p, const char *end)
{
    if (end - p < 2 || (memcmp(p, "--", 2) != 0 && memcmp(p, "/*", 2) != 0)) {
        return p;
    }
    if (*p == '-') {
        const char *stop = p + strcspn(p, "\r\n");
        return stop < end ? stop : end;
    }
    size_t depth = 0;
    while (p < end) {
        if (end - p >= 2 && memcmp(p, "/*", 2) == 0) {
            depth++;
            p += 2;
        } else if (end - p >= 2 && memcmp(p, "*/", 2) == 0) {
            depth--;
            p += 2;
            if (depth == 0) {
                break;
            }
        } else {
            p++;
        }
    }
    return p;
}

/* Behind the quoted text that starts at `p`; two quotes are one in it. */
static const char *skip_quoted(const char *p, const char *end, bool escapes)
{
    char quote = *p++;
    while (p < end) {
        bool escaped = escapes && *p == '\\' && end - p >= 2;
        if (escaped || (*p == quote && p + 1 < end && p[1] == quote)) {
            p += 2;
        } else if (*p++ == quote) {
            break;
        }
    }
    return p;
}

/* Behind $tag$...$tag$, or `p` where that is not what starts there. */
static const char *skip_dollars(const char *p, const char *end)
{
    const char *tag_end = p + 1;
    if (tag_end < end && starts_name(*tag_end)) {
        while (tag_end < end && continues_name(*tag_end) && *tag_end != '$') {
            tag_end++;
        }
    }
    if (tag_end >= end || *tag_end != '$') {
        return p;
    }
    size_t size = (size_t)(tag_end + 1 - p);
    for (const char *stop = tag_end + 1; (size_t)(end - stop) >= size; stop++) {
        if (memcmp(stop, p, size) == 0) {
            return stop + size;
        }
    }
    return end;
}

static const char *skip_name(const char *p, const char *end)
{
    while (p < end && continues_name(*p) && unicode_space(p, end) == 0) {
        p++;
    }
    return p;
}

/* Digits, and what may be part of a number: 1_000, 0xFF, 1.5e3. */
static const char *skip_number(const char *p, const char *end)
{
    while (p < end && (isalnum((unsigned char)*p) || *p == '_' || *p == '.')) {
        p++;
    }
    return p;
}

/* The word at `p`, which is not a space. */
static struct query_word read_word(const char *start, const char *p, const char *end)
{
    struct query_word word = {.kind = QUERY_SIGN, .start = (size_t)(p - start)};
    const char *stop = p + 1;
    if (*p == '\'' || *p == '"') {
        word.kind = *p == '"' ? QUERY_NAME : QUERY_STRING;
        word.quoted = true;
        stop = skip_quoted(p, end, false);
    } else if ((*p == 'e' || *p == 'E') && p + 1 < end && p[1] == '\'') {
        word.kind = QUERY_STRING;
        stop = skip_quoted(p + 1, end, true);
    } else if (*p == '$' && skip_dollars(p, end) != p) {
        word.kind = QUERY_STRING;
        stop = skip_dollars(p, end);
    } else if (starts_name(*p)) {
        word.kind = QUERY_NAME;
        stop = skip_name(p, end);
    } else if (isdigit((unsigned char)*p)) {
        word.kind = QUERY_NUMBER;
        stop = skip_number(p, end);
    }
    word.size = (size_t)(stop - p);
    return word;
}

static void read_words(struct query_text *t, struct arena *a)
{
    t->words = arena_array(a, t->size + 1, sizeof(*t->words));
    const char *end = t->sql + t->size;
    for (char *p = t->sql; p < end;) {
        size_t space = unicode_space(p, end);
        const char *comment = skip_comment(p, end);
        if (space > 0) {
            memset(p, ' ', space);
            p += space;
        } else if (isspace((unsigned char)*p)) {
            p++;
        } else if (comment != p) {
            p += comment - p;
        } else {
            struct query_word word = read_word(t->sql, p, end);
            t->words[t->word_count++] = word;
            p += word.size;
        }
    }
}

bool query_word_is(const struct query_text *t, size_t word, const char *keyword)
{
    if (word >= t->word_count) {
        return false;
    }
    const struct query_word *w = &t->words[word];
    return w->kind == QUERY_NAME && !w->quoted && w->size == strlen(keyword) &&
           strncasecmp(t->sql + w->start, keyword, w->size) == 0;
}

bool query_word_is_sign(const struct query_text *t, size_t word, char sign)
{
    return word < t->word_count && t->words[word].kind == QUERY_SIGN &&
           t->sql[t->words[word].start] == sign;
}

/* --- versions --- */

static bool is_kind(const struct query_text *t, size_t word, int kind)
{
    return word < t->word_count && (int)t->words[word].kind == kind;
}

/* The text of a number or of a plain string, without its quotes. */
static const char *literal(const struct query_text *t, size_t word, struct arena *a)
{
    const struct query_word *w = &t->words[word];
    size_t quote = w->kind == QUERY_STRING;
    if (w->size < 2 * quote) { /* an opening quote at the end of the text */
        return "";
    }
    return arena_string(a, t->sql + w->start + quote, w->size - 2 * quote);
}

static bool read_version(const struct query_text *t, size_t word, struct arena *a,
                         struct lake_at *out, struct error *err)
{
    const char *text = literal(t, word, a);
    out->kind = LAKE_AT_VERSION;
    return (scalar_parse_integer(text, &out->version) && out->version >= 0) ||
           error_set(err, ERROR_CONFIG, "VERSION AS OF \"%.64s\" is not the number of a version",
                     text);
}

static bool read_time(const struct query_text *t, size_t word, int64_t now_us, struct arena *a,
                      struct lake_at *out, struct error *err)
{
    const char *text = literal(t, word, a);
    out->kind = LAKE_AT_TIME;
    return time_argument_parse(text, now_us, &out->time_us) ||
           error_set(err, ERROR_CONFIG,
                     "TIMESTAMP AS OF \"%.64s\" is not a time such as 2026-11-21 14:05:06+01:00",
                     text);
}

/* The number of words of the clause that starts at `word`; 0: none does. Without its number or time
 * it is none: "version AS of" names a column. */
static size_t clause_size(const struct query_text *t, size_t word, bool *is_time)
{
    size_t next = word + query_word_is(t, word, "FOR");
    *is_time = query_word_is(t, next, "TIMESTAMP") || query_word_is(t, next, "SYSTEM_TIME");
    if (!*is_time && !query_word_is(t, next, "VERSION") &&
        !query_word_is(t, next, "SYSTEM_VERSION")) {
        return 0;
    }
    if (!query_word_is(t, next + 1, "AS") || !query_word_is(t, next + 2, "OF")) {
        return 0;
    }
    next += 3;
    if (*is_time) {
        next += query_word_is(t, next, "TIMESTAMP");
    } else if (is_kind(t, next, QUERY_NUMBER)) {
        return next + 1 - word;
    }
    return is_kind(t, next, QUERY_STRING) && t->words[next].quoted ? next + 1 - word : 0;
}

static bool read_clause(struct query_text *t, size_t word, size_t size, bool is_time,
                        int64_t now_us, struct arena *a, struct error *err)
{
    struct query_version *v = &t->versions[t->version_count++];
    size_t last = word + size - 1;
    *v = (struct query_version){.word = word};
    return is_time ? read_time(t, last, now_us, a, &v->at, err)
                   : read_version(t, last, a, &v->at, err);
}

static void blank(struct query_text *t, size_t word, size_t count)
{
    size_t end = t->words[word + count - 1].start + t->words[word + count - 1].size;
    memset(t->sql + t->words[word].start, ' ', end - t->words[word].start);
}

/* Clauses are blanked after all were found: words are looked at in the text. */
static bool read_versions(struct query_text *t, int64_t now_us, struct arena *a, struct error *err)
{
    t->versions = arena_array(a, t->word_count / 4 + 1, sizeof(*t->versions));
    for (size_t i = 0; i < t->word_count;) {
        bool is_time = false;
        size_t size = clause_size(t, i, &is_time);
        if (size > 0) {
            if (!read_clause(t, i, size, is_time, now_us, a, err)) {
                return false;
            }
            blank(t, i, size);
        }
        i += size > 0 ? size : 1;
    }
    return true;
}

bool query_text_read(const char *sql, int64_t now_us, struct arena *a, struct query_text *out,
                     struct error *err)
{
    size_t size = strlen(sql);
    *out = (struct query_text){.sql = arena_string(a, sql, size), .size = size};
    if (!utf8_valid(sql, size)) {
        return error_set(err, ERROR_CONFIG, "the query is not UTF-8");
    }
    read_words(out, a);
    while (out->word_count > 0 && query_word_is_sign(out, out->word_count - 1, ';')) {
        out->word_count--;
        blank(out, out->word_count, 1);
    }
    return read_versions(out, now_us, a, err);
}
