#include "catalog/rest.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/rest_client.h"

struct rest_catalog {
    struct iceberg_catalog base;
    struct rest_client client;
};

static struct rest_client *client_of(struct iceberg_catalog *c)
{
    return &((struct rest_catalog *)c)->client;
}

/* Prepends "load table a.b.t". */
static bool wrap(struct error *err, const char *verb, const struct iceberg_name *name)
{
    struct buf text = {0};
    for (uint32_t i = 0; i < name->level_count; i++) {
        buf_append_format(&text, "%s.", name->namespace[i]);
    }
    (void)error_wrap(err, "%s table %s%s", verb, buf_text(&text), name->table);
    buf_release(&text);
    return false;
}

/* The metadata in an answer that says the table is there. */
static struct iceberg_metadata *metadata_of(const struct rest_answer *answer, struct error *err)
{
    json_t *object = json_object_get(answer->json, "metadata");
    if (!json_is_object(object)) {
        (void)error_set(err, ERROR_RETRY, "the catalog answered %d without metadata",
                        answer->status);
        return NULL;
    }
    return iceberg_metadata_from(json_incref(object), err);
}

/* As metadata_of() after a write that is in: what cannot be read is to be loaded. */
static bool take_written(const struct rest_answer *answer, struct iceberg_metadata **out,
                         struct error *err)
{
    *out = metadata_of(answer, err);
    return *out || error_recast(err, ERROR_UNKNOWN);
}

/* ---- load ---- */

/* A table that is not there is said so by the catalog: a 404 of something before it says nothing.
 */
static bool read_load(const struct rest_client *c, const struct rest_answer *answer,
                      struct iceberg_metadata **out, struct arena *a,
                      const char **metadata_location, struct error *err)
{
    if (answer->status == 404 && rest_answer_is_from_catalog(answer->json)) {
        return true;
    }
    if (answer->status == 404) {
        return error_set(err, ERROR_RETRY, "404 was answered, but not by a catalog");
    }
    if (answer->status != 200) {
        return rest_client_refuse(c, answer, err);
    }
    *out = metadata_of(answer, err);
    if (!*out) {
        return false;
    }
    const char *location = json_string_value(json_object_get(answer->json, "metadata-location"));
    *metadata_location = location ? arena_string(a, location, strlen(location)) : NULL;
    return true;
}

static bool rest_load(struct iceberg_catalog *catalog, const struct iceberg_name *name,
                      struct iceberg_metadata **out, struct arena *a,
                      const char **metadata_location, struct error *err)
{
    struct rest_client *c = client_of(catalog);
    *out = NULL;
    *metadata_location = NULL;
    struct buf path = {0};
    struct rest_answer answer = {0};
    bool done = rest_client_append_table(c, name, &path, err);
    buf_append_text(&path, "?snapshots=all");
    done = done && rest_client_send(c, buf_text(&path), NULL, &answer, err) &&
           read_load(c, &answer, out, a, metadata_location, err);
    rest_answer_release(&answer);
    buf_release(&path);
    return done || wrap(err, "load", name);
}

/* ---- create ---- */

/* `is_missing` NULL: a level above that is missing is an error like others. Whatever of it has an
 * unknown outcome can be repeated: the table is certainly not there. */
static bool create_level(struct rest_client *c, const struct iceberg_name *name,
                         uint32_t level_count, bool *is_missing, struct error *err)
{
    json_t *levels = json_array();
    for (uint32_t i = 0; i < level_count; i++) {
        (void)json_array_append_new(levels, json_string(name->namespace[i]));
    }
    json_t *body = json_pack("{s:o, s:{}}", "namespace", levels, "properties");
    struct rest_answer answer = {0};
    bool done = rest_client_send(c, "namespaces", body, &answer, err);
    json_decref(body);
    if (done && is_missing) {
        *is_missing = answer.status == 404;
    }
    if (done && answer.status != 200 && answer.status != 409 && !(is_missing && *is_missing)) {
        done = rest_client_refuse(c, &answer, err);
    }
    rest_answer_release(&answer);
    if (!done && err->kind == ERROR_UNKNOWN) {
        (void)error_recast(err, ERROR_RETRY);
    }
    return done ||
           error_wrap(err, "create namespace level \"%s\"", name->namespace[level_count - 1]);
}

/* From the innermost level outwards to the first that can be made, then back: those further out are
 * there and may not be ours to make. */
static bool create_namespace(struct rest_client *c, const struct iceberg_name *name,
                             struct error *err)
{
    uint32_t level = name->level_count;
    bool is_missing = true;
    while (is_missing) {
        if (!create_level(c, name, level, level > 1 ? &is_missing : NULL, err)) {
            return false;
        }
        is_missing = is_missing && level > 1;
        level -= is_missing;
    }
    while (level < name->level_count) {
        level++;
        if (!create_level(c, name, level, NULL, err)) {
            return false;
        }
    }
    return true;
}

