#include <stdio.h>
#include <stdlib.h>

#include "source/mysql/ddl.h"
#include "test.h"

static void append_change(struct buf *out, const struct ddl_change *c)
{
    switch (c->kind) {
    case DDL_ADD_COLUMN:
        buf_append_format(out, "add %s%s", c->name, c->fills_old_rows ? " filled" : "");
        break;
    case DDL_DROP_COLUMN:
        buf_append_format(out, "drop %s", c->name);
        break;
    case DDL_RENAME_COLUMN:
        buf_append_format(out, "rename %s %s", c->name, c->new_name);
        break;
    case DDL_MODIFY_COLUMN:
        buf_append_format(out, "modify %s%s", c->name, c->fills_old_rows ? " filled" : "");
        break;
    case DDL_KEY:
        buf_append_text(out, "key");
        break;
    case DDL_ROWS_CHANGED:
        buf_append_text(out, "rows");
        break;
    case DDL_RENAME_TABLE:
        buf_append_format(out, "to %s.%s", c->new_schema, c->new_name);
        break;
    case DDL_CHANGE_UNKNOWN:
        buf_append_text(out, "?");
        break;
    }
}

static const char *const kinds[] = {
    [DDL_NONE] = "none",
    [DDL_TEMPORARY] = "temporary",
    [DDL_BEGIN] = "begin",
    [DDL_COMMIT] = "commit",
    [DDL_ROLLBACK] = "rollback",
    [DDL_SAVEPOINT] = "savepoint",
    [DDL_XA] = "xa",
    [DDL_TRUNCATE] = "truncate",
    [DDL_CREATE] = "create",
    [DDL_DROP] = "drop",
    [DDL_RENAME] = "rename",
    [DDL_ALTER] = "alter",
    [DDL_INDEX] = "index",
    [DDL_DROP_DATABASE] = "drop database",
    [DDL_ROWS] = "rows",
    [DDL_UNKNOWN] = "unknown",
};

/* "alter shop.a, shop.b: add x filled, drop y" */
static void append_outline(struct buf *out, const struct ddl *d)
{
    buf_append_text(out, kinds[d->kind]);
    for (uint32_t i = 0; i < d->table_count; i++) {
        buf_append_format(out, "%s %s.%s", i == 0 ? "" : ",", d->tables[i].schema,
                          d->tables[i].table);
    }
    for (uint32_t i = 0; i < d->change_count; i++) {
        buf_append_text(out, i == 0 ? ": " : ", ");
        append_change(out, &d->changes[i]);
    }
}

static void assert_outline(const char *text, const char *expected)
{
    /* An exact copy on the heap, so that the sanitizer sees a read past the end. */
    size_t size = strlen(text);
    char *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    for (size_t i = 0; i < size; i++) {
        exact[i] = text[i];
    }
    struct arena arena = {0};
    struct ddl d;
    ddl_read((struct str){.data = exact, .size = size}, str_from("shop"), &arena, &d);
    struct buf found = {0};
    append_outline(&found, &d);
    if (strcmp(buf_text(&found), expected) != 0) {
        fail_msg("%s\nis     %s\nnot    %s", text, buf_text(&found), expected);
    }
    buf_release(&found);
    arena_release(&arena);
    free(exact);
}

struct statement {
    const char *text;
    const char *outline;
};

#define assert_outlines(list)                                        \
    for (size_t i_ = 0; i_ < sizeof(list) / sizeof(*(list)); i_++) { \
        assert_outline((list)[i_].text, (list)[i_].outline);         \
    }

