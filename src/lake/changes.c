#include "lake/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lake/changes_state.h"
#include "lake/condition.h"

/* --- opening --- */

static const char *version_column(const struct lake_changes *c)
{
    return strcmp(c->options.history->type->name, "iceberg") == 0 ? "_commit_snapshot_id"
                                                                  : "_commit_version";
}

/* Names of columns as indexes; without names, which of them are so by themselves. */
static bool find_columns(struct lake_changes *c, const char *const *names, uint32_t count,
                         uint32_t **out, struct error *err)
{
    *out = arena_array(&c->arena, count + 1, sizeof(**out));
    for (uint32_t i = 0; i < count; i++) {
        int found = schema_find(c->table, str_from(names[i]));
        if (found < 0) {
            return error_set(err, ERROR_CONFIG, "the table has no column \"%s\"", names[i]);
        }
        (*out)[i] = (uint32_t)found;
    }
    return true;
}

static bool contains(const uint32_t *columns, uint32_t count, uint32_t column)
{
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i] == column) {
            return true;
        }
    }
    return false;
}

static bool choose_columns(struct lake_changes *c, struct error *err)
{
    const struct lake_changes_options *o = &c->options;
    uint32_t count = c->table->column_count;
    c->all = arena_array(&c->arena, count + 1, sizeof(*c->all));
    for (uint32_t i = 0; i < count; i++) {
        c->all[i] = i;
    }
    c->chosen = c->all;
    c->chosen_count = o->columns ? o->column_count : count;
    c->key_count = o->key ? o->key_count : 0;
    if ((o->columns && !find_columns(c, o->columns, c->chosen_count, &c->chosen, err)) ||
        !find_columns(c, o->key, c->key_count, &c->key, err)) {
        return false;
    }
    if (!o->key) {
        c->key = arena_array(&c->arena, count + 1, sizeof(*c->key));
        for (uint32_t i = 0; i < count; i++) {
            if (c->table->columns[i].is_key) {
                c->key[c->key_count++] = i;
            }
        }
    }
    return true;
}

static bool is_reserved(const struct lake_changes *c, const char *name)
{
    return strcasecmp(name, "_change_type") == 0 || strcasecmp(name, version_column(c)) == 0 ||
           strcasecmp(name, "_commit_timestamp") == 0;
}

/* A condition knows columns by name, and to SQL the case of a name does not matter. */
static bool check_names(const struct lake_changes *c, struct error *err)
{
    for (uint32_t i = 0; i < c->chosen_count; i++) {
        const char *name = c->table->columns[c->chosen[i]].name;
        if (is_reserved(c, name)) {
            return error_set(err, ERROR_CONFIG,
                             "the table has a column \"%s\", which is what changes are told by; "
                             "choose the columns to read without it",
                             name);
        }
    }
    for (uint32_t i = 0; c->options.where && i < c->table->column_count; i++) {
        for (uint32_t other = 0; other < i; other++) {
            if (strcasecmp(c->table->columns[i].name, c->table->columns[other].name) == 0) {
                return error_set(err, ERROR_CONFIG,
                                 "columns \"%s\" and \"%s\" differ in case only, so no condition "
                                 "can tell them apart",
                                 c->table->columns[other].name, c->table->columns[i].name);
            }
        }
    }
    return true;
}

/* Without a condition the rest of the columns need not be read. */
static void need_columns(struct lake_changes *c)
{
    c->needed = arena_array(&c->arena, c->table->column_count + 1, sizeof(*c->needed));
    for (uint32_t i = 0; i < c->table->column_count; i++) {
        bool asked = c->options.where && !is_reserved(c, c->table->columns[i].name);
        if (asked || contains(c->chosen, c->chosen_count, i) || contains(c->key, c->key_count, i)) {
            c->needed[c->needed_count++] = i;
        }
    }
}

static struct schema *make_schema(const struct lake_changes *c)
{
    const struct schema_column last[CHANGE_COLUMNS] = {
        {.name = "_change_type", .type = {.kind = TYPE_STRING}},
        {.name = version_column(c), .type = {.kind = TYPE_INT64}},
        {.name = "_commit_timestamp", .type = {.kind = TYPE_TIMESTAMPTZ}},
    };
    struct schema *s = schema_new(c->chosen_count + CHANGE_COLUMNS);
    for (uint32_t i = 0; i < c->chosen_count; i++) {
        const struct schema_column *column = &c->table->columns[c->chosen[i]];
        s->columns[i] = *column;
        s->columns[i].name = schema_name(s, str_from(column->name));
        s->columns[i].source_type = NULL;
        s->columns[i].is_key = contains(c->key, c->key_count, c->chosen[i]);
    }
    memcpy(s->columns + c->chosen_count, last, sizeof(last));
    schema_seal(s);
    return s;
}

/* --- the rows that are asked for --- */

