/* What a statement in the log does to tables, as far as captured tables are concerned. A reader of
 * the statement's outline, not a parser of SQL: what it does not understand it says so, and the
 * stream then trusts nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"
#include "model/schema.h"

enum ddl_kind {
    DDL_NONE,  /* no table is concerned: grants, views, procedures, databases made, SET ... */
    DDL_BEGIN, /* BEGIN, START TRANSACTION, XA START */
    DDL_COMMIT,
    DDL_ROLLBACK,  /* the whole transaction */
    DDL_SAVEPOINT, /* SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO */
    DDL_XA,        /* XA COMMIT, XA ROLLBACK, XA END, XA PREPARE */
    DDL_TRUNCATE,
    DDL_CREATE,    /* the table did not exist before; or it did, with IF NOT EXISTS, and stays */
    DDL_TEMPORARY, /* a table of one session is made, which hides another of its name */
    DDL_DROP,      /* also CREATE OR REPLACE TABLE: what the table held is gone */
    DDL_RENAME,    /* `tables` are pairs: an old name, its new name ... */
    DDL_ALTER,     /* `changes` are of tables[0]; others give it their rows, or get its rows */
    DDL_INDEX,     /* CREATE and DROP INDEX: rows and columns stay as they are */
    DDL_DROP_DATABASE, /* tables[0].schema */
    DDL_ROWS,    /* INSERT, UPDATE, DELETE, REPLACE, LOAD DATA ...: rows changed by statement */
    DDL_UNKNOWN, /* anything else; `tables` are all names that stand in it */
};

/* One clause of ALTER TABLE that matters. */
struct ddl_change {
    enum ddl_change_kind {
        DDL_ADD_COLUMN,    /* name; fills_old_rows */
        DDL_DROP_COLUMN,   /* name */
        DDL_RENAME_COLUMN, /* name -> new_name: RENAME COLUMN, or CHANGE with another name */
        DDL_MODIFY_COLUMN, /* name: MODIFY, or CHANGE with the same name: type or nullability */
        DDL_KEY,           /* ADD or DROP PRIMARY KEY, also as an attribute of a column */
        DDL_ROWS_CHANGED,  /* DROP/TRUNCATE/EXCHANGE PARTITION, IMPORT/DISCARD TABLESPACE, IGNORE */
        DDL_RENAME_TABLE,  /* new_name, new_schema */
        DDL_CHANGE_UNKNOWN,
    } kind;
    const char *name;
    const char *new_name;
    const char *new_schema;
    /* ADD: DEFAULT other than NULL, NOT NULL, AUTO_INCREMENT, generated, a timestamp that is not
     * said to be NULL. MODIFY and RENAME: generated, so values may be others than before. */
    bool fills_old_rows;
};

struct ddl {
    enum ddl_kind kind;
    struct table_name *tables; /* with the statement's default database where they name none */
    uint32_t table_count;
    bool has_more_tables;       /* than are listed: the statement names very many */
    struct ddl_change *changes; /* ALTER */
    uint32_t change_count;
};

/* Never fails: what it cannot read is DDL_UNKNOWN or DDL_CHANGE_UNKNOWN. Comments are skipped,
 * version comments (slash-star-bang) are read, strings and quoted names are respected under any
 * sql_mode; `database` is the session's. Names come as they stand, so `text` should be UTF-8.
 * Linear in the size of the text; the outline is bounded. Everything lies in the arena. */
void ddl_read(struct str text, struct str database, struct arena *arena, struct ddl *out);