static void knows_where_transactions_begin_and_end(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"BEGIN", "begin"},
        {"begin work;", "begin"},
        {"START TRANSACTION", "begin"},
        {"START TRANSACTION WITH CONSISTENT SNAPSHOT", "begin"},
        {"/* application: cart */ BEGIN", "begin"},
        {"COMMIT", "commit"},
        {"commit /* implicit, from Xid_log_event */", "commit"},
        {"ROLLBACK", "rollback"},
        {"ROLLBACK WORK", "rollback"},
        {"ROLLBACK TO `sp1`", "savepoint"},
        {"ROLLBACK WORK TO SAVEPOINT sp1", "savepoint"},
        {"SAVEPOINT `sp1`", "savepoint"},
        {"RELEASE SAVEPOINT sp1", "savepoint"},
        {"XA START X'31',X'',1", "begin"},
        {"XA BEGIN 'a'", "begin"},
        {"XA END X'31',X'',1", "xa"},
        {"XA PREPARE X'31',X'',1", "xa"},
        {"XA COMMIT X'31',X'',1 ONE PHASE", "xa"},
        {"XA ROLLBACK X'31',X'',1", "xa"},
    };
    assert_outlines(list);
}

static void passes_over_what_concerns_no_table(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"", "none"},
        {" ;\n; ", "none"},
        {"# Dum", "none"},
        {"-- nothing", "none"},
        {"/* nothing */", "none"},
        {"GRANT SELECT ON shop.* TO 'a'@'%'", "none"},
        {"REVOKE ALL ON t FROM a", "none"},
        {"CREATE USER 'a'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '\\'x'", "none"},
        {"ALTER USER a@localhost IDENTIFIED BY <secret>", "none"},
        {"DROP USER IF EXISTS a", "none"},
        {"RENAME USER a TO b", "none"},
        {"SET PASSWORD FOR 'a'@'%'='*23'", "none"},
        {"SET DEFAULT ROLE r TO a", "none"},
        {"FLUSH TABLES t", "none"},
        {"FLUSH PRIVILEGES", "none"},
        {"ANALYZE TABLE t", "none"},
        {"ANALYZE LOCAL TABLE t", "none"},
        {"OPTIMIZE TABLE t", "none"},
        {"CREATE DATABASE shop", "none"},
        {"CREATE SCHEMA IF NOT EXISTS shop", "none"},
        {"ALTER DATABASE shop CHARACTER SET utf8mb4", "none"},
        {"CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`root`@`%` SQL SECURITY DEFINER VIEW v AS "
         "SELECT * FROM t",
         "none"},
        {"CREATE DEFINER=CURRENT_USER VIEW v AS SELECT 1", "none"},
        {"ALTER ALGORITHM=MERGE VIEW v AS SELECT * FROM t", "none"},
        {"DROP VIEW v", "none"},
        {"CREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\nBEGIN DROP TABLE t; END", "none"},
        {"CREATE FUNCTION f() RETURNS int RETURN 'it''s'", "none"},
        {"CREATE FUNCTION f() RETURNS text RETURN 'it\\'s'", "none"},
        {"CREATE AGGREGATE FUNCTION f RETURNS INTEGER SONAME 'x.so'", "none"},
        {"CREATE DEFINER=`a`@`b` EVENT e ON SCHEDULE EVERY 1 DAY DO TRUNCATE t", "none"},
        {"CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", "none"},
        {"CREATE DEFINER=`root`@`localhost` TRIGGER `pt_osc_shop_t_del` AFTER DELETE ON `shop`.`t` "
         "FOR EACH ROW DELETE IGNORE FROM `shop`.`_t_new` WHERE `shop`.`_t_new`.`id` <=> OLD.`id`",
         "none"},
        {"DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_t_del`", "none"},
        {"DROP PROCEDURE p", "none"},
        {"CREATE SEQUENCE s START WITH 1", "none"},
        {"ALTER SEQUENCE s RESTART 7", "none"},
        {"DROP SEQUENCE s", "none"},
        {"CREATE ROLE r", "none"},
        {"CREATE UNDO TABLESPACE u ADD DATAFILE 'u.ibu'", "none"},
        {"CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y'", "none"},
        {"INSTALL PLUGIN p SONAME 'p.so'", "none"},
        {"CREATE TEMPORARY TABLE t (a int)", "temporary shop.t"},
        {"CREATE OR REPLACE TEMPORARY TABLE t (a int)", "temporary shop.t"},
        {"CREATE TEMPORARY TABLE IF NOT EXISTS shop.t SELECT 1", "temporary shop.t"},
        {"CREATE TEMPORARY SEQUENCE s", "none"},
        {"DROP TEMPORARY TABLE t", "none"},
        {"DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`", "none"},
        {"DROP TEMPORARY TABLE IF EXISTS `shop`.`t` /* generated by server */", "none"},
    };
    assert_outlines(list);
}

