#include "iceberg/metadata.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "iceberg/member.h"
#include "iceberg/schema.h"

enum { FORMAT_VERSION_MAX = 3, PARTITION_ID_BEFORE_FIRST = 999 };
static const size_t size_max = (size_t)256 << 20;

/* --- schemas --- */

static bool parse_schemas(struct iceberg_metadata *m, struct error *err)
{
    const json_t *schemas = NULL;
    int32_t current = 0;
    bool has_current = false;
    if (!member_array(m->json, "schemas", &schemas, err) ||
        !member_int32(m->json, "current-schema-id", &current, &has_current, err)) {
        return false;
    }
    const json_t *single = member_get(m->json, "schema"); /* how version 1 had it */
    if (m->format_version > 1 || !single || (schemas && has_current)) {
        if (!member_require(schemas, "schemas", err) ||
            !member_require(has_current, "current-schema-id", err)) {
            return false;
        }
        single = NULL;
    }
    size_t count = single ? 1 : json_array_size(schemas);
    m->schemas = arena_array(&m->arena, count, sizeof(*m->schemas));
    for (size_t i = 0; i < count; i++) {
        if (!iceberg_schema_parse(single ? single : json_array_get(schemas, i), &m->arena,
                                  &m->schemas[i], err)) {
            return false;
        }
        m->schema_count++;
    }
    m->schema = single ? m->schemas : iceberg_metadata_schema(m, current);
    return m->schema ||
           error_set(err, ERROR_DATA, "there is no schema %d, the current one", current);
}

/* --- partition specs --- */

/* The type of a column, current or dropped, wherever it lies. A column of no schema has no value in
 * any file that is read. */
static struct type source_type(const struct iceberg_metadata *m, int32_t id)
{
    struct type type = {.kind = TYPE_STRING};
    for (uint32_t i = 0; i < m->schema->field_count; i++) {
        if (m->schema->fields[i].id == id) {
            return m->schema->fields[i].type;
        }
    }
    const json_t *schemas = json_object_get(m->json, "schemas");
    const json_t *found = iceberg_schema_find(json_object_get(m->json, "schema"), id);
    for (size_t i = json_array_size(schemas); i > 0 && !found; i--) {
        found = iceberg_schema_find(json_array_get(schemas, i - 1), id);
    }
    if (json_is_string(found)) {
        (void)iceberg_type_parse(json_string_value(found), &type);
    }
    return type;
}

/* A transform over several columns has "source-ids"; there is none that this version knows. */
static bool parse_source(const json_t *object, struct iceberg_spec_field *out, struct error *err)
{
    bool has_source = false;
    if (!member_int32(object, "source-id", &out->source_id, &has_source, err)) {
        return false;
    }
    const json_t *sources = json_object_get(object, "source-ids");
    if (!has_source && json_array_size(sources) > 0) {
        out->transform.kind = LAKE_UNKNOWN;
        const json_t *first = json_array_get(sources, 0);
        int64_t id = json_integer_value(first);
        out->source_id = id > 0 && id <= INT32_MAX ? (int32_t)id : 0;
        has_source = true;
    }
    return member_require(has_source, "source-id", err);
}

/* `position` in the spec: version 1 numbers fields by it when they have no ids. */
static bool parse_spec_field(struct iceberg_metadata *m, const json_t *object, uint32_t position,
                             struct iceberg_spec_field *out, struct error *err)
{
    const char *transform = NULL;
    bool has_id = false;
    *out =
        (struct iceberg_spec_field){.field_id = PARTITION_ID_BEFORE_FIRST + 1 + (int32_t)position};
    if (!member_text(object, "name", &m->arena, &out->name, err) ||
        !member_require(out->name, "name", err) ||
        !member_int32(object, "field-id", &out->field_id, &has_id, err) ||
        !member_require(has_id || m->format_version == 1, "field-id", err) ||
        !member_text(object, "transform", &m->arena, &transform, err) ||
        !member_require(transform, "transform", err)) {
        return false;
    }
    out->transform = lake_transform_parse(transform);
    if (!parse_source(object, out, err)) {
        return false;
    }
    /* Where there is no result (truncated binary, an unknown transform) the values in manifests are
     * most likely of the column's type. */
    struct type source = source_type(m, out->source_id);
    if (!lake_transform_result(out->transform, source, &out->result)) {
        out->result = source;
    }
    return true;
}

