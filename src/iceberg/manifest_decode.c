#include <inttypes.h>
#include <stdlib.h>

#include "format/avro.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_fields.h"
#include "iceberg/partition_value.h"

enum { SCRATCH_SIZE = 1 << 20, FORMAT_VERSION_MAX = 3 };

/* What all entries of a manifest share. */
struct decoder {
    const struct iceberg_manifest *manifest;
    const struct iceberg_spec *spec;
    struct partition_type *types; /* one per field of the spec */
    struct arena *arena;
    struct error *err;
};

/* --- header --- */

/* A number in the header; absent: *out is unchanged. */
static bool header_number(const struct avro_reader *r, const char *key, int32_t *out,
                          struct error *err)
{
    struct str text = avro_reader_metadata(r, key);
    if (!text.data) {
        return true;
    }
    char *end = NULL;
    long v = strtol(text.data, &end, 10);
    if (text.size == 0 || end != text.data + text.size || v < 0 || v > INT32_MAX) {
        return error_set(err, ERROR_DATA, "the header says %s = \"%.100s\"", key, text.data);
    }
    *out = (int32_t)v;
    return true;
}

static bool find_spec(struct decoder *d, const struct avro_reader *r,
                      const struct iceberg_metadata *m)
{
    int32_t version = 1;
    int32_t id = d->manifest->spec_id;
    if (!header_number(r, "format-version", &version, d->err) ||
        !header_number(r, "partition-spec-id", &id, d->err)) {
        return false;
    }
    if (version > FORMAT_VERSION_MAX) {
        (void)error_set(d->err, ERROR_CONFIG, "format version %" PRId32 " is not supported",
                        version);
        return false;
    }
    for (uint32_t i = 0; i < m->spec_count; i++) {
        if (m->specs[i].id == id) {
            d->spec = &m->specs[i];
        }
    }
    if (!d->spec) {
        (void)error_set(d->err, ERROR_DATA,
                        "partition spec %" PRId32 " is not in the table's metadata", id);
        return false;
    }
    d->types = arena_array(d->arena, d->spec->field_count, sizeof(*d->types));
    for (uint32_t i = 0; i < d->spec->field_count; i++) {
        d->types[i] = partition_type_of(m, &d->spec->fields[i]);
    }
    return true;
}

/* --- partition --- */

/* Some writers leave the tuple out where it has no fields. */
static bool decode_partition(struct decoder *d, struct manifest_fields *f, struct iceberg_file *out)
{
    out->partition_count = d->spec->field_count;
    if (out->partition_count == 0) {
        return true;
    }
    struct manifest_fields tuple = manifest_record(f, 102, "partition");
    if (tuple.failed) {
        return false;
    }
    out->partition = arena_array(d->arena, out->partition_count, sizeof(*out->partition));
    for (uint32_t i = 0; i < out->partition_count; i++) {
        const struct iceberg_spec_field *field = &d->spec->fields[i];
        const struct avro_value *v = avro_get(tuple.record, field->field_id);
        out->partition[i] = (struct str){0};
        if (v && !partition_value_decode(d->types[i], v, d->arena, &out->partition[i], d->err)) {
            return error_wrap(d->err, "partition field \"%s\"", field->name);
        }
    }
    return true;
}

/* --- metrics --- */

/* The maps from field ids: their own id, their keys' and values' ids, and what they are. */
enum { SIZES, VALUES, NULLS, NANS, LOWER, UPPER, MAP_COUNT };

static const struct {
    const char *name;
    int32_t id, key_id, value_id;
} maps[MAP_COUNT] = {
    [SIZES] = {"column_sizes", 108, 117, 118},      [VALUES] = {"value_counts", 109, 119, 120},
    [NULLS] = {"null_value_counts", 110, 121, 122}, [NANS] = {"nan_value_counts", 137, 138, 139},
    [LOWER] = {"lower_bounds", 125, 126, 127},      [UPPER] = {"upper_bounds", 128, 129, 130},
};

static int compare_ids(const void *a, const void *b)
{
    const struct iceberg_metrics *left = a;
    const struct iceberg_metrics *right = b;
    return (left->field_id > right->field_id) - (left->field_id < right->field_id);
}

/* Some writers give a pair's fields no ids, only the names that the convention for maps asks for.
 * Returns the pair as it should have been, in the caller's `fields` and `record`. */
static const struct avro_value *with_ids(const struct avro_value *pair, uint32_t map,
                                         struct avro_field fields[2], struct avro_value *record)
{
    if (pair->kind != AVRO_RECORD || pair->record.count != 2) {
        return pair;
    }
    memcpy(fields, pair->record.fields, 2 * sizeof(*fields));
    if (fields[0].id != -1 || fields[1].id != -1 || strcmp(fields[0].name, "key") != 0 ||
        strcmp(fields[1].name, "value") != 0) {
        return pair;
    }
    fields[0].id = maps[map].key_id;
    fields[1].id = maps[map].value_id;
    *record = (struct avro_value){.kind = AVRO_RECORD, .record = {fields, 2}};
    return record;
}

