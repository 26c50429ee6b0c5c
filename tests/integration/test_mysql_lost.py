"""What the log of MySQL or MariaDB does not say is lost, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lib.leat import Leat, Running
from tests.lib.mirror import PIPELINE
from tests.lib.mysql import Connection, MySQLDatabase, MySQLServer, run
from tests.lib.mysql_mirror import MySQLMirror

ITEMS = "CREATE TABLE items (id int PRIMARY KEY, name varchar(100))"


@pytest.fixture(autouse=True)
def defaults(mysql_server: MySQLServer) -> Iterator[None]:
    """Tests load files and make functions; what they set for that goes back to what it was."""
    names = ("local_infile", "log_bin_trust_function_creators")
    before = {name: mysql_server.scalar(f"SELECT @@GLOBAL.{name}") for name in names}
    mysql_server.set_global(**dict.fromkeys(names, 1))
    yield
    mysql_server.set_global(**before)


def streaming(leat: Leat, database: MySQLDatabase) -> tuple[MySQLMirror, Running]:
    """A pipeline of `items`, beside which there is a table `other` that is not captured."""
    database.execute_many(
        ITEMS,
        "INSERT INTO items VALUES (1, 'one'), (2, 'two')",
        "CREATE TABLE other (id int PRIMARY KEY, name varchar(100))",
        "INSERT INTO other VALUES (1, 'other one'), (3, 'three')",
    )
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    return mirror, running


def expect_lost_and_mend(leat: Leat, mirror: MySQLMirror, running: Running, *words: str) -> None:
    """It ends as lost and says the way back, which mends it; then it goes on."""
    assert running.wait() == 1, running.log_text
    for word in ('"kind":"lost"', f"leat reload {PIPELINE}", *words):
        assert word in running.log_text, f"{word!r} is missing:\n{running.log_text}"
    done = leat.run("reload", PIPELINE)
    assert done.returncode == 0, done.stderr
    mirror.verify()
    running = mirror.start()
    expect_followed(mirror, running)
    assert '"load read"' not in running.log_text


def expect_followed(mirror: MySQLMirror, running: Running) -> None:
    """It goes on, and so does the table."""
    mirror.database.reconnect()
    mirror.database.execute("INSERT INTO items (id, name) VALUES (900, 'afterwards')")
    mirror.settle(running)


# Statements in place of rows.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET name = 'changed'",
        "INSERT INTO items SELECT id + 10, name FROM other",
        "DELETE items FROM items JOIN other USING (id)",
        "REPLACE INTO {database}.items VALUES (1, 'replaced')",
    ],
)
@pytest.mark.parametrize("form", ["STATEMENT", "MIXED"])
def test_a_statement_that_is_logged_as_one_is_lost(
    leat: Leat, mysql_database: MySQLDatabase, statement: str, form: str
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute(f"SET SESSION binlog_format = {form}")
    database.execute(statement.format(database=database.name))
    expect_lost_and_mend(leat, mirror, running, database.table("items"), "binlog_format")


def test_a_statement_of_another_database_is_none_of_ours(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """As tools write it that log their heartbeats and checksums as statements."""
    database = mysql_database
    mirror, running = streaming(leat, database)
    elsewhere = MySQLDatabase(database.server)
    try:
        elsewhere.execute_many(
            "CREATE TABLE heartbeat (ts varchar(26), server_id int PRIMARY KEY)",
            "SET SESSION binlog_format = STATEMENT",
            f"REPLACE INTO `{elsewhere.name}`.`heartbeat` VALUES ('2026-01-01', 1)",
            "UPDATE heartbeat SET ts = 'items'",
            "BEGIN",
            "DELETE FROM heartbeat",
            "INSERT INTO heartbeat VALUES (now(), @@server_id)",
            "COMMIT",
        )
        expect_followed(mirror, running)
    finally:
        elsewhere.close()


def test_a_file_that_is_loaded_by_a_statement_is_lost(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    file = leat.dir / "rows.tsv"
    file.write_text("20\ttwenty\n21\ttwenty-one\n")
    with database.server.connect(database.name, local_infile=True) as connection:
        run(connection, f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE items")
        mirror.catch_up(running)
        mirror.verify()
        run(connection, "SET SESSION binlog_format = STATEMENT")
        run(connection, f"LOAD DATA LOCAL INFILE '{file}' REPLACE INTO TABLE items")
    expect_lost_and_mend(leat, mirror, running)


def test_a_statement_that_fires_a_trigger_on_a_captured_table_is_lost(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """The statement does not name the table that it changes."""
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE TRIGGER copy AFTER INSERT ON other FOR EACH ROW"
        " INSERT INTO items VALUES (NEW.id, NEW.name)",
        "SET SESSION binlog_format = STATEMENT",
        "INSERT INTO other VALUES (50, 'by a trigger')",
    )
    expect_lost_and_mend(leat, mirror, running, "trigger")


def test_a_statement_that_calls_what_changes_a_captured_table_is_lost(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE FUNCTION change_it() RETURNS int DETERMINISTIC MODIFIES SQL DATA"
        " BEGIN UPDATE items SET name = 'called'; RETURN 1; END",
        "SET SESSION binlog_format = STATEMENT",
        "INSERT INTO other SELECT 60, change_it()",
    )
    expect_lost_and_mend(leat, mirror, running)


def test_rows_of_triggers_and_routines_are_followed_where_rows_are_logged(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE TRIGGER copy AFTER INSERT ON other FOR EACH ROW"
        " INSERT INTO items VALUES (NEW.id, NEW.name)",
        "INSERT INTO other VALUES (50, 'by a trigger')",
        "CREATE PROCEDURE change_it() BEGIN UPDATE items SET name = 'called' WHERE id = 1; END",
        "CALL change_it()",
    )
    expect_followed(mirror, running)


def test_a_table_in_memory_that_a_restart_emptied_is_none_of_ours(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    """The server logs a statement for it when it is used first."""
    with MySQLServer(mysql_server.flavour) as server:
        database = MySQLDatabase(server, "shop")
        database.execute_many(
            "CREATE TABLE cached (id int PRIMARY KEY) ENGINE=MEMORY",
            "INSERT INTO cached VALUES (1)",
        )
        mirror, running = streaming(leat, database)
        server.restart()
        database.reconnect()
        assert database.execute("SELECT * FROM cached") == []
        expect_followed(mirror, running)


# XA.


def xa(connection: Connection, name: str, statement: str, *end: str) -> None:
    """An XA transaction of one statement; `end` are the words that complete it."""
    run(connection, f"XA START '{name}'")
    run(connection, statement)
    run(connection, f"XA END '{name}'")
    for words in end:
        run(connection, words)


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_an_xa_transaction_on_a_captured_table_is_lost(
    leat: Leat, mysql_database: MySQLDatabase, end: str
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    statement = "UPDATE items SET name = 'prepared' WHERE id = 1"
    xa(database.connection, "a", statement, "XA PREPARE 'a'", f"XA {end} 'a'")
    expect_lost_and_mend(leat, mirror, running, "XA transaction")


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_an_xa_transaction_on_another_table_is_none_of_ours(
    leat: Leat, mysql_database: MySQLDatabase, end: str
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    statement = "UPDATE other SET name = 'prepared' WHERE id = 1"
    xa(database.connection, "b", statement, "XA PREPARE 'b'")
    with database.connect() as another:
        run(another, "INSERT INTO items VALUES (5, 'between')")
    mirror.catch_up(running)
    run(database.connection, f"XA {end} 'b'")
    expect_followed(mirror, running)


def test_an_xa_transaction_of_one_phase_is_a_transaction(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    statement = "UPDATE items SET name = 'at once' WHERE id = 1"
    xa(database.connection, "c", statement, "XA COMMIT 'c' ONE PHASE")
    xa(database.connection, "d", "DELETE FROM items WHERE id = 2", "XA ROLLBACK 'd'")
    expect_followed(mirror, running)


def test_a_load_waits_for_prepared_transactions(leat: Leat, mysql_database: MySQLDatabase) -> None:
    database = mysql_database
    database.execute_many(ITEMS, "INSERT INTO items VALUES (1, 'one')")
    statement = "INSERT INTO items VALUES (2, 'prepared')"
    # Readers of the list of prepared transactions need a right on MySQL.
    server = database.server
    xa(database.connection, "e", statement, "XA PREPARE 'e'")
    mirror = MySQLMirror(leat, database, {"items": "id"}, url=database.owner_url)
    running = mirror.start()
    running.wait_for("XA RECOVER")
    run(database.connection, "XA COMMIT 'e'")
    mirror.settle(running)
    assert server.execute("XA RECOVER") == []


# Tables that come and go.


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE items", "DROP TABLE IF EXISTS other, items", "DROP DATABASE {database}"],
)
def test_a_dropped_table_is_lost_and_its_successor_is_loaded(
    leat: Leat, mysql_database: MySQLDatabase, statement: str
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute(statement.format(database=database.name))
    assert running.wait() == 1
    assert "was dropped" in running.log_text
    assert database.table("items") in running.log_text
    done = leat.run("reload", PIPELINE)
    assert done.returncode == 2, done.stderr
    database.execute(f"CREATE DATABASE IF NOT EXISTS {database.name}")
    database.reconnect()
    database.execute_many(ITEMS, "INSERT INTO items VALUES (1, 'again'), (7, 'seven')")
    assert leat.run("reload", PIPELINE).returncode == 0
    mirror.verify()
    expect_followed(mirror, mirror.start())


def test_a_replaced_table_is_lost(leat: Leat, mysql_database: MySQLDatabase) -> None:
    database = mysql_database
    if not database.server.is_mariadb:
        pytest.skip("MySQL has no CREATE OR REPLACE TABLE")
    mirror, running = streaming(leat, database)
    database.execute(ITEMS.replace("CREATE", "CREATE OR REPLACE"))
    expect_lost_and_mend(leat, mirror, running, "was dropped")


def test_tables_swapped_as_gh_ost_does_it_are_lost(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """Rows are copied into a shadow table, which then takes the name."""
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE TABLE _items_gho LIKE items",
        "ALTER TABLE _items_gho ADD COLUMN extra int DEFAULT 5",
        "INSERT INTO _items_gho (id, name) SELECT id, name FROM items",
        "UPDATE items SET name = 'late' WHERE id = 1",
        "UPDATE _items_gho SET name = 'late' WHERE id = 1",
        "RENAME TABLE items TO _items_del, _items_gho TO items",
        "DROP TABLE _items_del",
        "UPDATE items SET extra = 6 WHERE id = 2",
    )
    expect_lost_and_mend(leat, mirror, running, "was renamed", database.table("items"))


def test_a_swap_of_another_table_is_none_of_ours(leat: Leat, mysql_database: MySQLDatabase) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE TABLE _other_new LIKE other",
        "RENAME TABLE other TO _other_old, _other_new TO other",
        "DROP TABLE _other_old",
    )
    expect_followed(mirror, running)


def test_tables_that_are_made_from_captured_ones_are_none_of_ours(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE TABLE copied AS SELECT * FROM items",
        "CREATE TABLE keyed (PRIMARY KEY (id)) SELECT * FROM items",
        "CREATE TABLE liked LIKE items",
        "INSERT INTO liked SELECT * FROM items",
        "CREATE TABLE IF NOT EXISTS items (id int)",
        "CREATE VIEW seen AS SELECT * FROM items",
        "UPDATE seen SET name = 'through a view' WHERE id = 2",
        "DROP VIEW seen",
        "DROP TABLE copied, keyed, liked",
    )
    expect_followed(mirror, running)


TEMPORARY = [
    "CREATE TEMPORARY TABLE items (id int PRIMARY KEY, other text)",
    "ALTER TABLE items ADD COLUMN third int, DROP COLUMN other",
    "TRUNCATE TABLE items",
    "DROP TABLE items",
    "CREATE TEMPORARY TABLE items SELECT * FROM other",
]


def test_temporary_tables_of_a_captured_name_are_none_of_ours(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """They hide the table from their session alone, which ends with one of them open."""
    database = mysql_database
    mirror, running = streaming(leat, database)
    with database.connect() as another:
        for statement in TEMPORARY:
            run(another, statement)
    expect_followed(mirror, running)


def test_a_temporary_table_of_a_captured_name_is_lost_where_statements_are_logged(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """TRUNCATE TABLE items stands in the log as if it were the captured table."""
    database = mysql_database
    mirror, running = streaming(leat, database)
    with database.connect() as another:
        run(another, "SET SESSION binlog_format = STATEMENT")
        for statement in TEMPORARY:
            run(another, statement)
    expect_lost_and_mend(leat, mirror, running, "temporary table", database.table("items"))


def test_a_routine_with_temporary_tables_truncates_a_captured_table(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE PROCEDURE renew() BEGIN"
        " CREATE TEMPORARY TABLE fresh SELECT * FROM other; TRUNCATE TABLE items;"
        " INSERT INTO items SELECT * FROM fresh; DROP TABLE fresh; END",
        "CALL renew()",
    )
    expect_followed(mirror, running)


def test_rows_that_were_rolled_back_do_not_arrive(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    mirror, running = streaming(leat, database)
    database.execute_many(
        "BEGIN",
        "INSERT INTO items VALUES (10, 'never')",
        "ROLLBACK",
        "BEGIN",
        "INSERT INTO items VALUES (11, 'kept')",
        "SAVEPOINT here",
        "INSERT INTO items VALUES (12, 'never')",
        "ROLLBACK TO here",
        "RELEASE SAVEPOINT here",
        "COMMIT",
    )
    expect_followed(mirror, running)


def test_a_table_without_transactions_within_a_transaction_that_is_rolled_back(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """Its rows stay, and are in the log with a ROLLBACK behind them."""
    database = mysql_database
    if not database.server.is_mariadb:
        pytest.skip("MySQL with GTIDs refuses it")
    mirror, running = streaming(leat, database)
    database.execute_many(
        "CREATE TABLE flat (id int PRIMARY KEY) ENGINE=MyISAM",
        "BEGIN",
        "INSERT INTO items VALUES (10, 'never')",
        "INSERT INTO flat VALUES (1)",
        "ROLLBACK",
    )
    expect_followed(mirror, running)
