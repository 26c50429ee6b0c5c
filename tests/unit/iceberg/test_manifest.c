#include <stdlib.h>

#include "format/avro.h"
#include "iceberg/manifest.h"
#include "manifest_fixture.h"
#include "test.h"

enum { SNAPSHOT = 99, SEQUENCE = 9 };

struct context {
    struct fixture table;
    struct arena arena;
    struct buf file;
};

static int set_up(void **state)
{
    struct context *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    fixture_init(&c->table);
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct context *c = *state;
    fixture_release(&c->table);
    arena_release(&c->arena);
    buf_release(&c->file);
    free(c);
    return 0;
}

static bool encode(struct context *c, struct iceberg_entry *entries, uint32_t count, uint32_t spec,
                   struct iceberg_manifest *m, struct error *err)
{
    bool is_deletes = count > 0 && entries[0].file.content != ICEBERG_DATA;
    struct iceberg_manifest_write write = {&c->table.metadata, &c->table.specs[spec], is_deletes,
                                           SNAPSHOT, SEQUENCE};
    buf_clear(&c->file);
    return iceberg_manifest_encode(&(struct iceberg_entries){entries, count}, &write, &c->arena,
                                   &c->file, m, err);
}

static struct iceberg_manifest encoded(struct context *c, struct iceberg_entry *entries,
                                       uint32_t count, uint32_t spec)
{
    struct error err = {0};
    struct iceberg_manifest m = {.path = "s3://b/m.avro", .sequence_number = SEQUENCE};
    bool ok = encode(c, entries, count, spec, &m, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
    assert_int_equal(m.length, c->file.size);
    return m;
}

static struct iceberg_entries decoded(struct context *c, const struct iceberg_manifest *m)
{
    struct error err = {0};
    struct iceberg_entries out = {0};
    bool ok =
        iceberg_manifest_decode(buf_str(&c->file), m, &c->table.metadata, &c->arena, &out, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
    return out;
}

static void same(struct str a, struct str b)
{
    assert_int_equal(a.data != NULL, b.data != NULL);
    assert_int_equal(a.size, b.size);
    if (a.data && b.data) {
        assert_memory_equal(a.data, b.data, a.size);
    }
}

static void metrics_are_the_same(const struct iceberg_file *a, const struct iceberg_file *b)
{
    assert_int_equal(a->metrics_count, b->metrics_count);
    for (uint32_t i = 0; i < a->metrics_count; i++) {
        const struct iceberg_metrics *x = &a->metrics[i];
        const struct iceberg_metrics *y = &b->metrics[i];
        assert_int_equal(x->field_id, y->field_id);
        assert_int_equal(x->size, y->size);
        assert_int_equal(x->value_count, y->value_count);
        assert_int_equal(x->null_count, y->null_count);
        assert_int_equal(x->nan_count, y->nan_count);
        same(x->lower, y->lower);
        same(x->upper, y->upper);
    }
}

static void files_are_the_same(const struct iceberg_file *a, const struct iceberg_file *b)
{
    assert_int_equal(a->content, b->content);
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->format, b->format);
    assert_int_equal(a->record_count, b->record_count);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->sort_order_id, b->sort_order_id);
    assert_int_equal(a->first_row_id, b->first_row_id);
    assert_int_equal(a->content_offset, b->content_offset);
    assert_int_equal(a->content_size, b->content_size);
    assert_int_equal(a->partition_count, b->partition_count);
    for (uint32_t i = 0; i < a->partition_count; i++) {
        same(a->partition[i], b->partition[i]);
    }
    metrics_are_the_same(a, b);
    assert_int_equal(a->split_offset_count, b->split_offset_count);
    for (uint32_t i = 0; i < a->split_offset_count; i++) {
        assert_int_equal(a->split_offsets[i], b->split_offsets[i]);
    }
    assert_int_equal(a->equality_id_count, b->equality_id_count);
    for (uint32_t i = 0; i < a->equality_id_count; i++) {
        assert_int_equal(a->equality_ids[i], b->equality_ids[i]);
    }
}

