/* Parsing is DuckDB's: json_serialize_sql() gives the syntax tree as JSON, json_deserialize_sql()
 * makes text of one expression again. What is not known to work row by row is refused. */
#include "transform/statement.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "base/map.h"

/* Functions that are more than a function of their arguments. */
enum function_trait { FUNCTION_AGGREGATE = 1, FUNCTION_TABLE, FUNCTION_VARIES };

struct parser {
    struct statement *statement;
    struct engine_connection *connection;
    const char *sql;
    struct map functions; /* lower-case name -> enum function_trait */
};

static void parser_release(struct parser *p)
{
    map_release(&p->functions, NULL);
}

static void json_free(json_t **value)
{
    json_decref(take(*value));
}

static const char *string_of(const json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));
    return text ? text : "";
}

static bool refuse(const char *construct, struct error *err)
{
    return error_set(err, ERROR_CONFIG,
                     "a transform is one SELECT over changes, row by row: %s cannot be part of it",
                     construct);
}

/* An absent, null or empty part of the syntax tree. */
static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* The list takes the engine 50 ms to make: it is made once for an instance, whose tables nobody
 * else sees. */
static bool load_functions(struct parser *p, struct error *err)
{
    static const char make[] =
        "CREATE TABLE IF NOT EXISTS leat_functions AS "
        "SELECT function_name, CASE WHEN bool_and(function_type = 'aggregate') THEN 1 "
        "WHEN bool_and(function_type LIKE 'table%') THEN 2 ELSE 3 END::INTEGER AS trait "
        "FROM duckdb_functions() GROUP BY function_name HAVING trait < 3 "
        "OR bool_or(function_type = 'scalar' AND stability <> 'CONSISTENT')";
    if (!engine_execute(p->connection, make, err)) {
        return false;
    }
    owned(engine_rows_free) struct engine_rows *rows =
        engine_query(p->connection, "SELECT function_name, trait FROM leat_functions", err);
    if (!rows) {
        return false;
    }
    const struct column *columns = NULL;
    for (uint32_t count = 1; count > 0;) {
        if (!engine_rows_next(rows, &columns, &count, err)) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            const struct view *name = &((const struct view *)columns[0].values)[i];
            uintptr_t trait = (uintptr_t)((const int32_t *)columns[1].values)[i];
            (void)map_put(&p->functions, view_str(name), (void *)trait);
        }
    }
    return true;
}

static enum function_trait function_trait(const struct parser *p, const char *name)
{
    char lower[128];
    size_t size = strlen(name);
    if (size >= sizeof(lower)) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        lower[i] = (char)tolower((unsigned char)name[i]);
    }
    return (enum function_trait)(uintptr_t)map_get(&p->functions, (struct str){lower, size});
}

static bool walk(struct parser *p, const json_t *node, struct expression *e, struct error *err);

static bool walk_function(struct parser *p, const json_t *node, struct expression *e,
                          struct error *err)
{
    const char *name = string_of(node, "function_name");
    enum function_trait trait = function_trait(p, name);
    char construct[160];
    if (trait == FUNCTION_AGGREGATE || json_is_true(json_object_get(node, "distinct")) ||
        !is_nothing(json_object_get(node, "filter")) ||
        !is_nothing(json_object_get(json_object_get(node, "order_bys"), "orders"))) {
        (void)snprintf(construct, sizeof(construct), "the aggregate %s",
                       strcmp(name, "count_star") == 0 ? "count(*)" : name);
        return refuse(construct, err);
    }
    if (trait == FUNCTION_TABLE) {
        (void)snprintf(construct, sizeof(construct), "the table function %s", name);
        return refuse(construct, err);
    }
    e->varies = e->varies || trait == FUNCTION_VARIES;
    return true;
}

/* A reference is one name, or names from the outside in: alias.column, column.field. */
static void walk_column(struct parser *p, const json_t *node, struct expression *e)
{
    struct arena *a = &p->statement->arena;
    const json_t *names = json_object_get(node, "column_names");
    const char *name = json_string_value(json_array_get(names, 0));
    const char *second = json_string_value(json_array_get(names, 1));
    if (second && name && strcasecmp(name, p->statement->alias) == 0) {
        name = second;
    }
    const char **grown = arena_array(a, (size_t)e->name_count + 1, sizeof(*grown));
    if (e->name_count > 0) {
        memcpy(grown, e->names, e->name_count * sizeof(*grown));
    }
    grown[e->name_count++] = arena_format(a, "%s", name ? name : "");
    e->names = grown;
}

