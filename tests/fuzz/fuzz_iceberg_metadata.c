/* A metadata file: parsed, its schemas turned into the model's and back, moved on by a commit, and
 * parsed again. The same bytes are single values of every type, whose texts must read back. */
#include <stdlib.h>
#include <string.h>

#include "iceberg/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* --- values --- */

static void look_at_value(struct type type, struct str bytes)
{
    struct arena a = {0};
    struct error err = {0};
    const char *text = NULL;
    if (iceberg_value_text(type, bytes, &a, &text, &err)) {
        struct str again = {0};
        const char *text_again = NULL;
        must(iceberg_value_parse(type, text, &a, &again, &err) &&
             iceberg_value_text(type, again, &a, &text_again, &err) &&
             strcmp(text, text_again) == 0);
    }
    arena_release(&a);
}

static void look_at_values(const uint8_t *data, size_t size)
{
    static const size_t sizes[] = {1, 2, 4, 8, 9, 16};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && sizes[i] <= size; i++) {
        struct str bytes = {(const char *)data, sizes[i]};
        for (int kind = TYPE_BOOL; kind <= TYPE_JSON; kind++) {
            struct type type = {.kind = (enum type_kind)kind};
            if (kind == TYPE_DECIMAL) {
                type.precision = (uint8_t)(1 + data[0] % DECIMAL_PRECISION_MAX);
                type.scale = (uint8_t)(data[sizes[i] - 1] % (type.precision + 1));
            }
            look_at_value(type, bytes);
        }
    }
}

/* --- metadata --- */

static void look_at_schema(const struct iceberg_schema *s)
{
    struct arena a = {0};
    struct error err = {0};
    struct schema *model = iceberg_schema_model(s, &err);
    if (model) {
        int32_t *ids = arena_array(&a, s->field_count, sizeof(*ids));
        struct iceberg_schema again;
        for (uint32_t i = 0; i < s->field_count; i++) {
            ids[i] = s->fields[i].id;
        }
        json_t *object = iceberg_schema_make(model, ids, s->id);
        must(iceberg_schema_parse(object, &a, &again, &err));
        must(again.field_count == s->field_count);
        json_decref(object);
    }
    schema_release(model);
    arena_release(&a);
}

static json_t *updates_for(const struct iceberg_metadata *m)
{
    json_int_t id = 1;
    while (iceberg_metadata_snapshot(m, id)) {
        id++;
    }
    json_int_t old = m->snapshot_count > 0 ? m->snapshots[0].id : 0;
    json_t *update =
        json_pack("[{s:s, s:o}, {s:s, s:o}, {s:s, s:{s:I, s:I, s:I, s:s, s:I, s:i}},"
                  " {s:s, s:s, s:s, s:I}, {s:s, s:{s:s}}, {s:s, s:[I]}]",
                  "action", "add-schema", "schema",
                  json_deep_copy(json_array_get(json_object_get(m->json, "schemas"), 0)), "action",
                  "add-spec", "spec", iceberg_spec_make(m->spec), "action", "add-snapshot",
                  "snapshot", "snapshot-id", id, "sequence-number",
                  (json_int_t)m->last_sequence_number + 1, "timestamp-ms", (json_int_t)7,
                  "manifest-list", "x", "first-row-id", (json_int_t)INT64_MAX, "added-rows", 0,
                  "action", "set-snapshot-ref", "ref-name", "main", "type", "branch", "snapshot-id",
                  id, "action", "set-properties", "updates", "write.metadata.previous-versions-max",
                  "3", "action", "remove-snapshots", "snapshot-ids", old);
    must(update != NULL);
    return update;
}

/* What comes out of a commit is parsed by every reader, so by us. */
static void move_on(const struct iceberg_metadata *m)
{
    struct error err = {0};
    json_t *requirements = json_pack("[{s:s, s:s}]", "type", "assert-table-uuid", "uuid", m->uuid);
    json_t *updates = updates_for(m);
    json_t *dropped = NULL;
    must(requirements != NULL);
    json_t *json = iceberg_metadata_apply(m, requirements, updates, "file", &dropped, &err);
    if (json) {
        struct iceberg_metadata *after = iceberg_metadata_from(json, &err);
        must(after && after->current && after->last_sequence_number > m->last_sequence_number &&
             after->last_updated_ms >= m->last_updated_ms);
        iceberg_metadata_free(&after);
    }
    json_decref(dropped);
    json_decref(updates);
    json_decref(requirements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    look_at_values(data, size);
    struct iceberg_metadata *m =
        iceberg_metadata_parse((struct str){(const char *)data, size}, &err);
    if (!m) {
        return 0;
    }
    for (uint32_t i = 0; i < m->schema_count; i++) {
        look_at_schema(&m->schemas[i]);
    }
    if (m->format_version > 1 && m->last_sequence_number >= 0 &&
        m->last_sequence_number < INT64_MAX) {
        move_on(m);
    }
    iceberg_metadata_free(&m);
    return 0;
}