static void entry_is(const struct iceberg_entry *e, enum iceberg_status status, int64_t snapshot_id,
                     int64_t sequence_number, int64_t file_sequence_number)
{
    assert_int_equal(e->status, status);
    assert_int_equal(e->snapshot_id, snapshot_id);
    assert_int_equal(e->sequence_number, sequence_number);
    assert_int_equal(e->file_sequence_number, file_sequence_number);
}

/* --- manifests --- */

static void every_partition_type_and_metric_comes_back(void **state)
{
    struct context *c = *state;
    struct iceberg_entry entry = fixture_entry("s3://b/a.parquet");
    struct iceberg_manifest m = encoded(c, &entry, 1, 1);
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.count, 1);
    files_are_the_same(&out.items[0].file, &entry.file);
    assert_int_equal(out.items[0].spec_id, FIXTURE_SPEC_ID);
}

static void nulls_come_back_as_nulls(void **state)
{
    struct context *c = *state;
    struct str nulls[FIXTURE_FIELDS] = {{0}};
    struct iceberg_entry entry = fixture_entry("a");
    entry.file.partition = nulls;
    entry.file.metrics_count = 0;
    entry.file.split_offset_count = 0;
    entry.file.sort_order_id = -1;
    struct iceberg_manifest m = encoded(c, &entry, 1, 1);
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.count, 1);
    files_are_the_same(&out.items[0].file, &entry.file);
    for (uint32_t i = 0; i < m.partition_count; i++) {
        assert_true(m.partitions[i].contains_null);
        assert_null(m.partitions[i].lower.data);
        assert_null(m.partitions[i].upper.data);
    }
}

static void added_files_inherit_and_others_say_what_they_are(void **state)
{
    struct context *c = *state;
    struct iceberg_entry e[4] = {fixture_entry("a"), fixture_entry("b"), fixture_entry("c"),
                                 fixture_entry("d")};
    e[1].status = ICEBERG_EXISTING;
    e[1].snapshot_id = 77;
    e[1].sequence_number = 3;
    e[1].file_sequence_number = 4;
    e[2].status = ICEBERG_DELETED;
    e[2].snapshot_id = -653171173268680982; /* there are writers of such */
    e[2].sequence_number = 2;
    e[2].file_sequence_number = 2;
    e[3].sequence_number = 5; /* a rewrite keeps the number of its rows */
    struct iceberg_manifest m = encoded(c, e, 4, 1);
    assert_int_equal(m.min_sequence_number, 3);

    m.sequence_number = SEQUENCE + 1; /* as if the first attempt had lost */
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.count, 4);
    entry_is(&out.items[0], ICEBERG_ADDED, SNAPSHOT, SEQUENCE + 1, SEQUENCE + 1);
    entry_is(&out.items[1], ICEBERG_EXISTING, 77, 3, 4);
    entry_is(&out.items[2], ICEBERG_DELETED, -653171173268680982, 2, 2);
    entry_is(&out.items[3], ICEBERG_ADDED, SNAPSHOT, 5, SEQUENCE + 1);
    m.sequence_number = -1;
    out = decoded(c, &m);
    entry_is(&out.items[0], ICEBERG_ADDED, SNAPSHOT, -1, -1);
}

