#include <inttypes.h>
#include <stdio.h>

#include "format/avro.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_fields.h"
#include "iceberg/manifest_schema.h"

enum { SCRATCH_SIZE = 1 << 20 };

/* --- decoding --- */

static bool decode_summary(const struct avro_value *v, struct arena *a,
                           struct iceberg_partition_summary *out, struct error *err)
{
    struct manifest_fields f = {.record = v, .arena = a, .err = err};
    const struct avro_value *nan = avro_get(v, 518);
    *out = (struct iceberg_partition_summary){
        .contains_null = manifest_boolean(&f, 509, "contains_null", true),
        .has_contains_nan = nan != NULL,
        .contains_nan = manifest_boolean(&f, 518, "contains_nan", false),
        .lower = manifest_bytes(&f, 510, "lower_bound"),
        .upper = manifest_bytes(&f, 511, "upper_bound"),
    };
    return !f.failed;
}

static bool decode_summaries(struct manifest_fields *f, struct iceberg_manifest *out)
{
    const struct avro_value *summaries = manifest_array(f, 507, "partitions");
    if (!summaries) {
        return !f->failed;
    }
    out->partition_count = summaries->array.count;
    out->partitions = arena_array(f->arena, out->partition_count, sizeof(*out->partitions));
    for (uint32_t i = 0; i < out->partition_count; i++) {
        if (!decode_summary(&summaries->array.items[i], f->arena, &out->partitions[i], f->err)) {
            return false;
        }
    }
    return true;
}

static bool decode_manifest(const struct avro_value *record, struct arena *a,
                            struct iceberg_manifest *out, struct error *err)
{
    struct manifest_fields f = {.record = record, .arena = a, .err = err};
    *out = (struct iceberg_manifest){
        .path = manifest_required_text(&f, 500, "manifest_path"),
        .length = manifest_natural(&f, 501, "manifest_length", INT64_MAX, MANIFEST_REQUIRED),
        .spec_id =
            (int32_t)manifest_natural(&f, 502, "partition_spec_id", INT32_MAX, MANIFEST_REQUIRED),
        .is_deletes = manifest_natural(&f, 517, "content", 1, 0) == 1,
        .sequence_number = manifest_natural(&f, 515, "sequence_number", INT64_MAX, 0),
        .min_sequence_number = manifest_natural(&f, 516, "min_sequence_number", INT64_MAX, 0),
        .snapshot_id = manifest_integer(&f, 503, "added_snapshot_id", -1),
        .added_files = manifest_natural(&f, 504, "added_files_count", INT32_MAX, -1),
        .existing_files = manifest_natural(&f, 505, "existing_files_count", INT32_MAX, -1),
        .deleted_files = manifest_natural(&f, 506, "deleted_files_count", INT32_MAX, -1),
        .added_rows = manifest_natural(&f, 512, "added_rows_count", INT64_MAX, -1),
        .existing_rows = manifest_natural(&f, 513, "existing_rows_count", INT64_MAX, -1),
        .deleted_rows = manifest_natural(&f, 514, "deleted_rows_count", INT64_MAX, -1),
        .first_row_id = manifest_natural(&f, 520, "first_row_id", INT64_MAX, -1),
    };
    if (manifest_bytes(&f, 519, "key_metadata").data) {
        return error_set(err, ERROR_CONFIG, "manifest \"%s\" is encrypted", out->path);
    }
    return decode_summaries(&f, out) && !f.failed;
}

bool iceberg_manifest_list_decode(struct str data, struct arena *a, struct iceberg_manifests *out,
                                  struct error *err)
{
    owned(avro_reader_free) struct avro_reader *r = avro_reader_new(data, err);
    if (!r) {
        return error_wrap(err, "manifest list");
    }
    owned(arena_release) struct arena scratch = {0};
    struct iceberg_manifests list = {0};
    uint32_t capacity = 0;
    for (;;) {
        const struct avro_value *record = NULL;
        if (scratch.bytes > SCRATCH_SIZE) {
            arena_release(&scratch);
        }
        if (!avro_reader_next(r, &scratch, &record, err)) {
            return error_wrap(err, "manifest list");
        }
        if (!record) {
            break;
        }
        if (list.count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            struct iceberg_manifest *more = arena_array(a, capacity, sizeof(*more));
            if (list.count > 0) {
                memcpy(more, list.items, list.count * sizeof(*more));
            }
            list.items = more;
        }
        if (!decode_manifest(record, a, &list.items[list.count], err)) {
            return error_wrap(err, "manifest list, entry %" PRIu32, list.count);
        }
        list.count++;
    }
    *out = list;
    return true;
}

/* --- encoding --- */

