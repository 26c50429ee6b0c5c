"""What the README promises, end to end."""

from __future__ import annotations

import time

from tests.lib.delta import delta_rows
from tests.lib.leat import Leat
from tests.lib.mirror import SLOT, Mirror
from tests.lib.postgres import Database
from tests.lib.wait import wait_until
from tests.lib.workload import Workload


def test_a_silent_table_neither_holds_the_log_nor_is_loaded_again(
    leat: Leat, database: Database
) -> None:
    """WAL is recycled behind what is complete; after a restart nothing is lost or loaded."""
    Workload.create(database.connection)
    mirror = Mirror(leat, database, {"public.items": "id", "public.quiet": "id"})
    running = mirror.start()
    workload = Workload(database.connection, seed=1)
    workload.run(10)
    mirror.catch_up(running)
    for _ in range(3):
        workload.run(10)
        mirror.catch_up(running)
        database.execute("SELECT pg_switch_wal()")
        database.execute("CHECKPOINT")
    quiet_feed = mirror.feed("public.quiet")
    mirror.settle(running)
    kept = database.scalar(
        "SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = %s",
        (SLOT,),
    )
    assert int(kept) < 64 * 1024 * 1024
    workload.run(10)
    running = mirror.start()
    mirror.settle(running)
    assert "load read" not in running.log_text
    assert mirror.feed("public.quiet") == quiet_feed


def test_an_idle_database_lets_the_log_go(leat: Leat, database: Database) -> None:
    """Changes of tables that are not captured move the acknowledged position too."""
    Workload.create(database.connection, 5)
    database.execute("CREATE TABLE other (id int, word text)")
    mirror = Mirror(leat, database, {"public.items": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("INSERT INTO other SELECT i, 'x' FROM generate_series(1, 1000) i")
    mirror.catch_up(running)
    mirror.settle(running)


def test_a_burst_is_visible_to_a_foreign_reader_within_two_seconds(
    leat: Leat, database: Database
) -> None:
    """1,000 changes in one go with a commit interval of one second."""
    Workload.create(database.connection)
    mirror = Mirror(leat, database, {"public.items": "id"}, sink={"commit": {"interval": "1s"}})
    running = mirror.start()
    mirror.catch_up(running)
    for burst in range(3):
        first = 10000 * (burst + 1)
        database.execute(
            "INSERT INTO items (id, name)"
            " SELECT i, 'burst' FROM generate_series(%s::int, %s::int) i",
            (first, first + 999),
        )
        committed = time.monotonic()

        def visible(low: int = first) -> int:
            return sum(row["id"] >= low for row in delta_rows(leat.table("public.items")))

        wait_until(
            lambda: visible() == 1000,
            30,
            "the burst is visible",
        )
        assert time.monotonic() - committed < 2.0
    mirror.settle(running)


def test_sigterm_commits_what_was_read(leat: Leat, database: Database) -> None:
    """With an interval that never passes, a clean stop still commits and acknowledges."""
    Workload.create(database.connection)
    mirror = Mirror(
        leat, database, {"public.items": "id"}, sink={"commit": {"interval": "1h", "rows": 10**6}}
    )
    running = mirror.start()
    running.wait_for("streaming")
    loaded = running.metric("leat_rows_received_total")
    database.execute("INSERT INTO items (id, name) VALUES (5000, 'last')")
    wait_until(
        lambda: running.metric("leat_rows_received_total") > loaded, 30, "the change is received"
    )
    running.terminate()
    mirror.verify()
