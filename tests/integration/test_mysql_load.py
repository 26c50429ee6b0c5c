"""The first load of MySQL and MariaDB tables while others lock, kill, and read the same log."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.lib.leat import Leat, Running
from tests.lib.mirror import PIPELINE
from tests.lib.mysql import MySQLDatabase, run
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.wait import wait_until

MYSQL = {"type": "mysql"}
QUICK: dict[str, Any] = {"retry": {"attempts": 2, "delay": "10ms", "max_delay": "20ms"}}
ITEMS = "CREATE TABLE items (id int PRIMARY KEY, name varchar(2000))"


# So many rows that the queue is full and the source waits while they are written.
LARGE = 40000


def items(database: MySQLDatabase, rows: int = 20) -> None:
    """A table of rows of two kilobytes."""
    database.execute(ITEMS)
    for first in range(1, rows + 1, 500):
        values = ", ".join(
            f"({i}, repeat('{i % 10}', 2000))" for i in range(first, min(first + 500, rows + 1))
        )
        database.execute(f"INSERT INTO items VALUES {values}")


# Locks.


def test_a_load_that_gets_no_lock_names_what_to_look_for_and_gives_up(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """The lock of everything waits for who writes to any table."""
    items(mysql_database)
    mysql_database.execute("CREATE TABLE other (id int PRIMARY KEY)")
    mirror = MySQLMirror(
        leat, mysql_database, {"items": "id"}, source={"lock_timeout": "1s"}, **QUICK
    )
    with mysql_database.connect() as another:
        run(another, "LOCK TABLES other WRITE")
        running = mirror.start()
        assert running.wait(60) == 1
    for words in ("could not be locked within 1000 ms", "SHOW PROCESSLIST", "retry"):
        assert words in running.log_text, running.log_text
    assert '"load read"' not in running.log_text


def test_a_load_waits_for_who_holds_the_table_and_then_begins(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    items(mysql_database)
    mirror = MySQLMirror(leat, mysql_database, {"items": "id"}, source={"lock_timeout": "1s"})
    with mysql_database.connect() as another:
        run(another, "LOCK TABLES items WRITE")
        running = mirror.start()
        running.wait_for("SHOW PROCESSLIST")
        assert mysql_database.table("items") in running.log_text
        run(another, "INSERT INTO items VALUES (1000, 'under a lock')")
        run(another, "UNLOCK TABLES")
    mirror.settle(running)


@pytest.mark.parametrize("user", ["may lock everything", "may lock tables"])
def test_an_open_transaction_is_not_lost_between_load_and_stream(
    leat: Leat, mysql_database: MySQLDatabase, user: str
) -> None:
    """Its rows are in neither the snapshot nor the log before it is committed."""
    database = mysql_database
    items(database)
    server = database.server
    url = None
    if user == "may lock tables":
        grants = "SELECT, LOCK TABLES, REPLICATION CLIENT, REPLICATION SLAVE"
        server.create_user("tables", grants=grants)
        url = server.url(database.name, user="tables")
    try:
        mirror = MySQLMirror(
            leat, database, {"items": "id"}, url=url, source={"lock_timeout": "1s"}
        )
        with database.connect() as another:
            run(another, "BEGIN")
            run(another, "UPDATE items SET name = 'open' WHERE id = 1")
            run(another, "INSERT INTO items VALUES (500, 'open')")
            running = mirror.start()
            wait_until(
                lambda: "load read" in running.log_text or "could not be" in running.log_text,
                30,
                "it is loaded, or waits",
            )
            run(another, "COMMIT")
        mirror.settle(running)
    finally:
        if url:
            server.drop_user("tables")


# Connections that end.


def test_a_connection_that_is_killed_while_it_loads_is_made_again(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    items(database, LARGE)
    mirror = MySQLMirror(leat, database, {"items": "id"}, formats=("delta",))
    running = mirror.start()
    killed = 0

    def kill() -> bool:
        nonlocal killed
        if killed < 2 and "retry" not in running.log_text[-400:]:
            killed += database.server.end_sessions() > 0
        return killed >= 2 or '"load read"' in running.log_text

    wait_until(kill, 60, "connections were killed")
    database.execute("UPDATE items SET name = 'changed' WHERE id < 100")
    mirror.settle(running)
    assert killed >= 1
    assert "retry" in running.log_text


def test_a_statement_that_is_killed_while_it_loads_is_run_again(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """KILL QUERY leaves the connection."""
    database = mysql_database
    items(database, LARGE)
    mirror = MySQLMirror(leat, database, {"items": "id"}, formats=("delta",))
    running = mirror.start()

    def kill() -> bool:
        found = database.server.execute(
            "SELECT ID FROM information_schema.PROCESSLIST"
            " WHERE USER = 'leat' AND INFO LIKE 'SELECT HIGH_PRIORITY `id`%'"
        )
        for (number,) in found:
            database.server.execute(f"KILL QUERY {number}")
        return bool(found) or '"load read"' in running.log_text

    wait_until(kill, 60, "a statement was killed, or the load was faster")
    mirror.settle(running)


def test_readers_that_are_killed_while_rows_stream_go_on(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    items(database)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    for i in range(3):
        mirror.catch_up(running)
        database.execute(f"INSERT INTO items VALUES ({1000 + i}, 'before')")
        assert database.server.end_sessions(only_readers=True) >= 1
        database.execute(f"INSERT INTO items VALUES ({2000 + i}, 'after')")
    mirror.settle(running)


def test_a_table_that_is_altered_while_it_loads_is_loaded_as_it_is_then(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    items(database, 4000)
    mirror = MySQLMirror(leat, database, {"items": "id"}, formats=("delta",))
    running = mirror.start()
    wait_until(lambda: database.server.sessions() != [], 30, "it connects")
    database.execute_many(
        "ALTER TABLE items ADD COLUMN extra int DEFAULT 5",
        "UPDATE items SET extra = 6 WHERE id = 1",
    )
    settle_or_reload(leat, mirror, running)


def settle_or_reload(leat: Leat, mirror: MySQLMirror, running: Running) -> None:
    """The alteration may come behind the load in the log: then it is named, and a load mends it."""
    try:
        mirror.catch_up(running)
    except RuntimeError:
        assert '"kind":"lost"' in running.log_text, running.log_text
        assert leat.run("reload", PIPELINE).returncode == 0
        running = mirror.start()
    mirror.settle(running)


# Two readers of one number.


def test_of_two_readers_with_one_number_the_first_ends_and_says_why(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    items(database)
    source = {"server_id": 4711}
    mirror = MySQLMirror(leat, database, {"items": "id"}, source=source)
    first = mirror.start()
    mirror.catch_up(first)
    second = Leat(leat.dir / "second")
    second.dir.mkdir()
    try:
        other = MySQLMirror(second, database, {"items": "id"}, source=source)
        running = other.start()
        other.catch_up(running)
        assert first.wait(60) == 2, first.log_text
        assert "server_id" in first.log_text
        assert "4711" in first.log_text
        database.execute("INSERT INTO items VALUES (1000, 'x')")
        other.settle(running)
    finally:
        second.close()
    first = mirror.start()
    mirror.settle(first)


def test_readers_make_different_numbers_of_their_own(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    items(database)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    first = mirror.start()
    second = Leat(leat.dir / "second")
    second.dir.mkdir()
    try:
        other = MySQLMirror(second, database, {"items": "id"})
        running = other.start()
        other.catch_up(running)
        mirror.catch_up(first)
        database.execute("INSERT INTO items VALUES (1000, 'x')")
        other.settle(running)
        mirror.settle(first)
    finally:
        second.close()


def test_a_position_with_tags_is_taken_up_again(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """MySQL 8.3 and newer: sets of GTIDs with tags have a form of their own on the wire."""
    database = mysql_database
    if database.server.is_mariadb:
        pytest.skip("GTIDs of MariaDB have no tags")
    items(database)
    database.execute_many("SET SESSION gtid_next = 'AUTOMATIC:blue'", "DELETE FROM items")
    mirror = MySQLMirror(leat, database, {"items": "id"})
    running = mirror.start()
    for i, tag in enumerate(("", ":blue", ":a_longer_one_of_thirty_two_bytes")):
        mirror.catch_up(running)
        database.execute_many(
            f"SET SESSION gtid_next = 'AUTOMATIC{tag}'", f"INSERT INTO items VALUES ({i}, 'x')"
        )
    mirror.settle(running)
    database.execute_many(
        "SET SESSION gtid_next = 'AUTOMATIC:red'", "INSERT INTO items VALUES (10, 'red')"
    )
    running = mirror.start()
    mirror.settle(running)
    assert '"load read"' not in running.log_text


def test_a_table_that_an_alter_takes_away_for_a_moment_is_found(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """Engines without atomic DDL: between two names the table has none."""
    database = mysql_database
    database.execute(f"{ITEMS} ENGINE=MyISAM")
    leat.configure({PIPELINE: leat.pipeline(database.url, [database.table("items")], source=MYSQL)})
    stop = threading.Event()
    connection = database.connect()

    def alter() -> None:
        while not stop.is_set():
            run(connection, "ALTER TABLE items FORCE")

    thread = threading.Thread(target=alter)
    thread.start()
    try:
        for _ in range(25):
            done = leat.run("check")
            assert "does not exist" not in done.stdout, done.stdout
    finally:
        stop.set()
        thread.join()
