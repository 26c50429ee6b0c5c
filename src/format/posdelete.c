#include "format/posdelete.h"

#include <assert.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <zstd.h>

#include "format/thrift.h"

/* Numbers of parquet.thrift. */
enum {
    TYPE_INT64 = 2,
    TYPE_BYTE_ARRAY = 6,
    REPETITION_REQUIRED = 0,
    CONVERTED_UTF8 = 0,
    LOGICAL_STRING = 1,
    ENCODING_PLAIN = 0,
    ENCODING_RLE = 3,
    ENCODING_RLE_DICTIONARY = 8,
    CODEC_ZSTD = 6,
    PAGE_DATA = 0,
    PAGE_DICTIONARY = 2,
};

enum {
    PATH_ID = 2147483546,
    POSITION_ID = 2147483545,
    PATH_SIZE_MAX = 1 << 20, /* bytes */
    PAGE_ROWS = 20000,
    ZSTD_LEVEL = 3,
};

static const char magic[] = "PAR1";

static const char iceberg_schema[] =
    "{\"type\":\"struct\",\"schema-id\":0,\"fields\":["
    "{\"id\":2147483546,\"name\":\"file_path\",\"required\":true,\"type\":\"string\"},"
    "{\"id\":2147483545,\"name\":\"pos\",\"required\":true,\"type\":\"long\"}]}";

/* What the footer says of a column chunk. */
struct chunk {
    const char *name;
    int32_t type;
    int32_t encoding;          /* of its data pages */
    int64_t dictionary_offset; /* 0: none */
    int64_t data_offset;
    int64_t size; /* with headers */
    int64_t uncompressed_size;
    int32_t page_count; /* data pages */
    struct str min;
    struct str max;
};

struct page {
    int32_t kind;
    int32_t encoding;
    int32_t value_count;
    struct str content;
};

/* --- pages --- */

static void write_page_header(const struct page *p, int32_t compressed_size, struct buf *out)
{
    struct thrift t = {.out = out};
    thrift_begin(&t);
    thrift_i32(&t, 1, p->kind);
    thrift_i32(&t, 2, (int32_t)p->content.size);
    thrift_i32(&t, 3, compressed_size);
    if (p->kind == PAGE_DATA) {
        thrift_struct(&t, 5);
        thrift_i32(&t, 1, p->value_count);
        thrift_i32(&t, 2, p->encoding);
        thrift_i32(&t, 3, ENCODING_RLE); /* of levels, of which required columns have none */
        thrift_i32(&t, 4, ENCODING_RLE);
    } else {
        thrift_struct(&t, 7);
        thrift_i32(&t, 1, p->value_count);
        thrift_i32(&t, 2, p->encoding);
    }
    thrift_end(&t);
    thrift_end(&t);
}

static void write_page(const struct page *p, struct chunk *c, struct buf *out)
{
    size_t bound = ZSTD_compressBound(p->content.size);
    char *compressed = malloc(bound);
    if (!compressed) {
        abort();
    }
    size_t size = ZSTD_compress(compressed, bound, p->content.data, p->content.size, ZSTD_LEVEL);
    assert(!ZSTD_isError(size) && size <= INT32_MAX);
    size_t start = out->size;
    write_page_header(p, (int32_t)size, out);
    size_t header = out->size - start;
    buf_append(out, compressed, size);
    free(compressed);
    c->size += (int64_t)(header + size);
    c->uncompressed_size += (int64_t)(header + p->content.size);
    c->page_count += p->kind == PAGE_DATA;
}

/* The path once, as the dictionary; then pages that name it for each row: a bit width of 1, and one
 * run of the index 0. */
static void write_paths(struct str path, uint64_t row_count, struct chunk *c, struct buf *out)
{
    owned(buf_release) struct buf content = {0};
    uint32_t size = (uint32_t)path.size;
    buf_append(&content, &size, sizeof(size)); /* little-endian, as this machine */
    buf_append(&content, path.data, path.size);
    c->dictionary_offset = (int64_t)out->size;
    write_page(&(struct page){PAGE_DICTIONARY, ENCODING_PLAIN, 1, buf_str(&content)}, c, out);
    c->data_offset = (int64_t)out->size;
    for (uint64_t row = 0; row < row_count; row += PAGE_ROWS) {
        uint64_t left = row_count - row;
        uint32_t count = left < PAGE_ROWS ? (uint32_t)left : PAGE_ROWS;
        buf_clear(&content);
        buf_append_char(&content, 1);
        uint32_t head = count << 1; /* lowest bit 0: a run */
        for (; head >= 0x80; head >>= 7) {
            buf_append_char(&content, (char)(uint8_t)(head | 0x80));
        }
        buf_append_char(&content, (char)(uint8_t)head);
        buf_append_char(&content, 0);
        write_page(
            &(struct page){PAGE_DATA, ENCODING_RLE_DICTIONARY, (int32_t)count, buf_str(&content)},
            c, out);
    }
}