/* One map's pair, put where it belongs among the metrics of all columns, or (metrics NULL) only
 * looked at for its key. */
static int32_t decode_pair(struct manifest_fields *f, uint32_t map, const struct avro_value *pair,
                           struct iceberg_metrics *metrics, uint32_t count)
{
    struct avro_field fields[2];
    struct avro_value record;
    struct manifest_fields p = {
        .record = with_ids(pair, map, fields, &record), .arena = f->arena, .err = f->err};
    struct iceberg_metrics key = {.field_id = (int32_t)manifest_natural(
                                      &p, maps[map].key_id, "key", INT32_MAX, MANIFEST_REQUIRED)};
    struct iceberg_metrics *m =
        metrics ? bsearch(&key, metrics, count, sizeof(*metrics), compare_ids) : NULL;
    if (m && map >= LOWER) {
        struct str bound = manifest_bytes(&p, maps[map].value_id, "value");
        *(map == LOWER ? &m->lower : &m->upper) = bound;
    } else if (m) {
        int64_t v = manifest_integer(&p, maps[map].value_id, "value", -1);
        *(map == SIZES    ? &m->size
          : map == VALUES ? &m->value_count
          : map == NULLS  ? &m->null_count
                          : &m->nan_count) = v < 0 ? -1 : v;
    }
    f->failed |= p.failed;
    return key.field_id;
}

/* The columns that any of the maps speaks of, in order, each once. */
static uint32_t collect_columns(struct manifest_fields *f,
                                const struct avro_value *const arrays[MAP_COUNT],
                                struct iceberg_metrics **out)
{
    size_t total = 0;
    for (uint32_t map = 0; map < MAP_COUNT; map++) {
        total += arrays[map] ? arrays[map]->array.count : 0;
    }
    if (total == 0) {
        return 0;
    }
    struct iceberg_metrics *all = calloc(total, sizeof(*all));
    if (!all) {
        abort();
    }
    size_t n = 0;
    for (uint32_t map = 0; map < MAP_COUNT; map++) {
        for (uint32_t i = 0; arrays[map] && i < arrays[map]->array.count && !f->failed; i++) {
            int32_t id = decode_pair(f, map, &arrays[map]->array.items[i], NULL, 0);
            all[n++] = (struct iceberg_metrics){
                .field_id = id, .size = -1, .value_count = -1, .null_count = -1, .nan_count = -1};
        }
    }
    qsort(all, n, sizeof(*all), compare_ids);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (count == 0 || all[count - 1].field_id != all[i].field_id) {
            all[count++] = all[i];
        }
    }
    *out = arena_copy(f->arena, all, count * sizeof(*all));
    free(all);
    return count;
}

static void decode_metrics(struct manifest_fields *f, struct iceberg_file *out)
{
    const struct avro_value *arrays[MAP_COUNT];
    for (uint32_t map = 0; map < MAP_COUNT; map++) {
        arrays[map] = manifest_array(f, maps[map].id, maps[map].name);
    }
    out->metrics_count = collect_columns(f, arrays, &out->metrics);
    for (uint32_t map = 0; map < MAP_COUNT; map++) {
        for (uint32_t i = 0; arrays[map] && i < arrays[map]->array.count && !f->failed; i++) {
            (void)decode_pair(f, map, &arrays[map]->array.items[i], out->metrics,
                              out->metrics_count);
        }
    }
}

/* --- files and entries --- */

static void wrong_element(struct manifest_fields *f, const char *name)
{
    f->failed = true;
    (void)error_set(f->err, ERROR_DATA,
                    "manifest field \"%s\" has an element that is no id or offset", name);
}

static void decode_lists(struct manifest_fields *f, struct iceberg_file *out)
{
    const struct avro_value *offsets = manifest_array(f, 132, "split_offsets");
    const struct avro_value *ids = manifest_array(f, 135, "equality_ids");
    out->split_offset_count = offsets ? offsets->array.count : 0;
    out->equality_id_count = ids ? ids->array.count : 0;
    out->split_offsets = arena_array(f->arena, out->split_offset_count, sizeof(int64_t));
    out->equality_ids = arena_array(f->arena, out->equality_id_count, sizeof(int32_t));
    for (uint32_t i = 0; i < out->split_offset_count; i++) {
        const struct avro_value *v = &offsets->array.items[i];
        if (v->kind != AVRO_LONG) {
            wrong_element(f, "split_offsets");
            return;
        }
        out->split_offsets[i] = v->integer;
    }
    for (uint32_t i = 0; i < out->equality_id_count; i++) {
        const struct avro_value *v = &ids->array.items[i];
        if (v->kind != AVRO_LONG || v->integer < 0 || v->integer > INT32_MAX) {
            wrong_element(f, "equality_ids");
            return;
        }
        out->equality_ids[i] = (int32_t)v->integer;
    }
}

