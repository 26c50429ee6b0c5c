/* Parsing is the engine's: json_serialize_sql() gives the syntax tree as JSON, in which each table
 * has the place of its first byte. */
#include "cli/query_references.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Names that hide tables where they are seen. */
struct scope {
    const char *name;
    const struct scope *outer;
};

struct finder {
    struct query_text *text;
    struct arena *arena;
    struct query_references *out;
    size_t reference_capacity;
    uint32_t table_capacity;
};

static void json_free(json_t **value)
{
    json_decref(take(*value));
}

static const char *string_of(const json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));
    return text ? text : "";
}

static bool is_type(const json_t *node, const char *type)
{
    return strcmp(string_of(node, "type"), type) == 0;
}

static bool refuse(const char *construct, const char *name, struct error *err)
{
    return error_set(err, ERROR_CONFIG,
                     "a query reads tables and nothing else: %s%s%.64s cannot "
                     "be part of it",
                     construct, *name ? " " : "", name);
}

static bool in_scope(const struct scope *scope, const char *name)
{
    for (; scope; scope = scope->outer) {
        if (strcasecmp(scope->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* --- one reference --- */

static const size_t no_word = SIZE_MAX;

static size_t word_at(const struct query_text *t, size_t start)
{
    size_t low = 0;
    size_t high = t->word_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->words[middle].start < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->word_count && t->words[low].start == start ? low : no_word;
}

/* The last word of a name of `parts` parts that starts with word `first`. */
static size_t last_word(const struct query_text *t, size_t first, size_t parts)
{
    size_t last = first;
    for (size_t i = 1; first != no_word && i < parts; i++) {
        if (!query_word_is_sign(t, last + 1, '.') || last + 2 >= t->word_count) {
            return no_word;
        }
        last += 2;
    }
    return first == no_word ? no_word : last;
}

/* The version that is asked for behind word `last`. */
static struct lake_at take_version(struct query_text *t, size_t last)
{
    for (size_t i = 0; i < t->version_count; i++) {
        if (t->versions[i].word == last + 1) {
            t->versions[i].used = true;
            return t->versions[i].at;
        }
    }
    return (struct lake_at){.kind = LAKE_NEWEST};
}

static bool same_version(struct lake_at a, struct lake_at b)
{
    return a.kind == b.kind && (a.kind != LAKE_AT_VERSION || a.version == b.version) &&
           (a.kind != LAKE_AT_TIME || a.time_us == b.time_us);
}

static uint32_t find_or_add_table(struct finder *f, const char *word, struct lake_at at)
{
    struct query_references *r = f->out;
    for (uint32_t i = 0; i < r->table_count; i++) {
        if (strcmp(r->tables[i].word, word) == 0 && same_version(r->tables[i].at, at)) {
            return i;
        }
    }
    if (r->table_count == f->table_capacity) {
        f->table_capacity = f->table_capacity * 2 + 8;
        struct query_table *grown = arena_array(f->arena, f->table_capacity, sizeof(*grown));
        if (r->table_count > 0) {
            memcpy(grown, r->tables, r->table_count * sizeof(*grown));
        }
        r->tables = grown;
    }
    r->tables[r->table_count] = (struct query_table){.word = word, .at = at};
    return r->table_count++;
}

static void add_reference(struct finder *f, size_t start, size_t size, uint32_t table)
{
    struct query_references *r = f->out;
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].start == start) {
            return; /* the tree shows the queries of WITH more than once */
        }
    }
    if (r->count == f->reference_capacity) {
        f->reference_capacity = f->reference_capacity * 2 + 8;
        struct query_reference *grown =
            arena_array(f->arena, f->reference_capacity, sizeof(*grown));
        if (r->count > 0) {
            memcpy(grown, r->items, r->count * sizeof(*grown));
        }
        r->items = grown;
    }
    r->items[r->count++] = (struct query_reference){.start = start, .size = size, .table = table};
}

static bool add_table(struct finder *f, const json_t *node, const struct scope *scope,
                      struct error *err)
{
    const char *catalog = string_of(node, "catalog_name");
    const char *schema = string_of(node, "schema_name");
    const char *table = string_of(node, "table_name");
    bool recurring = !*catalog && strcasecmp(schema, "recurring") == 0;
    if ((recurring || (!*catalog && !*schema)) && in_scope(scope, table)) {
        return true;
    }
    const char *word = arena_format(f->arena, "%s%s%s%s%s", catalog, *catalog ? "." : "", schema,
                                    *schema ? "." : "", table);
    if (json_is_object(json_object_get(node, "at_clause"))) {
        return error_set(err, ERROR_CONFIG,
                         "\"%s\": AT is not known; write VERSION AS OF or TIMESTAMP AS OF", word);
    }
    double place = json_number_value(json_object_get(node, "query_location"));
    size_t start = place >= 0 && place < (double)f->text->size ? (size_t)place : f->text->size;
    size_t first = word_at(f->text, start);
    size_t last = last_word(f->text, first, (size_t)1 + (*schema != 0) + (*catalog != 0));
    if (last == no_word) {
        return error_set(err, ERROR_CONFIG, "table \"%s\" cannot be found in the query's text",
                         word);
    }
    size_t size = f->text->words[last].start + f->text->words[last].size - start;
    add_reference(f, start, size, find_or_add_table(f, word, take_version(f->text, last)));
    return true;
}

/* --- the syntax tree, which jansson lets be 2048 levels deep --- */

static bool walk(struct finder *f, const json_t *node, const struct scope *scope,
                 struct error *err);

/* Functions that give rows of nothing but their arguments. Others read files, change what the
 * engine does (enable_logging) or take SQL that was not looked at. */
static bool check_function(const json_t *node, struct error *err)
{
    static const char *const harmless[] = {"range",      "generate_series", "unnest",   "repeat",
                                           "repeat_row", "json_each",       "json_tree"};
    const char *name = string_of(json_object_get(node, "function"), "function_name");
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (strcasecmp(name, harmless[i]) == 0) {
            return true;
        }
    }
    return refuse("the table function", name, err);
}

