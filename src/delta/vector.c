#include "delta/vector.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/reader.h"
#include "delta/path.h"
#include "delta/z85.h"

enum {
    MAGIC = 1681511377,
    VERSION = 1,
    UUID_CHARACTERS = 20,
    VECTOR_SIZE_MAX = 1 << 30,
    ARRAY_VALUES_MAX = 4096, /* more values in a container are a bit set */
    BITSET_BYTES = 8192,
    COOKIE_RUNS = 12347,
    COOKIE_NO_RUNS = 12346,
    NO_OFFSETS_BELOW = 4,
};

static void free_bitmap(roaring_bitmap_t **b)
{
    if (*b) {
        roaring_bitmap_free(take(*b));
    }
}

/* --- the portable format of 32-bit Roaring bitmaps --- */

static uint16_t read_u16_le(struct reader *r)
{
    return __builtin_bswap16(reader_u16(r));
}

/* The library's safe deserialiser stays within the bytes, but takes containers on trust whose
 * values are unsorted or whose runs overlap, and later goes wrong on them. So they are read here.
 */
static bool read_array(struct reader *r, uint32_t high, uint32_t count, roaring_bitmap_t *out)
{
    uint32_t next = 0; /* the least value that may follow */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t v = read_u16_le(r);
        if (r->failed || v < next) {
            return false;
        }
        roaring_bitmap_add(out, high | v);
        next = v + 1;
    }
    return true;
}

static bool read_bitset(struct reader *r, uint32_t high, uint32_t count, roaring_bitmap_t *out)
{
    const uint8_t *words = reader_bytes(r, BITSET_BYTES);
    uint32_t seen = 0;
    for (uint32_t i = 0; words && i < BITSET_BYTES; i++) {
        for (uint32_t bits = words[i]; bits; bits &= bits - 1) {
            roaring_bitmap_add(out, high | (i * 8 + (uint32_t)__builtin_ctz(bits)));
            seen++;
        }
    }
    return words && seen == count;
}

static bool read_runs(struct reader *r, uint32_t high, uint32_t count, roaring_bitmap_t *out)
{
    uint32_t runs = read_u16_le(r);
    uint32_t next = 0;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < runs; i++) {
        uint32_t start = read_u16_le(r);
        uint32_t last = start + read_u16_le(r);
        if (r->failed || start < next || last > UINT16_MAX) {
            return false;
        }
        roaring_bitmap_add_range_closed(out, high | start, high | last);
        seen += last - start + 1;
        next = last + 1;
    }
    return !r->failed && seen == count;
}

static bool read_containers(struct reader *r, roaring_bitmap_t *out)
{
    uint32_t cookie = reader_u32_le(r);
    bool has_runs = (cookie & UINT16_MAX) == COOKIE_RUNS;
    uint32_t count = has_runs ? (cookie >> 16) + 1 : reader_u32_le(r);
    if ((!has_runs && cookie != COOKIE_NO_RUNS) || count > UINT16_MAX + 1) {
        return false;
    }
    const uint8_t *run_bits = has_runs ? reader_bytes(r, (count + 7) / 8) : NULL;
    struct reader heads = reader_from(reader_bytes(r, (size_t)count * 4), (size_t)count * 4);
    if (!has_runs || count >= NO_OFFSETS_BELOW) {
        (void)reader_bytes(r, (size_t)count * 4); /* containers follow each other anyway */
    }
    uint32_t next_key = 0;
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        uint32_t key = read_u16_le(&heads);
        uint32_t cardinality = (uint32_t)read_u16_le(&heads) + 1;
        bool is_runs = run_bits && (run_bits[i / 8] >> (i % 8) & 1);
        bool ok = key >= next_key &&
                  (is_runs                           ? read_runs(r, key << 16, cardinality, out)
                   : cardinality <= ARRAY_VALUES_MAX ? read_array(r, key << 16, cardinality, out)
                                                     : read_bitset(r, key << 16, cardinality, out));
        if (!ok) {
            return false;
        }
        next_key = key + 1;
    }
    return !r->failed;
}

roaring_bitmap_t *delta_vector_decode(struct str bytes, struct error *err)
{
    struct reader r = reader_from(bytes.data, bytes.size);
    owned(free_bitmap) roaring_bitmap_t *out = roaring_bitmap_create();
    if (!out) {
        abort();
    }
    if (reader_u32_le(&r) != MAGIC) {
        (void)error_set(err, ERROR_DATA, "a deletion vector does not begin with its magic number");
        return NULL;
    }
    uint64_t count = reader_u64_le(&r);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t key = reader_u32_le(&r);
        if (!r.failed && key != 0) {
            (void)error_set(err, ERROR_DATA, "a deletion vector has rows above 2^32");
            return NULL;
        }
        if (r.failed || i > 0 || !read_containers(&r, out)) {
            (void)error_set(err, ERROR_DATA, "a deletion vector is corrupt at byte %zu of %zu",
                            r.offset, r.size);
            return NULL;
        }
    }
    if (!reader_ok(&r)) {
        (void)error_set(err, ERROR_DATA, "a deletion vector of %zu bytes ends at byte %zu", r.size,
                        r.offset);
        return NULL;
    }
    return take(out);
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
    uint32_t size = reader_u32(&r);
    const uint8_t *bytes = reader_bytes(&r, size);
    uint32_t checksum = reader_u32(&r);
    if (r.failed || (int64_t)size != v->size) {
        return error_set(err, ERROR_DATA,
                         "%" PRIu32 " bytes at offset %" PRId64 " are not the %" PRId64
                         " that the log says",
                         size, offset, v->size);
    }
    if (hash_crc32(bytes, size) != checksum) {
        return error_set(err, ERROR_DATA, "the checksum at offset %" PRId64 " is wrong", offset);
    }
    *out = (struct str){(const char *)bytes, size};
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
    return delta_vector_decode(bytes, err);
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
    return delta_vector_decode((struct str){bytes.data, (size_t)v->size}, err);
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
    uint32_t magic = MAGIC; /* this machine is little-endian, as these are */
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
