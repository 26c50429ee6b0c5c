"""What pipelines from MySQL and MariaDB share with all others: modes, transforms, several sinks."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest

from tests.lib.delta import delta_rows
from tests.lib.leat import Leat
from tests.lib.mysql import MySQLDatabase
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.rows import assert_same_rows
from tests.lib.wait import wait_until


def make(database: MySQLDatabase, rows: int) -> None:
    """A table with rows."""
    database.execute(
        "CREATE TABLE items (id int PRIMARY KEY, name varchar(50), price decimal(10,2), note text)"
        " DEFAULT CHARSET=utf8mb4"
    )
    for first in range(0, rows, 1000):
        last = min(first + 1000, rows)
        values = ", ".join(f"({i}, 'n{i}', {i % 100}.5, 'note')" for i in range(first, last))
        database.execute(f"INSERT INTO items VALUES {values}")


def test_append_mode_keeps_every_change_in_order(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """The log: one row a change, with its operation; in the order of the source's log."""
    database = mysql_database
    make(database, 2)
    mirror = MySQLMirror(leat, database, {"items": "id"}, mode="append", formats=("delta",))
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        "UPDATE items SET price = 5 WHERE id = 1",
        "DELETE FROM items WHERE id = 0",
        "TRUNCATE TABLE items",
    )
    mirror.catch_up(running)
    running.terminate()
    running = mirror.start()
    database.execute_many(
        "FLUSH BINARY LOGS", "INSERT INTO items (id) VALUES (7)", "DELETE FROM items"
    )
    mirror.catch_up(running)
    running.terminate()
    rows = delta_rows(leat.table(database.table("items")))
    rows.sort(key=lambda row: (row["_position"], row["_sequence"]))
    assert [(row["_op"], row["id"]) for row in rows] == [
        ("read", 0),
        ("read", 1),
        ("update", 1),
        ("delete", 0),
        ("truncate", None),
        ("insert", 7),
        ("delete", 7),
    ]


