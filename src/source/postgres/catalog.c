#include "source/postgres/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "source/postgres/connection.h"

static const char *text_at(struct arena *arena, const PGresult *r, int row, int column)
{
    return arena_string(arena, PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

static bool bool_at(const PGresult *r, int row, int column)
{
    return PQgetvalue(r, row, column)[0] == 't';
}

static uint32_t u32_at(const PGresult *r, int row, int column)
{
    return (uint32_t)strtoul(PQgetvalue(r, row, column), NULL, 10);
}

static int32_t i32_at(const PGresult *r, int row, int column)
{
    return (int32_t)strtol(PQgetvalue(r, row, column), NULL, 10);
}

bool catalog_read_server(PGconn *c, struct arena *arena, struct catalog_server *out,
                         struct error *err)
{
    static const char sql[] =
        "SELECT current_setting('server_version_num'), current_setting('wal_level'),"
        " (SELECT system_identifier FROM pg_control_system()), current_database(), current_user,"
        " EXISTS (SELECT FROM pg_roles r WHERE r.rolname = current_user AND (r.rolsuper OR r.rolreplication))"
        " OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'rds_replication'"
        "            AND pg_has_role(current_user, r.oid, 'MEMBER')),"
        " pg_is_in_recovery(),"
        " current_setting('max_replication_slots'), (SELECT count(*) FROM pg_replication_slots),"
        " current_setting('max_wal_senders'), (SELECT count(*) FROM pg_stat_replication)";
    owned(result_free) PGresult *r = connection_query(c, sql, err);
    if (!r) {
        return error_wrap(err, "cannot read the server's settings");
    }
    *out = (struct catalog_server){
        .version = i32_at(r, 0, 0),
        .wal_level = text_at(arena, r, 0, 1),
        .system_identifier = text_at(arena, r, 0, 2),
        .database = text_at(arena, r, 0, 3),
        .role = text_at(arena, r, 0, 4),
        .can_replicate = bool_at(r, 0, 5),
        .in_recovery = bool_at(r, 0, 6),
        .slots_max = u32_at(r, 0, 7),
        .slots_used = u32_at(r, 0, 8),
        .senders_max = u32_at(r, 0, 9),
        .senders_used = u32_at(r, 0, 10),
    };
    return true;
}

/* Types $1 (OIDs) with typmods $2, both arrays: name, names without typmod, base type of the
 * domain, of the element for arrays. A domain's typmod stands in pg_type. */
static const char types_sql[] =
    "SELECT format_type(t.oid, q.typmod), format_type(t.oid, NULL), t.typname, e.oid, e.typmod, e.is_array"
    " FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS q(id, typmod, place)"
    " LEFT JOIN pg_type t ON t.oid = q.id"
    " LEFT JOIN LATERAL ("
    "  WITH RECURSIVE base(oid, typmod, is_array, depth) AS ("
    "   SELECT t.oid, q.typmod, false, 0"
    "   UNION ALL"
    "   SELECT CASE b.typtype WHEN 'd' THEN b.typbasetype ELSE b.typelem END,"
    "          CASE b.typtype WHEN 'd' THEN b.typtypmod ELSE base.typmod END,"
    "          base.is_array OR b.typtype <> 'd', base.depth + 1"
    "   FROM base JOIN pg_type b ON b.oid = base.oid"
    "   WHERE b.typtype = 'd' OR (b.typcategory = 'A' AND b.typelem <> 0))"
    "  SELECT oid, typmod, is_array FROM base ORDER BY depth DESC LIMIT 1) e ON true"
    " ORDER BY q.place";

bool catalog_read_types(PGconn *c, const struct catalog_type_id *ids, uint32_t count,
                        struct arena *arena, struct catalog_type *out, struct error *err)
{
    owned(buf_release) struct buf oids = {0};
    owned(buf_release) struct buf typmods = {0};
    for (uint32_t i = 0; i < count; i++) {
        buf_append_format(&oids, "%s%" PRIu32, i == 0 ? "{" : ",", ids[i].id);
        buf_append_format(&typmods, "%s%" PRId32, i == 0 ? "{" : ",", ids[i].typmod);
    }
    buf_append_text(&oids, count == 0 ? "{}" : "}");
    buf_append_text(&typmods, count == 0 ? "{}" : "}");

    const char *const values[] = {buf_text(&oids), buf_text(&typmods)};
    owned(result_free) PGresult *r = connection_query_with(c, types_sql, 2, values, err);
    if (!r) {
        return error_wrap(err, "cannot read the types of columns");
    }
    if (PQntuples(r) != (int)count) {
        return error_set(err, ERROR_FATAL, "the catalog gave %d types for %u columns", PQntuples(r),
                         count);
    }
    for (int i = 0; i < (int)count; i++) {
        out[i] = (struct catalog_type){0};
        if (!PQgetisnull(r, i, 2)) {
            out[i] = (struct catalog_type){
                .name = text_at(arena, r, i, 0),
                .bare_name = text_at(arena, r, i, 1),
                .short_name = text_at(arena, r, i, 2),
                .base_id = u32_at(r, i, 3),
                .base_typmod = i32_at(r, i, 4),
                .is_array = bool_at(r, i, 5),
            };
        }
    }
    return true;
}

/* Under replica identity full the key is the primary key; otherwise it is what the server logs. */
static const char columns_sql[] =
    "SELECT a.attname, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated <> '',"
    " a.atthasmissing, coalesce(a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]), false),"
    " a.attstorage <> 'p', a.xmin, a.atthasdef"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND"
    "  CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'n' THEN false ELSE i.indisprimary END"
    " WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

static bool read_columns(PGconn *c, struct arena *arena, struct catalog_table *table,
                         struct error *err)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "%" PRIu32, table->id);
    const char *const values[] = {id};
    owned(result_free) PGresult *r = connection_query_with(c, columns_sql, 1, values, err);
    if (!r) {
        return error_wrap(err, "cannot read the columns of table %s.%s", table->name.schema,
                          table->name.table);
    }
    uint32_t count = (uint32_t)PQntuples(r);
    table->column_count = count;
    table->columns = arena_array(arena, count, sizeof(*table->columns));
    struct catalog_type_id *ids = arena_array(arena, count, sizeof(*ids));
    struct catalog_type *types = arena_array(arena, count, sizeof(*types));
    for (uint32_t i = 0; i < count; i++) {
        int row = (int)i;
        table->columns[i] = (struct catalog_column){
            .name = text_at(arena, r, row, 0),
            .number = i32_at(r, row, 1),
            .type_id = u32_at(r, row, 2),
            .typmod = i32_at(r, row, 3),
            .not_null = bool_at(r, row, 4),
            .is_generated = bool_at(r, row, 5),
            .has_missing = bool_at(r, row, 6),
            .is_key = bool_at(r, row, 7),
            .can_be_large = bool_at(r, row, 8),
            .changed_by = u32_at(r, row, 9),
            .has_default = bool_at(r, row, 10),
        };
        ids[i] = (struct catalog_type_id){table->columns[i].type_id, table->columns[i].typmod};
    }
    if (!catalog_read_types(c, ids, count, arena, types, err)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        table->columns[i].type = types[i];
    }
    return true;
}

