#include <stdlib.h>

#include "base/clock.h"
#include "iceberg/member.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"

enum { PARTITION_ID_BEFORE_FIRST = 999 };

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        abort(); /* names and texts are UTF-8 */
    }
}

/* A list of one. */
static json_t *list_of(json_t *item)
{
    json_t *list = json_array();
    (void)json_array_append_new(list, item);
    return list;
}

json_t *iceberg_spec_make(const struct iceberg_spec *spec)
{
    json_t *object = json_object();
    json_t *fields = json_array();
    for (uint32_t i = 0; spec && i < spec->field_count; i++) {
        owned(buf_release) struct buf transform = {0};
        json_t *field = json_object();
        lake_transform_format(spec->fields[i].transform, &transform);
        set(field, "source-id", json_integer(spec->fields[i].source_id));
        set(field, "field-id", json_integer(spec->fields[i].field_id));
        set(field, "name", json_string(spec->fields[i].name));
        set(field, "transform", json_string(buf_text(&transform)));
        (void)json_array_append_new(fields, field);
    }
    set(object, "spec-id", json_integer(spec ? spec->id : 0));
    set(object, "fields", fields);
    return object;
}

static int32_t last_partition_id(const struct iceberg_spec *spec)
{
    int32_t last = PARTITION_ID_BEFORE_FIRST;
    for (uint32_t i = 0; spec && i < spec->field_count; i++) {
        last = spec->fields[i].field_id > last ? spec->fields[i].field_id : last;
    }
    return last;
}

static json_t *unsorted(void)
{
    json_t *order = json_object();
    set(order, "order-id", json_integer(0));
    set(order, "fields", json_array());
    return order;
}

json_t *iceberg_metadata_make(const struct iceberg_create *create)
{
    char uuid[UUID_TEXT_SIZE];
    random_uuid(uuid);
    json_t *m = json_object();
    json_int_t schema_id = json_integer_value(json_object_get(create->schema, "schema-id"));
    set(m, "format-version", json_integer(2));
    set(m, "table-uuid", json_string(uuid));
    set(m, "location", json_string(create->location));
    set(m, "last-sequence-number", json_integer(0));
    set(m, "last-updated-ms", json_integer(clock_wall_us() / 1000));
    set(m, "last-column-id", json_integer(iceberg_schema_highest_id(create->schema)));
    set(m, "schemas", list_of(json_deep_copy(create->schema)));
    set(m, "current-schema-id", json_integer(schema_id));
    set(m, "partition-specs", list_of(iceberg_spec_make(create->spec)));
    set(m, "default-spec-id", json_integer(create->spec ? create->spec->id : 0));
    set(m, "last-partition-id", json_integer(last_partition_id(create->spec)));
    set(m, "sort-orders", list_of(unsorted()));
    set(m, "default-sort-order-id", json_integer(0));
    set(m, "properties", create->properties ? json_deep_copy(create->properties) : json_object());
    set(m, "current-snapshot-id", json_integer(-1));
    set(m, "refs", json_object());
    set(m, "snapshots", json_array());
    set(m, "statistics", json_array());
    set(m, "partition-statistics", json_array());
    set(m, "snapshot-log", json_array());
    set(m, "metadata-log", json_array());
    return m;
}