/* clang-format off */
static const char schema[] =
    AVRO_RECORD_OF("manifest_file",
        AVRO_REQUIRED("manifest_path", "\"string\"", 500) ","
        AVRO_REQUIRED("manifest_length", "\"long\"", 501) ","
        AVRO_REQUIRED("partition_spec_id", "\"int\"", 502) ","
        AVRO_REQUIRED("content", "\"int\"", 517) ","
        AVRO_REQUIRED("sequence_number", "\"long\"", 515) ","
        AVRO_REQUIRED("min_sequence_number", "\"long\"", 516) ","
        AVRO_REQUIRED("added_snapshot_id", "\"long\"", 503) ","
        AVRO_REQUIRED("added_files_count", "\"int\"", 504) ","
        AVRO_REQUIRED("existing_files_count", "\"int\"", 505) ","
        AVRO_REQUIRED("deleted_files_count", "\"int\"", 506) ","
        AVRO_REQUIRED("added_rows_count", "\"long\"", 512) ","
        AVRO_REQUIRED("existing_rows_count", "\"long\"", 513) ","
        AVRO_REQUIRED("deleted_rows_count", "\"long\"", 514) ","
        AVRO_OPTIONAL("partitions",
            AVRO_LIST_OF(AVRO_RECORD_OF("r508",
                AVRO_REQUIRED("contains_null", "\"boolean\"", 509) ","
                AVRO_OPTIONAL("contains_nan", "\"boolean\"", 518) ","
                AVRO_OPTIONAL("lower_bound", "\"bytes\"", 510) ","
                AVRO_OPTIONAL("upper_bound", "\"bytes\"", 511)), 508), 507) ","
        AVRO_OPTIONAL("key_metadata", "\"bytes\"", 519));
/* clang-format on */

static void put_optional_bytes(struct str v, struct buf *out)
{
    avro_put_long(v.data != NULL, out);
    if (v.data) {
        avro_put_bytes(v, out);
    }
}

static void put_summaries(const struct iceberg_manifest *m, struct buf *out)
{
    avro_put_long(m->partitions != NULL, out);
    if (!m->partitions) {
        return;
    }
    if (m->partition_count > 0) {
        avro_put_long(m->partition_count, out);
    }
    for (uint32_t i = 0; i < m->partition_count; i++) {
        const struct iceberg_partition_summary *s = &m->partitions[i];
        avro_put_boolean(s->contains_null, out);
        avro_put_long(s->has_contains_nan, out);
        if (s->has_contains_nan) {
            avro_put_boolean(s->contains_nan, out);
        }
        put_optional_bytes(s->lower, out);
        put_optional_bytes(s->upper, out);
    }
    avro_put_long(0, out);
}

static void put_manifest(const struct iceberg_manifest *m, int64_t sequence_number, struct buf *out)
{
    avro_put_bytes(str_from(m->path), out);
    avro_put_long(m->length, out);
    avro_put_long(m->spec_id, out);
    avro_put_long(m->is_deletes, out);
    avro_put_long(m->sequence_number < 0 ? sequence_number : m->sequence_number, out);
    avro_put_long(m->min_sequence_number < 0 ? sequence_number : m->min_sequence_number, out);
    avro_put_long(m->snapshot_id, out);
    avro_put_long(m->added_files, out);
    avro_put_long(m->existing_files, out);
    avro_put_long(m->deleted_files, out);
    avro_put_long(m->added_rows, out);
    avro_put_long(m->existing_rows, out);
    avro_put_long(m->deleted_rows, out);
    put_summaries(m, out);
    avro_put_long(0, out); /* key_metadata */
}

static bool check(const struct iceberg_manifest *m, struct error *err)
{
    if (m->added_files < 0 || m->existing_files < 0 || m->deleted_files < 0 || m->added_rows < 0 ||
        m->existing_rows < 0 || m->deleted_rows < 0) {
        return error_set(err, ERROR_DATA,
                         "manifest \"%s\": its counts are not known, which format version 2 wants",
                         m->path);
    }
    if (m->first_row_id >= 0) {
        return error_set(err, ERROR_DATA,
                         "manifest \"%s\" has row ids, which format version 2 cannot hold",
                         m->path);
    }
    return true;
}

bool iceberg_manifest_list_encode(const struct iceberg_manifests *manifests, int64_t snapshot_id,
                                  int64_t parent_id, int64_t sequence_number, struct buf *out,
                                  struct error *err)
{
    char texts[3][24];
    (void)snprintf(texts[0], sizeof(texts[0]), "%" PRId64, snapshot_id);
    (void)snprintf(texts[1], sizeof(texts[1]), "%" PRId64, parent_id);
    (void)snprintf(texts[2], sizeof(texts[2]), "%" PRId64, sequence_number);
    const struct avro_metadata metadata[] = {
        {"snapshot-id", str_from(texts[0])},
        {"parent-snapshot-id", str_from(parent_id == -1 ? "null" : texts[1])},
        {"sequence-number", str_from(texts[2])},
        {"format-version", str_from("2")},
    };
    owned(avro_writer_free) struct avro_writer *w =
        avro_writer_new(schema, metadata, sizeof(metadata) / sizeof(metadata[0]));
    owned(buf_release) struct buf record = {0};
    for (uint32_t i = 0; i < manifests->count; i++) {
        if (!check(&manifests->items[i], err)) {
            return false;
        }
        buf_clear(&record);
        put_manifest(&manifests->items[i], sequence_number, &record);
        avro_writer_add(w, buf_str(&record));
    }
    avro_writer_finish(&w, out);
    return true;
}
