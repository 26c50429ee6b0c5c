#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/nearest.h"
#include "config/check.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/scalar.h"
#include "config/yaml.h"

struct filler {
    struct config *config;
    const char *pipeline; /* name of the one being read; defaults may hold it */
    struct error *err;
};

static bool fail(struct filler *f, struct mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct filler *f, struct mark mark, const char *format, ...)
{
    char text[sizeof(f->err->message)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return node_fail(f->err, f->config->file, mark, "%s", text);
}

static void append_words(const char *const *words, struct buf *out)
{
    for (const char *const *w = words; *w; w++) {
        buf_append_format(out, "%s%s", w == words ? "" : ", ", *w);
    }
}

static int word_index(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

/* The words are known ones; what was written is quoted, never what a variable put in. */
static bool refuse_word(struct filler *f, const struct key *k, const struct section *s,
                        const struct node *n)
{
    struct nearest near = nearest_start(n->written);
    for (const char *const *w = k->words; *w; w++) {
        nearest_try(&near, *w);
    }
    struct buf known = {0};
    append_words(k->words, &known);
    bool is_type = strcmp(k->name, "type") == 0;
    (void)fail(f, n->mark, "unknown %s %s \"%.64s\"%s%s%s; known: %s",
               is_type ? s->title : "value of", is_type ? "type" : k->name, n->written,
               near.found ? "; did you mean \"" : "", near.found ? near.found : "",
               near.found ? "\"?" : "", buf_text(&known));
    buf_release(&known);
    return false;
}

static bool refuse_value(struct filler *f, const struct key *k, const struct node *n,
                         const char *wanted)
{
    if (k->secret) {
        return fail(f, n->mark, "\"%s\" %s", k->name, wanted);
    }
    return fail(f, n->mark, "\"%s\" %s, not \"%.64s\"", k->name, wanted, n->written);
}

/* Stores a whole number into a member of 4 or 8 bytes. */
static void store_number(const struct key *k, void *member, uint64_t value)
{
    if (k->width == sizeof(uint32_t)) {
        assert(value <= UINT32_MAX); /* the row's max sees to it */
        uint32_t narrow = (uint32_t)value;
        memcpy(member, &narrow, sizeof(narrow));
    } else {
        assert(k->width == sizeof(uint64_t));
        memcpy(member, &value, sizeof(value));
    }
}

/* Numbers of all types as one, since none is negative. */
static bool parse_number(enum key_type type, const char *text, uint64_t *out)
{
    int64_t value = 0;
    if (type == KEY_SIZE) {
        return scalar_parse_size(text, out);
    }
    if (!(type == KEY_DURATION ? scalar_parse_duration : scalar_parse_integer)(text, &value) ||
        value < 0) {
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

static bool fill_number(struct filler *f, const struct key *k, const struct node *n, void *member)
{
    uint64_t value = 0;
    uint64_t min = 0;
    uint64_t max = 0;
    if (!parse_number(k->type, n->text, &value)) {
        return refuse_value(f, k, n,
                            k->type == KEY_DURATION ? "must be " SCALAR_DURATION_WANTED
                            : k->type == KEY_SIZE   ? "must be " SCALAR_SIZE_WANTED
                                                    : "must be a whole number");
    }
    bool limits_parse = parse_number(k->type, k->min, &min) && parse_number(k->type, k->max, &max);
    assert(limits_parse);
    if (value < min || value > max) {
        char wanted[128];
        (void)snprintf(wanted, sizeof(wanted), "must be from %s to %s", k->min, k->max);
        return refuse_value(f, k, n, wanted);
    }
    store_number(k, member, value);
    return true;
}

static bool fill_scalar(struct filler *f, const struct key *k, const struct section *s,
                        const struct node *n, void *member)
{
    if (n->kind != NODE_SCALAR) {
        return fail(f, n->mark, "\"%s\" must be a single value", k->name);
    }
    if (!*n->text) {
        return fail(f, n->mark, "\"%s\" has no value", k->name);
    }
    if (k->words && word_index(k->words, n->text) < 0) {
        return refuse_word(f, k, s, n);
    }
    const char *problem = k->check ? k->check(n->text) : NULL;
    if (problem) {
        return refuse_value(f, k, n, problem);
    }
    if (k->type == KEY_STRING) {
        memcpy(member, &n->text, sizeof(n->text));
        return true;
    }
    if (k->type == KEY_BOOL) {
        return scalar_parse_bool(n->text, member) || refuse_value(f, k, n, "must be true or false");
    }
    if (k->type == KEY_ENUM) {
        store_number(k, member, (uint64_t)word_index(k->words, n->text));
        return true;
    }
    return fill_number(f, k, n, member);
}

static bool fill_strings(struct filler *f, const struct key *k, const struct section *s,
                         const struct node *n, struct config_strings *out)
{
    if (n->kind == NODE_MAP) {
        return fail(f, n->mark, "\"%s\" must be a list", k->name);
    }
    const struct node *items = n->kind == NODE_LIST ? n->items : n;
    uint32_t count = n->kind == NODE_LIST ? n->count : 1;
    if (count == 0 && k->required) {
        return fail(f, n->mark, "\"%s\" must not be empty", k->name);
    }
    const struct key item_key = {.name = k->name, .type = KEY_STRING, .check = k->check};
    out->items = arena_array(&f->config->arena, count, sizeof(*out->items));
    for (uint32_t i = 0; i < count; i++) {
        if (!fill_scalar(f, &item_key, s, &items[i], &out->items[i])) {
            return false;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(out->items[i], out->items[j]) == 0) {
                return fail(f, items[i].mark, "\"%s\" has \"%.64s\" twice", k->name,
                            items[i].written);
            }
        }
        out->count++;
    }
    return true;
}

static bool fill_section(struct filler *f, const struct section *s, const struct node *n,
                         uint8_t *base);

static bool fill_array(struct filler *f, const struct key *k, const struct node *n, uint8_t *base)
{
    bool is_map = k->type == KEY_MAP;
    if (n->kind != (is_map ? NODE_MAP : NODE_LIST)) {
        return fail(f, n->mark, "\"%s\" must be a %s", k->name,
                    is_map ? "map from names to sections" : "list of sections");
    }
    if (n->count == 0 && k->required) {
        return fail(f, n->mark, "\"%s\" must not be empty", k->name);
    }
    uint8_t *items = arena_array(&f->config->arena, n->count, k->section->size);
    memset(items, 0, n->count * k->section->size);
    for (uint32_t i = 0; i < n->count; i++) {
        const struct node *item = &n->items[i];
        uint8_t *to = items + i * k->section->size;
        if (is_map) {
            const char *problem = k->section->check_name(item->key);
            if (problem) {
                return fail(f, item->key_mark, "name of a %s %s, not \"%.64s\"", k->section->title,
                            problem, item->key);
            }
            memcpy(to, &item->key, sizeof(item->key));
        }
        if (base == (uint8_t *)f->config) {
            f->pipeline = item->key; /* the only array of the outermost section */
        }
        if (!fill_section(f, k->section, item, to)) {
            return false;
        }
    }
    memcpy(base + k->offset, &items, sizeof(items));
    memcpy(base + k->count_offset, &n->count, sizeof(n->count));
    return true;
}

/* Fills in a default, where the key has one. */
static bool fill_default(struct filler *f, const struct key *k, const struct section *s,
                         uint8_t *base)
{
    if (k->type == KEY_SECTION) {
        return fill_section(f, k->section, NULL, base + k->offset);
    }
    if (!k->default_text) {
        return true;
    }
    const char *text = k->default_text;
    size_t before = strcspn(text, "<");
    if (strcmp(text + before, "<pipeline>") == 0) {
        text = arena_format(&f->config->arena, "%.*s%s", (int)before, text, f->pipeline);
    }
    const struct node n = {.kind = NODE_SCALAR, .text = text, .written = text};
    return fill_scalar(f, k, s, &n, base + k->offset);
}

static bool fill_key(struct filler *f, const struct key *k, const struct section *s,
                     const struct node *n, uint8_t *base)
{
    if (k->given_offset != 0) {
        memcpy(base + k->given_offset, &(bool){true}, sizeof(bool));
    }
    switch (k->type) {
    case KEY_SECTION:
        return fill_section(f, k->section, n, base + k->offset);
    case KEY_LIST:
    case KEY_MAP:
        return fill_array(f, k, n, base);
    case KEY_STRINGS:
        return fill_strings(f, k, s, n, (struct config_strings *)(void *)(base + k->offset));
    case KEY_STRING:
    case KEY_BOOL:
    case KEY_INTEGER:
    case KEY_DURATION:
    case KEY_SIZE:
    case KEY_ENUM:
        break;
    }
    return fill_scalar(f, k, s, n, base + k->offset);
}

static const struct key *find_key(const struct section *s, const char *name)
{
    for (const struct key *k = s->keys; k->name; k++) {
        if (strcmp(k->name, name) == 0) {
            return k;
        }
    }
    return NULL;
}

static bool check_known(struct filler *f, const struct section *s, const struct node *n,
                        const char *type)
{
    for (uint32_t i = 0; i < n->count; i++) {
        const struct node *item = &n->items[i];
        const struct key *known = find_key(s, item->key);
        if (known && key_applies(known, type)) {
            continue;
        }
        if (known) {
            return fail(f, item->key_mark, "\"%s\" is not a key of a %s of type %s", item->key,
                        s->title, type);
        }
        struct nearest near = nearest_start(item->key);
        for (const struct key *k = s->keys; k->name; k++) {
            if (key_applies(k, type)) {
                nearest_try(&near, k->name);
            }
        }
        return fail(f, item->key_mark, "unknown key \"%.64s\" in %s%s%s%s", item->key, s->title,
                    near.found ? "; did you mean \"" : "", near.found ? near.found : "",
                    near.found ? "\"?" : "");
    }
    return true;
}

/* The value of `type` in a section that has such a key, read before the others; NULL in one that
 * has not. */
static bool find_type(struct filler *f, const struct section *s, const struct node *n,
                      const char **type)
{
    const struct key *k = find_key(s, "type");
    const struct node *given = node_get(n, "type");
    *type = NULL;
    if (!k) {
        return true;
    }
    if (!given) {
        struct buf known = {0};
        append_words(k->words, &known);
        (void)fail(f, n->mark, "the %s has no \"type\"; known: %s", s->title, buf_text(&known));
        buf_release(&known);
        return false;
    }
    return fill_scalar(f, k, s, given, type);
}

/* `n` NULL: the section is absent, so everything in it is a default. */
static bool fill_section(struct filler *f, const struct section *s, const struct node *n,
                         uint8_t *base)
{
    const char *type = NULL;
    if (n) {
        if (n->kind != NODE_MAP) {
            return fail(f, n->mark, "the %s must be a section of keys and values", s->title);
        }
        if (!find_type(f, s, n, &type) || !check_known(f, s, n, type)) {
            return false;
        }
    }
    for (const struct key *k = s->keys; k->name; k++) {
        if (!key_applies(k, type)) {
            continue;
        }
        const struct node *given = node_get(n, k->name);
        if (!given && k->required) {
            assert(n); /* a section with a required key is required itself */
            return fail(f, n->mark, "the %s has no \"%s\"", s->title, k->name);
        }
        if (given ? !fill_key(f, k, s, given, base) : !fill_default(f, k, s, base)) {
            return false;
        }
    }
    return true;
}

struct config *config_parse(const char *file, struct str text, struct error *err)
{
    owned(config_free) struct config *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->file = arena_string(&c->arena, file, strlen(file));
    c->tree = yaml_parse(&c->arena, c->file, text, err);
    struct filler f = {.config = c, .err = err};
    if (!c->tree || !fill_section(&f, &config_section, c->tree, (uint8_t *)c) ||
        !check_together(c, c->file, c->tree, err)) {
        return NULL;
    }
    return take(c);
}

struct config *config_load(const char *path, struct error *err)
{
    struct buf text = {0};
    struct config *c = NULL;
    if (file_read(path, YAML_SIZE_MAX, &text, err)) {
        c = config_parse(path, buf_str(&text), err);
    } else {
        (void)error_recast(err, ERROR_CONFIG);
    }
    buf_release(&text);
    return c;
}

void config_free(struct config **c)
{
    if (*c) {
        struct arena arena = (*c)->arena; /* the arena owns all but the struct */
        arena_release(&arena);
        free(take(*c));
    }
}

const struct pipeline_config *config_pipeline(const struct config *c, const char *name)
{
    for (uint32_t i = 0; i < c->pipeline_count; i++) {
        if (strcmp(c->pipelines[i].name, name) == 0) {
            return &c->pipelines[i];
        }
    }
    return NULL;
}
