"""Random workloads with DDL on MariaDB and MySQL: both formats equal the source, value for value.

LEAT_SEEDS is how many for each server (2); a workload is the same for the same number.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.lib.leat import Leat, Running
from tests.lib.mysql import MySQLDatabase, MySQLServer
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.mysql_workload import MySQLWorkload

pytestmark = pytest.mark.timeout(400)

SEEDS = range(int(os.environ.get("LEAT_SEEDS", "2")))
IMAGES = ("FULL", "MINIMAL", "NOBLOB")


@pytest.fixture
def settings(mysql_server: MySQLServer, seed: int) -> dict[str, str]:
    """How the server logs: each workload another way."""
    metadata = "FULL" if seed % 2 == 0 else "NO_LOG" if mysql_server.is_mariadb else "MINIMAL"
    chosen = {"binlog_row_image": IMAGES[seed % 3], "binlog_row_metadata": metadata}
    mysql_server.set_global(**chosen)
    return chosen


def work(
    workload: MySQLWorkload, mirror: MySQLMirror, running: Running | None, names: bool
) -> None:
    """Some transactions with DDL. Where the log does not name columns, DDL is waited for."""
    if names:
        workload.run(25, ddl=0.15)
        return
    for _ in range(3):
        workload.run(8, ddl=0)
        if running:
            mirror.catch_up(running)
            workload.change_schema()
            mirror.catch_up(running)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_workload_is_mirrored_value_for_value(
    leat: Leat, mysql_database: MySQLDatabase, settings: dict[str, str], seed: int
) -> None:
    database = mysql_database
    database.reconnect()  # sessions keep the settings they began with
    choose = random.Random(seed)
    MySQLWorkload.create(database, rows=100, seed=seed)
    workload = MySQLWorkload(database, seed)
    prefix = f"{database.name}."
    tables = {name.removeprefix(prefix): key for name, key in workload.tables.items()}
    mirror = MySQLMirror(leat, database, tables, source={"as_text": workload.as_text})
    names = settings["binlog_row_metadata"] == "FULL"
    for _ in range(3):
        running = mirror.start()
        work(workload, mirror, running, names)
        mirror.settle(running)
        if choose.random() < 0.7:
            work(workload, mirror, None, names)  # while it is stopped
    running = mirror.start()
    mirror.settle(running)
    assert running.log_text.count('"load read"') == 0