static void reads_what_is_created_and_dropped(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"CREATE TABLE t (id int)", "create shop.t"},
        {"create table if not exists other.t (id int)", "create other.t"},
        {"CREATE TABLE `a``b` LIKE t", "create shop.a`b"},
        {"CREATE TABLE \"a\"\"b\" (id int)", "create shop.a\"b"},
        {"CREATE TABLE t SELECT * FROM x", "create shop.t"},
        {"CREATE TABLE `t` (\n  `id` int NOT NULL\n) START TRANSACTION", "create shop.t"},
        {"CREATE TABLE `my.db` . `t` (id int)", "create my.db.t"},
        {"CREATE TABLE .t (id int)", "create shop.t"},
        {"CREATE TABLE 2024_orders (id int)", "create shop.2024_orders"},
        {"CREATE TABLE caf\xc3\xa9 (id int)", "create shop.caf\xc3\xa9"},
        {"CREATE OR REPLACE TABLE t (id int)", "drop shop.t"},
        {"DROP TABLE t", "drop shop.t"},
        {"DROP TABLES a, b", "drop shop.a, shop.b"},
        {"DROP TABLE IF EXISTS `t` /* generated by server */", "drop shop.t"},
        {"DROP TABLE IF EXISTS `shop`.`a`,`other`.`b` RESTRICT", "drop shop.a, other.b"},
        {"DROP TABLE a, b CASCADE;", "drop shop.a, shop.b"},
        {"DROP TABLE a WAIT 10", "drop shop.a"},
        {"DROP TABLE a NOWAIT", "drop shop.a"},
        {"DROP TABLE a /* b */, c -- d\n, e # f", "drop shop.a, shop.c, shop.e"},
        {"DROP DATABASE shop", "drop database shop."},
        {"DROP SCHEMA IF EXISTS `other`", "drop database other."},
        {"TRUNCATE t", "truncate shop.t"},
        {"TRUNCATE TABLE `other`.`t`", "truncate other.t"},
        {"truncate table t wait 5;", "truncate shop.t"},
        {"RENAME TABLE a TO b", "rename shop.a, shop.b"},
        {"RENAME TABLES a TO b, c TO other.d", "rename shop.a, shop.b, shop.c, other.d"},
        {"RENAME TABLE a WAIT 1 TO b, c NOWAIT TO d", "rename shop.a, shop.b, shop.c, shop.d"},
        {"RENAME TABLE IF EXISTS a TO b", "rename shop.a, shop.b"},
        {"CREATE INDEX i ON t (a)", "index shop.t"},
        {"CREATE UNIQUE INDEX i USING BTREE ON other.t (a, (b + 1))", "index other.t"},
        {"CREATE FULLTEXT INDEX i ON t (a)", "index shop.t"},
        {"CREATE OR REPLACE INDEX IF NOT EXISTS i ON t (a)", "index shop.t"},
        {"DROP INDEX i ON t", "index shop.t"},
        {"DROP INDEX IF EXISTS i ON t ALGORITHM=INPLACE", "index shop.t"},
        {"DROP INDEX `PRIMARY` ON t", "alter shop.t: key"},
        {"SET STATEMENT max_statement_time=60, lock_wait_timeout=(1+2) FOR DROP TABLE t",
         "drop shop.t"},
    };
    assert_outlines(list);
}

