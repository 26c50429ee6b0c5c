#include <inttypes.h>

#include "delta/action.h"

static void append_string(struct buf *out, const char *key, const char *text)
{
    json_append_key(out, key);
    json_append_text(out, text);
}

static void append_optional(struct buf *out, const char *key, const char *text)
{
    if (text) {
        append_string(out, key, text);
    }
}

static void append_int64(struct buf *out, const char *key, int64_t value)
{
    json_append_key(out, key);
    buf_append_format(out, "%" PRId64, value);
}

static void append_bool(struct buf *out, const char *key, bool value)
{
    json_append_key(out, key);
    buf_append_text(out, value ? "true" : "false");
}

static void append_pairs(struct buf *out, const char *key, const struct delta_pairs *pairs)
{
    json_append_key(out, key);
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < pairs->count; i++) {
        append_string(out, pairs->items[i].key, pairs->items[i].value);
    }
    buf_append_char(out, '}');
}

static void append_strings(struct buf *out, const char *key, const struct delta_strings *strings)
{
    json_append_key(out, key);
    buf_append_char(out, '[');
    for (uint32_t i = 0; i < strings->count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        json_append_text(out, strings->items[i]);
    }
    buf_append_char(out, ']');
}

static void encode_protocol(const struct delta_protocol *p, struct buf *out)
{
    append_int64(out, "minReaderVersion", p->reader_version);
    append_int64(out, "minWriterVersion", p->writer_version);
    if (p->reader_features.present) {
        append_strings(out, "readerFeatures", &p->reader_features);
    }
    if (p->writer_features.present) {
        append_strings(out, "writerFeatures", &p->writer_features);
    }
}

static void encode_metadata(const struct delta_metadata *m, struct buf *out)
{
    append_string(out, "id", m->id);
    append_optional(out, "name", m->name);
    append_optional(out, "description", m->description);
    json_append_key(out, "format");
    buf_append_char(out, '{');
    append_string(out, "provider", m->provider ? m->provider : "parquet");
    append_pairs(out, "options", &m->format_options);
    buf_append_char(out, '}');
    append_string(out, "schemaString", m->schema);
    append_strings(out, "partitionColumns", &m->partition_columns);
    append_pairs(out, "configuration", &m->configuration);
    if (m->has_created) {
        append_int64(out, "createdTime", m->created_ms);
    }
}

static void encode_vector(const struct delta_vector *v, struct buf *out)
{
    json_append_key(out, "deletionVector");
    buf_append_char(out, '{');
    append_string(out, "storageType", v->storage);
    append_string(out, "pathOrInlineDv", v->text);
    if (v->has_offset) {
        append_int64(out, "offset", v->offset);
    }
    append_int64(out, "sizeInBytes", v->size);
    append_int64(out, "cardinality", v->cardinality);
    buf_append_char(out, '}');
}

static void encode_file(enum delta_kind kind, const struct delta_file *f, struct buf *out)
{
    append_string(out, "path", f->path);
    if (kind == DELTA_REMOVE) {
        if (f->has_deleted) {
            append_int64(out, "deletionTimestamp", f->deleted_ms);
        }
        append_bool(out, "dataChange", f->data_change);
        append_bool(out, "extendedFileMetadata", f->extended);
        if (f->extended) {
            append_pairs(out, "partitionValues", &f->partition);
        }
        if (f->has_size) {
            append_int64(out, "size", f->size);
        }
    } else {
        append_pairs(out, "partitionValues", &f->partition);
        append_int64(out, "size", f->size);
        if (kind == DELTA_ADD) {
            append_int64(out, "modificationTime", f->modified_ms);
        }
        append_bool(out, "dataChange", f->data_change);
    }
    if (kind == DELTA_ADD) {
        append_optional(out, "stats", f->stats);
        append_optional(out, "clusteringProvider", f->clustering);
    }
    if (f->tags.count > 0) {
        append_pairs(out, "tags", &f->tags);
    }
    if (f->vector) {
        encode_vector(f->vector, out);
    }
    if (f->has_base_row_id) {
        append_int64(out, "baseRowId", f->base_row_id);
    }
    if (f->has_default_row_commit_version) {
        append_int64(out, "defaultRowCommitVersion", f->default_row_commit_version);
    }
}

static void encode_txn(const struct delta_txn *t, struct buf *out)
{
    append_string(out, "appId", t->app_id);
    append_int64(out, "version", t->version);
    if (t->has_updated) {
        append_int64(out, "lastUpdated", t->updated_ms);
    }
}

static void encode_domain(const struct delta_domain *d, struct buf *out)
{
    append_string(out, "domain", d->domain);
    append_string(out, "configuration", d->configuration ? d->configuration : "");
    append_bool(out, "removed", d->removed);
}

static void encode_info(const struct delta_info *i, struct buf *out)
{
    if (i->has_in_commit) {
        append_int64(out, "inCommitTimestamp", i->in_commit_ms);
    }
    append_int64(out, "timestamp", i->timestamp_ms);
    append_optional(out, "operation", i->operation);
    append_pairs(out, "operationParameters", &i->parameters);
    append_bool(out, "isBlindAppend", i->blind_append);
    append_pairs(out, "operationMetrics", &i->metrics);
    append_optional(out, "engineInfo", i->engine);
    append_optional(out, "txnId", i->txn_id);
}

static void begin(struct buf *out, const char *name)
{
    buf_append_char(out, '{');
    json_append_key(out, name);
    buf_append_char(out, '{');
}

void delta_action_encode(const struct delta_action *action, struct buf *out)
{
    switch (action->kind) {
    case DELTA_PROTOCOL:
        begin(out, "protocol");
        encode_protocol(&action->protocol, out);
        break;
    case DELTA_METADATA:
        begin(out, "metaData");
        encode_metadata(&action->metadata, out);
        break;
    case DELTA_ADD:
        begin(out, "add");
        encode_file(action->kind, &action->file, out);
        break;
    case DELTA_REMOVE:
        begin(out, "remove");
        encode_file(action->kind, &action->file, out);
        break;
    case DELTA_CDC:
        begin(out, "cdc");
        encode_file(action->kind, &action->file, out);
        break;
    case DELTA_TXN:
        begin(out, "txn");
        encode_txn(&action->txn, out);
        break;
    case DELTA_DOMAIN:
        begin(out, "domainMetadata");
        encode_domain(&action->domain, out);
        break;
    case DELTA_INFO:
        begin(out, "commitInfo");
        encode_info(&action->info, out);
        break;
    case DELTA_SIDECAR:
        return; /* never written */
    }
    buf_append_text(out, "}}\n");
}
