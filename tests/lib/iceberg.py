"""Iceberg tables as others see them.

Two readers that we did not write the decoders of:

- `iceberg_table`: the `pyiceberg` package reads the whole table;
- `iceberg_rows_duckdb`: pyiceberg plans which files are live, DuckDB reads them by field id, and
  deletes by position (Parquet files, or bitmaps in Puffin files) are taken off here.

Both start at a metadata file and need no catalog. What lies at relative paths is looked for below
the working directory.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import duckdb
import pyarrow as pa
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, StaticTable
from pyiceberg.transforms import IdentityTransform

from .delta import bitmap_rows
from .json_rows import table_rows
from .rows import Row, canonical_rows

METADATA_NAME = re.compile(r"v?([0-9]+)(\.[0-9]+)?(-.*)?(\.gz)?\.metadata\.json(\.gz)?")


def metadata_file(location: Path | str) -> Path:
    """Returns the newest metadata file of a table's directory; a metadata file is itself."""
    place = Path(location)
    if place.is_file():
        return place
    found = []
    for file in (place / "metadata").iterdir():
        name = METADATA_NAME.fullmatch(file.name)
        if name:
            found.append((int(name[1]), file.name, file))
    if not found:
        raise AssertionError(f"{place}: no metadata file")
    return max(found)[2]


def metadata(location: Path | str) -> dict[str, Any]:
    """Returns a table's newest metadata."""
    data = metadata_file(location).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    found: dict[str, Any] = json.loads(data)
    return found


@dataclass(frozen=True)
class Snapshot:
    """What the metadata says of a snapshot."""

    id: int
    parent: int | None
    operation: str
    summary: dict[str, str]

    @property
    def writes_deletes(self) -> bool:
        """Whether it added files of deleted rows (merge-on-read)."""
        return int(self.summary.get("added-delete-files", "0")) > 0


def iceberg_snapshots(location: Path | str) -> list[Snapshot]:
    """Returns the snapshots from which the current one descends, and it, oldest first."""
    known = metadata(location)
    by_id = {snapshot["snapshot-id"]: snapshot for snapshot in known.get("snapshots", [])}
    line: list[Snapshot] = []
    at: int = known.get("current-snapshot-id") or -1
    while at in by_id:
        snapshot = by_id[at]
        summary = snapshot.get("summary", {})
        parent = snapshot.get("parent-snapshot-id")
        line.append(Snapshot(at, parent, summary.get("operation", ""), summary))
        at = parent or -1
    return line[::-1]


# First reader: pyiceberg.


def iceberg_table(location: Path | str, snapshot: int | None = None) -> pa.Table:
    """Returns the rows of a table (at a snapshot) as `pyiceberg` reads them."""
    return open_table(location).scan(snapshot_id=snapshot).to_arrow()


def iceberg_rows(location: Path | str, snapshot: int | None = None) -> list[Row]:
    """As iceberg_table(), in canonical form."""
    return table_rows(iceberg_table(location, snapshot))


def iceberg_files(location: Path | str, snapshot: int | None = None) -> set[str]:
    """Returns the names of the live data files of a table (at a snapshot)."""
    tasks = open_table(location).scan(snapshot_id=snapshot).plan_files()
    return {Path(task.file.file_path).name for task in tasks}


def open_table(location: Path | str) -> StaticTable:
    """Opens a table in its newest state, without a catalog."""
    return StaticTable.from_metadata(str(metadata_file(location)))


# Second reader: DuckDB over the planned files.


def iceberg_rows_duckdb(location: Path | str, snapshot: int | None = None) -> list[Row]:
    """Returns the rows of a table (at a snapshot) as DuckDB reads its live files."""
    table = open_table(location)
    scan = table.scan(snapshot_id=snapshot)
    rows: list[Row] = []
    for task in scan.plan_files():
        spec = table.specs()[task.file.spec_id]
        rows += _file_rows(task, scan.projection(), spec)
    return canonical_rows(rows)


def _local(uri: str) -> str:
    return unquote(urlparse(uri).path) if uri.startswith("file:") else uri


