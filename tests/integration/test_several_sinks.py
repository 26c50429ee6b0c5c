"""Several sinks on one source: one that fails does not harm the others, and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lib.leat import Leat, Running
from tests.lib.mirror import PIPELINE, SLOT, Mirror
from tests.lib.postgres import Database, Postgres
from tests.lib.wait import wait_until
from tests.lib.workload import Workload

TABLES = {"public.items": "id", "public.quiet": "id"}
FIRST, SECOND = "delta-0", "delta-1"
INTERVAL = "100ms"
# Of a lag at the commit interval, with what a sanitized program on a busy machine adds.
SMALL_LAG_SECONDS = 3.0


class TwoSinks(Mirror):
    """A pipeline into two lakes; the second one's tables are partitioned, and may be broken."""

    def __init__(self, leat: Leat, database: Database) -> None:
        Workload.create(database.connection)
        database.execute("ALTER TABLE items ADD COLUMN part text NOT NULL DEFAULT 'one'")
        self.second = leat.dir / "second"
        self.part = self.second / "public" / "items" / "part=one"
        sinks = [
            {
                "type": "delta",
                "location": f"{leat.lake}/{{schema}}/{{table}}",
                "commit": {"interval": INTERVAL},
            },
            {
                "type": "delta",
                "location": f"{self.second}/{{schema}}/{{table}}",
                "commit": {"interval": INTERVAL},
                "tables": {"public.items": {"partition_by": ["part"]}},
            },
        ]
        retry = {"attempts": 1000, "delay": "10ms", "max_delay": "500ms"}
        super().__init__(leat, database, TABLES, sinks=sinks, retry=retry, detach_after="1s")

    def break_second(self) -> None:
        """No file can be made or read any more where the second one's rows lie."""
        self.part.rename(self.second / "hidden")
        self.part.write_text("in the way")

    def mend_second(self) -> None:
        """Everything is as it was."""
        self.part.unlink()
        (self.second / "hidden").rename(self.part)

    def run_until(
        self, workload: Workload, running: Running, condition: Callable[[], bool], what: str
    ) -> None:
        """Changes keep coming meanwhile."""

        def reached() -> bool:
            assert running.alive, running.log_text[-4000:]
            workload.transaction(changes=2)
            return condition()

        wait_until(reached, 60, what)

    def wait_for_first(self, running: Running) -> None:
        """Waits until the first one has everything committed so far; the slot cannot tell."""
        high, low = self.mark().split("/")
        position = int(high, 16) << 32 | int(low, 16)
        wait_until(
            lambda: running.metric("leat_sink_position", sink=FIRST) >= position,
            60,
            "the first sink has all",
        )

    def settle_both(self, running: Running) -> None:
        """Both hold what the source holds, no change was seen twice, and nothing is left behind."""
        wait_until(lambda: is_attached(running), 60, "the second sink is attached")
        self.settle(running)
        self.verify_at(self.second)
        slots = self.database.execute(
            "SELECT slot_name FROM pg_replication_slots WHERE database = %s", (self.database.name,)
        )
        assert slots == [(SLOT,)]


def is_detached(running: Running) -> bool:
    """Whether the second one is."""
    return running.metric("leat_sink_detached", sink=SECOND) == 1


def is_attached(running: Running) -> bool:
    """Whether the second one has come back, or never left."""
    series = f'leat_sink_detached{{pipeline="{PIPELINE}",sink="{SECOND}"}}'
    return running.metrics().get(series) == 0


def lag(running: Running, sink: str) -> float:
    """How old the oldest commit is that a sink does not hold."""
    return running.metric("leat_sink_lag_seconds", sink=sink)


def started(leat: Leat, database: Database) -> tuple[TwoSinks, Running, Workload]:
    """Both sinks are loaded and streaming."""
    mirror = TwoSinks(leat, database)
    running = mirror.start()
    workload = Workload(database.connection, seed=21)
    workload.run(5)
    mirror.catch_up(running)
    return mirror, running, workload


def detached(leat: Leat, database: Database) -> tuple[TwoSinks, Running, Workload]:
    """The second one was broken, and changes have come since."""
    mirror, running, workload = started(leat, database)
    mirror.break_second()
    mirror.run_until(workload, running, lambda: is_detached(running), "the sink is detached")
    return mirror, running, workload


def test_both_sinks_get_every_change(leat: Leat, database: Database) -> None:
    """The ordinary case."""
    mirror, running, workload = started(leat, database)
    workload.run(30)
    mirror.settle_both(running)