static void reads_columns_that_are_added(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"ALTER TABLE t ADD a int", "alter shop.t: add a"},
        {"ALTER TABLE t ADD COLUMN a int NULL", "alter shop.t: add a"},
        {"ALTER TABLE other.t ADD COLUMN IF NOT EXISTS a int", "alter other.t: add a"},
        {"ALTER TABLE t ADD IF NOT EXISTS a int", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int DEFAULT NULL", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int DEFAULT 0", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a int DEFAULT (NULL)", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a int NULL DEFAULT -1 COMMENT 'x'", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a int NOT NULL", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a int AS (b + 1)", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a int GENERATED ALWAYS AS (b, 1) STORED", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a timestamp", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a timestamp(6) NULL", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a timestamp NULL DEFAULT NULL", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a datetime ON UPDATE CURRENT_TIMESTAMP", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a SERIAL", "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a bigint AUTO_INCREMENT PRIMARY KEY",
         "alter shop.t: add a filled, key"},
        {"ALTER TABLE t ADD a int KEY", "alter shop.t: add a filled, key"},
        {"ALTER TABLE t ADD a int UNIQUE", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int UNIQUE KEY", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int COMMENT 'NOT NULL, PRIMARY KEY'", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int COMMENT \"DEFAULT 1\"", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a enum('x,y','default') CHARACTER SET latin1", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a decimal(10,2) AFTER `not null`, ADD b int FIRST",
         "alter shop.t: add a, add b"},
        {"ALTER TABLE t ADD a int AFTER serial", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int REFERENCES x (b) ON DELETE SET NULL", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int CHECK (a > 0), ADD b int INVISIBLE",
         "alter shop.t: add a, add b"},
        {"ALTER TABLE t ADD (a int, b int NOT NULL, KEY k (a))",
         "alter shop.t: add a, add b filled"},
        {"ALTER TABLE t ADD COLUMN (a varchar(10) COMMENT ')'), DROP b",
         "alter shop.t: add a, drop b"},
        {"ALTER TABLE t ADD COLUMN IF NOT EXISTS (a int, PRIMARY KEY (a))",
         "alter shop.t: add a, key"},
        {"ALTER TABLE t ADD `index` int, ADD `primary` int",
         "alter shop.t: add index, add primary"},
        {"ALTER TABLE t ADD system int, ADD period int, ADD vector int",
         "alter shop.t: add system, add period, add vector"},
        {"ALTER TABLE t ADD a int /*!80023 INVISIBLE */ DEFAULT /*!50000 7 */",
         "alter shop.t: add a filled"},
        {"ALTER TABLE t ADD a int /*M!100100 NOT NULL */", "alter shop.t: add a filled"},
        {"alter table t /* 50701 add f int, */ add g int", "alter shop.t: add g"},
        {"ALTER TABLE t ADD a int PARTITION BY KEY (id) PARTITIONS 4", "alter shop.t: add a"},
        {"ALTER TABLE t ADD a int DEFAULT 'it''s, ok', DROP b",
         "alter shop.t: add a filled, drop b"},
        {"ALTER TABLE t ADD a int DEFAULT 'it\\'s, ok', DROP b",
         "alter shop.t: add a filled, drop b"},
        {"ALTER TABLE t ADD a int COMMENT 'C:\\', DROP b", "alter shop.t: add a, drop b"},
        {"ALTER TABLE t ADD a int COMMENT 'C:\\\\', DROP b", "alter shop.t: add a, drop b"},
    };
    assert_outlines(list);
}

