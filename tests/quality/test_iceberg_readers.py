"""After every commit other readers see the source's rows, and the summary tells the truth.

Read by PyIceberg, by DuckDB over the planned files and by Spark; counted anew from the manifests.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyiceberg.manifest import DataFileContent, ManifestEntryStatus

from tests.lib.iceberg import iceberg_rows, iceberg_rows_duckdb, iceberg_snapshots, open_table
from tests.lib.json_rows import table_rows
from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Connection, Database
from tests.lib.rows import assert_same_rows

if TYPE_CHECKING:
    from tests.lib.spark import Spark

COMMITS = 20
SEEDS = range(int(os.environ.get("LEAT_HISTORIES", "1")))
TABLE = "public.orders"
FORMS: dict[str, list[str]] = {
    "unpartitioned": [],
    "by column": ["region"],
    "by day and bucket": ["day(placed)", "bucket(3, id)"],
}


class Orders:
    """Random changes of a table whose rows move between partitions."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self.connection = connection
        self.random = random.Random(seed)
        connection.execute(
            "CREATE TABLE orders (id int PRIMARY KEY, region text, placed timestamptz,"
            " total numeric(12,2), note text)"
        )
        self.next_key = 1
        self.insert(40)

    def insert(self, count: int) -> None:
        """New rows."""
        self.connection.execute(
            "INSERT INTO orders SELECT i, (ARRAY['north','south','a b/c',NULL])[1 + i %% 4],"
            " timestamptz '2024-03-01 00:00Z' + (i %% 5) * interval '20 hours', i * 1.25,"
            " repeat('n', i %% 50) FROM generate_series(%s::int, %s::int) i",
            (self.next_key, self.next_key + count - 1),
        )
        self.next_key += count

    def step(self) -> None:
        """One transaction with changes of several kinds."""
        part, place = self.random.randint(2, 7), self.random.randint(0, 1)
        changes: list[tuple[str, tuple[Any, ...]]] = [
            ("UPDATE orders SET total = total + 1 WHERE id %% %s = %s", (part, place)),
            ("UPDATE orders SET region = 'east' WHERE id %% %s = %s", (part * 2, place)),
            ("UPDATE orders SET placed = NULL WHERE id %% %s = %s", (part * 3, place)),
            ("UPDATE orders SET id = id + 100000 WHERE id %% %s = %s AND id < 100000",
             (part * 4, place)),
            ("DELETE FROM orders WHERE id %% %s = %s", (part * 3, place)),
        ]  # fmt: skip
        with self.connection.transaction():
            self.insert(self.random.randint(1, 15))
            for text, values in self.random.sample(changes, self.random.randint(0, 3)):
                self.connection.execute(text, values)
            if self.random.random() < 0.1:
                self.connection.execute("TRUNCATE orders")
                self.insert(5)


class Count:
    """Files, and rows and bytes in them."""

    def __init__(self) -> None:
        self.files = self.rows = self.bytes = 0

    def add(self, file: Any) -> None:
        """Counts a file."""
        self.files += 1
        self.rows += file.record_count
        self.bytes += file.file_size_in_bytes


def recounted(table: Path) -> dict[str, int]:
    """What the summary of the newest snapshot must say, from its manifests and the disk."""
    opened = open_table(table)
    snapshot = opened.current_snapshot()
    assert snapshot is not None
    kinds = {
        (status, is_data): Count() for status in ("live", "added", "gone") for is_data in (0, 1)
    }
    for manifest in snapshot.manifests(opened.io):
        for entry in manifest.fetch_manifest_entry(opened.io, discard_deleted=False):
            file = entry.data_file
            is_data = int(file.content == DataFileContent.DATA)
            ours = entry.snapshot_id == snapshot.snapshot_id
            if entry.status == ManifestEntryStatus.DELETED:
                if ours:
                    kinds["gone", is_data].add(file)
                continue
            size = Path(file.file_path.removeprefix("file://")).stat().st_size
            assert size == file.file_size_in_bytes, file.file_path
            kinds["live", is_data].add(file)
            if entry.status == ManifestEntryStatus.ADDED and ours:
                kinds["added", is_data].add(file)
    data, deletes = kinds["live", 1], kinds["live", 0]
    added, added_deletes = kinds["added", 1], kinds["added", 0]
    gone, gone_deletes = kinds["gone", 1], kinds["gone", 0]
    return {
        "total-records": data.rows,
        "total-data-files": data.files,
        "total-delete-files": deletes.files,
        "total-position-deletes": deletes.rows,
        "total-equality-deletes": 0,
        "total-files-size": data.bytes + deletes.bytes,
        "added-data-files": added.files,
        "added-records": added.rows,
        "added-delete-files": added_deletes.files,
        "added-position-delete-files": added_deletes.files,
        "added-position-deletes": added_deletes.rows,
        "added-files-size": added.bytes + added_deletes.bytes,
        "deleted-data-files": gone.files,
        "deleted-records": gone.rows,
        "removed-delete-files": gone_deletes.files,
        "removed-position-delete-files": gone_deletes.files,
        "removed-position-deletes": gone_deletes.rows,
        "removed-files-size": gone.bytes + gone_deletes.bytes,
    }


def assert_summary_is_true(table: Path) -> None:
    """Every number of the newest summary; a counter that is left out is zero."""
    summary = iceberg_snapshots(table)[-1].summary
    expected = recounted(table)
    found = {name: int(summary.get(name, "0")) for name in expected}
    assert found == expected


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_commit_is_read_by_all(
    leat: Leat, database: Database, spark: Spark, form: str, seed: int
) -> None:
    """Inserts, updates, deletes, key changes, truncates; and every number of the summary."""
    orders = Orders(database.connection, seed)
    sink = {"tables": {TABLE: {"partition_by": FORMS[form]}}} if FORMS[form] else {}
    mirror = Mirror(leat, database, {TABLE: "id"}, formats=("iceberg",), sink=sink)
    table = leat.iceberg_table(TABLE)
    running = mirror.start()
    for commit in range(COMMITS):
        mirror.catch_up(running)
        source = mirror.source(TABLE)
        names = ("source", f"reader after commit {commit}")
        assert_same_rows(source, iceberg_rows(table), "id", names=names)
        assert_same_rows(source, iceberg_rows_duckdb(table), "id", names=names)
        assert_same_rows(source, table_rows(spark.iceberg(table)), "id", names=names)
        assert_summary_is_true(table)
        orders.step()
    assert len(iceberg_snapshots(table)) >= COMMITS
    assert any(s.writes_deletes for s in iceberg_snapshots(table)), "no row was deleted in place"
    mirror.settle(running)