static bool walk_children(struct parser *p, const json_t *node, struct expression *e,
                          struct error *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, key, value)
        {
            if (!walk(p, value, e, err)) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < json_array_size(node); i++) {
        if (!walk(p, json_array_get(node, i), e, err)) {
            return false;
        }
    }
    return true;
}

/* Collects what an expression reads; refuses what is not known to be row by row. */
static bool walk(struct parser *p, const json_t *node, struct expression *e, struct error *err)
{
    static const char *const plain[] = {"OPERATOR",    "CASE",    "CAST",    "COMPARISON",
                                        "CONJUNCTION", "BETWEEN", "COLLATE", "LAMBDA"};
    static const char *const refused[][2] = {
        {"SUBQUERY", "a subquery"},         {"WINDOW", "a window function"},
        {"PARAMETER", "a parameter"},       {"POSITIONAL_REFERENCE", "a column by number"},
        {"STAR", "* inside an expression"}, {"DEFAULT", "DEFAULT"},
    };
    const char *class = json_string_value(json_object_get(node, "class"));
    if (!class) {
        return walk_children(p, node, e, err);
    }
    if (strcmp(class, "CONSTANT") == 0) {
        return true;
    }
    if (strcmp(class, "COLUMN_REF") == 0) {
        walk_column(p, node, e);
        return true;
    }
    if (strcmp(class, "FUNCTION") == 0) {
        return walk_function(p, node, e, err) && walk_children(p, node, e, err);
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(class, plain[i]) == 0) {
            return walk_children(p, node, e, err);
        }
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(class, refused[i][0]) == 0) {
            return refuse(refused[i][1], err);
        }
    }
    return refuse(class, err);
}

/* Makes SQL text of the part of the syntax tree at `path`, and makes sure that it means the same:
 * parsed again, it must give the same tree. */
static bool expression_text(struct parser *p, const char *path, const char **out, struct error *err)
{
    static const char wrap[] =
        "'{\"error\":false,\"statements\":[{\"node\":{\"type\":\"SELECT_NODE\",\"modifiers\":[],"
        "\"cte_map\":{\"map\":[]},\"select_list\":[' || e || '],\"from_table\":{\"type\":\"EMPTY\","
        "\"alias\":\"\",\"sample\":null,\"query_location\":0},\"where_clause\":null,"
        "\"group_expressions\":[],\"group_sets\":[],\"aggregate_handling\":\"STANDARD_HANDLING\","
        "\"having\":null,\"sample\":null,\"qualify\":null},\"named_param_map\":[]}]}'";
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "WITH tree AS (SELECT json_merge_patch(json_extract(json_serialize_sql(");
    buf_append_literal(&sql, p->sql);
    buf_append_text(&sql, "), ");
    buf_append_literal(&sql, path);
    buf_append_format(&sql,
                      "), '{\"alias\":\"\"}')::VARCHAR AS e), "
                      "again AS (SELECT e, json_deserialize_sql((%s)::JSON) AS text FROM tree) "
                      "SELECT CASE WHEN regexp_replace(json_merge_patch(json_extract("
                      "json_serialize_sql(text), '$.statements[0].node.select_list[0]'), "
                      "'{\"alias\":\"\"}')::VARCHAR, '\"query_location\":[0-9]+', '', 'g') "
                      "= regexp_replace(e, '\"query_location\":[0-9]+', '', 'g') "
                      "THEN text ELSE '' END FROM again",
                      wrap);
    owned(buf_release) struct buf text = {0};
    if (!engine_query_text(p->connection, buf_text(&sql), &text, err)) {
        return false;
    }
    static const char select[] = "SELECT ";
    if (strncmp(buf_text(&text), select, sizeof(select) - 1) != 0) {
        return error_set(err, ERROR_CONFIG,
                         "an expression of the transform cannot be taken over exactly; "
                         "write it in another way");
    }
    *out = arena_format(&p->statement->arena, "%s", buf_text(&text) + sizeof(select) - 1);
    return true;
}

static bool parse_expression(struct parser *p, const json_t *node, const char *path,
                             struct expression *out, struct error *err)
{
    return walk(p, node, out, err) && expression_text(p, path, &out->text, err);
}

static const char *copy_string(struct parser *p, const json_t *value)
{
    const char *text = json_string_value(value);
    return arena_format(&p->statement->arena, "%s", text ? text : "");
}

