#include "delta/mapping.h"

#include <stdlib.h>

static const char *mode_of(const struct delta_metadata *m)
{
    const char *mode = pairs_get(&m->configuration, "delta.columnMapping.mode");
    return mode ? mode : "none";
}

bool delta_mapping_is_on(const struct delta_metadata *m)
{
    return strcmp(mode_of(m), "none") != 0;
}

static bool read_column(const json_t *field, struct schema *schema, uint32_t i, const char **name,
                        int32_t *id, struct error *err)
{
    const json_t *metadata = json_object_get(field, "metadata");
    int64_t number = -1;
    if (!field_string(metadata, "delta.columnMapping.physicalName", &schema->arena, name, err) ||
        !field_int64(metadata, "delta.columnMapping.id", &number, NULL, err)) {
        return error_wrap(err, "column \"%s\"", schema->columns[i].name);
    }
    if (!*name || number < 0 || number > INT32_MAX) {
        return error_set(err, ERROR_DATA,
                         "column \"%s\" has no %s, though the table maps its columns",
                         schema->columns[i].name,
                         *name ? "delta.columnMapping.id" : "delta.columnMapping.physicalName");
    }
    *id = (int32_t)number;
    return true;
}

bool delta_mapping_read(const struct delta_metadata *m, struct schema *schema,
                        struct delta_mapping *out, struct error *err)
{
    const char *mode = mode_of(m);
    bool by_id = strcmp(mode, "id") == 0;
    size_t count = schema->column_count;
    const char **names = arena_array(&schema->arena, count + 1, sizeof(*names));
    int32_t *ids = arena_array(&schema->arena, count + 1, sizeof(*ids));
    *out = (struct delta_mapping){.names = names, .ids = by_id ? ids : NULL};
    for (uint32_t i = 0; i < count; i++) {
        names[i] = schema->columns[i].name;
    }
    if (!delta_mapping_is_on(m)) {
        return true;
    }
    if (!by_id && strcmp(mode, "name") != 0) {
        return error_set(err, ERROR_CONFIG,
                         "the table maps its columns in a way that is not supported "
                         "(delta.columnMapping.mode = %s)",
                         mode);
    }
    owned(json_free) json_t *root = field_parse(str_from(m->schema), err);
    const json_t *fields = json_object_get(root, "fields");
    for (uint32_t i = 0; root && i < count; i++) {
        names[i] = NULL;
        if (!read_column(json_array_get(fields, i), schema, i, &names[i], &ids[i], err)) {
            return false;
        }
    }
    out->numbers = ids;
    return root != NULL;
}

int delta_mapping_find(const struct delta_mapping *m, const struct schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (strcmp(m->names[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}