static void the_list_is_told_counts_and_bounds(void **state)
{
    struct context *c = *state;
    struct str other[FIXTURE_FIELDS];
    struct iceberg_entry e[3] = {fixture_entry("a"), fixture_entry("b"), fixture_entry("c")};
    memcpy(other, fixture_values, sizeof(other));
    other[0] = (struct str){0};
    other[1] = (struct str)FIXTURE_VALUE("\x05\x00\x00\x00");
    other[3] = (struct str)FIXTURE_VALUE("\x00\x00\xc0\x7f"); /* NaN */
    e[1].file.partition = other;
    e[1].file.record_count = 7;
    e[2].status = ICEBERG_DELETED;
    e[2].sequence_number = 1;
    struct iceberg_manifest m = encoded(c, e, 3, 1);
    assert_int_equal(m.added_files, 2);
    assert_int_equal(m.added_rows, 17);
    assert_int_equal(m.existing_files, 0);
    assert_int_equal(m.existing_rows, 0);
    assert_int_equal(m.deleted_files, 1);
    assert_int_equal(m.deleted_rows, 10);
    assert_int_equal(m.min_sequence_number, SEQUENCE);
    assert_int_equal(m.snapshot_id, SNAPSHOT);
    assert_int_equal(m.spec_id, FIXTURE_SPEC_ID);
    assert_false(m.is_deletes);
    assert_int_equal(m.partition_count, FIXTURE_FIELDS);
    assert_true(m.partitions[0].contains_null);
    assert_false(m.partitions[1].contains_null);
    same(m.partitions[1].lower, fixture_values[1]);
    same(m.partitions[1].upper, other[1]);
    assert_true(m.partitions[3].contains_nan);
    assert_false(m.partitions[4].contains_nan);
    same(m.partitions[3].lower, fixture_values[3]);
    same(m.partitions[3].upper, fixture_values[3]);
}

static void deletes_have_no_partition_in_an_unpartitioned_table(void **state)
{
    struct context *c = *state;
    int32_t ids[] = {3, 8};
    struct iceberg_entry e[2] = {fixture_entry("p"), fixture_entry("e")};
    for (size_t i = 0; i < 2; i++) {
        e[i].spec_id = 0;
        e[i].file.partition_count = 0;
    }
    e[0].file.content = ICEBERG_POSITION_DELETES;
    e[0].file.referenced_file = "s3://b/a.parquet";
    e[1].file.content = ICEBERG_EQUALITY_DELETES;
    e[1].file.equality_ids = ids;
    e[1].file.equality_id_count = 2;
    struct iceberg_manifest m = encoded(c, e, 2, 0);
    assert_true(m.is_deletes);
    assert_int_equal(m.partition_count, 0);
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.count, 2);
    files_are_the_same(&out.items[0].file, &e[0].file);
    files_are_the_same(&out.items[1].file, &e[1].file);
    assert_string_equal(out.items[0].file.referenced_file, "s3://b/a.parquet");
    assert_null(out.items[1].file.referenced_file);
}

static void many_entries_and_none_at_all_are_read(void **state)
{
    struct context *c = *state;
    enum { COUNT = 5000 };
    struct iceberg_entry *e = calloc(COUNT, sizeof(*e));
    assert_non_null(e);
    for (int i = 0; i < COUNT; i++) {
        e[i] = fixture_entry(arena_format(&c->arena, "s3://bucket/%d", i));
        e[i].file.record_count = i;
    }
    struct iceberg_manifest m = encoded(c, e, COUNT, 1);
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_string_equal(out.items[i].file.path, e[i].file.path);
        assert_int_equal(out.items[i].file.record_count, i);
    }
    free(e);
    m = encoded(c, NULL, 0, 0);
    assert_int_equal(m.min_sequence_number, SEQUENCE);
    assert_int_equal(decoded(c, &m).count, 0);
}

static void header_is(const struct avro_reader *r, const char *key, const char *expected)
{
    struct str v = avro_reader_metadata(r, key);
    assert_non_null(v.data);
    assert_string_equal(v.data, expected);
}

