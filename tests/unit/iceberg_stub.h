#pragma once
#include <stdlib.h>

#include "iceberg/metadata.h"
struct iceberg_metadata *iceberg_metadata_from(json_t *object, struct error *err)
{
    const char *uuid = json_string_value(json_object_get(object, "table-uuid"));
    if (!uuid) {
        (void)error_set(err, ERROR_DATA, "no uuid");
        json_decref(object);
        return NULL;
    }
    struct iceberg_metadata *m = calloc(1, sizeof(*m));
    m->json = object;
    m->uuid = uuid;
    return m;
}
void iceberg_metadata_free(struct iceberg_metadata **m)
{
    if (*m) {
        json_decref((*m)->json);
        free(take(*m));
    }
}
json_t *iceberg_spec_make(const struct iceberg_spec *spec)
{
    (void)spec;
    return json_object();
}
