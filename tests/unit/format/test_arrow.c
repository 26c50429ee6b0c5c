#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "format/arrow.h"
#include "test.h"

enum { GOLDEN_ROWS = 130, COLUMNS = 18 };

static const struct schema_column columns[COLUMNS] = {
    {.name = "id", .type = {.kind = TYPE_INT64}},
    {.name = "bool", .type = {.kind = TYPE_BOOL}},
    {.name = "int16", .type = {.kind = TYPE_INT16}},
    {.name = "int32", .type = {.kind = TYPE_INT32}},
    {.name = "float32", .type = {.kind = TYPE_FLOAT32}},
    {.name = "float64", .type = {.kind = TYPE_FLOAT64}},
    {.name = "decimal4", .type = {TYPE_DECIMAL, 4, 2}},
    {.name = "decimal9", .type = {TYPE_DECIMAL, 9, 3}},
    {.name = "decimal18", .type = {TYPE_DECIMAL, 18, 0}},
    {.name = "decimal38", .type = {TYPE_DECIMAL, 38, 10}},
    {.name = "string", .type = {.kind = TYPE_STRING}},
    {.name = "binary", .type = {.kind = TYPE_BINARY}},
    {.name = "date", .type = {.kind = TYPE_DATE}},
    {.name = "time", .type = {.kind = TYPE_TIME}},
    {.name = "timestamp", .type = {.kind = TYPE_TIMESTAMP}},
    {.name = "timestamptz", .type = {.kind = TYPE_TIMESTAMPTZ}},
    {.name = "uuid", .type = {.kind = TYPE_UUID}},
    {.name = "json", .type = {.kind = TYPE_JSON}},
};

static struct schema *make_schema(const struct schema_column *from, uint32_t count)
{
    struct schema *s = schema_new(count);
    memcpy(s->columns, from, count * sizeof(*from));
    schema_seal(s);
    return s;
}

#define set(b, column, row, ctype, value) (((ctype *)(b)->columns[column].values)[row] = (value))

static void set_text(struct batch *b, uint32_t column, uint32_t row, const char *before,
                     const char *behind)
{
    char text[64];
    int size = snprintf(text, sizeof(text), "%s%u%s", before, row, behind);
    batch_set_bytes(b, column, row, text, (size_t)size);
}

/* tests/quality/test_arrow.py computes the same values. */
static void fill_row(struct batch *b, uint32_t row)
{
    int i = (int)row;
    char bytes[GOLDEN_ROWS];
    struct uuid uuid;
    memset(bytes, i, sizeof(bytes));
    memset(&uuid, i, sizeof(uuid));
    set(b, 0, row, int64_t, (int64_t)i << 40);
    set(b, 1, row, uint8_t, i % 3 == 0);
    set(b, 2, row, int16_t, (int16_t)(i - 60));
    set(b, 3, row, int32_t, i * -100000);
    set(b, 4, row, float, (float)i / 4);
    set(b, 5, row, double, (double)i / 3);
    set(b, 6, row, int16_t, (int16_t)(i * 7 - 400));
    set(b, 7, row, int32_t, i * -7001);
    set(b, 8, row, int64_t, i * INT64_C(7000000000000001));
    set(b, 9, row, __int128, (__int128)INT64_MAX *INT64_MAX / 1000 * -i);
    set_text(b, 10, row, "row ", i % 5 == 0 ? ", länger als zwölf Bytes" : "");
    batch_set_bytes(b, 11, row, bytes, row);
    set(b, 12, row, int32_t, i * 100 - 5000);
    set(b, 13, row, int64_t, i * INT64_C(600000001));
    set(b, 14, row, int64_t, (i - 65) * INT64_C(86400000001));
    set(b, 15, row, int64_t, (i - 65) * INT64_C(3600000001));
    set(b, 16, row, struct uuid, uuid);
    set_text(b, 17, row, "{\"i\": ", "}");
    for (uint32_t c = 1; c < COLUMNS; c++) {
        if ((row + c) % 4 == 0) {
            batch_set_null(b, c, row);
        }
    }
}

static void append_rows(const struct schema *s, const struct batch *b, uint32_t first, uint32_t end,
                        struct buf *out)
{
    struct error err = {0};
    uint32_t next = first;
    assert_true(arrow_write_batch(s, b->columns, end, &next, 0, out, &err));
    assert_int_equal(next, end);
}

/* The bytes that pyarrow is proven to read. Batches begin at, before and behind whole words of
 * bits.
 */
