/* What the updates of a commit make of the metadata. The old object is not changed: its parts are
 * shared with the new one until one of them changes (the lists are copied, not what is in them). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "iceberg/member.h"
#include "iceberg/metadata.h"
#include "iceberg/metadata_log.h"
#include "iceberg/requirement.h"
#include "iceberg/schema.h"

/* The metadata on its way. */
struct change {
    const struct iceberg_metadata *base;
    json_t *json;
    int32_t added_schema; /* last one; -1: none */
    int32_t added_spec;
    int64_t snapshot_time_ms; /* newest added; 0: none */
    bool removed_snapshots;
};

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        abort(); /* keys and texts are UTF-8 */
    }
}

/* A member that may be changed: a shallow copy, or a new one of that kind. Borrowed. */
static json_t *own(struct change *c, const char *key, json_t *(*make)(void))
{
    json_t *old = member_get(c->json, key);
    json_t *copy = old ? json_copy(old) : make();
    set(c->json, key, copy);
    return copy;
}

static void raise_to(struct change *c, const char *key, int64_t value)
{
    if (value > json_integer_value(json_object_get(c->json, key))) {
        set(c->json, key, json_integer(value));
    }
}

/* An integer of 32 bits that an update must have. */
static bool take_id(const json_t *update, const char *key, int32_t *out, struct error *err)
{
    bool present = false;
    return member_int32(update, key, out, &present, err) && member_require(present, key, err);
}

static bool id_of(const json_t *item, const char *key, int64_t *out)
{
    const json_t *id = json_object_get(item, key);
    *out = json_integer_value(id);
    return json_is_integer(id);
}

/* The item of a list whose member `key` is `id`. */
static const json_t *find(const json_t *list, const char *key, int64_t id)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t other = 0;
        if (id_of(json_array_get(list, i), key, &other) && other == id) {
            return json_array_get(list, i);
        }
    }
    return NULL;
}

/* --- schemas and specs: a new one that equals an old one is the old one --- */

static bool same_member(const json_t *a, const json_t *b, const char *key)
{
    const json_t *x = member_get(a, key);
    const json_t *y = member_get(b, key);
    return x && y ? json_equal(x, y)
                  : json_array_size(x) == 0 && json_array_size(y) == 0; /* absent or empty */
}

/* The id of the item that is now in the list: that of an equal one, or the next free one, which the
 * new item gets. */
static int32_t add_unless_equal(json_t *list, const json_t *item, const char *id_key,
                                const char *const *compared)
{
    int64_t next = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *other = json_array_get(list, i);
        int64_t id = json_integer_value(json_object_get(other, id_key));
        bool same = true;
        for (const char *const *key = compared; *key; key++) {
            same &= same_member(other, item, *key);
        }
        if (same) {
            return (int32_t)id;
        }
        next = id >= next ? id + 1 : next;
    }
    json_t *copy = json_deep_copy(item);
    set(copy, id_key, json_integer(next));
    (void)json_array_append_new(list, copy);
    return (int32_t)next;
}

static bool add_schema(struct change *c, const json_t *update, struct error *err)
{
    static const char *const compared[] = {"fields", "identifier-field-ids", NULL};
    const json_t *schema = json_object_get(update, "schema");
    struct arena a = {0};
    struct iceberg_schema parsed;
    bool ok = iceberg_schema_parse(schema, &a, &parsed, err);
    arena_release(&a);
    if (ok) {
        c->added_schema =
            add_unless_equal(own(c, "schemas", json_array), schema, "schema-id", compared);
        raise_to(c, "last-column-id", iceberg_schema_highest_id(schema));
    }
    return ok;
}

static bool set_current_schema(struct change *c, const json_t *update, struct error *err)
{
    int32_t id = 0;
    if (!take_id(update, "schema-id", &id, err)) {
        return false;
    }
    id = id == -1 ? c->added_schema : id;
    if (!find(json_object_get(c->json, "schemas"), "schema-id", id)) {
        return error_set(err, ERROR_FATAL, "there is no schema %d", id);
    }
    set(c->json, "current-schema-id", json_integer(id));
    return true;
}

