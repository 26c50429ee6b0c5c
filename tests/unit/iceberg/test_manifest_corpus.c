/* Manifests and lists that we did not write (of Spark, PyIceberg, BigQuery, DuckDB ...). They are
 * beside the repository or at LEAT_CORPORA; the sums are those of fastavro 1.13 over the same
 * files. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "format/avro.h"
#include "iceberg/manifest.h"
#include "test.h"

enum {
    LISTS = 65,
    MANIFESTS_IN_LISTS = 113,
    MANIFESTS = 67,
    ENTRIES = 5115,
    ROWS = 5598374,
    BYTES = 63383019,
    PARTITION_VALUES = 78,
    METRICS = 10443, /* columns of files of which a metric is known */
};

struct sums {
    uint64_t lists, manifests_in_lists;
    uint64_t manifests, entries, rows, bytes, partition_values, metrics;
};

static const char *root(void)
{
    static char path[512];
    const char *given = getenv("LEAT_CORPORA");
    (void)snprintf(path, sizeof(path), "%s/iceberg/duckdb",
                   given ? given : "../../shared/corpora"); /* tests run in the build directory */
    if (!file_exists(path)) {
        print_message("skipped: no corpora at %s; set LEAT_CORPORA\n", path);
        skip();
    }
    return path;
}

/* --- a table's metadata, as far as the header of a manifest tells it --- */

static struct type parse_type(const char *text)
{
    static const struct {
        const char *text;
        enum type_kind kind;
    } types[] = {
        {"boolean", TYPE_BOOL},   {"int", TYPE_INT32},
        {"long", TYPE_INT64},     {"float", TYPE_FLOAT32},
        {"double", TYPE_FLOAT64}, {"date", TYPE_DATE},
        {"time", TYPE_TIME},      {"timestamp", TYPE_TIMESTAMP},
        {"string", TYPE_STRING},  {"timestamptz", TYPE_TIMESTAMPTZ},
        {"uuid", TYPE_UUID},
    };
    struct type t = {.kind = TYPE_BINARY};
    if (strncmp(text, "decimal(", 8) == 0) {
        t.kind = TYPE_DECIMAL;
        t.precision = (uint8_t)strtoul(text + 8, NULL, 10);
        t.scale = (uint8_t)strtoul(strchr(text, ',') + 1, NULL, 10);
        return t;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(text, types[i].text) == 0) {
            t.kind = types[i].kind;
        }
    }
    return t;
}

static struct type result_type(const char *transform, const json_t *fields, json_int_t source_id)
{
    size_t i = 0;
    json_t *field = NULL;
    if (strcmp(transform, "day") == 0) {
        return (struct type){.kind = TYPE_DATE};
    }
    if (strcmp(transform, "identity") != 0 && strncmp(transform, "truncate", 8) != 0) {
        return (struct type){.kind = TYPE_INT32};
    }
    json_array_foreach(fields, i, field)
    {
        if (json_integer_value(json_object_get(field, "id")) == source_id) {
            return parse_type(json_string_value(json_object_get(field, "type")));
        }
    }
    fail_msg("no column %" PRId64, (int64_t)source_id);
    return (struct type){0};
}

static void spec_of(const struct avro_reader *r, struct arena *a, struct iceberg_spec *out)
{
    json_error_t where;
    struct str text = avro_reader_metadata(r, "partition-spec");
    struct str schema_text = avro_reader_metadata(r, "schema");
    struct str id = avro_reader_metadata(r, "partition-spec-id");
    *out = (struct iceberg_spec){.id = id.data ? (int32_t)strtol(id.data, NULL, 10) : 0};
    if (!text.data) {
        return;
    }
    json_t *spec = json_loads(text.data, 0, &where);
    json_t *schema = json_loads(schema_text.data, 0, &where);
    assert_non_null(spec);
    assert_non_null(schema);
    const json_t *array = json_is_array(spec) ? spec : json_object_get(spec, "fields");
    size_t i = 0;
    json_t *field = NULL;
    out->field_count = (uint32_t)json_array_size(array);
    out->fields = arena_array(a, out->field_count, sizeof(*out->fields));
    json_array_foreach(array, i, field)
    {
        const char *name = json_string_value(json_object_get(field, "name"));
        json_int_t source = json_integer_value(json_object_get(field, "source-id"));
        out->fields[i] = (struct iceberg_spec_field){
            .source_id = (int32_t)source,
            .field_id = (int32_t)json_integer_value(json_object_get(field, "field-id")),
            .name = arena_string(a, name, strlen(name)),
            .result = result_type(json_string_value(json_object_get(field, "transform")),
                                  json_object_get(schema, "fields"), source),
        };
    }
    json_decref(spec);
    json_decref(schema);
}

/* --- walking --- */

