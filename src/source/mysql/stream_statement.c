/* Statements of the log: which end transactions, and what others do to captured tables. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "source/mysql/stream_parts.h"

static struct my_relation *find_table(const struct my_stream *s, struct table_name name)
{
    return my_stream_find(s, str_from(name.schema ? name.schema : ""),
                          str_from(name.table ? name.table : ""));
}

static bool is_past(const struct my_stream *s)
{
    const struct position *opened = &s->options.opened;
    return s->group.source
               ? position_covers_transaction(opened, s->group.source, s->group.gtid.number)
               : position_covers(*opened, position_integer(s->group.start + 1));
}

/* ---- statements ---- */

/* In strict mode the server refuses an ALTER that would have to change values to others. */
static bool is_strict(const struct binlog_query *q)
{
    static const uint64_t strict_trans_tables = 1U << 21;
    static const uint64_t strict_all_tables = 1U << 22;
    return (q->sql_mode & (strict_trans_tables | strict_all_tables)) != 0;
}

static bool alter(struct my_stream *s, struct my_relation *r, const struct ddl *ddl,
                  struct error *err)
{
    owned(my_relation_facts_release) struct my_relation_facts facts = {0};
    bool has_names = r->map_bytes.size > 0 ? r->map.has_names : s->options.has_names;
    bool changed = false;
    struct my_relation_statement statement = {
        .ddl = ddl, .is_past = is_past(s), .is_strict = is_strict(&s->event.query)};
    collector_flush(s->collector, r->table); /* rows that wait belong to the old schema */
    if (!s->options.lookup(s->options.lookup_arg, r, &s->position,
                           !has_names && my_relation_is_reshaped(ddl), &facts, err) ||
        !my_relation_alter(r, &statement, &facts, &s->options.relation_options, &changed, err)) {
        return false;
    }
    if (changed) {
        collector_push_schema(s->collector, r->table, r->schema);
    }
    return true;
}

/* What a statement does to one captured table. */
static bool apply_to_table(struct my_stream *s, struct my_relation *r, const struct ddl *ddl,
                           struct error *err)
{
    const char *pipeline = s->options.relation_options.pipeline;
    switch (ddl->kind) {
    case DDL_TRUNCATE:
        collector_push_truncate(s->collector, r->table);
        return true;
    case DDL_ALTER:
        return alter(s, r, ddl, err);
    case DDL_DROP:
    case DDL_DROP_DATABASE:
        return my_relation_lose(r, "was dropped", pipeline, err);
    case DDL_RENAME:
        return my_relation_lose(r, "was renamed, or another one was renamed to it", pipeline, err);
    case DDL_TEMPORARY: /* only sessions that log statements log this one */
        return my_relation_lose(r,
                                "is hidden by a temporary table of its name in a session that logs "
                                "statements (binlog_format): what is meant by it cannot be told",
                                pipeline, err);
    case DDL_ROWS:
        return my_relation_lose(
            r,
            "may have been changed by a statement that is in the log instead of its rows "
            "(binlog_format)",
            pipeline, err);
    case DDL_UNKNOWN:
        return my_relation_lose(r, "is named by a statement of the log that leat does not know",
                                pipeline, err);
    case DDL_CREATE: /* it is there: IF NOT EXISTS */
    case DDL_INDEX:
    case DDL_NONE:
    case DDL_BEGIN:
    case DDL_COMMIT:
    case DDL_ROLLBACK:
    case DDL_SAVEPOINT:
    case DDL_XA:
        break;
    }
    return true;
}

/* What a statement fires or calls it does not name: triggers, functions. Those of other databases
 * are left out: tools that log their own statements into databases of their own are common. */
static bool check_side_effects(const struct my_stream *s, const struct ddl *ddl, struct error *err)
{
    for (uint32_t i = 0; i < s->options.relation_count; i++) {
        const struct my_relation *r = &s->options.relations[i];
        for (uint32_t k = 0; k < ddl->table_count; k++) {
            if (strcasecmp(ddl->tables[k].schema, r->name.schema) == 0) {
                return my_relation_lose(
                    r,
                    "may have been changed by a trigger or function of a statement of its database "
                    "that is in the log instead of its rows (binlog_format)",
                    s->options.relation_options.pipeline, err);
            }
        }
    }
    return true;
}

static bool apply_statement(struct my_stream *s, const struct ddl *ddl, struct error *err)
{
    if (ddl->kind == DDL_DROP_DATABASE) {
        for (uint32_t i = 0; i < s->options.relation_count; i++) {
            struct my_relation *r = &s->options.relations[i];
            if (strcasecmp(r->name.schema, ddl->tables[0].schema) == 0 &&
                !apply_to_table(s, r, ddl, err)) {
                return false;
            }
        }
        return true;
    }
    if (ddl->has_more_tables) {
        return my_stream_refuse_rows(s, "a statement that names more tables than leat looks at",
                                     err);
    }
    for (uint32_t i = 0; i < ddl->table_count; i++) {
        struct my_relation *r = find_table(s, ddl->tables[i]);
        if (r && ddl->kind == DDL_ALTER && i > 0) {
            return my_relation_lose(r, "exchanges rows with another table",
                                    s->options.relation_options.pipeline, err);
        }
        if (r && !apply_to_table(s, r, ddl, err)) {
            return false;
        }
    }
    return ddl->kind != DDL_ROWS || check_side_effects(s, ddl, err);
}

