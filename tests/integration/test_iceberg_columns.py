"""Columns that data files of Iceberg tables lack: their values come from the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import IntegerType, LongType, NestedField, StringType

from tests.lib.iceberg import iceberg_snapshots, metadata, metadata_file
from tests.lib.iceberg_writer import foreign_table, make_foreign_table
from tests.lib.leat import Leat

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "region", StringType(), required=False),
    NestedField(3, "year", IntegerType(), required=False),
)
DEFAULTS: dict[str, tuple[str, Any, Any]] = {
    "flag": ("boolean", True, True),
    "grade": ("int", 7, 7),
    "large": ("long", -9223372036854775808, -9223372036854775808),
    "ratio": ("double", 0.1, 0.1),
    "price": ("decimal(10, 2)", "14.20", 14.2),
    "day": ("date", "2017-11-16", "2017-11-16"),
    "local": ("timestamp", "2017-11-16T22:31:08.123456", "2017-11-16T22:31:08.123456"),
    "word": ("string", 'it\'s "ü"', 'it\'s "ü"'),
    "absent": ("string", None, None),
}


def add_defaults(directory: Path) -> None:
    """Another program raises the format version and adds columns with initial defaults."""
    found = metadata(directory)
    schema = json.loads(json.dumps(found["schemas"][-1]))
    schema["schema-id"] = len(found["schemas"])
    for number, (name, (kind, default, _)) in enumerate(DEFAULTS.items(), start=100):
        field = {"id": number, "name": name, "required": False, "type": kind}
        schema["fields"].append({**field, "initial-default": default} if default else field)
    found["schemas"].append(schema)
    found["current-schema-id"] = schema["schema-id"]
    found["last-column-id"] = 200
    found["format-version"] = 3
    found["next-row-id"] = 0
    number = int(metadata_file(directory).name.removeprefix("v").split(".")[0])
    (directory / "metadata" / f"v{number + 1}.metadata.json").write_text(json.dumps(found))


def query(leat: Leat, table: Path) -> list[dict[str, Any]]:
    """What leat reads."""
    done = leat.query(f"SELECT * FROM '{table}' ORDER BY id")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def changes(leat: Leat, table: Path) -> list[dict[str, Any]]:
    """All changes, without what is about their commits."""
    rows = [json.loads(line) for line in leat.changes(table).stdout.splitlines() if line]
    rows = [{k: v for k, v in row.items() if not k.startswith("_commit")} for row in rows]
    return sorted(rows, key=lambda row: (int(row["id"]), row["_change_type"]))


def test_rows_from_before_a_column_show_its_default(leat: Leat, tmp_path: Path) -> None:
    """Of every kind, in queries and in changes; a column without one shows null."""
    table = tmp_path / "table"
    made = make_foreign_table(table, SCHEMA)
    made.append(pa.table({"id": [1], "region": ["north"], "year": pa.array([2024], pa.int32())}))
    add_defaults(table)
    expected = {name: shown for name, (_, _, shown) in DEFAULTS.items()}
    (row,) = query(leat, table)
    assert {name: row[name] for name in DEFAULTS} == expected
    assert (row["id"], row["region"], row["year"]) == (1, "north", 2024)
    (change,) = changes(leat, table)
    assert {name: change[name] for name in DEFAULTS} == expected


def strip(table: Path, *columns: str) -> None:
    """Takes the columns out of all data files, as directories of Hive have them."""
    for file in (table / "data").rglob("*.parquet"):
        found = pq.ParquetFile(file).read()
        pq.write_table(found.drop_columns(list(columns)), file)


def test_columns_by_which_files_were_chosen_may_be_lacking_in_them(
    leat: Leat, tmp_path: Path
) -> None:
    """In queries, in changes, and null too."""
    table = tmp_path / "table"
    spec = PartitionSpec(
        PartitionField(2, 1000, IdentityTransform(), "region"),
        PartitionField(3, 1001, IdentityTransform(), "year"),
    )
    make_foreign_table(table, SCHEMA, spec)
    rows = [(1, "north", 2024), (2, "it's", 2025), (3, None, None), (4, "north", 2024)]
    columns = list(zip(*rows, strict=True))
    foreign_table(table).append(
        pa.table({"id": columns[0], "region": columns[1], "year": pa.array(columns[2], pa.int32())})
    )
    strip(table, "region", "year")
    expected = [dict(zip(("id", "region", "year"), row, strict=True)) for row in rows]
    assert query(leat, table) == expected
    assert changes(leat, table) == [{"_change_type": "insert", **row} for row in expected]
    assert len(iceberg_snapshots(table)) == 1
