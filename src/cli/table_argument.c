#include "cli/table_argument.h"

#include <string.h>

#include "base/file.h"
#include "catalog/catalog.h"
#include "delta/delta.h"
#include "iceberg/iceberg.h"
#include "sink/table_sink.h"
#include "store/store.h"

static const char metadata_ending[] = ".metadata.json";

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text);
    size_t ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

/* The last step of a path, or the last part of a name. */
static const char *last_part(struct arena *a, const char *text, char separator)
{
    size_t size = strlen(text);
    while (size > 1 && text[size - 1] == separator) {
        size--;
    }
    size_t start = size;
    while (start > 0 && text[start - 1] != separator) {
        start--;
    }
    return arena_string(a, text + start, size - start);
}

/* --- a location --- */

/* A metadata file lies two steps below its table. */
static const char *location_name(struct arena *a, const char *location)
{
    const char *directory = strstr(location, "/metadata/");
    return ends_with(location, metadata_ending) && directory
               ? last_part(a, arena_string(a, location, (size_t)(directory - location)), '/')
               : last_part(a, location, '/');
}

static bool has_directory(const char *location, const char *directory, bool *found,
                          struct error *err)
{
    struct store_entries entries = {0};
    owned(store_free) struct store *store = store_open(location, err);
    if (!store || !store_list(store, directory, "", &entries, err)) {
        return false;
    }
    *found = entries.count > 0;
    store_entries_release(&entries);
    return true;
}

static void found_delta(struct table_argument *t, const char *location)
{
    t->type = &delta_history;
    t->lake_type = &delta_lake;
    t->lake = (struct lake_options){.location = location};
    t->location = location;
    t->name = last_part(&t->arena, location, '/');
}

static bool found_iceberg(struct table_argument *t, const char *location, struct error *err)
{
    t->catalog = catalog_open_location(location, err);
    if (!t->catalog) {
        return false;
    }
    t->type = &iceberg_history;
    t->lake_type = &iceberg_lake;
    t->location = location;
    t->name = location_name(&t->arena, location);
    t->lake = (struct lake_options){.catalog = t->catalog, .table = t->name};
    return true;
}

/* Leaves the type NULL where there is no table. */
static bool try_location(struct table_argument *t, const char *location, struct error *err)
{
    bool is_delta = false;
    bool is_iceberg = ends_with(location, metadata_ending);
    if (!is_iceberg && (!has_directory(location, "_delta_log", &is_delta, err) ||
                        !has_directory(location, "metadata", &is_iceberg, err))) {
        return false;
    }
    if (is_delta) {
        found_delta(t, location);
        return true;
    }
    return !is_iceberg || found_iceberg(t, location, err);
}

/* --- a name in the configuration --- */

struct search {
    struct table_argument *table;
    const char *word;
    const struct pipeline_config *pipeline;
    const struct sink_config *sink;
    struct buf tried;
    struct buf found; /* those that have the name */
    uint32_t found_count;
};

static void append_to_list(struct buf *list, const char *text)
{
    if (!strstr(buf_text(list), text)) {
        buf_append_text(list, list->size > 0 ? ", " : "");
        buf_append_text(list, text);
    }
}

/* Puts names into a template; NULL: a name cannot be a step of a path. */
static const char *fill(const struct search *s, const char *template, struct table_name name)
{
    struct error ignored = {0};
    return table_sink_expand(template, &name, s->pipeline->name, &s->table->arena, &ignored);
}

static bool try_delta(struct search *s, struct table_name name, struct error *err)
{
    bool found = false;
    const char *location = fill(s, s->sink->location, name);
    if (!location || !has_directory(location, "_delta_log", &found, err)) {
        return !location;
    }
    append_to_list(&s->tried, location);
    bool is_other = s->found_count == 0 || strcmp(s->table->location, location) != 0;
    if (found && is_other) {
        append_to_list(&s->found, location);
        s->found_count++;
        found_delta(s->table, location);
    }
    return true;
}

/* "a.b.c": its parts, in the arena. */
static const char **split_levels(struct arena *a, const char *text, uint32_t *count)
{
    const char **levels = arena_array(a, strlen(text) + 1, sizeof(*levels));
    *count = 0;
    for (const char *p = text; *p;) {
        size_t size = strcspn(p, ".");
        levels[(*count)++] = arena_string(a, p, size);
        p += size + (p[size] == '.');
    }
    return levels;
}

static struct iceberg_catalog *open_catalog(const struct sink_config *sink, struct error *err)
{
    return sink->warehouse ? catalog_open_filesystem(sink->warehouse, err)
                           : catalog_open(&sink->catalog, err);
}

