"""Whatever goes wrong is said clearly, with the right exit code, and loses nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lib.leat import Leat
from tests.lib.mirror import PIPELINE, SLOT, Mirror
from tests.lib.postgres import PASSWORD, Database, Postgres
from tests.lib.wait import wait_until
from tests.lib.workload import Workload

ITEMS = {"public.items": "id"}
QUICK: dict[str, Any] = {"retry": {"attempts": 2, "delay": "10ms", "max_delay": "20ms"}}


def items(leat: Leat, database: Database, rows: int = 50) -> Mirror:
    """A pipeline of one table."""
    Workload.create(database.connection, rows)
    return Mirror(leat, database, ITEMS)


def expect(leat: Leat, code: int, *words: str) -> str:
    """Runs the pipeline to its end: exit code, and words its last message must have."""
    done = leat.run("run", timeout=60)
    assert done.returncode == code, f"exit code {done.returncode}:\n{done.stderr}"
    for word in words:
        assert word in done.stderr, f"{word!r} is missing:\n{done.stderr}"
    assert PASSWORD not in done.stderr
    return done.stderr


def test_a_wrong_password_is_a_configuration_error_without_the_password(
    leat: Leat, database: Database
) -> None:
    """Exit 2; neither the right nor the wrong password is printed."""
    mirror = items(leat, database)
    mirror.configure(
        source={"url": database.url.replace(PASSWORD, "hunter2hunter2"), "tables": list(ITEMS)}
    )
    said = expect(leat, 2, "password")
    assert "hunter2" not in said


def test_an_unknown_database_is_a_configuration_error(leat: Leat, database: Database) -> None:
    """Exit 2, naming it."""
    items(leat, database)
    config = leat.pipeline(database.url.replace(database.name, "no_such_db"), list(ITEMS))
    leat.configure({PIPELINE: config})
    expect(leat, 2, "no_such_db")


def test_a_missing_table_is_a_configuration_error(leat: Leat, database: Database) -> None:
    """Exit 2, naming it."""
    leat.configure({PIPELINE: leat.pipeline(database.url, ["public.absent"])})
    expect(leat, 2, "public.absent")


def test_a_table_without_a_key_is_refused_in_upsert_mode(leat: Leat, database: Database) -> None:
    """Exit 2, with what to do about it."""
    database.execute("CREATE TABLE keyless (word text)")
    leat.configure({PIPELINE: leat.pipeline(database.url, ["public.keyless"])})
    expect(leat, 2, "public.keyless", "primary key")
    database.execute("ALTER TABLE keyless REPLICA IDENTITY FULL")
    expect(leat, 2, "public.keyless", "PRIMARY KEY", "mode: append")


def test_a_server_without_logical_wal_is_refused(leat: Leat) -> None:
    """Exit 2, naming wal_level."""
    with Postgres({"wal_level": "replica"}) as server:
        name = server.create_database()
        with server.connect(name) as connection:
            connection.execute("CREATE TABLE items (id int PRIMARY KEY)")
        leat.configure({PIPELINE: leat.pipeline(server.url(name), list(ITEMS))})
        expect(leat, 2, "wal_level")


def test_a_slot_in_use_is_named(leat: Leat, database: Database) -> None:
    """Two programs on one slot: the second ends, the first goes on."""
    mirror = items(leat, database)
    first = mirror.start()
    mirror.catch_up(first)
    second = Leat(leat.dir / "second")
    second.dir.mkdir()
    second.lake, second.state = leat.lake, leat.state
    second.configure({PIPELINE: second.pipeline(database.url, list(ITEMS), **QUICK)})
    expect(second, 1, SLOT)
    Workload(database.connection, seed=1).run(3)
    mirror.settle(first)


def test_an_unreachable_server_is_retried_and_then_given_up(leat: Leat, database: Database) -> None:
    """Exit 1 after the attempts."""
    mirror = items(leat, database)
    mirror.configure(
        source={"url": "postgresql://nobody:x@127.0.0.1:1/none", "tables": list(ITEMS)}, **QUICK
    )
    said = expect(leat, 1)
    assert "retry" in said


def test_a_restarted_server_is_waited_for(
    leat: Leat, database: Database, postgres: Postgres
) -> None:
    """Stopped as in a crash, in the middle of the stream."""
    mirror = items(leat, database)
    running = mirror.start()
    workload = Workload(database.connection, seed=5)
    workload.run(5)
    mirror.catch_up(running)
    for mode in ("fast", "immediate"):
        postgres.restart(mode)
        database.reconnect()
        workload = Workload(database.connection, seed=6)
        workload.run(5)
    mirror.settle(running)


def test_a_cut_connection_is_made_again(leat: Leat, database: Database) -> None:
    """All its backends are terminated while changes come."""
    mirror = items(leat, database)
    running = mirror.start()
    workload = Workload(database.connection, seed=7)
    for _ in range(4):
        workload.run(3)
        mirror.catch_up(running)
        workload.run(3)
        database.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
            " WHERE active AND slot_name = %s",
            (SLOT,),
        )
    mirror.settle(running)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB; needs root."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_waited_for_and_loses_nothing(
    leat: Leat, database: Database, small_disk: Path
) -> None:
    """Commits are retried while the disk is full, and go on when there is room."""
    leat.lake = small_disk / "lake"
    mirror = items(leat, database)
    running = mirror.start()
    mirror.catch_up(running)
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(os.urandom(65536))
                file.flush()
        except OSError:
            pass
    Workload(database.connection, seed=8).run(10)
    wait_until(lambda: "commit retry" in running.log_text, 30, "a commit is retried")
    assert running.alive
    ballast.unlink()
    mirror.settle(running)


def test_a_disk_that_stays_full_ends_the_pipeline_and_the_next_start_goes_on(
    leat: Leat, database: Database, small_disk: Path
) -> None:
    """Exit 1 after the attempts; nothing is lost."""
    leat.lake = small_disk / "lake"
    mirror = items(leat, database)
    mirror.configure(**QUICK)
    running = mirror.start()
    mirror.catch_up(running)
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(os.urandom(65536))
                file.flush()
        except OSError:
            pass
    Workload(database.connection, seed=8).run(10)
    assert running.wait(60) == 1
    ballast.unlink()
    running = mirror.start()
    mirror.settle(running)


def test_one_failing_pipeline_leaves_the_others_running(leat: Leat, database: Database) -> None:
    """The exit code is the failed one's, once all have ended."""
    Workload.create(database.connection)
    mirror = Mirror(leat, database, ITEMS)
    good = leat.pipeline(database.url, list(ITEMS))
    bad = leat.pipeline(
        database.url, ["public.absent"], sink={"location": f"{leat.dir}/other/{{table}}"}
    )
    leat.configure({PIPELINE: good, "bad": bad})
    running = mirror.start()
    running.wait_for("public.absent")
    Workload(database.connection, seed=9).run(5)
    mirror.catch_up(running)
    assert not running.is_healthy("/ready")
    assert running.is_healthy("/health")
    running.process.terminate()
    assert running.wait() == 2
    mirror.verify()