def _field_ids(connection: duckdb.DuckDBPyConnection, file: str) -> dict[int, str]:
    """Returns the names of a file's columns (not of what is nested in them) by field id."""
    found = connection.execute(
        "SELECT name, field_id, num_children FROM parquet_schema(?)", [file]
    ).fetchall()
    names, inside = {}, [len(found)]
    for name, field_id, children in found[1:]:
        if len(inside) == 1 and field_id is not None:
            names[int(field_id)] = str(name)
        inside[-1] -= 1
        if children:
            inside.append(children)
        while len(inside) > 1 and inside[-1] == 0:
            inside.pop()
    return names


def _constants(data_file: DataFile, spec: PartitionSpec) -> dict[int, Any]:
    """Returns the values, by field id, of columns by whose values the table is partitioned."""
    return {
        field.source_id: data_file.partition[place]
        for place, field in enumerate(spec.fields)
        if isinstance(field.transform, IdentityTransform)
    }


def _file_rows(task: FileScanTask, schema: Schema, spec: PartitionSpec) -> list[Row]:
    data_file = task.file
    assert data_file.file_format == FileFormat.PARQUET, f"{data_file.file_path}: no Parquet"
    file = _local(data_file.file_path)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        names = _field_ids(connection, file)
        absent = [field for field in schema.fields if field.field_id not in names]
        items = [
            f'"{names[field.field_id]}" AS "{field.name}"'
            for field in schema.fields
            if field.field_id in names
        ]
        items.append("file_row_number AS _row")
        # A value in a path is escaped: none may come from there.
        options = "file_row_number = true, hive_partitioning = false"
        query = f"SELECT {', '.join(items)} FROM read_parquet(?, {options})"
        found = connection.execute(query, [file]).fetch_arrow_table().to_pylist()
        deleted = _deleted(connection, task.delete_files, data_file.file_path)
    assert len(found) == data_file.record_count, f"{file}: {len(found)} rows"
    assert all(row < len(found) for row in deleted), f"{file}: deleted rows past the end"
    constants = _constants(data_file, spec)
    defaults = {
        field.name: constants.get(field.field_id, field.initial_default) for field in absent
    }
    order = [field.name for field in schema.fields]
    rows = []
    for row in found:
        if row.pop("_row") not in deleted:
            whole = {**row, **defaults}
            rows.append({name: whole[name] for name in order})
    return rows


def _deleted(
    connection: duckdb.DuckDBPyConnection, files: Iterable[DataFile], path: str
) -> set[int]:
    """Returns the numbers of the rows of a data file that delete files name."""
    rows: set[int] = set()
    for file in files:
        place = _local(file.file_path)
        assert file.content == DataFileContent.POSITION_DELETES, f"{place}: deletes by value"
        if file.file_format == FileFormat.PUFFIN:
            rows.update(_puffin_rows(Path(place), path))
        else:
            found = connection.execute(
                "SELECT pos FROM read_parquet(?) WHERE file_path = ?", [place, path]
            ).fetchall()
            rows.update(int(row[0]) for row in found)
    return rows


def _puffin_rows(file: Path, path: str) -> list[int]:
    """Returns the rows in the bitmap that a Puffin file has for a data file."""
    data = file.read_bytes()
    assert data[:4] == b"PFA1" == data[-4:], f"{file}: no Puffin file"
    size, flags = struct.unpack_from("<II", data, len(data) - 12)
    assert flags == 0, f"{file}: footer is compressed"
    footer = json.loads(data[len(data) - 12 - size : len(data) - 12])
    rows = []
    for blob in footer["blobs"]:
        if blob["properties"].get("referenced-data-file") != path:
            continue
        assert blob["type"] == "deletion-vector-v1"
        vector = data[blob["offset"] : blob["offset"] + blob["length"]]
        (length,) = struct.unpack_from(">I", vector)
        (checksum,) = struct.unpack_from(">I", vector, 4 + length)
        assert zlib.crc32(vector[4 : 4 + length]) == checksum, f"{file}: checksum"
        found = bitmap_rows(vector[4 : 4 + length])
        assert len(found) == int(blob["properties"]["cardinality"]), f"{file}: cardinality"
        rows += found
    return rows
