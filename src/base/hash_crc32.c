/* CRC-32 by carry-less multiplication where the processor has it: many times as fast as by tables.
 *
 * V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction"
 * (Intel, 2009): whole blocks are folded onto those that follow, by multiplication with remainders
 * of powers of x; what is left is reduced by Barrett's method. Bits are reversed, as zlib has them.
 */
#include <stdbool.h>
#include <zlib.h>

#include "base/hash.h"

#ifdef __x86_64__
#include <immintrin.h>

enum { BLOCK = 16, LANES = 4 };

#define USES_PCLMUL __attribute__((target("pclmul,sse4.1")))

/* A block at any address. */
typedef __m128i_u block;

USES_PCLMUL static __m128i load(const void *p)
{
    return _mm_loadu_si128((const block *)p);
}

/* `a`, as far ahead of `next` as the factors say, added to it. */
USES_PCLMUL static __m128i fold(__m128i a, __m128i factors, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(a, factors, 0x00);
    __m128i high = _mm_clmulepi64_si128(a, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* 128 bits to the remainder of 32. */
USES_PCLMUL static uint32_t reduce(__m128i a, __m128i by_block)
{
    const __m128i low_word = _mm_setr_epi32(-1, 0, -1, 0);
    const __m128i by_word = _mm_set_epi64x(0, 0x163CD6124);
    const __m128i barrett = _mm_set_epi64x(0x1F7011641, 0x1DB710641); /* quotient, polynomial */
    a = _mm_xor_si128(_mm_srli_si128(a, 8), _mm_clmulepi64_si128(a, by_block, 0x10));
    a = _mm_xor_si128(_mm_srli_si128(a, 4),
                      _mm_clmulepi64_si128(_mm_and_si128(a, low_word), by_word, 0x00));
    __m128i q = _mm_clmulepi64_si128(_mm_and_si128(a, low_word), barrett, 0x10);
    q = _mm_clmulepi64_si128(_mm_and_si128(q, low_word), barrett, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(a, q), 1);
}

/* The bytes of a block moved towards its end (n > 0) or its beginning, zeroes behind them. */
USES_PCLMUL static __m128i shift(__m128i a, ptrdiff_t n)
{
    static const uint8_t order[3 * BLOCK] = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0x80, 0x80, 0x80, 0x80, 0,    1,    2,    3,    4,    5,    6,    7,
        8,    9,    10,   11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80,
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    };
    return _mm_shuffle_epi8(a, load(order + BLOCK - n));
}

/* Of at least one block. The bytes above whole blocks are taken first, behind zeroes, which do not
 * count. */
USES_PCLMUL static uint32_t crc32_of_blocks(uint32_t crc, const uint8_t *p, size_t size)
{
    const __m128i by_block = _mm_set_epi64x(0x0CCAA009E, 0x1751997D0);
    const __m128i by_lanes = _mm_set_epi64x(0x1C6E41596, 0x154442BD4);
    ptrdiff_t odd = (ptrdiff_t)(size % BLOCK);
    const block *next = (const void *)(p + odd);
    const block *end = next + size / BLOCK;
    __m128i start = _mm_cvtsi32_si128((int)~crc);
    __m128i a = _mm_xor_si128(load(p), start);
    if (odd > 0) {
        __m128i second = _mm_xor_si128(load(next), shift(start, -odd));
        a = fold(shift(a, BLOCK - odd), by_block, second);
    }
    next++;
    if (end - next >= LANES - 1) {
        __m128i b = load(next);
        __m128i c = load(next + 1);
        __m128i d = load(next + 2);
        for (next += 3; end - next >= LANES; next += LANES) {
            a = fold(a, by_lanes, load(next));
            b = fold(b, by_lanes, load(next + 1));
            c = fold(c, by_lanes, load(next + 2));
            d = fold(d, by_lanes, load(next + 3));
        }
        a = fold(fold(fold(a, by_block, b), by_block, c), by_block, d);
    }
    for (; next < end; next++) {
        a = fold(a, by_block, load(next));
    }
    return ~reduce(a, by_block);
}

static bool has_pclmul(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

#else

enum { BLOCK = 16 };

static uint32_t crc32_of_blocks(uint32_t crc, const uint8_t *p, size_t size)
{
    return (uint32_t)crc32_z(crc, p, size);
}

static bool has_pclmul(void)
{
    return false;
}

#endif

uint32_t hash_crc32_more(uint32_t crc, const void *data, size_t size)
{
    if (size >= BLOCK && has_pclmul()) {
        return crc32_of_blocks(crc, data, size);
    }
    return size > 0 ? (uint32_t)crc32_z(crc, data, size) : crc;
}

uint32_t hash_crc32(const void *data, size_t size)
{
    return hash_crc32_more(0, data, size);
}