#define TABLE_COLUMNS                                                                 \
    "SELECT c.oid, n.nspname, c.relname, c.relfilenode, c.relkind, c.relpersistence," \
    " c.relreplident, c.relispartition, has_table_privilege(c.oid, 'SELECT'),"        \
    " greatest(c.reltuples, 0)::bigint"                                               \
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "

static struct catalog_table table_at(struct arena *arena, const PGresult *r, int row)
{
    return (struct catalog_table){
        .id = u32_at(r, row, 0),
        .name = {.schema = text_at(arena, r, row, 1), .table = text_at(arena, r, row, 2)},
        .file_node = u32_at(r, row, 3),
        .kind = PQgetvalue(r, row, 4)[0],
        .persistence = PQgetvalue(r, row, 5)[0],
        .replica_identity = PQgetvalue(r, row, 6)[0],
        .is_partition = bool_at(r, row, 7),
        .can_select = bool_at(r, row, 8),
        .row_estimate = strtoull(PQgetvalue(r, row, 9), NULL, 10),
    };
}

bool catalog_read_table(PGconn *c, uint32_t id, struct arena *arena, struct catalog_table *out,
                        struct error *err)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%" PRIu32, id);
    const char *const values[] = {text};
    owned(result_free) PGresult *r =
        connection_query_with(c, TABLE_COLUMNS "WHERE c.oid = $1", 1, values, err);
    if (!r) {
        return error_wrap(err, "cannot read the catalog");
    }
    *out = (struct catalog_table){0};
    if (PQntuples(r) == 0) {
        return true;
    }
    *out = table_at(arena, r, 0);
    return read_columns(c, arena, out, err);
}