static bool parse_spec(struct iceberg_metadata *m, const json_t *fields, int32_t id,
                       struct iceberg_spec *out, struct error *err)
{
    size_t count = json_array_size(fields);
    *out = (struct iceberg_spec){.id = id};
    out->fields = arena_array(&m->arena, count, sizeof(*out->fields));
    for (size_t i = 0; i < count; i++) {
        if (!parse_spec_field(m, json_array_get(fields, i), (uint32_t)i, &out->fields[i], err)) {
            return error_wrap(err, "partition spec %d", id);
        }
        out->field_count++;
    }
    return true;
}

static bool parse_spec_object(struct iceberg_metadata *m, const json_t *object,
                              struct iceberg_spec *out, struct error *err)
{
    const json_t *fields = NULL;
    int32_t id = 0;
    bool has_id = false;
    return member_int32(object, "spec-id", &id, &has_id, err) &&
           member_require(has_id, "spec-id", err) && member_array(object, "fields", &fields, err) &&
           member_require(fields, "fields", err) && parse_spec(m, fields, id, out, err);
}

static bool parse_specs(struct iceberg_metadata *m, struct error *err)
{
    const json_t *specs = NULL;
    const json_t *single = NULL; /* how version 1 had it: the fields */
    int32_t current = 0;
    bool has_current = false;
    if (!member_array(m->json, "partition-specs", &specs, err) ||
        !member_array(m->json, "partition-spec", &single, err) ||
        !member_int32(m->json, "default-spec-id", &current, &has_current, err)) {
        return false;
    }
    if (m->format_version > 1 && (!member_require(specs, "partition-specs", err) ||
                                  !member_require(has_current, "default-spec-id", err))) {
        return false;
    }
    size_t count = specs ? json_array_size(specs) : 1;
    m->specs = arena_array(&m->arena, count, sizeof(*m->specs));
    for (size_t i = 0; i < count; i++) {
        if (!(specs ? parse_spec_object(m, json_array_get(specs, i), &m->specs[i], err)
                    : parse_spec(m, single, 0, &m->specs[i], err))) {
            return false;
        }
        m->spec_count++;
    }
    m->spec = iceberg_metadata_spec(m, current);
    return m->spec ||
           error_set(err, ERROR_DATA, "there is no partition spec %d, the default one", current);
}

/* --- snapshots --- */

static bool parse_snapshot(struct iceberg_metadata *m, const json_t *object,
                           struct iceberg_snapshot *out, struct error *err)
{
    bool has_id = false;
    bool has_time = false;
    *out = (struct iceberg_snapshot){.parent_id = -1, .schema_id = -1};
    if (!member_int64(object, "snapshot-id", &out->id, &has_id, err) ||
        !member_require(has_id, "snapshot-id", err) ||
        !member_int64(object, "parent-snapshot-id", &out->parent_id, NULL, err) ||
        !member_int64(object, "sequence-number", &out->sequence_number, NULL, err) ||
        !member_int64(object, "timestamp-ms", &out->timestamp_ms, &has_time, err) ||
        !member_require(has_time, "timestamp-ms", err) ||
        !member_int32(object, "schema-id", &out->schema_id, NULL, err) ||
        !member_text(object, "manifest-list", &m->arena, &out->manifest_list, err) ||
        !member_array(object, "manifests", &out->manifests, err) ||
        !member_object(object, "summary", &out->summary, err)) {
        return false;
    }
    out->operation = iceberg_snapshot_summary(out, "operation");
    if (!out->manifest_list && (m->format_version > 1 || !out->manifests)) {
        return member_require(false, "manifest-list", err);
    }
    /* A table that was upgraded keeps snapshots of version 1, which have no number. */
    return out->sequence_number >= 0 ||
           error_set(err, ERROR_DATA, "\"sequence-number\" is negative");
}

static int compare_ids(const void *a, const void *b, void *arg)
{
    const struct iceberg_snapshot *snapshots = arg;
    int64_t x = snapshots[*(const uint32_t *)a].id;
    int64_t y = snapshots[*(const uint32_t *)b].id;
    return x < y ? -1 : x > y;
}

