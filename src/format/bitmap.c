#include "format/bitmap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/reader.h"

enum {
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

roaring_bitmap_t *bitmap_decode(struct str bytes, struct error *err)
{
    struct reader r = reader_from(bytes.data, bytes.size);
    owned(free_bitmap) roaring_bitmap_t *out = roaring_bitmap_create();
    if (!out) {
        abort();
    }
    if (reader_u32_le(&r) != BITMAP_MAGIC) {
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

bool bitmap_cut(struct reader *r, struct str *out, struct error *err)
{
    size_t offset = r->offset;
    uint32_t size = reader_u32(r);
    const uint8_t *bytes = reader_bytes(r, size);
    uint32_t checksum = reader_u32(r);
    if (r->failed) {
        return error_set(err, ERROR_DATA, "the deletion vector at offset %zu is cut off", offset);
    }
    if (hash_crc32(bytes, size) != checksum) {
        return error_set(err, ERROR_DATA, "the checksum at offset %zu is wrong", offset);
    }
    *out = (struct str){(const char *)bytes, size};
    return true;
}
