/* A table that the log alters: which of its columns stay, come and go, and what nobody would notice
 *. */
#include <string.h>
#include <strings.h>

#include "source/mysql/relation.h"

static bool same_name(const char *a, const char *b)
{
    return a && b && strcasecmp(a, b) == 0;
}

static const struct ddl_change *find_change(const struct ddl *ddl, enum ddl_change_kind kind,
                                            const char *name)
{
    for (uint32_t i = 0; i < ddl->change_count; i++) {
        if (ddl->changes[i].kind == kind && same_name(ddl->changes[i].name, name)) {
            return &ddl->changes[i];
        }
    }
    return NULL;
}

bool my_relation_is_reshaped(const struct ddl *ddl)
{
    return ddl->change_count > 0;
}

static bool lost_column(const struct my_relation *r, const char *column, const char *what,
                        const struct my_relation_options *options, struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table %s.%s, column \"%s\" %s; load again with leat reload %s",
                     r->name.schema, r->name.table, column, what, options->pipeline);
}

/* What is lost whatever the catalog says. */
static bool check_change(const struct my_relation *r, const struct my_relation_statement *statement,
                         const struct ddl_change *c, const struct my_relation_options *options,
                         struct error *err)
{
    const char *pipeline = options->pipeline;
    switch (c->kind) {
    case DDL_ADD_COLUMN:
        if (find_change(statement->ddl, DDL_DROP_COLUMN, c->name)) {
            return lost_column(r, c->name, "was dropped and added again", options, err);
        }
        return !c->fills_old_rows ||
               lost_column(r, c->name,
                           "was added with a value for old rows, which they show without a change "
                           "event",
                           options, err);
    case DDL_DROP_COLUMN: {
        const struct my_catalog_column *known = my_catalog_find(&r->known, str_from(c->name));
        return !known || !known->is_key ||
               lost_column(r, c->name, "of the key was dropped", options, err);
    }
    case DDL_RENAME_COLUMN:
        return lost_column(r, c->name, "was renamed", options, err);
    case DDL_MODIFY_COLUMN:
        if (c->fills_old_rows) {
            return lost_column(r, c->name, "is generated anew, old rows without a change event",
                               options, err);
        }
        return !statement->is_past ||
               lost_column(r, c->name,
                           "was altered while the pipeline did not run: nobody saw which type it "
                           "had",
                           options, err);
    case DDL_KEY:
        return my_relation_lose(r, "has another primary key", pipeline, err);
    case DDL_ROWS_CHANGED:
        return my_relation_lose(r, "was altered in a way that changes rows without change events",
                                pipeline, err);
    case DDL_RENAME_TABLE:
        return my_relation_lose(r, "was renamed", pipeline, err);
    case DDL_CHANGE_UNKNOWN:
        break;
    }
    return my_relation_lose(r, "was altered in a way that leat does not follow", pipeline, err);
}