/* The request of a new table. Format version 2 is asked for, since servers' defaults differ. */
static json_t *create_request(const struct iceberg_name *name, const struct iceberg_create *create)
{
    json_t *body = json_object();
    (void)json_object_set_new(body, "name", json_string(name->table));
    if (create->location) {
        (void)json_object_set_new(body, "location", json_string(create->location));
    }
    (void)json_object_set(body, "schema", create->schema);
    if (create->spec) {
        (void)json_object_set_new(body, "partition-spec", iceberg_spec_make(create->spec));
    }
    json_t *properties = create->properties ? json_copy(create->properties) : json_object();
    if (!json_object_get(properties, "format-version")) {
        (void)json_object_set_new(properties, "format-version", json_string("2"));
    }
    (void)json_object_set_new(body, "properties", properties);
    (void)json_object_set_new(body, "stage-create", json_false());
    return body;
}

static bool send_create(struct rest_client *c, const struct iceberg_name *name, const json_t *body,
                        struct rest_answer *answer, struct error *err)
{
    struct buf path = {0};
    bool done = rest_client_append_namespace(c, name, name->level_count, &path, err);
    buf_append_text(&path, "/tables");
    done = done && rest_client_send(c, buf_text(&path), body, answer, err);
    buf_release(&path);
    return done;
}

static bool read_create(const struct rest_client *c, const struct rest_answer *answer,
                        struct iceberg_metadata **out, struct error *err)
{
    if (answer->status == 409) {
        (void)rest_client_refuse(c, answer, err);
        return error_recast(err, ERROR_CONFLICT);
    }
    if (answer->status != 200) {
        return rest_client_refuse(c, answer, err);
    }
    return take_written(answer, out, err);
}

static bool rest_create(struct iceberg_catalog *catalog, const struct iceberg_name *name,
                        const struct iceberg_create *create, struct iceberg_metadata **out,
                        struct error *err)
{
    struct rest_client *c = client_of(catalog);
    *out = NULL;
    json_t *body = create_request(name, create);
    struct rest_answer answer = {0};
    bool done = send_create(c, name, body, &answer, err);
    if (done && answer.status == 404) { /* certainly not made: the namespace is missing */
        rest_answer_release(&answer);
        done = create_namespace(c, name, err) && send_create(c, name, body, &answer, err);
    }
    done = done && read_create(c, &answer, out, err);
    rest_answer_release(&answer);
    json_decref(body);
    return done || wrap(err, "create", name);
}

/* ---- commit ---- */

static bool read_commit(const struct rest_client *c, const struct rest_answer *answer,
                        struct iceberg_state *to, struct error *err)
{
    if (answer->status == 200) {
        const json_t *location = json_object_get(answer->json, "metadata-location");
        to->location = json_is_string(location) ? strdup(json_string_value(location)) : NULL;
        return take_written(answer, &to->metadata, err);
    }
    (void)rest_client_refuse(c, answer, err);
    if (answer->status == 409) {
        return error_recast(err, ERROR_CONFLICT);
    }
    if (answer->status == 404) { /* dropped: who loads it sees; or not the catalog's word */
        return error_recast(err, rest_answer_is_from_catalog(answer->json) ? ERROR_CONFLICT
                                                                           : ERROR_UNKNOWN);
    }
    return false;
}

static bool rest_commit(struct iceberg_catalog *catalog, const struct iceberg_name *name,
                        const struct iceberg_move *move, struct iceberg_state *to,
                        struct error *err)
{
    /* The requirements say what must still hold. */
    struct rest_client *c = client_of(catalog);
    *to = (struct iceberg_state){0};
    json_t *body = json_object();
    (void)json_object_set(body, "requirements", (json_t *)(uintptr_t)move->requirements);
    (void)json_object_set(body, "updates", (json_t *)(uintptr_t)move->updates);
    struct buf path = {0};
    struct rest_answer answer = {0};
    bool done = rest_client_append_table(c, name, &path, err) &&
                rest_client_send(c, buf_text(&path), body, &answer, err) &&
                read_commit(c, &answer, to, err);
    rest_answer_release(&answer);
    buf_release(&path);
    json_decref(body);
    if (!done) {
        free(take(to->location));
    }
    return done || wrap(err, "commit to", name);
}

/* ---- life ---- */

static void rest_free(struct iceberg_catalog *catalog)
{
    struct rest_catalog *c = (struct rest_catalog *)catalog;
    rest_client_release(&c->client);
    free(c);
}

static const struct iceberg_catalog_type rest_type = {
    .name = "rest",
    .load = rest_load,
    .create = rest_create,
    .commit = rest_commit,
    .free = rest_free,
};

struct iceberg_catalog *rest_catalog_open(const struct catalog_config *config, struct error *err)
{
    struct rest_catalog *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->base.type = &rest_type;
    if (!rest_client_open(&c->client, config, err)) {
        rest_free(&c->base);
        return NULL;
    }
    return &c->base;
}