def test_minimal_images_in_append_mode_say_what_was_not_sent(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    database.server.set_global(binlog_row_image="MINIMAL")
    try:
        database.reconnect()
        make(database, 2)
        mirror = MySQLMirror(leat, database, {"items": "id"}, mode="append", formats=("delta",))
        running = mirror.start()
        mirror.catch_up(running)
        database.execute("UPDATE items SET price = 5 WHERE id = 1")
        mirror.catch_up(running)
        running.terminate()
    finally:
        database.server.set_global(binlog_row_image="FULL")
    (row,) = [r for r in delta_rows(leat.table(database.table("items"))) if r["_op"] == "update"]
    assert (row["id"], row["price"], row["name"]) == (1, 5, None)
    assert sorted(json.loads(row["_unchanged"])) == ["name", "note"]


def test_a_transform_shapes_rows_and_leaves_some_out(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    make(database, 50)
    sql = "SELECT id, upper(name) AS name, price * 2 AS twice FROM changes WHERE price > 10"
    mirror = MySQLMirror(leat, database, {"items": "id"}, transforms=[{"sql": sql}])
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        "UPDATE items SET price = 1 WHERE id = 20",
        "UPDATE items SET price = 90 WHERE id = 2",
        "DELETE FROM items WHERE id = 30",
        "UPDATE items SET id = 1040 WHERE id = 40",
    )
    mirror.catch_up(running)
    assert running.metric("leat_unexpected_total") == 0
    running.terminate()
    expected = [
        {"id": row["id"], "name": row["name"].upper(), "twice": row["price"] * 2}
        for row in mirror.source("items")
        if row["price"] > 10
    ]
    assert_same_rows(expected, delta_rows(leat.table(database.table("items"))), "id")


@pytest.mark.parametrize("mode", ["never", "only", "always"])
def test_the_snapshot_is_taken_as_configured(
    leat: Leat, mysql_database: MySQLDatabase, mode: str
) -> None:
    database = mysql_database
    make(database, 20)
    mirror = MySQLMirror(leat, database, {"items": "id"}, source={"snapshot": mode})
    if mode == "only":
        assert leat.run("run").returncode == 0
        mirror.verify()
        return
    if mode == "always":
        mirror.settle(mirror.start())
        database.execute("DELETE FROM items WHERE id < 5")
        running = mirror.start()
        mirror.settle(running)
        assert running.log_text.count('"load read"') == 1
        return
    running = mirror.start()
    wait_until(lambda: running.is_healthy("/ready"), 30, "it streams")
    database.execute("INSERT INTO items (id) VALUES (100)")
    mirror.catch_up(running)
    running.terminate()
    assert [row["id"] for row in delta_rows(leat.table(database.table("items")))] == [100]


def test_changes_made_while_loading_are_neither_lost_nor_repeated(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """The snapshot and the stream meet at one position."""
    database = mysql_database
    make(database, 20000)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    writer = database.connect()
    stop = threading.Event()

    def write() -> None:
        with writer.cursor() as cursor:
            number = 0
            while not stop.is_set():
                number += 1
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE items SET price = {number % 90} WHERE id % 997 = {number}")
                cursor.execute(f"INSERT INTO items (id) VALUES ({100000 + number})")
                cursor.execute(f"DELETE FROM items WHERE id = {number * 3}")
                cursor.execute(f"UPDATE items SET id = id + 500000 WHERE id = {number * 7}")
                cursor.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        running = mirror.start()
        wait_until(
            lambda: '"load read"' in running.log_text or not running.alive, 60, "it is loaded"
        )
        mirror.catch_up(running)
    finally:
        stop.set()
        thread.join()
    mirror.settle(running)


def test_writers_of_a_table_without_transactions_wait_for_the_load(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """The load itself does not wait behind them."""
    database = mysql_database
    make(database, 20000)
    database.execute("CREATE TABLE plain (id int PRIMARY KEY, v text) ENGINE=MyISAM")
    database.execute("INSERT INTO plain SELECT id, repeat('x', 200) FROM items")
    mirror = MySQLMirror(leat, database, {"items": "id", "plain": "id"})
    writer = database.connect()
    stop = threading.Event()

    def write() -> None:
        with writer.cursor() as cursor:
            number = 0
            while not stop.is_set():
                number += 1
                cursor.execute(f"INSERT INTO plain VALUES ({100000 + number}, 'new')")
                cursor.execute(f"UPDATE plain SET v = 'other' WHERE id = {number}")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        running = mirror.start()
        wait_until(
            lambda: '"load read"' in running.log_text or not running.alive, 60, "it is loaded"
        )
        mirror.catch_up(running)
    finally:
        stop.set()
        thread.join()
    mirror.settle(running)


def test_stdout_prints_each_change_as_a_line(leat: Leat, mysql_database: MySQLDatabase) -> None:
    database = mysql_database
    make(database, 2)
    mirror = MySQLMirror(leat, database, {"items": "id"}, sinks=[{"type": "stdout"}])
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("DELETE FROM items WHERE id = 1")
    mirror.catch_up(running)
    running.terminate()
    lines = [json.loads(line) for line in running.out_text.splitlines() if line]
    assert len(lines) == 3
    assert lines[2]["op"] == "delete"


def test_the_state_directory_may_be_lost(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """It costs time and the proof against roll-backs, never data."""
    database = mysql_database
    make(database, 20)
    mirror = MySQLMirror(leat, database, {"items": "id"})
    mirror.settle(mirror.start())
    shutil.rmtree(leat.state)
    database.execute("UPDATE items SET price = 3 WHERE id = 4")
    running = mirror.start()
    mirror.settle(running)
    assert '"load read"' not in running.log_text


def test_a_failing_sink_is_detached_and_catches_up_over_a_connection_of_its_own(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    make(database, 20)
    database.execute("ALTER TABLE items ADD COLUMN part varchar(5) NOT NULL DEFAULT 'one'")
    name = database.table("items")
    second: Path = leat.dir / "second"
    sinks = [
        {
            "type": "delta",
            "location": f"{place}/{{schema}}/{{table}}",
            "commit": {"interval": "100ms"},
            "tables": {name: {"partition_by": ["part"]}},
        }
        for place in (leat.lake, second)
    ]
    mirror = MySQLMirror(
        leat,
        database,
        {"items": "id"},
        sinks=sinks,
        formats=("delta",),
        retry={"attempts": 1000, "delay": "10ms", "max_delay": "500ms"},
        detach_after="1s",
    )
    running = mirror.start()
    mirror.catch_up(running)
    rows = second / database.name / "items" / "part=one"
    rows.rename(second / "hidden")
    rows.write_text("in the way")
    series = 'leat_sink_detached{pipeline="shop",sink="delta-1"}'
    number = 1000

    def change_until(value: float) -> None:
        def reached() -> bool:
            nonlocal number
            number += 1
            assert running.alive, running.log_text[-4000:]
            database.execute(f"INSERT INTO items (id, price) VALUES ({number}, 1)")
            database.execute(f"UPDATE items SET price = {number % 90} WHERE id < 10")
            return running.metrics().get(series) == value

        wait_until(reached, 60, f"{series} is {value}")

    change_until(1)
    rows.unlink()
    (second / "hidden").rename(rows)
    change_until(0)
    mirror.settle(running)
    leat.lake = second
    mirror.verify()
