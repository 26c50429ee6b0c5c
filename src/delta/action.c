#include "delta/action.h"

#include <inttypes.h>

struct delta_action *delta_actions_add(struct delta_actions *list, enum delta_kind kind)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct delta_action *items = arena_array(list->arena, capacity, sizeof(*items));
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof(*items));
        }
        list->items = items;
        list->capacity = capacity;
    }
    struct delta_action *action = &list->items[list->count++];
    *action = (struct delta_action){.kind = kind};
    return action;
}

static bool require(bool present, const char *key, struct error *err)
{
    return present || error_set(err, ERROR_DATA, "field \"%s\" is missing", key);
}

static bool decode_protocol(const json_t *o, struct arena *a, struct delta_protocol *out,
                            struct error *err)
{
    bool has_reader = false;
    bool has_writer = false;
    return field_int64(o, "minReaderVersion", &out->reader_version, &has_reader, err) &&
           field_int64(o, "minWriterVersion", &out->writer_version, &has_writer, err) &&
           require(has_reader, "minReaderVersion", err) &&
           require(has_writer, "minWriterVersion", err) &&
           field_strings(o, "readerFeatures", a, &out->reader_features, err) &&
           field_strings(o, "writerFeatures", a, &out->writer_features, err);
}

static bool decode_metadata(const json_t *o, struct arena *a, struct delta_metadata *out,
                            struct error *err)
{
    const json_t *format = json_object_get(o, "format");
    return field_string(o, "id", a, &out->id, err) && require(out->id, "id", err) &&
           field_string(o, "name", a, &out->name, err) &&
           field_string(o, "description", a, &out->description, err) &&
           field_string(format, "provider", a, &out->provider, err) &&
           field_pairs(format, "options", a, &out->format_options, err) &&
           field_string(o, "schemaString", a, &out->schema, err) &&
           require(out->schema, "schemaString", err) &&
           field_strings(o, "partitionColumns", a, &out->partition_columns, err) &&
           field_pairs(o, "configuration", a, &out->configuration, err) &&
           field_int64(o, "createdTime", &out->created_ms, &out->has_created, err);
}

static bool decode_vector(const json_t *o, struct arena *a, const struct delta_vector **out,
                          struct error *err)
{
    const json_t *v = json_object_get(o, "deletionVector");
    if (!v || json_is_null(v)) {
        return true;
    }
    struct delta_vector *vector = arena_zalloc(a, sizeof(*vector));
    bool has_size = false;
    bool has_cardinality = false;
    if (!field_string(v, "storageType", a, &vector->storage, err) ||
        !require(vector->storage, "storageType", err) ||
        !field_string(v, "pathOrInlineDv", a, &vector->text, err) ||
        !require(vector->text, "pathOrInlineDv", err) ||
        !field_int64(v, "offset", &vector->offset, &vector->has_offset, err) ||
        !field_int64(v, "sizeInBytes", &vector->size, &has_size, err) ||
        !require(has_size, "sizeInBytes", err) ||
        !field_int64(v, "cardinality", &vector->cardinality, &has_cardinality, err) ||
        !require(has_cardinality, "cardinality", err)) {
        return error_wrap(err, "deletionVector");
    }
    *out = vector;
    return true;
}

static bool decode_file(const json_t *o, struct arena *a, struct delta_file *out, struct error *err)
{
    return field_string(o, "path", a, &out->path, err) && require(out->path, "path", err) &&
           field_pairs(o, "partitionValues", a, &out->partition, err) &&
           field_int64(o, "size", &out->size, &out->has_size, err) &&
           field_bool(o, "dataChange", &out->data_change, err) &&
           decode_vector(o, a, &out->vector, err) && field_pairs(o, "tags", a, &out->tags, err) &&
           field_int64(o, "baseRowId", &out->base_row_id, &out->has_base_row_id, err) &&
           field_int64(o, "defaultRowCommitVersion", &out->default_row_commit_version,
                       &out->has_default_row_commit_version, err) &&
           field_int64(o, "modificationTime", &out->modified_ms, NULL, err) &&
           field_string(o, "stats", a, &out->stats, err) &&
           field_string(o, "clusteringProvider", a, &out->clustering, err) &&
           field_int64(o, "deletionTimestamp", &out->deleted_ms, &out->has_deleted, err) &&
           field_bool(o, "extendedFileMetadata", &out->extended, err);
}

static bool decode_txn(const json_t *o, struct arena *a, struct delta_txn *out, struct error *err)
{
    bool has_version = false;
    return field_string(o, "appId", a, &out->app_id, err) && require(out->app_id, "appId", err) &&
           field_int64(o, "version", &out->version, &has_version, err) &&
           require(has_version, "version", err) &&
           field_int64(o, "lastUpdated", &out->updated_ms, &out->has_updated, err);
}

static bool decode_domain(const json_t *o, struct arena *a, struct delta_domain *out,
                          struct error *err)
{
    return field_string(o, "domain", a, &out->domain, err) && require(out->domain, "domain", err) &&
           field_string(o, "configuration", a, &out->configuration, err) &&
           field_bool(o, "removed", &out->removed, err);
}

/* commitInfo is free-form: what has another form than expected is left out, never an error. */
static void decode_info(const json_t *o, struct arena *a, struct delta_info *out)
{
    struct error ignored = {0};
    bool ok = field_int64(o, "timestamp", &out->timestamp_ms, &out->has_timestamp, &ignored);
    ok &= field_int64(o, "inCommitTimestamp", &out->in_commit_ms, &out->has_in_commit, &ignored);
    ok &= field_string(o, "operation", a, &out->operation, &ignored);
    ok &= field_string(o, "engineInfo", a, &out->engine, &ignored);
    ok &= field_string(o, "txnId", a, &out->txn_id, &ignored);
    ok &= field_bool(o, "isBlindAppend", &out->blind_append, &ignored);
    ok &= field_pairs(o, "operationParameters", a, &out->parameters, &ignored);
    ok &= field_pairs(o, "operationMetrics", a, &out->metrics, &ignored);
    (void)ok;
}

