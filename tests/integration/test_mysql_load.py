"""The first load of MySQL and MariaDB tables while others lock, kill, and read the same log."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.lib.leat import Leat, Running
from tests.lib.mirror import PIPELINE
from tests.lib.mysql import USER, MySQLDatabase, run
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.wait import wait_until

MYSQL = {"type": "mysql"}
QUICK: dict[str, Any] = {"retry": {"attempts": 2, "delay": "10ms", "max_delay": "20ms"}}
ITEMS = "CREATE TABLE items (id int PRIMARY KEY, name varchar(2000))"


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


def waiting(database: MySQLDatabase, state: str, user: str = USER) -> list[int]:
    """The sessions of a user that wait in such a state."""
    found = database.execute(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s AND STATE LIKE %s",
        (user, state),
    )
    return [int(number) for (number,) in found]


@pytest.mark.parametrize("how", ["KILL", "KILL QUERY"])
def test_what_is_killed_while_it_waits_for_the_lock_is_tried_again(
    leat: Leat, mysql_database: MySQLDatabase, how: str
) -> None:
    database = mysql_database
    items(database)
    database.execute("CREATE TABLE other (id int PRIMARY KEY)")
    mirror = MySQLMirror(leat, database, {"items": "id"}, source={"lock_timeout": "1h"})
    with database.connect() as another:
        run(another, "LOCK TABLES other WRITE")
        running = mirror.start()
        wait_until(lambda: waiting(database, "Waiting for%lock%"), 30, "it waits for the lock")
        for number in waiting(database, "Waiting for%lock%"):
            database.execute(f"{how} {number}")
        running.wait_for("retry")
        run(another, "UNLOCK TABLES")
    mirror.settle(running)


@pytest.mark.parametrize("how", ["KILL", "KILL QUERY"])
def test_what_is_killed_while_it_reads_a_table_is_read_again(
    leat: Leat, mysql_database: MySQLDatabase, how: str
) -> None:
    """Who waits behind the load's lock gets the table before it is read, and holds the readers."""
    database = mysql_database
    items(database)
    database.execute("CREATE TABLE other (id int PRIMARY KEY)")
    mirror = MySQLMirror(leat, database, {"items": "id"}, source={"lock_timeout": "1h"})
    with database.connect() as first, database.connect() as second:
        run(first, "LOCK TABLES other WRITE")
        running = mirror.start()
        wait_until(lambda: waiting(database, "Waiting for%lock%"), 30, "it waits for the lock")
        locking = threading.Thread(target=run, args=(second, "LOCK TABLES items WRITE"))
        locking.start()
        wait_until(lambda: waiting(database, "Waiting for%", "root"), 30, "another waits behind it")
        run(first, "UNLOCK TABLES")
        locking.join(60)
        wait_until(lambda: waiting(database, "Waiting for table metadata lock"), 30, "readers wait")
        for number in waiting(database, "Waiting for table metadata lock"):
            database.execute(f"{how} {number}")
        running.wait_for("retry")
        run(second, "INSERT INTO items VALUES (1000, 'under the lock')")
        run(second, "UNLOCK TABLES")
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