static void reads_other_changes_of_columns_and_keys(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"ALTER TABLE t DROP a", "alter shop.t: drop a"},
        {"ALTER TABLE t DROP COLUMN a, DROP COLUMN IF EXISTS `b` CASCADE",
         "alter shop.t: drop a, drop b"},
        {"ALTER TABLE t CHANGE a b int", "alter shop.t: rename a b"},
        {"ALTER TABLE t CHANGE COLUMN a a bigint NOT NULL", "alter shop.t: modify a"},
        {"ALTER TABLE t CHANGE a A bigint", "alter shop.t: modify a"},
        {"ALTER TABLE t CHANGE COLUMN IF EXISTS `a` `b` int", "alter shop.t: rename a b"},
        {"ALTER TABLE t MODIFY a bigint", "alter shop.t: modify a"},
        {"ALTER TABLE t MODIFY COLUMN a varchar(200) NOT NULL DEFAULT 'x' AFTER b, MODIFY c int",
         "alter shop.t: modify a, modify c"},
        {"ALTER TABLE t MODIFY a int AS (b * 2) VIRTUAL", "alter shop.t: modify a filled"},
        {"ALTER TABLE t MODIFY a int PRIMARY KEY", "alter shop.t: modify a, key"},
        {"ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN `c` TO `d`",
         "alter shop.t: rename a b, rename c d"},
        {"ALTER TABLE t RENAME COLUMN IF EXISTS a TO b", "alter shop.t: rename a b"},
        {"ALTER TABLE t ADD PRIMARY KEY (id)", "alter shop.t: key"},
        {"ALTER TABLE t ADD CONSTRAINT PRIMARY KEY (id)", "alter shop.t: key"},
        {"ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING BTREE (id)", "alter shop.t: key"},
        {"ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)", "alter shop.t: key, key"},
        {"ALTER TABLE t DROP INDEX `PRIMARY`", "alter shop.t: key"},
        {"ALTER TABLE t DROP CONSTRAINT `primary`", "alter shop.t: key"},
    };
    assert_outlines(list);
}

static void passes_over_clauses_that_leave_rows_and_columns(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"ALTER TABLE t", "alter shop.t"},
        {"ALTER TABLE t ADD INDEX i (a, b), ADD KEY (c), ADD UNIQUE KEY u (d)", "alter shop.t"},
        {"ALTER TABLE t ADD FULLTEXT INDEX f (a) WITH PARSER ngram", "alter shop.t"},
        {"ALTER TABLE t ADD SPATIAL (g), ADD VECTOR INDEX (v) M=8", "alter shop.t"},
        {"ALTER TABLE t ADD CONSTRAINT u UNIQUE (a), ADD CONSTRAINT FOREIGN KEY (b) REFERENCES x "
         "(c) ON DELETE CASCADE, ADD CONSTRAINT CHECK (a > 0), ADD CHECK (b in (1, 2))",
         "alter shop.t"},
        {"ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS f FOREIGN KEY (b) REFERENCES x (c)",
         "alter shop.t"},
        {"ALTER TABLE t DROP INDEX i, DROP KEY IF EXISTS k, DROP FOREIGN KEY f, DROP CHECK c, DROP "
         "CONSTRAINT d",
         "alter shop.t"},
        {"ALTER TABLE t RENAME INDEX a TO b, RENAME KEY c TO d", "alter shop.t"},
        {"ALTER TABLE t ALTER a SET DEFAULT 7, ALTER COLUMN b DROP DEFAULT", "alter shop.t"},
        {"ALTER TABLE t ALTER COLUMN a SET INVISIBLE, ALTER INDEX i VISIBLE", "alter shop.t"},
        {"ALTER TABLE t ALTER CHECK c NOT ENFORCED, ALTER COLUMN a SET DEFAULT (f(1, 2))",
         "alter shop.t"},
        {"ALTER TABLE t ENGINE=InnoDB", "alter shop.t"},
        {"ALTER TABLE t ENGINE InnoDB ROW_FORMAT=DYNAMIC COMMENT='a, DROP b' AUTO_INCREMENT 5",
         "alter shop.t"},
        {"ALTER TABLE t DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin", "alter shop.t"},
        {"ALTER TABLE t DEFAULT CHARSET utf8, STATS_PERSISTENT=0", "alter shop.t"},
        {"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
         "alter shop.t"},
        {"ALTER TABLE t PAGE_COMPRESSED=1, `SOME_OPTION`='x'", "alter shop.t"},
        {"ALTER TABLE t FORCE, ALGORITHM=INPLACE, LOCK=NONE", "alter shop.t"},
        {"ALTER TABLE t ORDER BY a, b DESC, c", "alter shop.t"},
        {"/*!40000 ALTER TABLE `t` DISABLE KEYS */", "alter shop.t"},
        {"/*!40000 ALTER TABLE `t` ENABLE KEYS */;", "alter shop.t"},
        {"ALTER TABLE t PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 "
         "VALUES LESS THAN MAXVALUE)",
         "alter shop.t"},
        {"ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES IN (1, 2))", "alter shop.t"},
        {"ALTER TABLE t ADD PARTITION PARTITIONS 4", "alter shop.t"},
        {"ALTER TABLE t REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (20))",
         "alter shop.t"},
        {"ALTER TABLE t REBUILD PARTITION p0, p1", "alter shop.t"},
        {"ALTER TABLE t COALESCE PARTITION 2", "alter shop.t"},
        {"ALTER TABLE t ANALYZE PARTITION ALL", "alter shop.t"},
        {"ALTER TABLE t CHECK PARTITION p0, p1", "alter shop.t"},
        {"ALTER TABLE t OPTIMIZE PARTITION p0", "alter shop.t"},
        {"ALTER TABLE t REMOVE PARTITIONING", "alter shop.t"},
        {"ALTER ONLINE TABLE IF EXISTS t WAIT 10 ADD a int", "alter shop.t: add a"},
        {"ALTER TABLE t NOWAIT ADD a int", "alter shop.t: add a"},
        {"ALTER TABLE t ENGINE=InnoDB, ADD a int, COMMENT 'x'", "alter shop.t: add a"},
    };
    assert_outlines(list);
}

