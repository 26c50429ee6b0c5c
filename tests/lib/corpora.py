"""Tables written by others, and what foreign readers say of their rows.

Where they come from stands in the README of their directory: kernel-golden has its expected rows
with it, the others are read by the packages of their formats and by Spark.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard
from deltalake import DeltaTable, QueryBuilder

from .iceberg import iceberg_table, metadata
from .json_rows import json_rows, table_rows, types_of
from .leat import Leat
from .rows import Row, row_text
from .spark import Spark, arrow

# Tables that no reader may take for good.
BROKEN = (
    "bad_iceberg_metadata.json",
    "deltalog-invalid-protocol-version",
    "deltalog-state-reconstruction-from-checkpoint-missing-metadata",
    "deltalog-state-reconstruction-from-checkpoint-missing-protocol",
    "deltalog-state-reconstruction-without-metadata",
    "deltalog-state-reconstruction-without-protocol",
    "no-delta-log-folder",
    "versions-not-contiguous",
)

# Its expected rows hold a partition's time without zone as the local time of their author.
LOCAL_TIME = "data-reader-partition-values"

Reader = Callable[[], pa.Table]


@dataclass
class Table:
    """A foreign table: where it is, and who can tell its rows, the most trusted reader first."""

    name: str
    location: str
    readers: dict[str, Reader] = field(default_factory=dict)

    @property
    def is_broken(self) -> bool:
        """Whether it must be refused."""
        return any(part in BROKEN for part in Path(self.name).parts)


@dataclass
class Verdict:
    """What became of reading a table."""

    table: Table
    outcome: str  # read, refused, wrong, not judged
    reason: str = ""

    def __str__(self) -> str:
        """Prints it on one line."""
        return f"{self.outcome}: {self.table.name}: {self.reason}"


# The tables.


def golden_tables(corpora: Path, scratch: Path, spark: Spark) -> Iterator[Table]:
    """Unpacks kernel-golden, and returns its tables."""
    for archive in sorted((corpora / "delta" / "kernel-golden").glob("*.tar.zst")):
        data = zstandard.ZstdDecompressor().stream_reader(archive.read_bytes())
        with tarfile.open(fileobj=io.BytesIO(data.read())) as tar:
            tar.extractall(scratch, filter="data")
        name = archive.name.removesuffix(".tar.zst")
        expected = scratch / name / "expected"
        readers: dict[str, Reader] = {}
        if expected.is_dir() and name != LOCAL_TIME:
            readers["its own rows"] = _parquet_reader(spark, expected)
        root = scratch / name / "delta"
        # One archive has several tables, one has a table without a log.
        for place in sorted(log.parent for log in root.rglob("_delta_log")) or [root]:
            inner = str(place.relative_to(scratch)).replace("/delta", "", 1)
            yield Table(inner, str(place), readers or _delta_readers(spark, place))


def delta_rs_tables(corpora: Path, spark: Spark) -> Iterator[Table]:
    """Returns the tables of delta-rs."""
    root = corpora / "delta" / "delta-rs"
    for log in sorted(root.rglob("_delta_log")):
        place = log.parent
        yield Table(str(place.relative_to(root)), str(place), _delta_readers(spark, place))


def iceberg_tables(corpora: Path, scratch: Path, spark: Spark) -> Iterator[Table]:
    """Copies the Iceberg tables to where their paths lead from `scratch`, and returns them."""
    root = scratch / "data" / "persistent"
    # Checksums of files that were changed afterwards would keep Spark from reading them.
    shutil.copytree(
        corpora / "iceberg" / "duckdb",
        root,
        copy_function=shutil.copyfile,
        ignore=shutil.ignore_patterns(".*.crc"),
    )
    for directory in [root, *root.rglob("*")]:
        if directory.is_dir():
            directory.chmod(0o755)
    # Some were written from below another directory.
    for place in (root / "iceberg").iterdir():
        (scratch / place.name).symlink_to(place)
    for folder in sorted(root.rglob("metadata")):
        place = folder.parent.relative_to(scratch)
        name = str(place.relative_to("data/persistent"))
        file = _newest(folder).relative_to(scratch)
        hinted = (folder / "version-hint.text").exists()
        readers = {
            "spark": _spark_iceberg_reader(spark, scratch / file),
            "pyiceberg": _pyiceberg_reader(file),
        }
        yield Table(name, str(place if hinted else file), readers)
    for file in sorted((root / "bad_data").iterdir()):
        yield Table(f"bad_data/{file.name}", str(file.relative_to(scratch)))


def _newest(folder: Path) -> Path:
    files = [file for file in folder.iterdir() if _is_metadata(file)]
    return max(files, key=lambda file: (metadata(file).get("last-updated-ms", 0), file.name))


def _is_metadata(file: Path) -> bool:
    return file.name.endswith(".metadata.json") and not file.name.startswith(".")


# Their readers.


def _parquet_reader(spark: Spark, directory: Path) -> Reader:
    return lambda: arrow(spark.session.read.parquet(str(directory)))


def _delta_readers(spark: Spark, place: Path) -> dict[str, Reader]:
    def package() -> pa.Table:
        found = QueryBuilder().register("t", DeltaTable(str(place))).execute("SELECT * FROM t")
        return pa.table(found.read_all())

    return {"spark": lambda: spark.delta(place), "deltalake": package}


def _spark_iceberg_reader(spark: Spark, file: Path) -> Reader:
    return lambda: spark.iceberg(file)


def _pyiceberg_reader(file: Path) -> Reader:
    return lambda: iceberg_table(file)


# The judgement.


def judge(table: Table, leat: Leat) -> Verdict:
    """Reads a table with leat and compares with who can read it too."""
    quoted = table.location.replace("'", "''")
    done = leat.query(f"SELECT * FROM '{quoted}'")
    if done.returncode in (1, 2) and done.stderr.strip():
        return Verdict(table, "refused", done.stderr.strip().splitlines()[-1][:300])
    if done.returncode != 0:
        return Verdict(table, "wrong", f"exit code {done.returncode}: {done.stderr[-2000:]}")
    if table.is_broken:
        return Verdict(table, "wrong", f"no table, but {len(done.stdout.splitlines())} rows")
    failures = []
    for name, reader in table.readers.items():
        try:
            expected = reader()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of Rust is no Exception
            failures.append(f"{name}: {str(error).strip().splitlines()[:1]}")
            continue
        difference = _difference(expected, done.stdout)
        if difference:
            return Verdict(table, "wrong", f"{name}: {difference}")
        # The most trusted one that can read it decides; the others read other tables wrongly.
        return Verdict(table, "read", name)
    return Verdict(table, "not judged", "; ".join(failures))


def _difference(expected: pa.Table, text: str) -> str:
    types = types_of(expected)
    try:
        found_rows = json_rows(text, types)
    except AssertionError as error:
        return str(error)
    # Both have the types by now, so that texts are needed only where equal values may differ.
    keys = {name: row_text if _is_ambiguous(kind) else None for name, kind in types.items()}
    rows = _multiset(table_rows(expected), keys)
    found = _multiset(found_rows, keys)
    lacking, extra = rows - found, found - rows
    if not lacking and not extra:
        return ""
    return (
        f"{lacking.total()} of {rows.total()} rows are lacking, {extra.total()} are too many"
        f" ({', '.join(keys)}):"
        f"\n  lacking:  {next(iter(lacking), '')}\n  too many: {next(iter(extra), '')}"
    )


def _is_ambiguous(kind: pa.DataType) -> bool:
    # NaN is not itself, 0.0 is -0.0, lists and dicts are no keys.
    return bool(pa.types.is_floating(kind) or pa.types.is_nested(kind))


def _multiset(rows: list[Row], texts: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    columns = [
        [text({name: row[name]}) for row in rows] if text else [row[name] for row in rows]
        for name, text in texts.items()
    ]
    return Counter(zip(*columns, strict=True))
