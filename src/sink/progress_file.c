#include "sink/progress_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FORMAT_VERSION = 1, FILE_SIZE_MAX = 64 << 20 };

static void release_json(json_t **json)
{
    json_decref(*json);
}

static bool damaged(const char *path, const char *what, struct error *err)
{
    return error_set(err, ERROR_CONFIG,
                     "\"%s\" is damaged (%s): remove it to go on without its proof that no table "
                     "was rolled back",
                     path, what);
}

static bool read_entry(const char *path, const char *name, const json_t *json, struct arena *a,
                       struct progress_entry *out, struct error *err)
{
    const char *location = json_string_value(json_object_get(json, "location"));
    const char *table_id = json_string_value(json_object_get(json, "tableId"));
    const char *txn_id = json_string_value(json_object_get(json, "txnId"));
    const json_t *version = json_object_get(json, "version");
    if (!location || !table_id || !txn_id || !json_is_integer(version)) {
        return damaged(path, name, err);
    }
    *out = (struct progress_entry){
        .name = arena_string(a, name, strlen(name)),
        .location = arena_string(a, location, strlen(location)),
        .expectation = {.table_id = arena_string(a, table_id, strlen(table_id)),
                        .version = json_integer_value(version),
                        .txn_id = arena_string(a, txn_id, strlen(txn_id))}};
    return true;
}

bool progress_file_read(const char *path, struct arena *a, struct progress_entries *out,
                        struct error *err)
{
    *out = (struct progress_entries){0};
    if (!file_exists(path)) {
        return true;
    }
    owned(buf_release) struct buf text = {0};
    if (!file_read(path, FILE_SIZE_MAX, &text, err)) {
        return false;
    }
    json_error_t where;
    owned(release_json) json_t *root = json_loadb(buf_text(&text), text.size, 0, &where);
    json_t *tables = json_object_get(root, "tables");
    if (!json_is_object(tables)) {
        return damaged(path, root ? "no tables" : where.text, err);
    }
    if (json_integer_value(json_object_get(root, "formatVersion")) != FORMAT_VERSION) {
        return damaged(path, "another format version", err);
    }
    out->items = arena_zalloc(a, (json_object_size(tables) + 1) * sizeof(*out->items));
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach(tables, name, entry)
    {
        if (!read_entry(path, name, entry, a, &out->items[out->count], err)) {
            return false;
        }
        out->count++;
    }
    return true;
}

bool progress_file_write(const char *path, const struct progress_entries *entries,
                         struct error *err)
{
    owned(release_json) json_t *tables = json_object();
    for (uint32_t i = 0; i < entries->count; i++) {
        const struct progress_entry *e = &entries->items[i];
        json_t *entry = json_pack(
            "{s:s, s:s, s:I, s:s}", "location", e->location, "tableId", e->expectation.table_id,
            "version", (json_int_t)e->expectation.version, "txnId", e->expectation.txn_id);
        if (!entry || json_object_set_new(tables, e->name, entry) != 0) {
            return error_set(err, ERROR_FATAL, "cannot write \"%s\": table %s is not UTF-8", path,
                             e->name);
        }
    }
    owned(release_json) json_t *root =
        json_pack("{s:i, s:O}", "formatVersion", FORMAT_VERSION, "tables", tables);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    if (!text) {
        abort();
    }
    bool done = file_write(path, text, strlen(text), err);
    free(text);
    return done;
}

const struct progress_entry *progress_entry_find(const struct progress_entries *entries,
                                                 const char *name, const char *location)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        if (strcmp(entries->items[i].name, name) == 0 &&
            strcmp(entries->items[i].location, location) == 0) {
            return &entries->items[i];
        }
    }
    return NULL;
}