static bool check_kind(const struct catalog_table *t, struct error *err)
{
    if (t->kind == 'p') {
        return error_set(err, ERROR_CONFIG,
                         "table %s.%s is partitioned: name its partitions instead", t->name.schema,
                         t->name.table);
    }
    if (t->kind != 'r') {
        return error_set(err, ERROR_CONFIG, "%s.%s is %s: only tables have a change stream",
                         t->name.schema, t->name.table,
                         t->kind == 'v'   ? "a view"
                         : t->kind == 'm' ? "a materialized view"
                                          : "a foreign table");
    }
    if (t->persistence != 'p') {
        return error_set(err, ERROR_CONFIG, "table %s.%s is %s: its changes are not in the log",
                         t->name.schema, t->name.table,
                         t->persistence == 'u' ? "unlogged" : "temporary");
    }
    if (!t->can_select) {
        return error_set(
            err, ERROR_CONFIG,
            "no right to read table %s.%s: GRANT SELECT ON \"%s\".\"%s\" TO the role of the pipeline",
            t->name.schema, t->name.table, t->name.schema, t->name.table);
    }
    return true;
}

static void add_table(struct arena *arena, struct catalog_tables *tables,
                      struct catalog_table table, uint32_t *capacity)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        if (tables->items[i].id == table.id) {
            return;
        }
    }
    if (tables->count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 16;
        struct catalog_table *items = arena_array(arena, *capacity, sizeof(*items));
        if (tables->count > 0) {
            memcpy(items, tables->items, tables->count * sizeof(*items));
        }
        tables->items = items;
    }
    tables->items[tables->count++] = table;
}

static bool read_pattern(PGconn *c, const char *pattern, struct arena *arena,
                         struct catalog_tables *tables, uint32_t *capacity, struct error *err)
{
    const char *dot = strchr(pattern, '.');
    if (!dot || dot == pattern || dot[1] == '\0') {
        return error_set(err, ERROR_CONFIG,
                         "table \"%s\" is not written as schema.table or schema.*", pattern);
    }
    const char *schema = arena_string(arena, pattern, (size_t)(dot - pattern));
    bool all = strcmp(dot + 1, "*") == 0;
    const char *const values[] = {schema, all ? NULL : dot + 1};
    owned(result_free) PGresult *r = connection_query_with(
        c,
        TABLE_COLUMNS
        "WHERE n.nspname = $1 AND (c.relname = $2 AND c.relkind IN ('r','p','v','m','f')"
        " OR $2 IS NULL AND c.relkind = 'r' AND c.relpersistence = 'p') ORDER BY c.relname",
        2, values, err);
    if (!r) {
        return error_wrap(err, "cannot look for table %s", pattern);
    }
    if (PQntuples(r) == 0) {
        return error_set(err, ERROR_CONFIG,
                         all ? "\"%s\" finds no table" : "table %s does not exist", pattern);
    }
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_table t = table_at(arena, r, i);
        if (!check_kind(&t, err)) {
            return false;
        }
        add_table(arena, tables, t, capacity);
    }
    return true;
}

bool catalog_read_tables(PGconn *c, const struct config_strings *patterns, struct arena *arena,
                         struct catalog_tables *out, struct error *err)
{
    struct catalog_tables tables = {0};
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < patterns->count; i++) {
        if (!read_pattern(c, patterns->items[i], arena, &tables, &capacity, err)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < tables.count; i++) {
        if (!read_columns(c, arena, &tables.items[i], err)) {
            return false;
        }
    }
    *out = tables;
    return true;
}

const struct catalog_column *catalog_find_column(const struct catalog_table *table, struct str name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (str_equal(str_from(table->columns[i].name), name)) {
            return &table->columns[i];
        }
    }
    return NULL;
}

void catalog_append_name(struct buf *sql, struct table_name name)
{
    buf_append_identifier(sql, name.schema);
    buf_append_char(sql, '.');
    buf_append_identifier(sql, name.table);
}

bool catalog_check_identity(const struct catalog_table *table, struct error *err)
{
    if (table->replica_identity == 'f') {
        return true;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].is_key) {
            return true;
        }
    }
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "ALTER TABLE ");
    catalog_append_name(&sql, table->name);
    buf_append_text(&sql, " REPLICA IDENTITY FULL");
    return error_set(
        err, ERROR_CONFIG,
        "table %s.%s has no replica identity, so publishing it would make its updates and deletes fail: "
        "add a primary key or run %s",
        table->name.schema, table->name.table, buf_text(&sql));
}
