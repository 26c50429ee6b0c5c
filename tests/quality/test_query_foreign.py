"""`leat query` reads tables that others wrote as others read them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.lib.delta import delta_rows, delta_version
from tests.lib.iceberg import iceberg_rows, iceberg_snapshots
from tests.lib.leat import Leat
from tests.lib.rows import Row, assert_same_rows, canonical_rows

DELTA = (
    "COVID-19_NYT",
    "cdf-table-with-cdc-and-dvs",
    "checkpoint-v2-table",
    "concurrent_workers",
    "delta-0.2.0",
    "delta-0.8.0-date",
    "delta-0.8.0-null-partition",
    "delta-0.8.0-numeric-partition",
    "delta-0.8.0-partitioned",
    "delta-0.8.0-special-partition",
    "delta-2.2.0-partitioned-types",
    "http_requests",
    "partition-type-primitives",
    "simple_table_with_checkpoint",
    "table-with-dv-small",
    "table_with_column_mapping",
    "table_with_deletion_logs",
    "table_with_liquid_clustering",
    "table_with_partitioning_mapping",
)

# Those of whose versions all are still there.
DELTA_VERSIONS = ("cdf-table-with-cdc-and-dvs", "simple_table_with_checkpoint", "delta-0.8.0")

# Of several no data file holds the column that partitions it.
ICEBERG = (
    "equality_delete_extra_column/warehouse/ns/t",
    "expression_filter",
    "hive_partitioned_table",
    "iceberg_v1_repro/repro/merch_v1",
    "is_null_is_not_null",
    "null_stats/default/test_nulls",
    "partition_bigint",
    "partition_binary",
    "partition_bool",
    "partition_decimal_bigint",
    "partition_decimal_hugeint",
    "partition_decimal_integer",
    "partition_decimal_smallint",
    "partition_double",
    "partition_float",
    "partition_integer",
    "uuid",
)


def _query(leat: Leat, sql: str) -> list[Row]:
    file = leat.dir / "rows.parquet"
    done = leat.run("query", sql, "--output", str(file), timeout=300)
    assert done.returncode == 0, done.stderr
    return canonical_rows(pq.read_table(file).to_pylist())


@pytest.mark.parametrize("name", DELTA)
def test_a_delta_table_is_read_as_deltalake_reads_it(leat: Leat, corpora: Path, name: str) -> None:
    table = corpora / "delta" / "delta-rs" / name
    assert_same_rows(delta_rows(table), _query(leat, f"SELECT * FROM '{table}'"))


@pytest.mark.parametrize("name", DELTA_VERSIONS)
def test_every_version_of_a_delta_table_is_read(leat: Leat, corpora: Path, name: str) -> None:
    table = corpora / "delta" / "delta-rs" / name
    for version in range(delta_version(table) + 1):
        rows = _query(leat, f"SELECT * FROM '{table}' VERSION AS OF {version}")
        assert_same_rows(delta_rows(table, version), rows)


@pytest.fixture
def iceberg(leat: Leat, corpora: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Paths in these tables start at the working directory of those who wrote them."""
    (leat.dir / "data").mkdir()
    (leat.dir / "data" / "persistent").symlink_to(corpora / "iceberg" / "duckdb")
    monkeypatch.chdir(leat.dir)
    return Path("data/persistent")


@pytest.mark.parametrize("name", ICEBERG)
def test_an_iceberg_table_is_read_as_pyiceberg_reads_it(
    leat: Leat, iceberg: Path, name: str
) -> None:
    table = iceberg / name
    assert_same_rows(iceberg_rows(table), _query(leat, f"SELECT * FROM '{table}'"))
    for snapshot in iceberg_snapshots(table):
        rows = _query(leat, f"SELECT * FROM '{table}' VERSION AS OF {snapshot.id}")
        assert_same_rows(iceberg_rows(table, snapshot.id), rows)


def test_a_column_that_no_file_holds_is_asked_for_by_the_partition(
    leat: Leat, iceberg: Path
) -> None:
    table = iceberg / "hive_partitioned_table"
    rows = iceberg_rows(table)
    day = rows[0]["event_date"]
    want = [row for row in rows if row["event_date"] == day]
    assert 0 < len(want) < len(rows)
    assert_same_rows(want, _query(leat, f"FROM '{table}' WHERE event_date = '{day}'"))
