"""A pipeline from a test's database into tables, and the proof that both hold the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .delta import delta_cdf, delta_rows, delta_rows_duckdb, feed_counts, replay_feed
from .iceberg import iceberg_rows, iceberg_rows_duckdb
from .leat import Leat, Running
from .postgres import Database
from .rows import Row, assert_same_rows
from .source import source_rows
from .wait import wait_until

PIPELINE = "shop"
SLOT = f"leat_{PIPELINE}"


class Mirror:
    """Tables of one database kept in a lake by one pipeline."""

    def __init__(
        self, leat: Leat, database: Database, tables: Mapping[str, str], **pipeline: Any
    ) -> None:
        """`tables` maps schema.table to its key column; keywords go to Leat.pipeline()."""
        self.leat = leat
        self.database = database
        self.tables = dict(tables)
        self.formats: tuple[str, ...] = ("delta",)
        self.configure(**pipeline)

    def configure(self, **pipeline: Any) -> None:
        """Writes the configuration, replacing an earlier one."""
        self.formats = tuple(pipeline.get("formats", ("delta",)))
        self.leat.configure(
            {PIPELINE: self.leat.pipeline(self.database.url, list(self.tables), **pipeline)}
        )

    def start(self, failpoint: str | None = None, **env: str) -> Running:
        """Starts the pipeline and does not wait."""
        return self.leat.start("run", failpoint=failpoint, **env)

    def is_caught_up(self, lsn: str) -> bool:
        """Whether the pipeline has told the server that everything up to `lsn` is safe."""
        return bool(
            self.database.scalar(
                "SELECT coalesce((SELECT confirmed_flush_lsn >= %s::pg_lsn"
                " FROM pg_replication_slots WHERE slot_name = %s), false)",
                (lsn, SLOT),
            )
        )

    def mark(self) -> str:
        """Returns a position behind everything that was committed so far."""
        # A transactional message makes a commit record, so the position is reached even when idle.
        return str(self.database.scalar("SELECT pg_logical_emit_message(true, 'test', '')::text"))

    def is_mirrored(self, running: Running, lsn: str) -> bool:
        """Whether the tables hold everything up to `lsn`, and the server was told."""
        # A new slot acknowledges where it was made: only the tables say that a load is done.
        return running.metric("leat_position", kind="durable") > 0 and self.is_caught_up(lsn)

    def catch_up(self, running: Running, timeout: float = 60.0) -> None:
        """Waits until everything committed so far is mirrored."""
        lsn = self.mark()

        def reached() -> bool:
            if not running.alive:
                raise RuntimeError(f"leat ended early:\n{running.log_text[-4000:]}")
            return self.is_mirrored(running, lsn)

        wait_until(reached, timeout, f"position {lsn} is acknowledged")

    def source(self, table: str, columns: Sequence[str] | None = None) -> list[Row]:
        """The rows of the source."""
        return source_rows(self.database.connection, table, columns)

    def feed(self, table: str) -> list[Row]:
        """The whole change feed of a table."""
        return delta_cdf(self.leat.table(table))

    def feed_counts(self, table: str) -> dict[str, int]:
        """How many rows of each change type the feed has."""
        return feed_counts(self.feed(table))

    def verify(self, *tables: str) -> None:
        """Source, table (two foreign readers) and replayed feed must hold the same rows."""
        self.verify_at(self.leat.lake, *tables)

    def verify_at(self, lake: Path, *tables: str) -> None:
        """The same for the tables of a sink below another directory."""
        for table in tables or self.tables:
            key = self.tables[table]
            source = self.source(table)
            if "iceberg" in self.formats:
                self.verify_iceberg(table, source)
            if "delta" not in self.formats:
                continue
            path = lake.joinpath(*table.split("."))
            rows = delta_rows(path)
            assert_same_rows(source, rows, key)
            assert_same_rows(rows, delta_rows_duckdb(path), key, names=("deltalake", "duckdb"))
            feed = replay_feed(delta_cdf(path), key)
            assert_same_rows(rows, feed, key, names=("table", "feed"))

    def verify_iceberg(self, table: str, source: list[Row]) -> None:
        """Source and Iceberg table (two foreign readers) must hold the same rows."""
        key = self.tables[table]
        path = self.leat.iceberg_table(table)
        lake = iceberg_rows(path)
        assert_same_rows(source, lake, key, names=("source", "pyiceberg"))
        assert_same_rows(lake, iceberg_rows_duckdb(path), key, names=("pyiceberg", "duckdb"))

    def settle(self, running: Running, *tables: str) -> None:
        """Catches up, checks that nothing diverged, ends the program cleanly, compares."""
        self.catch_up(running)
        assert running.metric("leat_unexpected_total") == 0
        running.terminate()
        self.verify(*tables)