static bool index_snapshots(struct iceberg_metadata *m, struct error *err)
{
    m->snapshots_by_id = arena_array(&m->arena, m->snapshot_count, sizeof(uint32_t));
    for (uint32_t i = 0; i < m->snapshot_count; i++) {
        m->snapshots_by_id[i] = i;
    }
    qsort_r(m->snapshots_by_id, m->snapshot_count, sizeof(uint32_t), compare_ids, m->snapshots);
    for (uint32_t i = 1; i < m->snapshot_count; i++) {
        int64_t id = m->snapshots[m->snapshots_by_id[i]].id;
        if (m->snapshots[m->snapshots_by_id[i - 1]].id == id) {
            return error_set(err, ERROR_DATA, "snapshot %" PRId64 " is there twice", id);
        }
    }
    return true;
}

static bool parse_snapshots(struct iceberg_metadata *m, struct error *err)
{
    const json_t *snapshots = NULL;
    if (!member_array(m->json, "snapshots", &snapshots, err)) {
        return false;
    }
    size_t count = json_array_size(snapshots);
    m->snapshots = arena_array(&m->arena, count, sizeof(*m->snapshots));
    for (size_t i = 0; i < count; i++) {
        if (!parse_snapshot(m, json_array_get(snapshots, i), &m->snapshots[i], err)) {
            return error_wrap(err, "snapshot %zu of the list", i);
        }
        m->snapshot_count++;
    }
    return index_snapshots(m, err);
}

/* The current snapshot and the branch main are the same, said twice; -1 is null. */
static bool parse_current(struct iceberg_metadata *m, struct error *err)
{
    const json_t *refs = NULL;
    const json_t *branch = NULL;
    int64_t current = -1;
    int64_t of_main = -1;
    if (!member_int64(m->json, "current-snapshot-id", &current, NULL, err) ||
        !member_object(m->json, "refs", &refs, err) || !member_object(refs, "main", &branch, err) ||
        !member_int64(branch, "snapshot-id", &of_main, NULL, err)) {
        return false;
    }
    if (branch && of_main != current) {
        return error_set(err, ERROR_DATA,
                         "the current snapshot is %" PRId64 ", but main is at %" PRId64, current,
                         of_main);
    }
    m->current = current == -1 ? NULL : iceberg_metadata_snapshot(m, current);
    return m->current || current == -1 ||
           error_set(err, ERROR_DATA, "there is no snapshot %" PRId64 ", the current one", current);
}

/* --- the whole --- */

static bool parse_version(struct iceberg_metadata *m, struct error *err)
{
    bool has_version = false;
    if (!member_int32(m->json, "format-version", &m->format_version, &has_version, err) ||
        !member_require(has_version, "format-version", err)) {
        return false;
    }
    if (m->format_version > FORMAT_VERSION_MAX) {
        return error_set(err, ERROR_CONFIG,
                         "the table has format version %d; %d is the newest that is supported",
                         m->format_version, FORMAT_VERSION_MAX);
    }
    return m->format_version >= 1 ||
           error_set(err, ERROR_DATA, "there is no format version %d", m->format_version);
}

static bool parse_numbers(struct iceberg_metadata *m, struct error *err)
{
    bool is_first = m->format_version == 1; /* which need not say so much */
    bool has_sequence = is_first;
    bool has_time = false;
    bool has_column = false;
    return member_int64(m->json, "last-sequence-number", &m->last_sequence_number, &has_sequence,
                        err) &&
           member_require(has_sequence, "last-sequence-number", err) &&
           member_int64(m->json, "last-updated-ms", &m->last_updated_ms, &has_time, err) &&
           member_require(has_time, "last-updated-ms", err) &&
           member_int32(m->json, "last-column-id", &m->last_column_id, &has_column, err) &&
           member_require(has_column, "last-column-id", err);
}

/* What may be absent is taken from the specs. */
static bool parse_last_partition_id(struct iceberg_metadata *m, struct error *err)
{
    m->last_partition_id = PARTITION_ID_BEFORE_FIRST;
    for (uint32_t i = 0; i < m->spec_count; i++) {
        for (uint32_t f = 0; f < m->specs[i].field_count; f++) {
            if (m->specs[i].fields[f].field_id > m->last_partition_id) {
                m->last_partition_id = m->specs[i].fields[f].field_id;
            }
        }
    }
    bool present = m->format_version == 1;
    return member_int32(m->json, "last-partition-id", &m->last_partition_id, &present, err) &&
           member_require(present, "last-partition-id", err);
}

