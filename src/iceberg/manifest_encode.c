#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/avro.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_schema.h"
#include "iceberg/partition_value.h"

struct encoder {
    const struct iceberg_manifest_write *write;
    const struct iceberg_spec *spec;
    struct partition_type *types;      /* one per field of the spec */
    struct iceberg_manifest *manifest; /* counts and summaries so far */
    struct buf record;
    struct error *err;
};

/* --- header --- */

/* clang-format off */
static const char schema_head[] = /* up to the fields of the partition tuple */
    "{\"type\":\"record\",\"name\":\"manifest_entry\",\"fields\":["
    AVRO_REQUIRED("status", "\"int\"", 0) ","
    AVRO_OPTIONAL("snapshot_id", "\"long\"", 1) ","
    AVRO_OPTIONAL("sequence_number", "\"long\"", 3) ","
    AVRO_OPTIONAL("file_sequence_number", "\"long\"", 4) ","
    "{\"name\":\"data_file\",\"type\":{\"type\":\"record\",\"name\":\"r2\",\"fields\":["
    AVRO_REQUIRED("content", "\"int\"", 134) ","
    AVRO_REQUIRED("file_path", "\"string\"", 100) ","
    AVRO_REQUIRED("file_format", "\"string\"", 101) ","
    "{\"name\":\"partition\",\"type\":{\"type\":\"record\",\"name\":\"r102\",\"fields\":[";

static const char schema_tail[] =
    "]},\"field-id\":102},"
    AVRO_REQUIRED("record_count", "\"long\"", 103) ","
    AVRO_REQUIRED("file_size_in_bytes", "\"long\"", 104) ","
    AVRO_OPTIONAL("column_sizes", AVRO_MAP_OF("\"long\"", 117, 118), 108) ","
    AVRO_OPTIONAL("value_counts", AVRO_MAP_OF("\"long\"", 119, 120), 109) ","
    AVRO_OPTIONAL("null_value_counts", AVRO_MAP_OF("\"long\"", 121, 122), 110) ","
    AVRO_OPTIONAL("nan_value_counts", AVRO_MAP_OF("\"long\"", 138, 139), 137) ","
    AVRO_OPTIONAL("lower_bounds", AVRO_MAP_OF("\"bytes\"", 126, 127), 125) ","
    AVRO_OPTIONAL("upper_bounds", AVRO_MAP_OF("\"bytes\"", 129, 130), 128) ","
    AVRO_OPTIONAL("key_metadata", "\"bytes\"", 131) ","
    AVRO_OPTIONAL("split_offsets", AVRO_LIST_OF("\"long\"", 133), 132) ","
    AVRO_OPTIONAL("equality_ids", AVRO_LIST_OF("\"int\"", 136), 135) ","
    AVRO_OPTIONAL("sort_order_id", "\"int\"", 140) ","
    AVRO_OPTIONAL("referenced_data_file", "\"string\"", 143)
    "]},\"field-id\":2}]}";
/* clang-format on */

static void append_schema(const struct encoder *e, struct buf *out)
{
    buf_append_text(out, schema_head);
    for (uint32_t i = 0; i < e->spec->field_count; i++) {
        const struct iceberg_spec_field *field = &e->spec->fields[i];
        buf_append_text(out, i > 0 ? ",{\"name\":\"" : "{\"name\":\"");
        partition_name_append(field->name, out);
        buf_append_text(out, "\",\"type\":[\"null\",");
        partition_type_append(e->types[i], field->field_id, out);
        buf_append_format(out, "],\"default\":null,\"field-id\":%" PRId32 "}", field->field_id);
    }
    buf_append_text(out, schema_tail);
}

/* The element of one of the metadata's arrays that has the id, or NULL. */
static const json_t *find_by_id(const json_t *array, const char *key, int32_t id)
{
    size_t i = 0;
    json_t *element = NULL;
    json_array_foreach(array, i, element)
    {
        const json_t *v = json_object_get(element, key);
        if (json_is_integer(v) && json_integer_value(v) == id) {
            return element;
        }
    }
    return NULL;
}

/* JSON on one line, or false when there is none. Freed by the caller. */
static bool dump(const json_t *json, struct buf *out)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (text) {
        buf_append_text(out, text);
    }
    free(text);
    return text != NULL;
}

