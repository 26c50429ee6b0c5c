#include "config/check.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "config/keys.h"
#include "config/scalar.h"

/* PostgreSQL: NAMEDATALEN - 1. A pipeline's name leaves room for "leat_" in front. */
enum { IDENTIFIER_MAX = 63, PIPELINE_NAME_MAX = IDENTIFIER_MAX - 5 };

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

const char *check_not_blank(const char *text)
{
    return text[strspn(text, " \t\n")] ? NULL : "must not be empty";
}

const char *check_pipeline_name(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size <= PIPELINE_NAME_MAX && strspn(text, NAME_CHARACTERS) == size
               ? NULL
               : "must consist of a-z, 0-9 and _, at most 58 of them";
}

const char *check_slot(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size <= IDENTIFIER_MAX && strspn(text, NAME_CHARACTERS) == size
               ? NULL
               : "must consist of a-z, 0-9 and _, at most 63 of them";
}

const char *check_identifier(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size <= IDENTIFIER_MAX ? NULL : "must have 1 to 63 bytes";
}

/* Each host's port, where a colon announces one, is digits. */
static bool ports_are_digits(const char *hosts, size_t size)
{
    const char *end = hosts + size;
    for (const char *p = hosts; p < end;) {
        const char *host_end = memchr(p, ',', (size_t)(end - p));
        host_end = host_end ? host_end : end;
        const char *bracket = *p == '[' ? memchr(p, ']', (size_t)(host_end - p)) : NULL;
        const char *from = bracket ? bracket : p;
        const char *colon = memchr(from, ':', (size_t)(host_end - from));
        size_t digits = colon ? strspn(colon + 1, "0123456789") : 1;
        if (digits == 0 || (colon && colon + 1 + digits != host_end)) {
            return false;
        }
        p = host_end + 1;
    }
    return true;
}

/* The text after '?' is name=value, joined by '&'. */
static bool parameters_have_values(const char *query)
{
    for (const char *p = query; *p;) {
        size_t size = strcspn(p, "&");
        if (!memchr(p, '=', size)) {
            return false;
        }
        p += size;
        p += *p == '&';
    }
    return true;
}

/* libpq quotes what it cannot parse, and a password with a plain '@', '/' or '?' in it is parsed as
 * host, port, database or parameter: so the shape is checked here, before libpq sees it. */
/* The schemes of each type of database. */
static const struct {
    const char *type;
    const char *scheme;
} database_schemes[] = {
    {"postgres", "postgresql://"},
    {"postgres", "postgres://"},
    {"mysql", "mysql://"},
    {"mysql", "mariadb://"},
};
enum { DATABASE_SCHEMES = sizeof(database_schemes) / sizeof(database_schemes[0]) };

/* The number of the url's scheme; -1: none of them. */
static int find_scheme(const char *url)
{
    for (int i = 0; i < DATABASE_SCHEMES; i++) {
        if (strncmp(url, database_schemes[i].scheme, strlen(database_schemes[i].scheme)) == 0) {
            return i;
        }
    }
    return -1;
}

const char *check_database_url(const char *text)
{
    int scheme = find_scheme(text);
    if (scheme < 0) {
        return "must begin with postgresql://, postgres://, mysql:// or mariadb://";
    }
    const char *authority = text + strlen(database_schemes[scheme].scheme);
    size_t size = strcspn(authority, "/?");
    size_t path = strcspn(authority, "?");
    const char *at = memchr(authority, '@', size);
    const char *hosts = at ? at + 1 : authority;
    if (memchr(hosts, '@', path - (size_t)(hosts - authority)) ||
        !ports_are_digits(hosts, size - (size_t)(hosts - authority)) ||
        (authority[path] == '?' && !parameters_have_values(authority + path + 1))) {
        return "is not a URL: special characters in user and password must be percent-encoded";
    }
    return NULL;
}

const char *check_table_name(const char *text)
{
    const char *dot = strchr(text, '.');
    return dot && dot > text && dot[1] ? NULL : "must be schema.table";
}

const char *check_table_pattern(const char *text)
{
    return check_table_name(text) ? "must be schema.table or schema.*" : NULL;
}

const char *check_braces(const char *text)
{
    for (const char *p = strpbrk(text, "{}"); p; p = strpbrk(p, "{}")) {
        size_t size = strncmp(p, "{table}", 7) == 0 ? 7 : strncmp(p, "{schema}", 8) == 0 ? 8 : 0;
        if (size == 0) {
            return "may have no braces except in {schema} and {table}";
        }
        p += size;
    }
    return check_not_blank(text);
}

const char *check_location(const char *text)
{
    const char *wrong = check_braces(text);
    if (wrong) {
        return wrong;
    }
    return strstr(text, "{table}") ? NULL
                                   : "must contain {table}: each table has a place of its own";
}