/* Excluded columns come as names, or qualified with the alias: {table, column}. */
static void parse_excluded(struct parser *p, const json_t *node, struct select_item *item)
{
    const json_t *names = json_object_get(node, "exclude_list");
    const json_t *qualified = json_object_get(node, "qualified_exclude_list");
    size_t count = json_array_size(names) + json_array_size(qualified);
    item->excluded = arena_array(&p->statement->arena, count, sizeof(*item->excluded));
    for (size_t i = 0; i < json_array_size(names); i++) {
        item->excluded[item->excluded_count++] = copy_string(p, json_array_get(names, i));
    }
    for (size_t i = 0; i < json_array_size(qualified); i++) {
        const json_t *entry = json_array_get(qualified, i);
        item->excluded[item->excluded_count++] = copy_string(p, json_object_get(entry, "column"));
    }
}

/* {"key": {table, column}, "value": new name} */
static void parse_renames(struct parser *p, const json_t *node, struct select_item *item)
{
    const json_t *list = json_object_get(node, "rename_list");
    item->rename_count = (uint32_t)json_array_size(list);
    item->renames = arena_array(&p->statement->arena, item->rename_count, sizeof(*item->renames));
    for (uint32_t i = 0; i < item->rename_count; i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *key = json_object_get(entry, "key");
        item->renames[i].from =
            copy_string(p, json_is_object(key) ? json_object_get(key, "column") : key);
        item->renames[i].to = copy_string(p, json_object_get(entry, "value"));
    }
}

static bool parse_star(struct parser *p, const json_t *node, uint32_t index,
                       struct select_item *item, struct error *err)
{
    struct arena *a = &p->statement->arena;
    const char *relation = string_of(node, "relation_name");
    if (*relation && strcasecmp(relation, p->statement->alias) != 0) {
        return error_set(err, ERROR_CONFIG, "%s.*: the only table of a transform is %s", relation,
                         p->statement->alias);
    }
    parse_excluded(p, node, item);
    parse_renames(p, node, item);
    const json_t *list = json_object_get(node, "replace_list");
    item->replacement_count = (uint32_t)json_array_size(list);
    item->replacements = arena_array(a, item->replacement_count, sizeof(*item->replacements));
    for (uint32_t i = 0; i < item->replacement_count; i++) {
        const json_t *entry = json_array_get(list, i);
        item->replacements[i] =
            (struct replacement){.name = copy_string(p, json_object_get(entry, "key"))};
        const char *path = arena_format(
            a, "$.statements[0].node.select_list[%u].replace_list[%u].value", index, i);
        if (!parse_expression(p, json_object_get(entry, "value"), path,
                              &item->replacements[i].expression, err)) {
            return false;
        }
    }
    return true;
}

static bool parse_item(struct parser *p, const json_t *node, uint32_t index,
                       struct select_item *item, struct error *err)
{
    const char *path =
        arena_format(&p->statement->arena, "$.statements[0].node.select_list[%u]", index);
    *item = (struct select_item){.name = copy_string(p, json_object_get(node, "alias"))};
    if (strcmp(string_of(node, "class"), "STAR") == 0) {
        bool by_rule = json_is_true(json_object_get(node, "columns"));
        item->kind = by_rule ? SELECT_COLUMNS : SELECT_STAR;
        if (!parse_star(p, node, index, item, err)) {
            return false;
        }
        if (by_rule && (item->replacement_count > 0 || item->rename_count > 0)) {
            return refuse("REPLACE or RENAME inside COLUMNS", err);
        }
        return !by_rule || expression_text(p, path, &item->expression.text, err);
    }
    if (!parse_expression(p, node, path, &item->expression, err)) {
        return false;
    }
    const json_t *names = json_object_get(node, "column_names");
    item->is_column = strcmp(string_of(node, "class"), "COLUMN_REF") == 0;
    if (item->is_column && !*item->name) {
        item->name = copy_string(p, json_array_get(names, json_array_size(names) - 1));
    }
    return *item->name || error_set(err, ERROR_CONFIG, "\"%s\" needs a name: %s AS ...",
                                    item->expression.text, item->expression.text);
}

static bool check_from(struct parser *p, const json_t *from, struct error *err)
{
    const char *type = string_of(from, "type");
    if (strcmp(type, "JOIN") == 0) {
        return refuse("a join", err);
    }
    if (strcmp(type, "SUBQUERY") == 0) {
        return refuse("a subquery", err);
    }
    if (strcmp(type, "BASE_TABLE") != 0 ||
        strcasecmp(string_of(from, "table_name"), "changes") != 0 ||
        !is_nothing(json_object_get(from, "schema_name")) ||
        !is_nothing(json_object_get(from, "catalog_name")) ||
        !is_nothing(json_object_get(from, "column_name_alias")) ||
        !is_nothing(json_object_get(from, "at_clause"))) {
        return error_set(err, ERROR_CONFIG,
                         "a transform reads from changes and nothing else: "
                         "SELECT ... FROM changes");
    }
    if (!is_nothing(json_object_get(from, "sample"))) {
        return refuse("a sample", err);
    }
    const char *alias = string_of(from, "alias");
    p->statement->alias = arena_format(&p->statement->arena, "%s", *alias ? alias : "changes");
    return true;
}

