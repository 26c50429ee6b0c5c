"""Others work on the Iceberg tables that leat keeps: what is followed, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from tests.lib.iceberg import iceberg_rows, iceberg_snapshots, metadata, metadata_file
from tests.lib.iceberg_writer import foreign_table, make_foreign_table
from tests.lib.leat import Leat
from tests.lib.mirror import PIPELINE, Mirror
from tests.lib.postgres import Database
from tests.lib.workload import Workload

if TYPE_CHECKING:
    from tests.lib.spark import Spark

ITEMS, QUIET = "public.items", "public.quiet"
TABLES = {ITEMS: "id", QUIET: "id"}


def stopped(leat: Leat, database: Database, **pipeline: Any) -> Mirror:
    """A pipeline of two tables that ran and was stopped."""
    Workload.create(database.connection)
    mirror = Mirror(leat, database, TABLES, **{"formats": ("iceberg",), **pipeline})
    running = mirror.start()
    mirror.catch_up(running)
    Workload(database.connection, seed=1).run(5)
    mirror.settle(running)
    return mirror


def expect(leat: Leat, code: int, *words: str) -> None:
    """Runs the pipeline to its end: exit code, and words its message must have."""
    done = leat.run("run", timeout=60)
    assert done.returncode == code, f"exit code {done.returncode}:\n{done.stderr}"
    for word in words:
        assert word in done.stderr, f"{word!r} is missing:\n{done.stderr}"


def expect_lost_and_reload(leat: Leat, mirror: Mirror, table: str, *words: str) -> None:
    """The start names the table and the way back; the way back mends it."""
    expect(leat, 1, table, f"leat reload {PIPELINE}", *words)
    done = leat.run("reload", PIPELINE)
    assert done.returncode == 0, done.stderr
    running = mirror.start()
    Workload(mirror.database.connection, seed=2).run(5)
    mirror.settle(running)


def append_word(table: Path, key: int, word: str) -> None:
    """Another program appends a row to `quiet`."""
    schema = pa.schema([pa.field("id", pa.int32(), nullable=False), pa.field("word", pa.string())])
    foreign_table(table).append(pa.table({"id": [key], "word": [word]}, schema=schema))


# Tables that are not the ones we left.


def test_a_dropped_table_is_noticed(leat: Leat, database: Database) -> None:
    """It is not quietly made anew."""
    mirror = stopped(leat, database)
    shutil.rmtree(leat.iceberg_table(QUIET))
    expect_lost_and_reload(leat, mirror, QUIET)


def test_all_tables_dropped_are_noticed(leat: Leat, database: Database) -> None:
    """The slot and the state directory remember them."""
    mirror = stopped(leat, database)
    shutil.rmtree(leat.lake)
    expect_lost_and_reload(leat, mirror, ITEMS)


def test_a_table_made_anew_by_someone_else_is_never_touched(leat: Leat, database: Database) -> None:
    """Neither by run nor by reload."""
    stopped(leat, database)
    table = leat.iceberg_table(QUIET)
    shutil.rmtree(table)
    made = make_foreign_table(table, Schema(NestedField(1, "id", LongType(), required=False)))
    made.append(pa.table({"id": [7]}))
    expect(leat, 1, QUIET, "did not write", "remove that one first")
    assert leat.run("reload", PIPELINE).returncode == 2
    assert iceberg_rows(table) == [{"id": 7}]


def test_a_table_restored_from_a_copy_is_noticed(leat: Leat, database: Database) -> None:
    """An older state of the table is not the one we left."""
    mirror = stopped(leat, database)
    table = leat.iceberg_table(ITEMS)
    shutil.copytree(table, leat.dir / "copy")
    running = mirror.start()
    Workload(database.connection, seed=3).run(5)
    mirror.settle(running)
    shutil.rmtree(table)
    shutil.copytree(leat.dir / "copy", table)
    expect_lost_and_reload(leat, mirror, ITEMS)


@pytest.mark.parametrize("foreign_changes", ["refuse", "accept"])
def test_a_table_rolled_back_is_noticed(
    leat: Leat, database: Database, foreign_changes: str
) -> None:
    """The newest snapshot is an older one of ours; changes after it would be missing."""
    mirror = stopped(leat, database, sink={"foreign_changes": foreign_changes})
    table = leat.iceberg_table(ITEMS)
    snapshots = iceberg_snapshots(table)
    foreign_table(table).manage_snapshots().set_current_snapshot(snapshots[-2].id).commit()
    assert iceberg_snapshots(table)[-1].id == snapshots[-2].id
    expect_lost_and_reload(leat, mirror, ITEMS)


def test_a_table_rolled_back_while_it_is_followed_is_noticed(
    leat: Leat, database: Database
) -> None:
    """The next commit does not go on from what is no longer there."""
    mirror = stopped(leat, database)
    table = leat.iceberg_table(ITEMS)
    running = mirror.start()
    mirror.catch_up(running)
    snapshots = iceberg_snapshots(table)
    foreign_table(table).manage_snapshots().set_current_snapshot(snapshots[-2].id).commit()
    database.execute("UPDATE items SET price = 1")
    assert running.wait() == 1
    assert ITEMS in running.log_text
    expect_lost_and_reload(leat, mirror, ITEMS)


# Rows that others change.


def test_a_foreign_append_is_refused(leat: Leat, database: Database) -> None:
    """The table is no copy of the source any more: said at the start, with the ways out."""
    mirror = stopped(leat, database)
    append_word(leat.iceberg_table(QUIET), 1000, "foreign")
    expect_lost_and_reload(leat, mirror, QUIET, "another writer", "foreign_changes: accept")


def test_a_foreign_append_is_refused_while_the_table_is_followed(
    leat: Leat, database: Database
) -> None:
    """Noticed by the first commit after it."""
    mirror = stopped(leat, database)
    running = mirror.start()
    mirror.catch_up(running)
    append_word(leat.iceberg_table(QUIET), 1000, "foreign")
    database.execute("INSERT INTO quiet VALUES (2, 'ours')")
    assert running.wait() == 1
    assert "another writer" in running.log_text
    expect_lost_and_reload(leat, mirror, QUIET, "another writer")


def test_foreign_rows_stay_where_foreign_changes_are_accepted(
    leat: Leat, database: Database
) -> None:
    """Appended before a start and in the middle of a stream; ours go on beside them."""
    mirror = stopped(leat, database, sink={"foreign_changes": "accept"})
    table = leat.iceberg_table(QUIET)
    append_word(table, 1000, "before")
    running = mirror.start()
    database.execute("INSERT INTO quiet VALUES (2, 'ours')")
    mirror.catch_up(running)
    append_word(table, 1001, "between")
    database.execute("UPDATE quiet SET word = word || '!'")
    mirror.catch_up(running)
    foreign_table(table).delete("id = 1001")
    database.execute("UPDATE quiet SET word = word || '?' WHERE id = 2")
    mirror.catch_up(running)
    running.terminate()
    mirror.verify(ITEMS)
    found = {row["id"]: row["word"] for row in iceberg_rows(table)}
    assert found == {1: "never changes!", 2: "ours!?", 1000: "before"}


# Maintenance: no row changes.


@pytest.fixture
def shop(spark: Spark, leat: Leat) -> str:
    """Leat's warehouse as a catalog of Spark's, by its name there."""
    name = f"shop_{abs(hash(str(leat.dir)))}"
    spark.catalog(name, type="hadoop", warehouse=str(leat.lake / "iceberg"))
    return name


def rewrite(spark: Spark, shop: str, table: str) -> None:
    """Spark writes all data files anew."""
    spark.sql(
        f"CALL {shop}.system.rewrite_data_files(table => '{table}',"
        " options => map('rewrite-all', 'true'))"
    )


def expire(spark: Spark, shop: str, table: str) -> None:
    """Spark drops all snapshots but the newest, and every file that only they had."""
    spark.sql(
        f"CALL {shop}.system.expire_snapshots(table => '{table}', retain_last => 1,"
        " older_than => TIMESTAMP '2999-01-01 00:00:00')"
    )


def test_a_history_expired_up_to_a_foreign_rewrite_is_gone_on_from(
    leat: Leat, database: Database, spark: Spark, shop: str
) -> None:
    """The only snapshot left is not ours: the position comes from the table's property."""
    mirror = stopped(leat, database)
    rewrite(spark, shop, ITEMS)
    expire(spark, shop, ITEMS)
    table = leat.iceberg_table(ITEMS)
    assert [s["summary"]["operation"] for s in metadata(table)["snapshots"]] == ["replace"]
    mirror.verify()
    Workload(database.connection, seed=4).run(5)
    running = mirror.start()
    Workload(database.connection, seed=5).run(5)
    mirror.settle(running)
    assert "load read" not in running.log_text


