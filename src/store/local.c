#include "store/local.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

struct local {
    struct store base;
    char *root; /* owned; without a trailing slash, "" for the root of the file system */
};

/* Keys may come from the metadata of a table that somebody else wrote: they never lead out of the
 * root. */
static bool check_key(const char *key, struct error *err)
{
    const char *part = key;
    for (;;) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') ||
            (size == 2 && part[0] == '.' && part[1] == '.')) {
            return error_set(err, ERROR_DATA, "\"%s\" is not a path inside a table", key);
        }
        if (part[size] == '\0') {
            return true;
        }
        part += size + 1;
    }
}

static bool key_path(const struct local *l, const char *key, struct buf *path, struct error *err)
{
    if (!check_key(key, err)) {
        return false;
    }
    buf_append_format(path, "%s/%s", l->root, key);
    return true;
}

static bool make_parent(const char *path, struct error *err)
{
    owned(buf_release) struct buf parent = {0};
    buf_append(&parent, path, (size_t)(strrchr(path, '/') - path));
    return parent.size == 0 || file_make_directories(buf_text(&parent), err);
}

static bool absent(const char *path, struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "\"%s\" is not there", path);
}

static bool local_get(struct store *s, const char *key, size_t size_max, struct buf *out,
                      struct error *err)
{
    owned(buf_release) struct buf path = {0};
    if (!key_path((struct local *)s, key, &path, err)) {
        return false;
    }
    if (!file_exists(buf_text(&path))) {
        return absent(buf_text(&path), err);
    }
    if (!file_read(buf_text(&path), size_max, out, err)) {
        if (err->kind == ERROR_CONFIG) { /* removed since it was looked for */
            return error_recast(err, ERROR_CONFLICT);
        }
        return false;
    }
    return true;
}

static bool local_put(struct store *s, const char *key, struct str data, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    return key_path((struct local *)s, key, &path, err) && make_parent(buf_text(&path), err) &&
           file_write(buf_text(&path), data.data, data.size, err);
}

static bool local_put_if_absent(struct store *s, const char *key, struct str data,
                                struct error *err)
{
    owned(buf_release) struct buf path = {0};
    return key_path((struct local *)s, key, &path, err) && make_parent(buf_text(&path), err) &&
           file_create(buf_text(&path), data.data, data.size, err);
}

/* Only regular files are objects; what an interrupted write left behind is none. */
static bool list_entry(const char *directory, const char *name, struct store_entry *out)
{
    if (strncmp(name, ".tmp-", 5) == 0) {
        return false;
    }
    owned(buf_release) struct buf path = {0};
    buf_append_format(&path, "%s/%s", directory, name);
    struct stat st;
    if (stat(buf_text(&path), &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    *out = (struct store_entry){.name = strdup(name),
                                .size = (uint64_t)st.st_size,
                                .modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 +
                                               st.st_mtim.tv_nsec / 1000000};
    if (!out->name) {
        abort();
    }
    return true;
}

static bool local_list(struct store *s, const char *directory, const char *from,
                       struct store_entries *out, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    owned(file_names_release) struct file_names names = {0};
    if (directory[0] == '\0') {
        buf_append_text(&path, ((struct local *)s)->root);
        if (path.size == 0) {
            buf_append_char(&path, '/');
        }
    } else if (!key_path((struct local *)s, directory, &path, err)) {
        return false;
    }
    if (!file_list(buf_text(&path), &names, err)) {
        return false;
    }
    *out = (struct store_entries){.items = calloc(names.count + 1, sizeof(*out->items))};
    if (!out->items) {
        abort();
    }
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.names[i], from) >= 0 &&
            list_entry(buf_text(&path), names.names[i], &out->items[out->count])) {
            out->count++;
        }
    }
    return true;
}

static bool local_remove(struct store *s, const char *key, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    return key_path((struct local *)s, key, &path, err) && file_remove(buf_text(&path), err);
}

static bool local_stage(struct store *s, const char *key, struct buf *path, struct error *err)
{
    owned(buf_release) struct buf full = {0};
    if (!key_path((struct local *)s, key, &full, err) || !make_parent(buf_text(&full), err)) {
        return false;
    }
    buf_append(path, full.data, full.size);
    return true;
}

/* Syncs the directories from the one that holds `key` up to the root, each one once. */
static bool sync_directories(const struct local *l, const char *const *keys, size_t count,
                             struct error *err)
{
    struct file_names done = {.names = calloc(1, sizeof(char *))};
    if (!done.names) {
        abort();
    }
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        size_t size = strlen(keys[i]);
        do {
            while (size > 0 && keys[i][size - 1] != '/') {
                size--;
            }
            size -= size > 0;
            bool seen = false;
            for (size_t d = 0; !seen && d < done.count; d++) {
                seen = strlen(done.names[d]) == size && memcmp(done.names[d], keys[i], size) == 0;
            }
            if (seen) {
                break; /* and so are its parents */
            }
            done.names = realloc(done.names, (done.count + 1) * sizeof(char *));
            char *name = strndup(keys[i], size);
            if (!done.names || !name) {
                abort();
            }
            done.names[done.count++] = name;
            owned(buf_release) struct buf path = {0};
            buf_append_format(&path, "%s/%s", l->root, name);
            ok = file_sync_directory(buf_text(&path), err);
        } while (ok && size > 0);
    }
    file_names_release(&done);
    return ok;
}

static bool local_publish(struct store *s, const char *const *keys, size_t count, struct error *err)
{
    struct local *l = (struct local *)s;
    for (size_t i = 0; i < count; i++) {
        owned(buf_release) struct buf path = {0};
        if (!key_path(l, keys[i], &path, err) || !file_sync(buf_text(&path), err)) {
            return false;
        }
    }
    return sync_directories(l, keys, count, err);
}

static bool local_fetch(struct store *s, const char *key, struct buf *path, struct error *err)
{
    owned(buf_release) struct buf full = {0};
    if (!key_path((struct local *)s, key, &full, err)) {
        return false;
    }
    if (!file_exists(buf_text(&full))) {
        return absent(buf_text(&full), err);
    }
    buf_append(path, full.data, full.size);
    return true;
}

static void local_free(struct store *s)
{
    struct local *l = (struct local *)s;
    free(l->root);
    free(l);
}

static const struct store_type local_type = {
    .scheme = "file",
    .get = local_get,
    .put = local_put,
    .put_if_absent = local_put_if_absent,
    .list = local_list,
    .remove = local_remove,
    .stage = local_stage,
    .publish = local_publish,
    .fetch = local_fetch,
    .free = local_free,
};

struct store *local_open(const char *root, struct error *err)
{
    if (root[0] == '\0') {
        (void)error_set(err, ERROR_CONFIG, "a location is empty");
        return NULL;
    }
    struct local *l = calloc(1, sizeof(*l));
    size_t size = strlen(root);
    while (size > 0 && root[size - 1] == '/') {
        size--;
    }
    if (!l || !(l->root = strndup(root, size))) {
        abort();
    }
    l->base.type = &local_type;
    return &l->base;
}
