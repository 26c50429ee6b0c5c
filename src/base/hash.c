#include "base/hash.h"

#include <zlib.h>

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

uint32_t hash_crc32(const void *data, size_t size)
{
    return (uint32_t)crc32_z(0, data, size);
}
