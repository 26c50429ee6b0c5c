"""Random histories of tables, the same for the same seed, written by Spark.

They are small and nasty: rows that are there twice, keys that move, nulls, NaN, the ends of each
type, partitions by values that no path can hold; every way in which Spark changes rows, and now and
then maintenance that changes none.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .iceberg import Snapshot, iceberg_snapshots
from .rows import Row
from .spark import Spark

Step = Callable[[], None]

# Name, Spark's type, Arrow's type.
COLUMNS: list[tuple[str, str, pa.DataType]] = [
    ("id", "bigint", pa.int64()),
    ("i", "int", pa.int32()),
    ("b", "boolean", pa.bool_()),
    ("f", "float", pa.float32()),
    ("d", "double", pa.float64()),
    ("n", "decimal(10,2)", pa.decimal128(10, 2)),
    ("w", "decimal(38,10)", pa.decimal128(38, 10)),
    ("s", "string", pa.string()),
    ("y", "binary", pa.binary()),
    ("da", "date", pa.date32()),
    ("ts", "timestamp", pa.timestamp("us", "UTC")),
    ("tn", "timestamp_ntz", pa.timestamp("us")),
    ("region", "string", pa.string()),
    ("day", "date", pa.date32()),
]
STEPS = 8

ADDED = ("extra", "double", pa.float64())

WORDS = (
    "",
    "a",
    "Straße",
    "日本語",
    "🙂🙃",
    'q"uo\\te',
    "tab\tand\nline",
    "e\u0301",
    "\x01",
    "null",
)
REGIONS = ("north", "süd", "a/b=c%20 d", "x:y?#", "", None)
FLOATS = (0.0, -0.0, 1.5, -2.25, float("nan"), float("inf"), float("-inf"), 1e30)
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)

# What an UPDATE may set. `s = s` writes rows that are the same as before.
ASSIGNMENTS = (
    "i = i + 1",
    "b = NOT b",
    "f = float('nan')",
    "d = -d",
    "n = -n, w = NULL",
    "w = -w",
    "s = concat(coalesce(s, ''), '✓')",
    "s = NULL, y = X'00FF'",
    "y = NULL",
    "da = date'0001-01-01'",
    "ts = timestampadd(MICROSECOND, 1, ts)",
    "tn = timestamp_ntz'9999-12-31 23:59:59.999999'",
    "id = id + 1000",
    "region = 'north'",
    "day = date'2024-01-02', i = 0",
    "s = s",
)


class Values:
    """Random values of each type, and of each type those that break readers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of(self, name: str, kind: pa.DataType) -> Any:
        """Returns a value of a column."""
        if name == "region":
            return self.random.choice(REGIONS)
        if self.random.random() < 0.15:
            return None
        if name == "day":
            return date(2024, 1, 1) + timedelta(days=self.random.randrange(3))
        if pa.types.is_decimal(kind):
            return self._decimal(kind.precision, kind.scale)
        if pa.types.is_timestamp(kind):
            return self._timestamp(kind.tz is not None)
        return self._makers()[kind]()

    def _makers(self) -> dict[pa.DataType, Callable[[], Any]]:
        pick = self.random
        return {
            pa.int32(): lambda: pick.choice((0, -1, 2**31 - 2, -(2**31), pick.randrange(1000))),
            pa.bool_(): lambda: pick.random() < 0.5,
            pa.float32(): lambda: pick.choice((*FLOATS, 0.1, 3.4e38)),
            pa.float64(): lambda: pick.choice((*FLOATS, 5e-324, 1.7e308, pick.random())),
            pa.string(): self._text,
            pa.binary(): lambda: pick.randbytes(pick.choice((0, 1, 16, 40))),
            pa.date32(): lambda: pick.choice(
                (date(1, 1, 1), date(9999, 12, 31), date(1969, 12, 31), date(2024, 2, 29))
            ),
        }

    def _decimal(self, precision: int, scale: int) -> Decimal:
        digits = self.random.choice((1, precision // 2, precision))
        number = self.random.choice((0, 10**digits - 1, self.random.randrange(10**digits)))
        sign = self.random.choice((0, 1)) if number else 0
        return Decimal((sign, tuple(map(int, str(number))), -scale))

    def _timestamp(self, zoned: bool) -> datetime:
        moment = self.random.choice(
            (
                EPOCH,
                datetime(1, 1, 2, tzinfo=UTC),
                datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
                datetime(2262, 4, 12, tzinfo=UTC),
                EPOCH + timedelta(microseconds=self.random.randrange(3 * 86400 * 10**6)),
            )
        )
        return moment if zoned else moment.replace(tzinfo=None)

    def _text(self) -> str:
        if self.random.random() < 0.5:
            return self.random.choice(WORDS)
        return "".join(
            self.random.choices(string.ascii_letters, k=self.random.choice((5, 13, 300)))
        )


class History:
    """A table, and statements that change it."""

    def __init__(self, spark: Spark, directory: Path, seed: int) -> None:
        self.spark = spark
        self.directory = directory
        self.random = random.Random(seed)
        self.values = Values(seed)
        self.columns = list(COLUMNS)
        self.next_key = 1
        self.sources = 0
        self.statements: list[str] = []
        self.name = ""

    def run(self, text: str) -> None:
        """Runs a statement; a test that fails shows all of them."""
        print(f"{len(self.statements)}: {text}")
        self.statements.append(text)
        self.spark.sql(text)

    # What changes rows.

    def source(self, rows: int) -> str:
        """Makes new rows, some of keys that are there, as a view; returns its name."""
        keys = list(range(self.next_key, self.next_key + rows))
        self.next_key += rows
        for place in range(rows):
            if self.random.random() < 0.4:
                keys[place] = self.random.randrange(1, keys[place] + 1)
        # A MERGE takes each key once only.
        keys = list(dict.fromkeys(keys))
        data = {"id": keys}
        for name, _, kind in self.columns[1:]:
            data[name] = [self.values.of(name, kind) for _ in keys]
        schema = pa.schema([(name, kind) for name, _, kind in self.columns])
        self.sources += 1
        file = self.directory / f"source-{self.sources}.parquet"
        pq.write_table(pa.table(data, schema), file)
        self.spark.view("source", file)
        return "source"

    def condition(self) -> str:
        """Returns which rows a statement is about: some, a partition, none."""
        modulus = self.random.choice((2, 3, 5))
        return self.random.choice(
            (
                f"id % {modulus} = {self.random.randrange(modulus)}",
                f"id % {modulus} = {self.random.randrange(modulus)}",
                f"id % {modulus} = {self.random.randrange(modulus)} AND s IS NOT NULL",
                "region = 'north'",
                "region IS NULL",
                "day = date'2024-01-01'",
                "b AND i > 0",
                "id < 0",
            )
        )

    def insert(self) -> None:
        """New rows, and rows of keys that are there."""
        self.run(f"INSERT INTO {self.name} SELECT * FROM {self.source(self.random.choice((1, 8)))}")

    def repeat(self) -> None:
        """Rows that are there already, once more."""
        self.run(f"INSERT INTO {self.name} SELECT * FROM {self.name} WHERE {self.condition()}")

    def update(self) -> None:
        """An UPDATE."""
        assignment = self.random.choice(ASSIGNMENTS)
        self.run(f"UPDATE {self.name} SET {assignment} WHERE {self.condition()}")

    def delete(self) -> None:
        """A DELETE."""
        self.run(f"DELETE FROM {self.name} WHERE {self.condition()}")

    def merge(self) -> None:
        """A MERGE that updates, deletes and inserts."""
        text = f"MERGE INTO {self.name} t USING {self.source(6)} s ON t.id = s.id"
        if self.random.random() < 0.5:
            text += " WHEN MATCHED AND s.b THEN DELETE"
        text += " WHEN MATCHED THEN UPDATE SET *"
        if self.random.random() < 0.8:
            text += " WHEN NOT MATCHED THEN INSERT *"
        if self.random.random() < 0.2:
            text += " WHEN NOT MATCHED BY SOURCE AND t.id % 7 = 0 THEN DELETE"
        self.run(text)

    def overwrite(self) -> None:
        """Replaces the partitions (without such: all) of some new rows."""
        self.run(f"INSERT OVERWRITE {self.name} SELECT * FROM {self.source(4)}")

    def add_column(self) -> None:
        """A column that older rows do not have."""
        if ADDED not in self.columns:
            self.columns.append(ADDED)
            self.run(f"ALTER TABLE {self.name} ADD COLUMNS ({ADDED[0]} {ADDED[1]})")

    def columns_sql(self) -> str:
        """Returns the columns as CREATE TABLE takes them."""
        return ", ".join(f"{name} {kind}" for name, kind, _ in self.columns)

    def play(self, steps: list[tuple[int, Step]], count: int) -> None:
        """Runs some steps, by their weights."""
        kinds = [step for _, step in steps]
        weights = [weight for weight, _ in steps]
        for step in self.random.choices(kinds, weights, k=count):
            step()


class DeltaHistory(History):
    """A Delta table with or without change feed; `path` is where."""

    def __init__(self, spark: Spark, directory: Path, seed: int, feed: bool) -> None:
        super().__init__(spark, directory, seed)
        self.path = directory / "table"
        self.name = f"delta.`{self.path}`"
        self.has_vectors = seed % 2 == 1
        self._create(feed)
        self.insert()
        self.play(
            [
                (3, self.insert),
                (1, self.repeat),
                (4, self.update),
                (3, self.delete),
                (4, self.merge),
                (1, self.overwrite),
                (1, self.replace_where),
                (1, self.optimize),
                (1, self.add_column),
            ],
            STEPS,
        )

    def _create(self, feed: bool) -> None:
        # Spark's own default is the oldest form, INT96.
        self.spark.session.conf.set(
            "spark.sql.parquet.outputTimestampType",
            self.random.choice(("INT96", "TIMESTAMP_MICROS")),
        )
        partitions = self.random.choice(("", "region", "day", "region, day"))
        properties = {
            "delta.enableChangeDataFeed": str(feed).lower(),
            "delta.enableDeletionVectors": str(self.has_vectors).lower(),
            "delta.checkpointInterval": self.random.choice(("3", "10")),
            "delta.enableInCommitTimestamps": self.random.choice(("true", "false", "false")),
        }
        listed = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
        self.run(
            f"CREATE TABLE {self.name} ({self.columns_sql()}) USING delta"
            + (f" PARTITIONED BY ({partitions})" if partitions else "")
            + f" TBLPROPERTIES ({listed})"
        )

    def replace_where(self) -> None:
        """Replaces the rows that meet a condition."""
        condition = "day = date'2024-01-02'"
        self.run(
            f"INSERT INTO {self.name} REPLACE WHERE {condition}"
            f" SELECT * FROM {self.source(6)} WHERE {condition}"
        )

    def optimize(self) -> None:
        """Compacts, or rewrites files without the rows that vectors delete."""
        if self.has_vectors and self.random.random() < 0.5:
            self.run(f"REORG TABLE {self.name} APPLY (PURGE)")
        else:
            self.run(f"OPTIMIZE {self.name}")

    @property
    def version(self) -> int:
        """The newest version."""
        return max(int(file.stem) for file in (self.path / "_delta_log").glob("*.json"))


@dataclass(frozen=True)
class IcebergForm:
    """How a table is laid out."""

    version: int
    partitions: str
    modes: tuple[str, str, str]  # of DELETE, UPDATE, MERGE


class IcebergHistory(History):
    """An Iceberg table in the catalog `lake`; `path` is where."""

    def __init__(self, spark: Spark, directory: Path, seed: int) -> None:
        super().__init__(spark, directory, seed)
        self.table = f"histories.h{seed}"
        self.name = f"lake.{self.table}"
        self.path = spark.lake / "histories" / f"h{seed}"
        self.renamed: dict[str, str] = {}
        self.form = self._form(seed)
        self._create()
        self.insert()
        self.play(
            [
                (3, self.insert),
                (1, self.repeat),
                (4, self.update),
                (4, self.delete),
                (4, self.merge),
                (2, self.overwrite),
                (2, self.rewrite),
                (1, self.add_column),
                (1, self.rename_column),
                (1, self.repartition),
                (1, self.switch_modes),
            ],
            STEPS,
        )

    def _form(self, seed: int) -> IcebergForm:
        version = (2, 2, 3, 2, 1, 3)[seed % 6]
        partitions = self.random.choice(
            ("", "region", "day", "bucket(4, id)", "region, bucket(2, id)", "days(ts)",
             "truncate(1, s)", "months(tn), bucket(3, w)")
        )  # fmt: skip
        return IcebergForm(version, partitions, self._modes(version))

    def _modes(self, version: int) -> tuple[str, str, str]:
        # Format version 1 has no deletes but by rewriting files, 3 has them as bitmaps.
        known = ("copy-on-write",) if version == 1 else ("copy-on-write", "merge-on-read")
        choose = self.random.choice
        return choose(known), choose(known), choose(known)

    def _mode_properties(self, modes: tuple[str, str, str]) -> str:
        names = ("delete", "update", "merge")
        return ", ".join(
            f"'write.{name}.mode' = '{mode}'" for name, mode in zip(names, modes, strict=True)
        )

    def _create(self) -> None:
        properties = {
            "format-version": str(self.form.version),
            "write.delete.granularity": self.random.choice(("file", "partition")),
            "commit.manifest.min-count-to-merge": self.random.choice(("2", "100")),
            "write.metadata.compression-codec": self.random.choice(("none", "gzip")),
        }
        listed = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
        self.run(
            f"CREATE TABLE {self.name} ({self.columns_sql()}) USING iceberg"
            + (f" PARTITIONED BY ({self.form.partitions})" if self.form.partitions else "")
            + f" TBLPROPERTIES ({listed}, {self._mode_properties(self.form.modes)})"
        )

    def rewrite(self) -> None:
        """Maintenance: no row changes."""
        calls = [
            f"rewrite_data_files(table => '{self.table}', options => map('rewrite-all', 'true'))",
            f"rewrite_data_files(table => '{self.table}', options => map('rewrite-all', 'true'))",
            f"rewrite_manifests(table => '{self.table}')",
        ]
        if self.form.version == 2:
            calls.append(
                f"rewrite_position_delete_files(table => '{self.table}',"
                " options => map('rewrite-all', 'true'))"
            )
        self.run(f"CALL lake.system.{self.random.choice(calls)}")

    def rename_column(self) -> None:
        """Another name for a column; its field id stays."""
        if "y" not in self.renamed:
            self.renamed["y"] = "bytes"
            place = [name for name, _, _ in self.columns].index("y")
            self.columns[place] = ("bytes", *self.columns[place][1:])
            self.run(f"ALTER TABLE {self.name} RENAME COLUMN y TO bytes")

    def update(self) -> None:
        """As of any table, with the column's name of now."""
        assignment = self.random.choice(ASSIGNMENTS)
        for old, new in self.renamed.items():
            assignment = assignment.replace(f"{old} =", f"{new} =")
        self.run(f"UPDATE {self.name} SET {assignment} WHERE {self.condition()}")

    def repartition(self) -> None:
        """New files are partitioned in another way than old ones."""
        text = f"ALTER TABLE {self.name} ADD PARTITION FIELD bucket(8, i)"
        if self.form.version > 1 and text not in self.statements:
            self.run(text)

    def switch_modes(self) -> None:
        """From now on changes are written in other ways."""
        modes = self._mode_properties(self._modes(self.form.version))
        self.run(f"ALTER TABLE {self.name} SET TBLPROPERTIES ({modes})")

    @property
    def snapshots(self) -> list[Snapshot]:
        """Its snapshots, oldest first."""
        return iceberg_snapshots(self.path)

    def rows_at(self, snapshot: int) -> pa.Table:
        """The rows of a snapshot, with the columns that it had."""
        return self.spark.iceberg(self.path, snapshot)

    def aligned(self, rows: list[Row]) -> list[Row]:
        """Gives rows of any snapshot the columns of the newest."""
        names = [name for name, _, _ in self.columns]
        return aligned([{self.renamed.get(k, k): v for k, v in row.items()} for row in rows], names)


def aligned(rows: list[Row], names: list[str]) -> list[Row]:
    """Gives older rows the columns that were added since: null."""
    for row in rows:
        extra = row.keys() - set(names) - {"_change_type", "_commit_version", "_commit_timestamp"}
        assert not extra - {"_commit_snapshot_id"}, f"columns {extra} are not of the table"
    return [{**dict.fromkeys(names), **row} for row in rows]