static void append_types(const struct lake_changes *c, struct buf *sql)
{
    const struct lake_changes_options *o = &c->options;
    if (o->inserts && o->updates && o->deletes) {
        return;
    }
    buf_append_text(sql, " WHERE change IN (''");
    buf_append_text(sql, o->inserts ? ", 'insert'" : "");
    buf_append_text(sql, o->updates ? ", 'update_preimage', 'update_postimage'" : "");
    buf_append_text(sql, o->deletes ? ", 'delete'" : "");
    buf_append_text(sql, ")");
}

/* Columns c<i> with the names that a condition knows. */
static void append_named(const struct lake_changes *c, struct buf *sql)
{
    for (uint32_t i = 0; i < c->needed_count; i++) {
        if (!is_reserved(c, c->table->columns[c->needed[i]].name)) {
            buf_append_format(sql, "c%u AS ", c->needed[i]);
            buf_append_identifier(sql, c->table->columns[c->needed[i]].name);
            buf_append_text(sql, ", ");
        }
    }
}

/* The output over rows of the form that changes_state.h describes. */
static void append_output(const struct lake_changes *c, const struct lake_version *v,
                          const char *rows, struct buf *sql)
{
    const char *where = c->options.where;
    buf_append_text(sql, "SELECT ");
    if (where) {
        for (uint32_t i = 0; i < c->schema->column_count; i++) {
            buf_append_text(sql, i > 0 ? ", " : "");
            buf_append_identifier(sql, c->schema->columns[i].name);
        }
        buf_append_text(sql, " FROM (SELECT ");
        append_named(c, sql);
    } else {
        changes_append_columns(c->chosen, c->chosen_count, "", sql);
        buf_append_text(sql, c->chosen_count > 0 ? ", " : "");
    }
    buf_append_format(sql,
                      "change AS _change_type, %" PRId64 "::BIGINT AS %s, make_timestamptz(%" PRId64
                      "::BIGINT) AS _commit_timestamp FROM (%s)",
                      v->id, version_column(c), v->time_us, rows);
    append_types(c, sql);
    if (where) {
        /* By itself: nothing that it says can change what else is asked for. */
        buf_append_format(sql, ") WHERE (%s\n)", where);
    }
}

/* A condition that the engine does not understand is found before a file is read. */
static bool check_condition(const struct lake_changes *c, struct error *err)
{
    static const struct lake_version nothing = {0};
    const char *where = c->options.where;
    if (!where) {
        return true;
    }
    if (!lake_condition_check(c->options.engine, where, err)) {
        return false;
    }
    owned(buf_release) struct buf rows = {0};
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&rows, "SELECT ");
    for (uint32_t i = 0; i < c->needed_count; i++) {
        buf_append_text(&rows, "NULL::");
        engine_append_type(c->table->columns[c->needed[i]].type, &rows);
        buf_append_format(&rows, " AS c%u, ", c->needed[i]);
    }
    buf_append_text(&rows, "''::VARCHAR AS change WHERE false");
    append_output(c, &nothing, buf_text(&rows), &sql);
    owned(engine_rows_free) struct engine_rows *result =
        engine_query(c->options.engine, buf_text(&sql), err);
    if (!result && err->kind == ERROR_DATA) {
        (void)error_recast(err, ERROR_CONFIG);
    }
    return result || error_wrap(err, "condition \"%s\"", where);
}

static bool check_versions(const struct lake_changes_options *o, struct error *err)
{
    const struct lake_history *h = o->history;
    if (o->last >= h->version_count) {
        return error_set(err, ERROR_CONFIG, "the table has only %zu versions", h->version_count);
    }
    return o->first <= o->last ||
           error_set(err, ERROR_CONFIG,
                     "there is no version from %" PRId64 " on; the last one is %" PRId64,
                     h->versions[o->first < h->version_count ? o->first : o->last].id,
                     h->versions[o->last].id);
}

struct lake_changes *lake_changes_open(const struct lake_changes_options *options,
                                       struct error *err)
{
    owned(lake_changes_free) struct lake_changes *c = calloc(1, sizeof(*c));
    if (!c) {
        abort();
    }
    c->options = *options;
    c->table = options->history->schema;
    c->next_version = options->first;
    (void)snprintf(c->gathered, sizeof(c->gathered), "leat_changes_%" PRIxPTR, (uintptr_t)c);
    if (!c->table) {
        (void)error_set(err, ERROR_FATAL, "the history was opened for its versions only");
        return NULL;
    }
    if (options->where) {
        c->options.where = arena_string(&c->arena, options->where, strlen(options->where));
    }
    if (!check_versions(options, err) || !choose_columns(c, err) || !check_names(c, err)) {
        return NULL;
    }
    need_columns(c);
    c->schema = make_schema(c);
    return check_condition(c, err) ? take(c) : NULL;
}

void lake_changes_free(struct lake_changes **c)
{
    if (!*c) {
        return;
    }
    engine_rows_free(&(*c)->rows);
    changes_drop_gathered(*c);
    free((*c)->row_numbers);
    schema_release((*c)->schema);
    arena_release(&(*c)->version_arena);
    arena_release(&(*c)->arena);
    free(take(*c));
}