static void the_header_has_what_strict_readers_want(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    struct iceberg_entry entry = fixture_entry("a");
    (void)encoded(c, &entry, 1, 1);
    struct avro_reader *r = avro_reader_new(buf_str(&c->file), &err);
    assert_non_null(r);
    header_is(r, "format-version", "2");
    header_is(r, "content", "data");
    header_is(r, "schema-id", "3");
    header_is(r, "partition-spec-id", "5");
    json_error_t where;
    json_t *spec = json_loads(avro_reader_metadata(r, "partition-spec").data, 0, &where);
    json_t *specs = json_object_get(c->table.metadata.json, "partition-specs");
    assert_true(json_equal(spec, json_object_get(json_array_get(specs, 1), "fields")));
    json_t *schema = json_loads(avro_reader_metadata(r, "schema").data, 0, &where);
    json_t *schemas = json_object_get(c->table.metadata.json, "schemas");
    assert_true(json_equal(schema, json_array_get(schemas, 1)));
    json_t *avro = json_loads(avro_reader_metadata(r, "avro.schema").data, 0, &where);
    assert_string_equal(json_string_value(json_object_get(avro, "name")), "manifest_entry");
    json_decref(spec);
    json_decref(schema);
    json_decref(avro);
    avro_reader_free(&r);

    struct iceberg_entry deletes = fixture_entry("a");
    deletes.file.content = ICEBERG_POSITION_DELETES;
    (void)encoded(c, &deletes, 1, 1);
    r = avro_reader_new(buf_str(&c->file), &err);
    assert_non_null(r);
    header_is(r, "content", "deletes");
    avro_reader_free(&r);
}

