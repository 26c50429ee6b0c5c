#include <stdlib.h>

#include "base/clock.h"
#include "format/avro.h"
#include "format/avro_codec.h"

enum { BLOCK_SIZE = 1 << 16, SYNC_SIZE = 16 };

struct avro_writer {
    struct buf file;  /* header and whole blocks */
    struct buf block; /* records not yet in the file */
    int64_t block_count;
    uint8_t sync[SYNC_SIZE];
};

/* --- values [Avro 1.11, Binary Encoding] --- */

void avro_put_boolean(bool v, struct buf *out)
{
    buf_append_char(out, v ? 1 : 0);
}

/* Zigzag: numbers near zero are short, whatever their sign. */
void avro_put_long(int64_t v, struct buf *out)
{
    uint64_t n = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    char bytes[10];
    size_t size = 0;
    while (n >= 0x80) {
        bytes[size++] = (char)(uint8_t)(n | 0x80);
        n >>= 7;
    }
    bytes[size++] = (char)(uint8_t)n;
    buf_append(out, bytes, size);
}

/* Little-endian, as this machine is. */
void avro_put_float(float v, struct buf *out)
{
    buf_append(out, &v, sizeof(v));
}

void avro_put_double(double v, struct buf *out)
{
    buf_append(out, &v, sizeof(v));
}

void avro_put_bytes(struct str v, struct buf *out)
{
    avro_put_long((int64_t)v.size, out);
    buf_append(out, v.data, v.size);
}

/* --- files --- */

static void put_entry(const char *key, struct str value, struct buf *out)
{
    avro_put_bytes(str_from(key), out);
    avro_put_bytes(value, out);
}

struct avro_writer *avro_writer_new(const char *schema, const struct avro_metadata *metadata,
                                    uint32_t count)
{
    struct avro_writer *w = calloc(1, sizeof(*w));
    if (!w) {
        abort();
    }
    random_bytes(w->sync, sizeof(w->sync));
    buf_append(&w->file, "Obj\1", 4);
    avro_put_long((int64_t)count + 2, &w->file);
    put_entry("avro.schema", str_from(schema), &w->file);
    put_entry("avro.codec", str_from("deflate"), &w->file);
    for (uint32_t i = 0; i < count; i++) {
        put_entry(metadata[i].key, metadata[i].value, &w->file);
    }
    avro_put_long(0, &w->file);
    buf_append(&w->file, w->sync, sizeof(w->sync));
    return w;
}

static void flush(struct avro_writer *w)
{
    owned(buf_release) struct buf deflated = {0};
    avro_block_deflate(buf_str(&w->block), &deflated);
    avro_put_long(w->block_count, &w->file);
    avro_put_bytes(buf_str(&deflated), &w->file);
    buf_append(&w->file, w->sync, sizeof(w->sync));
    w->file.failed |= w->block.failed || deflated.failed;
    buf_clear(&w->block);
    w->block_count = 0;
}

void avro_writer_add(struct avro_writer *w, struct str record)
{
    buf_append(&w->block, record.data, record.size);
    w->block_count++;
    if (w->block.size >= BLOCK_SIZE || w->block.failed) {
        flush(w);
    }
}

void avro_writer_finish(struct avro_writer **w, struct buf *out)
{
    if ((*w)->block_count > 0) {
        flush(*w);
    }
    buf_append(out, (*w)->file.data, (*w)->file.size);
    out->failed |= (*w)->file.failed;
    avro_writer_free(w);
}

void avro_writer_free(struct avro_writer **w)
{
    if (*w) {
        buf_release(&(*w)->file);
        buf_release(&(*w)->block);
        free(take(*w));
    }
}
