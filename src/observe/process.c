#include "observe/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* A line "Name:   123 kB" of /proc/self/status, see proc(5), in bytes. */
static uint64_t read_status(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (!file) {
        return 0;
    }
    char line[256];
    uint64_t kilobytes = 0;
    size_t size = strlen(name);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, size) == 0 && line[size] == ':') {
            kilobytes = strtoull(line + size + 1, NULL, 10);
            break;
        }
    }
    (void)fclose(file);
    return kilobytes * 1024;
}

uint64_t process_resident_bytes(void)
{
    return read_status("VmRSS");
}

uint64_t process_anonymous_bytes(void)
{
    return read_status("RssAnon");
}

uint64_t process_resident_bytes_max(void)
{
    return read_status("VmHWM");
}

/* Field 22 of /proc/self/stat: clock ticks after boot. Field 2, the program's name, may hold
 * anything but ends with the last ')'. */
static uint64_t read_start_ticks(void)
{
    FILE *file = fopen("/proc/self/stat", "re");
    if (!file) {
        return 0;
    }
    char line[1024];
    const char *p = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    (void)fclose(file);
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }
    return p ? strtoull(p, NULL, 10) : 0;
}

int64_t process_start_time_us(void)
{
    struct timespec since_boot;
    if (clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) {
        return 0;
    }
    int64_t up_us = (int64_t)since_boot.tv_sec * 1000000 + since_boot.tv_nsec / 1000;
    int64_t start_us = (int64_t)(read_start_ticks() * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    return clock_wall_us() - up_us + start_us;
}