def test_a_failing_sink_does_not_harm_the_other(leat: Leat, database: Database) -> None:
    """It is detached, the other's lag stays small, and both are equal in the end."""
    mirror, running, workload = started(leat, database)
    confirmed = "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s"
    mirror.break_second()
    lags: list[float] = []
    until = time.monotonic() + 8

    def enough() -> bool:
        lags.append(lag(running, FIRST))
        return time.monotonic() > until

    mirror.run_until(workload, running, enough, "eight seconds have passed")
    assert is_detached(running)
    assert max(lags) < SMALL_LAG_SECONDS
    assert lag(running, SECOND) > 2 * SMALL_LAG_SECONDS
    assert running.is_healthy("/ready")
    held = database.scalar(confirmed, (SLOT,))
    mirror.wait_for_first(running)
    assert database.scalar(confirmed, (SLOT,)) == held, "the slot waits for the detached sink"

    mirror.mend_second()
    mirror.run_until(workload, running, lambda: is_attached(running), "the sink is attached")
    mirror.settle_both(running)
    assert database.scalar(confirmed, (SLOT,)) != held


def test_a_definition_changed_meanwhile_is_followed(leat: Leat, database: Database) -> None:
    """The reader of its own follows what the pipeline's reader has followed already."""
    mirror, running, workload = detached(leat, database)
    database.execute("ALTER TABLE items ADD COLUMN extra int")
    database.execute("UPDATE items SET extra = id WHERE id % 3 = 0")
    workload.run(10)
    mirror.mend_second()
    mirror.settle_both(running)


@pytest.mark.parametrize("mended", [True, False])
def test_killed_while_a_sink_is_detached(leat: Leat, database: Database, mended: bool) -> None:
    """The next start begins where the last sink stands, and detaches it again if it must."""
    mirror, running, workload = detached(leat, database)
    workload.run(10)
    running.kill9()
    if mended:
        mirror.mend_second()
    running = mirror.start()
    if not mended:
        mirror.run_until(workload, running, lambda: is_detached(running), "detached again")
        mirror.mend_second()
    workload.run(10)
    mirror.settle_both(running)


def test_stopped_while_a_sink_is_detached(leat: Leat, database: Database) -> None:
    """It ends with 0 (terminate() says so) and leaves nothing at the server but its slot."""
    mirror, running, workload = detached(leat, database)
    workload.run(10)
    running.terminate()
    mirror.mend_second()
    running = mirror.start()
    mirror.settle_both(running)


def test_the_server_may_restart_while_a_sink_is_detached(
    leat: Leat, database: Database, postgres: Postgres
) -> None:
    """Both readers come back."""
    mirror, running, workload = detached(leat, database)
    postgres.restart("immediate")
    database.reconnect()
    workload = Workload(database.connection, seed=22)
    mirror.run_until(
        workload,
        running,
        lambda: running.is_healthy("/ready") and lag(running, FIRST) < SMALL_LAG_SECONDS,
        "the first one streams",
    )
    mirror.mend_second()
    mirror.settle_both(running)


def test_a_server_without_a_slot_to_spare_is_asked_again(leat: Leat, database: Database) -> None:
    """The detached sink waits for one; the other goes on."""
    mirror, running, workload = started(leat, database)
    used, most = database.execute(
        "SELECT count(*), current_setting('max_replication_slots')::int FROM pg_replication_slots"
    )[0]
    taken = [f"taken_{i}" for i in range(most - used)]
    try:
        for name in taken:
            database.execute("SELECT pg_create_physical_replication_slot(%s)", (name,))
        mirror.break_second()
        mirror.run_until(workload, running, lambda: is_detached(running), "the sink is detached")
        mirror.mend_second()
        running.wait_for("cannot copy slot")
        workload.run(5)
        mirror.wait_for_first(running)
        assert is_detached(running)
    finally:
        for name in taken:
            database.execute("SELECT pg_drop_replication_slot(%s)", (name,))
    mirror.settle_both(running)


def test_a_lost_sink_is_stopped_and_reported_while_the_other_goes_on(
    leat: Leat, database: Database
) -> None:
    """Not ready, exit 1, and the message names the way back."""
    mirror, running, workload = started(leat, database)
    log: Path = mirror.second / "public" / "items" / "_delta_log"
    log.rename(mirror.second / "lost")
    mirror.run_until(
        workload,
        running,
        lambda: running.metric("leat_sink_failed", sink=SECOND) == 1,
        "the sink has failed",
    )
    workload.run(10)
    mirror.wait_for_first(running)
    wait_until(lambda: not running.is_healthy("/ready"), 30, "it is not ready")
    assert running.is_healthy("/health")
    running.process.terminate()
    assert running.wait() == 1
    assert "sink failed" in running.log_text
    assert f"leat reload {PIPELINE}" in running.log_text
    mirror.verify()
    (mirror.second / "lost").rename(log)
    running = mirror.start()
    mirror.settle_both(running)