/* As the metadata writes them; version 1 had one of each, without lists. */
static bool header_texts(const struct encoder *e, struct buf *schema, struct buf *spec)
{
    const json_t *json = e->write->metadata->json;
    int32_t schema_id = e->write->metadata->schema ? e->write->metadata->schema->id : 0;
    const json_t *s = find_by_id(json_object_get(json, "schemas"), "schema-id", schema_id);
    const json_t *p = find_by_id(json_object_get(json, "partition-specs"), "spec-id", e->spec->id);
    p = p ? json_object_get(p, "fields") : json_object_get(json, "partition-spec");
    if (!dump(s ? s : json_object_get(json, "schema"), schema)) {
        return error_set(e->err, ERROR_DATA, "the table's metadata has no schema %" PRId32,
                         schema_id);
    }
    return dump(p, spec) ||
           error_set(e->err, ERROR_DATA, "the table's metadata has no partition spec %" PRId32,
                     e->spec->id);
}

static struct avro_writer *begin(struct encoder *e)
{
    owned(buf_release) struct buf avro = {0};
    owned(buf_release) struct buf schema = {0};
    owned(buf_release) struct buf spec = {0};
    char schema_id[16];
    char spec_id[16];
    if (!header_texts(e, &schema, &spec)) {
        return NULL;
    }
    append_schema(e, &avro);
    (void)snprintf(schema_id, sizeof(schema_id), "%" PRId32,
                   e->write->metadata->schema ? e->write->metadata->schema->id : 0);
    (void)snprintf(spec_id, sizeof(spec_id), "%" PRId32, e->spec->id);
    const struct avro_metadata metadata[] = {
        {"schema", buf_str(&schema)},
        {"schema-id", str_from(schema_id)},
        {"partition-spec", buf_str(&spec)},
        {"partition-spec-id", str_from(spec_id)},
        {"format-version", str_from("2")},
        {"content", str_from(e->write->is_deletes ? "deletes" : "data")},
    };
    return avro_writer_new(buf_text(&avro), metadata, sizeof(metadata) / sizeof(metadata[0]));
}

/* --- entries --- */

static void put_optional_long(int64_t v, struct buf *out)
{
    avro_put_long(v >= 0, out);
    if (v >= 0) {
        avro_put_long(v, out);
    }
}

/* A metric that is a count, by its place in the struct. */
static int64_t count_at(const struct iceberg_metrics *m, size_t offset)
{
    int64_t v = 0;
    memcpy(&v, (const char *)m + offset, sizeof(v));
    return v;
}

static struct str bound_at(const struct iceberg_metrics *m, size_t offset)
{
    struct str v = {0};
    memcpy(&v, (const char *)m + offset, sizeof(v));
    return v;
}

static void put_counts(const struct iceberg_file *f, size_t offset, struct buf *out)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < f->metrics_count; i++) {
        count += count_at(&f->metrics[i], offset) >= 0;
    }
    avro_put_long(count > 0, out);
    if (count == 0) {
        return;
    }
    avro_put_long(count, out);
    for (uint32_t i = 0; i < f->metrics_count; i++) {
        int64_t v = count_at(&f->metrics[i], offset);
        if (v >= 0) {
            avro_put_long(f->metrics[i].field_id, out);
            avro_put_long(v, out);
        }
    }
    avro_put_long(0, out);
}

static void put_bounds(const struct iceberg_file *f, size_t offset, struct buf *out)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < f->metrics_count; i++) {
        count += bound_at(&f->metrics[i], offset).data != NULL;
    }
    avro_put_long(count > 0, out);
    if (count == 0) {
        return;
    }
    avro_put_long(count, out);
    for (uint32_t i = 0; i < f->metrics_count; i++) {
        struct str v = bound_at(&f->metrics[i], offset);
        if (v.data) {
            avro_put_long(f->metrics[i].field_id, out);
            avro_put_bytes(v, out);
        }
    }
    avro_put_long(0, out);
}

