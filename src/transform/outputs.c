#include "transform/outputs.h"

#include <assert.h>
#include <strings.h>

const char *const metadata_names[METADATA_COUNT] = {
    [METADATA_OPERATION] = "_operation",     [METADATA_POSITION] = "_position",
    [METADATA_COMMIT_TIME] = "_commit_time", [METADATA_TRANSACTION] = "_transaction",
    [METADATA_SEQUENCE] = "_sequence",       [METADATA_ROW] = "_leat_row",
    [METADATA_WHOLE] = "_leat_whole",
};

const struct type metadata_types[METADATA_COUNT] = {
    [METADATA_OPERATION] = {.kind = TYPE_STRING},
    [METADATA_POSITION] = {.kind = TYPE_INT64},
    [METADATA_COMMIT_TIME] = {.kind = TYPE_TIMESTAMPTZ},
    [METADATA_TRANSACTION] = {.kind = TYPE_INT64},
    [METADATA_SEQUENCE] = {.kind = TYPE_INT64},
    [METADATA_ROW] = {.kind = TYPE_INT64},
    [METADATA_WHOLE] = {.kind = TYPE_BOOL},
};

enum { SLOT_NAMES = 1 };

/* State of one resolution. */
struct resolver {
    const struct statement *statement;
    const struct schema *input;
    struct engine_connection *connection;
    struct outputs *outputs;
    uint32_t capacity;
};

