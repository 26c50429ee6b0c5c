"""`leat query`: SQL over tables that others and leat wrote."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.lib.delta import delta_rows, delta_snapshot, delta_version
from tests.lib.iceberg import iceberg_rows, iceberg_snapshots
from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.rows import Row, assert_same_rows, canonical_rows
from tests.lib.workload import Workload


def _rows(ids: range) -> pa.Table:
    start = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "region": [None if i % 5 == 4 else f"r/{i % 3}" for i in ids],
            "amount": pa.array([Decimal(i) / 4 for i in ids], pa.decimal128(12, 2)),
            "ratio": [i / 3 for i in ids],
            "open": [i % 2 == 0 for i in ids],
            "day": [date(2026, 1, 1) + timedelta(days=i % 3) for i in ids],
            "at": pa.array([start + timedelta(hours=i) for i in ids], pa.timestamp("us", "UTC")),
            "data": [bytes([i % 256]) * (i % 20) for i in ids],
        }
    )


@pytest.fixture
def orders(leat: Leat) -> Path:
    """Versions: 0 has ids 0..9, 1 also 10..14, 2 has no id 3; partitioned by region and day."""
    path = leat.dir / "lake" / "orders"
    write_deltalake(str(path), _rows(range(10)), partition_by=["region", "day"])
    write_deltalake(str(path), _rows(range(10, 15)), mode="append")
    DeltaTable(str(path)).delete("id = 3")
    return path


@pytest.fixture
def customers(leat: Leat) -> Path:
    """Customers 0..2, without partitions."""
    path = leat.dir / "lake" / "customers"
    names = pa.table({"id": pa.array([0, 1, 2], pa.int64()), "name": ["ann", "bob", "cleo"]})
    write_deltalake(str(path), names)
    return path


def _query(leat: Leat, sql: str, *options: str) -> list[dict[str, Any]]:
    return leat.run_json("query", sql, "--format", "json", *options)


def _typed(leat: Leat, sql: str) -> list[Row]:
    """The rows with their types, by way of Parquet."""
    file = leat.dir / "rows.parquet"
    done = leat.run("query", sql, "--output", str(file))
    assert done.returncode == 0, done.stderr
    return canonical_rows(pq.read_table(file).to_pylist())


def _failure(leat: Leat, sql: str, code: int = 2) -> str:
    done = leat.run("query", sql)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert "Sanitizer" not in done.stderr
    return done.stderr


# What is read.


def test_a_table_reads_as_others_read_it(leat: Leat, orders: Path) -> None:
    assert_same_rows(delta_rows(orders), _typed(leat, f"SELECT * FROM '{orders}'"), "id")


def test_relative_locations_and_file_urls_are_locations(leat: Leat, orders: Path) -> None:
    for place in ("lake/orders", "./lake/orders/", f"file://{orders}"):
        assert _query(leat, f"SELECT count(*) AS n FROM '{place}'") == [{"n": 14}]
    assert _query(leat, 'SELECT count(*) AS n FROM "lake/orders"') == [{"n": 14}]


def test_a_location_may_have_characters_of_patterns_and_of_sql(leat: Leat, orders: Path) -> None:
    odd = orders.with_name('it\'s [1]* ? "x"')
    orders.rename(odd)
    place = str(odd).replace("'", "''")
    assert _query(leat, f"SELECT count(*) AS n FROM '{place}'") == [{"n": 14}]


def test_a_table_is_called_by_the_last_part_of_its_name(leat: Leat, orders: Path) -> None:
    assert _query(leat, "SELECT orders.id FROM 'lake/orders' WHERE orders.id < 2 ORDER BY 1") == [
        {"id": 0},
        {"id": 1},
    ]


def test_tables_are_joined_with_aliases_names_of_with_and_subqueries(
    leat: Leat, orders: Path, customers: Path
) -> None:
    sql = """
        WITH big AS (SELECT id % 3 AS customer, amount FROM 'lake/orders' WHERE id >= 10)
        SELECT c.name, sum(big.amount) AS amount,  -- FROM 'nowhere'
               (SELECT count(*) FROM 'lake/orders' o WHERE o.id % 3 = c.id) AS orders
        FROM big JOIN "lake/customers" AS c ON c.id = big.customer /* JOIN nothing */
        GROUP BY ALL ORDER BY c.name;
    """
    assert _query(leat, sql) == [
        {"name": "ann", "amount": 3.00, "orders": 4},
        {"name": "bob", "amount": 5.75, "orders": 5},
        {"name": "cleo", "amount": 6.25, "orders": 5},
    ]


def test_a_table_may_be_read_twice(leat: Leat, orders: Path) -> None:
    sql = "SELECT count(*) AS n FROM 'lake/orders' a JOIN 'lake/orders' b USING (id)"
    assert _query(leat, sql) == [{"n": 14}]


def test_an_empty_table_has_columns_and_no_rows(leat: Leat) -> None:
    schema = pa.schema([("a", pa.int32()), ("b", pa.string())])
    DeltaTable.create(str(leat.dir / "empty"), schema=schema)
    assert _query(leat, "SELECT * FROM './empty'") == []
    assert _query(leat, "SELECT count(b) AS n, max(a) AS m FROM './empty'") == [{"n": 0, "m": None}]


def test_many_partitions_and_files(leat: Leat) -> None:
    path = leat.dir / "many"
    rows = {"id": range(600), "part": [i % 300 for i in range(600)]}
    write_deltalake(str(path), pa.table(rows), partition_by=["part"])
    assert _query(leat, "SELECT count(*) AS n, sum(id)::BIGINT AS s FROM './many'") == [
        {"n": 600, "s": 600 * 599 // 2}
    ]
    assert _query(leat, "SELECT id FROM './many' WHERE part = 7 ORDER BY id") == [
        {"id": 7},
        {"id": 307},
    ]


# Older versions.


def test_versions_are_read_by_number(leat: Leat, orders: Path) -> None:
    for version in range(3):
        sql = f"SELECT * FROM 'lake/orders' VERSION AS OF {version}"
        assert_same_rows(delta_rows(orders, version), _typed(leat, sql), "id")


def test_versions_are_compared_in_one_query(leat: Leat, orders: Path) -> None:
    sql = (
        "SELECT a.id FROM 'lake/orders' FOR VERSION AS OF 1 AS a"
        " ANTI JOIN 'lake/orders' USING (id)"
    )
    assert _query(leat, sql) == [{"id": 3}]


def test_versions_are_read_by_time(leat: Leat, orders: Path) -> None:
    log = orders / "_delta_log"
    for version in range(3):
        commit = log / f"{version:020}.json"
        lines = [json.loads(line) for line in commit.read_text().splitlines()]
        for line in lines:
            if "commitInfo" in line:
                line["commitInfo"]["timestamp"] = 1767225600000 + version * 3600000
        commit.write_text("".join(json.dumps(line) + "\n" for line in lines))
        at = 1767225600 + version * 3600
        os.utime(commit, (at, at))
    times = {
        "2026-01-01 00:00:00": 10,
        "2026-01-01T00:59:59.999Z": 10,
        "2026-01-01 02:00:00+01:00": 15,
        "2026-06-01": 14,
    }
    for time, count in times.items():
        for clause in ("TIMESTAMP AS OF", "FOR SYSTEM_TIME AS OF TIMESTAMP"):
            sql = f"SELECT count(*) AS n FROM 'lake/orders' {clause} '{time}'"
            assert _query(leat, sql) == [{"n": count}], sql
    assert "2025-12-31" in _failure(leat, "FROM 'lake/orders' TIMESTAMP AS OF '2025-12-31'")


def test_a_version_that_is_not_there_is_named(leat: Leat, orders: Path) -> None:
    assert "there is no version 7" in _failure(leat, "FROM 'lake/orders' VERSION AS OF 7")


# What leat wrote.


@pytest.mark.parametrize("table_format", ["delta", "iceberg"])
def test_tables_of_a_pipeline_are_read_by_name_without_their_deleted_rows(
    leat: Leat, database: Database, table_format: str
) -> None:
    Workload.create(database.connection, 300)
    mirror = Mirror(leat, database, {"public.items": "id"}, formats=(table_format,))
    with mirror.start() as running:
        mirror.catch_up(running)
        Workload(database.connection, seed=5).run(40)
        mirror.catch_up(running)
    want = mirror.source("public.items")
    count = [{"n": len(want)}]
    for name in ("items", "public.items", '"public"."items"'):
        assert _query(leat, f"SELECT count(*) AS n FROM {name}") == count
    ids = {row["id"] for row in _query(leat, "SELECT items.id FROM public.items")}
    assert ids == {row["id"] for row in want}
    if table_format == "delta":
        assert _deleted(leat.table("public.items")) > 0
        _check_delta_versions(leat)
    else:
        _check_iceberg_snapshots(leat)


def _deleted(table: Path) -> int:
    vectors = [add.get("deletionVector") for add in delta_snapshot(table).files.values()]
    return sum(vector["cardinality"] for vector in vectors if vector)


def _check_delta_versions(leat: Leat) -> None:
    table = leat.table("public.items")
    newest = delta_version(table)
    for version in (newest, newest // 2):
        got = _typed(leat, f"SELECT * FROM items VERSION AS OF {version}")
        assert_same_rows(delta_rows(table, version), got, "id")


def _check_iceberg_snapshots(leat: Leat) -> None:
    location = leat.iceberg_table("public.items")
    snapshots = iceberg_snapshots(location)
    for snapshot in (snapshots[-1], snapshots[len(snapshots) // 2]):
        got = _typed(leat, f"SELECT * FROM items VERSION AS OF {snapshot.id}")
        assert_same_rows(iceberg_rows(location, snapshot.id), got, "id")


# What comes out.


def test_every_form_holds_the_same_rows(leat: Leat, orders: Path) -> None:
    sql = "SELECT id, region, amount FROM 'lake/orders' ORDER BY id"
    want = [(row["id"], row["region"]) for row in _query(leat, sql)]
    csv = leat.run("query", sql, "--format", "csv").stdout.splitlines()
    assert [line.split(",")[0] for line in csv] == ["id", *(str(i) for i, _ in want)]
    table = leat.run("query", sql, "--format", "table").stdout.splitlines()
    assert len(table) == 2 + len(want)
    assert leat.run("query", sql, "--output", "rows.arrows").returncode == 0
    stream = io.BytesIO((leat.dir / "rows.arrows").read_bytes())
    arrow = pa.ipc.open_stream(stream).read_all().to_pylist()
    assert [(row["id"], row["region"]) for row in arrow] == want


def test_a_limit_ends_the_output(leat: Leat, orders: Path) -> None:
    sql = "SELECT id FROM 'lake/orders' ORDER BY id"
    assert _query(leat, sql, "--limit", "2") == [{"id": 0}, {"id": 1}]
    assert len(_query(leat, "FROM range(10000)", "-n", "5000")) == 5000


def test_nested_values_are_json_and_sums_are_decimals(leat: Leat, orders: Path) -> None:
    sql = (
        "SELECT list(id ORDER BY id) AS ids, {'a': 1, 'b': [true, NULL]} AS s,"
        " sum(id) AS total, NULL AS nothing FROM 'lake/orders' WHERE id < 3"
    )
    assert _query(leat, sql) == [
        {"ids": [0, 1, 2], "s": {"a": 1, "b": [True, None]}, "total": 3, "nothing": None}
    ]
    assert _typed(leat, sql)[0]["total"] == Decimal(3)


def test_columns_of_one_name_are_numbered(leat: Leat, orders: Path) -> None:
    sql = "SELECT a.id, b.id FROM 'lake/orders' a JOIN 'lake/orders' b USING (id) WHERE a.id = 1"
    assert _query(leat, sql) == [{"id": 1, "id_1": 1}]


def test_tables_and_queries_are_described(leat: Leat, customers: Path) -> None:
    described = _query(leat, "DESCRIBE 'lake/customers'")
    assert [(row["column_name"], row["column_type"]) for row in described] == [
        ("id", "BIGINT"),
        ("name", "VARCHAR"),
    ]
    summary = _query(leat, "SUMMARIZE FROM 'lake/customers'")
    assert [(row["column_name"], row["max"]) for row in summary] == [("id", "2"), ("name", "cleo")]


# What is refused.


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("SELECT nothing FROM 'lake/orders'", "nothing"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "one SELECT, not 2 statements"),
        ("", "one SELECT"),
        ("SELECT * FROM nowhere", 'no table "nowhere"'),
        ("SELECT * FROM 'lake'", 'no table "lake"'),
        ("SELECT * FROM a.b", 'no table "a.b"'),
        ("WITH t AS (SELECT 1) FROM t VERSION AS OF 1", "does not follow the name of a table"),
        ("FROM 'lake/orders' VERSION AS OF 'x'", 'VERSION AS OF "x"'),
        ("SELECT $1", "parameter"),
    ],
)
def test_a_wrong_query_is_said_to_be_one(leat: Leat, orders: Path, sql: str, problem: str) -> None:
    assert problem in _failure(leat, sql)


def test_a_value_that_cannot_be_is_a_failure_and_no_misuse(leat: Leat, orders: Path) -> None:
    assert "r/" in _failure(leat, "SELECT region::INTEGER FROM 'lake/orders'", code=1)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM '/etc/passwd'",
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "SELECT * FROM 'lake/orders', read_blob('/etc/passwd')",
        "SELECT (SELECT content FROM read_text('/etc/passwd')) FROM 'lake/orders'",
        "WITH p AS (FROM read_text('/etc/passwd')) FROM p",
        "FROM query('FROM read_text(''/etc/passwd'')')",
        "FROM glob('/etc/*')",
        "FROM 'lake/orders/*.parquet'",
        "FROM read_parquet('lake/orders/**/*.parquet')",
        "FROM 'https://localhost/x.parquet'",
        "COPY (SELECT 1) TO 'written'",
        "COPY (FROM 'lake/orders') TO 'written'",
        "EXPORT DATABASE 'written'",
        "ATTACH 'written'",
        "FROM enable_logging(storage = 'file', storage_path = 'written')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "CREATE TABLE t AS SELECT 1",
        "SELECT * FROM 'lake/orders'; COPY (SELECT 1) TO 'written'",
        "SELECT 1) TO 'written'; COPY (SELECT 1",
    ],
)
def test_a_query_reads_nothing_but_tables_and_writes_nothing(
    leat: Leat, orders: Path, sql: str
) -> None:
    before = sorted(leat.dir.rglob("*"))
    assert "root:" not in _failure(leat, sql)
    assert sorted(leat.dir.rglob("*")) == before


def test_nothing_is_left_in_the_temporary_directory(leat: Leat, orders: Path) -> None:
    place = leat.dir / "tmp"
    place.mkdir()
    for sql in ("SELECT count(*) FROM 'lake/orders'", "FROM nowhere"):
        leat.run("query", sql, TMPDIR=str(place))
        assert list(place.iterdir()) == []
