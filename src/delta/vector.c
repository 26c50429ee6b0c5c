#include "delta/vector.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/reader.h"
#include "delta/path.h"
#include "delta/z85.h"
#include "format/bitmap.h"

enum {
    VERSION = 1,
    UUID_CHARACTERS = 20,
    VECTOR_SIZE_MAX = 1 << 30,
};

static void free_bitmap(roaring_bitmap_t **b)
{
    if (*b) {
        roaring_bitmap_free(take(*b));
    }
}

/* --- descriptors --- */

/* "ab^-aqEH.-t@S}K{vb[*k^" -> "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin" */
static bool relative_key(const char *text, struct buf *out, struct error *err)
{
    size_t size = strlen(text);
    owned(buf_release) struct buf id = {0};
    if (size < UUID_CHARACTERS ||
        !z85_decode((struct str){text + size - UUID_CHARACTERS, UUID_CHARACTERS}, &id, err) ||
        id.size != 16) {
        return error_set(err, ERROR_DATA, "\"%s\" does not name a deletion vector", text);
    }
    if (size > UUID_CHARACTERS) {
        buf_append(out, text, size - UUID_CHARACTERS);
        buf_append_char(out, '/');
    }
    buf_append_text(out, "deletion_vector_");
    for (size_t i = 0; i < 16; i++) {
        buf_append_format(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                          (unsigned)(uint8_t)id.data[i]);
    }
    buf_append_text(out, ".bin");
    return true;
}

/* Cuts the bytes of one vector out of a file: size, bytes, checksum. */
static bool cut(struct str file, const struct delta_vector *v, struct str *out, struct error *err)
{
    struct reader r = reader_from(file.data, file.size);
    if (reader_u8(&r) != VERSION) {
        return error_set(err, ERROR_DATA, "the file is not of version %d", VERSION);
    }
    int64_t offset = v->has_offset ? v->offset : 1;
    if (offset < 1 || !reader_bytes(&r, (size_t)offset - 1)) {
        return error_set(err, ERROR_DATA, "offset %" PRId64 " is outside of %zu bytes", offset,
                         file.size);
    }
    if (!bitmap_cut(&r, out, err)) {
        return false;
    }
    if ((int64_t)out->size != v->size) {
        return error_set(err, ERROR_DATA,
                         "%zu bytes at offset %" PRId64 " are not the %" PRId64
                         " that the log says",
                         out->size, offset, v->size);
    }
    return true;
}

static roaring_bitmap_t *read_file(struct store *store, const struct delta_vector *v,
                                   struct error *err)
{
    owned(buf_release) struct buf key = {0};
    owned(buf_release) struct buf file = {0};
    struct str bytes = {0};
    bool named = v->storage[0] == 'p' ? delta_path_key(v->text, &key, err)
                                      : relative_key(v->text, &key, err);
    if (!named || !store_get(store, buf_text(&key), VECTOR_SIZE_MAX, &file, err) ||
        !cut(buf_str(&file), v, &bytes, err)) {
        (void)error_wrap(err, "deletion vector \"%s\"", buf_text(&key));
        return NULL;
    }
    return bitmap_decode(bytes, err);
}

static roaring_bitmap_t *read_inline(const struct delta_vector *v, struct error *err)
{
    owned(buf_release) struct buf bytes = {0};
    if (!z85_decode(str_from(v->text), &bytes, err)) {
        return NULL;
    }
    if (v->size < 0 || (uint64_t)v->size > bytes.size) {
        (void)error_set(err, ERROR_DATA, "an inline deletion vector has %zu bytes, not %" PRId64,
                        bytes.size, v->size);
        return NULL;
    }
    return bitmap_decode((struct str){bytes.data, (size_t)v->size}, err);
}

roaring_bitmap_t *delta_vector_read(struct store *store, const struct delta_vector *v,
                                    uint64_t row_count, struct error *err)
{
    owned(free_bitmap) roaring_bitmap_t *out = NULL;
    if (strcmp(v->storage, "u") == 0 || strcmp(v->storage, "p") == 0) {
        out = read_file(store, v, err);
    } else if (strcmp(v->storage, "i") == 0) {
        out = read_inline(v, err);
    } else {
        (void)error_set(err, ERROR_CONFIG, "a deletion vector has the storage type \"%s\"",
                        v->storage);
    }
    if (!out) {
        return NULL;
    }
    uint64_t cardinality = roaring_bitmap_get_cardinality(out);
    if ((int64_t)cardinality != v->cardinality) {
        (void)error_set(err, ERROR_DATA, "a deletion vector has %" PRIu64 " rows, not %" PRId64,
                        cardinality, v->cardinality);
        return NULL;
    }
    if (cardinality > 0 && roaring_bitmap_maximum(out) >= row_count) {
        (void)error_set(err, ERROR_DATA,
                        "a deletion vector deletes row %" PRIu32 " of a file of %" PRIu64 " rows",
                        roaring_bitmap_maximum(out), row_count);
        return NULL;
    }
    return take(out);
}

/* --- writing --- */

void delta_vector_file_begin(struct delta_vector_file *f)
{
    *f = (struct delta_vector_file){0};
    random_uuid(f->id);
    buf_append_char(&f->bytes, VERSION);
}

void delta_vector_file_release(struct delta_vector_file *f)
{
    buf_release(&f->bytes);
}

char *delta_vector_file_key(const struct delta_vector_file *f, struct arena *a)
{
    return arena_format(a, "deletion_vector_%s.bin", f->id);
}

static void append_u32(struct buf *out, uint32_t v)
{
    uint32_t big = __builtin_bswap32(v);
    buf_append(out, &big, sizeof(big));
}

/* The 16 bytes of the file's name as z85. */
static char *id_text(const char *id, struct arena *a)
{
    char bytes[16];
    size_t n = 0;
    for (const char *p = id; n < sizeof(bytes); p += 2) {
        p += *p == '-';
        char pair[3] = {p[0], p[1], '\0'};
        bytes[n++] = (char)strtoul(pair, NULL, 16);
    }
    owned(buf_release) struct buf text = {0};
    z85_encode((struct str){bytes, sizeof(bytes)}, &text);
    return arena_string(a, text.data, text.size);
}

const struct delta_vector *delta_vector_file_add(struct delta_vector_file *f,
                                                 const roaring_bitmap_t *deleted, struct arena *a)
{
    size_t portable = roaring_bitmap_portable_size_in_bytes(deleted);
    size_t size = 4 + 8 + 4 + portable;
    assert(size <= VECTOR_SIZE_MAX);
    char *bytes = malloc(size);
    if (!bytes) {
        abort();
    }
    uint32_t magic = BITMAP_MAGIC; /* this machine is little-endian, as these are */
    uint64_t count = 1;
    memcpy(bytes, &magic, 4);
    memcpy(bytes + 4, &count, 8);
    memset(bytes + 12, 0, 4); /* key: the upper 32 bits of the rows */
    (void)roaring_bitmap_portable_serialize(deleted, bytes + 16);

    struct delta_vector *v = arena_zalloc(a, sizeof(*v));
    *v = (struct delta_vector){.storage = "u",
                               .text = id_text(f->id, a),
                               .offset = (int64_t)f->bytes.size,
                               .has_offset = true,
                               .size = (int64_t)size,
                               .cardinality = (int64_t)roaring_bitmap_get_cardinality(deleted)};
    append_u32(&f->bytes, (uint32_t)size);
    buf_append(&f->bytes, bytes, size);
    append_u32(&f->bytes, hash_crc32(bytes, size));
    free(bytes);
    return v;
}
