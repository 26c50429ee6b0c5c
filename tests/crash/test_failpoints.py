"""Killed anywhere between receiving and acknowledging, the next start loses and repeats nothing.

Each failpoint is tried twice: with kill -9 alone, and with everything dropped that was not synced
(contents and names), as a power cut would.
"""

from __future__ import annotations

import random
import time

import pytest

from tests.lib.leat import Leat, failpoints
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.wait import wait_until
from tests.lib.workload import Workload

TABLES = {"public.items": "id", "public.quiet": "id"}


def mirror_of(leat: Leat, database: Database) -> Mirror:
    """Some loaded rows and a pipeline into both formats with a small commit interval."""
    Workload.create(database.connection)
    return Mirror(
        leat,
        database,
        TABLES,
        formats=("delta", "iceberg"),
        sink={"commit": {"interval": "10ms"}},
        retry={"delay": "10ms"},
    )


def faulty(leat: Leat) -> dict[str, str]:
    """Lets the crash drop what was not synced below these directories."""
    return {"LEAT_FAULTY_ROOTS": f"{leat.lake}:{leat.state}"}


def crash_once(mirror: Mirror, failpoint: str, env: dict[str, str]) -> bool:
    """Runs until the failpoint kills it; False when the workload never passes there."""
    workload = Workload(mirror.database.connection, seed=7)
    running = mirror.start(failpoint=failpoint, **env)
    for _ in range(40):
        workload.transaction()
    if "checkpoint" in failpoint:  # it takes 50 commits, each of one transaction or more
        until = time.monotonic() + 120
        while running.alive and time.monotonic() < until:
            workload.transaction()
    if "widen" in failpoint:
        mirror.catch_up(running)
        mirror.database.execute("ALTER TABLE items ALTER price TYPE numeric(14,2)")
        workload.transaction()
    lsn = mirror.mark()
    wait_until(
        lambda: not running.alive or mirror.is_mirrored(running, lsn), 60, "crashed or caught up"
    )
    if running.alive:
        running.process.terminate()
    code = running.wait()
    assert code in (-9, 0), running.log_text[-4000:]
    return code == -9


@pytest.mark.parametrize("power_cut", [False, True], ids=["kill", "power-cut"])
@pytest.mark.parametrize("failpoint", failpoints())
def test_a_crash_at_a_failpoint_loses_and_repeats_nothing(
    leat: Leat, database: Database, failpoint: str, power_cut: bool
) -> None:
    """First pass (while loading), and a later one (while streaming)."""
    mirror = mirror_of(leat, database)
    env = faulty(leat) if power_cut else {}
    rare = "checkpoint" in failpoint or "widen" in failpoint
    passes = (1,) if rare else (1, 3)
    crashed = [crash_once(mirror, f"{failpoint}:{nth}", env) for nth in passes]
    assert any(crashed), f"failpoint {failpoint} was never passed"
    running = mirror.start()
    Workload(database.connection, seed=8).run(5)
    mirror.settle(running)


def test_twenty_random_kills_under_load_lose_and_repeat_nothing(
    leat: Leat, database: Database
) -> None:
    """Killed at random times while changes keep coming."""
    mirror = mirror_of(leat, database)
    choose = random.Random(20)
    workload = Workload(database.connection, seed=9)
    for _ in range(20):
        running = mirror.start()
        until = time.monotonic() + choose.uniform(0.05, 1.5)
        while time.monotonic() < until:
            workload.transaction()
        assert running.alive, running.log_text[-4000:]
        running.kill9()
    running = mirror.start()
    mirror.settle(running)