static bool try_iceberg(struct search *s, const char *namespace, const char *table,
                        struct error *err)
{
    struct table_argument *t = s->table;
    struct arena scratch = {0};
    struct iceberg_metadata *metadata = NULL;
    const char *file = NULL;
    struct iceberg_name name = {.table = table};
    name.namespace = split_levels(&t->arena, namespace, &name.level_count);
    const char *location =
        arena_format(&t->arena, "pipeline %s: %s.%s", s->pipeline->name, namespace, table);
    owned(iceberg_catalog_free) struct iceberg_catalog *catalog = open_catalog(s->sink, err);
    bool done = catalog && catalog->type->load(catalog, &name, &metadata, &scratch, &file, err);
    bool found = done && metadata;
    iceberg_metadata_free(&metadata);
    arena_release(&scratch);
    append_to_list(&s->tried, location);
    if (found && (s->found_count == 0 || strcmp(t->location, location) != 0)) {
        append_to_list(&s->found, location);
        s->found_count++;
        iceberg_catalog_free(&t->catalog);
        t->catalog = take(catalog);
        t->type = &iceberg_history;
        t->lake_type = &iceberg_lake;
        t->location = location;
        t->name = table;
        t->lake = (struct lake_options){.catalog = t->catalog,
                                        .namespace = name.namespace,
                                        .level_count = name.level_count,
                                        .table = table};
    }
    return done;
}

/* The name that the table has in the lake. */
static bool try_iceberg_word(struct search *s, struct error *err)
{
    const char *dot = strrchr(s->word, '.');
    return !dot || dot == s->word || !dot[1] ||
           try_iceberg(s, arena_string(&s->table->arena, s->word, (size_t)(dot - s->word)), dot + 1,
                       err);
}

static bool try_iceberg_source(struct search *s, struct table_name name, struct error *err)
{
    const char *namespace = fill(s, s->sink->namespace ? s->sink->namespace : "{schema}", name);
    const char *table = fill(s, s->sink->table ? s->sink->table : "{table}", name);
    return !namespace || !table || try_iceberg(s, namespace, table, err);
}

static bool try_source_name(struct search *s, struct table_name name, struct error *err)
{
    if (strcmp(s->sink->type, "iceberg") == 0) {
        return try_iceberg_source(s, name, err);
    }
    return !s->sink->location || try_delta(s, name, err);
}

/* True when the word is "schema.table" or "table" for a captured one, "schema.table" or "schema.*",
 * which is then the table's name. */
static bool is_meant(struct search *s, const char *captured, struct table_name *name)
{
    struct arena *a = &s->table->arena;
    const char *dot = strchr(captured, '.');
    const char *word_dot = strchr(s->word, '.');
    if (!dot) {
        return false;
    }
    const char *schema = arena_string(a, captured, (size_t)(dot - captured));
    const char *word_table = word_dot ? word_dot + 1 : s->word;
    size_t word_schema_size = word_dot ? (size_t)(word_dot - s->word) : strlen(schema);
    *name = (struct table_name){.schema = schema, .table = word_table};
    return (!word_dot || (strlen(schema) == word_schema_size &&
                          memcmp(schema, s->word, word_schema_size) == 0)) &&
           word_table[0] && (strcmp(dot + 1, "*") == 0 || strcmp(dot + 1, word_table) == 0);
}

static bool search_sink(struct search *s, struct error *err)
{
    const struct config_strings *tables = &s->pipeline->source.tables;
    for (uint32_t i = 0; i < tables->count; i++) {
        struct table_name name;
        if (is_meant(s, tables->items[i], &name) && !try_source_name(s, name, err)) {
            return error_wrap(err, "pipeline \"%s\"", s->pipeline->name);
        }
    }
    if (strcmp(s->sink->type, "iceberg") == 0 && !try_iceberg_word(s, err)) {
        return error_wrap(err, "pipeline \"%s\"", s->pipeline->name);
    }
    return true;
}

static bool search_config(struct search *s, const struct config *config, struct error *err)
{
    for (uint32_t p = 0; p < config->pipeline_count; p++) {
        s->pipeline = &config->pipelines[p];
        for (uint32_t i = 0; i < s->pipeline->sink_count; i++) {
            s->sink = &s->pipeline->sinks[i];
            if (!search_sink(s, err)) {
                return false;
            }
        }
    }
    return s->found_count <= 1 ||
           error_set(err, ERROR_CONFIG, "there is more than one table \"%s\": name one of %s",
                     s->word, buf_text(&s->found));
}

/* --- either --- */

static bool load_config(struct arguments *a, struct error *err)
{
    bool is_default = strcmp(a->config_path, "leat.yaml") == 0;
    if (!a->config && (!is_default || file_exists(a->config_path))) {
        a->config = config_load(a->config_path, err);
        return a->config != NULL;
    }
    return true;
}

static bool try_name(struct arguments *a, struct table_argument *t, struct error *err)
{
    struct search s = {.table = t, .word = t->word};
    bool done = load_config(a, err) && (!a->config || search_config(&s, a->config, err));
    if (done && !t->type) {
        done = error_set(err, ERROR_CONFIG,
                         "there is no table \"%s\": the directory has neither _delta_log nor "
                         "metadata, and %s%s%s%s",
                         t->word, a->config ? "" : "there is no configuration ", a->config_path,
                         s.tried.size > 0 ? " leads to "
                         : a->config      ? " names no such table"
                                          : "",
                         buf_text(&s.tried));
    }
    buf_release(&s.tried);
    buf_release(&s.found);
    return done;
}

bool table_argument_open(struct arguments *a, const char *word, struct table_argument *out,
                         struct error *err)
{
    *out = (struct table_argument){.word = word};
    return try_location(out, word, err) && (out->type || try_name(a, out, err));
}

void table_argument_release(struct table_argument *t)
{
    iceberg_catalog_free(&t->catalog);
    arena_release(&t->arena);
    *t = (struct table_argument){0};
}