static void says_where_rows_change_without_events(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"ALTER TABLE t DROP PARTITION p0, p1", "alter shop.t: rows"},
        {"ALTER TABLE t DROP PARTITION IF EXISTS p0", "alter shop.t: rows"},
        {"ALTER TABLE t TRUNCATE PARTITION ALL", "alter shop.t: rows"},
        {"ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE other.x WITHOUT VALIDATION",
         "alter shop.t, other.x: rows"},
        {"ALTER TABLE t CONVERT PARTITION p0 TO TABLE x", "alter shop.t, shop.x: rows"},
        {"ALTER TABLE t CONVERT TABLE x TO PARTITION p0 VALUES LESS THAN (5)",
         "alter shop.t, shop.x: rows"},
        {"ALTER TABLE t DISCARD TABLESPACE", "alter shop.t: rows"},
        {"ALTER TABLE t IMPORT PARTITION p0, p1 TABLESPACE", "alter shop.t: rows"},
        {"ALTER TABLE t UNION=(a, b)", "alter shop.t: rows"},
        {"ALTER TABLE t COMMENT 'x' ENGINE=BLACKHOLE", "alter shop.t: rows"},
        {"ALTER IGNORE TABLE t ADD UNIQUE (a)", "alter shop.t: rows"},
        {"ALTER TABLE t CONVERT TO CHARACTER SET latin1", "alter shop.t: ?"},
        {"ALTER TABLE t ADD SYSTEM VERSIONING", "alter shop.t: ?"},
        {"ALTER TABLE t DROP SYSTEM VERSIONING", "alter shop.t: ?"},
        {"ALTER TABLE t ADD PERIOD FOR SYSTEM_TIME (a, b)", "alter shop.t: ?"},
        {"ALTER TABLE t RENAME x", "alter shop.t: to shop.x"},
        {"ALTER TABLE t RENAME TO other.x, ADD a int", "alter shop.t: to other.x, add a"},
        {"ALTER TABLE t RENAME AS `x`", "alter shop.t: to shop.x"},
        {"ALTER TABLE t FROBNICATE a, ADD b int", "alter shop.t: ?, add b"},
        {"ALTER TABLE t ADD a int) DROP b", "alter shop.t: add a, ?, drop b"},
        {"ALTER TABLE t DROP PARTITION p0, DROP COLUMN a", "alter shop.t: rows, drop a"},
        {"ALTER TABLE t MODIFY (a int)", "alter shop.t: ?"},
    };
    assert_outlines(list);
}