static void put_lists(const struct iceberg_file *f, struct buf *out)
{
    avro_put_long(f->split_offset_count > 0, out);
    if (f->split_offset_count > 0) {
        avro_put_long(f->split_offset_count, out);
        for (uint32_t i = 0; i < f->split_offset_count; i++) {
            avro_put_long(f->split_offsets[i], out);
        }
        avro_put_long(0, out);
    }
    avro_put_long(f->equality_id_count > 0, out);
    if (f->equality_id_count > 0) {
        avro_put_long(f->equality_id_count, out);
        for (uint32_t i = 0; i < f->equality_id_count; i++) {
            avro_put_long(f->equality_ids[i], out);
        }
        avro_put_long(0, out);
    }
}

static bool put_partition(struct encoder *e, const struct iceberg_file *f)
{
    for (uint32_t i = 0; i < e->spec->field_count; i++) {
        struct str v = f->partition[i];
        avro_put_long(v.data != NULL, &e->record);
        if (v.data && !partition_value_encode(e->types[i], v, &e->record, e->err)) {
            return error_wrap(e->err, "partition field \"%s\"", e->spec->fields[i].name);
        }
    }
    return true;
}

static bool put_file(struct encoder *e, const struct iceberg_file *f)
{
    struct buf *out = &e->record;
    avro_put_long(f->content, out);
    avro_put_bytes(str_from(f->path), out);
    avro_put_bytes(str_from(f->format), out);
    if (!put_partition(e, f)) {
        return false;
    }
    avro_put_long(f->record_count, out);
    avro_put_long(f->size, out);
    put_counts(f, offsetof(struct iceberg_metrics, size), out);
    put_counts(f, offsetof(struct iceberg_metrics, value_count), out);
    put_counts(f, offsetof(struct iceberg_metrics, null_count), out);
    put_counts(f, offsetof(struct iceberg_metrics, nan_count), out);
    put_bounds(f, offsetof(struct iceberg_metrics, lower), out);
    put_bounds(f, offsetof(struct iceberg_metrics, upper), out);
    avro_put_long(0, out); /* key_metadata */
    put_lists(f, out);
    put_optional_long(f->sort_order_id, out);
    avro_put_long(f->referenced_file != NULL, out);
    if (f->referenced_file) {
        avro_put_bytes(str_from(f->referenced_file), out);
    }
    return true;
}

/* What would be lost, or would mean something else when it is read. */
static bool check(const struct encoder *e, const struct iceberg_entry *entry)
{
    const struct iceberg_file *f = &entry->file;
    const char *wrong = NULL;
    if (entry->spec_id != e->spec->id || f->partition_count != e->spec->field_count) {
        wrong = "is of another partition spec";
    } else if ((f->content != ICEBERG_DATA) != e->write->is_deletes) {
        wrong = "does not belong to a manifest of this content";
    } else if (entry->status != ICEBERG_ADDED && entry->sequence_number < 0) {
        wrong = "was not added, but has no sequence number";
    } else if (entry->status == ICEBERG_EXISTING && entry->snapshot_id == -1) {
        wrong = "exists without the snapshot that added it";
    } else if (f->content == ICEBERG_EQUALITY_DELETES && f->equality_id_count == 0) {
        wrong = "deletes by equality of no columns";
    } else if (f->content_offset >= 0 || f->first_row_id >= 0) {
        wrong = "has a deletion vector or row ids, which format version 2 cannot hold";
    }
    return !wrong || error_set(e->err, ERROR_DATA, "%s", wrong);
}

static bool put_entry(struct encoder *e, const struct iceberg_entry *entry)
{
    buf_clear(&e->record);
    avro_put_long(entry->status, &e->record);
    avro_put_long(1, &e->record); /* snapshot ids may be negative */
    avro_put_long(entry->snapshot_id == -1 ? e->write->snapshot_id : entry->snapshot_id,
                  &e->record);
    put_optional_long(entry->sequence_number, &e->record);
    put_optional_long(entry->file_sequence_number, &e->record);
    return put_file(e, &entry->file);
}

/* --- what the list will say --- */

static bool add(int64_t *files, int64_t *rows, const struct iceberg_entry *entry)
{
    ++*files;
    return !__builtin_add_overflow(*rows, entry->file.record_count, rows);
}

