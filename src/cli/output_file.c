#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

static char *keep(const char *text)
{
    char *copy = strdup(text);
    if (!copy) {
        abort();
    }
    return copy;
}

static size_t directory_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A link is followed to what it names, so that it stays a link; devices and directories are not
 * replaced. */
static bool choose_path(struct output_file *f, const char *path, struct error *err)
{
    struct stat st;
    size_t size = strlen(path);
    if (size == 0 || path[size - 1] == '/') {
        return error_set(err, ERROR_CONFIG, "--output \"%s\" is not the name of a file", path);
    }
    if (stat(path, &st) != 0) {
        f->path = keep(path);
        return true;
    }
    if (!S_ISREG(st.st_mode)) {
        return error_set(err, ERROR_CONFIG, "--output \"%s\" exists and is not a file", path);
    }
    f->path = realpath(path, NULL);
    return f->path || error_errno(err, ERROR_FATAL, "--output \"%s\"", path);
}

static void choose_temporary(struct output_file *f)
{
    char id[UUID_TEXT_SIZE];
    struct buf name = {0};
    random_uuid(id);
    size_t directory = directory_size(f->path);
    buf_append(&name, f->path, directory);
    buf_append_format(&name, ".%.64s.%.8s.tmp", f->path + directory, id);
    f->temporary = keep(buf_text(&name));
    buf_release(&name);
}

bool output_file_open(struct output_file *f, const char *path, bool streamed, struct error *err)
{
    *f = (struct output_file){0};
    (void)signal(SIGPIPE, SIG_IGN);
    if (!path) {
        f->stream = stdout;
        return true;
    }
    if (!choose_path(f, path, err)) {
        return false;
    }
    choose_temporary(f);
    int fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    f->stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f->stream) {
        return error_errno(err, ERROR_CONFIG, "cannot create \"%s\"", f->path);
    }
    if (!streamed) {
        (void)fclose(take(f->stream));
        (void)unlink(f->temporary);
    }
    return true;
}

bool output_file_write(struct output_file *f, const void *data, size_t size)
{
    if (f->failure == 0 && fwrite(data, 1, size, f->stream) != size) {
        f->failure = errno;
    }
    return f->failure == 0;
}

static bool say_failure(const struct output_file *f, struct error *err)
{
    errno = f->failure;
    return f->path ? error_errno(err, ERROR_FATAL, "cannot write \"%s\"", f->path)
                   : error_errno(err, ERROR_FATAL, "cannot write to stdout");
}

static bool sync_directory(const char *path, struct error *err)
{
    struct buf directory = {0};
    size_t size = directory_size(path);
    buf_append(&directory, size > 0 ? path : ".", size > 0 ? size : 1);
    bool done = file_sync_directory(buf_text(&directory), err);
    buf_release(&directory);
    return done;
}

bool output_file_close(struct output_file *f, struct error *err)
{
    if (f->stream && f->failure == 0 && fflush(f->stream) != 0) {
        f->failure = errno;
    }
    if (f->failure != 0) {
        return say_failure(f, err);
    }
    if (!f->path) {
        return true;
    }
    if (!file_sync(f->temporary, err)) {
        return false;
    }
    if (rename(f->temporary, f->path) != 0) {
        return error_errno(err, ERROR_FATAL, "cannot rename \"%s\" to \"%s\"", f->temporary,
                           f->path);
    }
    free(take(f->temporary));
    return sync_directory(f->path, err);
}

void output_file_release(struct output_file *f)
{
    if (f->path && f->stream) {
        (void)fclose(f->stream);
    }
    if (f->temporary) {
        (void)unlink(f->temporary);
    }
    free(f->temporary);
    free(f->path);
    *f = (struct output_file){0};
}
