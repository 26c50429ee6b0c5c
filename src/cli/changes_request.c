#include "cli/changes_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/time_argument.h"
#include "config/scalar.h"

/* --- options --- */

/* Two options that cannot go together. */
static bool refuse_both(struct arguments *a, const char *one, const char *other, const char *why,
                        struct error *err)
{
    return !argument_given(a, one) || !argument_given(a, other) ||
           argument_misuse(a, err, "--%s and --%s do not go together%s", one, other, why);
}

static bool check_options(struct arguments *a, struct error *err)
{
    const char *bookmark = argument_text(a, "bookmark");
    if (bookmark && !bookmark_name_is_good(bookmark)) {
        return argument_misuse(a, err,
                               "--bookmark \"%s\": at most %d letters, digits, '.', '_' and '-', "
                               "not a '.' in front",
                               bookmark, BOOKMARK_NAME_MAX);
    }
    if (!bookmark && argument_given(a, "reset")) {
        return argument_misuse(a, err, "--reset needs --bookmark");
    }
    if (argument_given(a, "batch-rows") && !argument_given(a, "exec")) {
        return argument_misuse(a, err, "--batch-rows needs --exec");
    }
    return refuse_both(a, "from", "since", "", err) && refuse_both(a, "to", "until", "", err) &&
           refuse_both(a, "stats", "explain", "", err) &&
           refuse_both(a, "exec", "output", "", err) && refuse_both(a, "exec", "stats", "", err) &&
           refuse_both(a, "exec", "explain", "", err) &&
           refuse_both(a, "limit", "stats", "", err) &&
           refuse_both(a, "limit", "explain", "", err) &&
           refuse_both(a, "reset", "stats", ", which moves no bookmark", err) &&
           refuse_both(a, "reset", "explain", ", which moves no bookmark", err) &&
           refuse_both(a, "limit", "bookmark", ": a bookmark stands at the end of a version", err);
}

/* "a, b": its items, in the arena, without blanks around them. */
static const char **split_list(struct arena *a, const char *text, uint32_t *count)
{
    const char **items = arena_array(a, strlen(text) + 1, sizeof(*items));
    *count = 0;
    for (const char *p = text;; p++) {
        size_t size = strcspn(p, ",");
        const char *item = p + strspn(p, " ");
        size_t item_size = item < p + size ? (size_t)(p + size - item) : 0;
        while (item_size > 0 && item[item_size - 1] == ' ') {
            item_size--;
        }
        items[(*count)++] = arena_string(a, item, item_size);
        p += size;
        if (*p == '\0') {
            return items;
        }
    }
}

static bool read_types(struct arguments *a, struct lake_changes_options *out, struct error *err)
{
    const char *text = argument_text(a, "type");
    uint32_t count = 0;
    const char **types = split_list(&a->arena, text ? text : "insert,update,delete", &count);
    for (uint32_t i = 0; i < count; i++) {
        bool insert = strcmp(types[i], "insert") == 0;
        bool update = strcmp(types[i], "update") == 0;
        bool delete = strcmp(types[i], "delete") == 0;
        if (!insert && !update && !delete) {
            return argument_misuse(a, err, "--type \"%s\": insert, update, delete", text);
        }
        out->inserts |= insert;
        out->updates |= update;
        out->deletes |= delete;
    }
    return true;
}

static bool read_names(struct changes_request *r, const char *option, const char *const **out,
                       uint32_t *count, struct error *err)
{
    struct arguments *a = r->arguments;
    const char *text = argument_text(a, option);
    if (!text) {
        return true;
    }
    const char *const *names = split_list(&a->arena, text, count);
    for (uint32_t i = 0; i < *count; i++) {
        if (schema_find(r->history->schema, str_from(names[i])) < 0) {
            return argument_misuse(a, err, "--%s: the table has no column \"%s\"", option,
                                   names[i]);
        }
    }
    *out = names;
    return true;
}

