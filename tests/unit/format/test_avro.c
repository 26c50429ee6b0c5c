/* Files of another writer (tests/golden/avro), what we write, and what is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "format/avro.h"
#include "test.h"

static const struct avro_value *field(const struct avro_value *record, const char *name)
{
    for (uint32_t i = 0; i < record->record.count; i++) {
        if (strcmp(record->record.fields[i].name, name) == 0) {
            return record->record.fields[i].value;
        }
    }
    fail_msg("no field %s", name);
    return NULL;
}

static void bytes_are(const struct avro_value *v, const void *data, size_t size)
{
    assert_non_null(v);
    assert_int_equal(v->kind, AVRO_BYTES);
    assert_int_equal(v->bytes.size, size);
    assert_memory_equal(v->bytes.data, data, size);
}

static void integer_is(const struct avro_value *v, int64_t expected)
{
    assert_non_null(v);
    assert_int_equal(v->kind, AVRO_LONG);
    assert_int_equal(v->integer, expected);
}

static struct avro_reader *open_reader(struct str data)
{
    struct error err = {0};
    struct avro_reader *r = avro_reader_new(data, &err);
    assert_string_equal(err.message, "");
    assert_non_null(r);
    return r;
}

static const struct avro_value *next(struct avro_reader *r, struct arena *a)
{
    struct error err = {0};
    const struct avro_value *record = NULL;
    bool ok = avro_reader_next(r, a, &record, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
    return record;
}

/* --- files of another writer --- */

static void odd_record_is_right(const struct avro_value *r, int64_t i)
{
    char text[128];
    (void)snprintf(
        text, sizeof(text), "text number %d %.*s", (int)i, (int)(i % 40) * 2,
        "abababababababababababababababababababababababababababababababababababababababab");
    bytes_are(avro_get(r, 6), text, strlen(text));
    assert_true(avro_get(r, 1)->boolean);
    assert_null(avro_get(r, 3));
    assert_null(avro_get(r, 12));
    integer_is(avro_get(r, 10), 1);
    integer_is(avro_get(avro_get(r, 15), 2), -(i - 1));
}

static void even_record_is_right(const struct avro_value *r, int64_t i)
{
    assert_false(avro_get(r, 1)->boolean);
    integer_is(avro_get(r, 3), i * 1000000000000000);
    assert_null(avro_get(r, 6));
    integer_is(avro_get(r, 10), 0);
    const struct avro_value *pairs = avro_get(r, 12);
    assert_int_equal(pairs->kind, AVRO_ARRAY);
    assert_int_equal(pairs->array.count, 2);
    integer_is(avro_get(&pairs->array.items[0], 117), 1);
    integer_is(avro_get(&pairs->array.items[0], 118), i);
    integer_is(avro_get(&pairs->array.items[1], 117), 2);
    integer_is(avro_get(&pairs->array.items[1], 118), -1);
    assert_null(avro_get(r, 15));
}

static void record_is_right(const struct avro_value *r, int64_t i)
{
    assert_int_equal(r->kind, AVRO_RECORD);
    integer_is(avro_get(r, 2), -i);
    assert_true(avro_get(r, 4)->number32 == (float)i / 2);
    assert_true(avro_get(r, 5)->number == (double)i / 4);
    bytes_are(avro_get(r, 7), (uint8_t[]){(uint8_t)i, 0, 255}, 3);
    bytes_are(avro_get(r, 8), "abcd", 4);
    bytes_are(avro_get(r, 9), "\0\1\2\3", 4);
    const struct avro_value *longs = avro_get(r, 11);
    assert_int_equal(longs->array.count, i % 5);
    for (uint32_t k = 0; k < longs->array.count; k++) {
        integer_is(&longs->array.items[k], k);
    }
    assert_int_equal(avro_get(r, 13)->array.count, 0);
    const struct avro_value *words = avro_get(r, 14);
    assert_int_equal(words->array.count, 1);
    bytes_are(field(&words->array.items[0], "key"), "k", 1);
    char value[32];
    (void)snprintf(value, sizeof(value), "v%d", (int)i);
    bytes_are(field(&words->array.items[0], "value"), value, strlen(value));
    assert_int_equal(field(r, "nameless")->kind, AVRO_NULL);
    if (i % 2 == 1) {
        odd_record_is_right(r, i);
    } else {
        even_record_is_right(r, i);
    }
}

