#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

struct hash128 hash_key(const void *data, size_t size, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(data, size, seed);
    return (struct hash128){.low = h.low64, .high = h.high64};
}

static uint32_t rotate_left(uint32_t v, unsigned bits)
{
    return v << bits | v >> (32 - bits);
}

static uint32_t murmur3_scramble(uint32_t block)
{
    return rotate_left(block * 0xCC9E2D51U, 15) * 0x1B873593U;
}

uint32_t hash_murmur3(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t h = 0;
    size_t i = 0;
    for (; size - i >= 4; i += 4) {
        uint32_t block = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 |
                         (uint32_t)bytes[i + 2] << 16 | (uint32_t)bytes[i + 3] << 24;
        h = rotate_left(h ^ murmur3_scramble(block), 13) * 5 + 0xE6546B64U;
    }
    uint32_t tail = 0;
    for (size_t left = size - i; left > 0; left--) {
        tail = tail << 8 | bytes[i + left - 1];
    }
    h ^= murmur3_scramble(tail); /* 0 for no tail */
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85EBCA6BU;
    h = (h ^ h >> 13) * 0xC2B2AE35U;
    return h ^ h >> 16;
}
