/* Named places where a test can stop the program as a crash would.
 *
 * LEAT_FAILPOINT=name or name:n kills the process (SIGKILL) at the n-th pass (default 1).
 * Compiled in with -Dfailpoints=true only. The list of names is what `grep -o 'failpoint("[^"]*'
 * src` finds, so each is written as a literal. */
#pragma once

#ifdef LEAT_FAILPOINTS
void failpoint(const char *name);

/* Called before the kill: drops what a power cut would have dropped. */
void failpoint_on_crash(void (*fn)(void));
#else
#define failpoint(name) ((void)0)
#endif
