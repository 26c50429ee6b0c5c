"""A table's columns change while it is streamed."""

from __future__ import annotations

import pytest

from tests.lib.delta import delta_rows
from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.rows import assert_same_rows, by_key


def start(leat: Leat, database: Database, columns: str = "n int, word text") -> Mirror:
    """A small table and its pipeline."""
    database.execute(f"CREATE TABLE moving (id int PRIMARY KEY, {columns})")
    return Mirror(leat, database, {"public.moving": "id"})


def test_an_added_column_is_followed(leat: Leat, database: Database) -> None:
    """Old rows have null there, as at the source; within a transaction and after a stop too."""
    mirror = start(leat, database)
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


def test_a_dropped_column_stays_in_the_table_as_null(leat: Leat, database: Database) -> None:
    """Rows written afterwards have null there; the others keep what they had."""
    mirror = start(leat, database)
    database.execute("INSERT INTO moving VALUES (1, 1, 'one'), (2, 2, 'two')")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("ALTER TABLE moving DROP COLUMN word")
    database.execute("INSERT INTO moving VALUES (3, 3)")
    database.execute("UPDATE moving SET n = 10 WHERE id = 1")
    mirror.catch_up(running)
    running.terminate()
    rows = delta_rows(leat.table("public.moving"))
    assert_same_rows(
        mirror.source("public.moving"), [{"id": r["id"], "n": r["n"]} for r in rows], "id"
    )
    assert by_key(rows, ["id"])[(3,)]["word"] is None


@pytest.mark.parametrize(
    ("before", "after", "small", "large"),
    [
        ("smallint", "integer", "7", "70000"),
        ("integer", "bigint", "7", "7000000000"),
        ("real", "double precision", "0.5", "0.1"),
        ("numeric(6,2)", "numeric(12,2)", "1.25", "1234567890.25"),
        ("varchar(3)", "varchar(30)", "'abc'", "'abcdefgh'"),
    ],
)
def test_a_widened_type_is_followed(
    leat: Leat, database: Database, before: str, after: str, small: str, large: str
) -> None:
    """Old rows keep their values, new ones may be wider."""
    mirror = start(leat, database, f"n {before}")
    database.execute(f"INSERT INTO moving VALUES (1, {small}), (2, {small})")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute(f"ALTER TABLE moving ALTER COLUMN n TYPE {after}")
    database.execute(f"INSERT INTO moving VALUES (3, {large})")
    database.execute(f"UPDATE moving SET n = {large} WHERE id = 2")
    mirror.settle(running)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE moving ALTER COLUMN n TYPE text",
        "ALTER TABLE moving ALTER COLUMN n TYPE text USING 'x' || n",
        "ALTER TABLE moving RENAME COLUMN n TO m",
        "ALTER TABLE moving ADD COLUMN filled int DEFAULT 7",
    ],
)
def test_a_change_that_cannot_be_followed_is_refused_and_reload_mends_it(
    leat: Leat, database: Database, change: str
) -> None:
    """Old rows changed without an event, or the column is another one: nothing is guessed."""
    mirror = start(leat, database)
    database.execute("INSERT INTO moving VALUES (1, 1, 'one')")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute(change)
    database.execute("INSERT INTO moving (id, word) VALUES (2, 'two')")
    assert running.wait() == 1
    assert "public.moving" in running.log_text
    reload_mends(leat, mirror)


def reload_mends(leat: Leat, mirror: Mirror) -> None:
    """What "leat reload" leaves is the source, column for column of it; or it says what to do."""
    done = leat.run("reload", "shop")
    if done.returncode == 2:  # another type needs another table
        assert "column" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    source = mirror.source("public.moving")
    rows = delta_rows(leat.table("public.moving"))
    assert_same_rows(source, [{name: row[name] for name in source[0]} for row in rows], "id")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE moving RENAME COLUMN n TO m",
        "ALTER TABLE moving ADD COLUMN filled int DEFAULT 7",
        "ALTER TABLE moving DROP COLUMN n; ALTER TABLE moving ADD COLUMN n int",
    ],
)
def test_a_change_that_cannot_be_followed_is_noticed_after_a_stop_too(
    leat: Leat, database: Database, change: str
) -> None:
    """The table remembers which column of the source each of its columns is."""
    mirror = start(leat, database)
    database.execute("INSERT INTO moving VALUES (1, 1, 'one')")
    running = mirror.start()
    mirror.catch_up(running)
    running.terminate()
    for statement in change.split(";"):
        database.execute(statement)
    done = leat.run("run")
    assert done.returncode == 1, done.stderr
    assert "public.moving" in done.stderr
    assert "leat reload shop" in done.stderr
    reload_mends(leat, mirror)
