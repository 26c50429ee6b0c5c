"""Tables as Spark writes and reads them: Delta by path, Iceberg by path or in the catalog `lake`.

One Spark runs in a test session: it takes ten seconds and a gigabyte. Rows come as Arrow tables,
which keep every type.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import lit

from .leat import ROOT

JARS = ROOT / ".deps" / "jars"
HEAP = os.environ.get("LEAT_SPARK_HEAP", "1g")

# Small and quiet, in UTC, with the calendar of today also for ancient dates.
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": HEAP,
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # The quick compiler only, and room for what it makes: the session is short.
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseSerialGC"
    " -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m",
    "spark.default.parallelism": "2",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
    # Tables of a dozen rows: compiling a query takes longer than running it.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.merge.materializeSource": "none",
    "spark.ui.showConsoleProgress": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension,"
    "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "hadoop",
    "spark.sql.catalog.lake.cache-enabled": "false",
}


def absent() -> str | None:
    """Returns why there is no Spark here, None where there is."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "no Java here, so no Spark (tools/setup test)"
    if not (JARS / "version").exists():
        return f"no jars for Spark in {JARS} (tools/setup test)"
    return None


class Spark:
    """A Spark of our own; tables of the catalog `lake` lie below `directory`/lake."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lake = directory / "lake"
        start = time.monotonic()
        builder = SparkSession.builder.master("local[2]").appName("leat-tests")
        settings = {
            **SETTINGS,
            "spark.driver.extraClassPath": f"{JARS}/*",
            "spark.local.dir": str(directory / "scratch"),
            "spark.sql.warehouse.dir": str(directory / "warehouse"),
            "spark.sql.catalog.lake.warehouse": str(self.lake),
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        self.seconds_to_start = time.monotonic() - start

    def close(self) -> None:
        """Ends it."""
        self.session.stop()

    def sql(self, text: str) -> pa.Table:
        """Runs a statement and returns its rows."""
        return arrow(self.session.sql(text))

    def catalog(self, name: str, **settings: str) -> None:
        """Makes an Iceberg catalog known by a name that none has had yet."""
        prefix = f"spark.sql.catalog.{name}"
        self.session.conf.set(prefix, "org.apache.iceberg.spark.SparkCatalog")
        for key, value in {"cache-enabled": "false", **settings}.items():
            self.session.conf.set(f"{prefix}.{key}", value)

    def view(self, name: str, parquet: Path) -> None:
        """Makes a Parquet file readable as a table."""
        self.session.read.parquet(str(parquet)).createOrReplaceTempView(name)

    def delta(self, path: Path | str, version: int | None = None) -> pa.Table:
        """Returns the rows of a Delta table (at a version)."""
        reader = self.session.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return arrow(reader.load(str(path)))

    def delta_feed(self, path: Path | str, start: int = 0, end: int | None = None) -> pa.Table:
        """Returns the change feed of a Delta table from a version to a version (inclusive)."""
        reader = self.session.read.format("delta").option("readChangeFeed", "true")
        reader = reader.option("startingVersion", start)
        if end is not None:
            reader = reader.option("endingVersion", end)
        return arrow(reader.load(str(path)))

    def iceberg(self, location: Path | str, snapshot: int | None = None) -> pa.Table:
        """Returns the rows of an Iceberg table (at a snapshot).

        The location is the directory of a table with a version hint, or a metadata file.
        """
        reader = self.session.read.format("iceberg")
        if snapshot is not None:
            reader = reader.option("snapshot-id", snapshot)
        return arrow(reader.load(str(location)))

    def work_in(self, directory: Path) -> None:
        """Makes a directory the one to which relative paths of table metadata are relative."""
        jvm: Any = self.session.sparkContext._jvm
        context: Any = self.session.sparkContext._jsc
        files = jvm.org.apache.hadoop.fs.FileSystem.get(context.hadoopConfiguration())
        files.setWorkingDirectory(jvm.org.apache.hadoop.fs.Path(str(directory)))


def arrow(frame: DataFrame) -> pa.Table:
    """Returns a frame's rows with their types."""
    # The public way (toPandas) rounds and widens: pandas has no null integer.
    batches = frame._collect_as_arrow()
    if batches:
        return pa.Table.from_batches(batches)
    # No rows, no types: a row of nulls brings them.
    one = frame.sparkSession.range(1).toDF("_one").join(frame, on=lit(True), how="left")
    return pa.Table.from_batches(one._collect_as_arrow()).drop_columns(["_one"]).slice(0, 0)