static void all_types_are_written_as_readers_know_them(void **state)
{
    (void)state;
    struct schema *s = make_schema(columns, COLUMNS);
    struct batch *b = batch_new(s, 0, GOLDEN_ROWS);
    for (uint32_t row = 0; row < GOLDEN_ROWS; row++) {
        batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
        fill_row(b, row);
    }
    struct buf out = {0};
    arrow_write_schema(s, &out);
    append_rows(s, b, 0, 3, &out);
    append_rows(s, b, 3, 64, &out);
    append_rows(s, b, 64, 65, &out);
    append_rows(s, b, 65, 130, &out);
    arrow_write_end(&out);

    struct error err = {0};
    struct buf golden = {0};
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/arrow/all_types.arrows", getenv("GOLDEN"));
    if (getenv("GOLDEN_WRITE")) { /* after a change that pyarrow was asked about */
        assert_true(file_write(path, out.data, out.size, &err));
    }
    assert_true(file_read(path, 1 << 20, &golden, &err));
    assert_int_equal(out.size, golden.size);
    assert_memory_equal(out.data, golden.data, golden.size);
    buf_release(&golden);
    buf_release(&out);
    batch_release(b);
    schema_free(&s);
}

static uint32_t read_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Message.bodyLength, field 3 of the root table. */
static size_t body_length(const char *metadata)
{
    const char *table = metadata + read_u32(metadata);
    const char *vtable = table - (int32_t)read_u32(table);
    uint16_t at;
    int64_t length;
    memcpy(&at, vtable + 4 + 3 * 2, sizeof(at));
    memcpy(&length, table + at, sizeof(length));
    return (size_t)length;
}

/* Walks a stream from its first message to its end and returns how many there are. */
static uint32_t count_messages(const struct buf *stream)
{
    size_t at = 0;
    for (uint32_t count = 0;; count++) {
        assert_true(at + 8 <= stream->size);
        assert_int_equal(at % 8, 0);
        assert_int_equal(read_u32(stream->data + at), UINT32_MAX);
        uint32_t size = read_u32(stream->data + at + 4);
        at += 8;
        if (size == 0) {
            assert_int_equal(at, stream->size);
            return count;
        }
        assert_int_equal(size % 8, 0);
        at += size + body_length(stream->data + at);
    }
}

static void a_batch_ends_before_it_is_too_large(void **state)
{
    (void)state;
    enum { ROWS = 10, TEXT = 1000 };
    static const struct schema_column column = {.name = "text", .type = {.kind = TYPE_STRING}};
    struct schema *s = make_schema(&column, 1);
    struct batch *b = batch_new(s, 0, ROWS);
    char text[TEXT * 4];
    memset(text, 'x', sizeof(text));
    for (uint32_t row = 0; row < ROWS; row++) {
        batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
        batch_set_bytes(b, 0, row, text, row == 4 ? sizeof(text) : TEXT);
    }
    struct buf out = {0};
    struct error err = {0};
    uint32_t ends[8];
    uint32_t count = 0;
    arrow_write_schema(s, &out);
    for (uint32_t next = 0; next < ROWS;) {
        assert_true(arrow_write_batch(s, b->columns, ROWS, &next, 3100, &out, &err));
        ends[count++] = next;
    }
    arrow_write_end(&out);
    assert_int_equal(count, 5); /* the long text stands alone, though it is longer than allowed */
    assert_memory_equal(ends, ((uint32_t[]){3, 4, 5, 8, 10}), 5 * sizeof(*ends));
    assert_int_equal(count_messages(&out), 1 + count);
    buf_release(&out);
    batch_release(b);
    schema_free(&s);
}

static void a_stream_without_rows_is_schema_and_end(void **state)
{
    (void)state;
    struct schema *s = make_schema(columns, COLUMNS);
    struct buf out = {0};
    arrow_write_schema(s, &out);
    arrow_write_end(&out);
    assert_int_equal(count_messages(&out), 1);
    buf_release(&out);
    schema_free(&s);
}

static void refuses(enum type_kind kind, const void *value, const char *message)
{
    const struct schema_column column = {.name = "c", .type = {.kind = kind}};
    struct schema *s = make_schema(&column, 1);
    struct column c = {.type = column.type, .values = (void *)(uintptr_t)value};
    struct buf out = {0};
    struct error err = {0};
    uint32_t next = 0;
    assert_false(arrow_write_batch(s, &c, 1, &next, 0, &out, &err));
    assert_int_equal(err.kind, ERROR_DATA);
    assert_string_equal(err.message, message);
    assert_int_equal(next, 0);
    buf_release(&out);
    schema_free(&s);
}

static void what_arrow_cannot_hold_is_named(void **state)
{
    (void)state;
    refuses(TYPE_DATE, &(int32_t){INT32_MAX}, "column \"c\": Arrow has no infinity");
    refuses(TYPE_TIMESTAMP, &(int64_t){-INT64_MAX}, "column \"c\": Arrow has no -infinity");
    refuses(TYPE_TIMESTAMPTZ, &(int64_t){INT64_MAX}, "column \"c\": Arrow has no infinity");
    refuses(TYPE_TIME, &(int64_t){INT64_C(86400000000)}, "column \"c\": Arrow has no 24:00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_are_written_as_readers_know_them),
        cmocka_unit_test(a_batch_ends_before_it_is_too_large),
        cmocka_unit_test(a_stream_without_rows_is_schema_and_end),
        cmocka_unit_test(what_arrow_cannot_hold_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