# A table that is not the one we left (rule 3).


def stopped(leat: Leat, database: Database) -> Mirror:
    """A pipeline of two tables that ran and was stopped."""
    Workload.create(database.connection)
    mirror = Mirror(leat, database, {"public.items": "id", "public.quiet": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    running.terminate()
    return mirror


def expect_lost_and_reload(leat: Leat, mirror: Mirror, table: str) -> None:
    """The start names the table and the way back; the way back mends it."""
    expect(leat, 1, table, f"leat reload {PIPELINE}")
    done = leat.run("reload", PIPELINE)
    assert done.returncode == 0, done.stderr
    running = mirror.start()
    Workload(mirror.database.connection, seed=10).run(5)
    mirror.settle(running)


def test_a_table_restored_from_a_copy_is_noticed(leat: Leat, database: Database) -> None:
    """An older state of the table is not the one we left."""
    mirror = stopped(leat, database)
    table = leat.table("public.items")
    shutil.copytree(table, leat.dir / "copy")
    running = mirror.start()
    Workload(database.connection, seed=11).run(5)
    mirror.settle(running)
    shutil.rmtree(table)
    shutil.copytree(leat.dir / "copy", table)
    expect_lost_and_reload(leat, mirror, "public.items")


def test_a_dropped_table_is_noticed(leat: Leat, database: Database) -> None:
    """It is not quietly made anew."""
    mirror = stopped(leat, database)
    shutil.rmtree(leat.table("public.quiet"))
    expect_lost_and_reload(leat, mirror, "public.quiet")


def test_all_tables_dropped_are_noticed(leat: Leat, database: Database) -> None:
    """The slot and the state directory remember them."""
    mirror = stopped(leat, database)
    shutil.rmtree(leat.lake)
    expect_lost_and_reload(leat, mirror, "public.items")


def test_a_table_made_anew_by_someone_else_is_never_touched(leat: Leat, database: Database) -> None:
    """Neither by run nor by reload."""
    import pyarrow as pa
    from deltalake import write_deltalake

    stopped(leat, database)
    table = leat.table("public.quiet")
    shutil.rmtree(table)
    write_deltalake(table, pa.table({"id": [1]}))
    expect(leat, 2, "public.quiet", "not made by leat")
    assert leat.run("reload", PIPELINE).returncode == 2


def test_rows_changed_by_another_writer_are_noticed(leat: Leat, database: Database) -> None:
    """A foreign commit of rows since ours: the table is no mirror any more."""
    mirror = stopped(leat, database)
    log = leat.table("public.quiet") / "_delta_log"
    newest = max(int(path.stem) for path in log.glob("*.json"))
    (log / f"{newest + 1:020d}.json").write_text(
        '{"commitInfo":{"timestamp":1,"operation":"DELETE","engineInfo":"another"}}\n'
        + "".join(
            line.replace('{"add":', '{"remove":', 1).replace(
                '"modificationTime"', '"deletionTimestamp"'
            )
            + "\n"
            for path in sorted(log.glob("*.json"))
            for line in path.read_text().splitlines()
            if line.startswith('{"add":')
        )
    )
    expect_lost_and_reload(leat, mirror, "public.quiet")


def test_a_dropped_slot_is_noticed(leat: Leat, database: Database) -> None:
    """What happened since is gone at the source: only a load mends it."""
    mirror = stopped(leat, database)
    database.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
    Workload(database.connection, seed=12).run(5)
    expect_lost_and_reload(leat, mirror, "public.items")


def test_reload_shows_only_differences_in_the_feed(leat: Leat, database: Database) -> None:
    """Rows that are equal already are left alone."""
    mirror = stopped(leat, database)
    database.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
    before = mirror.feed_counts("public.items")
    database.execute("UPDATE items SET price = -1 WHERE id = 1")
    database.execute("DELETE FROM items WHERE id = 2")
    database.execute("INSERT INTO items (id, name) VALUES (1000, 'new')")
    assert leat.run("reload", PIPELINE).returncode == 0
    after = mirror.feed_counts("public.items")
    grown = {kind: count - before.get(kind, 0) for kind, count in after.items()}
    assert grown == {"insert": 1, "delete": 1, "update_preimage": 1, "update_postimage": 1}
    mirror.verify()


def test_the_state_directory_may_be_lost(leat: Leat, database: Database) -> None:
    """It costs time and the proof against roll-backs, never data."""
    mirror = stopped(leat, database)
    shutil.rmtree(leat.state)
    Workload(database.connection, seed=13).run(5)
    running = mirror.start()
    running.wait_for("no progress file")
    mirror.settle(running)
