#include <inttypes.h>
#include <string.h>

#include "config/config.h"
#include "config/keys.h"
#include "config/scalar.h"
#include "config/yaml.h"

/* The first place of any of `words` in front of '=', or NULL. */
static const char *find_password(const char *text)
{
    const char *found = NULL;
    static const char *const words[] = {"password=", "sslpassword=", "passwd=", NULL};
    for (const char *const *w = words; *w; w++) {
        const char *p = strcasestr(text, *w);
        if (p && (!found || p + strlen(*w) < found)) {
            found = p + strlen(*w);
        }
    }
    return found;
}

char *config_redacted_url(struct arena *a, const char *url)
{
    struct buf out = {0};
    const char *p = strstr(url, "://");
    if (p) {
        p += 3;
        buf_append(&out, url, (size_t)(p - url));
        /* From the first colon to the last @: a password that should have been percent-encoded and
         * was not is hidden too. */
        const char *at = strrchr(p, '@');
        const char *colon = at ? memchr(p, ':', (size_t)(at - p)) : NULL;
        if (colon) {
            buf_append(&out, p, (size_t)(colon - p) + 1);
            buf_append_text(&out, "***");
            p = at;
        }
    } else {
        p = url;
    }
    for (const char *value = find_password(p); value; value = find_password(p)) {
        buf_append(&out, p, (size_t)(value - p));
        buf_append_text(&out, "***");
        p = value + strcspn(value, "& ");
    }
    buf_append_text(&out, p);
    char *text = arena_string(a, buf_text(&out), out.size);
    buf_release(&out);
    return text;
}

/* A double-quoted YAML scalar, or a plain one where nothing can be misread. */
static void append_scalar(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
    if (*text && text[strspn(text, plain)] == '\0') {
        buf_append_text(out, text);
        return;
    }
    buf_append_char(out, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\n') {
            buf_append_text(out, "\\n");
        } else if (c < 0x20 || c == 0x7F) {
            buf_append_format(out, "\\x%02x", c);
        } else if (c == '$' && p[1] == '{') {
            buf_append_text(out, "$$"); /* what was replaced is not replaced again */
        } else {
            if (c == '"' || c == '\\') {
                buf_append_char(out, '\\');
            }
            buf_append_char(out, *p);
        }
    }
    buf_append_char(out, '"');
}

struct shower {
    const struct config *config;
    struct arena arena;
    struct buf out;
};

static uint64_t load_number(const struct key *k, const void *member)
{
    uint32_t narrow = 0;
    uint64_t value = 0;
    if (k->width == sizeof(narrow)) {
        memcpy(&narrow, member, sizeof(narrow));
        return narrow;
    }
    memcpy(&value, member, sizeof(value));
    return value;
}

static void append_value(struct shower *s, const struct key *k, const uint8_t *member)
{
    struct buf text = {0};
    if (k->type == KEY_STRING) {
        const char *value = NULL;
        memcpy(&value, member, sizeof(value));
        append_scalar(&s->out, k->hidden   ? "***"
                               : k->secret ? config_redacted_url(&s->arena, value)
                                           : value);
        return;
    }
    if (k->type == KEY_STRINGS) {
        const struct config_strings *list = (const void *)member;
        buf_append_char(&s->out, '[');
        for (uint32_t i = 0; i < list->count; i++) {
            buf_append_text(&s->out, i > 0 ? ", " : "");
            append_scalar(&s->out, list->items[i]);
        }
        buf_append_char(&s->out, ']');
        return;
    }
    if (k->type == KEY_BOOL) {
        buf_append_text(&text, *(const bool *)member ? "true" : "false");
    } else if (k->type == KEY_ENUM) {
        buf_append_text(&text, k->words[load_number(k, member)]);
    } else if (k->type == KEY_DURATION) {
        scalar_format_duration((int64_t)load_number(k, member), &text);
    } else if (k->type == KEY_SIZE) {
        scalar_format_size(load_number(k, member), &text);
    } else {
        buf_append_format(&text, "%" PRIu64, load_number(k, member));
    }
    buf_append_text(&s->out, buf_text(&text));
    buf_release(&text);
}

/* Where a value comes from, as a comment at the end of the line. */
static void append_origin(struct shower *s, const struct node *n)
{
    if (!n) {
        buf_append_text(&s->out, "  # default\n");
        return;
    }
    buf_append_format(&s->out, "  # %s:%u", s->config->file, n->mark.line);
    const struct node *items = n->kind == NODE_SCALAR ? n : n->items;
    uint32_t count = n->kind == NODE_SCALAR ? 1 : n->count;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].variable) {
            buf_append_format(&s->out, ", %s", items[i].variable);
        }
    }
    buf_append_char(&s->out, '\n');
}

/* True when there is nothing to say: an optional value that was not given. */
static bool is_absent(const struct key *k, const struct node *n, const uint8_t *base)
{
    uint32_t count = 0;
    if (k->type == KEY_LIST || k->type == KEY_MAP) {
        memcpy(&count, base + k->count_offset, sizeof(count));
        return count == 0;
    }
    if (k->type == KEY_SECTION && !n && strcmp(k->section->keys[0].name, "type") == 0) {
        return true; /* without a type it is nothing */
    }
    return k->type != KEY_SECTION && k->type != KEY_STRINGS && !n && !k->default_text;
}

static void show_section(struct shower *s, const struct section *section, const struct node *n,
                         const uint8_t *base, int indent);

static void show_array(struct shower *s, const struct key *k, const struct node *n,
                       const uint8_t *base, int indent)
{
    const uint8_t *items = NULL;
    memcpy(&items, base + k->offset, sizeof(items));
    for (uint32_t i = 0; i < n->count; i++) {
        buf_append_format(&s->out, "%*s", indent, "");
        if (k->type == KEY_MAP) {
            append_scalar(&s->out, n->items[i].key);
            buf_append_text(&s->out, ":\n");
        } else {
            buf_append_text(&s->out, "-\n");
        }
        show_section(s, k->section, &n->items[i], items + i * k->section->size, indent + 2);
    }
}

static void show_section(struct shower *s, const struct section *section, const struct node *n,
                         const uint8_t *base, int indent)
{
    const struct node *type = node_get(n, "type");
    for (const struct key *k = section->keys; k->name; k++) {
        const struct node *given = node_get(n, k->name);
        if (!key_applies(k, type ? type->text : NULL) || is_absent(k, given, base)) {
            continue;
        }
        buf_append_format(&s->out, "%*s%s:", indent, "", k->name);
        if (k->type == KEY_SECTION) {
            buf_append_char(&s->out, '\n');
            show_section(s, k->section, given, base + k->offset, indent + 2);
        } else if (k->type == KEY_LIST || k->type == KEY_MAP) {
            buf_append_char(&s->out, '\n');
            show_array(s, k, given, base, indent + 2);
        } else {
            buf_append_char(&s->out, ' ');
            append_value(s, k, base + k->offset);
            append_origin(s, given);
        }
    }
}

void config_show(const struct config *c, FILE *out)
{
    struct shower s = {.config = c};
    show_section(&s, &config_section, c->tree, (const uint8_t *)c, 0);
    (void)fwrite(buf_text(&s.out), 1, s.out.size, out);
    buf_release(&s.out);
    arena_release(&s.arena);
}