static void golden(const char *name, struct buf *out)
{
    struct error err = {0};
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/avro/%s.avro", getenv("GOLDEN"), name);
    bool ok = file_read(path, 1 << 20, out, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
}

static void all_codecs_and_types_of_another_writer_are_read(void **state)
{
    (void)state;
    static const char *const codecs[] = {"null", "deflate", "snappy", "zstandard"};
    for (size_t c = 0; c < 4; c++) {
        struct buf file = {0};
        struct arena a = {0};
        golden(codecs[c], &file);
        struct avro_reader *r = open_reader(buf_str(&file));
        struct str codec = avro_reader_metadata(r, "avro.codec");
        assert_true(str_equal(codec, str_from(codecs[c])));
        assert_true(str_equal(avro_reader_metadata(r, "partition-spec-id"), str_from("7")));
        assert_null(avro_reader_metadata(r, "partition-spec").data);
        for (int64_t i = 0; i < 200; i++) {
            const struct avro_value *record = next(r, &a);
            assert_non_null(record);
            record_is_right(record, i);
        }
        assert_null(next(r, &a));
        assert_null(next(r, &a));
        avro_reader_free(&r);
        arena_release(&a);
        buf_release(&file);
    }
}

/* Reads all records; returns whether that went well, and how many there were. */
static bool read_all(struct str data, size_t *count, struct error *err)
{
    struct arena a = {0};
    struct avro_reader *r = avro_reader_new(data, err);
    const struct avro_value *record = NULL;
    bool ok = r != NULL;
    *count = 0;
    while (ok && (ok = avro_reader_next(r, &a, &record, err)) && record) {
        ++*count;
    }
    avro_reader_free(&r);
    arena_release(&a);
    return ok;
}

/* A file that ends where a block does is a whole one: the format has no end. */
static void a_file_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    static const char *const codecs[] = {"null", "deflate", "snappy", "zstandard"};
    for (size_t c = 0; c < 4; c++) {
        struct buf file = {0};
        golden(codecs[c], &file);
        size_t whole = 0;
        for (size_t size = 0; size < file.size; size += size < 3000 ? 1 : 97) {
            struct error err = {0};
            size_t count = 0;
            char *exact = malloc(size ? size : 1); /* the sanitizer sees a read past the end */
            assert_non_null(exact);
            memcpy(exact, file.data, size);
            if (read_all((struct str){exact, size}, &count, &err)) {
                whole++;
                assert_true(count < 200);
            } else {
                assert_int_equal(err.kind, ERROR_DATA);
            }
            free(exact);
        }
        assert_true(whole <= 4);
        buf_release(&file);
    }
}

static void a_changed_byte_of_a_compressed_block_is_noticed_by_its_checksum(void **state)
{
    (void)state;
    struct buf file = {0};
    golden("snappy", &file);
    for (size_t i = 3000; i < 3100; i++) {
        struct error err = {0};
        size_t count = 0;
        file.data[i] ^= 1;
        assert_false(read_all(buf_str(&file), &count, &err));
        assert_int_equal(err.kind, ERROR_DATA);
        file.data[i] ^= 1;
    }
    buf_release(&file);
}

/* --- what we write --- */

static void numbers_are_zigzag_and_variable_length(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t size;
    } cases[] = {
        /* the specification's examples */
        {0, "\x00", 1},
        {-1, "\x01", 1},
        {1, "\x02", 1},
        {-2, "\x03", 1},
        {2, "\x04", 1},
        {-64, "\x7f", 1},
        {64, "\x80\x01", 2},
        {INT64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        avro_put_long(cases[i].value, &out);
        assert_int_equal(out.size, cases[i].size);
        assert_memory_equal(out.data, cases[i].bytes, out.size);
        buf_release(&out);
    }
}

static const char two_fields[] =
    "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
    "{\"name\":\"n\",\"type\":\"long\",\"field-id\":1},"
    "{\"name\":\"t\",\"type\":[\"null\",\"string\"],\"default\":null,\"field-id\":2}]}";

