#include "store/store.h"

#include <stdlib.h>

#include "base/file.h"
#include "store/local.h"
#include "store/uri.h"

static struct store *open_file_url(const char *location, const char *rest, struct error *err)
{
    static const char localhost[] = "localhost/";
    if (strncmp(rest, localhost, sizeof(localhost) - 1) == 0) {
        rest += sizeof(localhost) - 2;
    }
    if (rest[0] != '/') {
        (void)error_set(err, ERROR_CONFIG, "\"%s\" names another machine; use file:///path",
                        location);
        return NULL;
    }
    owned(buf_release) struct buf path = {0};
    if (!uri_decode(str_from(rest), &path, err)) {
        (void)error_recast(err, ERROR_CONFIG);
        return NULL;
    }
    return local_open(buf_text(&path), err);
}

struct store *store_open(const char *location, struct error *err)
{
    size_t scheme = uri_scheme(location);
    if (scheme == 0) {
        return local_open(location, err);
    }
    if (scheme == 4 && strncmp(location, "file", 4) == 0) {
        return open_file_url(location, location + scheme + 3, err);
    }
    (void)error_set(err, ERROR_CONFIG, "\"%s\": there is no store for \"%.*s://\"; use a path",
                    location, (int)scheme, location);
    return NULL;
}

void store_entries_release(struct store_entries *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free((void *)(uintptr_t)e->items[i].name);
    }
    free(e->items);
    *e = (struct store_entries){0};
}

bool store_stage_data(struct store *s, const char *key, struct str data, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    return store_stage(s, key, &path, err) &&
           file_write_new(buf_text(&path), data.data, data.size, err);
}
