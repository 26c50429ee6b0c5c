/* A catalog that is nothing but directories: the newest file v<N>.metadata.json of a table is its
 * state, and making v<N+1> where there is none is the commit.
 *
 * Old files are removed, so a writer that slept long enough may find v<N+1> free again. But the
 * newest file is never removed: whoever made v<N+1> and sees no later one was the first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/location.h"
#include "catalog/metadata_file.h"
#include "iceberg/member.h"
#include "store/store.h"

struct filesystem_catalog {
    struct iceberg_catalog base;
    char *warehouse; /* owned; URI. NULL: a catalog of one table */
    char *table;     /* owned; URI of that table's directory */
    char *file;      /* owned; URI of the one metadata file that it is to be read from, or NULL */
};

/* A table that is being looked at. */
struct place {
    struct store *store;
    char *location; /* URI, in the arena */
};

static const size_t size_max = (size_t)256 << 20;

static bool open_place(const struct filesystem_catalog *c, const struct iceberg_name *name,
                       struct arena *a, struct place *out, struct error *err)
{
    owned(buf_release) struct buf location = {0};
    if (c->table) {
        buf_append_text(&location, c->table);
    } else {
        buf_append_text(&location, c->warehouse);
        if (!location_append_name(name, &location, err)) {
            return false;
        }
    }
    out->location = arena_string(a, buf_text(&location), location.size);
    out->store = store_open(out->location, err);
    return out->store != NULL;
}

static void close_place(struct place *p)
{
    store_free(&p->store);
}

/* --- load --- */

static bool load_file(const struct filesystem_catalog *c, struct buf *data, bool *exists,
                      struct arena *a, const char **location, struct error *err)
{
    const char *slash = strrchr(c->file, '/');
    owned(buf_release) struct buf directory = {0};
    buf_append(&directory, c->file, (size_t)(slash - c->file));
    owned(store_free) struct store *s = store_open(buf_text(&directory), err);
    if (!s) {
        return false;
    }
    struct error failure = {0};
    *location = arena_string(a, c->file, strlen(c->file));
    *exists = store_get(s, slash + 1, size_max, data, &failure);
    if (!*exists && failure.kind != ERROR_CONFLICT) {
        *err = failure;
        return false;
    }
    return true;
}

static bool load_newest(const struct filesystem_catalog *c, const struct iceberg_name *name,
                        struct buf *data, bool *exists, struct arena *a, const char **location,
                        struct error *err)
{
    owned(close_place) struct place place = {0};
    struct metadata_file file;
    if (!open_place(c, name, a, &place, err) ||
        !metadata_file_newest(place.store, a, &file, data, err)) {
        return false;
    }
    *exists = file.name != NULL;
    if (file.name) {
        *location = arena_format(a, "%s/metadata/%s", place.location, file.name);
    }
    return true;
}

static bool filesystem_load(struct iceberg_catalog *base, const struct iceberg_name *name,
                            struct iceberg_metadata **out, struct arena *a,
                            const char **metadata_location, struct error *err)
{
    const struct filesystem_catalog *c = (const struct filesystem_catalog *)base;
    owned(buf_release) struct buf data = {0};
    bool exists = false;
    *out = NULL;
    if (!(c->file ? load_file(c, &data, &exists, a, metadata_location, err)
                  : load_newest(c, name, &data, &exists, a, metadata_location, err))) {
        return false;
    }
    if (!exists) {
        return true;
    }
    *out = iceberg_metadata_parse(buf_str(&data), err);
    return *out || error_wrap(err, "\"%s\"", *metadata_location);
}

/* --- create --- */

static bool put_metadata(const struct place *place, int64_t number,
                         const struct iceberg_metadata *metadata, struct error *err)
{
    struct arena a = {0};
    char *text = json_dumps(metadata->json, JSON_COMPACT);
    if (!text) {
        abort();
    }
    bool ok = store_put_if_absent(place->store, metadata_file_key(number, &a), str_from(text), err);
    free(text);
    arena_release(&a);
    return ok;
}

/* Later files are either built on v<number>, or on another one that was removed before it was made.
 * Where the next one has been removed too, it goes in both cases, so that nobody takes it for the
 * newest. */
static void remove_if_passed(const struct place *place, int64_t number)
{
    struct arena a = {0};
    struct error ignored = {0};
    bool has_next = true;
    if (metadata_file_exists(place->store, number + 1, &has_next, &ignored) && !has_next) {
        (void)!store_remove(place->store, metadata_file_key(number, &a), &ignored);
    }
    arena_release(&a);
}