static void what_is_written_is_read_over_many_blocks(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    const struct avro_metadata metadata[] = {{"content", {"data", 4}}, {"empty", {"", 0}}};
    struct avro_writer *w = avro_writer_new(two_fields, metadata, 2);
    struct buf record = {0};
    for (int64_t i = 0; i < COUNT; i++) {
        buf_clear(&record);
        avro_put_long(i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i, &record);
        avro_put_long(1, &record);
        avro_put_bytes(str_from("a few bytes that repeat"), &record);
        avro_writer_add(w, buf_str(&record));
    }
    struct buf file = {0};
    avro_writer_finish(&w, &file);
    assert_null(w);
    assert_false(file.failed);
    assert_true(file.size < COUNT * 8);

    struct arena a = {0};
    struct avro_reader *r = open_reader(buf_str(&file));
    assert_true(str_equal(avro_reader_metadata(r, "avro.schema"), str_from(two_fields)));
    assert_true(str_equal(avro_reader_metadata(r, "avro.codec"), str_from("deflate")));
    assert_true(str_equal(avro_reader_metadata(r, "content"), str_from("data")));
    assert_non_null(avro_reader_metadata(r, "empty").data);
    assert_int_equal(avro_reader_metadata(r, "empty").size, 0);
    for (int64_t i = 0; i < COUNT; i++) {
        const struct avro_value *v = next(r, &a);
        integer_is(avro_get(v, 1), i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i);
        bytes_are(avro_get(v, 2), "a few bytes that repeat", 23);
    }
    assert_null(next(r, &a));
    avro_reader_free(&r);
    arena_release(&a);
    buf_release(&record);
    buf_release(&file);
}

static void a_file_without_records_is_valid(void **state)
{
    (void)state;
    struct avro_writer *w = avro_writer_new(two_fields, NULL, 0);
    struct buf file = {0};
    struct error err = {0};
    size_t count = 1;
    avro_writer_finish(&w, &file);
    assert_true(read_all(buf_str(&file), &count, &err));
    assert_int_equal(count, 0);
    buf_release(&file);
}

static void two_files_have_different_sync_markers(void **state)
{
    (void)state;
    struct buf files[2] = {{0}, {0}};
    for (size_t i = 0; i < 2; i++) {
        struct avro_writer *w = avro_writer_new(two_fields, NULL, 0);
        avro_writer_finish(&w, &files[i]);
        assert_true(files[i].size > 16);
    }
    assert_int_equal(files[0].size, files[1].size);
    assert_memory_not_equal(files[0].data + files[0].size - 16, files[1].data + files[1].size - 16,
                            16);
    buf_release(&files[0]);
    buf_release(&files[1]);
}

/* --- what is wrong --- */

/* A file of the null codec: one block with these bytes as `count` records. */
static void make_file(const char *schema, int64_t count, struct str bytes, struct buf *out)
{
    buf_append(out, "Obj\1", 4);
    avro_put_long(1, out);
    avro_put_bytes(str_from("avro.schema"), out);
    avro_put_bytes(str_from(schema), out);
    avro_put_long(0, out);
    buf_append(out, "0123456789abcdef", 16);
    avro_put_long(count, out);
    avro_put_bytes(bytes, out);
    buf_append(out, "0123456789abcdef", 16);
}

static void refused(const char *schema, int64_t count, struct str bytes, const char *why)
{
    struct buf file = {0};
    struct error err = {0};
    size_t records = 0;
    make_file(schema, count, bytes, &file);
    assert_false(read_all(buf_str(&file), &records, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    if (!strstr(err.message, why)) {
        fail_msg("%s", err.message);
    }
    buf_release(&file);
}

static void accepted(const char *schema, int64_t count, struct str bytes)
{
    struct buf file = {0};
    struct error err = {0};
    size_t records = 0;
    make_file(schema, count, bytes, &file);
    bool ok = read_all(buf_str(&file), &records, &err);
    assert_string_equal(err.message, "");
    assert_true(ok);
    assert_int_equal(records, count);
    buf_release(&file);
}

static void schemas_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *why;
    } cases[] = {
        {"", "Avro schema"},
        {"{", "Avro schema"},
        {"7", "missing \"type\""},
        {"{}", "missing \"type\""},
        {"\"unheard\"", "nothing is named \"unheard\""},
        {"{\"type\":\"record\",\"name\":\"r\"}", "\"fields\""},
        {"{\"type\":\"record\",\"fields\":[]}", "\"name\""},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"type\":\"int\"}]}", "\"name\""},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\"}]}", "\"type\""},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\","
         "\"field-id\":4294967296}]}",
         "field-id"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}", "\"size\""},
        {"{\"type\":\"enum\",\"name\":\"f\"}", "\"symbols\""},
        {"{\"type\":\"array\"}", "\"type\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        refused(cases[i].schema, 0, (struct str){"", 0}, cases[i].why);
    }
}

static void a_schema_nested_too_deeply_is_refused(void **state)
{
    (void)state;
    struct buf schema = {0};
    for (size_t i = 0; i < 100; i++) {
        buf_append_text(&schema, "{\"type\":\"array\",\"items\":");
    }
    buf_append_text(&schema, "\"int\"");
    for (size_t i = 0; i < 100; i++) {
        buf_append_text(&schema, "}");
    }
    refused(buf_text(&schema), 0, (struct str){"", 0}, "nested");
    buf_release(&schema);
}