static bool add_spec(struct change *c, const json_t *update, struct error *err)
{
    static const char *const compared[] = {"fields", NULL};
    const json_t *spec = json_object_get(update, "spec");
    const json_t *fields = NULL;
    if (!member_array(spec, "fields", &fields, err) || !member_require(fields, "fields", err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(fields); i++) {
        int32_t id = 0;
        if (!take_id(json_array_get(fields, i), "field-id", &id, err)) {
            return false;
        }
        raise_to(c, "last-partition-id", id);
    }
    c->added_spec =
        add_unless_equal(own(c, "partition-specs", json_array), spec, "spec-id", compared);
    return true;
}

static bool set_default_spec(struct change *c, const json_t *update, struct error *err)
{
    int32_t id = 0;
    if (!take_id(update, "spec-id", &id, err)) {
        return false;
    }
    id = id == -1 ? c->added_spec : id;
    if (!find(json_object_get(c->json, "partition-specs"), "spec-id", id)) {
        return error_set(err, ERROR_FATAL, "there is no partition spec %d", id);
    }
    set(c->json, "default-spec-id", json_integer(id));
    return true;
}

/* --- snapshots --- */

/* Version 3 numbers rows: a snapshot says where its numbers begin and how many it takes. */
static bool take_row_ids(struct change *c, const json_t *snapshot, struct error *err)
{
    int64_t first = 0;
    int64_t count = 0;
    int64_t next = json_integer_value(json_object_get(c->json, "next-row-id"));
    if (c->base->format_version < 3) {
        return true;
    }
    if (!id_of(snapshot, "first-row-id", &first) || !id_of(snapshot, "added-rows", &count) ||
        count < 0 || first > INT64_MAX - count) {
        return error_set(err, ERROR_FATAL, "a snapshot has no first-row-id and added-rows");
    }
    if (first < next) {
        return error_set(err, ERROR_CONFLICT,
                         "row ids from %" PRId64 " are taken; the next one is %" PRId64, first,
                         next);
    }
    set(c->json, "next-row-id", json_integer(first + count));
    return true;
}

static bool add_snapshot(struct change *c, const json_t *update, struct error *err)
{
    const json_t *snapshot = json_object_get(update, "snapshot");
    int64_t id = 0;
    int64_t sequence = 0;
    int64_t time_ms = 0;
    if (!id_of(snapshot, "snapshot-id", &id) || !id_of(snapshot, "sequence-number", &sequence) ||
        !id_of(snapshot, "timestamp-ms", &time_ms)) {
        return error_set(err, ERROR_FATAL,
                         "a snapshot has no snapshot-id, sequence-number and timestamp-ms");
    }
    int64_t last = json_integer_value(json_object_get(c->json, "last-sequence-number"));
    if (sequence <= last) {
        return error_set(err, ERROR_CONFLICT,
                         "sequence number %" PRId64 " is taken; the last one is %" PRId64, sequence,
                         last);
    }
    json_t *snapshots = own(c, "snapshots", json_array);
    if (find(snapshots, "snapshot-id", id)) {
        return error_set(err, ERROR_FATAL, "snapshot %" PRId64 " exists", id);
    }
    if (!take_row_ids(c, snapshot, err)) {
        return false;
    }
    (void)json_array_append_new(snapshots, json_deep_copy(snapshot));
    set(c->json, "last-sequence-number", json_integer(sequence));
    c->snapshot_time_ms = time_ms > c->snapshot_time_ms ? time_ms : c->snapshot_time_ms;
    return true;
}

static json_t *make_ref(const char *type, int64_t id)
{
    json_t *ref = json_object();
    set(ref, "snapshot-id", json_integer(id));
    set(ref, "type", json_string(type));
    return ref;
}

/* A table that never had refs has main all the same. */
static json_t *own_refs(struct change *c)
{
    json_t *refs = own(c, "refs", json_object);
    if (c->base->current && !json_object_get(refs, "main")) {
        set(refs, "main", make_ref("branch", c->base->current->id));
    }
    return refs;
}

static bool set_snapshot_ref(struct change *c, const json_t *update, struct error *err)
{
    static const char *const optional[] = {"max-ref-age-ms", "max-snapshot-age-ms",
                                           "min-snapshots-to-keep"};
    const char *name = json_string_value(json_object_get(update, "ref-name"));
    const char *type = json_string_value(json_object_get(update, "type"));
    int64_t id = 0;
    if (!name || !type || !id_of(update, "snapshot-id", &id)) {
        return error_set(err, ERROR_FATAL, "it has no ref-name, type and snapshot-id");
    }
    if (strcmp(type, "branch") != 0 && (strcmp(type, "tag") != 0 || strcmp(name, "main") == 0)) {
        return error_set(err, ERROR_FATAL, "%s cannot be a %s", name, type);
    }
    if (!find(json_object_get(c->json, "snapshots"), "snapshot-id", id)) {
        return error_set(err, ERROR_FATAL, "there is no snapshot %" PRId64, id);
    }
    json_t *ref = make_ref(type, id);
    for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
        json_t *value = member_get(update, optional[i]);
        if (value) {
            set(ref, optional[i], json_incref(value));
        }
    }
    set(own_refs(c), name, ref);
    if (strcmp(name, "main") == 0) {
        set(c->json, "current-snapshot-id", json_integer(id));
    }
    return true;
}