static bool check_was_first(const struct place *place, int64_t number, struct error *err)
{
    int64_t highest = 0;
    if (!metadata_file_highest(place->store, &highest, err)) {
        return error_recast(err, ERROR_UNKNOWN);
    }
    if (highest == number) {
        return true;
    }
    if (highest > number) {
        remove_if_passed(place, number);
    }
    return error_set(err, ERROR_UNKNOWN,
                     "v%" PRId64 " was made, but the newest is v%" PRId64
                     ": others were at work meanwhile",
                     number, highest);
}

/* Makes v<number>; `metadata` is parsed, so that nothing is written that cannot be read. */
static bool make_version(const struct place *place, int64_t number,
                         const struct iceberg_metadata *metadata, struct error *err)
{
    return put_metadata(place, number, metadata, err) && check_was_first(place, number, err);
}

/* Readers find the newest file without it, only slower. */
static void hint(const struct place *place, int64_t number)
{
    struct error ignored = {0};
    (void)!metadata_file_write_hint(place->store, number, &ignored);
}

static bool refuse_file(const struct filesystem_catalog *c, struct error *err)
{
    return error_set(err, ERROR_CONFIG,
                     "\"%s\" is one state of a table, which can only be read; name the table's "
                     "directory",
                     c->file);
}

static bool check_location(const char *wanted, const char *location, struct error *err)
{
    owned(buf_release) struct buf resolved = {0};
    if (!wanted) {
        return true;
    }
    if (!location_resolve(wanted, &resolved, err)) {
        return false;
    }
    return strcmp(buf_text(&resolved), location) == 0 ||
           error_set(err, ERROR_CONFIG,
                     "a table of a filesystem catalog lies at \"%s\", it cannot be at \"%s\"",
                     location, wanted);
}

static bool create_at(const struct place *place, const struct iceberg_create *create,
                      struct iceberg_metadata **out, struct error *err)
{
    struct iceberg_create with_location = *create;
    with_location.location = place->location;
    owned(iceberg_metadata_free) struct iceberg_metadata *m =
        iceberg_metadata_from(iceberg_metadata_make(&with_location), err);
    if (!m || !make_version(place, 1, m, err)) {
        return false;
    }
    hint(place, 1);
    *out = take(m);
    return true;
}

static bool filesystem_create(struct iceberg_catalog *base, const struct iceberg_name *name,
                              const struct iceberg_create *create, struct iceberg_metadata **out,
                              struct error *err)
{
    const struct filesystem_catalog *c = (const struct filesystem_catalog *)base;
    owned(arena_release) struct arena a = {0};
    owned(close_place) struct place place = {0};
    owned(buf_release) struct buf data = {0};
    struct metadata_file newest;
    *out = NULL;
    if (c->file) {
        return refuse_file(c, err);
    }
    /* v1 may have been removed since: that it is free says nothing. */
    if (!open_place(c, name, &a, &place, err) ||
        !check_location(create->location, place.location, err) ||
        !metadata_file_newest(place.store, &a, &newest, &data, err)) {
        return false;
    }
    if (newest.name) {
        return error_set(err, ERROR_CONFLICT, "the table \"%s\" exists", place.location);
    }
    return create_at(&place, create, out, err) || error_wrap(err, "\"%s\"", place.location);
}

/* --- commit --- */

/* The number of the file that a commit is based on. Tables whose files are named otherwise have
 * their pointer in another catalog, which would not see the commit. */
static bool base_number(const struct place *place, const char *base_location, int64_t *out,
                        struct error *err)
{
    const char *slash = strrchr(base_location, '/');
    const char *name = slash ? slash + 1 : base_location;
    struct metadata_file file;
    if (!metadata_file_parse(name, &file)) {
        return error_set(err, ERROR_FATAL, "\"%s\" is not a metadata file", base_location);
    }
    if (!file.is_versioned) {
        return error_set(err, ERROR_CONFIG,
                         "\"%s\" belongs to a table of another catalog; write through that",
                         base_location);
    }
    size_t directory = strlen(place->location);
    if (strncmp(base_location, place->location, directory) != 0 ||
        strncmp(base_location + directory, "/metadata/", 10) != 0) {
        return error_set(err, ERROR_FATAL, "\"%s\" is not a file of the table \"%s\"",
                         base_location, place->location);
    }
    *out = file.number;
    return true;
}

static bool check_is_newest(const struct place *place, int64_t number, struct error *err)
{
    int64_t highest = 0;
    if (!metadata_file_highest(place->store, &highest, err)) {
        return false;
    }
    return highest == number ||
           error_set(err, ERROR_CONFLICT, "the newest metadata is v%" PRId64 ", not v%" PRId64,
                     highest, number);
}