const char *check_http_url(const char *text)
{
    size_t size = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
    if (size == 0 || text[size] == '\0' || text[size] == '/') {
        return "must be http://host:port/path or https://...";
    }
    return strpbrk(text, " ?#@") ? "may have neither a user, nor a query, nor a fragment" : NULL;
}

const char *check_listen(const char *text)
{
    if (strcmp(text, "off") == 0) {
        return NULL;
    }
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    if (!colon || !scalar_parse_integer(colon + 1, &port) || port < 0 || port > 65535) {
        return "must be host:port, :port or off";
    }
    bool open = text[0] == '[';
    bool closed = colon > text && colon[-1] == ']';
    bool plain_host = !memchr(text, ':', (size_t)(colon - text));
    return (open && closed) || (!open && !closed && plain_host)
               ? NULL
               : "must be host:port, :port or off; an IPv6 address is written in [ ]";
}

bool config_tables_contain(const struct config_strings *tables, const char *table)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        const char *pattern = tables->items[i];
        size_t size = strlen(pattern);
        bool all = size > 2 && strcmp(pattern + size - 2, ".*") == 0;
        if (strcmp(pattern, table) == 0 || (all && strncmp(pattern, table, size - 1) == 0)) {
            return true;
        }
    }
    return false;
}

struct check {
    const char *file;
    struct error *err;
};

static bool check_known_tables(const struct check *ch, const struct pipeline_config *p,
                               const struct config_strings *tables, const struct node *node)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        if (!config_tables_contain(&p->source.tables, tables->items[i])) {
            return node_fail(
                ch->err, ch->file, node->kind == NODE_LIST ? node->items[i].mark : node->mark,
                "table \"%s\" is not among the tables of the source", tables->items[i]);
        }
    }
    return true;
}

/* Which settings of an Iceberg table belong together; `n` is its section. */
static bool check_iceberg(const struct check *ch, const struct catalog_config *catalog,
                          const char *warehouse, const struct node *n)
{
    if (!catalog->type == !warehouse) {
        return node_fail(ch->err, ch->file, n->mark,
                         "an Iceberg table needs either \"warehouse\" or \"catalog\"");
    }
    if (catalog->type && strcmp(catalog->type, "filesystem") == 0 && !catalog->warehouse) {
        return node_fail(ch->err, ch->file, node_get(n, "catalog")->mark,
                         "a filesystem catalog needs a \"warehouse\"");
    }
    return true;
}

static bool check_source(const struct check *ch, const struct source_config *s,
                         const struct node *n)
{
    bool is_iceberg = strcmp(s->type, "iceberg") == 0;
    if (s->url) {
        int scheme = find_scheme(s->url);
        return (scheme >= 0 && strcmp(s->type, database_schemes[scheme].type) == 0) ||
               node_fail(ch->err, ch->file, node_get(n, "url")->mark,
                         "the url is not one of a source of type %s", s->type);
    }
    if (s->tables.count != 1 || strchr(s->tables.items[0], '*')) {
        return node_fail(ch->err, ch->file, node_get(n, "tables")->mark,
                         "a source of type %s is one table: name it as schema.table", s->type);
    }
    if (is_iceberg && !s->location) {
        if (!s->namespace || !s->table) {
            return node_fail(ch->err, ch->file, n->mark,
                             "an Iceberg table needs a \"location\", or \"namespace\" and "
                             "\"table\" in a catalog");
        }
        return check_iceberg(ch, &s->catalog, s->warehouse, n);
    }
    if (!s->location || s->catalog.type || s->warehouse || s->namespace || s->table) {
        return node_fail(ch->err, ch->file, n->mark, "the source needs a \"location\"%s",
                         s->location ? " or a catalog, not both" : "");
    }
    return true;
}

static bool check_pipeline(const struct check *ch, const struct pipeline_config *p,
                           const struct node *node)
{
    for (uint32_t i = 0; i < p->transform_count; i++) {
        const struct node *tables = node_get(&node_get(node, "transforms")->items[i], "tables");
        if (tables && !check_known_tables(ch, p, &p->transforms[i].tables, tables)) {
            return false;
        }
    }
    if (!check_source(ch, &p->source, node_get(node, "source"))) {
        return false;
    }
    for (uint32_t i = 0; i < p->sink_count; i++) {
        const struct node *sink = &node_get(node, "sinks")->items[i];
        const struct node *tables = node_get(sink, "tables");
        if (strcmp(p->sinks[i].type, "iceberg") == 0 &&
            !check_iceberg(ch, &p->sinks[i].catalog, p->sinks[i].warehouse, sink)) {
            return false;
        }
        for (uint32_t t = 0; t < p->sinks[i].table_count; t++) {
            if (!config_tables_contain(&p->source.tables, p->sinks[i].tables[t].table)) {
                return node_fail(ch->err, ch->file, tables->items[t].key_mark,
                                 "table \"%s\" is not among the tables of the source",
                                 p->sinks[i].tables[t].table);
            }
        }
    }
    if (p->retry.delay_ms > p->retry.delay_max_ms) {
        const struct node *retry = node_get(node, "retry");
        const struct node *delay = node_get(retry, "max_delay");
        return node_fail(ch->err, ch->file, delay ? delay->mark : retry->mark,
                         "\"max_delay\" must not be below \"delay\"");
    }
    return true;
}

