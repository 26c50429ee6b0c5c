#include "cli/bookmark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum { FORMAT_VERSION = 1, FILE_SIZE_MAX = 1 << 20 };

static void release_json(json_t **json)
{
    json_decref(*json);
}

bool bookmark_name_is_good(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen(name);
    return size > 0 && size <= BOOKMARK_NAME_MAX && name[0] != '.' && strspn(name, good) == size;
}

/* --- opening --- */

static bool take_lock(struct bookmark *b, struct error *err)
{
    owned(buf_release) struct buf path = {0};
    buf_append_format(&path, "%s.lock", buf_text(&b->path));
    b->lock = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (b->lock < 0) {
        return error_errno(err, ERROR_CONFIG, "cannot open \"%s\"", buf_text(&path));
    }
    if (flock(b->lock, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    return errno == EWOULDBLOCK
               ? error_set(err, ERROR_CONFLICT,
                           "another process is reading with bookmark \"%s\" (it holds \"%s\")",
                           b->name, buf_text(&path))
               : error_errno(err, ERROR_FATAL, "cannot lock \"%s\"", buf_text(&path));
}

static char *keep_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) {
        abort();
    }
    return copy;
}

static bool damaged(const struct bookmark *b, const char *what, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "\"%s\" is damaged (%s): start anew with --reset",
                     buf_text(&b->path), what);
}

static bool read_file(struct bookmark *b, struct error *err)
{
    owned(buf_release) struct buf text = {0};
    if (!file_exists(buf_text(&b->path))) {
        return true;
    }
    if (!file_read(buf_text(&b->path), FILE_SIZE_MAX, &text, err)) {
        return false;
    }
    json_error_t where;
    owned(release_json) json_t *root = json_loadb(buf_text(&text), text.size, 0, &where);
    const json_t *version = json_object_get(root, "version");
    if (!root) {
        return damaged(b, where.text, err);
    }
    if (json_integer_value(json_object_get(root, "formatVersion")) != FORMAT_VERSION) {
        return damaged(b, "another format version", err);
    }
    b->table_id = keep_text(root, "tableId");
    b->location = keep_text(root, "location");
    if (!b->table_id || !b->location || !json_is_integer(version)) {
        return damaged(b, "it does not name table and version", err);
    }
    b->version = json_integer_value(version);
    b->exists = true;
    return true;
}

bool bookmark_open(struct bookmark *b, const char *state_dir, const char *name,
                   enum bookmark_mode mode, struct error *err)
{
    owned(buf_release) struct buf directory = {0};
    *b = (struct bookmark){.name = name, .lock = -1};
    buf_append_format(&directory, "%s/bookmarks", state_dir);
    buf_append_format(&b->path, "%s/%s.json", buf_text(&directory), name);
    if (mode != BOOKMARK_LOOK &&
        (!file_make_directories(buf_text(&directory), err) || !take_lock(b, err))) {
        return false;
    }
    return mode == BOOKMARK_RESET || read_file(b, err);
}

/* --- where it stands in a history --- */

static bool is_lost(const struct bookmark *b, struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "bookmark \"%s\" stands at version %" PRId64
                     ", and what follows it is no longer in the history of the table (cleaned, "
                     "expired or rolled back): changes may have been missed; read the table anew, "
                     "then start anew with --reset",
                     b->name, b->version);
}

/* The version itself may be gone, if the one after it is there. Delta's count up by one, so that it
 * is known even of one whose predecessor is not. */
static bool follows(const struct lake_version *v, int64_t version, const struct lake_history *h)
{
    return v->parent_id == version || (strcmp(h->type->name, "delta") == 0 && v->id == version + 1);
}

bool bookmark_find(const struct bookmark *b, const struct lake_history *h, size_t *next,
                   struct error *err)
{
    if (strcmp(b->table_id, h->table_id) != 0) {
        return error_set(err, ERROR_CONFIG,
                         "bookmark \"%s\" belongs to another table (\"%s\", id %s): use another "
                         "name, or start anew with --reset",
                         b->name, b->location, b->table_id);
    }
    for (size_t i = h->version_count; i > 0; i--) {
        if (h->versions[i - 1].id == b->version) {
            *next = i;
            return true;
        }
    }
    *next = 0;
    return (h->version_count > 0 && follows(&h->versions[0], b->version, h)) || is_lost(b, err);
}

bool bookmark_write(struct bookmark *b, const struct lake_history *h, const char *location,
                    int64_t version, struct error *err)
{
    owned(release_json) json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:I}", "formatVersion", FORMAT_VERSION, "format", h->type->name,
        "tableId", h->table_id, "location", location, "version", (json_int_t)version);
    if (!root) {
        return error_set(err, ERROR_FATAL, "cannot write \"%s\": \"%s\" is not UTF-8",
                         buf_text(&b->path), location);
    }
    char *text = json_dumps(root, JSON_INDENT(1));
    if (!text) {
        abort();
    }
    bool done = file_write(buf_text(&b->path), text, strlen(text), err);
    free(text);
    return done ||
           error_wrap(err, "bookmark \"%s\" was not moved to version %" PRId64, b->name, version);
}

void bookmark_release(struct bookmark *b)
{
    if (b->lock >= 0) {
        (void)close(b->lock);
    }
    free(b->table_id);
    free(b->location);
    buf_release(&b->path);
    *b = (struct bookmark){.lock = -1};
}