const struct schema *lake_changes_schema(const struct lake_changes *c)
{
    return c->schema;
}

void lake_changes_watch(struct lake_changes *c, lake_changes_file_fn *fn, void *arg)
{
    c->watch = fn;
    c->watch_arg = arg;
}

struct lake_changes_stats lake_changes_stats(const struct lake_changes *c)
{
    return c->stats;
}

/* --- reading --- */

/* True when the rows of a version mean something only together. */
static bool is_whole(const struct lake_changes *c)
{
    bool kinds[3] = {false};
    for (uint32_t i = 0; i < c->pieces.count; i++) {
        kinds[c->pieces.items[i].kind] = true;
    }
    return c->pieces.carries_over || (c->options.ordered && kinds[LAKE_FEED]) ||
           (c->key_count > 0 && kinds[LAKE_INSERTED] && kinds[LAKE_DELETED]);
}

/* Inserts come last: then changes can be applied as they are read. */
static void sort_pieces(struct lake_changes *c)
{
    struct lake_piece *sorted =
        arena_array(&c->version_arena, (size_t)c->pieces.count + 1, sizeof(*sorted));
    uint32_t count = 0;
    for (int last = 0; last < 2; last++) {
        for (uint32_t i = 0; i < c->pieces.count; i++) {
            if ((c->pieces.items[i].kind == LAKE_INSERTED) == last) {
                sorted[count++] = c->pieces.items[i];
            }
        }
    }
    c->pieces.items = sorted;
}

static bool query(struct lake_changes *c, const char *rows, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    append_output(c, c->version, rows, &sql);
    c->rows = engine_query(c->options.engine, buf_text(&sql), err);
    return c->rows != NULL;
}

static bool begin_version(struct lake_changes *c, struct error *err)
{
    struct lake_history *h = c->options.history;
    owned(buf_release) struct buf rows = {0};
    size_t index = c->next_version++;
    c->version = &h->versions[index];
    c->pieces = (struct lake_pieces){0};
    c->piece_next = 0;
    changes_drop_gathered(c);
    arena_release(&c->version_arena);
    if (c->version->keeps_rows) {
        return true;
    }
    if (!h->type->changes(h, index, &c->version_arena, &c->pieces, err)) {
        return false;
    }
    c->stats.versions++;
    sort_pieces(c);
    if (!is_whole(c)) {
        return true;
    }
    c->piece_next = c->pieces.count;
    return changes_append_gathered(c, &rows, err) && query(c, buf_text(&rows), err);
}

static bool begin_piece(struct lake_changes *c, const struct lake_piece *piece, struct error *err)
{
    owned(buf_release) struct buf rows = {0};
    if ((piece->kind == LAKE_INSERTED && !c->options.inserts) ||
        (piece->kind == LAKE_DELETED && !c->options.deletes)) {
        return true;
    }
    return changes_append_piece(c, piece, c->needed, c->needed_count, &rows, err) &&
           query(c, buf_text(&rows), err);
}

static void count_rows(struct lake_changes *c, const struct column *types, uint32_t row_count)
{
    for (uint32_t i = 0; i < row_count; i++) {
        struct str type = view_str(&((const struct view *)types->values)[i]);
        c->stats.inserts += str_equal(type, str_from("insert"));
        c->stats.updates += str_equal(type, str_from("update_postimage"));
        c->stats.deletes += str_equal(type, str_from("delete"));
    }
}

/* Begins what is read next; *done: there is nothing. */
static bool begin_next(struct lake_changes *c, bool *done, struct error *err)
{
    if (c->piece_next < c->pieces.count) {
        return begin_piece(c, &c->pieces.items[c->piece_next++], err);
    }
    *done = c->next_version > c->options.last;
    return *done || begin_version(c, err);
}

bool lake_changes_next(struct lake_changes *c, const struct column **columns, uint32_t *row_count,
                       size_t *version, struct error *err)
{
    bool done = false;
    *row_count = 0;
    while (!done) {
        if (c->rows) {
            if (!engine_rows_next(c->rows, columns, row_count, err)) {
                return error_wrap(err, "version %" PRId64, c->version->id);
            }
            if (*row_count > 0) {
                count_rows(c, &(*columns)[c->chosen_count], *row_count);
                if (version) {
                    *version = c->next_version - 1;
                }
                return true;
            }
            engine_rows_free(&c->rows);
        }
        if (!begin_next(c, &done, err)) {
            return error_wrap(err, "version %" PRId64, c->version->id);
        }
    }
    return true;
}

bool lake_changes_count(const struct lake_changes_options *options, struct lake_changes_stats *out,
                        struct error *err)
{
    static const char *const no_columns[] = {NULL};
    struct lake_changes_options counted = *options;
    counted.columns = no_columns;
    counted.column_count = 0;
    owned(lake_changes_free) struct lake_changes *c = lake_changes_open(&counted, err);
    while (c) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!lake_changes_next(c, &columns, &row_count, NULL, err)) {
            return false;
        }
        if (row_count == 0) {
            *out = c->stats;
            return true;
        }
    }
    return false;
}