def test_maintenance_of_every_kind_between_two_runs_is_gone_on_from(
    leat: Leat, database: Database, spark: Spark, shop: str
) -> None:
    """Deletes rewritten, manifests rewritten, data rewritten: every snapshot is a `replace`."""
    mirror = stopped(leat, database)
    for call in (
        f"rewrite_position_delete_files(table => '{ITEMS}', options => map('rewrite-all', 'true'))",
        f"rewrite_manifests(table => '{ITEMS}')",
    ):
        spark.sql(f"CALL {shop}.system.{call}")
    running = mirror.start()
    Workload(database.connection, seed=6).run(5)
    mirror.settle(running)
    rewrite(spark, shop, ITEMS)
    running = mirror.start()
    Workload(database.connection, seed=7).run(5)
    mirror.settle(running)


def test_several_rewrites_whose_history_is_expired_are_gone_on_from(
    leat: Leat, database: Database, spark: Spark, shop: str
) -> None:
    """Only the last snapshot of a night is left; older metadata tells of the others."""
    mirror = stopped(leat, database)
    rewrite(spark, shop, ITEMS)
    spark.sql(f"CALL {shop}.system.rewrite_manifests(table => '{ITEMS}')")
    rewrite(spark, shop, ITEMS)
    expire(spark, shop, ITEMS)
    assert len(metadata(leat.iceberg_table(ITEMS))["snapshots"]) == 1
    running = mirror.start()
    Workload(database.connection, seed=8).run(5)
    mirror.settle(running)
    assert "load read" not in running.log_text