static void refused(struct context *c, struct iceberg_entry *entry, const char *why)
{
    struct error err = {0};
    struct iceberg_manifest m = {0};
    assert_false(encode(c, entry, 1, 1, &m, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    if (!strstr(err.message, why) || !strstr(err.message, entry->file.path)) {
        fail_msg("%s", err.message);
    }
}

static void what_would_be_lost_or_misread_is_not_written(void **state)
{
    struct context *c = *state;
    struct str values[FIXTURE_FIELDS];
    struct iceberg_entry e = fixture_entry("the file");
    e.spec_id = 0;
    refused(c, &e, "another partition spec");
    e = fixture_entry("the file");
    e.status = ICEBERG_EXISTING;
    e.snapshot_id = 3;
    refused(c, &e, "no sequence number");
    e.sequence_number = 3;
    e.snapshot_id = -1;
    refused(c, &e, "without the snapshot");
    e = fixture_entry("the file");
    e.file.first_row_id = 0;
    refused(c, &e, "row ids");
    e = fixture_entry("the file");
    e.file.content = ICEBERG_POSITION_DELETES;
    e.file.content_offset = 4;
    refused(c, &e, "deletion vector");
    e = fixture_entry("the file");
    e.file.content = ICEBERG_EQUALITY_DELETES;
    refused(c, &e, "no columns");
    e = fixture_entry("the file");
    memcpy(values, fixture_values, sizeof(values));
    values[2].size = 3;
    e.file.partition = values;
    refused(c, &e, "\"large\"");
}

static void entries_of_the_other_content_are_not_written(void **state)
{
    struct context *c = *state;
    struct iceberg_entry e[2] = {fixture_entry("data"), fixture_entry("deletes")};
    struct error err = {0};
    struct iceberg_manifest m = {0};
    e[1].file.content = ICEBERG_POSITION_DELETES;
    assert_false(encode(c, e, 2, 1, &m, &err));
    assert_non_null(strstr(err.message, "\"deletes\""));
}

static void a_spec_with_an_unknown_transform_is_read_but_not_written(void **state)
{
    struct context *c = *state;
    struct iceberg_spec_field field = fixture_fields[8]; /* bytes */
    struct iceberg_entry entry = fixture_entry("a");
    struct iceberg_manifest m = encoded(c, &entry, 1, 1);
    struct error err = {0};
    field.transform.kind = LAKE_UNKNOWN;
    c->table.specs[1].fields = &field;
    c->table.specs[1].field_count = 1;
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.items[0].file.partition_count, 1);
    same(out.items[0].file.partition[0], fixture_values[8]);
    entry.file.partition_count = 1;
    assert_false(encode(c, &entry, 1, 1, &m, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "\"blob\""));
}

/* --- manifests of others --- */

/* One record with a schema and a header of the test's own. */
static void make_file(struct context *c, const char *schema, const char *version, struct str record)
{
    const struct avro_metadata metadata[] = {{"format-version", str_from(version ? version : "")}};
    struct avro_writer *w = avro_writer_new(schema, metadata, version ? 1 : 0);
    avro_writer_add(w, record);
    buf_clear(&c->file);
    avro_writer_finish(&w, &c->file);
}

/* Version 1: no content, no sequence numbers, a snapshot id that is required. */
static const char version1[] =
    "{\"type\":\"record\",\"name\":\"e\",\"fields\":["
    "{\"name\":\"st\",\"type\":\"int\",\"field-id\":0},"
    "{\"name\":\"sn\",\"type\":\"long\",\"field-id\":1},"
    "{\"name\":\"df\",\"field-id\":2,\"type\":{\"type\":\"record\",\"name\":\"f\",\"fields\":["
    "{\"name\":\"p\",\"type\":\"string\",\"field-id\":100},"
    "{\"name\":\"ff\",\"type\":\"string\",\"field-id\":101},"
    "{\"name\":\"pa\",\"field-id\":102,\"type\":{\"type\":\"record\",\"name\":\"t\",\"fields\":["
    "{\"name\":\"x\",\"type\":[\"null\",\"int\"],\"field-id\":1002}]}},"
    "{\"name\":\"rc\",\"type\":\"long\",\"field-id\":103},"
    "{\"name\":\"fs\",\"type\":\"long\",\"field-id\":104},"
    "{\"name\":\"bs\",\"type\":\"long\",\"field-id\":105},"
    "{\"name\":\"km\",\"type\":[\"null\",\"bytes\"],\"field-id\":131}]}}]}";

static void put_version1(int64_t status, int64_t record_count, const char *path, bool encrypted,
                         struct buf *out)
{
    avro_put_long(status, out);
    avro_put_long(55, out);
    avro_put_bytes(str_from(path), out);
    avro_put_bytes(str_from("parquet"), out);
    avro_put_long(1, out);
    avro_put_long(-1, out);
    avro_put_long(record_count, out);
    avro_put_long(1000, out);
    avro_put_long(67108864, out);
    avro_put_long(encrypted, out);
    if (encrypted) {
        avro_put_bytes(str_from("key"), out);
    }
}

static void version_1_has_sequence_number_0_and_names_do_not_matter(void **state)
{
    struct context *c = *state;
    struct buf record = {0};
    put_version1(ICEBERG_EXISTING, 12, "s3://b/v1", false, &record);
    make_file(c, version1, NULL, buf_str(&record));
    struct iceberg_manifest m = {.spec_id = FIXTURE_SPEC_ID, .snapshot_id = 56};
    struct iceberg_entries out = decoded(c, &m);
    assert_int_equal(out.count, 1);
    entry_is(&out.items[0], ICEBERG_EXISTING, 55, 0, 0);
    const struct iceberg_file *f = &out.items[0].file;
    assert_string_equal(f->path, "s3://b/v1");
    assert_string_equal(f->format, "parquet");
    assert_int_equal(f->content, ICEBERG_DATA);
    assert_int_equal(f->record_count, 12);
    assert_int_equal(f->partition_count, FIXTURE_FIELDS);
    assert_null(f->partition[0].data); /* not in the tuple: null */
    same(f->partition[2], (struct str)FIXTURE_VALUE("\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(f->metrics_count, 0);
    assert_int_equal(f->sort_order_id, -1);
    buf_release(&record);
}

static void not_decoded(struct context *c, const struct iceberg_manifest *m, enum error_kind kind,
                        const char *why)
{
    struct error err = {0};
    struct iceberg_entries out = {0};
    assert_false(
        iceberg_manifest_decode(buf_str(&c->file), m, &c->table.metadata, &c->arena, &out, &err));
    assert_int_equal(err.kind, kind);
    if (!strstr(err.message, why)) {
        fail_msg("%s", err.message);
    }
}

static void what_makes_no_sense_is_refused_by_name(void **state)
{
    struct context *c = *state;
    struct iceberg_manifest m = {.path = "m", .spec_id = FIXTURE_SPEC_ID, .sequence_number = 3};
    static const struct {
        int64_t status;
        int64_t record_count;
        const char *path;
        bool encrypted;
        const char *version;
        enum error_kind kind;
        const char *why;
    } cases[] = {
        {3, 1, "a", false, "1", ERROR_DATA, "\"status\" is out of range"},
        {1, -1, "a", false, "1", ERROR_DATA, "\"record_count\" is out of range"},
        {1, 1, "\xff", false, "1", ERROR_DATA, "\"file_path\" is not text"},
        {0, 1, "a", false, "1", ERROR_DATA, "\"a\" exists without a sequence number"},
        {1, 1, "a", true, "1", ERROR_CONFIG, "\"a\" is encrypted"},
        {1, 1, "a", false, "4", ERROR_CONFIG, "format version 4"},
        {1, 1, "a", false, "x", ERROR_DATA, "format-version = \"x\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf record = {0};
        put_version1(cases[i].status, cases[i].record_count, cases[i].path, cases[i].encrypted,
                     &record);
        make_file(c, version1, cases[i].version, buf_str(&record));
        not_decoded(c, &m, cases[i].kind, cases[i].why);
        buf_release(&record);
    }
    buf_clear(&c->file);
    buf_append_text(&c->file, "not Avro");
    not_decoded(c, &m, ERROR_DATA, "\"m\"");
    make_file(c, "\"long\"", "1", (struct str){"\x02", 1});
    not_decoded(c, &m, ERROR_DATA, "\"status\" is missing");
    m.spec_id = 4;
    not_decoded(c, &m, ERROR_DATA, "partition spec 4 is not in");
}

/* --- lists --- */

static void list_is(struct context *c, struct iceberg_manifests *out)
{
    struct error err = {0};
    bool ok = iceberg_manifest_list_decode(buf_str(&c->file), &c->arena, out, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
}

static void a_list_comes_back(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    struct iceberg_partition_summary summaries[] = {
        {true, true, true, FIXTURE_VALUE("a"), FIXTURE_VALUE("b")},
        {false, false, false, {NULL, 0}, {NULL, 0}},
        {false, true, false, FIXTURE_VALUE(""), FIXTURE_VALUE("")},
    };
    struct iceberg_manifest items[] = {
        {"s3://b/0", 1000, 5, false, 7, 6, 98, 1, 2, 3, 4, 5, 6, summaries, 3, -1},
        {"s3://b/1", 1001, 0, true, -1, -1, 99, 0, 0, 0, 0, 0, 0, NULL, 0, -1},
    };
    struct iceberg_manifests out = {0};
    assert_true(iceberg_manifest_list_encode(&(struct iceberg_manifests){items, 2}, SNAPSHOT, 98,
                                             SEQUENCE, &c->file, &err));
    list_is(c, &out);
    assert_int_equal(out.count, 2);
    const struct iceberg_manifest *m = &out.items[0];
    assert_string_equal(m->path, "s3://b/0");
    assert_int_equal(m->length, 1000);
    assert_int_equal(m->spec_id, 5);
    assert_false(m->is_deletes);
    assert_int_equal(m->sequence_number, 7);
    assert_int_equal(m->min_sequence_number, 6);
    assert_int_equal(m->snapshot_id, 98);
    assert_int_equal(m->added_files, 1);
    assert_int_equal(m->existing_files, 2);
    assert_int_equal(m->deleted_files, 3);
    assert_int_equal(m->added_rows, 4);
    assert_int_equal(m->existing_rows, 5);
    assert_int_equal(m->deleted_rows, 6);
    assert_int_equal(m->first_row_id, -1);
    assert_int_equal(m->partition_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(m->partitions[i].contains_null, summaries[i].contains_null);
        assert_int_equal(m->partitions[i].has_contains_nan, summaries[i].has_contains_nan);
        assert_int_equal(m->partitions[i].contains_nan, summaries[i].contains_nan);
        same(m->partitions[i].lower, summaries[i].lower);
        same(m->partitions[i].upper, summaries[i].upper);
    }
    assert_true(out.items[1].is_deletes);
    assert_int_equal(out.items[1].sequence_number, SEQUENCE);
    assert_int_equal(out.items[1].min_sequence_number, SEQUENCE);
    assert_null(out.items[1].partitions);
}

static void the_header_of_a_list_names_its_snapshot(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    static const struct {
        int64_t parent_id;
        const char *text;
    } cases[] = {{98, "98"}, {-1, "null"}};
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&c->file);
        assert_true(iceberg_manifest_list_encode(&(struct iceberg_manifests){0}, SNAPSHOT,
                                                 cases[i].parent_id, SEQUENCE, &c->file, &err));
        struct avro_reader *r = avro_reader_new(buf_str(&c->file), &err);
        assert_non_null(r);
        header_is(r, "snapshot-id", "99");
        header_is(r, "parent-snapshot-id", cases[i].text);
        header_is(r, "sequence-number", "9");
        header_is(r, "format-version", "2");
        avro_reader_free(&r);
    }
    struct iceberg_manifests out = {0};
    list_is(c, &out);
    assert_int_equal(out.count, 0);
}

static void a_list_of_version_1_says_less(void **state)
{
    struct context *c = *state;
    struct buf record = {0};
    avro_put_bytes(str_from("s3://b/v1.avro"), &record);
    avro_put_long(1234, &record);
    avro_put_long(0, &record);
    avro_put_long(55, &record);
    avro_put_long(1, &record);
    avro_put_long(6, &record);
    make_file(
        c,
        "{\"type\":\"record\",\"name\":\"manifest_file\",\"fields\":["
        "{\"name\":\"manifest_path\",\"type\":\"string\",\"field-id\":500},"
        "{\"name\":\"manifest_length\",\"type\":\"long\",\"field-id\":501},"
        "{\"name\":\"partition_spec_id\",\"type\":\"int\",\"field-id\":502},"
        "{\"name\":\"added_snapshot_id\",\"type\":\"long\",\"field-id\":503},"
        "{\"name\":\"added_data_files_count\",\"type\":[\"null\",\"int\"],\"field-id\":504}]}",
        NULL, buf_str(&record));
    struct iceberg_manifests out = {0};
    list_is(c, &out);
    assert_int_equal(out.count, 1);
    assert_string_equal(out.items[0].path, "s3://b/v1.avro");
    assert_int_equal(out.items[0].snapshot_id, 55);
    assert_int_equal(out.items[0].sequence_number, 0);
    assert_int_equal(out.items[0].min_sequence_number, 0);
    assert_int_equal(out.items[0].added_files, 6);
    assert_int_equal(out.items[0].existing_files, -1);
    assert_int_equal(out.items[0].added_rows, -1);
    assert_false(out.items[0].is_deletes);
    struct error err = {0};
    buf_clear(&c->file);
    assert_false(iceberg_manifest_list_encode(&out, SNAPSHOT, -1, SEQUENCE, &c->file, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_non_null(strstr(err.message, "counts"));
    buf_release(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_partition_type_and_metric_comes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nulls_come_back_as_nulls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(added_files_inherit_and_others_say_what_they_are, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_list_is_told_counts_and_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deletes_have_no_partition_in_an_unpartitioned_table, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_entries_and_none_at_all_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_header_has_what_strict_readers_want, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_would_be_lost_or_misread_is_not_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(entries_of_the_other_content_are_not_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_spec_with_an_unknown_transform_is_read_but_not_written,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(version_1_has_sequence_number_0_and_names_do_not_matter,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_header_of_a_list_names_its_snapshot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_version_1_says_less, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
