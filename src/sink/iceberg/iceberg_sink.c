/* Iceberg tables, one for each table of the source, in one catalog. */
#include <string.h>

#include "catalog/catalog.h"
#include "iceberg/iceberg.h"
#include "sink/table_sink.h"
#include "sink/types.h"

/* The levels of a namespace: a dot in the template parts them, one in a name does not. */
static bool split(const char *template, const struct sink_open *open, const struct table_name *name,
                  struct arena *a, struct lake_options *out, struct error *err)
{
    const char **levels = arena_array(a, strlen(template) + 1, sizeof(*levels));
    for (const char *p = template;; p++) {
        size_t size = strcspn(p, ".");
        const char *level =
            table_sink_expand(arena_string(a, p, size), name, open->pipeline, a, err);
        if (!level) {
            return false;
        }
        if (level[0] == '\0') {
            return error_set(err, ERROR_CONFIG, "namespace \"%s\" has an empty level", template);
        }
        levels[out->level_count++] = level;
        p += size;
        if (*p == '\0') {
            break;
        }
    }
    out->namespace = levels;
    return true;
}

static bool locate(void *arg, const struct sink_open *open, const struct table_name *name,
                   struct arena *a, struct lake_options *out, const char **place, struct error *err)
{
    out->catalog = arg;
    out->table = table_sink_expand(open->config->table, name, open->pipeline, a, err);
    if (!out->table || !split(open->config->namespace, open, name, a, out, err)) {
        return false;
    }
    const struct sink_config *c = open->config;
    const char *warehouse = c->warehouse ? c->warehouse : c->catalog.warehouse;
    owned(buf_release) struct buf text = {0};
    buf_append_format(&text, "%s%s%s ", c->catalog.uri ? c->catalog.uri : "",
                      c->catalog.uri && warehouse ? " " : "", warehouse ? warehouse : "");
    for (uint32_t i = 0; i < out->level_count; i++) {
        buf_append_format(&text, "%s.", out->namespace[i]);
    }
    buf_append_text(&text, out->table);
    *place = arena_string(a, text.data, text.size);
    return true;
}

static void free_catalog(void *arg)
{
    struct iceberg_catalog *catalog = arg;
    iceberg_catalog_free(&catalog);
}

static struct sink *iceberg_sink_open(const struct sink_open *open, struct error *err)
{
    const struct sink_config *c = open->config;
    struct iceberg_catalog *catalog =
        c->warehouse ? catalog_open_filesystem(c->warehouse, err) : catalog_open(&c->catalog, err);
    if (!catalog) {
        return NULL;
    }
    struct table_sink_format format = {
        .lake = &iceberg_lake, .locate = locate, .arg = catalog, .free = free_catalog};
    return table_sink_open(&iceberg_sink, &format, open, err);
}

const struct sink_type iceberg_sink = {
    .name = "iceberg",
    .summary = "Apache Iceberg tables in a filesystem or REST catalog",
    .keeps_position = true,
    .open = iceberg_sink_open,
    .last = table_sink_last,
    .resume = table_sink_resume,
    .begin_load = table_sink_begin_load,
    .write = table_sink_write,
    .commit = table_sink_commit,
    .free = table_sink_free,
};
