#include "catalog/location.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/uri.h"

/* Most programs take what follows file:// literally, some decode or cut it. */
static const char ambiguous[] = "%?#";

/* Appends the path's parts, resolving "." and "..", to `out`, which begins with "file://". */
static void append_parts(const char *path, struct buf *out, size_t root)
{
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        bool is_parent = size == 2 && memcmp(path, "..", 2) == 0;
        bool is_same = size == 0 || (size == 1 && path[0] == '.');
        if (is_parent) {
            while (out->size > root && out->data[--out->size] != '/') {
            }
            out->data[out->size] = '\0';
        } else if (!is_same) {
            buf_append_char(out, '/');
            buf_append(out, path, size);
        }
        path += size + (path[size] == '/');
    }
}

static bool append_path(const char *path, struct buf *out, struct error *err)
{
    buf_append_text(out, "file://");
    size_t root = out->size;
    if (path[0] != '/') {
        char *directory = getcwd(NULL, 0);
        if (!directory) {
            return error_errno(err, ERROR_CONFIG, "the working directory is not there");
        }
        append_parts(directory, out, root);
        free(directory);
    }
    append_parts(path, out, root);
    if (out->size == root) {
        return error_set(err, ERROR_CONFIG, "\"%s\" is the root of the file system", path);
    }
    return true;
}

/* file:///path, file://localhost/path and Hadoop's file:/path as a path; NULL: it is none of them.
 */
static const char *path_of(const char *location)
{
    if (strncmp(location, "file:", 5) != 0) {
        return uri_scheme(location) == 0 ? location : NULL;
    }
    const char *rest = location + 5;
    if (strncmp(rest, "//localhost/", 12) == 0) {
        return rest + 11;
    }
    if (strncmp(rest, "///", 3) == 0) {
        return rest + 2;
    }
    return rest[0] == '/' && rest[1] != '/' ? rest : NULL;
}

bool location_resolve(const char *location, struct buf *out, struct error *err)
{
    const char *path = path_of(location);
    if (location[0] == '\0') {
        return error_set(err, ERROR_CONFIG, "a location is empty");
    }
    if (strpbrk(location, ambiguous)) {
        return error_set(err, ERROR_CONFIG,
                         "\"%s\" has one of \"%s\", which not all programs read the same way",
                         location, ambiguous);
    }
    if (path) {
        return append_path(path, out, err);
    }
    if (uri_scheme(location) == 0 || strncmp(location, "file:", 5) == 0) {
        return error_set(err, ERROR_CONFIG, "\"%s\" is neither a path nor file:///path", location);
    }
    size_t size = strlen(location);
    while (size > 0 && location[size - 1] == '/') {
        size--;
    }
    buf_append(out, location, size);
    return true;
}

static bool append_part(const char *part, struct buf *out, struct error *err)
{
    if (part[0] == '\0' || strcmp(part, ".") == 0 || strcmp(part, "..") == 0 || strchr(part, '/') ||
        strpbrk(part, ambiguous)) {
        return error_set(err, ERROR_CONFIG,
                         "\"%s\" cannot be a directory of a table: a name has no \"/%s\"", part,
                         ambiguous);
    }
    buf_append_char(out, '/');
    buf_append_text(out, part);
    return true;
}

bool location_append_name(const struct iceberg_name *name, struct buf *out, struct error *err)
{
    for (uint32_t i = 0; i < name->level_count; i++) {
        if (!append_part(name->namespace[i], out, err)) {
            return false;
        }
    }
    return append_part(name->table, out, err);
}
