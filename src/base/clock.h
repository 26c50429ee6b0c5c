/* Time and randomness; both can be faked in tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Milliseconds or microseconds of a clock that never goes back; for intervals and deadlines. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* Microseconds since 1970-01-01 UTC. */
int64_t clock_wall_us(void);

/* Unpredictable bytes from the kernel. */
void random_bytes(void *data, size_t size);

/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(uint64_t bound);

/* Writes a random (version 4) UUID as 36 characters and a NUL. */
enum { UUID_TEXT_SIZE = 37 };
void random_uuid(char text[UUID_TEXT_SIZE]);

/* Tests only: replaces both clocks by a fixed time that the caller moves; NULL restores them. */
void clock_fake(const int64_t *now_us);
