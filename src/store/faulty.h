/* A power cut for tests: at a failpoint, everything below some directories that was not synced is
 * dropped, contents and names, before the process dies. kill -9 alone keeps the page cache.
 *
 * What it does not do: bring back a name that was removed, or the old content behind a name that
 * was replaced, without the directory having been synced. */
#pragma once

#ifdef LEAT_FAILPOINTS

#include <stddef.h>

/* What is below the roots now counts as durable; a root need not exist. Once per process, before
 * threads write. */
void faulty_install(const char *const *roots, size_t count);

/* The roots are the colon separated paths in LEAT_FAULTY_ROOTS; without it nothing happens. */
void faulty_install_from_environment(void);

#else
#define faulty_install_from_environment() ((void)0)
#endif
