#include "catalog/metadata_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char hint_key[] = "metadata/version-hint.text";
static const size_t size_max = (size_t)256 << 20;

/* Files of the newest number may go while they are looked for: others commit and clean up. */
enum { HINT_SIZE_MAX = 100, LIST_ATTEMPTS = 5 };

static const char *const suffixes[] = {".metadata.json", ".gz.metadata.json", ".metadata.json.gz"};
enum { SUFFIX_COUNT = sizeof(suffixes) / sizeof(suffixes[0]) };

static bool is_suffix(const char *text)
{
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        if (strcmp(text, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends_like_metadata(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        size_t suffix = strlen(suffixes[i]);
        if (size > suffix && strcmp(name + size - suffix, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* At most 18 digits; *end is what follows them. */
static bool parse_number(const char *text, int64_t *out, const char **end)
{
    size_t digits = strspn(text, "0123456789");
    *end = text + digits;
    *out = digits > 0 && digits <= 18 ? strtoll(text, NULL, 10) : -1;
    return *out >= 0;
}

bool metadata_file_parse(const char *name, struct metadata_file *out)
{
    const char *end = NULL;
    bool is_versioned = name[0] == 'v';
    *out = (struct metadata_file){.is_versioned = is_versioned, .name = name};
    if (!parse_number(name + is_versioned, &out->number, &end)) {
        return false;
    }
    return is_versioned ? is_suffix(end) : *end == '-' && ends_like_metadata(end);
}

static char *key_of(int64_t number, const char *suffix, struct arena *a)
{
    return arena_format(a, "metadata/v%" PRId64 "%s", number, suffix);
}

char *metadata_file_key(int64_t number, struct arena *a)
{
    return key_of(number, suffixes[0], a);
}

/* An object that is not there is no error. */
static bool get_if_there(struct store *s, const char *key, size_t limit, struct buf *data,
                         bool *exists, struct error *err)
{
    struct error failure = {0};
    *exists = store_get(s, key, limit, data, &failure);
    if (*exists || failure.kind == ERROR_CONFLICT) {
        return true;
    }
    *err = failure;
    return false;
}

bool metadata_file_exists(struct store *s, int64_t number, bool *exists, struct error *err)
{
    struct arena a = {0};
    bool ok = true;
    *exists = false;
    for (size_t i = 0; ok && !*exists && i < SUFFIX_COUNT; i++) {
        owned(buf_release) struct buf path = {0};
        struct error failure = {0};
        *exists = store_fetch(s, key_of(number, suffixes[i], &a), &path, &failure);
        if (!*exists && failure.kind != ERROR_CONFLICT) {
            *err = failure;
            ok = false;
        }
    }
    arena_release(&a);
    return ok;
}

bool metadata_file_highest(struct store *s, int64_t *number, struct error *err)
{
    owned(store_entries_release) struct store_entries entries = {0};
    *number = -1;
    if (!store_list(s, "metadata", "v", &entries, err)) {
        return false;
    }
    for (size_t i = 0; i < entries.count; i++) {
        struct metadata_file file;
        if (metadata_file_parse(entries.items[i].name, &file) && file.is_versioned &&
            file.number > *number) {
            *number = file.number;
        }
    }
    return true;
}

/* Reads v<number>; out->name stays as it was when there is none. */
static bool read_version(struct store *s, int64_t number, struct arena *a,
                         struct metadata_file *out, struct buf *data, bool *exists,
                         struct error *err)
{
    *exists = false;
    for (size_t i = 0; !*exists && i < SUFFIX_COUNT; i++) {
        owned(buf_release) struct buf content = {0};
        char *key = key_of(number, suffixes[i], a);
        if (!get_if_there(s, key, size_max, &content, exists, err)) {
            return false;
        }
        if (*exists) {
            struct buf older = *data;
            *data = content;
            content = older;
            *out = (struct metadata_file){
                .number = number, .is_versioned = true, .name = strchr(key, '/') + 1};
        }
    }
    return true;
}

/* -1: there is no hint, or it is not of this catalog. */
static bool read_hint(struct store *s, int64_t *number, struct error *err)
{
    owned(buf_release) struct buf hint = {0};
    bool exists = false;
    struct error failure = {0};
    const char *end = NULL;
    *number = -1;
    if (!get_if_there(s, hint_key, HINT_SIZE_MAX, &hint, &exists, &failure)) {
        if (failure.kind == ERROR_DATA) {
            return true; /* too long for a number */
        }
        *err = failure;
        return false;
    }
    if (exists && parse_number(buf_text(&hint), number, &end) &&
        end[strspn(end, " \r\n")] == '\0') {
        return true;
    }
    *number = -1;
    return true;
}

static bool is_newer(const struct metadata_file *a, int64_t a_ms, const struct metadata_file *b,
                     int64_t b_ms)
{
    if (a->number != b->number) {
        return a->number > b->number;
    }
    if (a->is_versioned != b->is_versioned) {
        return a->is_versioned;
    }
    return a_ms > b_ms; /* of two that tried the same number, the one that came later */
}

static bool list_newest(struct store *s, struct arena *a, struct metadata_file *out,
                        struct error *err)
{
    owned(store_entries_release) struct store_entries entries = {0};
    int64_t modified_ms = 0;
    *out = (struct metadata_file){0};
    if (!store_list(s, "metadata", "", &entries, err)) {
        return false;
    }
    for (size_t i = 0; i < entries.count; i++) {
        struct metadata_file file;
        if (metadata_file_parse(entries.items[i].name, &file) &&
            (!out->name || is_newer(&file, entries.items[i].modified_ms, out, modified_ms))) {
            *out = file;
            modified_ms = entries.items[i].modified_ms;
        }
    }
    if (out->name) {
        out->name = arena_string(a, out->name, strlen(out->name));
    }
    return true;
}

static bool read_listed(struct store *s, struct arena *a, struct metadata_file *out,
                        struct buf *data, struct error *err)
{
    for (int attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
        bool exists = false;
        if (!list_newest(s, a, out, err)) {
            return false;
        }
        if (!out->name) {
            return true;
        }
        if (!get_if_there(s, arena_format(a, "metadata/%s", out->name), size_max, data, &exists,
                          err)) {
            return false;
        }
        if (exists) {
            return true;
        }
    }
    return error_set(err, ERROR_RETRY, "metadata files go faster than they are read");
}

bool metadata_file_newest(struct store *s, struct arena *a, struct metadata_file *out,
                          struct buf *data, struct error *err)
{
    int64_t number = -1;
    bool exists = false;
    *out = (struct metadata_file){0};
    if (!read_hint(s, &number, err) ||
        (number >= 0 && !read_version(s, number, a, out, data, &exists, err))) {
        return false;
    }
    while (exists) {
        if (!read_version(s, ++number, a, out, data, &exists, err)) {
            return false;
        }
    }
    return out->name || read_listed(s, a, out, data, err);
}

bool metadata_file_write_hint(struct store *s, int64_t number, struct error *err)
{
    owned(buf_release) struct buf text = {0};
    int64_t before = -1;
    bool is_later = false;
    if (!read_hint(s, &before, err) ||
        (before > number && !metadata_file_exists(s, before, &is_later, err))) {
        return false;
    }
    if (is_later) {
        return true;
    }
    buf_append_format(&text, "%" PRId64, number);
    return store_put(s, hint_key, buf_str(&text), err);
}
