"""Delta tables as others see them.

Two readers that we did not write the decoders of, and that share nothing:

- `delta_rows`: the `deltalake` package (the Rust implementation) reads the whole table;
- `delta_rows_duckdb`: the log is replayed here, in Python, DuckDB reads each live Parquet file,
  and deletion vectors are decoded with `pyroaring`. It reads classic checkpoints too.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from pyroaring import BitMap

from .rows import Row, as_multiset, by_key, canonical_rows, differences, key_of

Action = dict[str, Any]


# First reader: deltalake.


def delta_rows(path: Path | str, version: int | None = None) -> list[Row]:
    """Returns the rows of a table (at a version) as `deltalake` reads them."""
    table = DeltaTable(str(path), version=version)
    found = QueryBuilder().register("t", table).execute("SELECT * FROM t")
    return canonical_rows(pa.table(found.read_all()).to_pylist())


def delta_version(path: Path | str) -> int:
    """Returns the newest version of a table, -1 where there is none."""
    try:
        return DeltaTable(str(path)).version()
    except Exception as error:  # the package has no narrower kind for all of "no table here"
        if type(error).__name__ in ("TableNotFoundError", "FileNotFoundError", "DeltaError"):
            return -1
        raise


def delta_cdf(path: Path | str, start: int = 0, end: int | None = None) -> list[Row]:
    """Returns the change feed from a version to a version (inclusive), in order of versions.

    Rows carry `_change_type`, `_commit_version` and `_commit_timestamp`.
    """
    feed = DeltaTable(str(path)).load_cdf(starting_version=start, ending_version=end)
    rows = canonical_rows(pa.table(feed.read_all()).to_pylist())
    return sorted(rows, key=lambda row: int(row["_commit_version"]))


# Second reader: log replay, DuckDB, pyroaring.


@dataclass
class Snapshot:
    """A table at one version: what its log says."""

    version: int = -1
    protocol: Action = field(default_factory=dict)
    metadata: Action = field(default_factory=dict)
    files: dict[tuple[str, str], Action] = field(default_factory=dict)
    domains: dict[str, Action] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)

    @property
    def schema(self) -> list[Action]:
        """The fields of the table's schema."""
        fields: list[Action] = json.loads(self.metadata["schemaString"])["fields"]
        return fields

    @property
    def partition_columns(self) -> list[str]:
        """The partition columns."""
        return list(self.metadata.get("partitionColumns") or [])


def _dv_id(add: Action) -> str:
    vector = add.get("deletionVector")
    if not vector:
        return ""
    offset = vector.get("offset")
    suffix = "" if offset is None else f"@{offset}"
    return f"{vector['storageType']}{vector['pathOrInlineDv']}{suffix}"


def _apply(snapshot: Snapshot, action: Action) -> None:
    for kind, body in action.items():
        if body is None:
            continue
        if kind == "protocol":
            snapshot.protocol = body
        elif kind == "metaData":
            snapshot.metadata = body
        elif kind == "add":
            snapshot.files[(body["path"], _dv_id(body))] = body
        elif kind == "remove":
            snapshot.files.pop((body["path"], _dv_id(body)), None)
        elif kind == "txn":
            snapshot.transactions[body["appId"]] = body["version"]
        elif kind == "domainMetadata":
            if body.get("removed"):
                snapshot.domains.pop(body["domain"], None)
            else:
                snapshot.domains[body["domain"]] = body


def delta_commit(path: Path | str, version: int) -> list[Action]:
    """Returns the actions of one commit file."""
    text = (Path(path) / "_delta_log" / f"{version:020}.json").read_text()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _checkpoint_actions(log: Path, version: int) -> Iterator[Action]:
    files = sorted(log.glob(f"{version:020}.checkpoint*.parquet"))
    for file in files:
        with duckdb.connect() as connection:
            found = connection.execute("SELECT * FROM read_parquet(?)", [str(file)])
            for row in found.fetch_arrow_table().to_pylist():
                yield {kind: _without_maps(body) for kind, body in row.items() if body is not None}


def _without_maps(body: Any) -> Any:
    # Arrow gives maps as lists of pairs.
    if isinstance(body, dict):
        return {
            key: (
                dict(value)
                if key in ("partitionValues", "configuration", "options", "tags")
                and isinstance(value, list)
                else _without_maps(value)
            )
            for key, value in body.items()
        }
    return body


