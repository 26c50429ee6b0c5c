#include "iceberg/metadata_log.h"

#include <stdlib.h>

#include "base/map.h"
#include "iceberg/member.h"

enum { PREVIOUS_VERSIONS_DEFAULT = 100 };

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        abort(); /* keys and texts are UTF-8 */
    }
}

static int64_t snapshot_of(const json_t *entry)
{
    const json_t *id = json_object_get(entry, "snapshot-id");
    return json_is_integer(id) ? json_integer_value(id) : -1;
}

static void append(json_t *list, int64_t time_ms, const char *key, json_t *value)
{
    json_t *entry = json_object();
    set(entry, "timestamp-ms", json_integer(time_ms));
    set(entry, key, value);
    (void)json_array_append_new(list, entry);
}

static void index_snapshots(const json_t *json, struct map *ids)
{
    json_t *snapshots = json_object_get(json, "snapshots");
    for (size_t i = 0; i < json_array_size(snapshots); i++) {
        int64_t id = snapshot_of(json_array_get(snapshots, i));
        (void)map_put(ids, (struct str){(const char *)&id, sizeof(id)}, snapshots);
    }
}

/* The entries after the last one whose snapshot is gone. */
static json_t *entries_without_gap(const json_t *json, const json_t *log)
{
    struct map ids = {0};
    index_snapshots(json, &ids);
    json_t *kept = json_array();
    for (size_t i = 0; i < json_array_size(log); i++) {
        json_t *entry = json_array_get(log, i);
        int64_t id = snapshot_of(entry);
        if (map_get(&ids, (struct str){(const char *)&id, sizeof(id)})) {
            (void)json_array_append(kept, entry);
        } else {
            (void)json_array_clear(kept);
        }
    }
    map_release(&ids, NULL);
    return kept;
}

void snapshot_log_update(const struct iceberg_metadata *base, json_t *json, int64_t now_ms,
                         bool removed_snapshots)
{
    const json_t *old = member_get(json, "snapshot-log");
    const json_t *current = member_get(json, "current-snapshot-id");
    int64_t before = base->current ? base->current->id : -1;
    int64_t after = json_is_integer(current) ? json_integer_value(current) : -1;
    if (before == after && !removed_snapshots) {
        return;
    }
    json_t *log = removed_snapshots ? entries_without_gap(json, old)
                  : old             ? json_copy((json_t *)(uintptr_t)old)
                                    : json_array();
    if (before != after) {
        append(log, now_ms, "snapshot-id", json_integer(after));
    }
    set(json, "snapshot-log", log);
}

static size_t previous_versions_max(const json_t *json)
{
    const char *text = json_string_value(json_object_get(json_object_get(json, "properties"),
                                                         "write.metadata.previous-versions-max"));
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : PREVIOUS_VERSIONS_DEFAULT;
    if (text && (end == text || *end != '\0')) {
        value = PREVIOUS_VERSIONS_DEFAULT;
    }
    return value < 1 ? 1 : (size_t)value;
}

json_t *metadata_log_update(const struct iceberg_metadata *base, json_t *json,
                            const char *previous_location)
{
    json_t *dropped = json_array();
    json_t *old = member_get(json, "metadata-log");
    json_t *log = json_array();
    size_t count = json_array_size(old);
    size_t keep = previous_versions_max(json) - (previous_location != NULL);
    size_t first = count > keep ? count - keep : 0;
    for (size_t i = 0; i < count; i++) {
        json_t *entry = json_array_get(old, i);
        json_t *file = json_object_get(entry, "metadata-file");
        if (i >= first) {
            (void)json_array_append(log, entry);
        } else if (json_is_string(file)) {
            (void)json_array_append(dropped, file);
        }
    }
    if (previous_location) {
        append(log, base->last_updated_ms, "metadata-file", json_string(previous_location));
    }
    set(json, "metadata-log", log);
    return dropped;
}