static void names_every_table_of_what_it_does_not_read(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"INSERT INTO t VALUES (1, 'x')", "rows shop.INSERT, shop.INTO, shop.t, shop.VALUES"},
        {"UPDATE `a` , other.`b` SET `a`.x = `b`.y",
         "rows shop.UPDATE, shop.a, other.b, shop.SET, a.x, b.y"},
        {"DELETE FROM .t", "rows shop.DELETE, FROM.t, shop.t"},
        {"REPLACE `t` SELECT * FROM `t`", "rows shop.REPLACE, shop.t, shop.SELECT, shop.FROM"},
        {"WITH `x` AS (SELECT 1) DELETE `db`.`t`.`c`",
         "rows shop.WITH, shop.x, shop.AS, shop.SELECT, shop.DELETE, db.t"},
        {"LOAD DATA LOCAL INFILE '/tmp/x' INTO TABLE `t`",
         "rows shop.LOAD, shop.DATA, shop.LOCAL, shop.INFILE, shop.INTO, shop.TABLE, shop.t"},
        {"CALL p()", "rows shop.CALL, shop.p"},
        {"SELECT `shop`.`f`(1)", "rows shop.SELECT, shop.f"},
        {"DELETE FROM \"t\" WHERE a = \"x\"",
         "rows shop.DELETE, shop.FROM, shop.t, shop.WHERE, shop.a, shop.x"},
        {"INSERT t VALUES (\"x\", \"y\")", "rows shop.INSERT, shop.t, shop.VALUES"},
        {"SET STATEMENT x=1 FOR DELETE FROM t",
         "rows shop.SET, shop.STATEMENT, shop.x, shop.FOR, shop.DELETE, shop.FROM, shop.t"},
        {"FROBNICATE TABLE t", "unknown shop.FROBNICATE, shop.TABLE, shop.t"},
        {"DROP TABLE t OR ELSE", "unknown shop.DROP, shop.TABLE, shop.t, shop.OR, shop.ELSE"},
        {"TRUNCATE TABLE", "unknown shop.TRUNCATE, shop.TABLE"},
        {"BEGIN NOT ATOMIC", "unknown shop.BEGIN, shop.NOT, shop.ATOMIC"},
        {"RENAME TABLE a TO b; DROP TABLE c",
         "unknown shop.RENAME, shop.TABLE, shop.a, shop.TO, shop.b, shop.DROP, shop.c"},
        {"DROP TABLE `t", "unknown shop.DROP, shop.TABLE, shop.t"},
        {"DROP TABLE t /* and", "unknown shop.DROP, shop.TABLE, shop.t"},
    };
    assert_outlines(list);
}

static void reads_what_tools_for_online_changes_write(void **state)
{
    (void)state;
    static const struct statement list[] = {
        {"create /* gh-ost */ table `shop`.`_t_gho` like `shop`.`t`", "create shop._t_gho"},
        {"insert into mysql.heartbeat(`id`) values (1) on duplicate key update `id` = 2",
         "rows shop.insert, shop.into, mysql.heartbeat, shop.id, shop.values, shop.on, "
         "shop.duplicate, shop.key, shop.update"},
        {"alter /* gh-ost */ table `shop`.`_t_gho` add column a int not null default 0",
         "alter shop._t_gho: add a filled"},
        {"drop /* gh-ost */ table if exists `shop`.`_t_ghc`", "drop shop._t_ghc"},
        {"rename /* gh-ost */ table `shop`.`t` to `shop`.`_t_del`, `shop`.`_t_gho` to `shop`.`t`",
         "rename shop.t, shop._t_del, shop._t_gho, shop.t"},
        {"RENAME TABLE `shop`.`t` TO `shop`.`_t_old`, `shop`.`_t_new` TO `shop`.`t`",
         "rename shop.t, shop._t_old, shop._t_new, shop.t"},
        {"DROP TABLE IF EXISTS `shop`.`_t_old` /* generated by server */", "drop shop._t_old"},
        {"ALTER TABLE `shop`.`_t_new` ENGINE=InnoDB", "alter shop._t_new"},
    };
    assert_outlines(list);
}