def delta_snapshot(
    path: Path | str, version: int | None = None, use_checkpoint: bool = True
) -> Snapshot:
    """Replays a table's log up to a version (default: all of it)."""
    log = Path(path) / "_delta_log"
    commits = sorted(int(f.name[:20]) for f in log.glob("*.json") if f.name[:20].isdigit())
    checkpoints = sorted({int(f.name[:20]) for f in log.glob("*.checkpoint*.parquet")})
    if version is not None:
        commits = [found for found in commits if found <= version]
        checkpoints = [found for found in checkpoints if found <= version]
    snapshot = Snapshot()
    if checkpoints and use_checkpoint:
        for action in _checkpoint_actions(log, checkpoints[-1]):
            _apply(snapshot, action)
        snapshot.version = checkpoints[-1]
    for found in commits:
        if found <= snapshot.version:
            continue
        if found != snapshot.version + 1:
            raise AssertionError(f"{path}: version {snapshot.version + 1} is missing")
        for action in delta_commit(path, found):
            _apply(snapshot, action)
        snapshot.version = found
    if version is not None and snapshot.version != version:
        raise AssertionError(f"{path}: has no version {version}")
    if not snapshot.metadata or not snapshot.protocol:
        raise AssertionError(f"{path}: no table (log without metadata or protocol)")
    return snapshot


def _vector_bytes(path: Path, vector: Action) -> bytes:
    """Returns the bitmap of a deletion vector, after the checks that the format asks for."""
    where: str = vector["pathOrInlineDv"]
    if vector["storageType"] == "i":
        return _z85_decode(where)
    if vector["storageType"] == "u":
        raw = _z85_decode(where[-20:]).hex()
        name = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
        file = path / where[:-20] / f"deletion_vector_{name}.bin"
    else:
        file = Path(unquote(where.removeprefix("file://")))
    data = file.read_bytes()
    assert data[0] == 1, f"{file}: version {data[0]}"
    offset = vector.get("offset") or 0
    (size,) = struct.unpack_from(">i", data, offset)
    assert size == vector["sizeInBytes"], f"{file}: size {size}, log says {vector['sizeInBytes']}"
    bitmap = data[offset + 4 : offset + 4 + size]
    (checksum,) = struct.unpack_from(">I", data, offset + 4 + size)
    assert zlib.crc32(bitmap) == checksum, f"{file}: checksum"
    return bitmap


def _z85_decode(text: str) -> bytes:
    # RFC 32/Z85, which differs from base64.b85 in its alphabet only.
    z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    b85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    return base64.b85decode(text.translate(str.maketrans(z85, b85)))


def deletion_vector(path: Path | str, vector: Action) -> list[int]:
    """Returns the row numbers in a deletion vector, and checks its cardinality."""
    rows = bitmap_rows(_vector_bytes(Path(path), vector))
    assert len(rows) == vector["cardinality"], f"{len(rows)} rows, log says {vector['cardinality']}"
    return rows


def bitmap_rows(data: bytes) -> list[int]:
    """Returns the row numbers in a bitmap of the form that Delta and Iceberg share."""
    magic, buckets = struct.unpack_from("<iq", data, 0)
    assert magic == 1681511377, f"deletion vector: magic {magic}"
    at, rows = 12, []
    for _ in range(buckets):
        (high,) = struct.unpack_from("<I", data, at)
        bitmap = BitMap.deserialize(data[at + 4 :])
        at += 4 + len(bitmap.serialize())
        rows += [(high << 32) | low for low in bitmap]
    return rows


def _partition_value(kind: Any, text: str | None) -> Any:
    if text is None or text == "":
        return None
    if kind in ("integer", "long", "short", "byte"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text == "true"
    if kind == "date":
        return date.fromisoformat(text)
    if kind in ("timestamp", "timestamp_ntz"):
        return datetime.fromisoformat(text)
    if kind == "binary":
        return text.encode()
    if isinstance(kind, str) and kind.startswith("decimal"):
        return Decimal(text)
    return text


def _file_rows(path: Path, snapshot: Snapshot, add: Action) -> list[Row]:
    file = path / unquote(add["path"])
    partitions = snapshot.partition_columns
    fields = [column for column in snapshot.schema if column["name"] not in partitions]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        there = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)])
        names = {column[0] for column in there.fetchall()}
        # A file older than a column does not have it: null.
        items = [
            f'"{column["name"]}"' if column["name"] in names else f'NULL AS "{column["name"]}"'
            for column in fields
        ]
        items.append("file_row_number AS _row")
        # Partition values come from the log: paths have them escaped.
        options = "file_row_number = true, hive_partitioning = false"
        query = f"SELECT {', '.join(items)} FROM read_parquet(?, {options})"
        found = connection.execute(query, [str(file)]).fetch_arrow_table().to_pylist()
    stats = json.loads(add["stats"]) if add.get("stats") else {}
    if "numRecords" in stats:
        assert stats["numRecords"] == len(found), f"{file}: {len(found)} rows, log says {stats}"
    vector = add.get("deletionVector")
    deleted = set(deletion_vector(path, vector)) if vector else set()
    assert all(row < len(found) for row in deleted), f"{file}: deleted rows past the end"
    kinds = {column["name"]: column["type"] for column in snapshot.schema}
    values = {
        name: _partition_value(kinds[name], (add.get("partitionValues") or {}).get(name))
        for name in partitions
    }
    order = [column["name"] for column in snapshot.schema]
    rows = []
    for row in found:
        if row.pop("_row") not in deleted:
            whole = {**row, **values}
            rows.append({name: whole[name] for name in order})
    return rows