def test_a_foreign_append_is_refused_also_when_its_snapshot_was_expired(
    leat: Leat, database: Database, spark: Spark, shop: str
) -> None:
    """It lies between our snapshot and the rewrite that is left."""
    mirror = stopped(leat, database)
    spark.sql(f"INSERT INTO {shop}.{QUIET} VALUES (1000, 'foreign')")
    rewrite(spark, shop, QUIET)
    expire(spark, shop, QUIET)
    expect_lost_and_reload(leat, mirror, QUIET, "another writer", "append")


def test_an_expired_history_that_nothing_tells_of_is_refused(
    leat: Leat, database: Database, spark: Spark, shop: str
) -> None:
    """Between our snapshot and the one that is left anything may have happened."""
    mirror = stopped(leat, database)
    rewrite(spark, shop, ITEMS)
    rewrite(spark, shop, ITEMS)
    expire(spark, shop, ITEMS)
    files = sorted((leat.iceberg_table(ITEMS) / "metadata").glob("v*.metadata.json"))
    newest = metadata_file(leat.iceberg_table(ITEMS))
    for file in files:
        if file != newest:
            file.unlink()
    expect_lost_and_reload(leat, mirror, ITEMS, "not in the history")


def test_rewrites_while_the_table_is_followed_are_followed(
    leat: Leat, database: Database, spark: Spark, shop: str
) -> None:
    """Rows keep being found in the files that they were moved to."""
    mirror = stopped(leat, database)
    workload = Workload(database.connection, seed=9)
    running = mirror.start()
    for _ in range(3):
        workload.run(4)
        mirror.catch_up(running)
        rewrite(spark, shop, ITEMS)
        workload.run(4)
        mirror.catch_up(running)
        mirror.verify(ITEMS)
    mirror.settle(running)
