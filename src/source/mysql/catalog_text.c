/* What the catalog prints as text: lists of labels, and defaults. */
#include <string.h>
#include <strings.h>

#include "source/mysql/catalog_parts.h"

static bool equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static const char *text_at(struct arena *arena, const char *text)
{
    return text ? arena_string(arena, text, strlen(text)) : NULL;
}

void *my_catalog_grow(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                      size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity ? *capacity * 2 : 8;
    void *grown = arena_array(arena, *capacity, size);
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    return grown;
}

/* Reads 'text' at *p, moving behind the closing quote: '' is a quote, and both servers write
 * backslash, newline and the like as MySQL's literals do, whatever the session's mode. NULL: not a
 * quoted text. */
static const char *read_quoted(const char **p, struct arena *arena)
{
    const char *in = *p;
    if (*in++ != '\'') {
        return NULL;
    }
    char *out = arena_alloc(arena, strlen(in) + 1);
    size_t size = 0;
    for (; *in; in++) {
        char c = *in;
        if (c == '\'' && in[1] != '\'') {
            out[size] = '\0';
            *p = in + 1;
            return out;
        }
        if (c == '\'') {
            in++;
        } else if (c == '\\' && in[1]) {
            c = *++in;
            c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c == '0' ? '\0' : c);
            if (c == '\0') {
                return NULL; /* no C string */
            }
        }
        out[size++] = c;
    }
    return NULL;
}

bool my_catalog_labels(const char *type, struct arena *arena, struct my_catalog_column *out,
                       struct error *err)
{
    const char *p = type;
    p += strncasecmp(p, "enum(", 5) == 0 ? 5 : strncasecmp(p, "set(", 4) == 0 ? 4 : 0;
    const char **labels = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    while (p != type) {
        const char *label = read_quoted(&p, arena);
        if (!label || (*p != ',' && *p != ')')) {
            break;
        }
        labels = my_catalog_grow(arena, labels, count, &capacity, sizeof(*labels));
        labels[count++] = label;
        if (*p++ == ')') {
            out->labels = labels;
            out->label_count = count;
            return true;
        }
    }
    return error_set(err, ERROR_FATAL, "the catalog's type \"%.200s\" is no list of labels", type);
}

/* A number as the servers print constants: -3, 1.50, 1e10. */
static bool is_number(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    size_t whole = strspn(p, "0123456789");
    p += whole;
    size_t fraction = *p == '.' ? strspn(p + 1, "0123456789") : 0;
    p += *p == '.' ? fraction + 1 : 0;
    if (whole + fraction > 0 && (*p == 'e' || *p == 'E')) {
        p++;
        p += *p == '-' || *p == '+';
        size_t exponent = strspn(p, "0123456789");
        p += exponent;
        whole = exponent; /* there must be one */
        fraction = 0;
    }
    return whole + fraction > 0 && *p == '\0';
}

/* b'101', as both servers print defaults of bit columns, as the number that a load reads. */
static const char *read_bits(const char *text, struct arena *arena)
{
    uint64_t bits = 0;
    const char *p = text;
    size_t digits = strncmp(p, "b'", 2) == 0 ? strspn(p + 2, "01") : 0;
    if (digits == 0 || digits > 64 || !equal(p + 2 + digits, "'")) {
        return NULL;
    }
    for (size_t i = 0; i < digits; i++) {
        bits = bits << 1 | (uint64_t)(p[2 + i] - '0');
    }
    return arena_format(arena, "%llu", (unsigned long long)bits);
}

static bool is_binary(const struct my_catalog_column *c)
{
    size_t size = strlen(c->data_type);
    return equal(c->data_type, "binary") || equal(c->data_type, "varbinary") ||
           (size >= 4 && equal(c->data_type + size - 4, "blob"));
}

static void set_constant(struct my_catalog_column *c, const char *text)
{
    c->has_default = true;
    c->default_text = text;
}

static void set_expression(struct my_catalog_column *c, struct arena *arena, const char *text)
{
    c->default_is_expression = true;
    c->default_text = text_at(arena, text);
}

/* MariaDB prints an SQL expression: NULL, 'text', 1.5, b'1', current_timestamp(). */
static void read_mariadb_default(struct my_catalog_column *c, struct arena *arena, const char *text)
{
    const char *rest = text;
    const char *quoted = read_quoted(&rest, arena);
    const char *bits = read_bits(text, arena);
    bool has_text = !is_binary(c);
    if (equal(text, "NULL")) {
        set_constant(c, NULL);
    } else if (has_text && quoted && *rest == '\0') {
        set_constant(c, quoted);
    } else if (has_text && (bits || is_number(text))) {
        set_constant(c, bits ? bits : text_at(arena, text));
    } else {
        set_expression(c, arena, text);
    }
}

/* MySQL prints the text of a constant, or an expression, which EXTRA says (CURRENT_TIMESTAMP only
 * since 8.0.13). */
static void read_mysql_default(struct my_catalog_column *c, struct arena *arena, const char *text,
                               const char *extra)
{
    const char *bits = equal(c->data_type, "bit") ? read_bits(text, arena) : NULL;
    bool is_now = strncasecmp(text, "CURRENT_TIMESTAMP", 17) == 0 &&
                  (equal(c->data_type, "timestamp") || equal(c->data_type, "datetime"));
    /* A timestamp's default is printed in the time zone of whoever made the column. */
    if (strstr(extra, "DEFAULT_GENERATED") || is_now || is_binary(c) ||
        equal(c->data_type, "timestamp")) {
        set_expression(c, arena, text);
    } else {
        set_constant(c, bits ? bits : text_at(arena, text));
    }
}

void my_catalog_read_default(struct my_catalog_column *c, bool is_mariadb, struct arena *arena,
                             const char *text, const char *extra)
{
    if (c->is_generated || strstr(extra, "auto_increment")) {
        return;
    }
    if (!text) { /* MariaDB prints NULL for a null */
        c->has_default = c->nullable && !is_mariadb;
        return;
    }
    if (is_mariadb) {
        read_mariadb_default(c, arena, text);
    } else {
        read_mysql_default(c, arena, text, extra);
    }
}
