"""Tables of a lake as sources of pipelines: Delta into Iceberg, Iceberg into Delta."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

from tests.lib.delta import delta_rows, delta_rows_duckdb
from tests.lib.iceberg import iceberg_rows, iceberg_rows_duckdb
from tests.lib.iceberg_writer import foreign_table, make_foreign_table
from tests.lib.leat import Config, Leat, Running
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.rows import Row, assert_same_rows
from tests.lib.wait import wait_until
from tests.lib.workload import Workload

ITEMS = {"public.items": "id"}


def second_hop(leat: Leat, source: Config, sink: Config) -> Leat:
    """A leat of its own that carries a table of the first one's lake on."""
    directory = leat.dir / "hop"
    directory.mkdir(exist_ok=True)
    hop = Leat(directory)
    hop.configure(
        {
            "hop": {
                "source": {"tables": ["public.items"], "poll_interval": "50ms", **source},
                "state_dir": str(hop.state),
                "sinks": [{"commit": {"interval": "50ms"}, **sink}],
            }
        }
    )
    return hop


def wait_for_rows(running: Running, read: object, expected: list[Row]) -> None:
    """Waits until the copy holds these rows."""
    assert callable(read)

    def same() -> bool:
        assert running.alive, running.log_text[-4000:]
        try:
            return sorted(map(repr, read())) == sorted(map(repr, expected))
        except (AssertionError, OSError):
            return False  # the table is not there yet

    wait_until(same, 60, "the copy holds the rows of the original")


def test_delta_is_carried_on_into_iceberg(leat: Leat, database: Database) -> None:
    """Load, follow, restart: the copy is the same, and the reader was given each change once."""
    Workload.create(database.connection, 100)
    mirror = Mirror(leat, database, ITEMS)
    running = mirror.start()
    workload = Workload(database.connection, seed=11)
    workload.run(10)
    mirror.catch_up(running)
    table = leat.table("public.items")
    hop = second_hop(
        leat,
        {"type": "delta", "location": str(table), "key": "id"},
        {"type": "iceberg", "warehouse": str(leat.dir / "copy"), "namespace": "{schema}"},
    )
    copy = leat.dir / "copy" / "public" / "items"
    for _ in range(2):
        hopping = hop.start("run")
        workload.run(10)
        mirror.catch_up(running)
        wait_for_rows(hopping, lambda: iceberg_rows(copy), delta_rows(table))
        assert hopping.metric("leat_unexpected_total") == 0
        assert hopping.metric("leat_source_files_total") > 0
        hopping.terminate()
    assert_same_rows(delta_rows(table), iceberg_rows_duckdb(copy), "id")
    mirror.settle(running)


def test_iceberg_is_carried_on_into_delta(leat: Leat, database: Database) -> None:
    """Position deletes and new files of each snapshot become changes again."""
    Workload.create(database.connection, 100)
    mirror = Mirror(leat, database, ITEMS, formats=("iceberg",))
    running = mirror.start()
    workload = Workload(database.connection, seed=12)
    workload.run(10)
    mirror.catch_up(running)
    table = leat.iceberg_table("public.items")
    hop = second_hop(
        leat,
        {"type": "iceberg", "location": str(table)},
        {"type": "delta", "location": str(leat.dir / "copy" / "{schema}" / "{table}")},
    )
    copy: Path = leat.dir / "copy" / "public" / "items"
    for _ in range(2):
        hopping = hop.start("run")
        workload.run(10)
        mirror.catch_up(running)
        wait_for_rows(hopping, lambda: delta_rows(copy), iceberg_rows(table))
        assert hopping.metric("leat_unexpected_total") == 0
        hopping.terminate()
    assert_same_rows(iceberg_rows(table), delta_rows_duckdb(copy), "id")
    mirror.settle(running)


def rows_to_add(first: int, column: str, text: str) -> pa.Table:
    """Two rows of the table below."""
    return pa.table(
        {"id": pa.array([first, first + 1], pa.int64()), column: pa.array([text, text])}
    )


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_column_renamed_at_the_source_is_noticed_and_mended_by_a_load(
    leat: Leat, stopped: bool
) -> None:
    """Old rows have their values under the new name at the source, without a change."""
    table = leat.dir / "original"
    copy = leat.dir / "copy" / "public" / "items"
    make_foreign_table(
        table,
        Schema(
            NestedField(1, "id", LongType(), required=False),
            NestedField(2, "name", StringType(), required=False),
        ),
    ).append(rows_to_add(1, "name", "old"))
    hop = second_hop(
        leat,
        {"type": "iceberg", "location": str(table), "key": ["id"]},
        {"type": "delta", "location": str(leat.dir / "copy" / "{schema}" / "{table}")},
    )
    running = hop.start("run")
    wait_until((copy / "_delta_log").exists, 30, "the copy is there")
    wait_for_rows(running, lambda: delta_rows(copy), iceberg_rows(table))
    if stopped:
        running.terminate()
    with foreign_table(table).update_schema() as update:
        update.rename_column("name", "title")
    foreign_table(table).append(rows_to_add(3, "title", "new"))
    if stopped:
        running = hop.start("run")
    assert running.wait() == 1
    assert "was renamed" in running.log_text
    assert "leat reload hop" in running.log_text
    assert hop.run("reload", "hop").returncode == 0
    found = [{"id": row["id"], "title": row["title"]} for row in delta_rows(copy)]
    assert_same_rows(iceberg_rows(table), found, "id")
