#include "delta/path.h"

#include "store/uri.h"

void delta_path_encode(const char *key, struct buf *out)
{
    uri_encode(str_from(key), "/=", out);
}

bool delta_path_key(const char *path, struct buf *out, struct error *err)
{
    if (path[0] == '/' || uri_scheme(path) > 0 || strncmp(path, "file:", 5) == 0) {
        return error_set(err, ERROR_CONFIG,
                         "\"%s\" is an absolute path; only files below the table are read", path);
    }
    return uri_decode(str_from(path), out, err);
}
