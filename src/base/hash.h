/* Hashes of bytes (XXH3, MurmurHash3) and of files (CRC-32). None of them resists an adversary
 * without a seed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t hash_bytes(const void *data, size_t size);

/* Seeded 128 bits: the identity of a key. */
struct hash128 hash_key(const void *data, size_t size, uint64_t seed);

/* CRC-32 with zlib's polynomial, as deletion vectors and PNG use it. */
uint32_t hash_crc32(const void *data, size_t size);

/* Of bytes that follow those whose CRC-32 is known; 0: none do. */
uint32_t hash_crc32_more(uint32_t crc, const void *data, size_t size);

/* MurmurHash3, 32 bits, variant x86, seed 0: Iceberg's bucket hash. */
uint32_t hash_murmur3(const void *data, size_t size);
