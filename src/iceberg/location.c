#include "iceberg/location.h"

#include <string.h>

#include "store/uri.h"

const char *iceberg_location_path(const char *uri)
{
    if (strncmp(uri, "file:", 5) != 0) {
        return uri_scheme(uri) > 0 ? NULL : uri;
    }
    const char *path = uri + 5;
    if (strncmp(path, "//", 2) == 0) { /* an authority, which is empty */
        path += 2;
    }
    return path;
}

/* Without the slashes at its end. */
static struct str trimmed(const char *location)
{
    struct str s = str_from(location);
    while (s.size > 1 && s.data[s.size - 1] == '/') {
        s.size--;
    }
    return s;
}

/* What follows `location` in `path`, or NULL. */
static const char *below(const char *location, const char *path)
{
    struct str root = trimmed(location);
    if (strncmp(path, root.data, root.size) != 0 || path[root.size] != '/') {
        return NULL;
    }
    path += root.size;
    while (*path == '/') {
        path++;
    }
    return path;
}

/* Whether a key names ".." on its way: then it may lead out. */
static bool goes_up(const char *key)
{
    while (*key) {
        size_t size = strcspn(key, "/");
        if (size == 2 && memcmp(key, "..", 2) == 0) {
            return true;
        }
        key += size;
        key += *key == '/';
    }
    return false;
}

bool iceberg_location_key(const char *location, const char *path, struct buf *out,
                          struct error *err)
{
    const char *key = below(location, path);
    const char *local_root = iceberg_location_path(location);
    const char *local = iceberg_location_path(path);
    if (!key && local_root && local) {
        key = below(local_root, local);
    }
    if (!key || goes_up(key)) {
        return error_set(err, ERROR_CONFIG, "file \"%s\" lies outside the table's location \"%s\"",
                         path, location);
    }
    buf_append_text(out, key);
    return true;
}

void iceberg_location_join(const char *location, const char *key, struct buf *out)
{
    struct str root = trimmed(location);
    buf_append(out, root.data, root.size);
    buf_append_char(out, '/');
    buf_append_text(out, key);
}
