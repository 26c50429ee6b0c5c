#include "lake/condition.h"

/* The syntax tree of a statement around a condition must be that of the same statement around
 * "true", but for the condition itself. In the tree's text a quote within a string is escaped, so
 * that what looks like a subquery is one. */
static const char check[] =
    "WITH written AS (SELECT json_serialize_sql('SELECT 1 WHERE (' || text || chr(10) || ')') AS "
    "tree, json_serialize_sql('SELECT 1 WHERE (true)') AS plain FROM given), "
    "stripped AS (SELECT tree, "
    "json_merge_patch(json_extract(tree, '$.statements[0]'), removed) AS rest, "
    "json_merge_patch(json_extract(plain, '$.statements[0]'), removed) AS plain_rest "
    "FROM written, (SELECT '{\"node\": {\"where_clause\": null}}'::JSON AS removed)) "
    "SELECT CASE WHEN (tree->>'error')::BOOLEAN THEN coalesce(tree->>'error_message', '?') "
    "WHEN json_array_length(tree, '$.statements') <> 1 OR rest::VARCHAR <> plain_rest::VARCHAR "
    "THEN 'it is more than a condition' "
    "WHEN contains(tree::VARCHAR, '\"class\":\"SUBQUERY\"') THEN 'it has a subquery' "
    "ELSE '' END FROM stripped";

bool lake_condition_check(struct engine_connection *engine, const char *text, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    owned(buf_release) struct buf reason = {0};
    buf_append_text(&sql, "WITH given AS (SELECT ");
    buf_append_literal(&sql, text);
    buf_append_text(&sql, " AS text), ");
    buf_append_text(&sql, check + sizeof("WITH ") - 1);
    if (!engine_query_text(engine, buf_text(&sql), &reason, err)) {
        return error_wrap(err, "condition \"%s\"", text);
    }
    return reason.size == 0 ||
           error_set(err, ERROR_CONFIG, "condition \"%s\": %s", text, buf_text(&reason));
}