/* An absolute path without "//", "/./" and a slash at the end, so that equal places compare equal;
 * links and ".." stay as they are. */
static char *normal_path(struct arena *arena, const char *location)
{
    struct buf out = {0};
    const char *p = strncmp(location, "file://", 7) == 0 ? location + 7 : location;
    char directory[PATH_MAX];
    if (*p != '/' && getcwd(directory, sizeof(directory))) {
        buf_append_text(&out, directory);
    }
    while (*p) {
        p += strspn(p, "/");
        size_t size = strcspn(p, "/");
        if (size > 0 && !(size == 1 && *p == '.')) {
            buf_append_char(&out, '/');
            buf_append(&out, p, size);
        }
        p += size;
    }
    char *text = arena_string(arena, buf_text(&out), out.size);
    buf_release(&out);
    return text;
}

/* Where the tables of a sink lie, or NULL: nowhere. */
static const char *place_of(struct arena *arena, const struct sink_config *s)
{
    if (s->location) {
        return normal_path(arena, s->location);
    }
    if (!s->namespace) {
        return NULL;
    }
    const struct catalog_config *c = &s->catalog;
    const char *warehouse = s->warehouse ? s->warehouse : c->warehouse;
    return arena_format(arena, "%s %s %s.%s", c->uri ? c->uri : "",
                        c->uri || !warehouse ? (warehouse ? warehouse : "")
                                             : normal_path(arena, warehouse),
                        s->namespace, s->table);
}

/* Two writers of one table would each take the other for an intruder. */
static bool check_locations(const struct check *ch, const struct config *c,
                            const struct node *pipelines)
{
    struct arena arena = {0};
    struct map seen = {0};
    bool done = true;
    for (uint32_t i = 0; i < c->pipeline_count && done; i++) {
        const struct pipeline_config *p = &c->pipelines[i];
        const struct node *sinks = node_get(&pipelines->items[i], "sinks");
        for (uint32_t s = 0; s < p->sink_count && done; s++) {
            const char *place = place_of(&arena, &p->sinks[s]);
            if (!place) {
                continue;
            }
            const struct node *node =
                node_get(&sinks->items[s], p->sinks[s].location ? "location" : "namespace");
            struct str path = str_from(place);
            struct node *first = map_get(&seen, path);
            if (first) {
                done = node_fail(ch->err, ch->file, node->mark,
                                 "another sink has this location, in line %u", first->mark.line);
            } else {
                (void)map_put(&seen, path, arena_copy(&arena, node, sizeof(*node)));
            }
        }
    }
    map_release(&seen, NULL);
    arena_release(&arena);
    return done;
}

/* A slot delivers to one reader at a time. */
static bool check_slots(const struct check *ch, const struct config *c,
                        const struct node *pipelines)
{
    for (uint32_t i = 1; i < c->pipeline_count; i++) {
        const struct source_config *a = &c->pipelines[i].source;
        for (uint32_t j = 0; j < i; j++) {
            const struct source_config *b = &c->pipelines[j].source;
            if (a->url && b->url && strcmp(a->url, b->url) == 0 && strcmp(a->slot, b->slot) == 0) {
                const struct node *source = node_get(&pipelines->items[i], "source");
                const struct node *slot = node_get(source, "slot");
                return node_fail(ch->err, ch->file, slot ? slot->mark : source->mark,
                                 "pipeline \"%s\" has the same slot, \"%s\"", c->pipelines[j].name,
                                 a->slot);
            }
        }
    }
    return true;
}

bool check_together(const struct config *c, const char *file, const struct node *root,
                    struct error *err)
{
    const struct check ch = {.file = file, .err = err};
    const struct node *pipelines = node_get(root, "pipelines");
    for (uint32_t i = 0; i < c->pipeline_count; i++) {
        if (!check_pipeline(&ch, &c->pipelines[i], &pipelines->items[i])) {
            return false;
        }
    }
    return check_locations(&ch, c, pipelines) && check_slots(&ch, c, pipelines);
}