/* Only files of this table. What cannot be removed stays. */
static void remove_dropped(const struct place *place, const struct iceberg_metadata *m,
                           const json_t *dropped)
{
    const char *wanted = iceberg_metadata_property(m, "write.metadata.delete-after-commit.enabled");
    size_t directory = strlen(place->location);
    struct error ignored = {0};
    if (!wanted || strcmp(wanted, "true") != 0) {
        return;
    }
    for (size_t i = 0; i < json_array_size(dropped); i++) {
        const char *file = json_string_value(json_array_get(dropped, i));
        struct metadata_file parsed;
        if (strncmp(file, place->location, directory) != 0 ||
            strncmp(file + directory, "/metadata/", 10) != 0 ||
            !metadata_file_parse(file + directory + 10, &parsed)) {
            continue;
        }
        (void)!store_remove(place->store, file + directory + 1, &ignored);
    }
}

static bool filesystem_commit(struct iceberg_catalog *base, const struct iceberg_name *name,
                              const struct iceberg_move *move, struct iceberg_state *to,
                              struct error *err)
{
    const struct filesystem_catalog *c = (const struct filesystem_catalog *)base;
    owned(arena_release) struct arena a = {0};
    owned(close_place) struct place place = {0};
    owned(member_free) json_t *dropped = NULL;
    int64_t number = 0;
    *to = (struct iceberg_state){0};
    if (c->file) {
        return refuse_file(c, err);
    }
    if (!open_place(c, name, &a, &place, err) ||
        !base_number(&place, move->from_location, &number, err) ||
        !check_is_newest(&place, number, err)) {
        return false;
    }
    json_t *json = iceberg_metadata_apply(move->from, move->requirements, move->updates,
                                          move->from_location, &dropped, err);
    if (!json) {
        return false;
    }
    owned(iceberg_metadata_free) struct iceberg_metadata *next = iceberg_metadata_from(json, err);
    if (!next) {
        return error_recast(err, ERROR_FATAL); /* the updates made it wrong */
    }
    if (!make_version(&place, number + 1, next, err)) {
        return false;
    }
    hint(&place, number + 1);
    remove_dropped(&place, next, dropped);
    to->location =
        strdup(arena_format(&a, "%s/%s", place.location, metadata_file_key(number + 1, &a)));
    to->metadata = take(next);
    return true;
}

/* --- open --- */

static void filesystem_free(struct iceberg_catalog *base)
{
    struct filesystem_catalog *c = (struct filesystem_catalog *)base;
    free(c->warehouse);
    free(c->table);
    free(c->file);
    free(c);
}

static const struct iceberg_catalog_type filesystem_type = {
    .name = "filesystem",
    .load = filesystem_load,
    .create = filesystem_create,
    .commit = filesystem_commit,
    .free = filesystem_free,
};

/* As the other, of one table wherever it lies now. */
static const struct iceberg_catalog_type location_type = {
    .name = "location",
    .is_location = true,
    .load = filesystem_load,
    .create = filesystem_create,
    .commit = filesystem_commit,
    .free = filesystem_free,
};

static struct filesystem_catalog *catalog_new(const struct iceberg_catalog_type *type)
{
    struct filesystem_catalog *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->base.type = type;
    return c;
}

/* A URI that there is a store for; owned by the caller. */
static char *resolve(const char *location, struct error *err)
{
    struct buf resolved = {0};
    if (!location_resolve(location, &resolved, err)) {
        buf_release(&resolved);
        return NULL;
    }
    struct store *s = store_open(buf_text(&resolved), err);
    if (!s) {
        buf_release(&resolved);
        return NULL;
    }
    store_free(&s);
    return resolved.data;
}

struct iceberg_catalog *catalog_open_filesystem(const char *warehouse, struct error *err)
{
    char *uri = resolve(warehouse, err);
    if (!uri) {
        (void)error_wrap(err, "warehouse");
        return NULL;
    }
    struct filesystem_catalog *c = catalog_new(&filesystem_type);
    c->warehouse = uri;
    return &c->base;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t size = strlen(text);
    size_t end = strlen(suffix);
    return size > end && strcmp(text + size - end, suffix) == 0;
}

struct iceberg_catalog *catalog_open_location(const char *location, struct error *err)
{
    bool is_file =
        ends_with(location, ".metadata.json") || ends_with(location, ".metadata.json.gz");
    char *uri = resolve(location, err);
    if (!uri) {
        return NULL;
    }
    struct filesystem_catalog *c = catalog_new(&location_type);
    if (is_file) {
        c->file = uri;
    } else {
        c->table = uri;
    }
    return &c->base;
}
