/* Results of any query in types of the model. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

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
    const char *unique = name;
    for (uint32_t i = 1; !take_name(names, a, unique); i++) {
        unique = arena_format(a, "%s_%" PRIu32, name, i);
    }
    return unique;
}

/* Appends a column of the outer query. True: it is not what the inner one gives. */
static bool append_column(const struct engine_statement *s, idx_t column, struct map *names,
                          struct arena *a, struct buf *sql)
{
    struct buf value = {0};
    char plain[32];
    const char *name = duckdb_prepared_statement_column_name(s->prepared, column);
    duckdb_logical_type type = duckdb_prepared_statement_column_logical_type(s->prepared, column);
    const char *unique = unique_name(names, a, name ? name : "");
    (void)snprintf(plain, sizeof(plain), "c%" PRIu64, (uint64_t)column);
    type_append_readable(type, plain, &value);
    bool differs = strcmp(buf_text(&value), plain) != 0 || !name || strcmp(unique, name) != 0;
    buf_append_format(sql, "%s%s AS ", column > 0 ? ", " : "", buf_text(&value));
    buf_append_identifier(sql, unique);
    duckdb_destroy_logical_type(&type);
    duckdb_free((void *)(uintptr_t)name);
    buf_release(&value);
    return differs;
}

bool engine_append_readable(struct engine_connection *c, const char *sql, struct buf *out,
                            struct error *err)
{
    owned(names_release) struct map names = {0};
    owned(arena_release) struct arena arena = {0};
    owned(buf_release) struct buf outer = {0};
    owned(engine_statement_free) struct engine_statement *s = engine_prepare(c, sql, err);
    if (!s) {
        return false;
    }
    bool differs = false;
    idx_t count = duckdb_prepared_statement_column_count(s->prepared);
    buf_append_text(&outer, "SELECT ");
    for (idx_t i = 0; i < count; i++) {
        differs = append_column(s, i, &names, &arena, &outer) || differs;
    }
    if (!differs) {
        buf_append_text(out, sql);
        return true;
    }
    buf_append_text(&outer, " FROM (");
    buf_append_text(&outer, sql);
    buf_append_text(&outer, "\n) AS readable("); /* it may end in a comment */
    for (idx_t i = 0; i < count; i++) {
        buf_append_format(&outer, "%sc%" PRIu64, i > 0 ? ", " : "", (uint64_t)i);
    }
    buf_append_text(&outer, ")");
    buf_append(out, outer.data, outer.size);
    return true;
}
