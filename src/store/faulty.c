#include "store/faulty.h"

#ifdef LEAT_FAILPOINTS

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"

struct content {
    uint64_t size; /* when it was synced */
    int64_t modified_ns;
};

static struct {
    pthread_mutex_t lock;
    struct map names;    /* path -> itself: the name is in its directory on the disk */
    struct map contents; /* identity of a file -> struct content */
    char **roots;        /* absolute */
    size_t root_count;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A file whatever its names, and not the next one that gets its number. */
struct identity {
    uint64_t device, inode, birth_ns;
};

static int64_t nanoseconds(struct statx_timestamp t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool identify(const char *path, struct identity *id, struct content *content,
                     bool *is_directory)
{
    struct statx sx;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &sx) != 0) {
        return false;
    }
    *id = (struct identity){.device = ((uint64_t)sx.stx_dev_major << 32) | sx.stx_dev_minor,
                            .inode = sx.stx_ino,
                            .birth_ns = (uint64_t)nanoseconds(sx.stx_btime)};
    *content = (struct content){.size = sx.stx_size, .modified_ns = nanoseconds(sx.stx_mtime)};
    *is_directory = S_ISDIR(sx.stx_mode);
    return true;
}

static void remember_content(const char *path)
{
    struct identity id;
    struct content content;
    bool is_directory = false;
    if (!identify(path, &id, &content, &is_directory) || is_directory) {
        return;
    }
    struct content *copy = malloc(sizeof(*copy));
    if (!copy) {
        abort();
    }
    *copy = content;
    free(map_put(&state.contents, (struct str){(const char *)&id, sizeof(id)}, copy));
}

static bool is_inside(const char *path, const char *root)
{
    size_t size = strlen(root);
    return strncmp(path, root, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static void remember_name(const char *path)
{
    for (size_t i = 0; i < state.root_count; i++) {
        if (is_inside(path, state.roots[i])) {
            (void)map_put(&state.names, str_from(path), state.roots[i]);
            return;
        }
    }
}

/* Calls fn with the path of each entry of a directory. */
static void each_entry(const char *directory, void (*fn)(const char *path))
{
    DIR *dir = opendir(directory);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            char path[PATH_MAX];
            (void)snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
            fn(path);
        }
    }
    if (dir) {
        (void)closedir(dir);
    }
}

static void remember_tree(const char *path)
{
    remember_name(path);
    remember_content(path);
    each_entry(path, remember_tree);
}

static void file_synced(const char *path)
{
    (void)pthread_mutex_lock(&state.lock);
    remember_content(path);
    (void)pthread_mutex_unlock(&state.lock);
}

static void directory_synced(const char *path)
{
    char absolute[PATH_MAX];
    if (!realpath(path, absolute)) {
        return;
    }
    (void)pthread_mutex_lock(&state.lock);
    each_entry(absolute, remember_name);
    (void)pthread_mutex_unlock(&state.lock);
}

static void remove_tree(const char *path)
{
    if (unlink(path) != 0) {
        each_entry(path, remove_tree);
        (void)rmdir(path);
    }
}

static void drop_content(const char *path)
{
    struct identity id;
    struct content now;
    bool is_directory = false;
    if (!identify(path, &id, &now, &is_directory) || is_directory) {
        return;
    }
    const struct content *synced =
        map_get(&state.contents, (struct str){(const char *)&id, sizeof(id)});
    off_t size = 0;
    if (synced && now.size > synced->size) {
        size = (off_t)synced->size; /* appended to */
    } else if (synced && now.modified_ns == synced->modified_ns) {
        return;
    }
    (void)!truncate(path, size);
}

static void drop_unsynced(const char *path)
{
    if (!map_get(&state.names, str_from(path))) {
        remove_tree(path);
        return;
    }
    drop_content(path);
    each_entry(path, drop_unsynced);
}

static void cut_power(void)
{
    (void)pthread_mutex_lock(&state.lock); /* for good: nobody's sync counts from now on */
    for (size_t i = 0; i < state.root_count; i++) {
        drop_unsynced(state.roots[i]);
    }
}

/* The absolute path of a root, or of its outermost directory that does not exist yet. */
static char *resolve(const char *root)
{
    char path[PATH_MAX];
    if (realpath(root, path)) {
        return strdup(path);
    }
    const char *end = root + strlen(root);
    while (end > root) {
        const char *slash = end;
        while (slash > root && slash[-1] != '/') {
            slash--;
        }
        char parent[PATH_MAX];
        (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - root), root);
        if (realpath(slash > root ? parent : ".", path)) {
            size_t used = strlen(path);
            (void)snprintf(path + used, sizeof(path) - used, "/%.*s", (int)(end - slash), slash);
            return strdup(path);
        }
        end = slash - (slash > root);
    }
    abort();
}

void faulty_install(const char *const *roots, size_t count)
{
    static const struct file_observer observer = {.file_synced = file_synced,
                                                  .directory_synced = directory_synced};
    state.roots = calloc(count + 1, sizeof(*state.roots));
    if (!state.roots) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        state.roots[i] = resolve(roots[i]);
        if (!state.roots[i]) {
            abort();
        }
        state.root_count++;
        if (file_exists(state.roots[i])) {
            remember_tree(state.roots[i]);
        }
    }
    file_observe(&observer);
    failpoint_on_crash(cut_power);
}

void faulty_install_from_environment(void)
{
    const char *text = getenv("LEAT_FAULTY_ROOTS"); /* before threads run */
    if (!text || !text[0]) {
        return;
    }
    char *copy = strdup(text);
    size_t count = 0;
    const char **roots = calloc(strlen(text), sizeof(*roots));
    if (!copy || !roots) {
        abort();
    }
    char *rest = copy;
    for (char *root = strsep(&rest, ":"); root; root = strsep(&rest, ":")) {
        if (root[0]) {
            roots[count++] = root;
        }
    }
    faulty_install(roots, count);
    free(roots);
    free(copy);
}

#else

typedef int faulty_is_compiled_out; /* an empty translation unit is not ISO C */

#endif
