/* The clauses of ALTER TABLE (MySQL, "ALTER TABLE Statement"; MariaDB, "ALTER TABLE"). Clauses are
 * separated by commas outside of parentheses; only table options may stand without them. */
#include <strings.h>

#include "source/mysql/ddl_reader.h"

/* What the attributes of a column say of the rows that are there already. */
struct column_attributes {
    bool fills;        /* what was not there before gets a value */
    bool is_generated; /* the value comes from other columns */
    bool is_key;
};

struct alter {
    struct ddl_reader *reader;
    bool in_list; /* names may follow after commas: DROP PARTITION p0, p1 */
};

static void add_kind(struct ddl_reader *r, enum ddl_change_kind kind)
{
    ddl_add_change(r, &(struct ddl_change){.kind = kind});
}

/* Moves over a parenthesis and what is in it. */
static void skip_parentheses(struct ddl_reader *r)
{
    ddl_advance(r);
    for (size_t depth = 1; depth > 0 && !ddl_at_end(r); ddl_advance(r)) {
        depth += ddl_token_is_symbol(r->token, '(');
        depth -= ddl_token_is_symbol(r->token, ')');
    }
}

/* One attribute, or one token of it. */
static void read_attribute(struct ddl_reader *r, struct column_attributes *out, bool *is_null)
{
    if (ddl_accept(r, "default null")) {
        return;
    }
    if (ddl_accept(r, "default") || ddl_accept(r, "not null") || ddl_accept(r, "auto_increment") ||
        ddl_accept(r, "serial")) {
        out->fills = true;
    } else if (ddl_accept(r, "generated") || ddl_accept(r, "as")) {
        out->fills = true;
        out->is_generated = true;
    } else if (ddl_accept(r, "unique key") || ddl_accept(r, "unique")) {
        return;
    } else if (ddl_accept(r, "primary") || ddl_accept(r, "key")) {
        out->fills = true;
        out->is_key = true;
        (void)ddl_accept(r, "key");
    } else if (ddl_accept(r, "null")) {
        *is_null = true;
    } else if (ddl_accept(r, "after") || ddl_accept(r, "set")) {
        /* A name, or what REFERENCES ... ON DELETE SET NULL does to this column. */
        if (ddl_token_is_name(r->token)) {
            ddl_advance(r);
        }
    } else {
        ddl_advance(r);
    }
}

/* Reads from a column's type to the end of its definition. PARTITION BY may follow without a comma:
 * what is behind it is not of the column. */
static struct column_attributes read_attributes(struct ddl_reader *r)
{
    struct column_attributes found = {0};
    bool is_null = false;
    bool is_timestamp = ddl_token_is_word(r->token, "timestamp");
    found.fills = ddl_token_is_word(r->token, "serial");
    if (ddl_token_is_name(r->token)) {
        ddl_advance(r);
    }
    while (!ddl_at_end(r) && !ddl_token_is_symbol(r->token, ',') &&
           !ddl_token_is_symbol(r->token, ')')) {
        if (ddl_token_is_symbol(r->token, '(')) {
            skip_parentheses(r);
        } else if (ddl_accept(r, "partition by") || ddl_accept(r, "remove partitioning")) {
            ddl_skip_clause(r);
        } else {
            read_attribute(r, &found, &is_null);
        }
    }
    /* Without explicit_defaults_for_timestamp, the first one is NOT NULL and filled with now. */
    found.fills = found.fills || (is_timestamp && !is_null);
    return found;
}

static void read_added_column(struct ddl_reader *r)
{
    const char *name = ddl_read_name(r);
    if (!name) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
        return;
    }
    struct column_attributes found = read_attributes(r);
    ddl_add_change(r, &(struct ddl_change){
                          .kind = DDL_ADD_COLUMN, .name = name, .fills_old_rows = found.fills});
    if (found.is_key) {
        add_kind(r, DDL_KEY);
    }
}

/* CONSTRAINT [name] PRIMARY KEY | UNIQUE | FOREIGN KEY | CHECK */
static void read_added_constraint(struct ddl_reader *r)
{
    (void)ddl_accept(r, "if not exists");
    bool is_key = ddl_accept(r, "primary key");
    if (!is_key && !ddl_token_is_word(r->token, "unique") &&
        !ddl_token_is_word(r->token, "foreign") && !ddl_token_is_word(r->token, "check")) {
        ddl_advance(r);
        is_key = ddl_accept(r, "primary key");
    }
    if (is_key) {
        add_kind(r, DDL_KEY);
    }
}

static bool is_added_index(struct ddl_reader *r)
{
    return ddl_accept(r, "index") || ddl_accept(r, "key") || ddl_accept(r, "unique") ||
           ddl_accept(r, "fulltext") || ddl_accept(r, "spatial") || ddl_accept(r, "foreign key") ||
           ddl_accept(r, "check") || ddl_accept(r, "vector index") || ddl_accept(r, "vector key");
}

