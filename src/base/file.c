#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static const struct file_observer *observer;

void file_observe(const struct file_observer *o)
{
    observer = o;
}

/* Full disks and quotas end; everything else about a path does not mend itself. */
static enum error_kind kind_of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT || errno == EMFILE || errno == ENFILE ||
                   errno == EINTR
               ? ERROR_RETRY
               : ERROR_FATAL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static void free_buf(struct buf *b)
{
    buf_release(b);
}

static void parent_of(const char *path, struct buf *out)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        buf_append_text(out, ".");
    } else {
        buf_append(out, path, slash == path ? 1 : (size_t)(slash - path));
    }
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_read(const char *path, size_t size_max, struct buf *out, struct error *err)
{
    owned(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, errno == ENOENT ? ERROR_CONFIG : kind_of_errno(),
                           "cannot open \"%s\"", path);
    }
    char chunk[65536];
    size_t total = 0;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0) {
            return error_errno(err, kind_of_errno(), "cannot read \"%s\"", path);
        }
        if (n == 0) {
            return true;
        }
        total += (size_t)n;
        if (total > size_max) {
            return error_set(err, ERROR_DATA, "\"%s\" is larger than %zu bytes", path, size_max);
        }
        buf_append(out, chunk, (size_t)n);
    }
}

static bool write_all(int fd, const char *path, const char *data, size_t size, struct error *err)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0) {
            return error_errno(err, kind_of_errno(), "cannot write \"%s\"", path);
        }
        data += n;
        size -= (size_t)n;
    }
    return true;
}

bool file_sync_fd(int fd, const char *path, struct error *err)
{
    if (fsync(fd) != 0) {
        return error_errno(err, ERROR_FATAL, "cannot sync \"%s\"", path);
    }
    if (observer) {
        observer->file_synced(path);
    }
    return true;
}

bool file_sync(const char *path, struct error *err)
{
    owned(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, ERROR_FATAL, "cannot open \"%s\" to sync it", path);
    }
    return file_sync_fd(fd, path, err);
}

bool file_sync_directory(const char *path, struct error *err)
{
    owned(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, ERROR_FATAL, "cannot open \"%s\" to sync it", path);
    }
    if (fsync(fd) != 0) {
        return error_errno(err, ERROR_FATAL, "cannot sync directory \"%s\"", path);
    }
    if (observer) {
        observer->directory_synced(path);
    }
    return true;
}

static bool sync_parent(const char *path, struct error *err)
{
    owned(free_buf) struct buf parent = {0};
    parent_of(path, &parent);
    return file_sync_directory(buf_text(&parent), err);
}

/* Writes and syncs a hidden temporary file beside `path`; its name goes into `tmp`. */
static bool write_temporary(const char *path, const void *data, size_t size, struct buf *tmp,
                            struct error *err)
{
    char id[UUID_TEXT_SIZE];
    random_uuid(id);
    const char *slash = strrchr(path, '/');
    size_t directory = slash ? (size_t)(slash - path) + 1 : 0;
    buf_append(tmp, path, directory);
    buf_append_format(tmp, ".tmp-%s", id);

    owned(close_fd) int fd = open(buf_text(tmp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return error_errno(err, kind_of_errno(), "cannot create \"%s\"", buf_text(tmp));
    }
    if (!write_all(fd, buf_text(tmp), data, size, err) || !file_sync_fd(fd, buf_text(tmp), err)) {
        (void)unlink(buf_text(tmp));
        return false;
    }
    return true;
}

bool file_write(const char *path, const void *data, size_t size, struct error *err)
{
    owned(free_buf) struct buf tmp = {0};
    if (!write_temporary(path, data, size, &tmp, err)) {
        return false;
    }
    if (rename(buf_text(&tmp), path) != 0) {
        (void)error_errno(err, kind_of_errno(), "cannot rename \"%s\" to \"%s\"", buf_text(&tmp),
                          path);
        (void)unlink(buf_text(&tmp));
        return false;
    }
    if (observer) {
        observer->file_synced(path); /* the content was synced under the temporary name */
    }
    return sync_parent(path, err);
}

bool file_create(const char *path, const void *data, size_t size, struct error *err)
{
    owned(free_buf) struct buf tmp = {0};
    if (!write_temporary(path, data, size, &tmp, err)) {
        return false;
    }
    int linked = link(buf_text(&tmp), path);
    int reason = errno;
    (void)unlink(buf_text(&tmp));
    if (linked != 0) {
        errno = reason;
        return error_errno(err, reason == EEXIST ? ERROR_CONFLICT : kind_of_errno(),
                           "cannot create \"%s\"", path);
    }
    if (observer) {
        observer->file_synced(path);
    }
    if (!sync_parent(path, err)) {
        return error_recast(err, ERROR_UNKNOWN); /* the name is there, but may go with the power */
    }
    return true;
}

bool file_write_new(const char *path, const void *data, size_t size, struct error *err)
{
    owned(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return error_errno(err, kind_of_errno(), "cannot create \"%s\"", path);
    }
    if (!write_all(fd, path, data, size, err)) {
        (void)unlink(path);
        return false;
    }
    return true;
}

bool file_make_directories(const char *path, struct error *err)
{
    if (mkdir(path, 0755) == 0) {
        return sync_parent(path, err);
    }
    if (errno == EEXIST) {
        return true;
    }
    if (errno != ENOENT) {
        return error_errno(err, errno == ENOSPC ? ERROR_RETRY : ERROR_CONFIG,
                           "cannot make directory \"%s\"", path);
    }
    owned(free_buf) struct buf parent = {0};
    parent_of(path, &parent);
    if (!file_make_directories(buf_text(&parent), err)) {
        return false;
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return error_errno(err, ERROR_CONFIG, "cannot make directory \"%s\"", path);
    }
    return sync_parent(path, err);
}

bool file_remove(const char *path, struct error *err)
{
    if (unlink(path) != 0 && errno != ENOENT) {
        return error_errno(err, kind_of_errno(), "cannot remove \"%s\"", path);
    }
    return true;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

bool file_remove_tree(const char *path, struct error *err)
{
    if (!file_exists(path)) {
        return true;
    }
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        return error_errno(err, kind_of_errno(), "cannot remove \"%s\"", path);
    }
    return true;
}

bool file_stat(const char *path, uint64_t *size, int64_t *modified_ms, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return error_errno(err, kind_of_errno(), "cannot stat \"%s\"", path);
    }
    *size = (uint64_t)st.st_size;
    *modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_directory(DIR **dir)
{
    if (*dir) {
        (void)closedir(*dir);
    }
}

bool file_list(const char *path, struct file_names *out, struct error *err)
{
    owned(close_directory) DIR *dir = opendir(path);
    *out = (struct file_names){0};
    if (!dir) {
        return errno == ENOENT ||
               error_errno(err, kind_of_errno(), "cannot list directory \"%s\"", path);
    }
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry) {
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (out->count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            out->names = realloc(out->names, capacity * sizeof(*out->names));
        }
        char *name = strdup(entry->d_name);
        if (!out->names || !name) {
            abort();
        }
        out->names[out->count++] = name;
    }
    if (errno != 0) {
        (void)error_errno(err, kind_of_errno(), "cannot list directory \"%s\"", path);
        file_names_release(out);
        return false;
    }
    if (out->count > 1) {
        qsort(out->names, out->count, sizeof(*out->names), compare_names);
    }
    return true;
}

void file_names_release(struct file_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct file_names){0};
}
