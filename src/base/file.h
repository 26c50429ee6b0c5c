/* Local files: read whole, write durably, list, remove. Every path that must survive a power cut
 * goes through file_sync() and file_sync_directory(), which tests can observe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Reads a whole file of at most size_max bytes into `out` (appended). A missing file is
 * ERROR_CONFIG with errno ENOENT in the text; use file_exists() first where absence is ordinary. */
must_check bool file_read(const char *path, size_t size_max, struct buf *out, struct error *err);

bool file_exists(const char *path);

/* Replaces `path` durably: temporary name, fsync, rename, fsync of the directory. */
must_check bool file_write(const char *path, const void *data, size_t size, struct error *err);

/* Creates `path` with the content, durably, unless it exists: link(2) never overwrites.
 * ERROR_CONFLICT: it existed. ERROR_UNKNOWN: linked, but the directory could not be synced.
 * Nothing else leaves a file at `path`. */
must_check bool file_create(const char *path, const void *data, size_t size, struct error *err);

/* Writes a new file, which is not synced. Nothing is left of it on failure. */
must_check bool file_write_new(const char *path, const void *data, size_t size, struct error *err);

/* Makes the content of one file, or the names in one directory, survive a power cut.
 * A failure is ERROR_FATAL: after it the page cache can no longer be trusted. */
must_check bool file_sync(const char *path, struct error *err);
must_check bool file_sync_directory(const char *path, struct error *err);

/* As file_sync() for a descriptor; `path` names it. */
must_check bool file_sync_fd(int fd, const char *path, struct error *err);

/* Makes the directory and its missing parents, each synced into its parent. Existing is fine. */
must_check bool file_make_directories(const char *path, struct error *err);

/* Removes a file; a missing one is fine. file_remove_tree() removes a directory with everything
 * below. */
must_check bool file_remove(const char *path, struct error *err);
must_check bool file_remove_tree(const char *path, struct error *err);

/* Size in bytes and modification time in ms since 1970. */
must_check bool file_stat(const char *path, uint64_t *size, int64_t *modified_ms,
                          struct error *err);

/* Names in a directory (not "." and ".."), sorted; owned array of owned strings.
 * A missing directory gives an empty list. */
struct file_names {
    char **names;
    size_t count;
};
must_check bool file_list(const char *path, struct file_names *out, struct error *err);
void file_names_release(struct file_names *names);

/* Who is told of each successful sync, for tests that simulate a power cut. NULL: nobody. */
struct file_observer {
    void (*file_synced)(const char *path);
    void (*directory_synced)(const char *path);
};
void file_observe(const struct file_observer *observer);