static bool walk_members(struct finder *f, const json_t *node, const struct scope *scope,
                         struct error *err)
{
    /* A materialized query of WITH is also in the map of names. */
    bool is_with = is_type(node, "CTE_NODE");
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        if (strcmp(key, "cte_map") != 0 && !(is_with && strcmp(key, "query") == 0) &&
            !walk(f, value, scope, err)) {
            return false;
        }
    }
    return true;
}

/* The queries of WITH see the names before them; what follows sees all. */
static bool walk_query(struct finder *f, const json_t *node, const struct scope *scope,
                       struct error *err)
{
    const json_t *names = json_object_get(json_object_get(node, "cte_map"), "map");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *entry = json_array_get(names, i);
        if (!walk(f, json_object_get(entry, "value"), scope, err)) {
            return false;
        }
        struct scope *inner = arena_alloc(f->arena, sizeof(*inner));
        *inner = (struct scope){.name = string_of(entry, "key"), .outer = scope};
        scope = inner;
    }
    return walk_members(f, node, scope, err);
}

static bool walk_object(struct finder *f, const json_t *node, const struct scope *scope,
                        struct error *err)
{
    struct scope recursive = {.name = string_of(node, "cte_name"), .outer = scope};
    if (is_type(node, "BASE_TABLE")) {
        return add_table(f, node, scope, err);
    }
    if (is_type(node, "TABLE_FUNCTION") && !check_function(node, err)) {
        return false;
    }
    if (is_type(node, "SHOW_REF") && !json_is_object(json_object_get(node, "query"))) {
        return refuse("SHOW", "", err);
    }
    bool is_recursive = is_type(node, "RECURSIVE_CTE_NODE");
    return walk_query(f, node, is_recursive ? &recursive : scope, err);
}

static bool walk(struct finder *f, const json_t *node, const struct scope *scope, struct error *err)
{
    if (json_is_object(node)) {
        return walk_object(f, node, scope, err);
    }
    for (size_t i = 0; i < json_array_size(node); i++) {
        if (!walk(f, json_array_get(node, i), scope, err)) {
            return false;
        }
    }
    return true;
}

/* The tree holds unsigned 64-bit numbers, which jansson only takes as reals; of all numbers only
 * places in the text are looked at. */
static json_t *syntax_tree(struct finder *f, struct engine_connection *engine, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    owned(buf_release) struct buf text = {0};
    buf_append_text(&sql, "SELECT json_serialize_sql(");
    buf_append_literal(&sql, f->text->sql);
    buf_append_text(&sql, ", skip_null := true, skip_empty := true, skip_default := true)");
    if (!engine_query_text(engine, buf_text(&sql), &text, err)) {
        return NULL;
    }
    json_error_t problem;
    json_t *tree =
        json_loadb(text.data, text.size, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &problem);
    if (!tree) {
        error_set(err, ERROR_CONFIG, "the query is too complex: %s", problem.text);
    }
    return tree;
}

static bool check_tree(const json_t *tree, struct error *err)
{
    const json_t *statements = json_object_get(tree, "statements");
    if (json_is_true(json_object_get(tree, "error"))) {
        const char *message = string_of(tree, "error_message");
        return strncmp(message, "Only SELECT", 11) == 0
                   ? error_set(err, ERROR_CONFIG, "a query is one SELECT, not another statement")
                   : error_set(err, ERROR_CONFIG, "%s", message);
    }
    if (json_array_size(statements) != 1) {
        return error_set(err, ERROR_CONFIG, "a query is one SELECT, not %zu statements",
                         json_array_size(statements));
    }
    return json_array_size(json_object_get(json_array_get(statements, 0), "named_param_map")) ==
               0 ||
           refuse("a parameter", "", err);
}

static int compare_places(const void *a, const void *b)
{
    const struct query_reference *left = a;
    const struct query_reference *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

bool query_references_find(struct query_text *text, struct engine_connection *engine,
                           struct arena *a, struct query_references *out, struct error *err)
{
    *out = (struct query_references){0};
    struct finder f = {.text = text, .arena = a, .out = out};
    owned(json_free) json_t *tree = syntax_tree(&f, engine, err);
    if (!tree || !check_tree(tree, err) || !walk(&f, tree, NULL, err)) {
        if (err->kind == ERROR_DATA) {
            error_recast(err, ERROR_CONFIG); /* the SQL is what the user wrote */
        }
        return false;
    }
    for (size_t i = 0; i < text->version_count; i++) {
        if (!text->versions[i].used) {
            return error_set(
                err, ERROR_CONFIG,
                "VERSION AS OF or TIMESTAMP AS OF does not follow the name of a table");
        }
    }
    if (out->count > 0) {
        qsort(out->items, out->count, sizeof(*out->items), compare_places);
    }
    return true;
}

void query_references_append(const struct query_references *r, const struct query_text *text,
                             const char *const *names, struct buf *sql)
{
    size_t done = 0;
    for (size_t i = 0; i < r->count; i++) {
        buf_append(sql, text->sql + done, r->items[i].start - done);
        buf_append_text(sql, names[r->items[i].table]);
        done = r->items[i].start + r->items[i].size;
    }
    buf_append(sql, text->sql + done, text->size - done);
}