static void write_positions(const roaring_bitmap_t *positions, struct chunk *c, struct buf *out)
{
    static_assert(sizeof(uint32_t) * PAGE_ROWS < 1 << 20, "a page's rows fit on the stack");
    uint32_t rows[PAGE_ROWS];
    owned(buf_release) struct buf content = {0};
    roaring_uint32_iterator_t *i = roaring_create_iterator(positions);
    if (!i) {
        abort();
    }
    c->data_offset = (int64_t)out->size;
    for (uint32_t count = roaring_read_uint32_iterator(i, rows, PAGE_ROWS); count > 0;
         count = roaring_read_uint32_iterator(i, rows, PAGE_ROWS)) {
        buf_clear(&content);
        for (uint32_t k = 0; k < count; k++) {
            int64_t row = rows[k];
            buf_append(&content, &row, sizeof(row));
        }
        write_page(&(struct page){PAGE_DATA, ENCODING_PLAIN, (int32_t)count, buf_str(&content)}, c,
                   out);
    }
    roaring_free_uint32_iterator(i);
}

/* --- footer --- */

static void write_column_schema(struct thrift *t, const char *name, int32_t type, int32_t id)
{
    thrift_begin(t);
    thrift_i32(t, 1, type);
    thrift_i32(t, 3, REPETITION_REQUIRED);
    thrift_bytes(t, 4, str_from(name));
    if (type == TYPE_BYTE_ARRAY) {
        thrift_i32(t, 6, CONVERTED_UTF8);
    }
    thrift_i32(t, 9, id);
    if (type == TYPE_BYTE_ARRAY) {
        thrift_struct(t, 10);
        thrift_struct(t, LOGICAL_STRING);
        thrift_end(t);
        thrift_end(t);
    }
    thrift_end(t);
}

static void write_schema(struct thrift *t)
{
    thrift_list(t, 2, THRIFT_STRUCT, 3);
    thrift_begin(t);
    thrift_bytes(t, 4, str_from("table"));
    thrift_i32(t, 5, 2); /* children */
    thrift_end(t);
    write_column_schema(t, "file_path", TYPE_BYTE_ARRAY, PATH_ID);
    write_column_schema(t, "pos", TYPE_INT64, POSITION_ID);
}

static void write_page_count(struct thrift *t, int32_t kind, int32_t encoding, int32_t count)
{
    thrift_begin(t);
    thrift_i32(t, 1, kind);
    thrift_i32(t, 2, encoding);
    thrift_i32(t, 3, count);
    thrift_end(t);
}

static void write_encodings(struct thrift *t, const struct chunk *c)
{
    bool has_dictionary = c->dictionary_offset > 0;
    thrift_list(t, 2, THRIFT_I32, has_dictionary ? 3 : 2);
    thrift_element_i32(t, ENCODING_PLAIN);
    thrift_element_i32(t, ENCODING_RLE);
    if (has_dictionary) {
        thrift_element_i32(t, ENCODING_RLE_DICTIONARY);
    }
}

static void write_statistics(struct thrift *t, const struct chunk *c)
{
    thrift_struct(t, 12);
    thrift_i64(t, 3, 0); /* nulls */
    thrift_bytes(t, 5, c->max);
    thrift_bytes(t, 6, c->min);
    thrift_bool(t, 7, true); /* exact, not truncated */
    thrift_bool(t, 8, true);
    thrift_end(t);
}