static const struct {
    const char *name;
    enum delta_kind kind;
} kinds[] = {
    {"protocol", DELTA_PROTOCOL},     {"metaData", DELTA_METADATA}, {"add", DELTA_ADD},
    {"remove", DELTA_REMOVE},         {"cdc", DELTA_CDC},           {"txn", DELTA_TXN},
    {"domainMetadata", DELTA_DOMAIN}, {"commitInfo", DELTA_INFO},   {"sidecar", DELTA_SIDECAR},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static bool decode_content(const json_t *o, struct arena *a, struct delta_action *out,
                           struct error *err)
{
    switch (out->kind) {
    case DELTA_PROTOCOL:
        return decode_protocol(o, a, &out->protocol, err);
    case DELTA_METADATA:
        return decode_metadata(o, a, &out->metadata, err);
    case DELTA_ADD:
    case DELTA_REMOVE:
    case DELTA_CDC:
        return decode_file(o, a, &out->file, err);
    case DELTA_TXN:
        return decode_txn(o, a, &out->txn, err);
    case DELTA_DOMAIN:
        return decode_domain(o, a, &out->domain, err);
    case DELTA_INFO:
        decode_info(o, a, &out->info);
        return true;
    case DELTA_SIDECAR:
        return true;
    }
    return true;
}

/* A line has one action; checkpoints' rows name the others as null. */
static bool decode_line(struct str line, struct delta_actions *out, struct error *err)
{
    owned(json_free) json_t *object = field_parse(line, err);
    if (!object) {
        return false;
    }
    if (!json_is_object(object)) {
        return error_set(err, ERROR_DATA, "an action is not an object");
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const json_t *content = json_object_get(object, kinds[i].name);
        if (!content || json_is_null(content)) {
            continue;
        }
        if (!json_is_object(content)) {
            return error_set(err, ERROR_DATA, "\"%s\" is not an object", kinds[i].name);
        }
        if (!decode_content(content, out->arena, delta_actions_add(out, kinds[i].kind), err)) {
            return error_wrap(err, "%s", kinds[i].name);
        }
    }
    return true;
}

bool delta_actions_decode(struct str text, struct delta_actions *out, struct error *err)
{
    size_t number = 1;
    for (size_t start = 0; start < text.size; number++) {
        const char *end = memchr(text.data + start, '\n', text.size - start);
        size_t size = (end ? (size_t)(end - text.data) : text.size) - start;
        struct str line = {text.data + start, size};
        start += size + 1;
        if (line.size > 0 && line.data[line.size - 1] == '\r') {
            line.size--;
        }
        if (line.size > 0 && !decode_line(line, out, err)) {
            return error_wrap(err, "line %zu", number);
        }
    }
    return true;
}

static struct delta_pairs copy_pairs(const struct delta_pairs *pairs, struct arena *a)
{
    struct delta_pair *items = arena_array(a, pairs->count, sizeof(*items));
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct delta_pair *p = &pairs->items[i];
        items[i].key = arena_string(a, p->key, strlen(p->key));
        items[i].value = p->value ? arena_string(a, p->value, strlen(p->value)) : NULL;
    }
    return (struct delta_pairs){.items = items, .count = pairs->count};
}

static const char *copy_text(const char *text, struct arena *a)
{
    return text ? arena_string(a, text, strlen(text)) : NULL;
}

static struct delta_strings copy_strings(const struct delta_strings *from, struct arena *a)
{
    const char **items = arena_array(a, from->count, sizeof(*items));
    for (uint32_t i = 0; i < from->count; i++) {
        items[i] = copy_text(from->items[i], a);
    }
    return (struct delta_strings){items, from->count, from->present};
}

void delta_protocol_copy(const struct delta_protocol *from, struct arena *a,
                         struct delta_protocol *out)
{
    *out = *from;
    out->reader_features = copy_strings(&from->reader_features, a);
    out->writer_features = copy_strings(&from->writer_features, a);
}

void delta_metadata_copy(const struct delta_metadata *from, struct arena *a,
                         struct delta_metadata *out)
{
    *out = *from;
    out->id = copy_text(from->id, a);
    out->name = copy_text(from->name, a);
    out->description = copy_text(from->description, a);
    out->provider = copy_text(from->provider, a);
    out->format_options = copy_pairs(&from->format_options, a);
    out->schema = copy_text(from->schema, a);
    out->partition_columns = copy_strings(&from->partition_columns, a);
    out->configuration = copy_pairs(&from->configuration, a);
}

void delta_file_copy(const struct delta_file *file, struct arena *a, struct delta_file *out)
{
    *out = *file;
    out->path = copy_text(file->path, a);
    out->partition = copy_pairs(&file->partition, a);
    out->tags = copy_pairs(&file->tags, a);
    out->stats = copy_text(file->stats, a);
    out->clustering = copy_text(file->clustering, a);
    if (file->vector) {
        struct delta_vector *v = arena_copy(a, file->vector, sizeof(*v));
        v->storage = copy_text(v->storage, a);
        v->text = copy_text(v->text, a);
        out->vector = v;
    }
}

void delta_vector_identity(const struct delta_vector *v, struct buf *out)
{
    if (v) {
        buf_append_text(out, v->storage);
        buf_append_text(out, v->text);
        if (v->has_offset) {
            buf_append_format(out, "@%" PRId64, v->offset);
        }
    }
}
