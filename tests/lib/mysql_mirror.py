"""A pipeline from a MySQL or MariaDB database into tables, and the proof that both are equal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .delta import delta_cdf, delta_rows, delta_rows_duckdb, replay_feed
from .iceberg import iceberg_rows, iceberg_rows_duckdb
from .leat import Leat, Running
from .mirror import PIPELINE
from .mysql import MySQLDatabase, MySQLServer
from .mysql_source import source_rows
from .rows import Row, assert_same_rows
from .wait import wait_until


def position_number(server: MySQLServer, uses_gtids: bool = True) -> int:
    """Where the log ends, as the metric leat_position has it."""
    if not uses_gtids:
        file, offset = server.log_end()
        return (int(file.rpartition(".")[2]) << 32) + offset
    text = server.gtid_position()
    if server.is_mariadb:
        return sum(int(part.split("-")[2]) for part in text.split(",") if part)
    intervals = re.findall(r":(\d+)(?:-(\d+))?(?=[:,]|$)", text)
    return sum(int(last or first) - int(first) + 1 for first, last in intervals)


class MySQLMirror:
    """Tables of one database kept in a lake by one pipeline."""

    def __init__(
        self,
        leat: Leat,
        database: MySQLDatabase,
        tables: Mapping[str, str | Sequence[str]],
        *,
        uses_gtids: bool = True,
        **pipeline: Any,
    ) -> None:
        """`tables` maps the names of tables to their keys; keywords go to Leat.pipeline()."""
        self.leat = leat
        self.database = database
        self.tables = dict(tables)
        self.uses_gtids = uses_gtids
        self.formats: tuple[str, ...] = ("delta", "iceberg")
        self.as_text: list[str] = []
        self.unrepresentable = "fail"
        self.configure(**pipeline)

    def configure(self, url: str | None = None, **pipeline: Any) -> None:
        """Writes the configuration, replacing an earlier one."""
        pipeline.setdefault("formats", self.formats)
        self.formats = tuple(pipeline["formats"])
        source = {"type": "mysql", **pipeline.pop("source", {})}
        self.as_text = list(source.get("as_text", ()))
        self.unrepresentable = source.get("unrepresentable", "fail")
        names = [self.database.table(name) for name in self.tables]
        url = url or self.database.url
        self.leat.configure({PIPELINE: self.leat.pipeline(url, names, source=source, **pipeline)})

    def start(self, failpoint: str | None = None, **env: str) -> Running:
        """Starts the pipeline and does not wait."""
        return self.leat.start("run", failpoint=failpoint, **env)

    def mark(self) -> int:
        """Returns a position behind everything that was committed so far."""
        return position_number(self.database.server, self.uses_gtids)

    def catch_up(self, running: Running, timeout: float = 90.0) -> None:
        """Waits until everything committed so far is in the tables."""
        mark = self.mark()

        def reached() -> bool:
            if not running.alive:
                raise RuntimeError(f"leat ended early:\n{running.log_text[-4000:]}")
            return running.metric("leat_position", kind="durable") >= mark

        wait_until(reached, timeout, f"position {mark} is durable")

    def source(self, table: str) -> list[Row]:
        """The rows of the source."""
        full = self.database.table(table) + "."
        texts = [name.removeprefix(full) for name in self.as_text if name.startswith(full)]
        return source_rows(
            self.database, table, as_text=texts, unrepresentable=self.unrepresentable
        )

    def verify(self, *tables: str) -> None:
        """Source, tables (two foreign readers each) and replayed feed must hold the same rows."""
        for table in tables or self.tables:
            key = self.tables[table]
            source = self.source(table)
            name = self.database.table(table)
            if "iceberg" in self.formats:
                path = self.leat.iceberg_table(name)
                rows = iceberg_rows(path)
                self._same(source, rows, key, "pyiceberg")
                again = iceberg_rows_duckdb(path)
                assert_same_rows(rows, again, key, names=("pyiceberg", "duckdb"))
            if "delta" in self.formats:
                path = self.leat.table(name)
                rows = delta_rows(path)
                self._same(source, rows, key, "deltalake")
                assert_same_rows(rows, delta_rows_duckdb(path), key, names=("deltalake", "duckdb"))
                feed = replay_feed(delta_cdf(path), key)
                assert_same_rows(rows, feed, key, names=("table", "feed"))

    @staticmethod
    def _same(source: list[Row], rows: list[Row], key: str | Sequence[str], name: str) -> None:
        """The lake also has columns that the source dropped."""
        columns = set(source[0]) if source else set()
        kept = [{column: row[column] for column in row if column in columns} for row in rows]
        assert_same_rows(source, kept if source else rows, key, names=("source", name))

    def settle(self, running: Running, *tables: str) -> None:
        """Catches up, checks that nothing diverged, ends the program cleanly, compares."""
        self.catch_up(running)
        assert running.metric("leat_unexpected_total") == 0
        running.terminate()
        self.verify(*tables)
