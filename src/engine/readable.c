/* Results of any query in types of the model. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "engine/duckdb_internal.h"

static void names_release(struct map *names)
{
    map_release(names, NULL);
}

/* Takes a name for a column; false: another has it. To the engine names that differ in case only
 * are the same. */
static bool take_name(struct map *names, struct arena *a, const char *name)
{
    char *key = arena_string(a, name, strlen(name));
    for (char *p = key; *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    if (map_get(names, str_from(key))) {
        return false;
    }
    (void)map_put(names, str_from(key), names);
    return true;
}

static const char *unique_name(struct map *names, struct arena *a, const char *name)
{
    const char *unique = arena_string(a, name, strlen(name));
    for (uint32_t i = 1; !take_name(names, a, unique); i++) {
        unique = arena_format(a, "%s_%" PRIu32, name, i);
    }
    return unique;
}

/* A column of the inner query; false: the outer one has to make another of it. */
static bool append_column(const struct engine_statement *s, idx_t column, const char *unique,
                          struct buf *sql)
{
    struct buf plain = {0};
    struct buf value = {0};
    const char *name = duckdb_prepared_statement_column_name(s->prepared, column);
    duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(s->prepared, column);
    buf_append_identifier(&plain, unique);
    type_append_readable(type, buf_text(&plain), &value);
    bool same =
        name && strcmp(unique, name) == 0 && strcmp(buf_text(&value), buf_text(&plain)) == 0;
    buf_append_text(sql, buf_text(&value));
    buf_append_text(sql, " AS ");
    buf_append_text(sql, buf_text(&plain));
    duckdb_destroy_logical_type(&type);
    duckdb_free((void *)(uintptr_t)name);
    buf_release(&value);
    buf_release(&plain);
    return same;
}

/* Appends the outer query, whose columns have the same names outside and inside. */
static bool append_outer(const struct engine_statement *s, const char *sql, struct arena *a,
                         struct buf *out)
{
    owned(names_release) struct map names = {0};
    owned(buf_release) struct buf inner = {0};
    bool same = true;
    idx_t count = duckdb_prepared_statement_column_count(s->prepared);
    for (idx_t i = 0; i < count; i++) {
        const char *name = duckdb_prepared_statement_column_name(s->prepared, i);
        const char *unique = unique_name(&names, a, name ? name : "");
        buf_append_text(out, i > 0 ? ", " : "SELECT ");
        buf_append_text(&inner, i > 0 ? ", " : "");
        buf_append_identifier(&inner, unique);
        same = append_column(s, i, unique, out) && same;
        duckdb_free((void *)(uintptr_t)name);
    }
    buf_append_text(out, " FROM (");
    buf_append_text(out, sql);
    buf_append_text(out, "\n) AS readable("); /* it may end in a comment */
    buf_append_text(out, buf_text(&inner));
    buf_append_text(out, ")");
    return same;
}

bool engine_append_readable(struct engine_connection *c, const char *sql, struct buf *out,
                            struct error *err)
{
    owned(arena_release) struct arena arena = {0};
    owned(buf_release) struct buf outer = {0};
    owned(engine_statement_free) struct engine_statement *s = engine_prepare(c, sql, err);
    if (!s) {
        return false;
    }
    bool same = append_outer(s, sql, &arena, &outer);
    buf_append_text(out, same ? sql : buf_text(&outer));
    return !out->failed || error_set(err, ERROR_DATA, "the query is too long");
}
