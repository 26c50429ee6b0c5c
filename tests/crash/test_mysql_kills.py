"""leat killed at random times over MySQL and MariaDB: nothing is lost, nothing comes twice.

LEAT_KILLS is how many for each server (15).
"""

from __future__ import annotations

import os
import random
import time
from functools import partial

import pytest

from tests.lib.leat import Leat
from tests.lib.mysql import MySQLDatabase
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.mysql_workload import MySQLWorkload
from tests.lib.wait import wait_until

pytestmark = pytest.mark.timeout(400)

KILLS = int(os.environ.get("LEAT_KILLS", "15"))


def mirror_of(leat: Leat, database: MySQLDatabase, rows: int) -> tuple[MySQLMirror, MySQLWorkload]:
    """A pipeline into both formats with a small commit interval, over tables with rows."""
    MySQLWorkload.create(database, rows=rows, seed=30)
    workload = MySQLWorkload(database, seed=31)
    prefix = f"{database.name}."
    tables = {name.removeprefix(prefix): key for name, key in workload.tables.items()}
    mirror = MySQLMirror(
        leat,
        database,
        tables,
        source={"as_text": workload.as_text},
        sink={"commit": {"interval": "10ms", "rows": 50}},
        retry={"delay": "10ms"},
    )
    return mirror, workload


def has_commits(leat: Leat, count: int) -> bool:
    """Whether the Delta tables have more commits than that."""
    return len(list(leat.lake.glob("*/*/_delta_log/*.json"))) > count


def test_kills_while_loading_and_streaming_lose_and_repeat_nothing(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """The first kills fall into the load, which begins again; the others into the stream."""
    mirror, workload = mirror_of(leat, mysql_database, rows=400)
    choose = random.Random(30)
    loading = 0
    for number in range(KILLS):
        running = mirror.start()
        if number < KILLS // 3:  # small commits make the load last
            wait_until(partial(has_commits, leat, number), 30, "the load has come further")
            loading += '"load read"' not in running.log_text
        else:
            until = time.monotonic() + choose.uniform(0.1, 1.5)
            while time.monotonic() < until:
                workload.transaction()
        assert running.alive, running.log_text[-4000:]
        running.kill9()
    running = mirror.start()
    workload.run(3, ddl=0)
    mirror.settle(running)
    assert loading > 0