/* A column, or what belongs to keys. */
static void read_added_element(struct ddl_reader *r)
{
    if (ddl_accept(r, "primary key")) {
        add_kind(r, DDL_KEY);
    } else if (ddl_accept(r, "constraint")) {
        read_added_constraint(r);
    } else if (ddl_accept(r, "system versioning") || ddl_accept(r, "period for")) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
    } else if (!is_added_index(r)) {
        read_added_column(r);
    }
    ddl_skip_clause(r);
}

static void read_add(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    if (ddl_accept(r, "partition")) {
        a->in_list = true;
        return;
    }
    bool is_column = ddl_accept(r, "column");
    is_column = ddl_accept(r, "if not exists") || is_column;
    if (ddl_accept_symbol(r, '(')) {
        do {
            read_added_element(r);
        } while (ddl_accept_symbol(r, ',') && r->out->change_count < DDL_CHANGES_MAX);
        (void)ddl_accept_symbol(r, ')');
    } else if (is_column) {
        read_added_column(r);
    } else {
        read_added_element(r);
    }
}

static void read_dropped_index(struct ddl_reader *r)
{
    (void)ddl_accept(r, "if exists");
    if (!ddl_token_is_name(r->token)) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
    } else if (ddl_token_is_primary(r->token)) {
        add_kind(r, DDL_KEY);
    }
}

static void read_drop(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    if (ddl_accept(r, "partition")) {
        add_kind(r, DDL_ROWS_CHANGED);
        a->in_list = true;
    } else if (ddl_accept(r, "primary key")) {
        add_kind(r, DDL_KEY);
    } else if (ddl_accept(r, "index") || ddl_accept(r, "key") || ddl_accept(r, "constraint")) {
        read_dropped_index(r);
    } else if (ddl_accept(r, "system versioning") || ddl_accept(r, "period for")) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
    } else if (!ddl_accept(r, "foreign key") && !ddl_accept(r, "check")) {
        (void)ddl_accept(r, "column");
        (void)ddl_accept(r, "if exists");
        const char *name = ddl_read_name(r);
        ddl_add_change(r, &(struct ddl_change){.kind = name ? DDL_DROP_COLUMN : DDL_CHANGE_UNKNOWN,
                                               .name = name});
    }
}

/* The definition of a column that is there: MODIFY, or CHANGE, which may name it anew. */
static void read_redefinition(struct ddl_reader *r, bool is_change)
{
    (void)ddl_accept(r, "column");
    (void)ddl_accept(r, "if exists");
    const char *name = ddl_read_name(r);
    const char *new_name = is_change && name ? ddl_read_name(r) : name;
    if (!name || !new_name) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
        return;
    }
    bool is_renamed = strcasecmp(name, new_name) != 0;
    struct column_attributes found = read_attributes(r);
    ddl_add_change(r,
                   &(struct ddl_change){.kind = is_renamed ? DDL_RENAME_COLUMN : DDL_MODIFY_COLUMN,
                                        .name = name,
                                        .new_name = is_renamed ? new_name : NULL,
                                        .fills_old_rows = found.is_generated});
    if (found.is_key) {
        add_kind(r, DDL_KEY);
    }
}

static void read_change(struct alter *a)
{
    read_redefinition(a->reader, true);
}

static void read_modify(struct alter *a)
{
    read_redefinition(a->reader, false);
}

static void read_renamed_column(struct ddl_reader *r)
{
    (void)ddl_accept(r, "if exists");
    const char *name = ddl_read_name(r);
    const char *new_name = name && ddl_accept(r, "to") ? ddl_read_name(r) : NULL;
    if (!new_name) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
        return;
    }
    ddl_add_change(
        r, &(struct ddl_change){.kind = DDL_RENAME_COLUMN, .name = name, .new_name = new_name});
}

static void read_rename(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    if (ddl_accept(r, "column")) {
        read_renamed_column(r);
        return;
    }
    if (ddl_accept(r, "index") || ddl_accept(r, "key")) {
        return;
    }
    (void)(ddl_accept(r, "to") || ddl_accept(r, "as") || ddl_accept_symbol(r, '='));
    struct table_name name;
    if (!ddl_read_table(r, &name)) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
        return;
    }
    ddl_add_change(r, &(struct ddl_change){.kind = DDL_RENAME_TABLE,
                                           .new_name = name.table,
                                           .new_schema = name.schema});
}

/* Unicode whole holds every text; any other character set may turn characters into question marks
 * (outside of strict mode), and no event says so. */
static void read_convert_text(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    (void)(ddl_accept(r, "charset") || ddl_accept(r, "character set"));
    if (!ddl_accept(r, "utf8mb4")) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
    }
}

/* Rows go to or come from another table:
 * EXCHANGE PARTITION p WITH TABLE t, CONVERT PARTITION p TO TABLE t, CONVERT TABLE t TO PARTITION p
 */