static struct str id_key(const int64_t *id)
{
    return (struct str){.data = (const char *)id, .size = sizeof(*id)};
}

static void free_ids(struct map *m)
{
    map_release(m, NULL);
}

/* Leaves out the items of a list whose snapshot is among the removed. */
static void filter(struct change *c, const char *key, const struct map *removed)
{
    const json_t *list = member_get(c->json, key);
    if (!list) {
        return;
    }
    json_t *kept = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        int64_t id = 0;
        if (!id_of(item, "snapshot-id", &id) || !map_get(removed, id_key(&id))) {
            (void)json_array_append(kept, item);
        }
    }
    set(c->json, key, kept);
}

/* What a branch or tag points to stays: whoever set it relies on that. */
static bool check_not_referenced(struct change *c, const struct map *removed, struct error *err)
{
    json_t *refs = own_refs(c);
    const char *name = NULL;
    json_t *ref = NULL;
    json_object_foreach(refs, name, ref)
    {
        int64_t id = 0;
        if (id_of(ref, "snapshot-id", &id) && map_get(removed, id_key(&id))) {
            return error_set(err, ERROR_FATAL, "snapshot %" PRId64 " is what \"%s\" points to", id,
                             name);
        }
    }
    return true;
}

static bool remove_snapshots(struct change *c, const json_t *update, struct error *err)
{
    const json_t *ids = NULL;
    owned(free_ids) struct map removed = {0};
    if (!member_array(update, "snapshot-ids", &ids, err) ||
        !member_require(ids, "snapshot-ids", err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        int64_t id = json_integer_value(json_array_get(ids, i));
        (void)map_put(&removed, id_key(&id), c);
    }
    if (!check_not_referenced(c, &removed, err)) {
        return false;
    }
    filter(c, "snapshots", &removed);
    filter(c, "statistics", &removed);
    filter(c, "partition-statistics", &removed);
    c->removed_snapshots = true;
    return true;
}

/* --- properties --- */

static bool set_properties(struct change *c, const json_t *update, struct error *err)
{
    json_t *updates = member_get(update, "updates");
    json_t *properties = own(c, "properties", json_object);
    const char *key = NULL;
    json_t *value = NULL;
    if (!json_is_object(updates)) {
        return error_set(err, ERROR_FATAL, "it has no updates");
    }
    json_object_foreach(updates, key, value)
    {
        if (!json_is_string(value)) {
            return error_set(err, ERROR_FATAL, "property \"%s\" is not a string", key);
        }
        set(properties, key, json_incref(value));
    }
    return true;
}

static bool remove_properties(struct change *c, const json_t *update, struct error *err)
{
    const json_t *removals = NULL;
    json_t *properties = own(c, "properties", json_object);
    if (!member_array(update, "removals", &removals, err) ||
        !member_require(removals, "removals", err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(removals); i++) {
        const char *key = json_string_value(json_array_get(removals, i));
        if (key) {
            (void)json_object_del(properties, key); /* absent is fine */
        }
    }
    return true;
}

/* --- all --- */

static const struct {
    const char *action;
    bool (*apply)(struct change *c, const json_t *update, struct error *err);
} actions[] = {
    {"add-schema", add_schema},
    {"set-current-schema", set_current_schema},
    {"add-spec", add_spec},
    {"set-default-spec", set_default_spec},
    {"add-snapshot", add_snapshot},
    {"set-snapshot-ref", set_snapshot_ref},
    {"remove-snapshots", remove_snapshots},
    {"set-properties", set_properties},
    {"remove-properties", remove_properties},
};
enum { ACTION_COUNT = sizeof(actions) / sizeof(actions[0]) };

static bool apply(struct change *c, const json_t *update, struct error *err)
{
    const char *action = json_string_value(json_object_get(update, "action"));
    for (size_t i = 0; action && i < ACTION_COUNT; i++) {
        if (strcmp(action, actions[i].action) != 0) {
            continue;
        }
        if (actions[i].apply(c, update, err)) {
            return true;
        }
        if (err->kind != ERROR_CONFLICT) {
            (void)error_recast(err, ERROR_FATAL); /* not the table is wrong, but the update */
        }
        return error_wrap(err, "update %s", action);
    }
    return error_set(err, ERROR_FATAL, "update \"%s\" is not supported", action ? action : "");
}

static bool apply_all(struct change *c, const json_t *updates, struct error *err)
{
    for (size_t i = 0; i < json_array_size(updates); i++) {
        if (!apply(c, json_array_get(updates, i), err)) {
            return false;
        }
    }
    return true;
}

/* Never before what is already there, so that times in the logs ascend. */
static int64_t updated_ms(const struct change *c)
{
    int64_t now = c->snapshot_time_ms > 0 ? c->snapshot_time_ms : clock_wall_us() / 1000;
    return now > c->base->last_updated_ms ? now : c->base->last_updated_ms;
}

json_t *iceberg_metadata_apply(const struct iceberg_metadata *m, const json_t *requirements,
                               const json_t *updates, const char *previous_location,
                               json_t **dropped, struct error *err)
{
    if (dropped) {
        *dropped = NULL;
    }
    if (m->format_version < 2) {
        (void)error_set(err, ERROR_CONFIG,
                        "the table has format version 1, which is read but not written; upgrade it "
                        "to version 2 with the engine that made it");
        return NULL;
    }
    if (!iceberg_requirements_check(m, requirements, err)) {
        return NULL;
    }
    owned(member_free) json_t *json = json_copy(m->json);
    struct change c = {.base = m, .json = json, .added_schema = -1, .added_spec = -1};
    if (!apply_all(&c, updates, err)) {
        return NULL;
    }
    int64_t now_ms = updated_ms(&c);
    set(json, "last-updated-ms", json_integer(now_ms));
    (void)json_object_del(json, "schema"); /* version 1 had these; others may have left them */
    (void)json_object_del(json, "partition-spec");
    snapshot_log_update(m, json, now_ms, c.removed_snapshots);
    json_t *fell_out = metadata_log_update(m, json, previous_location);
    if (dropped) {
        *dropped = fell_out;
    } else {
        json_decref(fell_out);
    }
    return take(json);
}
