"""MySQL and MariaDB into both table formats: load, stream, restart, DDL, forms of the log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lib.leat import Leat
from tests.lib.mysql import MySQLDatabase, MySQLServer
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.wait import wait_until

ITEMS = """CREATE TABLE items (
    id int PRIMARY KEY, name varchar(100), price decimal(10,2), note text, seen timestamp(6) NULL
) DEFAULT CHARSET=utf8mb4"""


@pytest.fixture(autouse=True)
def defaults(mysql_server: MySQLServer) -> Iterator[None]:
    """What tests set for the whole server goes back to what it was."""
    names = ("binlog_row_image", "binlog_row_metadata")
    before = {name: mysql_server.scalar(f"SELECT @@GLOBAL.{name}") for name in names}
    yield
    mysql_server.set_global(**before)


def fill(database: MySQLDatabase, first: int, last: int) -> None:
    """Inserts rows in one transaction."""
    rows = ", ".join(
        f"({i}, 'name {i}', {i}.25, repeat('x', {i % 300}), NULL)" for i in range(first, last + 1)
    )
    database.execute(f"INSERT INTO items VALUES {rows}")


def transaction(database: MySQLDatabase, *statements: str) -> None:
    """Runs statements in one transaction."""
    database.execute_many("BEGIN", *statements, "COMMIT")


def test_rows_are_loaded_then_followed_over_a_restart(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    database.execute_many(ITEMS, "CREATE TABLE pairs (k varchar(10) PRIMARY KEY, v bigint)")
    fill(database, 1, 500)
    mirror = MySQLMirror(leat, database, {"items": "id", "pairs": "k"})
    running = mirror.start()
    transaction(
        database,
        "UPDATE items SET price = price + 1 WHERE id % 3 = 0",
        "DELETE FROM items WHERE id % 7 = 0",
        "INSERT INTO pairs VALUES ('a', 1), ('b', 2)",
        "SAVEPOINT s",
        "INSERT INTO pairs VALUES ('c', 3)",
        "ROLLBACK TO s",
    )
    mirror.settle(running)
    fill(database, 1000, 1100)
    database.execute_many(
        "UPDATE pairs SET k = 'z' WHERE k = 'a'",
        "UPDATE items SET id = id + 5000 WHERE id < 20",
        "DELETE FROM pairs WHERE k = 'b'",
        "INSERT INTO pairs VALUES ('b', 20)",
    )
    running = mirror.start()
    mirror.settle(running)
    assert running.log_text.count('"load read"') == 0


def test_columns_come_and_go_and_tables_are_emptied_while_streaming(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    database.server.set_global(binlog_row_metadata="FULL")
    database.reconnect()
    database.execute(ITEMS)
    fill(database, 1, 50)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        "ALTER TABLE items ADD COLUMN extra varchar(20)",
        "UPDATE items SET extra = 'new' WHERE id < 10",
        "ALTER TABLE items DROP COLUMN note, ADD COLUMN first_one int FIRST",
        "UPDATE items SET first_one = 7, name = 'seven' WHERE id = 20",
    )
    mirror.catch_up(running)
    mirror.verify()
    database.execute_many("TRUNCATE TABLE items", "ALTER TABLE items MODIFY price decimal(14,2)")
    database.execute("INSERT INTO items (id, name, price) VALUES (1, 'after', 123456789.25)")
    mirror.settle(running)


@pytest.mark.parametrize("metadata", ["FULL", "other"])
def test_an_alter_while_the_pipeline_is_stopped_is_followed_or_named(
    leat: Leat, mysql_database: MySQLDatabase, metadata: str
) -> None:
    """With names in the log it is followed; without, nobody can tell which columns rows had."""
    database = mysql_database
    server = database.server
    plain = "NO_LOG" if server.is_mariadb else "MINIMAL"
    server.set_global(binlog_row_metadata=metadata if metadata == "FULL" else plain)
    database.execute(ITEMS)
    fill(database, 1, 20)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    mirror.settle(running)
    database.reconnect()
    database.execute_many(
        "UPDATE items SET name = 'before' WHERE id = 1",
        "ALTER TABLE items ADD COLUMN extra int, DROP COLUMN note",
        "UPDATE items SET extra = 4 WHERE id = 2",
    )
    running = mirror.start()
    if metadata != "FULL":
        assert running.wait() == 1
        assert "was altered while the pipeline did not run" in running.log_text
        assert leat.run("reload", "shop").returncode == 0
        mirror.verify()
        running = mirror.start()
    mirror.settle(running)


@pytest.mark.parametrize(
    "change",
    [
        "RENAME COLUMN name TO title",
        "ADD COLUMN extra int DEFAULT 5",
        "ADD COLUMN extra int NOT NULL",
        "MODIFY name varchar(100) CHARACTER SET latin1",
        "MODIFY price decimal(9,2)",
        "DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)",
        "RENAME TO elsewhere",
    ],
)
def test_what_changes_rows_without_events_is_lost_and_a_load_mends_it(
    leat: Leat, mysql_database: MySQLDatabase, change: str
) -> None:
    database = mysql_database
    database.execute(ITEMS)
    fill(database, 1, 20)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute(f"ALTER TABLE items {change}")
    assert running.wait() == 1
    assert '"kind":"lost"' in running.log_text
    assert "leat reload shop" in running.log_text
    if "RENAME TO" in change or "PRIMARY" in change or "MODIFY price" in change:
        return  # the pipeline cannot go on with the table as it is
    assert leat.run("reload", "shop").returncode == 0
    mirror.verify()


def test_a_table_that_was_silent_while_logs_were_purged_loses_nothing(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """What was purged lies behind what all tables are complete up to."""
    database = mysql_database
    database.execute_many(ITEMS, "CREATE TABLE silent (id int PRIMARY KEY, v int)")
    database.execute("INSERT INTO silent VALUES (1, 1), (2, 2)")
    fill(database, 1, 20)
    mirror = MySQLMirror(leat, database, {"items": "id", "silent": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    for i in range(5):
        fill(database, 100 + 10 * i, 105 + 10 * i)
        mirror.catch_up(running)
    running.terminate()
    database.server.purge_logs()
    fill(database, 200, 205)
    running = mirror.start()
    database.execute("UPDATE silent SET v = 3 WHERE id = 2")
    mirror.settle(running)
    assert '"load read"' not in running.log_text


def test_purged_logs_that_are_needed_are_named_and_a_load_mends_it(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    database.execute(ITEMS)
    fill(database, 1, 20)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    mirror.settle(mirror.start())
    fill(database, 30, 40)
    database.server.purge_logs()
    running = mirror.start()
    assert running.wait() == 1
    assert '"kind":"lost"' in running.log_text
    assert "leat reload shop" in running.log_text
    assert leat.run("reload", "shop").returncode == 0
    mirror.verify()


def test_a_server_that_was_set_up_anew_is_noticed(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    database.execute(ITEMS)
    fill(database, 1, 20)
    fill(database, 21, 22)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    mirror.settle(mirror.start())
    database.server.reset_logs()
    fill(database, 30, 40)
    running = mirror.start()
    assert running.wait() == 1
    assert "does not have all transactions" in running.log_text


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB"])
def test_rows_are_complete_under_smaller_images(
    leat: Leat, mysql_database: MySQLDatabase, image: str
) -> None:
    """What the log does not send is in the table, or is the column's default."""
    database = mysql_database
    server = database.server
    server.set_global(binlog_row_image=image)
    database.reconnect()
    database.execute_many(
        ITEMS,
        "CREATE TABLE filled (id int PRIMARY KEY, a int DEFAULT 5,"
        " c timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3),"
        " d decimal(5,2) NOT NULL DEFAULT 1.5, b varchar(10) DEFAULT 'it''s',"
        " e blob, f int)",
    )
    fill(database, 1, 100)
    mirror = MySQLMirror(leat, database, {"items": "id", "filled": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        "UPDATE items SET price = 0.5 WHERE id < 50",
        "UPDATE items SET id = id + 1000 WHERE id < 10",
        "DELETE FROM items WHERE id > 90",
        "INSERT INTO items (id) VALUES (5000)",
        "INSERT INTO filled (id) VALUES (1), (2)",
        "INSERT INTO filled (id, a, e) VALUES (3, NULL, 'bytes')",
        "UPDATE filled SET f = 9 WHERE id = 3",
        "UPDATE filled SET e = NULL, id = 30 WHERE id = 3",
    )
    transaction(
        database,
        "INSERT INTO items (id, note) VALUES (6000, 'n')",
        "UPDATE items SET name = 'x' WHERE id = 6000",
        "UPDATE items SET id = 6001 WHERE id = 6000",
        "UPDATE items SET price = 3 WHERE id = 6001",
    )
    mirror.settle(running)


def test_changes_of_tables_without_transactions_are_followed(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    database.execute_many(
        f"{ITEMS} ENGINE=MyISAM", "CREATE TABLE other (id int PRIMARY KEY) ENGINE=InnoDB"
    )
    fill(database, 1, 50)
    mirror = MySQLMirror(leat, database, {"items": "id", "other": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        "UPDATE items SET price = 1 WHERE id < 10",
        "DELETE FROM items WHERE id = 20",
        "INSERT INTO other VALUES (1)",
    )
    if database.server.is_mariadb:  # MySQL with GTIDs refuses it
        transaction(
            database, "INSERT INTO other VALUES (2)", "UPDATE items SET name = 'm' WHERE id = 30"
        )
    mirror.settle(running)


def test_compressed_transactions_are_read(leat: Leat, mysql_server: MySQLServer) -> None:
    with MySQLServer(
        mysql_server.flavour,
        (
            {"log_bin_compress": "ON", "log_bin_compress_min_len": "10"}
            if mysql_server.is_mariadb
            else {"binlog_transaction_compression": "ON"}
        ),
    ) as server:
        database = MySQLDatabase(server, "shop")
        database.execute(ITEMS)
        fill(database, 1, 20)
        mirror = MySQLMirror(leat, database, {"items": "id"})
        running = mirror.start()
        mirror.catch_up(running)
        fill(database, 100, 2000)
        transaction(database, "UPDATE items SET price = 1", "DELETE FROM items WHERE id > 1990")
        mirror.settle(running)


def test_without_gtids_positions_are_files_and_offsets(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    if mysql_server.is_mariadb:
        pytest.skip("MariaDB always has GTIDs")
    options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}
    with MySQLServer(mysql_server.flavour, options) as server:
        database = MySQLDatabase(server, "shop")
        database.execute(ITEMS)
        fill(database, 1, 20)
        mirror = MySQLMirror(leat, database, {"items": "id"}, uses_gtids=False)
        running = mirror.start()
        fill(database, 30, 40)
        mirror.catch_up(running)
        server.flush_logs()
        database.execute("TRUNCATE TABLE items")
        fill(database, 50, 60)
        mirror.settle(running)
        server.flush_logs()
        fill(database, 70, 75)
        running = mirror.start()
        mirror.settle(running)
        assert '"load read"' not in running.log_text
        fill(database, 80, 81)
        server.purge_logs()
        running = mirror.start()
        assert running.wait() == 1
        assert '"kind":"lost"' in running.log_text


def test_a_server_that_ends_and_comes_back_is_waited_for(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    with MySQLServer(mysql_server.flavour) as server:
        database = MySQLDatabase(server, "shop")
        database.execute(ITEMS)
        fill(database, 1, 20)
        mirror = MySQLMirror(leat, database, {"items": "id"})
        running = mirror.start()
        mirror.catch_up(running)
        server.kill()
        wait_until(lambda: "retry" in running.log_text, 30, "leat notices")
        server.start()
        database.reconnect()
        fill(database, 30, 40)
        server.end_sessions()
        fill(database, 50, 60)
        mirror.settle(running)


def prepare_xa(database: MySQLDatabase, name: str, statement: str) -> None:
    """Leaves an XA transaction prepared."""
    connection = database.connect()
    with connection.cursor() as cursor:
        for sql in (f"XA START '{name}'", statement, f"XA END '{name}'", f"XA PREPARE '{name}'"):
            cursor.execute(sql)
    connection.close()  # it stays prepared


def test_xa_transactions_of_other_tables_pass_by(leat: Leat, mysql_database: MySQLDatabase) -> None:
    database = mysql_database
    database.execute_many(ITEMS, "CREATE TABLE other (id int PRIMARY KEY)")
    fill(database, 1, 5)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    prepare_xa(database, "one", "INSERT INTO other VALUES (1)")
    prepare_xa(database, "two", "INSERT INTO other VALUES (2)")
    database.execute_many("XA COMMIT 'one'", "XA ROLLBACK 'two'")
    fill(database, 6, 7)
    mirror.settle(running)


def test_an_xa_transaction_prepared_before_the_load_is_not_missed(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """Its rows are neither in the snapshot nor in the log that follows."""
    database = mysql_database
    database.execute(ITEMS)
    fill(database, 1, 5)
    prepare_xa(database, "early", "INSERT INTO items (id) VALUES (50)")
    mirror = MySQLMirror(leat, database, {"items": "id"}, retry={"delay": "50ms", "attempts": 1000})
    running = mirror.start()
    if database.server.is_mariadb:  # anyone may ask for them
        wait_until(lambda: "XA RECOVER" in running.log_text, 30, "the load waits")
        database.execute("XA COMMIT 'early'")
        mirror.settle(running)
        return
    wait_until(lambda: running.is_healthy("/ready") or not running.alive, 30, "it streams")
    database.execute("XA COMMIT 'early'")
    assert running.wait() == 1
    assert "was prepared before the tables were loaded" in running.log_text


def test_an_alter_of_another_character_set_is_seen_in_a_log_without_names(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """The statement stands in the log as its session wrote it, the table's name with it."""
    database = mysql_database
    plain = "NO_LOG" if database.server.is_mariadb else "MINIMAL"
    database.server.set_global(binlog_row_metadata=plain)
    database.reconnect()
    database.execute("CREATE TABLE größe (id int PRIMARY KEY, a int, b int)")
    database.execute("INSERT INTO größe VALUES (1, 10, 100)")
    mirror = MySQLMirror(leat, database, {"größe": "id"})
    mirror.settle(mirror.start())
    latin1 = database.server.connect(database.name, charset="latin1")
    with latin1 as session, session.cursor() as cursor:
        cursor.execute("UPDATE größe SET a = 11")
        cursor.execute("ALTER TABLE größe DROP COLUMN a, ADD COLUMN c int")
    running = mirror.start()
    assert running.wait() == 1
    assert "was altered while the pipeline did not run" in running.log_text