static void read_exchange(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    add_kind(r, DDL_ROWS_CHANGED);
    a->in_list = true;
    while (!ddl_at_end(r) && !ddl_token_is_symbol(r->token, ',')) {
        if (ddl_accept(r, "table")) {
            struct table_name other;
            if (ddl_read_table(r, &other)) {
                ddl_add_table(r, other);
            }
            return;
        }
        ddl_advance(r);
    }
}

static void read_rows_changed(struct alter *a)
{
    add_kind(a->reader, DDL_ROWS_CHANGED);
    a->in_list = true;
}

/* Partitions are moved, checked, made: the rows stay. ORDER BY also takes a list. */
static void read_list(struct alter *a)
{
    a->in_list = true;
}

/* Table options, several of them without commas. */
static void read_options(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    while (!ddl_at_end(r) && !ddl_token_is_symbol(r->token, ',')) {
        if (ddl_accept(r, "union") || ddl_accept(r, "blackhole")) {
            add_kind(r, DDL_ROWS_CHANGED);
        } else if (ddl_accept(r, "system versioning")) {
            add_kind(r, DDL_CHANGE_UNKNOWN);
        } else if (ddl_token_is_symbol(r->token, '(')) {
            skip_parentheses(r);
        } else {
            ddl_advance(r);
        }
    }
}

static void read_nothing(struct alter *a)
{
    (void)a;
}

/* Longer ones first. */
static const struct {
    const char *words;
    void (*read)(struct alter *a);
} clauses[] = {
    {"add", read_add},
    {"drop", read_drop},
    {"change", read_change},
    {"modify", read_modify},
    {"rename", read_rename},
    {"alter", read_nothing}, /* a column's default or visibility, an index, a check */
    {"convert to", read_convert_text},
    {"convert", read_exchange},
    {"exchange partition", read_exchange},
    {"discard", read_rows_changed},
    {"import", read_rows_changed},
    {"truncate partition", read_rows_changed},
    {"order by", read_list},
    {"partition by", read_list},
    {"remove partitioning", read_list},
    {"analyze partition", read_list},
    {"check partition", read_list},
    {"coalesce partition", read_list},
    {"optimize partition", read_list},
    {"rebuild partition", read_list},
    {"reorganize partition", read_list},
    {"repair partition", read_list},
    {"algorithm", read_nothing},
    {"lock", read_nothing},
    {"force", read_nothing},
    {"enable keys", read_nothing},
    {"disable keys", read_nothing},
    {"with validation", read_nothing},
    {"without validation", read_nothing},
    {"secondary_load", read_nothing},
    {"secondary_unload", read_nothing},
};

/* Options that may stand without an equals sign. Where one stands, anything is an option. */
static const char *const options[] = {
    "auto_increment",
    "autoextend_size",
    "avg_row_length",
    "character set",
    "charset",
    "checksum",
    "collate",
    "comment",
    "compression",
    "connection",
    "data directory",
    "default",
    "delay_key_write",
    "encryption",
    "engine",
    "engine_attribute",
    "index directory",
    "insert_method",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_checksum",
    "password",
    "row_format",
    "secondary_engine",
    "secondary_engine_attribute",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "table_checksum",
    "tablespace",
    "transactional",
    "type",
    "union",
};

static bool is_option(const struct ddl_reader *r)
{
    struct ddl_reader ahead = *r;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (ddl_accept(&ahead, options[i])) {
            return true;
        }
    }
    /* Engines have options of their own: name = value. */
    if (!ddl_token_is_name(ahead.token)) {
        return false;
    }
    ddl_advance(&ahead);
    return ddl_token_is_symbol(ahead.token, '=');
}

static void read_clause(struct alter *a)
{
    struct ddl_reader *r = a->reader;
    for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++) {
        if (ddl_accept(r, clauses[i].words)) {
            clauses[i].read(a);
            return;
        }
    }
    if (is_option(r)) {
        read_options(a);
    } else if (!a->in_list) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
    }
}

bool ddl_read_alter_table(struct ddl_reader *r, bool ignores_errors)
{
    struct table_name name;
    (void)ddl_accept(r, "if exists");
    if (!ddl_read_table(r, &name)) {
        return false;
    }
    r->out->kind = DDL_ALTER;
    ddl_add_table(r, name);
    ddl_skip_wait(r);
    /* Rows that are in the way of a unique key are removed, values that do not fit are cut. */
    if (ignores_errors) {
        add_kind(r, DDL_ROWS_CHANGED);
    }
    struct alter a = {.reader = r};
    while (!ddl_at_end(r) && r->out->change_count < DDL_CHANGES_MAX) {
        read_clause(&a);
        ddl_skip_clause(r);
        if (!ddl_at_end(r) && !ddl_accept_symbol(r, ',')) {
            add_kind(r, DDL_CHANGE_UNKNOWN);
            ddl_advance(r);
        }
    }
    if (!ddl_at_end(r)) {
        add_kind(r, DDL_CHANGE_UNKNOWN);
    }
    return true;
}
