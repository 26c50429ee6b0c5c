"""PostgreSQL's changes arrive in Delta tables as they were made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lib.delta import delta_cdf, delta_rows, delta_version
from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.rows import by_key
from tests.lib.workload import Workload

ITEMS = {"public.items": "id"}


def items(leat: Leat, database: Database, rows: int = 100, **pipeline: Any) -> Mirror:
    """A pipeline of one table with some rows."""
    Workload.create(database.connection, rows)
    return Mirror(leat, database, ITEMS, **pipeline)


def test_a_table_is_loaded_and_then_followed(leat: Leat, database: Database) -> None:
    """Inserts, updates, deletes, key changes, swaps, several changes of a key in one commit."""
    mirror = items(leat, database)
    running = mirror.start()
    Workload(database.connection, seed=1).run(50)
    mirror.settle(running)


def test_changes_made_while_loading_are_neither_lost_nor_repeated(
    leat: Leat, database: Database
) -> None:
    """The snapshot and the stream meet at one position."""
    mirror = items(leat, database, rows=20000)
    workload = Workload(database.connection, seed=2)
    workload.run(5)
    running = mirror.start()
    workload.run(100)
    mirror.settle(running)


def test_the_feed_holds_each_net_change_once(leat: Leat, database: Database) -> None:
    """One transaction becomes one version with exactly its net changes."""
    mirror = items(leat, database, rows=3)
    running = mirror.start()
    mirror.catch_up(running)
    before = delta_version(leat.table("public.items"))
    connection = database.connection
    with connection.transaction():
        connection.execute("INSERT INTO items (id, name) VALUES (10, 'new')")
        connection.execute("UPDATE items SET price = 1 WHERE id = 10")
        connection.execute("UPDATE items SET price = 7 WHERE id = 1")
        connection.execute("UPDATE items SET price = 8 WHERE id = 1")
        connection.execute("DELETE FROM items WHERE id = 2")
        connection.execute("INSERT INTO items (id, name) VALUES (11, 'gone at once')")
        connection.execute("DELETE FROM items WHERE id = 11")
        connection.execute("UPDATE items SET id = 30 WHERE id = 3")
    mirror.catch_up(running)
    feed = delta_cdf(leat.table("public.items"), before + 1)
    found = sorted((row["_change_type"], row["id"]) for row in feed)
    assert found == [
        ("delete", 2),
        ("delete", 3),
        ("insert", 10),
        ("insert", 30),
        ("update_postimage", 1),
        ("update_preimage", 1),
    ]
    assert len({row["_commit_version"] for row in feed}) == 1
    mirror.settle(running)


def test_an_update_that_changes_nothing_makes_no_change(leat: Leat, database: Database) -> None:
    """Equal images are no update."""
    mirror = items(leat, database, rows=3)
    running = mirror.start()
    mirror.catch_up(running)
    before = mirror.feed_counts("public.items")
    database.execute("UPDATE items SET price = price")
    mirror.catch_up(running)
    assert mirror.feed_counts("public.items") == before
    mirror.settle(running)


def test_values_kept_outside_the_row_stay_complete(leat: Leat, database: Database) -> None:
    """PostgreSQL does not send unchanged TOAST values; they come from our own row."""
    mirror = items(leat, database, rows=5)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE items SET price = 99 WHERE id = 1")  # note: unchanged, not sent
    database.execute("UPDATE items SET id = 50 WHERE id = 2")  # under the old key
    with database.connection.transaction():
        database.execute("INSERT INTO items VALUES (6, 'six', 1, repeat(md5('6'), 200))")
        database.execute("UPDATE items SET price = 6 WHERE id = 6")  # from the same epoch
    mirror.settle(running)
    rows = by_key(delta_rows(leat.table("public.items")), ["id"])
    assert all(len(row["note"]) > 2000 for row in rows.values())


def test_truncate_empties_the_table_in_one_version_with_what_follows(
    leat: Leat, database: Database
) -> None:
    """Truncate and the inserts of its transaction are one commit."""
    mirror = items(leat, database, rows=10)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("DELETE FROM items WHERE id = 4")
    mirror.catch_up(running)
    before = delta_version(leat.table("public.items"))
    with database.connection.transaction():
        database.execute("INSERT INTO items (id, name) VALUES (11, 'too early')")
        database.execute("TRUNCATE items")
        database.execute("INSERT INTO items (id, name) VALUES (12, 'after')")
    mirror.catch_up(running)
    assert delta_version(leat.table("public.items")) == before + 1
    assert [row["id"] for row in delta_rows(leat.table("public.items"))] == [12]
    database.execute("INSERT INTO items (id, name) VALUES (4, 'back')")
    mirror.settle(running)


def test_a_pipeline_resumes_where_it_stopped(leat: Leat, database: Database) -> None:
    """Nothing is loaded again; what happened meanwhile arrives."""
    mirror = items(leat, database)
    workload = Workload(database.connection, seed=3)
    running = mirror.start()
    mirror.catch_up(running)
    running.terminate()
    for _ in range(3):
        workload.run(5)
        running = mirror.start()
        workload.run(5)
        mirror.settle(running)
        assert "load read" not in running.log_text


def test_old_rows_come_from_the_source_with_replica_identity_full(
    leat: Leat, database: Database
) -> None:
    """Whole before images from the source give the same table and feed."""
    Workload.create(database.connection)
    database.execute("ALTER TABLE items REPLICA IDENTITY FULL")
    mirror = Mirror(leat, database, ITEMS)
    running = mirror.start()
    Workload(database.connection, seed=4).run(50)
    mirror.settle(running)


def test_append_mode_keeps_every_change_in_order(leat: Leat, database: Database) -> None:
    """The log: one row a change, with its operation and what was not sent."""
    mirror = items(leat, database, rows=2, mode="append")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE items SET price = 5 WHERE id = 1")
    database.execute("UPDATE items SET price = 6 WHERE id = 1")
    database.execute("DELETE FROM items WHERE id = 2")
    mirror.catch_up(running)
    running.terminate()
    rows = delta_rows(leat.table("public.items"))
    rows.sort(key=lambda row: (row["_position"], row["_sequence"]))
    assert [(row["_op"], row["id"]) for row in rows] == [
        ("read", 1),
        ("read", 2),
        ("update", 1),
        ("update", 1),
        ("delete", 2),
    ]
    assert [row["price"] for row in rows[2:4]] == [5, 6]
    assert "note" in rows[2]["_unchanged"]
    assert rows[2]["note"] is None


def test_append_mode_takes_tables_without_a_key(leat: Leat, database: Database) -> None:
    """Only upsert needs one."""
    database.execute("CREATE TABLE log (word text)")
    database.execute("ALTER TABLE log REPLICA IDENTITY FULL")
    database.execute("INSERT INTO log VALUES ('a'), ('a')")
    mirror = Mirror(leat, database, {"public.log": "word"}, mode="append")
    running = mirror.start()
    database.execute("INSERT INTO log VALUES ('b')")
    mirror.catch_up(running)
    running.terminate()
    assert sorted(row["word"] for row in delta_rows(leat.table("public.log"))) == ["a", "a", "b"]


def test_a_table_may_be_partitioned(leat: Leat, database: Database) -> None:
    """Rows move between partitions; null and awkward names are partitions too."""
    database.execute("CREATE TABLE parts (id int PRIMARY KEY, region text, day date, n int)")
    database.execute(
        "INSERT INTO parts SELECT i, (ARRAY['north', 'a/b=c %é', NULL, ' '])[1 + i % 4],"
        " date '2024-01-01' + i % 3, i FROM generate_series(1, 60) i"
    )
    mirror = Mirror(
        leat,
        database,
        {"public.parts": "id"},
        sink={"tables": {"public.parts": {"partition_by": ["region", "day"]}}},
    )
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE parts SET region = 'south' WHERE id % 5 = 0")
    database.execute("UPDATE parts SET n = n + 1 WHERE id % 7 = 0")
    database.execute("DELETE FROM parts WHERE id % 11 = 0")
    mirror.settle(running)


def test_an_empty_string_is_refused_as_a_partition_value(leat: Leat, database: Database) -> None:
    """The format cannot tell it from null, and a value is never changed in silence."""
    database.execute("CREATE TABLE parts (id int PRIMARY KEY, region text)")
    database.execute("INSERT INTO parts VALUES (1, '')")
    Mirror(
        leat,
        database,
        {"public.parts": "id"},
        sink={"tables": {"public.parts": {"partition_by": ["region"]}}},
    )
    done = leat.run("run")
    assert done.returncode == 1
    assert "public.parts" in done.stderr
    assert "region" in done.stderr


@pytest.mark.parametrize("changes", [1, 1000])
def test_large_and_small_transactions_arrive(leat: Leat, database: Database, changes: int) -> None:
    """A transaction larger than a batch is still one unit."""
    mirror = items(leat, database, rows=10, sink={"commit": {"interval": "50ms", "rows": 100}})
    running = mirror.start()
    mirror.catch_up(running)
    with database.connection.transaction():
        database.execute(
            "INSERT INTO items SELECT i, 'bulk', i, 'x' FROM generate_series(1000, %s) i",
            (1000 + 20 * changes,),
        )
        database.execute("UPDATE items SET price = price + 1")
        database.execute("DELETE FROM items WHERE id % 3 = 0")
    mirror.settle(running)


def test_two_tables_of_one_transaction_show_it_together(leat: Leat, database: Database) -> None:
    """Both records name the same position and epoch after the same barrier."""
    Workload.create(database.connection, 5)
    mirror = Mirror(leat, database, {"public.items": "id", "public.quiet": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    with database.connection.transaction():
        database.execute("UPDATE items SET price = 2")
        database.execute("UPDATE quiet SET word = 'loud'")
    mirror.settle(running)
    records = [
        leat.run_json("history", str(leat.table(t)), "--format", "json") for t in mirror.tables
    ]
    newest = [max(rows, key=lambda row: int(row["version"])) for rows in records]
    assert newest[0]["position"] == newest[1]["position"]


def test_stdout_prints_each_change_as_a_line(leat: Leat, database: Database) -> None:
    """A sink that keeps nothing: JSON lines of committed epochs."""
    Workload.create(database.connection, 2)
    mirror = Mirror(leat, database, ITEMS)
    pipeline = leat.pipeline(database.url, list(ITEMS))
    pipeline["sinks"] = [{"type": "stdout"}]
    leat.configure({"shop": pipeline})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE items SET price = 3 WHERE id = 1")
    database.execute("DELETE FROM items WHERE id = 2")
    mirror.catch_up(running)
    running.terminate()
    lines = [line for line in running.out_text.splitlines() if line]
    assert len(lines) == 4
    assert '"op":"delete"' in lines[3].replace(" ", "")
