#include "base/failpoint.h"

#ifdef LEAT_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*on_crash)(void);
static atomic_long passes;

void failpoint_on_crash(void (*fn)(void))
{
    on_crash = fn;
}

void failpoint(const char *name)
{
    const char *wanted = getenv("LEAT_FAILPOINT"); /* never changed while threads run */
    if (!wanted) {
        return;
    }
    size_t size = strcspn(wanted, ":");
    if (strlen(name) != size || strncmp(name, wanted, size) != 0) {
        return;
    }
    long nth = wanted[size] == ':' ? strtol(wanted + size + 1, NULL, 10) : 1;
    if (atomic_fetch_add(&passes, 1) + 1 != nth) {
        return;
    }
    if (on_crash) {
        on_crash();
    }
    (void)kill(getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

#else

typedef int failpoint_is_compiled_out; /* an empty translation unit is not ISO C */

#endif