static bool check_clauses(const json_t *node, struct error *err)
{
    static const char *const clauses[][2] = {
        {"group_expressions", "GROUP BY"},
        {"group_sets", "GROUP BY"},
        {"having", "HAVING"},
        {"sample", "a sample"},
        {"qualify", "QUALIFY"},
    };
    for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++) {
        if (!is_nothing(json_object_get(node, clauses[i][0]))) {
            return refuse(clauses[i][1], err);
        }
    }
    if (strcmp(string_of(node, "aggregate_handling"), "STANDARD_HANDLING") != 0) {
        return refuse("GROUP BY", err);
    }
    if (!is_nothing(json_object_get(json_object_get(node, "cte_map"), "map"))) {
        return refuse("WITH", err);
    }
    const json_t *modifiers = json_object_get(node, "modifiers");
    if (is_nothing(modifiers)) {
        return true;
    }
    const char *type = string_of(json_array_get(modifiers, 0), "type");
    bool distinct = strcmp(type, "DISTINCT_MODIFIER") == 0;
    return refuse(distinct                              ? "DISTINCT"
                  : strcmp(type, "ORDER_MODIFIER") == 0 ? "ORDER BY"
                                                        : "LIMIT",
                  err);
}

static bool parse_select(struct parser *p, const json_t *node, struct error *err)
{
    struct statement *s = p->statement;
    const char *type = string_of(node, "type");
    if (strcmp(type, "SELECT_NODE") != 0) {
        return refuse(strcmp(type, "SET_OPERATION_NODE") == 0 ? "UNION, EXCEPT or INTERSECT" : type,
                      err);
    }
    if (!check_clauses(node, err) || !check_from(p, json_object_get(node, "from_table"), err)) {
        return false;
    }
    const json_t *list = json_object_get(node, "select_list");
    s->item_count = (uint32_t)json_array_size(list);
    s->items = arena_array(&s->arena, s->item_count, sizeof(*s->items));
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (!parse_item(p, json_array_get(list, i), i, &s->items[i], err)) {
            return false;
        }
    }
    const json_t *where = json_object_get(node, "where_clause");
    return is_nothing(where) ||
           parse_expression(p, where, "$.statements[0].node.where_clause", &s->where, err);
}

/* The tree holds unsigned 64-bit numbers, which jansson only takes as reals; none of them is looked
 * at. */
static json_t *syntax_tree(struct parser *p, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    owned(buf_release) struct buf text = {0};
    buf_append_text(&sql, "SELECT json_serialize_sql(");
    buf_append_literal(&sql, p->sql);
    buf_append_text(&sql, ")");
    if (!engine_query_text(p->connection, buf_text(&sql), &text, err)) {
        return NULL;
    }
    json_error_t problem;
    json_t *tree =
        json_loadb(text.data, text.size, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &problem);
    if (!tree) {
        error_set(err, ERROR_CONFIG, "the transform is too complex: %s", problem.text);
    }
    return tree;
}

static bool parse(struct parser *p, struct error *err)
{
    owned(json_free) json_t *tree = syntax_tree(p, err);
    if (!tree) {
        return false;
    }
    if (json_is_true(json_object_get(tree, "error"))) {
        return error_set(err, ERROR_CONFIG, "%s", string_of(tree, "error_message"));
    }
    const json_t *statements = json_object_get(tree, "statements");
    if (json_array_size(statements) != 1) {
        return error_set(err, ERROR_CONFIG, "a transform is one SELECT over changes, not %zu",
                         json_array_size(statements));
    }
    return load_functions(p, err) &&
           parse_select(p, json_object_get(json_array_get(statements, 0), "node"), err);
}

struct statement *statement_parse(const char *sql, struct engine_connection *connection,
                                  struct error *err)
{
    owned(statement_free) struct statement *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->alias = "changes";
    owned(parser_release) struct parser p = {.statement = s, .connection = connection, .sql = sql};
    if (!parse(&p, err)) {
        if (err->kind == ERROR_DATA) {
            error_recast(err, ERROR_CONFIG); /* the SQL is what the operator wrote */
        }
        return NULL;
    }
    return take(s);
}

void statement_free(struct statement **s)
{
    struct statement *statement = take(*s);
    if (statement) {
        arena_release(&statement->arena);
        free(statement);
    }
}