static bool read_rows_wanted(struct changes_request *r, struct error *err)
{
    struct lake_changes_options *o = &r->options;
    struct arguments *a = r->arguments;
    o->where = argument_text(a, "where");
    r->limit = INT64_MAX;
    return argument_integer(a, "limit", 1, INT64_MAX, &r->limit, err) && read_types(a, o, err) &&
           read_names(r, "columns", &o->columns, &o->column_count, err) &&
           read_names(r, "key", &o->key, &o->key_count, err);
}

/* --- range --- */

static bool read_time(struct arguments *a, const char *option, int64_t *out_us, struct error *err)
{
    const char *text = argument_text(a, option);
    return time_argument_parse(text, clock_wall_us(), out_us) ||
           argument_misuse(a, err,
                           "--%s \"%s\": a time such as 2026-11-21, 2026-11-21T14:05Z, or how long "
                           "ago it was, " SCALAR_DURATION_WANTED,
                           option, text);
}

/* Versions from the oldest on that are younger than the moment before `time_us`. */
static size_t first_since(const struct lake_history *h, int64_t time_us)
{
    struct error none = {0};
    size_t before = 0;
    return time_us > INT64_MIN && lake_history_at(h, time_us - 1, &before, &none) ? before + 1 : 0;
}

/* Leaves `*index` alone when the option was not given. */
static bool find_version(struct changes_request *r, const char *option, size_t *index,
                         struct error *err)
{
    int64_t id = -1;
    if (!argument_integer(r->arguments, option, 0, INT64_MAX, &id, err)) {
        return false;
    }
    return id < 0 || lake_history_find(r->history, id, index, err) ||
           error_wrap(err, "--%s", option);
}

static bool read_first(struct changes_request *r, struct error *err)
{
    struct arguments *a = r->arguments;
    const struct lake_history *h = r->history;
    size_t *first = &r->options.first;
    int64_t since_us = 0;
    if (r->has_bookmark && r->bookmark.exists) {
        return bookmark_find(&r->bookmark, h, first, err);
    }
    if (argument_given(a, "since")) {
        if (!read_time(a, "since", &since_us, err)) {
            return false;
        }
        *first = first_since(h, since_us);
        return true;
    }
    *first = 0;
    if (!find_version(r, "from", first, err)) {
        return false;
    }
    *first += argument_given(a, "from") && !h->type->from_is_inclusive;
    return true;
}

/* The index of the last version; version_count - 1 unless the user says otherwise. */
static bool read_last(struct changes_request *r, struct error *err)
{
    struct arguments *a = r->arguments;
    const struct lake_history *h = r->history;
    int64_t until_us = 0;
    r->options.last = h->version_count - 1;
    if (!argument_given(a, "until")) {
        return find_version(r, "to", &r->options.last, err);
    }
    return read_time(a, "until", &until_us, err) &&
           (lake_history_at(h, until_us, &r->options.last, err) || error_wrap(err, "--until"));
}

static bool read_range(struct changes_request *r, struct error *err)
{
    struct arguments *a = r->arguments;
    r->is_empty = r->history->version_count == 0;
    if (r->is_empty) {
        return true;
    }
    if (!read_first(r, err) || !read_last(r, err)) {
        return false;
    }
    r->is_empty = r->options.first > r->options.last;
    bool is_backwards = r->is_empty && argument_given(a, "from") && argument_given(a, "to") &&
                        !(r->has_bookmark && r->bookmark.exists) &&
                        strcmp(argument_text(a, "from"), argument_text(a, "to")) != 0;
    return !is_backwards || argument_misuse(a, err, "--from %s comes after --to %s",
                                            argument_text(a, "from"), argument_text(a, "to"));
}

/* --- opening --- */

static bool open_bookmark(struct changes_request *r, struct error *err)
{
    struct arguments *a = r->arguments;
    const char *name = argument_text(a, "bookmark");
    const char *state_dir = argument_text(a, "state-dir");
    bool looks = argument_given(a, "stats") || argument_given(a, "explain");
    enum bookmark_mode mode = argument_given(a, "reset") ? BOOKMARK_RESET : BOOKMARK_HOLD;
    r->has_bookmark = name != NULL;
    return !name || bookmark_open(&r->bookmark, state_dir ? state_dir : "./state", name,
                                  looks ? BOOKMARK_LOOK : mode, err);
}