static void add_entry(const struct iceberg_entry *e, struct sums *sums)
{
    sums->entries++;
    sums->rows += (uint64_t)e->file.record_count;
    sums->bytes += (uint64_t)e->file.size;
    sums->metrics += e->file.metrics_count;
    for (uint32_t i = 0; i < e->file.partition_count; i++) {
        sums->partition_values += e->file.partition[i].data != NULL;
    }
    assert_true(e->sequence_number >= 0);
    assert_true(e->snapshot_id != -1);
}

static void read_file(const char *path, struct sums *sums)
{
    struct error err = {0};
    struct arena a = {0};
    struct buf file = {0};
    struct iceberg_spec spec;
    bool ok = file_read(path, 1 << 26, &file, &err);
    struct avro_reader *r = ok ? avro_reader_new(buf_str(&file), &err) : NULL;
    if (!r) {
        fail_msg("%s: %s", path, err.message);
        return;
    }
    if (strstr(avro_reader_metadata(r, "avro.schema").data, "\"manifest_file\"")) {
        struct iceberg_manifests list = {0};
        ok = iceberg_manifest_list_decode(buf_str(&file), &a, &list, &err);
        sums->lists++;
        sums->manifests_in_lists += list.count;
    } else {
        struct iceberg_entries entries = {0};
        struct iceberg_manifest m = {.path = path, .snapshot_id = 1, .sequence_number = 1};
        spec_of(r, &a, &spec);
        struct iceberg_metadata metadata = {.specs = &spec, .spec_count = 1};
        struct str version = avro_reader_metadata(r, "format-version");
        m.sequence_number = version.data && strcmp(version.data, "1") == 0 ? 0 : 1;
        ok = iceberg_manifest_decode(buf_str(&file), &m, &metadata, &a, &entries, &err);
        sums->manifests++;
        for (uint32_t i = 0; i < entries.count; i++) {
            add_entry(&entries.items[i], sums);
        }
    }
    if (!ok) {
        fail_msg("%s: %s", path, err.message);
    }
    avro_reader_free(&r);
    buf_release(&file);
    arena_release(&a);
}

static void walk(const char *path, void (*visit)(const char *path, struct sums *sums),
                 struct sums *sums)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char below[1024];
        (void)snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
        size_t size = strlen(e->d_name);
        if (e->d_name[0] == '.') {
            continue; /* checksums beside the files, too */
        }
        if (e->d_type == DT_DIR) {
            walk(below, visit, sums);
        } else if (size > 5 && strcmp(e->d_name + size - 5, ".avro") == 0) {
            visit(below, sums);
        }
    }
    (void)closedir(dir);
}

static void manifests_of_other_writers_say_what_another_reader_finds(void **state)
{
    (void)state;
    struct sums sums = {0};
    walk(root(), read_file, &sums);
    assert_int_equal(sums.lists, LISTS);
    assert_int_equal(sums.manifests_in_lists, MANIFESTS_IN_LISTS);
    assert_int_equal(sums.manifests, MANIFESTS);
    assert_int_equal(sums.entries, ENTRIES);
    assert_int_equal(sums.rows, ROWS);
    assert_int_equal(sums.bytes, BYTES);
    assert_int_equal(sums.partition_values, PARTITION_VALUES);
    assert_int_equal(sums.metrics, METRICS);
}

/* Every file cut off in many places: refused or, at the end of a block, read; never worse. */
static void cut_off(const char *path, struct sums *sums)
{
    struct error err = {0};
    struct buf file = {0};
    struct iceberg_spec spec = {0};
    struct iceberg_metadata metadata = {.specs = &spec, .spec_count = 1};
    struct iceberg_manifest m = {.path = path};
    assert_true(file_read(path, 1 << 26, &file, &err));
    for (size_t i = 1; i < 16; i++) {
        size_t size = file.size * i / 16;
        char *exact = malloc(size);
        assert_non_null(exact);
        memcpy(exact, file.data, size);
        struct arena a = {0};
        struct iceberg_manifests list = {0};
        struct iceberg_entries entries = {0};
        struct str data = {exact, size};
        err = (struct error){0};
        bool ok = iceberg_manifest_list_decode(data, &a, &list, &err);
        assert_true(ok || err.kind == ERROR_DATA);
        err = (struct error){0};
        ok = iceberg_manifest_decode(data, &m, &metadata, &a, &entries, &err);
        assert_true(ok || err.kind == ERROR_DATA);
        sums->lists++;
        arena_release(&a);
        free(exact);
    }
    buf_release(&file);
}

static void manifests_that_are_cut_off_are_refused_cleanly(void **state)
{
    (void)state;
    struct sums sums = {0};
    walk(root(), cut_off, &sums);
    assert_int_equal(sums.lists, (LISTS + MANIFESTS) * 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_of_other_writers_say_what_another_reader_finds),
        cmocka_unit_test(manifests_that_are_cut_off_are_refused_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