static bool count_entry(struct encoder *e, const struct iceberg_entry *entry)
{
    struct iceberg_manifest *m = e->manifest;
    bool ok = entry->status == ICEBERG_ADDED ? add(&m->added_files, &m->added_rows, entry)
              : entry->status == ICEBERG_EXISTING
                  ? add(&m->existing_files, &m->existing_rows, entry)
                  : add(&m->deleted_files, &m->deleted_rows, entry);
    if (!ok) {
        return error_set(e->err, ERROR_DATA, "the manifest would have more than 2^63 rows");
    }
    int64_t number =
        entry->sequence_number < 0 ? e->write->sequence_number : entry->sequence_number;
    if (entry->status != ICEBERG_DELETED &&
        (m->min_sequence_number < 0 || number < m->min_sequence_number)) {
        m->min_sequence_number = number;
    }
    return true;
}

/* Bounds are of all entries, deleted ones too: those who look for what went need them as well. */
static void summarize_entry(struct encoder *e, const struct iceberg_entry *entry)
{
    for (uint32_t i = 0; i < e->spec->field_count; i++) {
        struct iceberg_partition_summary *s = &e->manifest->partitions[i];
        struct str v = entry->file.partition[i];
        if (!v.data) {
            s->contains_null = true;
        } else if (partition_value_is_nan(e->types[i], v)) {
            s->contains_nan = true;
        } else {
            if (!s->lower.data || partition_value_compare(e->types[i], v, s->lower) < 0) {
                s->lower = v;
            }
            if (!s->upper.data || partition_value_compare(e->types[i], v, s->upper) > 0) {
                s->upper = v;
            }
        }
    }
}

static void begin_manifest(struct encoder *e, struct arena *a)
{
    struct iceberg_manifest *m = e->manifest;
    *m = (struct iceberg_manifest){
        .path = m->path,
        .sequence_number = m->sequence_number,
        .spec_id = e->spec->id,
        .is_deletes = e->write->is_deletes,
        .min_sequence_number = -1,
        .snapshot_id = e->write->snapshot_id,
        .first_row_id = -1,
        .partition_count = e->spec->field_count,
    };
    m->partitions = arena_zalloc(a, m->partition_count * sizeof(*m->partitions));
    e->types = arena_array(a, m->partition_count, sizeof(*e->types));
    for (uint32_t i = 0; i < m->partition_count; i++) {
        m->partitions[i].has_contains_nan = true;
        e->types[i] = partition_type_of(e->write->metadata, &e->spec->fields[i]);
    }
}

static bool encode_entries(struct encoder *e, const struct iceberg_entries *entries,
                           struct avro_writer *w)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        const struct iceberg_entry *entry = &entries->items[i];
        if (!check(e, entry) || !put_entry(e, entry) || !count_entry(e, entry)) {
            return error_wrap(e->err, "manifest: file \"%s\"", entry->file.path);
        }
        summarize_entry(e, entry);
        avro_writer_add(w, buf_str(&e->record));
    }
    return true;
}

static bool writable(const struct iceberg_spec *spec, struct error *err)
{
    for (uint32_t i = 0; i < spec->field_count; i++) {
        if (spec->fields[i].transform.kind == LAKE_UNKNOWN) {
            return error_set(err, ERROR_CONFIG,
                             "partition field \"%s\" has a transform that is not known",
                             spec->fields[i].name);
        }
    }
    return true;
}

bool iceberg_manifest_encode(const struct iceberg_entries *entries,
                             const struct iceberg_manifest_write *write, struct arena *a,
                             struct buf *out, struct iceberg_manifest *out_manifest,
                             struct error *err)
{
    struct encoder e = {.write = write, .spec = write->spec, .manifest = out_manifest, .err = err};
    if (!writable(write->spec, err)) {
        return false;
    }
    begin_manifest(&e, a);
    owned(avro_writer_free) struct avro_writer *w = begin(&e);
    bool ok = w && encode_entries(&e, entries, w);
    buf_release(&e.record);
    if (!ok) {
        return false;
    }
    if (out_manifest->min_sequence_number < 0) {
        out_manifest->min_sequence_number = write->sequence_number; /* nothing in it lives */
    }
    size_t start = out->size;
    avro_writer_finish(&w, out);
    out_manifest->length = (int64_t)(out->size - start);
    return true;
}
