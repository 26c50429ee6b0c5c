#include "config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/file.h"

enum { SECRET_SIZE_MAX = 65536 };

struct loader {
    struct arena *arena;
    const char *file;
    struct str text;
    struct error *err;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; libyaml owns what it points to */
};

bool node_fail(struct error *err, const char *file, struct mark mark, const char *format, ...)
{
    char text[sizeof(err->message)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return error_set(err, ERROR_CONFIG, "%s:%u:%u: %s", file, mark.line, mark.column, text);
}

const struct node *node_get(const struct node *n, const char *key)
{
    for (uint32_t i = 0; n && n->kind == NODE_MAP && i < n->count; i++) {
        if (strcmp(n->items[i].key, key) == 0) {
            return &n->items[i];
        }
    }
    return NULL;
}

static struct mark mark_of(yaml_mark_t m)
{
    /* The input has at most 1 MiB, so both fit. */
    return (struct mark){.line = (uint32_t)m.line + 1, .column = (uint32_t)m.column + 1};
}

static bool is_tab(struct str text, struct mark mark)
{
    size_t i = 0;
    for (uint32_t line = 1; line < mark.line && i < text.size; i++) {
        line += text.data[i] == '\n';
    }
    i += utf8_prefix(text.data + i, text.size - i, mark.column - 1);
    return i < text.size && text.data[i] == '\t';
}

/* Moves on to the next event. */
static bool next(struct loader *l)
{
    yaml_event_delete(&l->event);
    if (yaml_parser_parse(&l->parser, &l->event)) {
        return true;
    }
    struct mark mark = mark_of(l->parser.problem_mark);
    const char *problem = l->parser.problem ? l->parser.problem : "not YAML";
    if (l->parser.error == YAML_READER_ERROR) {
        /* The reader knows an offset only: count the lines up to it. */
        mark = (struct mark){.line = 1, .column = 1};
        for (size_t i = 0; i < l->parser.problem_offset && i < l->text.size; i++) {
            mark.column = l->text.data[i] == '\n' ? 1 : mark.column + 1;
            mark.line += l->text.data[i] == '\n';
        }
        return node_fail(l->err, l->file, mark, "not text: %s", problem);
    }
    return node_fail(l->err, l->file, mark, "%s%s", problem,
                     is_tab(l->text, mark) ? " (a tab: YAML indents with spaces)" : "");
}

/* Appends the value of ${env:NAME} or ${file:PATH}; `name` is what stands inside the braces. */
static bool append_variable(struct loader *l, struct node *n, struct str name, struct buf *out)
{
    const char *text = arena_string(l->arena, name.data, name.size);
    if (strncmp(text, "env:", 4) == 0 && text[4]) {
        const char *value = getenv(text + 4); /* read before threads exist */
        if (!value) {
            return node_fail(l->err, l->file, n->mark, "environment variable \"%s\" is not set",
                             text + 4);
        }
        buf_append_text(out, value);
        n->variable = arena_format(l->arena, "env %s", text + 4);
        return true;
    }
    if (strncmp(text, "file:", 5) == 0 && text[5]) {
        struct error reason = {0};
        struct buf content = {.size_max = SECRET_SIZE_MAX};
        bool done = file_read(text + 5, SECRET_SIZE_MAX, &content, &reason);
        if (done && content.size > 0 && content.data[content.size - 1] == '\n') {
            content.size--; /* editors end files with a newline; a password has none */
        }
        if (done && memchr(buf_text(&content), 0, content.size)) {
            done = error_set(&reason, ERROR_CONFIG, "\"%s\" holds a NUL byte", text + 5);
        }
        buf_append(out, buf_text(&content), content.size);
        buf_release(&content);
        n->variable = arena_format(l->arena, "file %s", text + 5);
        return done || node_fail(l->err, l->file, n->mark, "%s", reason.message);
    }
    return node_fail(l->err, l->file, n->mark,
                     "\"${%s}\" is neither ${env:NAME} nor ${file:PATH}; write $${ for a plain ${",
                     text);
}

static bool replace_variables(struct loader *l, struct node *n, struct buf *out)
{
    const char *p = n->written;
    for (const char *dollar = strchr(p, '$'); dollar; dollar = strchr(p, '$')) {
        buf_append(out, p, (size_t)(dollar - p));
        if (strncmp(dollar, "$${", 3) == 0) {
            buf_append_text(out, "${");
            p = dollar + 3;
        } else if (dollar[1] != '{') {
            buf_append_char(out, '$');
            p = dollar + 1;
        } else {
            const char *end = strchr(dollar, '}');
            if (!end) {
                return node_fail(l->err, l->file, n->mark, "\"${\" without \"}\"");
            }
            struct str name = {.data = dollar + 2, .size = (size_t)(end - dollar) - 2};
            if (!append_variable(l, n, name, out)) {
                return false;
            }
            p = end + 1;
        }
    }
    buf_append_text(out, p);
    return true;
}

/* Copies the current scalar's text; it may not hold NUL, since values are C strings. */
static bool copy_scalar(struct loader *l, const char **out)
{
    const char *value = (const char *)l->event.data.scalar.value;
    size_t size = l->event.data.scalar.length;
    if (memchr(value, 0, size)) {
        return node_fail(l->err, l->file, mark_of(l->event.start_mark), "text with a NUL byte");
    }
    *out = arena_string(l->arena, value, size);
    return true;
}

static bool parse_scalar(struct loader *l, struct node *n)
{
    if (!copy_scalar(l, &n->written)) {
        return false;
    }
    n->plain = l->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct buf text = {.size_max = YAML_SIZE_MAX};
    bool done = replace_variables(l, n, &text);
    if (done && text.failed) {
        done = node_fail(l->err, l->file, n->mark, "longer than 1 MiB after replacing variables");
    }
    n->text = arena_string(l->arena, buf_text(&text), text.size);
    buf_release(&text);
    return done;
}

static bool refuse_extras(struct loader *l)
{
    struct mark mark = mark_of(l->event.start_mark);
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    if (l->event.type == YAML_ALIAS_EVENT) {
        return node_fail(l->err, l->file, mark, "aliases (*) are not allowed");
    }
    if (l->event.type == YAML_SCALAR_EVENT) {
        anchor = l->event.data.scalar.anchor;
        tag = l->event.data.scalar.tag;
    } else if (l->event.type == YAML_SEQUENCE_START_EVENT) {
        anchor = l->event.data.sequence_start.anchor;
        tag = l->event.data.sequence_start.tag;
    } else if (l->event.type == YAML_MAPPING_START_EVENT) {
        anchor = l->event.data.mapping_start.anchor;
        tag = l->event.data.mapping_start.tag;
    }
    if (anchor) {
        return node_fail(l->err, l->file, mark, "anchors (&) are not allowed");
    }
    return !tag || node_fail(l->err, l->file, mark, "tags (!) are not allowed");
}

/* The next item of a list or map, zeroed. Doubles the room; the arena keeps the old one. */
static struct node *add_item(struct loader *l, struct node *n)
{
    if ((n->count & (n->count - 1)) == 0) {
        struct node *items =
            arena_array(l->arena, n->count ? 2 * (size_t)n->count : 1, sizeof(*items));
        if (n->count > 0) {
            memcpy(items, n->items, n->count * sizeof(*items));
        }
        n->items = items;
    }
    n->items[n->count] = (struct node){0};
    return &n->items[n->count];
}

static bool parse_key(struct loader *l, const struct node *map, struct node *item)
{
    item->key_mark = mark_of(l->event.start_mark);
    if (!refuse_extras(l)) {
        return false;
    }
    if (l->event.type != YAML_SCALAR_EVENT) {
        return node_fail(l->err, l->file, item->key_mark, "a key must be text");
    }
    if (!copy_scalar(l, &item->key)) {
        return false;
    }
    const struct node *first = node_get(map, item->key);
    return !first ||
           node_fail(l->err, l->file, item->key_mark, "key \"%.64s\" was given before, in line %u",
                     item->key, first->key_mark.line);
}

/* Reads the value that the current event begins; afterwards the current event is its last one. */
static bool parse_value(struct loader *l, struct node *n, uint32_t depth)
{
    n->mark = mark_of(l->event.start_mark);
    if (!refuse_extras(l)) {
        return false;
    }
    if (l->event.type == YAML_SCALAR_EVENT) {
        n->kind = NODE_SCALAR;
        return parse_scalar(l, n);
    }
    if (depth == YAML_DEPTH_MAX) {
        return node_fail(l->err, l->file, n->mark, "more than %d levels deep", YAML_DEPTH_MAX);
    }
    bool is_map = l->event.type == YAML_MAPPING_START_EVENT;
    n->kind = is_map ? NODE_MAP : NODE_LIST;
    for (;;) {
        if (!next(l)) {
            return false;
        }
        if (l->event.type == YAML_MAPPING_END_EVENT || l->event.type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        struct node *item = add_item(l, n);
        if (is_map && (!parse_key(l, n, item) || !next(l))) {
            return false;
        }
        if (!parse_value(l, item, depth + 1)) {
            return false;
        }
        n->count++;
    }
}

static bool parse_document(struct loader *l, struct node *root)
{
    for (int i = 0; i < 2; i++) { /* the stream begins, then the document */
        if (!next(l)) {
            return false;
        }
    }
    if (l->event.type == YAML_STREAM_END_EVENT) {
        *root = (struct node){.kind = NODE_MAP, .mark = {1, 1}};
        return true;
    }
    if (!next(l) || !parse_value(l, root, 0)) {
        return false;
    }
    for (int i = 0; i < 2; i++) { /* the document ends, then the stream */
        if (!next(l)) {
            return false;
        }
    }
    return l->event.type == YAML_STREAM_END_EVENT ||
           node_fail(l->err, l->file, mark_of(l->event.start_mark),
                     "a second document; a configuration is one");
}

const struct node *yaml_parse(struct arena *arena, const char *file, struct str text,
                              struct error *err)
{
    if (text.size > YAML_SIZE_MAX) {
        (void)error_set(err, ERROR_CONFIG, "%s: larger than 1 MiB", file);
        return NULL;
    }
    struct loader l = {.arena = arena, .file = file, .text = text, .err = err};
    if (!yaml_parser_initialize(&l.parser)) {
        abort(); /* out of memory */
    }
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text.data, text.size);
    struct node *root = arena_zalloc(arena, sizeof(*root));
    bool done = parse_document(&l, root);
    yaml_event_delete(&l.event);
    yaml_parser_delete(&l.parser);
    return done ? root : NULL;
}