static bool parse_identity(struct iceberg_metadata *m, struct error *err)
{
    return member_text(m->json, "table-uuid", &m->arena, &m->uuid, err) &&
           member_require(m->uuid || m->format_version == 1, "table-uuid", err) &&
           member_text(m->json, "location", &m->arena, &m->location, err) &&
           member_require(m->location, "location", err) &&
           member_object(m->json, "properties", &m->properties, err);
}

static bool parse(struct iceberg_metadata *m, struct error *err)
{
    if (!json_is_object(m->json)) {
        return error_set(err, ERROR_DATA, "it is not an object");
    }
    if (!parse_version(m, err) || !parse_identity(m, err) || !parse_numbers(m, err) ||
        !parse_schemas(m, err) || !parse_specs(m, err) || !parse_last_partition_id(m, err) ||
        !parse_snapshots(m, err) || !parse_current(m, err)) {
        return false;
    }
    m->uuid = m->uuid ? m->uuid : "";
    return true;
}

struct iceberg_metadata *iceberg_metadata_from(json_t *object, struct error *err)
{
    owned(iceberg_metadata_free) struct iceberg_metadata *m = calloc(1, sizeof(*m));
    if (!m) {
        abort();
    }
    m->json = object;
    if (!parse(m, err)) {
        (void)error_wrap(err, "table metadata");
        return NULL;
    }
    return take(m);
}

void iceberg_metadata_free(struct iceberg_metadata **m)
{
    if (*m) {
        json_decref((*m)->json);
        arena_release(&(*m)->arena);
        free(*m);
        *m = NULL;
    }
}

/* --- files --- */

static bool gunzip(struct str data, struct buf *out, struct error *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data.data, .avail_in = (uInt)data.size};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        abort(); /* only for want of memory */
    }
    int status = Z_OK;
    while (status == Z_OK && !out->failed) {
        Bytef chunk[1 << 16];
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        status = inflate(&z, Z_NO_FLUSH);
        buf_append(out, chunk, sizeof(chunk) - z.avail_out);
    }
    (void)inflateEnd(&z);
    if (out->failed) {
        return error_set(err, ERROR_DATA, "table metadata is larger than %zu bytes", size_max);
    }
    return status == Z_STREAM_END ||
           error_set(err, ERROR_DATA, "table metadata is not a whole gzip file");
}

struct iceberg_metadata *iceberg_metadata_parse(struct str data, struct error *err)
{
    owned(buf_release) struct buf plain = {.size_max = size_max};
    if (data.size > size_max) {
        (void)error_set(err, ERROR_DATA, "table metadata is larger than %zu bytes", size_max);
        return NULL;
    }
    if (data.size >= 2 && memcmp(data.data, "\x1f\x8b", 2) == 0) {
        if (!gunzip(data, &plain, err)) {
            return NULL;
        }
        data = buf_str(&plain);
    }
    json_error_t reason;
    json_t *object = json_loadb(data.size > 0 ? data.data : "", data.size, 0, &reason);
    if (!object) {
        (void)error_set(err, ERROR_DATA, "table metadata is not JSON: %s at byte %d", reason.text,
                        reason.position);
        return NULL;
    }
    return iceberg_metadata_from(object, err);
}

/* --- looking up --- */

const struct iceberg_schema *iceberg_metadata_schema(const struct iceberg_metadata *m, int32_t id)
{
    for (uint32_t i = 0; i < m->schema_count; i++) {
        if (m->schemas[i].id == id) {
            return &m->schemas[i];
        }
    }
    return NULL;
}

const struct iceberg_spec *iceberg_metadata_spec(const struct iceberg_metadata *m, int32_t id)
{
    for (uint32_t i = 0; i < m->spec_count; i++) {
        if (m->specs[i].id == id) {
            return &m->specs[i];
        }
    }
    return NULL;
}

const struct iceberg_snapshot *iceberg_metadata_snapshot(const struct iceberg_metadata *m,
                                                         int64_t id)
{
    uint32_t low = 0;
    uint32_t high = m->snapshot_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct iceberg_snapshot *s = &m->snapshots[m->snapshots_by_id[middle]];
        if (s->id == id) {
            return s;
        }
        if (s->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const char *iceberg_metadata_property(const struct iceberg_metadata *m, const char *key)
{
    return json_string_value(json_object_get(m->properties, key));
}

const char *iceberg_snapshot_summary(const struct iceberg_snapshot *s, const char *key)
{
    return json_string_value(json_object_get(s->summary, key));
}