static void write_chunk(struct thrift *t, const struct chunk *c, int64_t row_count)
{
    bool has_dictionary = c->dictionary_offset > 0;
    thrift_begin(t);
    thrift_i64(t, 2, has_dictionary ? c->dictionary_offset : c->data_offset);
    thrift_struct(t, 3);
    thrift_i32(t, 1, c->type);
    write_encodings(t, c);
    thrift_list(t, 3, THRIFT_BINARY, 1);
    thrift_element_bytes(t, str_from(c->name));
    thrift_i32(t, 4, CODEC_ZSTD);
    thrift_i64(t, 5, row_count);
    thrift_i64(t, 6, c->uncompressed_size);
    thrift_i64(t, 7, c->size);
    thrift_i64(t, 9, c->data_offset);
    if (has_dictionary) {
        thrift_i64(t, 11, c->dictionary_offset);
    }
    write_statistics(t, c);
    thrift_list(t, 13, THRIFT_STRUCT, has_dictionary ? 2 : 1);
    if (has_dictionary) {
        write_page_count(t, PAGE_DICTIONARY, ENCODING_PLAIN, 1);
    }
    write_page_count(t, PAGE_DATA, c->encoding, c->page_count);
    thrift_end(t);
    thrift_end(t);
}

static void write_row_group(struct thrift *t, const struct chunk *paths,
                            const struct chunk *positions, int64_t row_count)
{
    thrift_list(t, 4, THRIFT_STRUCT, 1);
    thrift_begin(t);
    thrift_list(t, 1, THRIFT_STRUCT, 2);
    write_chunk(t, paths, row_count);
    write_chunk(t, positions, row_count);
    thrift_i64(t, 2, paths->uncompressed_size + positions->uncompressed_size);
    thrift_i64(t, 3, row_count);
    thrift_i64(t, 5, paths->dictionary_offset);
    thrift_i64(t, 6, paths->size + positions->size);
    thrift_end(t);
}

static void write_pair(struct thrift *t, const char *key, const char *value)
{
    thrift_begin(t);
    thrift_bytes(t, 1, str_from(key));
    thrift_bytes(t, 2, str_from(value));
    thrift_end(t);
}

static void write_footer(const struct chunk *paths, const struct chunk *positions,
                         int64_t row_count, struct buf *out)
{
    struct thrift t = {.out = out};
    thrift_begin(&t);
    thrift_i32(&t, 1, 1); /* version */
    write_schema(&t);
    thrift_i64(&t, 3, row_count);
    write_row_group(&t, paths, positions, row_count);
    thrift_list(&t, 5, THRIFT_STRUCT, 2);
    write_pair(&t, "delete-type", "position");
    write_pair(&t, "iceberg.schema", iceberg_schema);
    thrift_bytes(&t, 6, str_from("leat version " LEAT_VERSION));
    thrift_list(&t, 7, THRIFT_STRUCT, 2); /* the statistics are in the order of the types */
    for (int i = 0; i < 2; i++) {
        thrift_begin(&t);
        thrift_struct(&t, 1);
        thrift_end(&t);
        thrift_end(&t);
    }
    thrift_end(&t);
}

void posdelete_encode(struct str path, const struct roaring_bitmap_s *positions, struct buf *out)
{
    uint64_t row_count = roaring_bitmap_get_cardinality(positions);
    assert(row_count > 0);
    if (path.size > PATH_SIZE_MAX) {
        out->failed = true;
        return;
    }
    int64_t first = roaring_bitmap_minimum(positions);
    int64_t last = roaring_bitmap_maximum(positions);
    struct chunk paths = {.name = "file_path",
                          .type = TYPE_BYTE_ARRAY,
                          .encoding = ENCODING_RLE_DICTIONARY,
                          .min = path,
                          .max = path};
    struct chunk rows = {.name = "pos",
                         .type = TYPE_INT64,
                         .encoding = ENCODING_PLAIN,
                         .min = {(const char *)&first, sizeof(first)},
                         .max = {(const char *)&last, sizeof(last)}};
    owned(buf_release) struct buf file = {0}; /* of its own: offsets count from its start */
    buf_append(&file, magic, 4);
    write_paths(path, row_count, &paths, &file);
    write_positions(positions, &rows, &file);
    size_t start = file.size;
    write_footer(&paths, &rows, (int64_t)row_count, &file);
    uint32_t footer_size = (uint32_t)(file.size - start);
    buf_append(&file, &footer_size, sizeof(footer_size));
    buf_append(&file, magic, 4);
    buf_append(out, file.data, file.size);
    out->failed |= file.failed;
}
