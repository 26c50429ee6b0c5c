"""PostgreSQL's changes arrive in Iceberg tables as they were made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.test_types import COLUMNS, fill, make
from tests.lib.iceberg import iceberg_files, iceberg_rows, iceberg_snapshots, metadata
from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.rows import assert_same_rows, by_key
from tests.lib.wait import wait_until
from tests.lib.workload import Workload

ITEMS = {"public.items": "id"}


def mirror_of(leat: Leat, database: Database, tables: dict[str, str], **pipeline: Any) -> Mirror:
    """A pipeline of tables into Iceberg."""
    return Mirror(leat, database, tables, **{"formats": ("iceberg",), **pipeline})


def items(leat: Leat, database: Database, rows: int = 100, **pipeline: Any) -> Mirror:
    """A pipeline of one table with some rows."""
    Workload.create(database.connection, rows)
    return mirror_of(leat, database, ITEMS, **pipeline)


@pytest.mark.parametrize("formats", [("iceberg",), ("delta", "iceberg")], ids="+".join)
def test_a_table_is_loaded_and_then_followed(
    leat: Leat, database: Database, formats: tuple[str, ...]
) -> None:
    """Inserts, updates, deletes, key changes, swaps, several changes of a key in one commit."""
    mirror = items(leat, database, formats=formats)
    running = mirror.start()
    Workload(database.connection, seed=1).run(50)
    mirror.settle(running)


def test_changes_made_while_loading_are_neither_lost_nor_repeated(
    leat: Leat, database: Database
) -> None:
    """The snapshot and the stream meet at one position."""
    mirror = items(leat, database, rows=20000)
    workload = Workload(database.connection, seed=2)
    running = mirror.start()
    workload.run(60)
    mirror.settle(running)


# Partitions.

PARTITIONS: dict[str, tuple[list[str], str]] = {
    "identity": (["region"], "UPDATE parts SET region = 'south' WHERE id % 5 = 0"),
    "identity of a date": (["day"], "UPDATE parts SET day = day + 7 WHERE id % 5 = 0"),
    "day": (["day(created_at)"], "UPDATE parts SET created_at = created_at - interval '1 day'"),
    "month": (["month(created_at)"], "UPDATE parts SET created_at = '1969-12-31 23:59:59Z'"),
    "bucket": (["bucket(4, id)"], "UPDATE parts SET id = id + 1000 WHERE id % 5 = 0"),
    "bucket of text": (["bucket(3, region)"], "UPDATE parts SET region = 'x' || id"),
    "truncate": (["truncate(2, region)"], "UPDATE parts SET region = 'é' || n WHERE id % 5 = 0"),
    "truncate of numbers": (["truncate(10, n)"], "UPDATE parts SET n = -n WHERE id % 5 = 0"),
    "several": (["region", "day(created_at)"], "UPDATE parts SET region = NULL WHERE n % 2 = 0"),
}


@pytest.mark.parametrize("name", PARTITIONS)
def test_rows_move_between_partitions(leat: Leat, database: Database, name: str) -> None:
    """By every transform; null, the empty string and awkward names are partitions too."""
    fields, change = PARTITIONS[name]
    database.execute(
        "CREATE TABLE parts (id int PRIMARY KEY, region text, day date, n int,"
        " created_at timestamptz)"
    )
    database.execute(
        "INSERT INTO parts SELECT i, (ARRAY['north', 'a/b=c %é', NULL, ' ', ''])[1 + i % 5],"
        " CASE WHEN i % 7 > 0 THEN date '1969-12-30' + i % 4 END, nullif(i % 13, 3),"
        " CASE WHEN i % 6 > 0 THEN timestamptz '2024-02-28 22:00Z' + i * interval '1 hour' END"
        " FROM generate_series(1, 60) i"
    )
    if "region" in fields:  # an empty string is refused as a partition value
        database.execute("UPDATE parts SET region = 'empty' WHERE region = ''")
    sink = {"tables": {"public.parts": {"partition_by": fields}}}
    mirror = mirror_of(leat, database, {"public.parts": "id"}, sink=sink)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute(change)
    mirror.catch_up(running)
    mirror.verify()
    database.execute("UPDATE parts SET n = n + 1 WHERE id % 7 = 0")
    database.execute(
        "UPDATE parts SET region = NULL, day = NULL, n = NULL, created_at = NULL WHERE id % 9 = 0"
    )
    database.execute("DELETE FROM parts WHERE id % 11 = 0")
    mirror.settle(running)
    spec = metadata(leat.iceberg_table("public.parts"))["partition-specs"][0]
    assert len(spec["fields"]) == len(fields)
    assert len(iceberg_files(leat.iceberg_table("public.parts"))) > 1


@pytest.mark.parametrize("field", ["nonsense", "day(region)", "bucket(0, id)", "hour(day)", "day("])
def test_a_partition_that_cannot_be_is_a_configuration_error(
    leat: Leat, database: Database, field: str
) -> None:
    """Exit 2, and no table is made."""
    database.execute("CREATE TABLE parts (id int PRIMARY KEY, region text, day date)")
    sink = {"tables": {"public.parts": {"partition_by": [field]}}}
    mirror_of(leat, database, {"public.parts": "id"}, sink=sink)
    done = leat.run("run")
    assert done.returncode == 2, done.stderr
    assert field.strip("(") in done.stderr or "region" in done.stderr or "day" in done.stderr
    assert not leat.iceberg_table("public.parts").joinpath("metadata").exists()


# What else a stream has.


def test_append_mode_keeps_every_change_in_order(leat: Leat, database: Database) -> None:
    """The log: one row a change, with its operation and what was not sent."""
    mirror = items(leat, database, rows=2, mode="append")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE items SET price = 5 WHERE id = 1")
    database.execute("UPDATE items SET price = 6 WHERE id = 1")
    mirror.catch_up(running)
    running.terminate()
    running = mirror.start()
    database.execute("DELETE FROM items WHERE id = 2")
    mirror.catch_up(running)
    running.terminate()
    rows = iceberg_rows(leat.iceberg_table("public.items"))
    rows.sort(key=lambda row: (row["_position"], row["_sequence"]))
    assert [(row["_op"], row["id"]) for row in rows] == [
        ("read", 1),
        ("read", 2),
        ("update", 1),
        ("update", 1),
        ("delete", 2),
    ]
    assert [row["price"] for row in rows[2:4]] == [5, 6]
    operations = {s.operation for s in iceberg_snapshots(leat.iceberg_table("public.items"))}
    assert operations == {"append"}


def test_truncate_empties_the_table_in_one_snapshot_with_what_follows(
    leat: Leat, database: Database
) -> None:
    """Truncate and the inserts of its transaction are one commit."""
    mirror = items(leat, database, rows=10)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("DELETE FROM items WHERE id = 4")
    mirror.catch_up(running)
    table = leat.iceberg_table("public.items")
    before = len(iceberg_snapshots(table))
    with database.connection.transaction():
        database.execute("INSERT INTO items (id, name) VALUES (11, 'too early')")
        database.execute("TRUNCATE items")
        database.execute("INSERT INTO items (id, name) VALUES (12, 'after')")
    mirror.catch_up(running)
    assert len(iceberg_snapshots(table)) == before + 1
    assert [row["id"] for row in iceberg_rows(table)] == [12]
    database.execute("INSERT INTO items (id, name) VALUES (4, 'back')")
    mirror.catch_up(running)
    mirror.verify()
    database.execute("TRUNCATE items")
    mirror.settle(running)
    assert iceberg_rows(table) == []


def test_keys_change_and_swap_with_values_that_were_not_sent(
    leat: Leat, database: Database
) -> None:
    """PostgreSQL does not send unchanged TOAST values; they come from our own row."""
    mirror = items(leat, database, rows=6)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE items SET price = 99 WHERE id = 1")
    database.execute("UPDATE items SET id = 50 WHERE id = 2")
    with database.connection.transaction():
        for before, after in ((3, -1), (4, 3), (-1, 4)):
            database.execute("UPDATE items SET id = %s WHERE id = %s", (after, before))
    with database.connection.transaction():
        database.execute("UPDATE items SET id = 60 WHERE id = 5")
        database.execute("UPDATE items SET id = 61, price = 7 WHERE id = 60")
    mirror.settle(running)
    rows = by_key(iceberg_rows(leat.iceberg_table("public.items")), ["id"])
    assert sorted(rows) == [(1,), (3,), (4,), (6,), (50,), (61,)]
    assert all(len(row["note"]) > 2000 for row in rows.values())


def test_every_supported_type_is_read_by_others(leat: Leat, database: Database) -> None:
    """By load and by stream, to the last digit."""
    make(database, "kinds", list(COLUMNS))
    fill(database, "kinds", list(COLUMNS), 1)
    mirror = mirror_of(leat, database, {"public.kinds": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    fill(database, "kinds", list(COLUMNS), 100)
    database.execute("UPDATE kinds SET id = id + 1000 WHERE id < 3")
    database.execute("UPDATE kinds SET flag = NOT flag, word = word || '!' WHERE id > 100")
    database.execute("DELETE FROM kinds WHERE id = 101")
    mirror.settle(running)


def test_a_pipeline_resumes_where_it_stopped(leat: Leat, database: Database) -> None:
    """Nothing is loaded again, nothing is committed twice; what happened meanwhile arrives."""
    mirror = items(leat, database)
    workload = Workload(database.connection, seed=3)
    running = mirror.start()
    mirror.catch_up(running)
    running.terminate()
    table = leat.iceberg_table("public.items")
    for _ in range(3):
        before = len(iceberg_snapshots(table))
        running = mirror.start()
        mirror.settle(running)
        assert len(iceberg_snapshots(table)) == before
        workload.run(5)
        running = mirror.start()
        workload.run(5)
        mirror.settle(running)
        assert "load read" not in running.log_text


def test_a_killed_pipeline_goes_on(leat: Leat, database: Database) -> None:
    """Killed anywhere: nothing is lost, nothing is there twice."""
    mirror = items(leat, database)
    workload = Workload(database.connection, seed=4)
    running = mirror.start()
    mirror.catch_up(running)
    for _ in range(5):
        workload.run(8)
        running.kill9()
        running = mirror.start()
    workload.run(3)
    mirror.settle(running)


def test_two_tables_of_one_transaction_show_it_together(leat: Leat, database: Database) -> None:
    """Both records name the same position after the same barrier."""
    Workload.create(database.connection, 5)
    mirror = mirror_of(leat, database, {"public.items": "id", "public.quiet": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    with database.connection.transaction():
        database.execute("UPDATE items SET price = 2")
        database.execute("UPDATE quiet SET word = 'loud'")
    mirror.settle(running)
    positions = []
    for table in mirror.tables:
        where = str(leat.iceberg_table(table))
        newest = leat.run_json("history", where, "--format", "json")[0]
        assert int(newest["snapshot_id"]) == iceberg_snapshots(where)[-1].id
        positions.append(newest["position"])
    assert len(positions) == 2
    assert positions[0] == positions[1] is not None


def test_the_table_property_holds_the_same_record_as_the_newest_snapshot(
    leat: Leat, database: Database
) -> None:
    """So that the position survives a history that others expire."""
    mirror = items(leat, database, rows=3)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE items SET price = 4")
    mirror.settle(running)
    found = metadata(leat.iceberg_table("public.items"))
    newest = iceberg_snapshots(leat.iceberg_table("public.items"))[-1]
    assert found["properties"]["leat.shop"] == newest.summary["leat.shop"]
    assert found["refs"]["main"]["snapshot-id"] == newest.id


# Columns that change.


def moving(leat: Leat, database: Database, columns: str = "n int, word text") -> Mirror:
    """A small table and its pipeline."""
    database.execute(f"CREATE TABLE moving (id int PRIMARY KEY, {columns})")
    return mirror_of(leat, database, {"public.moving": "id"})


def test_an_added_column_is_followed(leat: Leat, database: Database) -> None:
    """Old rows have null there, as at the source; within a transaction and after a stop too."""
    mirror = moving(leat, database)
    database.execute("INSERT INTO moving VALUES (1, 1, 'one'), (2, 2, 'two')")
    running = mirror.start()
    mirror.catch_up(running)
    with database.connection.transaction():
        database.execute("INSERT INTO moving VALUES (3, 3, 'three')")
        database.execute("ALTER TABLE moving ADD COLUMN extra numeric(10,2)")
        database.execute("INSERT INTO moving VALUES (4, 4, 'four', 4.44)")
    database.execute("UPDATE moving SET n = 20 WHERE id = 2")
    mirror.settle(running)
    database.execute("ALTER TABLE moving ADD COLUMN late text")
    database.execute("INSERT INTO moving VALUES (5, 5, 'five', 5, 'late')")
    running = mirror.start()
    mirror.settle(running)
    found = metadata(leat.iceberg_table("public.moving"))
    assert len(found["schemas"]) == 3
    assert found["last-column-id"] == 5


@pytest.mark.parametrize(
    ("before", "after", "small", "large"),
    [
        ("smallint", "integer", "7", "70000"),
        ("integer", "bigint", "7", "7000000000"),
        ("smallint", "bigint", "7", "7000000000"),
        ("real", "double precision", "0.5", "0.1"),
        ("numeric(6,2)", "numeric(12,2)", "1.25", "1234567890.25"),
        ("numeric(12,2)", "numeric(30,2)", "1.25", "12345678901234567890.25"),
        ("varchar(3)", "varchar(30)", "'abc'", "'abcdefgh'"),
    ],
)
def test_a_widened_type_is_followed(
    leat: Leat, database: Database, before: str, after: str, small: str, large: str
) -> None:
    """Old rows keep their values, new ones may be wider."""
    mirror = moving(leat, database, f"n {before}")
    database.execute(f"INSERT INTO moving VALUES (1, {small}), (2, {small})")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute(f"ALTER TABLE moving ALTER COLUMN n TYPE {after}")
    database.execute(f"INSERT INTO moving VALUES (3, {large})")
    database.execute(f"UPDATE moving SET n = {large} WHERE id = 2")
    mirror.settle(running)
    database.execute("UPDATE moving SET id = 10 WHERE id = 1")
    running = mirror.start()
    mirror.settle(running)


def test_a_widening_that_iceberg_does_not_have_is_refused(leat: Leat, database: Database) -> None:
    """Exit 2, naming the column and both types; the table stays as it was."""
    mirror = moving(leat, database, "n numeric(6,2)")
    database.execute("INSERT INTO moving VALUES (1, 1)")
    running = mirror.start()
    mirror.catch_up(running)
    rows = iceberg_rows(leat.iceberg_table("public.moving"))
    database.execute("ALTER TABLE moving ALTER COLUMN n TYPE numeric(12,4)")
    database.execute("INSERT INTO moving VALUES (2, 2.0001)")
    assert running.wait() == 2
    for words in ("public.moving", "column", "decimal(6,2) to decimal(12,4)", "another table"):
        assert words in running.log_text
    assert_same_rows(rows, iceberg_rows(leat.iceberg_table("public.moving")), "id")
    again = leat.run("run")
    assert again.returncode == 2, again.stderr
    assert "decimal(6,2) to decimal(12,4)" in again.stderr


def test_a_dropped_column_stays_in_the_table_as_null(leat: Leat, database: Database) -> None:
    """Rows written afterwards have null there; the others keep what they had."""
    mirror = moving(leat, database)
    database.execute("INSERT INTO moving VALUES (1, 1, 'one'), (2, 2, 'two')")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("ALTER TABLE moving DROP COLUMN word")
    database.execute("INSERT INTO moving VALUES (3, 3)")
    database.execute("UPDATE moving SET n = 10 WHERE id = 1")
    mirror.catch_up(running)
    running.terminate()
    rows = iceberg_rows(leat.iceberg_table("public.moving"))
    assert_same_rows(
        mirror.source("public.moving"), [{"id": r["id"], "n": r["n"]} for r in rows], "id"
    )
    words = {row["id"]: row["word"] for row in rows}
    assert words[1] is None
    assert words[2] == "two"
    assert words[3] is None


# Heartbeats.


def test_a_quiet_table_is_committed_to_once_in_a_while(leat: Leat, database: Database) -> None:
    """A heartbeat is an empty commit, with the position and nothing else."""
    Workload.create(database.connection, 5)
    database.execute("CREATE TABLE elsewhere (id int PRIMARY KEY)")
    mirror = mirror_of(leat, database, ITEMS, heartbeat="1s")
    running = mirror.start()
    mirror.catch_up(running)
    table = leat.iceberg_table("public.items")
    before = len(iceberg_snapshots(table))
    files = iceberg_files(table)

    def beaten() -> bool:
        database.execute("INSERT INTO elsewhere SELECT 1 + coalesce(max(id), 0) FROM elsewhere")
        return len(iceberg_snapshots(table)) > before

    wait_until(beaten, 30, "a heartbeat is committed")
    assert iceberg_files(table) == files
    beat = iceberg_snapshots(table)[-1]
    assert beat.summary["leat.operation"] == "HEARTBEAT"
    assert beat.summary["total-records"] == "5"
    mirror.settle(running)