static void bytes_that_do_not_fit_the_schema_are_refused(void **state)
{
    (void)state;
    static const char why[] = "a record is not as the schema says";
    accepted("\"string\"", 2,
             (struct str){"\x02"
                          "a\x02"
                          "b",
                          4});
    refused("\"string\"", 1,
            (struct str){"\x04"
                         "a",
                         2},
            why);                                           /* longer than what is there */
    refused("\"string\"", 1, (struct str){"\x01", 1}, why); /* of -1 bytes */
    refused("\"string\"", 1, (struct str){"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}, why);
    accepted("\"int\"", 1, (struct str){"\xfe\xff\xff\xff\x0f", 5});
    refused("\"int\"", 1, (struct str){"\x80\x80\x80\x80\x10", 5}, why); /* 2^31 */
    refused("\"long\"", 1, (struct str){"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11}, why);
    refused("[\"null\",\"int\"]", 1, (struct str){"\x04", 1}, why); /* branch 2 */
    refused("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"]}", 1, (struct str){"\x02", 1},
            why);
    refused("\"int\"", 1, (struct str){"\x02\x02", 2}, "left over");
    refused("\"int\"", 3, (struct str){"\x02\x02", 2}, "more records than bytes");
    refused("\"int\"", -1, (struct str){"\x02", 1}, "cut off");
}

/* A snapshot id of a real manifest: its writer had more than 64 bits. */
static void bits_above_the_64th_are_dropped(void **state)
{
    (void)state;
    struct buf file = {0};
    struct arena a = {0};
    make_file("\"long\"", 1, (struct str){"\xab\xc4\xa3\x83\x96\xee\xc3\x90\x92\x02", 10}, &file);
    struct avro_reader *r = open_reader(buf_str(&file));
    integer_is(next(r, &a), -653171173268680982);
    avro_reader_free(&r);
    arena_release(&a);
    buf_release(&file);
}

static void arrays_come_in_blocks_with_or_without_a_size(void **state)
{
    (void)state;
    static const char longs[] = "{\"type\":\"array\",\"items\":\"long\"}";
    accepted(longs, 1, (struct str){"\x04\x02\x04\x02\x06\x00", 6});
    accepted(longs, 1, (struct str){"\x03\x04\x02\x04\x00", 5}); /* -2, then 2 bytes */
    accepted(longs, 1, (struct str){"\x00", 1});
    refused(longs, 1, (struct str){"\x04\x02\x04", 3}, "schema says");
}

/* Items that take no bytes could be claimed without end. */
static void a_claim_of_many_items_does_not_make_them(void **state)
{
    (void)state;
    static const char nulls[] = "{\"type\":\"array\",\"items\":\"null\"}";
    static const char claim[] = "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00";
    refused(nulls, 1, (struct str){claim, 11}, "schema says");
    refused("{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}}", 1,
            (struct str){claim, 11}, "schema says");
    /* the count -2^63 */
    refused(nulls, 1, (struct str){"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00", 12},
            "schema says");
}

static void a_record_that_contains_itself_forever_is_refused(void **state)
{
    (void)state;
    refused("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"next\",\"type\":\"r\"}]}",
            1, (struct str){"\x00", 1}, "schema says");
    refused("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"next\","
            "\"type\":[\"null\",\"r\"]}]}",
            1,
            (struct str){"\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02"
                         "\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02"
                         "\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x00",
                         51},
            "schema says");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_codecs_and_types_of_another_writer_are_read),
        cmocka_unit_test(a_file_that_is_cut_off_is_refused),
        cmocka_unit_test(a_changed_byte_of_a_compressed_block_is_noticed_by_its_checksum),
        cmocka_unit_test(numbers_are_zigzag_and_variable_length),
        cmocka_unit_test(what_is_written_is_read_over_many_blocks),
        cmocka_unit_test(a_file_without_records_is_valid),
        cmocka_unit_test(two_files_have_different_sync_markers),
        cmocka_unit_test(schemas_that_make_no_sense_are_refused),
        cmocka_unit_test(a_schema_nested_too_deeply_is_refused),
        cmocka_unit_test(bytes_that_do_not_fit_the_schema_are_refused),
        cmocka_unit_test(bits_above_the_64th_are_dropped),
        cmocka_unit_test(arrays_come_in_blocks_with_or_without_a_size),
        cmocka_unit_test(a_claim_of_many_items_does_not_make_them),
        cmocka_unit_test(a_record_that_contains_itself_forever_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
