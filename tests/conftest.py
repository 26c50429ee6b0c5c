"""Fixtures of all Python tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lib.leat import ROOT, Leat, binary
from tests.lib.postgres import Database, Postgres

if TYPE_CHECKING:
    from tests.lib.spark import Spark


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests that ask Spark: tools/run-tests gives them a process of their own."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests have to say beyond passed or failed: the user property "say"."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "say" and report.when == "call":
                    terminalreporter.write_line(str(text))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests; who stops it starts it again."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """A fresh database; it and its slots are gone after the test."""
    fresh = Database(postgres)
    try:
        yield fresh
    finally:
        fresh.close()


@pytest.fixture
def leat(tmp_path: Path) -> Iterator[Leat]:
    """The program under test, with an empty directory."""
    if not binary().exists():
        pytest.fail(f"{binary()} is not built (make build, or name another with LEAT_BIN)")
    program = Leat(tmp_path)
    try:
        yield program
    finally:
        program.close()
        keep_delta_tables(tmp_path)


def keep_delta_tables(directory: Path) -> None:
    """Copies a test's Delta tables where other readers look at them afterwards."""
    kept = os.environ.get("LEAT_KEEP_TABLES")
    for number, log in enumerate(directory.rglob("_delta_log") if kept else []):
        shutil.copytree(log.parent, Path(str(kept)) / f"{directory.name}-{number}")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Tables written by others; they are not part of the repository."""
    for place in (os.environ.get("LEAT_CORPORA"), ROOT.parent / "shared" / "corpora"):
        if place and Path(place).is_dir():
            return Path(place)
    pytest.skip("no corpora of foreign tables here (LEAT_CORPORA names their directory)")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """One Spark for all tests; it knows Delta and Iceberg."""
    from tests.lib import spark as library  # half a second that the other tests need not spend

    reason = library.absent()
    if reason:
        pytest.skip(reason)
    session = library.Spark(tmp_path_factory.mktemp("spark"))
    try:
        yield session
    finally:
        session.close()