/* Labels of `a` are the first ones of `b`. */
static bool keeps_labels(const struct my_catalog_column *a, const struct my_catalog_column *b)
{
    if (a->label_count > b->label_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->label_count; i++) {
        if (strcmp(a->labels[i], b->labels[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool keeps_text(const struct my_catalog_column *a, const struct my_catalog_column *b)
{
    bool same_charset = a->charset && b->charset && strcmp(a->charset, b->charset) == 0;
    return (same_charset || (b->charset && strcmp(b->charset, "utf8mb4") == 0)) &&
           a->length <= b->length;
}

/* The longest value of a text or blob type in bytes stands in its name. */
static int text_size(const char *data_type)
{
    static const char *const sizes[] = {"char", "varchar", "tiny", "text",
                                        "blob", "medium",  "long"};
    for (int i = (int)(sizeof(sizes) / sizeof(sizes[0])) - 1; i >= 0; i--) {
        if (strncmp(data_type, sizes[i], strlen(sizes[i])) == 0) {
            return i;
        }
    }
    return -1;
}

/* True when every value of the old column is the same value in the new one. */
static bool preserves_values(const struct my_relation *r, uint32_t column,
                             const struct my_catalog_column *a, const struct my_catalog_column *b,
                             const struct my_value_rule *to)
{
    const struct my_value_rule *from = &r->rules[column];
    if (strcmp(a->type, b->type) == 0) {
        return !a->charset || keeps_text(a, b);
    }
    if (from->kind != to->kind || from->as_text || to->as_text) {
        return false;
    }
    switch (from->kind) {
    case MY_VALUE_INTEGER:
    case MY_VALUE_DECIMAL:
        return type_widens(from->type, to->type) && (from->is_unsigned || !to->is_unsigned);
    case MY_VALUE_DATETIME:
    case MY_VALUE_TIMESTAMP:
    case MY_VALUE_TIME:
        return a->fraction <= b->fraction;
    case MY_VALUE_TEXT:
        return keeps_text(a, b) && text_size(a->data_type) <= text_size(b->data_type);
    case MY_VALUE_ENUM:
    case MY_VALUE_SET:
        return keeps_labels(a, b);
    case MY_VALUE_BYTES:
        return strncmp(a->data_type, "binary", 6) != 0 && strncmp(b->data_type, "binary", 6) != 0 &&
               a->length <= b->length && text_size(a->data_type) <= text_size(b->data_type);
    case MY_VALUE_FLOAT:
    case MY_VALUE_DOUBLE:
    case MY_VALUE_BIT:
    case MY_VALUE_DATE:
    case MY_VALUE_JSON:
    case MY_VALUE_UUID:
    case MY_VALUE_INET4:
    case MY_VALUE_INET6:
    case MY_VALUE_UNSUPPORTED:
        break;
    }
    return false;
}

/* A column that was there before and is there now. Outside strict mode the server turns nulls and
 * values that do not fit into others. */
static bool check_kept(const struct my_relation *r, const struct my_catalog_column *now,
                       bool is_strict, const struct my_relation_options *options, struct error *err)
{
    uint32_t column = 0;
    while (!same_name(r->known.columns[column].name, now->name)) {
        column++;
    }
    const struct my_catalog_column *old = &r->known.columns[column];
    const char *why = NULL;
    struct my_value_rule to =
        my_value_rule(now, r->rules[column].as_text, options->unrepresentable, &why);
    if (old->is_key != now->is_key) {
        return my_relation_lose(r, "has another primary key", options->pipeline, err);
    }
    if (old->nullable && !now->nullable && !is_strict) {
        return lost_column(r, now->name,
                           "was made NOT NULL, which may have changed old rows without a change "
                           "event",
                           options, err);
    }
    if (!preserves_values(r, column, old, now, &to)) {
        return error_set(
            err, ERROR_LOST,
            "table %s.%s, column \"%s\" changed its type from %s to %s, which may have "
            "changed old rows without a change event; load again with leat reload %s",
            r->name.schema, r->name.table, now->name, old->type, now->type, options->pipeline);
    }
    return true;
}

/* The columns that the table has from here on: those of the catalog, but for what later statements
 * of the log add; then those that later ones drop. */
static bool plan_columns(const struct my_relation *r, const struct my_relation_statement *statement,
                         struct my_relation_facts *facts, const struct my_relation_options *options,
                         struct my_catalog_table *out, struct error *err)
{
    const struct my_catalog_table *now = &facts->now;
    const struct ddl *ddl = statement->ddl;
    *out = *now;
    out->columns = arena_array(&facts->arena, (size_t)now->column_count + r->known.column_count,
                               sizeof(*out->columns));
    out->column_count = 0;
    for (uint32_t i = 0; i < now->column_count; i++) {
        const struct my_catalog_column *c = &now->columns[i];
        bool is_known = my_catalog_find(&r->known, str_from(c->name)) != NULL;
        if (find_change(ddl, DDL_DROP_COLUMN, c->name) ||
            (!is_known && !find_change(ddl, DDL_ADD_COLUMN, c->name))) {
            continue; /* it comes, or comes back, by a later statement */
        }
        if (is_known && !check_kept(r, c, statement->is_strict, options, err)) {
            return false;
        }
        out->columns[out->column_count++] = *c;
    }
    return true;
}

static const char *copy(struct arena *a, const char *text)
{
    return text ? arena_string(a, text, strlen(text)) : NULL;
}

/* Columns that only the old description has: a later statement drops them. */
static void keep_dropped(const struct my_relation *r, const struct ddl *ddl,
                         struct my_relation_facts *facts, struct my_catalog_table *out)
{
    for (uint32_t i = 0; i < r->known.column_count; i++) {
        const struct my_catalog_column *c = &r->known.columns[i];
        if (my_catalog_find(&facts->now, str_from(c->name)) ||
            find_change(ddl, DDL_DROP_COLUMN, c->name)) {
            continue;
        }
        struct my_catalog_column *kept = &out->columns[out->column_count++];
        *kept = *c;
        kept->name = copy(&facts->arena, c->name);
        kept->type = copy(&facts->arena, c->type);
        kept->data_type = copy(&facts->arena, c->data_type);
        kept->charset = copy(&facts->arena, c->charset);
        kept->default_text = copy(&facts->arena, c->default_text);
        const char **labels = arena_array(&facts->arena, c->label_count, sizeof(*labels));
        for (uint32_t k = 0; k < c->label_count; k++) {
            labels[k] = copy(&facts->arena, c->labels[k]);
        }
        kept->labels = labels;
    }
}

bool my_relation_alter(struct my_relation *r, const struct my_relation_statement *statement,
                       struct my_relation_facts *facts, const struct my_relation_options *options,
                       bool *changed, struct error *err)
{
    const struct ddl *ddl = statement->ddl;
    *changed = false;
    for (uint32_t i = 0; i < ddl->change_count; i++) {
        if (!check_change(r, statement, &ddl->changes[i], options, err)) {
            return false;
        }
    }
    if (facts->now.column_count == 0) {
        return my_relation_lose(r, "does not exist any more", options->pipeline, err);
    }
    struct my_catalog_table planned;
    if (!plan_columns(r, statement, facts, options, &planned, err)) {
        return false;
    }
    keep_dropped(r, ddl, facts, &planned);
    owned(schema_free) struct schema *old = schema_reference(r->schema);
    struct arena old_arena = r->known_arena;
    r->known = planned;
    r->known_arena = facts->arena;
    facts->arena = (struct arena){0};
    bool done = my_relation_adopt(r, options, err);
    arena_release(&old_arena);
    *changed = done && (my_relation_is_reshaped(ddl) || !schema_equal(old, r->schema));
    return done;
}