static bool open_engine(struct changes_request *r, struct error *err)
{
    const char *directory = getenv("TMPDIR");
    char id[UUID_TEXT_SIZE];
    owned(buf_release) struct buf path = {0};
    random_uuid(id);
    buf_append_format(&path, "%s/leat-changes-%s", directory && *directory ? directory : "/tmp",
                      id);
    r->spill = strdup(buf_text(&path));
    if (!r->spill) {
        abort();
    }
    struct engine_options options = {.kind = ENGINE_FILE, .temp_directory = r->spill};
    r->engine = engine_open(&options, err);
    r->connection = r->engine ? engine_connect(r->engine, err) : NULL;
    r->table.lake.engine = r->connection;
    return r->connection != NULL;
}

static void close_engine(struct changes_request *r)
{
    struct error ignored = {0};
    engine_disconnect(&r->connection);
    engine_free(&r->engine);
    if (r->spill) {
        bool removed = file_remove_tree(r->spill, &ignored);
        (void)removed;
        free(take(r->spill));
    }
}

static bool open_history(struct changes_request *r, int64_t since, int64_t to, struct error *err)
{
    struct lake_history_options options = {
        .table = &r->table.lake, .engine = r->connection, .to = to, .since = since};
    lake_history_free(&r->history);
    r->history = r->table.type->open(&options, err);
    return r->history != NULL;
}

/* Old versions need not be read; unless the range is one that the table does not have. */
static bool open_whole_history(struct changes_request *r, struct error *err)
{
    const struct arguments *a = r->arguments;
    const char *from = argument_text(a, "from");
    int64_t since = 0;
    if (r->has_bookmark && r->bookmark.exists) {
        since = r->bookmark.version;
    } else if (from && !scalar_parse_integer(from, &since)) {
        since = 0;
    }
    if (argument_given(a, "to") || argument_given(a, "until")) {
        since = 0; /* it may be before */
    }
    return open_history(r, since, -1, err) &&
           (r->history->version_count > 0 || since == 0 || open_history(r, 0, -1, err));
}

/* The columns are those of the last version, where one was named; else those of the table, which
 * may have got more since its last snapshot. */
static bool use_last_schema(struct changes_request *r, struct error *err)
{
    bool is_named = argument_given(r->arguments, "to") || argument_given(r->arguments, "until");
    if (r->is_empty || (!is_named && r->options.last + 1 == r->history->version_count)) {
        return true;
    }
    int64_t first_id = changes_request_id(r, r->options.first);
    int64_t last_id = changes_request_id(r, r->options.last);
    return open_history(r, 0, last_id, err) &&
           lake_history_find(r->history, first_id, &r->options.first, err) &&
           lake_history_find(r->history, last_id, &r->options.last, err);
}

bool changes_request_open(struct changes_request *r, struct arguments *a, struct error *err)
{
    *r = (struct changes_request){.arguments = a, .bookmark = {.lock = -1}};
    if (!check_options(a, err) || !open_bookmark(r, err) ||
        !table_argument_open(a, a->operands[0], &r->table, err)) {
        return false;
    }
    if (!open_engine(r, err) || !open_whole_history(r, err) || !read_range(r, err) ||
        !use_last_schema(r, err) || !read_rows_wanted(r, err)) {
        return false;
    }
    r->options.history = r->history;
    r->options.engine = r->connection;
    return true;
}

int64_t changes_request_id(const struct changes_request *r, size_t index)
{
    return r->history->versions[index].id;
}

bool changes_request_consumed(struct changes_request *r, size_t index, struct error *err)
{
    return !r->has_bookmark || bookmark_write(&r->bookmark, r->history, r->table.location,
                                              changes_request_id(r, index), err);
}

void changes_request_release(struct changes_request *r)
{
    lake_history_free(&r->history);
    close_engine(r);
    table_argument_release(&r->table);
    bookmark_release(&r->bookmark);
}
