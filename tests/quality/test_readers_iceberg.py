"""The readers of Iceberg tables and of leat's JSON that judge leat, proven without it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tests.lib.delta import apply_feed
from tests.lib.iceberg import iceberg_rows, iceberg_rows_duckdb
from tests.lib.json_rows import json_rows, table_rows
from tests.lib.rows import Row, as_multiset, assert_same_rows, is_same

if TYPE_CHECKING:
    from tests.lib.spark import Spark


# Format versions 3 (bitmaps), 2 (files of positions) and 1.
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("seed", "version"), [(200, 3), (201, 2), (202, 1)])
def test_three_readers_agree_on_each_snapshot_of_an_iceberg_table(
    spark: Spark, tmp_path: Path, seed: int, version: int
) -> None:
    from tests.lib.histories import IcebergHistory

    history = IcebergHistory(spark, tmp_path, seed)
    assert history.form.version == version
    for snapshot in history.snapshots:
        expected = table_rows(history.rows_at(snapshot.id))
        rows = iceberg_rows(history.path, snapshot.id)
        assert_same_rows(expected, rows, names=("spark", "pyiceberg"))
        rows = iceberg_rows_duckdb(history.path, snapshot.id)
        assert_same_rows(expected, rows, names=("spark", "duckdb"))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (pa.int64(), "9223372036854775807", 2**63 - 1),
        (pa.bool_(), "true", True),
        (pa.float32(), "0.1", 0.10000000149011612),
        (pa.float64(), "-0.0", -0.0),
        (pa.float64(), '"NaN"', float("nan")),
        (pa.decimal128(38, 10), "1234567890123456789012345678.0123456789",
         Decimal("1234567890123456789012345678.0123456789")),
        (pa.string(), '"\\u0001\\n🙂"', "\x01\n🙂"),
        (pa.binary(), '"AP8="', b"\x00\xff"),
        (pa.date32(), '"0001-01-01"', date(1, 1, 1)),
        (pa.timestamp("us", "UTC"), '"2024-02-29T12:34:56.5Z"',
         datetime(2024, 2, 29, 12, 34, 56, 500000, tzinfo=UTC)),
        (pa.timestamp("us"), '"2024-02-29T12:34:56"',
         datetime(2024, 2, 29, 12, 34, 56, tzinfo=UTC)),
        (pa.time64("us"), '"12:34:56.5"', "12:34:56.5"),
        (pa.list_(pa.int32()), "[1,null]", [1, None]),
        (pa.map_(pa.int32(), pa.string()), '{"7":"a"}', [(7, "a")]),
        (pa.struct([("a", pa.decimal128(4, 2))]), '{"a":1.50}', {"a": Decimal("1.50")}),
        (pa.int64(), "null", None),
    ],
)  # fmt: skip
def test_a_value_is_read_in_the_form_that_its_type_has(
    kind: pa.DataType, text: str, value: Any
) -> None:
    (row,) = json_rows(f'{{"v":{text}}}\n', {"v": kind})
    assert is_same(row["v"], value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pa.int64(), '"1"'),
        (pa.int64(), "1.0"),
        (pa.int64(), "true"),
        (pa.int32(), "2147483648"),
        (pa.bool_(), "1"),
        (pa.float64(), '"1.5"'),
        (pa.float64(), "NaN"),
        (pa.float64(), "1e999"),
        (pa.decimal128(10, 2), "1.5"),
        (pa.decimal128(10, 2), '"1.50"'),
        (pa.decimal128(10, 2), "1.5e0"),
        (pa.string(), "1"),
        (pa.binary(), '"\\\\x00ff"'),
        (pa.timestamp("us", "UTC"), '"2024-02-29T12:34:56"'),
        (pa.timestamp("us"), '"2024-02-29T12:34:56Z"'),
        (pa.timestamp("us", "UTC"), '"2024-02-29 12:34:56Z"'),
        (pa.timestamp("us", "UTC"), '"2024-02-29T12:34:56.500Z"'),
        (pa.list_(pa.int32()), "{}"),
        (pa.struct([("a", pa.int32())]), "{}"),
    ],
)
def test_a_value_in_the_form_of_another_type_is_refused(kind: pa.DataType, text: str) -> None:
    with pytest.raises(AssertionError, match="is no "):
        json_rows(f'{{"v":{text}}}\n', {"v": kind})


def test_a_missing_or_unknown_column_is_refused() -> None:
    types = {"a": pa.int32(), "b": pa.int32()}
    assert json_rows('{"b":1,"a":2}\n', types) == [{"a": 2, "b": 1}]
    for line in ('{"a":1}', '{"a":1,"b":2,"c":3}', "[]"):
        with pytest.raises(AssertionError):
            json_rows(line, types)


def change(kind: str, commit: int, value: str) -> Row:
    return {"v": value, "_change_type": kind, "_commit_snapshot_id": commit}


def test_changes_of_rows_that_are_there_twice_are_applied_one_by_one() -> None:
    feed = [
        change("insert", 7, "b"),
        change("delete", 7, "a"),
        change("update_preimage", 3, "b"),
        change("update_postimage", 3, "a"),
    ]
    held = apply_feed([{"v": "a"}, {"v": "a"}], feed, "_commit_snapshot_id")
    assert held == as_multiset([{"v": "a"}, {"v": "a"}])


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ([change("delete", 1, "x")], "1 rows go, 0 are held"),
        ([change("delete", 1, "a"), change("delete", 1, "a")], "2 rows go, 1 are held"),
        ([change("update_postimage", 1, "a")], "half an update"),
        ([change(*c, "b") for c in (("insert", 1), ("insert", 2), ("insert", 1))], "two places"),
        ([change("upsert", 1, "b")], "upsert"),
    ],
)
def test_changes_that_do_not_fit_the_rows_are_refused(feed: list[Row], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        apply_feed([{"v": "a"}], feed, "_commit_snapshot_id")