/* CREATE TABLE ... SELECT of MySQL 8: its rows follow in the same transaction. */
static bool starts_transaction(struct str text)
{
    static const char words[] = "START TRANSACTION";
    size_t size = sizeof(words) - 1;
    return text.size > size && strncasecmp(text.data + text.size - size, words, size) == 0;
}

static bool begins_with(struct str text, const char *words)
{
    size_t size = strlen(words);
    return text.size >= size && strncasecmp(text.data, words, size) == 0;
}

/* ---- XA transactions: their rows come when they are prepared ---- */

/* As the statements that complete it name it: X'6131',X'',1 */
static void append_xa_name(const struct binlog_xa *xa, struct buf *out)
{
    const struct str parts[] = {xa->gtrid, xa->bqual};
    for (unsigned i = 0; i < 2; i++) {
        buf_append_text(out, "X'");
        for (size_t k = 0; k < parts[i].size; k++) {
            buf_append_format(out, "%02x", (uint8_t)parts[i].data[k]);
        }
        buf_append_text(out, "',");
    }
    buf_append_format(out, "%" PRIu32, xa->format);
}

bool my_stream_xa_prepare(struct my_stream *s, struct error *err)
{
    if (s->group.has_rows) {
        return my_stream_refuse_rows(s, "an XA transaction", err);
    }
    owned(buf_release) struct buf name = {0};
    append_xa_name(&s->event.xa, &name);
    (void)map_put(&s->prepared, buf_str(&name), s);
    return my_stream_end_group(s, err);
}

/* Of a transaction that was prepared in a group of its own. After a load it may have been prepared
 * before: then its rows are neither in the snapshot nor in the log that follows. */
static bool complete_xa(struct my_stream *s, struct str name, bool commits, struct error *err)
{
    while (name.size > 0 && (name.data[name.size - 1] == ' ' || name.data[name.size - 1] == ';')) {
        name.size--;
    }
    bool is_known = map_remove(&s->prepared, name) != NULL;
    if (commits && !is_known && s->options.is_loaded) {
        return error_set(
            err, ERROR_LOST,
            "the log commits an XA transaction that was prepared before the tables were "
            "loaded: its changes are not in them; load again with leat reload %s",
            s->options.relation_options.pipeline);
    }
    return my_stream_end_group(s, err);
}

static struct str after(struct str text, const char *words)
{
    size_t size = strlen(words);
    return (struct str){.data = text.data + size, .size = text.size - size};
}

struct str my_stream_text(const struct binlog_query *q, bool is_mariadb, struct buf *converted)
{
    enum my_charset charset = my_charset_of_collation(q->collation, is_mariadb);
    struct error ignored = {0};
    bool is_other = q->collation != 0 && charset != MY_CHARSET_UNKNOWN &&
                    charset != MY_CHARSET_BINARY && charset != MY_CHARSET_UTF8;
    return is_other && my_charset_to_utf8(charset, q->text, converted, &ignored)
               ? buf_str(converted)
               : q->text;
}

bool my_stream_query(struct my_stream *s, struct error *err)
{
    const struct binlog_query *q = &s->event.query;
    owned(arena_release) struct arena arena = {0};
    struct ddl ddl = {0};
    if (!s->group.is_open) {
        return my_stream_fail("a statement outside a transaction", err);
    }
    if (str_equal(q->text, str_from("BEGIN"))) {
        s->group.has_begun = true;
        return true;
    }
    if (s->group.gtid.is_alter_open) { /* its completion has a number of its own */
        return my_stream_end_group(s, err);
    }
    owned(buf_release) struct buf converted = {0};
    ddl_read(my_stream_text(q, s->options.is_mariadb, &converted), q->database, &arena, &ddl);
    if (ddl.kind == DDL_BEGIN) {
        s->group.has_begun = true;
        return true;
    }
    bool undoes =
        ddl.kind == DDL_ROLLBACK || (ddl.kind == DDL_SAVEPOINT && begins_with(q->text, "ROLLBACK"));
    if (undoes && s->group.has_rows) {
        return my_stream_refuse_rows(s, "a transaction that was rolled back in part", err);
    }
    if (begins_with(q->text, "XA COMMIT ")) {
        return complete_xa(s, after(q->text, "XA COMMIT "), true, err);
    }
    if (begins_with(q->text, "XA ROLLBACK ")) {
        return complete_xa(s, after(q->text, "XA ROLLBACK "), false, err);
    }
    if (ddl.kind == DDL_COMMIT || ddl.kind == DDL_ROLLBACK) {
        return my_stream_end_group(s, err);
    }
    if (!apply_statement(s, &ddl, err)) {
        return false;
    }
    s->group.has_begun |= ddl.kind == DDL_CREATE && starts_transaction(q->text);
    return s->group.has_begun || my_stream_end_group(s, err);
}

bool my_stream_reshapes(const struct ddl *ddl, const struct my_relation *r, bool names_lower_case)
{
    for (uint32_t i = 0; ddl->kind == DDL_ALTER && i < ddl->table_count; i++) {
        const struct table_name *t = &ddl->tables[i];
        int (*compare)(const char *, const char *) = names_lower_case ? strcasecmp : strcmp;
        if (my_relation_is_reshaped(ddl) && compare(t->schema, r->name.schema) == 0 &&
            compare(t->table, r->name.table) == 0) {
            return true;
        }
    }
    return false;
}
