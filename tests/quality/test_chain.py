"""A chain of snapshots, read one by one: each read opens that snapshot's files and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.lib.delta import payload
from tests.lib.iceberg import Snapshot, iceberg_files, iceberg_snapshots
from tests.lib.json_rows import feed_rows, table_rows, types_of
from tests.lib.leat import Leat
from tests.lib.rows import Row, assert_same_rows

if TYPE_CHECKING:
    from tests.lib.spark import Spark

pytestmark = pytest.mark.timeout(600)

TABLE = "lake.chain.orders"
ROWS = "SELECT id, concat('order ', id) AS name, date_add(date'2024-01-01', {day}) AS day"
APPEND = "INSERT INTO {table} {rows} FROM range({first}, {last})"


class Chain:
    """The table: 1000 rows, 500 more, one partition replaced by 200 rows, compacted."""

    def __init__(self, spark: Spark) -> None:
        self.spark = spark
        self.path = spark.lake / "chain" / "orders"
        for text in (
            f"CREATE TABLE {TABLE} (id bigint, name string, day date) USING iceberg"
            " PARTITIONED BY (day) TBLPROPERTIES ('format-version' = '2')",
            self.append(0, 1000, "CAST(id % 2 AS int)"),
            self.append(1000, 1500, "CAST(id % 2 AS int)"),
            self.append(5000, 5200, "1").replace("INTO", "OVERWRITE", 1),
            "CALL lake.system.rewrite_data_files(table => 'chain.orders',"
            " options => map('rewrite-all', 'true'))",
        ):
            spark.sql(text)
        self.snapshots = iceberg_snapshots(self.path)
        assert [snapshot.operation for snapshot in self.snapshots] == [
            "append",
            "append",
            "overwrite",
            "replace",
        ]

    @staticmethod
    def append(first: int, last: int, day: str) -> str:
        """Returns an INSERT of the rows of some ids."""
        return APPEND.format(table=TABLE, rows=ROWS.format(day=day), first=first, last=last)

    def rows(self, condition: str) -> list[Row]:
        """Returns rows of any snapshot before the compaction, as Spark has them."""
        table = self.spark.sql(
            f"SELECT DISTINCT * FROM (SELECT * FROM {TABLE} VERSION AS OF {self.snapshots[1].id}"
            f" UNION ALL SELECT * FROM {TABLE} VERSION AS OF {self.snapshots[2].id})"
            f" WHERE {condition}"
        )
        return table_rows(table)

    def files(self, place: int) -> list[str]:
        """Returns the names of the files that a snapshot added and removed."""
        before = iceberg_files(self.path, self.snapshots[place - 1].id) if place else set()
        return sorted(before ^ iceberg_files(self.path, self.snapshots[place].id))

    def read(self, leat: Leat, place: int) -> tuple[list[Row], list[str]]:
        """Returns what leat reads of a snapshot: its changes, and which files it opened."""
        snapshot: Snapshot = self.snapshots[place]
        before = snapshot.parent
        done = leat.changes(self.path, before, snapshot.id)
        types = types_of(self.spark.iceberg(self.path, snapshot.id))
        rows = feed_rows(done.stdout, types, "_commit_snapshot_id")
        assert {row["_commit_snapshot_id"] for row in rows} <= {snapshot.id}
        return rows, leat.opened_files(self.path, before, snapshot.id)


@pytest.fixture(scope="module")
def chain(spark: Spark) -> Iterator[Chain]:
    made = Chain(spark)
    yield made
    spark.sql(f"DROP TABLE {TABLE} PURGE")


def kind_rows(rows: list[Row], kind: str) -> list[Row]:
    return [payload(row) for row in rows if row["_change_type"] == kind]


@pytest.mark.parametrize(
    ("place", "condition"), [(0, "id < 1000"), (1, "id >= 1000 AND id < 1500")]
)
def test_an_append_is_read_from_its_own_files(
    chain: Chain, leat: Leat, place: int, condition: str
) -> None:
    rows, files = chain.read(leat, place)
    assert len(rows) == (1000, 500)[place]
    assert_same_rows(chain.rows(condition), kind_rows(rows, "insert"), "id", ("spark", "leat"))
    assert files == chain.files(place)


def test_a_replaced_partition_is_read_from_what_came_and_what_went(
    chain: Chain, leat: Leat
) -> None:
    rows, files = chain.read(leat, 2)
    assert len(rows) == 200 + 750
    assert_same_rows(chain.rows("id >= 5000"), kind_rows(rows, "insert"), "id")
    gone = chain.rows("id < 1500 AND id % 2 = 1")
    assert_same_rows(gone, kind_rows(rows, "delete"), "id")
    assert files == chain.files(2)
    assert 2 < len(files) < len(iceberg_files(chain.path, chain.snapshots[1].id)) + 2


def test_a_compaction_is_no_change_and_opens_no_file(chain: Chain, leat: Leat) -> None:
    assert chain.files(3) != []
    assert chain.read(leat, 3) == ([], [])


def test_the_whole_chain_is_its_links_one_after_the_other(chain: Chain, leat: Leat) -> None:
    links = [row for place in range(4) for row in chain.read(leat, place)[0]]
    types = types_of(chain.spark.iceberg(chain.path))
    whole = feed_rows(leat.changes(chain.path).stdout, types, "_commit_snapshot_id")
    assert_same_rows(links, whole, names=("links", "whole"))
    after_first = leat.changes(chain.path, chain.snapshots[0].id).stdout
    assert_same_rows(links[1000:], feed_rows(after_first, types, "_commit_snapshot_id"))