static struct ddl read_long(const struct buf *text, struct arena *arena)
{
    struct ddl d;
    ddl_read(buf_str(text), str_from("shop"), arena, &d);
    return d;
}

static void keeps_only_the_outline_of_long_statements(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf text = {0};
    buf_append_text(&text, "INSERT INTO t VALUES (0, 'x')");
    for (int i = 0; i < 200000; i++) {
        buf_append_format(&text, ", (a.b, 'it\\'s', `c`, \"d\", %d, %d.5, 1e%d, 0x%x)", i, i, i,
                          (unsigned)i);
    }
    struct ddl d = read_long(&text, &arena);
    assert_int_equal(d.kind, DDL_ROWS);
    assert_int_equal(d.table_count, 6); /* INSERT INTO t VALUES a.b c */
    assert_false(d.has_more_tables);
    assert_true(arena.bytes < 1 << 20);
    arena_release(&arena);
    buf_release(&text);
}

static void says_when_names_are_too_many(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf text = {0};
    buf_append_text(&text, "DELETE FROM t WHERE a IN (0");
    for (int i = 1; i < 100000; i++) {
        buf_append_format(&text, ", c%d", i);
    }
    struct ddl d = read_long(&text, &arena);
    assert_int_equal(d.kind, DDL_ROWS);
    assert_true(d.has_more_tables);
    assert_true(d.table_count < 100000);
    arena_release(&arena);
    buf_release(&text);
}

static void a_change_among_too_many_is_unknown(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf text = {0};
    buf_append_text(&text, "ALTER TABLE t ADD a int");
    for (int i = 1; i < 100000; i++) {
        buf_append_text(&text, ", ADD a int");
    }
    buf_append_text(&text, ", DROP b");
    struct ddl d = read_long(&text, &arena);
    assert_int_equal(d.kind, DDL_ALTER);
    assert_true(d.change_count < 100000);
    assert_int_equal(d.changes[d.change_count - 1].kind, DDL_CHANGE_UNKNOWN);
    arena_release(&arena);
    buf_release(&text);
}

static void trusts_nothing_that_can_be_read_in_two_ways(void **state)
{
    (void)state;
    /* With escapes there are two comments; without them DROP b stands between them, and the end is
     * a remark. */
    assert_outline("ALTER TABLE t COMMENT 'x\\', DROP b, COMMENT \"', COMMENT \" # \"",
                   "unknown shop.ALTER, shop.TABLE, shop.t, shop.COMMENT, shop. # , shop.DROP, "
                   "shop.b, shop.', COMMENT ");
}

static void takes_no_name_that_is_longer_than_names_are(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_append_text(&text, "DROP TABLE `");
    for (int i = 0; i < 300; i++) {
        buf_append_char(&text, 'x');
    }
    buf_append_text(&text, "`, `t`");
    assert_outline(buf_text(&text), "unknown shop.DROP, shop.TABLE, shop.t");
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_where_transactions_begin_and_end),
        cmocka_unit_test(passes_over_what_concerns_no_table),
        cmocka_unit_test(reads_what_is_created_and_dropped),
        cmocka_unit_test(reads_columns_that_are_added),
        cmocka_unit_test(reads_other_changes_of_columns_and_keys),
        cmocka_unit_test(passes_over_clauses_that_leave_rows_and_columns),
        cmocka_unit_test(says_where_rows_change_without_events),
        cmocka_unit_test(names_every_table_of_what_it_does_not_read),
        cmocka_unit_test(reads_what_tools_for_online_changes_write),
        cmocka_unit_test(keeps_only_the_outline_of_long_statements),
        cmocka_unit_test(says_when_names_are_too_many),
        cmocka_unit_test(a_change_among_too_many_is_unknown),
        cmocka_unit_test(trusts_nothing_that_can_be_read_in_two_ways),
        cmocka_unit_test(takes_no_name_that_is_longer_than_names_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
