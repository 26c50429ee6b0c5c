"""Changes read back out of tables that others wrote, judged by what others read from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.lib.delta import delta_cdf, delta_rows, delta_rows_duckdb, delta_version
from tests.lib.leat import Leat
from tests.lib.rows import Row

META = ("_change_type", "_commit_version", "_commit_timestamp")

FOREIGN = (
    "cdc_ict_table",
    "cdf-table",
    "cdf-table-non-partitioned",
    "cdf-table-with-cdc-and-dvs",
    "delta-0.2.0",
    "delta-0.8-empty",
    "delta-0.8.0",
    "delta-0.8.0-null-partition",
    "delta-0.8.0-partitioned",
    "delta-0.8.0-special-partition",
    "simple_table",
    "simple_table_with_cdc",
    "table-with-dv-small",
    "table_with_deletion_logs",
    "issue_1374",
)


def changes(leat: Leat, path: Path, *more: str) -> list[Row]:
    """Returns the changes of a table as `leat changes` prints them."""
    done = leat.run("changes", str(path), "--format", "json", *more, config=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


def plain(value: Any) -> Any:
    """Returns a value as text, whether it is Python's or was read from JSON."""
    if isinstance(value, datetime):
        text = (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        whole, dot, fraction = text.replace("+00:00", "").partition(".")
        return (whole + dot + fraction.rstrip("0")) + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return format(Decimal(repr(value) if isinstance(value, float) else value).normalize(), "f")
    return value


def bag(rows: Iterable[Row]) -> Counter[str]:
    """Returns rows as a multiset of texts, without what the changes add to them."""
    return Counter(
        json.dumps({k: plain(v) for k, v in row.items() if k not in META}, sort_keys=True)
        for row in rows
    )


def applied(rows: Iterable[Row], before: Counter[str] | None = None) -> Counter[str]:
    """Returns what a table holds after changes; a row that is deleted must have been there."""
    held = Counter(before or {})
    rows = list(rows)
    held.update(bag(row for row in rows if row["_change_type"] in ("insert", "update_postimage")))
    held.subtract(bag(row for row in rows if row["_change_type"] in ("delete", "update_preimage")))
    assert all(count >= 0 for count in held.values()), held
    return +held


@pytest.mark.parametrize("name", FOREIGN)
def test_changes_add_up_to_every_version_of_a_foreign_table(
    leat: Leat, corpora: Path, name: str
) -> None:
    path = corpora / "delta" / "delta-rs" / name
    rows = changes(leat, path)
    held: Counter[str] = Counter()
    for version in range(delta_version(path) + 1):
        held = applied((row for row in rows if row["_commit_version"] == version), held)
        expected = bag(delta_rows_duckdb(path, version))
        columns = set(json.loads(next(iter(expected), "{}")))
        if expected and columns != set(rows[0]) - set(META):
            continue  # the schema has changed since
        assert held == expected, f"version {version}"


def table(ids: list[int], values: list[str | None]) -> pa.Table:
    """Makes rows of several types."""
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "value": pa.array(values, pa.string()),
            "amount": pa.array(
                [Decimal(i * 1_000_003).scaleb(-6) for i in ids], pa.decimal128(20, 6)
            ),
            "day": pa.array([date(2026, 1, 1 + i % 28) for i in ids], pa.date32()),
            "at": pa.array(
                [datetime(2026, 1, 1, 0, 0, i % 60, 123456, tzinfo=UTC) for i in ids],
                pa.timestamp("us", "UTC"),
            ),
            "ratio": pa.array([i / 3 if i % 2 else None for i in ids], pa.float64()),
        }
    )


def rewrite(path: Path, configuration: dict[str, str] | None) -> None:
    """Makes a table that deltalake rewrites whole files of: update, delete, merge, overwrite."""
    rows = [f"v{i}" if i % 3 else None for i in range(100)]
    write_deltalake(path, table(list(range(100)), rows), configuration=configuration)
    t = DeltaTable(path)
    t.update(predicate="id = 7", updates={"value": "'seven'"})
    t.delete("id >= 90")
    merged = table([5, 50, 500], ["five", "fifty", "five hundred"])
    t.merge(
        merged, "t.id = s.id", source_alias="s", target_alias="t"
    ).when_matched_update_all().when_not_matched_insert_all().execute()
    t.optimize.compact()


def test_rewritten_files_without_a_feed_show_the_rows_that_changed(
    leat: Leat, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    rewrite(path, None)
    rows = changes(leat, path)
    counts = Counter((row["_commit_version"], row["_change_type"]) for row in rows)
    assert counts == {
        (0, "insert"): 100,
        (1, "delete"): 1,
        (1, "insert"): 1,
        (2, "delete"): 10,
        (3, "delete"): 2,
        (3, "insert"): 3,
    }
    assert applied(rows) == bag(delta_rows(path))
    assert {row["id"] for row in changes(leat, path, "--from", "1", "--to", "1")} == {7}
    assert len(changes(leat, path, "--from", "3", "--type", "delete")) == 2


def test_a_feed_is_read_as_others_read_it(leat: Leat, tmp_path: Path) -> None:
    path = tmp_path / "table"
    rewrite(path, {"delta.enableChangeDataFeed": "true"})

    def told(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
        return Counter((row["_commit_version"], row["_change_type"], *bag([row])) for row in rows)

    assert told(changes(leat, path)) == told(delta_cdf(path))


def test_changes_after_an_overwrite_are_what_differs(leat: Leat, tmp_path: Path) -> None:
    path = tmp_path / "table"
    write_deltalake(path, table([1, 2, 3], ["a", "b", "c"]))
    write_deltalake(path, table([3, 2, 4], ["c", "B", "d"]), mode="overwrite")
    rows = changes(leat, path, "--from", "1")
    assert Counter((row["_change_type"], row["id"]) for row in rows) == {
        ("delete", 1): 1,
        ("delete", 2): 1,
        ("insert", 2): 1,
        ("insert", 4): 1,
    }