/* SQL does not distinguish the case of names. */
static int find_column(const struct schema *input, const char *name)
{
    for (uint32_t i = 0; i < input->column_count; i++) {
        if (strcasecmp(input->columns[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int find_metadata(const char *name)
{
    for (int i = 0; i < METADATA_COUNT; i++) {
        if (strcasecmp(metadata_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool check_input(const struct schema *input, struct error *err)
{
    for (uint32_t i = 0; i < input->column_count; i++) {
        const char *name = input->columns[i].name;
        int first = find_column(input, name);
        if (first != (int)i) {
            return error_set(err, ERROR_CONFIG,
                             "columns \"%s\" and \"%s\" differ only in case: SQL cannot tell them "
                             "apart",
                             input->columns[first].name, name);
        }
        if (find_metadata(name) >= 0) {
            return error_set(err, ERROR_CONFIG,
                             "column \"%s\" has the name of a column that every transform sees",
                             name);
        }
    }
    return true;
}

static struct output *find_output(struct outputs *o, const char *name)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (strcasecmp(o->list[i].name, name) == 0) {
            return &o->list[i];
        }
    }
    return NULL;
}

static void read_column(const struct resolver *r, int column, struct reads *out)
{
    out->columns[column] = true;
    out->key = out->key || r->input->columns[column].is_key;
}

static void read_alias(struct resolver *r, struct output *o, struct reads *out)
{
    for (uint32_t i = 0; i < r->input->column_count; i++) {
        out->columns[i] = out->columns[i] || o->reads.columns[i];
    }
    for (uint32_t i = 0; i < METADATA_COUNT; i++) {
        out->metadata[i] = out->metadata[i] || o->reads.metadata[i];
    }
    out->key = out->key || o->reads.key;
    out->varies = out->varies || o->reads.varies;
    o->queried = true; /* so that the alias is there */
}

/* Columns come before aliases of earlier outputs, as in SQL. What is neither is a parameter of a
 * lambda, or current_timestamp and its like: the latter varies, and the former does no harm when it
 * is said to. */
static struct reads resolve_reads(struct resolver *r, const struct expression *e)
{
    struct reads reads = {.varies = e->varies,
                          .columns = arena_zalloc(&r->outputs->arena, r->input->column_count)};
    for (uint32_t i = 0; i < e->name_count; i++) {
        int column = find_column(r->input, e->names[i]);
        int metadata = find_metadata(e->names[i]);
        struct output *alias = find_output(r->outputs, e->names[i]);
        if (column >= 0) {
            read_column(r, column, &reads);
        } else if (metadata >= 0) {
            reads.metadata[metadata] = true;
        } else if (alias) {
            read_alias(r, alias, &reads);
        } else {
            reads.varies = true;
        }
    }
    return reads;
}

static bool add_output(struct resolver *r, struct output output, struct error *err)
{
    struct outputs *o = r->outputs;
    if (find_output(o, output.name)) {
        return error_set(err, ERROR_CONFIG, "the transform gives two columns the name \"%s\"",
                         output.name);
    }
    if (o->count == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 16;
        struct output *list = arena_array(&o->arena, r->capacity, sizeof(*list));
        if (o->count > 0) {
            memcpy(list, o->list, o->count * sizeof(*list));
        }
        o->list = list;
    }
    o->list[o->count++] = output;
    return true;
}

static bool add_plain(struct resolver *r, int column, const char *name, struct error *err)
{
    struct output output = {.name = name, .source = column};
    output.reads.columns = arena_zalloc(&r->outputs->arena, r->input->column_count);
    read_column(r, column, &output.reads);
    return add_output(r, output, err);
}

static bool add_computed(struct resolver *r, const char *name, const struct expression *expression,
                         struct error *err)
{
    struct output output = {.name = name, .source = -1, .expression = expression, .queried = true};
    output.reads = resolve_reads(r, expression);
    return add_output(r, output, err);
}

static const char *find_name(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcasecmp(names[i], name) == 0) {
            return names[i];
        }
    }
    return NULL;
}

static bool check_star(const struct resolver *r, const struct select_item *item, struct error *err)
{
    const char *unknown = NULL;
    for (uint32_t i = 0; i < item->excluded_count && !unknown; i++) {
        unknown = find_column(r->input, item->excluded[i]) < 0 ? item->excluded[i] : NULL;
    }
    for (uint32_t i = 0; i < item->replacement_count && !unknown; i++) {
        const char *name = item->replacements[i].name;
        unknown = find_column(r->input, name) < 0 ? name : NULL;
    }
    for (uint32_t i = 0; i < item->rename_count && !unknown; i++) {
        const char *name = item->renames[i].from;
        unknown = find_column(r->input, name) < 0 ? name : NULL;
    }
    return !unknown || error_set(err, ERROR_CONFIG,
                                 "column \"%s\" in EXCLUDE, REPLACE or RENAME is not one of the "
                                 "table's",
                                 unknown);
}

static bool add_star_column(struct resolver *r, const struct select_item *item, int column,
                            struct error *err)
{
    const char *name = r->input->columns[column].name;
    for (uint32_t i = 0; i < item->replacement_count; i++) {
        if (strcasecmp(item->replacements[i].name, name) == 0) {
            return add_computed(r, name, &item->replacements[i].expression, err);
        }
    }
    for (uint32_t i = 0; i < item->rename_count; i++) {
        if (strcasecmp(item->renames[i].from, name) == 0) {
            return add_plain(r, column, item->renames[i].to, err);
        }
    }
    return add_plain(r, column, name, err);
}

static bool add_star(struct resolver *r, const struct select_item *item, struct error *err)
{
    if (!check_star(r, item, err)) {
        return false;
    }
    for (uint32_t i = 0; i < r->input->column_count; i++) {
        if (!find_name(item->excluded, item->excluded_count, r->input->columns[i].name) &&
            !add_star_column(r, item, (int)i, err)) {
            return false;
        }
    }
    return true;
}

/* Which columns COLUMNS(...) stands for is asked of the engine, over the table's columns without
 * rows. */
static struct engine_rows *query_names(struct resolver *r, const char *text, const char *alias,
                                       struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_format(&sql, "SELECT %s", text);
    if (*alias) {
        buf_append_text(&sql, " AS ");
        buf_append_identifier(&sql, alias);
    }
    buf_append_text(&sql, " FROM ");
    engine_append_slot(r->connection, SLOT_NAMES, &sql);
    buf_append_text(&sql, " AS ");
    buf_append_identifier(&sql, r->statement->alias);
    return engine_query(r->connection, buf_text(&sql), err);
}

static bool query_name_list(struct resolver *r, const char *text, const char *alias,
                            const char ***names, uint32_t *count, struct error *err)
{
    owned(engine_rows_free) struct engine_rows *rows = query_names(r, text, alias, err);
    if (!rows) {
        return false;
    }
    *count = engine_rows_column_count(rows);
    *names = arena_array(&r->outputs->arena, *count, sizeof(**names));
    for (uint32_t i = 0; i < *count; i++) {
        (*names)[i] = arena_format(&r->outputs->arena, "%s", engine_rows_name(rows, i));
    }
    return true;
}

static void bind_names(struct resolver *r)
{
    struct arena *a = &r->outputs->arena;
    uint32_t count = r->input->column_count;
    const char **names = arena_array(a, count, sizeof(*names));
    struct column *columns = arena_zalloc(a, count * sizeof(*columns));
    for (uint32_t i = 0; i < count; i++) {
        names[i] = r->input->columns[i].name;
        columns[i].type = r->input->columns[i].type;
    }
    engine_bind(r->connection, SLOT_NAMES,
                &(struct engine_input){.names = names, .columns = columns, .column_count = count});
}

static bool add_columns(struct resolver *r, const struct select_item *item, struct error *err)
{
    const char **columns = NULL;
    const char **names = NULL;
    uint32_t count = 0;
    uint32_t name_count = 0;
    bind_names(r);
    if (!query_name_list(r, item->expression.text, "", &columns, &count, err) ||
        !query_name_list(r, item->expression.text, item->name, &names, &name_count, err)) {
        return false;
    }
    assert(count == name_count);
    for (uint32_t i = 0; i < count; i++) {
        int column = find_column(r->input, columns[i]);
        if (column < 0) {
            return error_set(err, ERROR_CONFIG, "%s: \"%s\" is not a column of the table",
                             item->expression.text, columns[i]);
        }
        if (!add_plain(r, column, names[i], err)) {
            return false;
        }
    }
    return true;
}

static bool add_item(struct resolver *r, const struct select_item *item, struct error *err)
{
    if (item->kind == SELECT_STAR) {
        return add_star(r, item, err);
    }
    if (item->kind == SELECT_COLUMNS) {
        return add_columns(r, item, err);
    }
    int column = item->is_column ? find_column(r->input, item->expression.names[0]) : -1;
    return column >= 0 ? add_plain(r, column, item->name, err)
                       : add_computed(r, item->name, &item->expression, err);
}

/* Each key column must come out as it is, or rows could not be told apart by what comes out. */
static bool check_keys(const struct resolver *r, struct error *err)
{
    for (uint32_t i = 0; i < r->input->column_count; i++) {
        bool found = !r->input->columns[i].is_key;
        for (uint32_t j = 0; j < r->outputs->count && !found; j++) {
            found = r->outputs->list[j].source == (int)i;
        }
        if (!found) {
            return error_set(err, ERROR_CONFIG,
                             "key column \"%s\" must be among the transform's columns as it is "
                             "(another name is fine)",
                             r->input->columns[i].name);
        }
    }
    return true;
}

bool outputs_resolve(const struct statement *s, const struct schema *input,
                     struct engine_connection *connection, struct outputs *out, struct error *err)
{
    struct resolver r = {.statement = s, .input = input, .connection = connection, .outputs = out};
    if (!check_input(input, err)) {
        return false;
    }
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (!add_item(&r, &s->items[i], err)) {
            return false;
        }
    }
    out->where = resolve_reads(&r, &s->where);
    for (uint32_t i = 0; i < out->count; i++) {
        out->list[i].result = out->list[i].queried ? out->result_count++ : 0;
    }
    return check_keys(&r, err);
}

void outputs_release(struct outputs *o)
{
    arena_release(&o->arena);
    *o = (struct outputs){0};
}

void outputs_append_query(const struct outputs *o, const struct statement *s,
                          const struct schema *input, struct engine_connection *connection,
                          uint32_t slot, struct buf *sql)
{
    buf_append_text(sql, "SELECT ");
    for (uint32_t i = 0; i < o->count; i++) {
        const struct output *output = &o->list[i];
        if (!output->queried) {
            continue;
        }
        if (output->source < 0) {
            buf_append_text(sql, output->expression->text);
        } else {
            buf_append_identifier(sql, input->columns[output->source].name);
        }
        buf_append_text(sql, " AS ");
        buf_append_identifier(sql, output->name);
        buf_append_text(sql, ", ");
    }
    buf_append_text(sql, metadata_names[METADATA_ROW]);
    buf_append_text(sql, " FROM ");
    engine_append_slot(connection, slot, sql);
    buf_append_text(sql, " AS ");
    buf_append_identifier(sql, s->alias);
    buf_append_format(sql, " WHERE %s", metadata_names[METADATA_WHOLE]);
    if (s->where.text) {
        buf_append_format(sql, " AND (%s)", s->where.text);
    }
}