static bool decode_file(struct decoder *d, struct manifest_fields *f, struct iceberg_file *out)
{
    *out = (struct iceberg_file){
        .path = manifest_required_text(f, 100, "file_path"),
        .content = (enum iceberg_content)manifest_natural(f, 134, "content",
                                                          ICEBERG_EQUALITY_DELETES, ICEBERG_DATA),
        .format = manifest_required_text(f, 101, "file_format"),
        .record_count = manifest_natural(f, 103, "record_count", INT64_MAX, MANIFEST_REQUIRED),
        .size = manifest_natural(f, 104, "file_size_in_bytes", INT64_MAX, MANIFEST_REQUIRED),
        .sort_order_id = (int32_t)manifest_natural(f, 140, "sort_order_id", INT32_MAX, -1),
        .referenced_file = manifest_text(f, 143, "referenced_data_file"),
        .content_offset = manifest_natural(f, 144, "content_offset", INT64_MAX, -1),
        .content_size = manifest_natural(f, 145, "content_size_in_bytes", INT64_MAX, -1),
        .first_row_id = manifest_natural(f, 142, "first_row_id", INT64_MAX, -1),
    };
    if (manifest_bytes(f, 131, "key_metadata").data) {
        return error_set(d->err, ERROR_CONFIG, "file \"%s\" is encrypted", out->path);
    }
    decode_metrics(f, out);
    decode_lists(f, out);
    return (!f->failed && decode_partition(d, f, out)) ||
           error_wrap(d->err, "file \"%s\"", out->path ? out->path : "");
}

/* [Iceberg spec, Sequence Number Inheritance] Only added files may leave their numbers to the
 * manifest; in manifests of format version 1 all are 0. */
static bool inherit(const struct iceberg_manifest *manifest, struct iceberg_entry *e,
                    struct error *err)
{
    int64_t number = manifest->sequence_number;
    bool inherits = e->status == ICEBERG_ADDED || number == 0;
    if (e->snapshot_id == -1) { /* others may be negative */
        e->snapshot_id = manifest->snapshot_id;
    }
    if (e->sequence_number < 0 && inherits) {
        e->sequence_number = number;
    }
    if (e->file_sequence_number < 0 && inherits) {
        e->file_sequence_number = number;
    }
    return e->status != ICEBERG_EXISTING || e->sequence_number >= 0 || number < 0 ||
           error_set(err, ERROR_DATA, "file \"%s\" exists without a sequence number", e->file.path);
}

static bool decode_entry(struct decoder *d, const struct avro_value *record,
                         struct iceberg_entry *out)
{
    struct manifest_fields f = {.record = record, .arena = d->arena, .err = d->err};
    *out = (struct iceberg_entry){
        .status = (enum iceberg_status)manifest_natural(&f, 0, "status", ICEBERG_DELETED,
                                                        MANIFEST_REQUIRED),
        .snapshot_id = manifest_integer(&f, 1, "snapshot_id", -1),
        .sequence_number = manifest_natural(&f, 3, "sequence_number", INT64_MAX, -1),
        .file_sequence_number = manifest_natural(&f, 4, "file_sequence_number", INT64_MAX, -1),
        .spec_id = d->spec->id,
    };
    struct manifest_fields file = manifest_record(&f, 2, "data_file");
    return !f.failed && decode_file(d, &file, &out->file) && inherit(d->manifest, out, d->err);
}

static bool decode_entries(struct decoder *d, struct avro_reader *r, struct iceberg_entries *out)
{
    owned(arena_release) struct arena scratch = {0};
    struct iceberg_entries entries = {0};
    uint32_t capacity = 0;
    for (;;) {
        const struct avro_value *record = NULL;
        if (scratch.bytes > SCRATCH_SIZE) {
            arena_release(&scratch);
        }
        if (!avro_reader_next(r, &scratch, &record, d->err)) {
            return false;
        }
        if (!record) {
            break;
        }
        if (entries.count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            struct iceberg_entry *more = arena_array(d->arena, capacity, sizeof(*more));
            if (entries.count > 0) {
                memcpy(more, entries.items, entries.count * sizeof(*more));
            }
            entries.items = more;
        }
        if (!decode_entry(d, record, &entries.items[entries.count])) {
            return error_wrap(d->err, "entry %" PRIu32, entries.count);
        }
        entries.count++;
    }
    *out = entries;
    return true;
}

bool iceberg_manifest_decode(struct str data, const struct iceberg_manifest *manifest,
                             const struct iceberg_metadata *metadata, struct arena *a,
                             struct iceberg_entries *out, struct error *err)
{
    struct decoder d = {.manifest = manifest, .arena = a, .err = err};
    owned(avro_reader_free) struct avro_reader *r = avro_reader_new(data, err);
    return (r && find_spec(&d, r, metadata) && decode_entries(&d, r, out)) ||
           error_wrap(err, "manifest \"%s\"", manifest->path ? manifest->path : "");
}