def delta_rows_duckdb(
    path: Path | str, version: int | None = None, use_checkpoint: bool = True
) -> list[Row]:
    """Returns the rows of a table as DuckDB reads its live files."""
    root = Path(path)
    snapshot = delta_snapshot(root, version, use_checkpoint)
    mapping = (snapshot.metadata.get("configuration") or {}).get("delta.columnMapping.mode", "none")
    assert mapping == "none", "this reader knows no column mapping"
    paths = [add["path"] for add in snapshot.files.values()]
    assert len(paths) == len(set(paths)), f"{path}: a data file is live twice"
    rows: list[Row] = []
    for add in snapshot.files.values():
        rows += _file_rows(root, snapshot, add)
    return canonical_rows(rows)


# The change feed as a table.

FEED_COLUMNS = ("_change_type", "_commit_version", "_commit_snapshot_id", "_commit_timestamp")


def payload(row: Row) -> Row:
    """Returns a row of a feed as its table has it."""
    return {name: value for name, value in row.items() if name not in FEED_COLUMNS}


def _check_before(held: Row, row: Row, version: int, kind: str) -> None:
    lines = differences(held, row)
    if lines:
        raise AssertionError(f"version {version}: {kind} is not the row held: {'; '.join(lines)}")


def replay_feed(rows: Iterable[Row], key: Iterable[str] | str) -> list[Row]:
    """Rebuilds a table from its feed, read from the first version on.

    Per version, as the format says, rows vanish (delete, update_preimage) before rows appear
    (insert, update_postimage). Fails on a second insert of a key, on an update or delete of an
    absent one, on a before image that is not the row held, and on half an update.
    """
    columns = [key] if isinstance(key, str) else list(key)
    held: dict[Any, Row] = {}
    versions: dict[int, list[Row]] = {}
    for row in rows:
        versions.setdefault(int(row["_commit_version"]), []).append(row)
    for version in sorted(versions):
        kinds: dict[str, list[Row]] = {
            "delete": [],
            "update_preimage": [],
            "insert": [],
            "update_postimage": [],
        }
        for row in versions[version]:
            kinds[row["_change_type"]].append(payload(row))
        before = by_key(kinds["update_preimage"], columns, f"version {version} preimages")
        after = by_key(kinds["update_postimage"], columns, f"version {version} postimages")
        if before.keys() != after.keys():
            odd = sorted(map(str, before.keys() ^ after.keys()))
            raise AssertionError(f"version {version}: half an update of {odd[:5]}")
        for kind in ("delete", "update_preimage"):
            for row in kinds[kind]:
                place = key_of(row, columns)
                if place not in held:
                    raise AssertionError(f"version {version}: {kind} of absent key {place}")
                _check_before(held.pop(place), row, version, kind)
        for kind in ("insert", "update_postimage"):
            for row in kinds[kind]:
                place = key_of(row, columns)
                if place in held:
                    raise AssertionError(f"version {version}: {kind} of present key {place}")
                held[place] = row
    return list(held.values())


def apply_feed(rows: Iterable[Row], feed: Iterable[Row], commit: str) -> Counter[str]:
    """Applies changes to the rows of a table that may hold a row twice; returns row_text() counts.

    Changes come commit by commit (`commit` is the column that tells which); in each, rows vanish
    before rows appear. Fails on a vanishing row that is not there, and on half an update.
    """
    held = as_multiset(rows)
    seen: set[Any] = set()
    for version, group in groupby(feed, key=lambda row: row[commit]):
        assert version not in seen, f"{commit} {version} comes in two places"
        seen.add(version)
        gone: list[Row] = []
        new: list[Row] = []
        counts = Counter[str]()
        for row in group:
            kind = row["_change_type"]
            counts[kind] += 1
            (gone if kind in ("delete", "update_preimage") else new).append(payload(row))
            assert kind in ("delete", "update_preimage", "insert", "update_postimage"), kind
        assert counts["update_preimage"] == counts["update_postimage"], f"{version}: half an update"
        for text, count in as_multiset(gone).items():
            assert held[text] >= count, f"{version}: {count} rows go, {held[text]} are held: {text}"
            held[text] -= count
        held.update(as_multiset(new))
    return +held


def feed_counts(rows: Iterable[Row]) -> dict[str, int]:
    """Returns how many rows of each change type a feed has."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["_change_type"]] = counts.get(row["_change_type"], 0) + 1
    return counts
