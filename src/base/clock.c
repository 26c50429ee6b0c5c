#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static const int64_t *fake_us;

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0) {
        abort();
    }
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    return fake_us ? *fake_us : read_us(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

int64_t clock_wall_us(void)
{
    return fake_us ? *fake_us : read_us(CLOCK_REALTIME);
}

void clock_fake(const int64_t *now_us)
{
    fake_us = now_us;
}

void random_bytes(void *data, size_t size)
{
    uint8_t *p = data;
    while (size > 0) {
        ssize_t n = getrandom(p, size, 0);
        if (n < 0) {
            abort();
        }
        p += n;
        size -= (size_t)n;
    }
}

uint64_t random_below(uint64_t bound)
{
    assert(bound > 0);
    uint64_t v = 0;
    random_bytes(&v, sizeof(v));
    return (uint64_t)(((unsigned __int128)v * bound) >> 64);
}

void random_uuid(char text[UUID_TEXT_SIZE])
{
    uint8_t b[16];
    random_bytes(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* RFC 9562: version 4, variant 10 */
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    char *p = text;
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(p, 3, "%02x", b[i]);
        p += 2;
        if (i == 3 || i == 5 || i == 7 || i == 9) {
            *p++ = '-';
        }
    }
    *p = '\0';
}
