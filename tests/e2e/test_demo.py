"""`leat demo`: what a newcomer sees first."""

from __future__ import annotations

import fcntl
import re
import signal
import tempfile
from pathlib import Path

import pytest

from tests.lib.delta import delta_cdf, delta_rows, delta_version
from tests.lib.iceberg import iceberg_rows, iceberg_snapshots
from tests.lib.leat import Leat

QUICK = ["--rows=500", "--seconds=2", "--rate=1000"]


def servers() -> set[str]:
    """Returns the directories of private servers that are there, and those of running ones."""
    found = {str(path) for path in Path("/tmp").glob("leat-demo-*")}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        for option in (b"-D", b"--datadir="):
            begin = option + b"/tmp/leat-demo-"
            found |= {word[len(option) :].decode() for word in words if word.startswith(begin)}
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left() -> object:
    """Whatever happens, no server and none of its files stay.

    Demonstrations that run side by side would be taken for leftovers: one at a time.
    """
    with (Path(tempfile.gettempdir()) / "leat-tests-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = servers()
        yield
        assert servers() <= before


@pytest.mark.parametrize(
    ("source", "product", "schema"),
    [("postgres", "PostgreSQL", "public"), ("mysql", "MariaDB", "shop")],
)
def test_it_ends_equal_and_its_numbers_are_those_of_the_tables(
    leat: Leat, source: str, product: str, schema: str
) -> None:
    """Rows, versions and changes as others read them."""
    done = leat.run("demo", f"--source={source}", *QUICK, config=False)
    assert f"started a private {product} " in done.stderr
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "result: equal"
    for table in ("customers", "orders"):
        found = {}
        for form in ("delta", "iceberg"):
            line = re.search(rf"^{schema}\.{table} +{form} +(.*)$", done.stdout, re.MULTILINE)
            assert line is not None
            found[form] = line[1].split()
        source, lake, word, versions, inserts, updates, deletes = found["delta"]
        copy = leat.dir / "leat-demo" / "lake" / "iceberg" / schema / table
        assert found["iceberg"][:3] == [source, lake, word]
        assert len(iceberg_rows(copy)) == int(lake)
        assert len(iceberg_snapshots(copy)) == int(found["iceberg"][3])
        assert found["iceberg"][4:] == [inserts, updates, deletes]  # the same net changes
        path = leat.dir / "leat-demo" / "lake" / "delta" / schema / table
        assert word == "equal"
        assert int(source) == int(lake) == len(delta_rows(path)) > 500
        assert int(versions) == delta_version(path) + 1
        kinds = [row["_change_type"] for row in delta_cdf(path)]
        assert kinds.count("insert") == int(inserts)
        assert kinds.count("update_postimage") == int(updates) > 0
        assert kinds.count("delete") == int(deletes) > 0
    assert re.search(r"peak memory: [1-9]\d* MB", done.stdout)


def test_what_it_says_to_look_with_works(leat: Leat) -> None:
    """Its commands of leat and of Python are run as they are printed."""
    done = leat.run("demo", *QUICK, config=False)
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    tried = 0
    for command in commands:
        if command.startswith("duckdb"):
            continue  # fetches an extension
        shown = leat.shell(command)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.strip()
        tried += 1
    assert tried >= 3


def test_a_server_that_is_kept_takes_more_changes(leat: Leat) -> None:
    """Its own words say how to go on, and how to end it."""
    done = leat.run("demo", "--source=mysql", "--keep-server", *QUICK, config=False)
    assert done.returncode == 0, done.stderr
    said = {line.strip().partition(":")[0]: line for line in done.stderr.splitlines()}
    try:
        shown = leat.shell(said["go on"].partition(":")[2])
        assert shown.returncode == 0, shown.stderr
        assert "made 1000 changes" in shown.stderr
    finally:
        ended = leat.shell(said["end it"].partition(":")[2])
        assert ended.returncode == 0, ended.stderr


def test_the_next_one_replaces_it_but_nothing_else(leat: Leat) -> None:
    """A directory that holds other things is left alone."""
    assert leat.run("demo", *QUICK, "--dir=here", config=False).returncode == 0
    again = leat.run("demo", *QUICK, "--dir=here", config=False)
    assert again.returncode == 0, again.stderr
    other = leat.dir / "other"
    other.mkdir()
    (other / "lake").mkdir()
    (other / "lake" / "precious").write_text("do not touch")
    refused = leat.run("demo", *QUICK, "--dir=other", config=False)
    assert refused.returncode == 2
    assert "--dir" in refused.stderr
    assert (other / "lake" / "precious").read_text() == "do not touch"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("source", "when"),
    [
        ("postgres", "started a private"),
        ("postgres", "changing rows"),
        ("mysql", "changing rows"),
    ],
)
def test_interrupted_it_cleans_up(
    leat: Leat, source: str, when: str, number: signal.Signals
) -> None:
    """At any time; and says that it was interrupted."""
    running = leat.start("demo", f"--source={source}", "--seconds=60", "--rows=500")
    running.wait_for(when)
    running.process.send_signal(number)
    assert running.wait() == 1
    assert "interrupted" in running.log_text
    assert "result:" not in running.out_text
