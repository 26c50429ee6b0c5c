/* Typed access to the fields of a manifest's records, by field id. Sticky: read all, then look once
 * at `failed`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "format/avro.h"

struct manifest_fields {
    const struct avro_value *record;
    struct arena *arena; /* where texts and bytes go */
    struct error *err;   /* ERROR_DATA, naming the first field that is not as it must be */
    bool failed;
};

/* As what is absent: its absence is a failure. */
#define MANIFEST_REQUIRED INT64_MIN

int64_t manifest_integer(struct manifest_fields *f, int32_t id, const char *name, int64_t absent);

/* An integer from 0 to max. */
int64_t manifest_natural(struct manifest_fields *f, int32_t id, const char *name, int64_t max,
                         int64_t absent);

bool manifest_boolean(struct manifest_fields *f, int32_t id, const char *name, bool absent);

/* NULL, or data NULL, where there is none. Bytes are NUL-terminated all the same. */
const char *manifest_text(struct manifest_fields *f, int32_t id, const char *name);
const char *manifest_required_text(struct manifest_fields *f, int32_t id, const char *name);
struct str manifest_bytes(struct manifest_fields *f, int32_t id, const char *name);

/* An array, or NULL. */
const struct avro_value *manifest_array(struct manifest_fields *f, int32_t id, const char *name);

/* The record of a field, whose absence is a failure. */
struct manifest_fields manifest_record(struct manifest_fields *f, int32_t id, const char *name);
