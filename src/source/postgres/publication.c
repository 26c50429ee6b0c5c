#include "source/postgres/publication.h"

#include <inttypes.h>
#include <stdlib.h>

#include "source/postgres/connection.h"

static bool check_operations(const PGresult *r, const char *name, struct error *err)
{
    for (int i = 0; i < 4; i++) {
        if (PQgetvalue(r, 0, i)[0] != 't') {
            owned(buf_release) struct buf sql = {0};
            buf_append_text(&sql, "ALTER PUBLICATION ");
            buf_append_identifier(&sql, name);
            buf_append_text(&sql, " SET (publish = 'insert, update, delete, truncate')");
            return error_set(err, ERROR_CONFIG, "publication \"%s\" leaves out %s: run %s", name,
                             PQfname(r, i), buf_text(&sql));
        }
    }
    return true;
}

static bool check_table(const PGresult *published, const struct catalog_table *table,
                        const char *name, bool via_root, struct error *err)
{
    for (int i = 0; i < PQntuples(published); i++) {
        if (strtoul(PQgetvalue(published, i, 0), NULL, 10) != table->id) {
            continue;
        }
        if (PQgetvalue(published, i, 1)[0] == 't') {
            return error_set(
                err, ERROR_CONFIG,
                "publication \"%s\" has a column list or a row filter for table %s.%s: changes would be "
                "missing",
                name, table->name.schema, table->name.table);
        }
        return true;
    }
    if (via_root && table->is_partition) {
        return error_set(
            err, ERROR_CONFIG,
            "publication \"%s\" has publish_via_partition_root: changes of %s.%s come under its "
            "parent's name",
            name, table->name.schema, table->name.table);
    }
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "ALTER PUBLICATION ");
    buf_append_identifier(&sql, name);
    buf_append_text(&sql, " ADD TABLE ");
    catalog_append_name(&sql, table->name);
    return error_set(err, ERROR_CONFIG, "publication \"%s\" does not contain table %s.%s: run %s",
                     name, table->name.schema, table->name.table, buf_text(&sql));
}

/* Column lists and row filters came with 15. The view follows schemas, partitions and FOR ALL
 * TABLES. */
static const char tables_sql_15[] =
    "SELECT c.oid, coalesce(r.prattrs IS NOT NULL OR r.prqual IS NOT NULL, false)"
    " FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname"
    " JOIN pg_namespace n ON n.nspname = t.schemaname"
    " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename"
    " LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid"
    " WHERE p.pubname = $1";
static const char tables_sql_13[] =
    "SELECT c.oid, false FROM pg_publication_tables t JOIN pg_namespace n ON n.nspname = t.schemaname"
    " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename WHERE t.pubname = $1";

bool publication_check(PGconn *c, const struct publication_options *options, bool *exists,
                       struct error *err)
{
    const char *const values[] = {options->name};
    owned(result_free) PGresult *r = connection_query_with(
        c,
        "SELECT pubinsert AS \"insert\", pubupdate AS \"update\", pubdelete AS \"delete\","
        " pubtruncate AS \"truncate\", pubviaroot FROM pg_publication WHERE pubname = $1",
        1, values, err);
    if (!r) {
        return error_wrap(err, "cannot look for publication \"%s\"", options->name);
    }
    *exists = PQntuples(r) > 0;
    if (!*exists) {
        return true;
    }
    if (!check_operations(r, options->name, err)) {
        return false;
    }
    owned(result_free) PGresult *published = connection_query_with(
        c, options->server_version >= 150000 ? tables_sql_15 : tables_sql_13, 1, values, err);
    if (!published) {
        return error_wrap(err, "cannot read publication \"%s\"", options->name);
    }
    bool via_root = PQgetvalue(r, 0, 4)[0] == 't';
    for (uint32_t i = 0; i < options->tables->count; i++) {
        if (!check_table(published, &options->tables->items[i], options->name, via_root, err)) {
            return false;
        }
    }
    return true;
}

bool publication_can_create(PGconn *c, const struct publication_options *options, bool *can,
                            struct error *err)
{
    owned(buf_release) struct buf ids = {0};
    for (uint32_t i = 0; i < options->tables->count; i++) {
        buf_append_format(&ids, "%s%" PRIu32, i == 0 ? "{" : ",", options->tables->items[i].id);
    }
    buf_append_text(&ids, options->tables->count == 0 ? "{}" : "}");
    const char *const values[] = {buf_text(&ids)};
    owned(result_free) PGresult *r = connection_query_with(
        c,
        "SELECT has_database_privilege(current_database(), 'CREATE')"
        " AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = ANY ($1::oid[])"
        "                 AND NOT pg_has_role(c.relowner, 'USAGE'))",
        1, values, err);
    if (!r) {
        return error_wrap(err, "cannot read the role's rights");
    }
    *can = PQgetvalue(r, 0, 0)[0] == 't';
    return true;
}

void publication_append_sql(const struct publication_options *options, struct buf *sql)
{
    buf_append_text(sql, "CREATE PUBLICATION ");
    buf_append_identifier(sql, options->name);
    buf_append_text(sql, " FOR TABLE ");
    for (uint32_t i = 0; i < options->tables->count; i++) {
        buf_append_text(sql, i == 0 ? "ONLY " : ", ONLY ");
        catalog_append_name(sql, options->tables->items[i].name);
    }
    buf_append_text(sql, " WITH (publish = 'insert, update, delete, truncate')");
}

bool publication_create(PGconn *c, const struct publication_options *options, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    publication_append_sql(options, &sql);
    bool can = false;
    if (!publication_can_create(c, options, &can, err)) {
        return false;
    }
    if (!can) {
        return error_set(
            err, ERROR_CONFIG,
            "publication \"%s\" does not exist and the role may not make it: let an owner of database and "
            "tables run %s",
            options->name, buf_text(&sql));
    }
    return connection_execute(c, buf_text(&sql), err) ||
           error_wrap(err, "cannot make publication \"%s\"", options->name);
}
